/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bridge_equal.h"
#include "conf/config.h"
#include "conf/part_equal.h"
#include "conf/tunnel_equal.h"
#include <string.h>

static bool prefixes_equal(const struct prefix *a, const struct prefix *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_cmp(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static bool ranges_equal(const struct config_range *a, const struct config_range *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].class != b[i].class || prefix_cmp(&a[i].prefix, &b[i].prefix) != 0)
			return false;
	return true;
}

static bool hosts_equal(const struct config_host *a, const struct config_host *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].return_path != b[i].return_path ||
			addr_cmp(&a[i].address, &b[i].address) != 0)
			return false;
	return true;
}

static bool witnesses_equal(
	const struct config_witness *a, const struct config_witness *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].port != b[i].port || addr_cmp(&a[i].address, &b[i].address) != 0)
			return false;
	return true;
}

static bool network_equal(const struct config_network *a, const struct config_network *b)
{
	return prefix_cmp(&a->prefix, &b->prefix) == 0 && a->return_path == b->return_path &&
	       a->return_path_own == b->return_path_own && a->n_hosts == b->n_hosts &&
	       hosts_equal(a->hosts, b->hosts, a->n_hosts) && a->n_witnesses == b->n_witnesses &&
	       witnesses_equal(a->witnesses, b->witnesses, a->n_witnesses) &&
	       a->learn_witnesses == b->learn_witnesses;
}

static bool lan_equal(const struct config_lan *a, const struct config_lan *b)
{
	if (strcmp(a->interface, b->interface) != 0 || a->n_networks != b->n_networks)
		return false;
	for (size_t i = 0; i < a->n_networks; i++)
		if (!network_equal(&a->networks[i], &b->networks[i]))
			return false;
	return true;
}

static bool ports_equal(const struct port_range *a, const struct port_range *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].first != b[i].first || a[i].last != b[i].last)
			return false;
	return true;
}

static bool allow_equal(const struct config_allow *a, const struct config_allow *b)
{
	return a->from_classes == b->from_classes && a->n_from == b->n_from &&
	       prefixes_equal(a->from, b->from, a->n_from) && prefix_cmp(&a->to, &b->to) == 0 &&
	       a->n_tcp == b->n_tcp && ports_equal(a->tcp, b->tcp, a->n_tcp) &&
	       a->n_udp == b->n_udp && ports_equal(a->udp, b->udp, a->n_udp) && a->icmp == b->icmp;
}

static bool probe_equal(const struct config_probe *a, const struct config_probe *b)
{
	return addr_cmp(&a->source[0], &b->source[0]) == 0 &&
	       addr_cmp(&a->source[1], &b->source[1]) == 0 && a->interval_us == b->interval_us &&
	       a->after_event_us == b->after_event_us && a->timeout_us == b->timeout_us &&
	       a->lost_rounds == b->lost_rounds && a->lost_of == b->lost_of &&
	       a->proven_rounds == b->proven_rounds && a->proven_hold_us == b->proven_hold_us &&
	       a->max_witnesses == b->max_witnesses && a->accept_neighbor == b->accept_neighbor;
}

static bool communities_equal(char *const *a, char *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool accepts_equal(const struct config_accept *a, const struct config_accept *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].le != b[i].le || prefix_cmp(&a[i].prefix, &b[i].prefix) != 0)
			return false;
	return true;
}

/* Times, which say nothing where BFD is off. */
static bool bfd_equal(const struct config_neighbor *a, const struct config_neighbor *b)
{
	if (!a->bfd || !b->bfd)
		return a->bfd == b->bfd;
	return a->bfd_multiplier == b->bfd_multiplier && a->bfd_receive_ms == b->bfd_receive_ms &&
	       a->bfd_transmit_ms == b->bfd_transmit_ms;
}

static bool session_equal(const struct config_neighbor *a, const struct config_neighbor *b)
{
	return addr_cmp(&a->address, &b->address) == 0 && a->remote_as == b->remote_as &&
	       a->asn == b->asn && text_equal(a->description, b->description) &&
	       text_equal(a->password_file, b->password_file) && bfd_equal(a, b) &&
	       a->timers_own == b->timers_own && a->keepalive_s == b->keepalive_s &&
	       a->hold_s == b->hold_s && a->connect_s == b->connect_s &&
	       text_equal(a->update_source, b->update_source) &&
	       a->ebgp_multihop == b->ebgp_multihop &&
	       a->ttl_security_hops == b->ttl_security_hops && a->adopt == b->adopt;
}

static bool neighbor_equal(const struct config_neighbor *a, const struct config_neighbor *b)
{
	return session_equal(a, b) && a->ipv4 == b->ipv4 && a->ipv6 == b->ipv6 &&
	       a->families_own == b->families_own && a->n_communities == b->n_communities &&
	       communities_equal(a->communities, b->communities, a->n_communities) &&
	       a->maximum_prefix == b->maximum_prefix && a->n_accept == b->n_accept &&
	       accepts_equal(a->accept, b->accept, a->n_accept);
}

static bool bgp_equal(const struct config_bgp *a, const struct config_bgp *b)
{
	if (a->configured != b->configured || a->asn != b->asn ||
		addr_cmp(&a->router_id, &b->router_id) != 0 || a->n_neighbors != b->n_neighbors ||
		a->announce_to_others != b->announce_to_others)
		return false;
	for (size_t i = 0; i < a->n_neighbors; i++)
		if (!neighbor_equal(&a->neighbors[i], &b->neighbors[i]))
			return false;
	return true;
}

bool config_equal(const struct config *a, const struct config *b)
{
	if (strcmp(a->mesh_interface, b->mesh_interface) != 0 || a->return_path != b->return_path ||
		a->has_allow != b->has_allow || a->n_ranges != b->n_ranges ||
		a->n_lans != b->n_lans || a->n_allow != b->n_allow ||
		!ranges_equal(a->ranges, b->ranges, a->n_ranges) ||
		!probe_equal(&a->probe, &b->probe) || !bgp_equal(&a->bgp, &b->bgp) ||
		!bridge_equal(&a->bridge, &b->bridge) || !tunnel_equal(&a->tunnel, &b->tunnel) ||
		a->remedies != b->remedies || a->watch != b->watch || a->watch_own != b->watch_own)
		return false;
	for (size_t i = 0; i < a->n_lans; i++)
		if (!lan_equal(&a->lans[i], &b->lans[i]))
			return false;
	for (size_t i = 0; i < a->n_allow; i++)
		if (!allow_equal(&a->allow[i], &b->allow[i]))
			return false;
	return true;
}
