/* SPDX-License-Identifier: Apache-2.0 */
/*
 * want_model: the part of want.h that translates a configuration into the nft model. One
 * allocation an array; the model owns them all, although its fields are const for its readers.
 */
#include "daemon/want.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct counts {
	size_t networks, hosts;
};

static struct counts count(const struct config *c)
{
	struct counts n = {};
	for (size_t i = 0; i < c->n_lans; i++) {
		n.networks += c->lans[i].n_networks;
		for (size_t j = 0; j < c->lans[i].n_networks; j++)
			n.hosts += c->lans[i].networks[j].n_hosts;
	}
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
	struct prefix *networks = xcalloc(count(c).networks, sizeof(*networks));
	for (size_t i = 0; i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++)
			networks[m->n_networks++] = c->lans[i].networks[j].prefix;
	m->networks = networks;
}

/* NAT exists when anything may be masqueraded; `auto` anywhere keeps it, because its price is
 * that of switching without breaking flows. */
static void model_nat(const struct config *c, struct nft_model *m)
{
	struct counts n = count(c);
	struct prefix *networks = xcalloc(n.networks, sizeof(*networks));
	struct addr *masquerade = xcalloc(n.hosts, sizeof(*masquerade));
	struct addr *route = xcalloc(n.hosts, sizeof(*route));
	for (size_t i = 0; i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++) {
			const struct config_network *net = &c->lans[i].networks[j];
			if (want_masquerades(net->return_path))
				networks[m->n_masquerade_networks++] = net->prefix;
			for (size_t k = 0; k < net->n_hosts; k++)
				if (want_masquerades(net->hosts[k].return_path))
					masquerade[m->n_masquerade_hosts++] = net->hosts[k].address;
				else
					route[m->n_route_hosts++] = net->hosts[k].address;
		}
	m->masquerade_networks = networks;
	m->masquerade_hosts = masquerade;
	m->route_hosts = route;
	m->nat = m->n_masquerade_networks > 0 || m->n_masquerade_hosts > 0;
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

struct nft_model *want_model(const struct config *config)
{
	struct nft_model *m = xcalloc(1, sizeof(*m));
	model_interfaces(config, m);
	model_ranges(config, m);
	model_networks(config, m);
	model_nat(config, m);
	model_allow(config, m);
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
	free_const(model->allow);
	free(model);
}
