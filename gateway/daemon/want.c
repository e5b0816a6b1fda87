/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/want.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool want_masquerades(enum return_path mode)
{
	return mode != RETURN_PATH_ROUTE;
}

static bool has_range(const struct config *c, uint8_t family)
{
	for (size_t i = 0; i < c->n_ranges; i++)
		if (c->ranges[i].prefix.addr.family == family)
			return true;
	return false;
}

static bool has_network(const struct config_lan *lan, uint8_t family)
{
	for (size_t i = 0; i < lan->n_networks; i++)
		if (lan->networks[i].prefix.addr.family == family)
			return true;
	return false;
}

static bool any_network(const struct config *c, uint8_t family)
{
	for (size_t i = 0; i < c->n_lans; i++)
		if (has_network(&c->lans[i], family))
			return true;
	return false;
}

static int compare_routes(const void *a, const void *b)
{
	return route_cmp(a, b);
}

static void want_routes(const struct config *c, const struct link *mesh, struct want *out)
{
	out->routes.list = xcalloc(c->n_ranges, sizeof(*out->routes.list));
	for (size_t i = 0; i < c->n_ranges; i++)
		out->routes.list[out->routes.n++] = (struct route){
			.dst = c->ranges[i].prefix,
			.table = MARK_RT_TABLE,
			.metric = MARK_METRIC,
			.protocol = MARK_RTPROT,
			.type = RTN_UNICAST,
			.scope = RT_SCOPE_LINK,
			.oif = mesh && mesh->flags & IFF_UP ? mesh->ifindex : 0,
		};
	qsort(out->routes.list, out->routes.n, sizeof(*out->routes.list), compare_routes);
}

[[gnu::format(printf, 4, 5)]] static void want_sysctl(
	struct want *out, int ifindex, int value, const char *fmt, ...)
{
	struct want_sysctl *s = &out->sysctls[out->n_sysctls++];
	*s = (struct want_sysctl){.ifindex = ifindex, .value = value};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->key, sizeof(s->key), fmt, ap);
	va_end(ap);
}

static void want_forwarding4(
	const struct config *c, const struct observed *seen, const char *name, struct want *out)
{
	const struct link *link = link_by_name(&seen->links, name);
	if (link && has_range(c, AF_INET))
		want_sysctl(out, link->ifindex, 1, "ipv4/conf/%s/forwarding", link->name);
}

/* The per-interface key does not stop IPv6 forwarding, nor start it: only "all" does, and that
 * ends the processing of router advertisements wherever accept_ra is 1. */
static void want_forwarding6(const struct config *c, const struct observed *seen, struct want *out)
{
	if (!has_range(c, AF_INET6) || !any_network(c, AF_INET6))
		return;
	for (size_t i = 0; i < seen->n_ras; i++) {
		const struct link *link = link_by_index(&seen->links, seen->ras[i].ifindex);
		if (link)
			want_sysctl(out, link->ifindex, 2, "ipv6/conf/%s/accept_ra", link->name);
	}
	want_sysctl(out, 0, 1, "ipv6/conf/all/forwarding");
}

static void want_loose_filter(
	const struct observed *seen, struct want_loose loose, struct want *out)
{
	for (size_t i = 0; i < loose.n; i++) {
		const struct link *link = link_by_index(&seen->links, loose.ifindex[i]);
		if (link)
			want_sysctl(out, link->ifindex, 2, "ipv4/conf/%s/rp_filter", link->name);
	}
}

void want_compute(const struct config *config, const struct observed *seen, struct want_loose loose,
	struct want *out)
{
	want_clear(out);
	if (!config)
		return;
	out->nft = true;
	out->remedies = config->remedies;
	out->sysctls = xcalloc(config->n_lans + seen->n_ras + loose.n + 2, sizeof(*out->sysctls));
	if (any_network(config, AF_INET))
		want_forwarding4(config, seen, config->mesh_interface, out);
	for (size_t i = 0; i < config->n_lans; i++)
		if (has_network(&config->lans[i], AF_INET))
			want_forwarding4(config, seen, config->lans[i].interface, out);
	want_forwarding6(config, seen, out);
	want_loose_filter(seen, loose, out);
	want_routes(config, link_by_name(&seen->links, config->mesh_interface), out);
}

void want_clear(struct want *w)
{
	route_set_clear(&w->routes);
	free(w->sysctls);
	*w = (struct want){};
}
