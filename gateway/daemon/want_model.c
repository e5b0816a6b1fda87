/* SPDX-License-Identifier: Apache-2.0 */
/*
 * want_model: the part of want.h that translates a configuration into the nft model. One
 * allocation an array; the model owns them all, although its fields are const for its readers.
 */
#include "daemon/want.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

/* A service that answered a flow of the mesh so long ago may still be asked. */
constexpr uint32_t LEARN_S = 24 * 60 * 60;

static size_t count_networks(const struct config *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_lans; i++)
		n += c->lans[i].n_networks;
	return n;
}

static void model_interfaces(const struct config *c, struct nft_model *m)
{
	char(*names)[IFNAMSIZ] = xcalloc(c->n_lans, sizeof(*names));
	for (size_t i = 0; i < c->n_lans; i++)
		memcpy(names[i], c->lans[i].interface, IFNAMSIZ);
	memcpy(m->mesh_interface, c->mesh_interface, IFNAMSIZ);
	m->lan_interfaces = names;
	m->n_lan_interfaces = c->n_lans;
}

static void model_ranges(const struct config *c, struct nft_model *m)
{
	struct prefix *ranges = xcalloc(c->n_ranges, sizeof(*ranges));
	for (size_t i = 0; i < c->n_ranges; i++)
		ranges[i] = c->ranges[i].prefix;
	m->ranges = ranges;
	m->n_ranges = c->n_ranges;
}

static void model_networks(const struct config *c, struct nft_model *m)
{
	struct prefix *networks = xcalloc(count_networks(c), sizeof(*networks));
	for (size_t i = 0; i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++)
			networks[m->n_networks++] = c->lans[i].networks[j].prefix;
	m->networks = networks;
}

bool want_network_masquerades(
	const struct prove *prove, const char *interface, const struct config_network *network)
{
	const struct prove_network *n = nullptr;
	if (network->return_path == RETURN_PATH_AUTO && prove)
		n = prove_find(prove, interface, &network->prefix);
	return n ? !n->route : want_masquerades(network->return_path);
}

/* Those of the configuration, and of networks in mode auto those that cannot answer the mesh. */
struct host_lists {
	struct addr *masquerade, *route;
	size_t n_masquerade, n_route, cap_masquerade, cap_route;
};

static void push_host(struct host_lists *l, const struct addr *host, bool masquerade)
{
	if (masquerade) {
		XGROW(l->masquerade, l->n_masquerade, l->cap_masquerade);
		l->masquerade[l->n_masquerade++] = *host;
	} else {
		XGROW(l->route, l->n_route, l->cap_route);
		l->route[l->n_route++] = *host;
	}
}

static void push_hosts(
	struct host_lists *l, const struct config_network *net, const struct prove_network *proven)
{
	for (size_t i = 0; i < net->n_hosts; i++)
		push_host(l, &net->hosts[i].address, want_masquerades(net->hosts[i].return_path));
	for (size_t i = 0; proven && i < proven->witnesses.n; i++)
		if (proven->witnesses.list[i].excepted)
			push_host(l, &proven->witnesses.list[i].address, true);
}

/* NAT exists when anything may be masqueraded; `auto` anywhere keeps it, because its price is
 * that of switching without breaking flows. */
static void model_nat(const struct config *c, const struct prove *prove, struct nft_model *m)
{
	struct prefix *networks = xcalloc(count_networks(c), sizeof(*networks));
	struct host_lists hosts = {};
	for (size_t i = 0; i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++) {
			const struct config_network *net = &c->lans[i].networks[j];
			const char *interface = c->lans[i].interface;
			m->nat |= net->return_path == RETURN_PATH_AUTO;
			if (want_network_masquerades(prove, interface, net))
				networks[m->n_masquerade_networks++] = net->prefix;
			push_hosts(&hosts, net,
				prove ? prove_find(prove, interface, &net->prefix) : nullptr);
		}
	m->masquerade_networks = networks;
	m->masquerade_hosts = hosts.masquerade;
	m->n_masquerade_hosts = hosts.n_masquerade;
	m->route_hosts = hosts.route;
	m->n_route_hosts = hosts.n_route;
	m->nat |= m->n_masquerade_networks > 0 || m->n_masquerade_hosts > 0;
}

/* Not the very last address: in IPv4 that is a broadcast address to the services on a link. */
struct addr want_probe_source(const struct config *config, uint8_t family)
{
	const struct addr *own = &config->probe.source[family == AF_INET6];
	if (own->family != AF_UNSPEC)
		return *own;
	for (size_t i = 0; i < config->n_ranges; i++)
		if (config->ranges[i].prefix.addr.family == family)
			return prefix_last_host(&config->ranges[i].prefix);
	return (struct addr){};
}

static void model_probe_sources(const struct config *c, struct nft_model *m)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct addr *sources = xcalloc(2, sizeof(*sources));
	for (size_t i = 0; i < 2; i++) {
		struct addr source = want_probe_source(c, families[i]);
		if (source.family != AF_UNSPEC)
			sources[m->n_probe_sources++] = source;
	}
	m->probe_sources = sources;
}

/* What shows whether the way back exists, wherever something is in mode auto. */
static void model_probe(const struct config *c, struct nft_model *m)
{
	struct prefix *learn = xcalloc(count_networks(c), sizeof(*learn));
	for (size_t i = 0; i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++) {
			const struct config_network *net = &c->lans[i].networks[j];
			if (net->return_path != RETURN_PATH_AUTO)
				continue;
			m->probe = true;
			if (net->learn_witnesses)
				learn[m->n_learn_networks++] = net->prefix;
		}
	m->learn_networks = learn;
	m->learn_s = LEARN_S;
	if (m->probe)
		model_probe_sources(c, m);
}

static void model_neighbors(const struct config *c, struct nft_model *m)
{
	struct addr *neighbors = xcalloc(c->bgp.n_neighbors, sizeof(*neighbors));
	for (size_t i = 0; i < c->bgp.n_neighbors; i++)
		neighbors[m->n_neighbors++] = c->bgp.neighbors[i].address;
	m->neighbors = neighbors;
}

struct allow_list {
	struct nft_allow *list;
	size_t n, cap;
};

static void allow_push(struct allow_list *out, struct nft_allow entry)
{
	XGROW(out->list, out->n, out->cap);
	out->list[out->n++] = entry;
}

static void allow_ports(struct allow_list *out, struct nft_allow base, uint8_t proto,
	const struct port_range *ports, size_t n)
{
	base.proto_first = base.proto_last = proto;
	for (size_t i = 0; i < n; i++) {
		base.port_first = ports[i].first;
		base.port_last = ports[i].last;
		allow_push(out, base);
	}
}

static void allow_from(
	struct allow_list *out, const struct config_allow *a, const struct prefix *from)
{
	if (from->addr.family != a->to.addr.family)
		return;
	struct nft_allow base = {.from = *from, .to = a->to, .port_last = UINT16_MAX};
	allow_ports(out, base, IPPROTO_TCP, a->tcp, a->n_tcp);
	allow_ports(out, base, IPPROTO_UDP, a->udp, a->n_udp);
	if (a->icmp) {
		base.proto_first = base.proto_last = a->to.addr.family == AF_INET ? IPPROTO_ICMP
										  : IPPROTO_ICMPV6;
		allow_push(out, base);
	} else if (!a->n_tcp && !a->n_udp) {
		base.proto_last = UINT8_MAX;
		allow_push(out, base);
	}
}

static void model_allow(const struct config *c, struct nft_model *m)
{
	struct allow_list out = {};
	for (size_t i = 0; i < c->n_allow; i++) {
		const struct config_allow *a = &c->allow[i];
		for (size_t j = 0; j < c->n_ranges; j++)
			if (a->from_classes & 1U << c->ranges[j].class)
				allow_from(&out, a, &c->ranges[j].prefix);
		for (size_t j = 0; j < a->n_from; j++)
			allow_from(&out, a, &a->from[j]);
	}
	m->allow_list = c->has_allow;
	m->allow = out.list;
	m->n_allow = out.n;
}

struct nft_allow want_upstream(const struct addr *address, uint16_t port)
{
	return (struct nft_allow){.from = {.addr = {.family = address->family}},
		.to = prefix_of(address),
		.proto_first = IPPROTO_TCP,
		.proto_last = IPPROTO_TCP,
		.port_first = port,
		.port_last = port};
}

static void model_bridge(
	const struct config *c, const struct want_bridge *bridge, struct nft_model *m)
{
	uint16_t *ports = xcalloc(c->bridge.n_listen, sizeof(*ports));
	struct allow_list out = {};

	for (size_t i = 0; i < c->bridge.n_listen; i++)
		ports[m->n_bridge_ports++] = c->bridge.listen[i].port;
	for (size_t i = 0; i < c->bridge.n_routes; i++) {
		const struct config_route *route = &c->bridge.routes[i];
		for (size_t j = 0; j < route->n_upstreams; j++)
			if (route->upstreams[j].address.family != AF_UNSPEC)
				allow_push(&out, want_upstream(&route->upstreams[j].address,
							 route->upstreams[j].port));
	}
	for (size_t i = 0; i < bridge->n_resolved; i++)
		allow_push(&out, bridge->resolved[i]);
	m->bridge = true;
	m->bridge_uid = bridge->uid;
	m->bridge_opener = bridge->opener;
	m->bridge_ports = ports;
	m->upstreams = out.list;
	m->n_upstreams = out.n;
}

struct nft_model *want_model(const struct config *config, const struct prove *prove, bool hears_bgp,
	const struct want_bridge *bridge)
{
	struct nft_model *m = xcalloc(1, sizeof(*m));
	model_interfaces(config, m);
	model_ranges(config, m);
	model_networks(config, m);
	model_nat(config, prove, m);
	model_probe(config, m);
	if (hears_bgp)
		model_neighbors(config, m);
	model_allow(config, m);
	if (config->bridge.configured && bridge && bridge->has_user)
		model_bridge(config, bridge, m);
	m->track = config_watches(config) && !m->nat && !m->allow_list;
	return m;
}

static void free_const(const void *p)
{
	free((void *)(uintptr_t)p);
}

void want_model_free(struct nft_model *model)
{
	if (!model)
		return;
	free_const(model->lan_interfaces);
	free_const(model->ranges);
	free_const(model->networks);
	free_const(model->masquerade_networks);
	free_const(model->masquerade_hosts);
	free_const(model->route_hosts);
	free_const(model->probe_sources);
	free_const(model->learn_networks);
	free_const(model->neighbors);
	free_const(model->allow);
	free_const(model->upstreams);
	free_const(model->bridge_ports);
	free(model);
}
