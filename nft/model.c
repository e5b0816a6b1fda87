/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/model.h"
#include <assert.h>
#include <string.h>

static const char *const counter_names[NFT_COUNTERS] = {
	[NFT_COUNTER_FROM_MESH] = "from_mesh",
	[NFT_COUNTER_TO_MESH] = "to_mesh",
	[NFT_COUNTER_MASQUERADED] = "masqueraded",
	[NFT_COUNTER_DENIED] = "denied",
	[NFT_COUNTER_SPOOFED] = "spoofed",
	[NFT_COUNTER_BRIDGE_DENIED] = "bridge_denied",
};

const char *nft_counter_str(enum nft_counter c)
{
	assert(c < NFT_COUNTERS);
	return counter_names[c];
}

static bool prefixes_equal(const struct prefix *a, size_t n, const struct prefix *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (prefix_cmp(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static bool addrs_equal(const struct addr *a, size_t n, const struct addr *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (addr_cmp(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static bool allow_equal(const struct nft_allow *a, const struct nft_allow *b)
{
	return prefix_cmp(&a->from, &b->from) == 0 && prefix_cmp(&a->to, &b->to) == 0 &&
	       a->proto_first == b->proto_first && a->proto_last == b->proto_last &&
	       a->port_first == b->port_first && a->port_last == b->port_last;
}

static bool allow_lists_equal(const struct nft_model *a, const struct nft_model *b)
{
	if (a->track != b->track || a->allow_list != b->allow_list || a->n_allow != b->n_allow)
		return false;
	for (size_t i = 0; i < a->n_allow; i++)
		if (!allow_equal(&a->allow[i], &b->allow[i]))
			return false;
	return true;
}

static bool bridges_equal(const struct nft_model *a, const struct nft_model *b)
{
	if (a->bridge != b->bridge || a->bridge_uid != b->bridge_uid ||
		a->bridge_opener != b->bridge_opener || a->n_upstreams != b->n_upstreams ||
		a->n_bridge_ports != b->n_bridge_ports)
		return false;
	for (size_t i = 0; i < a->n_upstreams; i++)
		if (!allow_equal(&a->upstreams[i], &b->upstreams[i]))
			return false;
	for (size_t i = 0; i < a->n_bridge_ports; i++)
		if (a->bridge_ports[i] != b->bridge_ports[i])
			return false;
	return true;
}

static bool interfaces_equal(const struct nft_model *a, const struct nft_model *b)
{
	if (strncmp(a->mesh_interface, b->mesh_interface, IFNAMSIZ) != 0 ||
		a->n_lan_interfaces != b->n_lan_interfaces)
		return false;
	for (size_t i = 0; i < a->n_lan_interfaces; i++)
		if (strncmp(a->lan_interfaces[i], b->lan_interfaces[i], IFNAMSIZ) != 0)
			return false;
	return true;
}

#define SAME(kind, list) kind##_equal(a->list, a->n_##list, b->list, b->n_##list)

static bool modes_equal(const struct nft_model *a, const struct nft_model *b)
{
	return a->nat == b->nat && SAME(prefixes, masquerade_networks) &&
	       SAME(addrs, masquerade_hosts) && SAME(addrs, route_hosts);
}

static bool probes_equal(const struct nft_model *a, const struct nft_model *b)
{
	return a->probe == b->probe && a->learn_s == b->learn_s && SAME(addrs, probe_sources) &&
	       SAME(prefixes, learn_networks) && SAME(addrs, neighbors);
}

bool nft_model_equal(const struct nft_model *a, const struct nft_model *b)
{
	return interfaces_equal(a, b) && SAME(prefixes, ranges) && SAME(prefixes, networks) &&
	       modes_equal(a, b) && probes_equal(a, b) && allow_lists_equal(a, b) &&
	       bridges_equal(a, b);
}
