/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/config.h"
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

static bool network_equal(const struct config_network *a, const struct config_network *b)
{
	return prefix_cmp(&a->prefix, &b->prefix) == 0 && a->return_path == b->return_path &&
	       a->return_path_own == b->return_path_own && a->n_hosts == b->n_hosts &&
	       hosts_equal(a->hosts, b->hosts, a->n_hosts);
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

bool config_equal(const struct config *a, const struct config *b)
{
	if (strcmp(a->mesh_interface, b->mesh_interface) != 0 || a->return_path != b->return_path ||
		a->has_allow != b->has_allow || a->n_ranges != b->n_ranges ||
		a->n_lans != b->n_lans || a->n_allow != b->n_allow ||
		!ranges_equal(a->ranges, b->ranges, a->n_ranges))
		return false;
	for (size_t i = 0; i < a->n_lans; i++)
		if (!lan_equal(&a->lans[i], &b->lans[i]))
			return false;
	for (size_t i = 0; i < a->n_allow; i++)
		if (!allow_equal(&a->allow[i], &b->allow[i]))
			return false;
	return true;
}
