/* SPDX-License-Identifier: Apache-2.0 */
#include "nft_models.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p) < 0)
		abort();
	return p;
}

static const struct {
	const char *name;
	uint8_t first, last;
} protocols[] = {
	{"tcp", IPPROTO_TCP, IPPROTO_TCP},
	{"udp", IPPROTO_UDP, IPPROTO_UDP},
	{"icmp", IPPROTO_ICMP, IPPROTO_ICMP},
	{"ipv6-icmp", IPPROTO_ICMPV6, IPPROTO_ICMPV6},
	{"any", 0, UINT8_MAX},
};

/* "80" or "80-90". */
static void set_ports(struct nft_allow *e, const char *text)
{
	char *end;

	e->port_first = e->port_last = (uint16_t)strtoul(text, &end, 10);
	if (*end == '-')
		e->port_last = (uint16_t)strtoul(end + 1, &end, 10);
	if (*end)
		abort();
}

struct nft_allow nft_models_allow(const char *text)
{
	char from[PREFIX_STRLEN], to[PREFIX_STRLEN], proto[16], ports[16];
	int n = sscanf(text, "%49s %49s %15s %15s", from, to, proto, ports);

	for (size_t i = 0; n >= 3 && i < COUNT(protocols); i++) {
		if (strcmp(proto, protocols[i].name) != 0)
			continue;
		struct nft_allow e = {
			.from = prefix(from),
			.to = prefix(to),
			.proto_first = protocols[i].first,
			.proto_last = protocols[i].last,
			.port_last = UINT16_MAX,
		};
		if (n == 4)
			set_ports(&e, ports);
		return e;
	}
	abort();
}

struct nft_allow *nft_models_exact(size_t n)
{
	static const char *const from[] = {"100.64.0.0/12", "100.96.0.0/12"};
	struct nft_allow *list = xcalloc(n, sizeof(*list));
	char text[80];

	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s 10.%zu.%zu.%zu tcp %zu", from[i % 2], i >> 14,
			i >> 7 & 127, i & 127, 3000 + i % 7);
		list[i] = nft_models_allow(text);
	}
	return list;
}

static const char *const range_texts[] = {
	"100.64.0.0/12",
	"100.96.0.0/12",
	"2606:4700:cf1:5000::/64",
	"2606:4700:cf1:1000::/64",
};
static const char *const reachable_texts[] = {"10.0.0.0/8", "2001:db8::/32"};
static const char *const network_texts[] = {"10.0.1.0/24", "2001:db8:1::/64", "10.0.2.0/24"};
/* Duplicates, prefixes inside others, and neighbours that touch. */
static const char *const untidy_texts[] = {
	"10.0.0.0/8",
	"10.0.1.0/24",
	"0.0.0.0/0",
	"10.0.1.0/24",
	"::/0",
	"2001:db8:1::/64",
};
static const char *const allow_texts[] = {
	"100.64.0.0/12 10.0.1.50 tcp 3000",
	"100.64.0.0/12 10.0.1.50 tcp 3000",
	"100.64.0.0/12 10.0.1.51 udp 53",
	"100.96.0.0/12 10.0.1.50 tcp 22",
	"100.96.0.0/12 10.0.1.0/24 icmp",
	"100.96.7.0/24 10.0.0.0/8 tcp 80-90",
	"100.96.0.0/12 10.0.2.0/24 tcp 85-100",
	"100.96.0.10 10.0.2.60 any",
	"2606:4700:cf1:5000::/64 2001:db8:1::50 tcp 3000",
	"2606:4700:cf1:5000::/64 2001:db8:1::/64 ipv6-icmp",
};

static struct prefix *prefixes(const char *const *texts, size_t n)
{
	struct prefix *list = xcalloc(n, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = prefix(texts[i]);
	return list;
}

static void set_nat(struct nft_model *m, const char *const *texts, size_t n)
{
	static struct addr masquerade[3], route[2];

	masquerade[0] = masquerade[1] = prefix("10.9.0.7").addr;
	masquerade[2] = prefix("2001:db8:9::7").addr;
	route[0] = prefix("10.0.1.77").addr;
	route[1] = prefix("2001:db8:1::77").addr;
	m->nat = true;
	m->masquerade_networks = prefixes(texts, n);
	m->n_masquerade_networks = n;
	m->masquerade_hosts = masquerade;
	m->n_masquerade_hosts = COUNT(masquerade);
	m->route_hosts = route;
	m->n_route_hosts = COUNT(route);
}

static void set_allow(struct nft_model *m)
{
	struct nft_allow *list = xcalloc(COUNT(allow_texts), sizeof(*list));

	for (size_t i = 0; i < COUNT(allow_texts); i++)
		list[i] = nft_models_allow(allow_texts[i]);
	m->allow_list = true;
	m->allow = list;
	m->n_allow = COUNT(allow_texts);
}

static void set_probe(struct nft_model *m)
{
	static struct addr sources[2], neighbors[3];

	sources[0] = prefix("100.79.255.254").addr;
	sources[1] = prefix("2606:4700:cf1:5000:ffff:ffff:ffff:fffe").addr;
	neighbors[0] = prefix("10.0.1.1").addr;
	neighbors[1] = prefix("2001:db8:1::1").addr;
	neighbors[2] = neighbors[0];
	m->probe = true;
	m->probe_sources = sources;
	m->n_probe_sources = COUNT(sources);
	m->learn_networks = m->networks;
	m->n_learn_networks = m->n_networks;
	m->learn_s = 3600;
	m->neighbors = neighbors;
	m->n_neighbors = COUNT(neighbors);
}

/* An upstream that several routes name stands there several times. */
static void set_bridge(struct nft_model *m)
{
	static const char *const texts[] = {"0.0.0.0/0 10.0.1.50 tcp 3000",
		"0.0.0.0/0 10.0.1.50 tcp 3000", "0.0.0.0/0 10.0.2.60 tcp 80",
		"::/0 2001:db8:1::50 tcp 443"};
	static struct nft_allow upstreams[COUNT(texts)];
	static const uint16_t ports[] = {80, 8080};

	for (size_t i = 0; i < COUNT(texts); i++)
		upstreams[i] = nft_models_allow(texts[i]);
	m->bridge = true;
	m->bridge_uid = 4711;
	m->bridge_opener = 4712;
	m->upstreams = upstreams;
	m->n_upstreams = COUNT(upstreams);
	m->bridge_ports = ports;
	m->n_bridge_ports = COUNT(ports);
}

static void build(struct nft_named_model out[NFT_MODELS])
{
	static const char lan[][IFNAMSIZ] = {"lan0"};
	static const char lans[][IFNAMSIZ] = {"lan1", "lan0", "lan1"};
	static const char *const names[NFT_MODELS] = {
		"bridge", "route", "masquerade", "allow", "all", "ipv4-deny", "auto"};

	const struct prefix *reachable = prefixes(reachable_texts, COUNT(reachable_texts));

	for (size_t i = 0; i < NFT_MODELS; i++)
		out[i] = (struct nft_named_model){.name = names[i],
			.model = {
				.mesh_interface = "mesh0",
				.lan_interfaces = lan,
				.n_lan_interfaces = COUNT(lan),
				.ranges = prefixes(range_texts, COUNT(range_texts)),
				.n_ranges = COUNT(range_texts),
				.networks = reachable,
				.n_networks = COUNT(reachable_texts),
			}};
	set_nat(&out[2].model, network_texts, COUNT(network_texts));
	set_allow(&out[3].model);
	set_nat(&out[4].model, untidy_texts, COUNT(untidy_texts));
	set_allow(&out[4].model);
	out[4].model.lan_interfaces = lans;
	out[4].model.n_lan_interfaces = COUNT(lans);
	out[4].model.networks = prefixes(untidy_texts, COUNT(untidy_texts));
	out[4].model.n_networks = COUNT(untidy_texts);
	out[5].model.n_ranges = 2;
	out[5].model.n_networks = 1;
	out[5].model.allow_list = true; /* an empty list allows nothing */
	set_nat(&out[6].model, network_texts, COUNT(network_texts));
	set_probe(&out[6].model);
	set_bridge(&out[0].model);
}

const struct nft_named_model *nft_models(void)
{
	static struct nft_named_model models[NFT_MODELS];

	if (!models[0].name)
		build(models);
	return models;
}

const struct nft_model *nft_model(const char *name)
{
	const struct nft_named_model *models = nft_models();

	for (size_t i = 0; i < NFT_MODELS; i++)
		if (strcmp(models[i].name, name) == 0)
			return &models[i].model;
	abort();
}
