/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/admits.h"

const struct config_range *config_range_of(const struct config *config, const struct addr *from)
{
	for (size_t i = 0; i < config->n_ranges; i++)
		if (prefix_contains_addr(&config->ranges[i].prefix, from))
			return &config->ranges[i];
	return nullptr;
}

struct addr config_trial_source(const struct config *config, const struct config_range *range)
{
	const struct addr *given = &config->probe.source[range->prefix.addr.family == AF_INET6];
	/* Not the very last: in IPv4 that is a broadcast address to the services on a link. */
	return prefix_contains_addr(&range->prefix, given) ? *given
							   : prefix_last_host(&range->prefix);
}

bool config_is_trial_source(const struct config *config, const struct addr *from)
{
	const struct config_range *range = config_range_of(config, from);

	if (!range || range->prefix.len == (from->family == AF_INET ? 32 : 128))
		return false;
	struct addr ours = config_trial_source(config, range);
	return addr_cmp(&ours, from) == 0;
}

struct config_place config_place_of(const struct config *config, const struct addr *to)
{
	for (size_t i = 0; i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++) {
			const struct config_network *n = &config->lans[i].networks[j];
			if (prefix_contains_addr(&n->prefix, to))
				return (struct config_place){&config->lans[i], n};
		}
	return (struct config_place){};
}

static bool is_from(
	const struct config *config, const struct config_allow *a, const struct addr *from)
{
	const struct config_range *range = config_range_of(config, from);

	if (range && a->from_classes & 1U << range->class)
		return true;
	for (size_t i = 0; i < a->n_from; i++)
		if (prefix_contains_addr(&a->from[i], from))
			return true;
	return false;
}

static bool has_port(const struct port_range *list, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (port >= list[i].first && port <= list[i].last)
			return true;
	return false;
}

static bool is_service(const struct config_allow *a, uint8_t proto, uint16_t port)
{
	if (!a->n_tcp && !a->n_udp && !a->icmp)
		return true;
	if (proto == IPPROTO_TCP)
		return has_port(a->tcp, a->n_tcp, port);
	if (proto == IPPROTO_UDP)
		return has_port(a->udp, a->n_udp, port);
	return a->icmp && (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6);
}

bool config_allows(const struct config *config, const struct addr *from, const struct addr *to,
	uint8_t proto, uint16_t port)
{
	if (!config->has_allow)
		return true;
	for (size_t i = 0; i < config->n_allow; i++) {
		const struct config_allow *a = &config->allow[i];
		if (prefix_contains_addr(&a->to, to) && is_from(config, a, from) &&
			is_service(a, proto, port))
			return true;
	}
	return false;
}

static bool needs_tracking(const struct config_network *n)
{
	if (n->return_path != RETURN_PATH_ROUTE)
		return true;
	for (size_t i = 0; i < n->n_hosts; i++)
		if (n->hosts[i].return_path != RETURN_PATH_ROUTE)
			return true;
	return false;
}

bool config_watches(const struct config *config)
{
	if (config->watch_own)
		return config->watch;
	for (size_t i = 0; i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++)
			if (needs_tracking(&config->lans[i].networks[j]))
				return true;
	return config->has_allow;
}
