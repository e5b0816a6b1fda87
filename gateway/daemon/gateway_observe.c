/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_observe: the first step of a pass, which reads what is marked.
 */
#include "daemon/gateway.h"
#include "daemon/gateway_int.h"
#include "daemon/rivals.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static bool keep_foreign(const struct route *r, void *arg)
{
	return r->protocol != MARK_RTPROT && gateway_in_ranges(arg, &r->dst);
}

static int observe_routes(struct kernel *k, uint8_t protocol, const struct config *config,
	struct route_set *set, struct err *err)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct route_set all = {};
	for (size_t f = 0; f < 2; f++) {
		struct route_set found = {};
		struct route_filter filter = {
			.family = families[f], .table = MARK_RT_TABLE, .protocol = protocol};
		int r = k->ops->routes(k, &filter, protocol ? nullptr : keep_foreign,
			(void *)(uintptr_t)config, &found, err);
		if (r < 0) {
			route_set_clear(&all);
			return err_ctx(err, "routes");
		}
		for (size_t i = 0; i < found.n; i++)
			route_set_add(&all, &found.list[i]);
		route_set_clear(&found);
	}
	route_set_clear(set);
	*set = all;
	return 0;
}

static int observe_ours(struct gateway *g, struct err *err)
{
	int r = observe_routes(g->kernel, MARK_RTPROT, nullptr, &g->seen.ours, err);
	g->route_dumps += r >= 0;
	return r;
}

static int observe_foreign(struct gateway *g, struct err *err)
{
	if (!g->config) {
		route_set_clear(&g->seen.foreign);
		return 0;
	}
	int r = observe_routes(g->kernel, 0, g->config, &g->seen.foreign, err);
	if (r >= 0 && g->seen.foreign.n > FOREIGN_MAX)
		g->seen.foreign.n = FOREIGN_MAX;
	return r;
}

static int observe_tables(struct gateway *g, struct err *err)
{
	if (g->config)
		return rivals_read(g->kernel, g->config, &g->seen, err);
	observed_tables_clear(&g->seen);
	return 0;
}

/* An address made by a router advertisement shows where they are in use. */
static void observe_ras(struct kernel *k, struct observed *seen)
{
	seen->n_ras = 0;
	seen->ras = xreallocarray(seen->ras, seen->links.n + 1, sizeof(*seen->ras));
	for (size_t i = 0; i < seen->addresses.n; i++) {
		const struct ifaddr_entry *a = &seen->addresses.list[i];
		const struct link *l = link_by_index(&seen->links, a->ifindex);
		bool known = false;
		for (size_t j = 0; j < seen->n_ras; j++)
			known |= seen->ras[j].ifindex == a->ifindex;
		if (!a->from_ra || !l || known)
			continue;
		char key[SYSCTL_KEY_LEN];
		int value;
		snprintf(key, sizeof(key), "ipv6/conf/%s/accept_ra", l->name);
		if (k->ops->sysctl_get(k, key, &value) >= 0 && value != 0)
			seen->ras[seen->n_ras++] = (struct observed_ra){
				.ifindex = l->ifindex, .accept_ra = value};
	}
}

static int observe_netconfs(struct kernel *k, struct observed *seen, struct err *err)
{
	struct netconf_set four = {}, six = {};
	int r = k->ops->netconfs(k, AF_INET, &four, err);
	if (r >= 0)
		r = k->ops->netconfs(k, AF_INET6, &six, err);
	if (r < 0) {
		netconf_set_clear(&four);
		return err_ctx(err, "netconf");
	}
	four.list = xreallocarray(four.list, four.n + six.n + 1, sizeof(*four.list));
	if (six.n)
		memcpy(four.list + four.n, six.list, six.n * sizeof(*six.list));
	four.n += six.n;
	netconf_set_clear(&six);
	netconf_set_clear(&seen->netconfs);
	seen->netconfs = four;
	return 0;
}

static int tunnel_index(const struct gateway *g)
{
	const struct link *l = g->config ? link_by_name(&g->seen.links, g->config->mesh_interface)
					 : nullptr;
	return l ? l->ifindex : 0;
}

static int observe_links(struct gateway *g, struct err *err)
{
	struct kernel *k = g->kernel;
	struct observed *seen = &g->seen;
	int tunnel = tunnel_index(g);
	int r = k->ops->links(k, &seen->links, err);
	if (r < 0)
		return err_ctx(err, "links");
	r = k->ops->addresses(k, &seen->addresses, err);
	if (r < 0)
		return err_ctx(err, "addresses");
	r = observe_netconfs(k, seen, err);
	if (r < 0)
		return r;
	observe_ras(k, seen);
	/* A tunnel that got another name keeps its routes, and events may have forgotten them. */
	if (tunnel != tunnel_index(g) && link_by_index(&seen->links, tunnel))
		gateway_mark(g, DIRTY_ROUTES);
	return 0;
}

int gateway_read_nft(struct gateway *g, struct err *err)
{
	int r = g->kernel->ops->nft_read(g->kernel, &g->seen.nft, err);
	if (r < 0)
		return err_ctx(err, "nft");
	g->seen.nft_current = g->nft_digest && g->seen.nft.exists &&
			      g->seen.nft.digest == g->nft_digest;
	return 0;
}

/* Another attempt may succeed. */
static bool is_passing(int r)
{
	return r == -EAGAIN || r == -EINTR || r == -ENOBUFS;
}

/* A kernel without nftables must not keep the routes from being looked after: the write will tell
 * what is missing. Removing needs to know. */
static int observe_nft(struct gateway *g, struct err *err)
{
	int r = gateway_read_nft(g, err);
	if (r >= 0 || is_passing(r) || g->phase != GATEWAY_UP)
		return r;
	g->seen.nft = (struct nft_state){};
	g->seen.nft_current = false;
	return 0;
}

struct nft_mesh gateway_mesh(const struct gateway *g)
{
	if (!g->model)
		return (struct nft_mesh){.interface = ""};
	return (struct nft_mesh){.interface = g->model->mesh_interface,
		.ranges = g->model->ranges,
		.n_ranges = g->model->n_ranges};
}

int gateway_read_inputs(struct gateway *g, struct err *err)
{
	struct nft_mesh mesh = gateway_mesh(g);
	int r = 0;
	for (size_t i = 0; r >= 0 && i < OBSERVED_FAMILIES; i++)
		r = g->kernel->ops->foreign_read(
			g->kernel, observed_families[i], &mesh, &g->seen.inputs[i], err);
	return r;
}

/* As with our own table: where there is no nftables there is nobody's filter. */
static int observe_inputs(struct gateway *g, struct err *err)
{
	int r = gateway_read_inputs(g, err);
	return is_passing(r) || g->phase != GATEWAY_UP ? r : 0;
}

/* In this order: what tells how much of the rest counts comes first. */
static const struct {
	enum gateway_dirty mark;
	int (*read)(struct gateway *g, struct err *err);
} sources[] = {
	{DIRTY_LINKS, observe_links},
	{DIRTY_ROUTES, observe_ours},
	{DIRTY_FOREIGN, observe_foreign},
	{DIRTY_TABLES, observe_tables},
	{DIRTY_NFT, observe_nft},
	{DIRTY_INPUT, observe_inputs},
};

/* May a pass go on with what it knew of this before? Not without interfaces, and removing must see
 * all of it. But a ruleset that others change faster than it can be read must not keep our routes
 * from being repaired. */
static bool is_dispensable(const struct gateway *g, unsigned mark)
{
	return mark != DIRTY_LINKS && g->phase == GATEWAY_UP;
}

int gateway_observe(struct gateway *g, struct err *err)
{
	int first = 0;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		unsigned mark = sources[i].mark;
		struct err why = {};
		if (!(g->dirty & mark))
			continue;
		int r = sources[i].read(g, &why);
		if (r < 0 && !first) {
			first = r;
			*err = why;
		}
		if (r < 0 && !is_dispensable(g, mark))
			return first;
		g->dirty &= ~mark;
		if (r < 0)
			g->unread |= mark;
	}
	g->dirty = 0;
	return first;
}

bool gateway_look(struct gateway *g)
{
	struct err err = {};
	int r = gateway_observe(g, &err);
	if (r < 0) {
		if (!g->observe_failures++)
			log_warn("gateway", "cannot observe: %s", err.msg);
		g->observe_error = -r;
	} else if (!g->unread) {
		g->observe_error = 0;
		g->observe_failures = 0;
	}
	return !g->dirty;
}
