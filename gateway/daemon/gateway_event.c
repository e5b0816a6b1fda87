/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_event: what a notification makes doubtful. Nothing is believed but that something
 * happened; the pass looks for itself.
 */
#include "daemon/gateway.h"
#include "daemon/gateway_int.h"
#include "daemon/rivals.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <linux/rtnetlink.h>
#include <string.h>

/* zebra/rt_netlink.h of FRR; linux/rtnetlink.h has no name for it */
constexpr uint8_t RTPROT_ZSTATIC = 196;

void route_set_add(struct route_set *set, const struct route *r)
{
	set->list = xreallocarray(set->list, set->n + 1, sizeof(*set->list));
	set->list[set->n++] = *r;
}

size_t route_set_forget(struct route_set *set,
	bool (*match)(const struct route *r, const void *arg), const void *arg)
{
	size_t kept = 0, before = set->n;
	for (size_t i = 0; i < before; i++)
		if (!match(&set->list[i], arg))
			set->list[kept++] = set->list[i];
	set->n = kept;
	return before - kept;
}

bool gateway_in_ranges(const struct config *config, const struct prefix *p)
{
	for (size_t i = 0; i < config->n_ranges; i++)
		if (prefix_contains(&config->ranges[i].prefix, p))
			return true;
	return false;
}

static bool in_networks(const struct config *config, const struct prefix *p)
{
	for (size_t i = 0; i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++)
			if (prefix_overlaps(&config->lans[i].networks[j].prefix, p))
				return true;
	return false;
}

static bool is_our_interface(const struct gateway *g, const char *name)
{
	if (!strcmp(g->config->mesh_interface, name))
		return true;
	for (size_t i = 0; i < g->config->n_lans; i++)
		if (!strcmp(g->config->lans[i].interface, name))
			return true;
	return false;
}

static const char *known_name(const struct gateway *g, int ifindex)
{
	const struct link *l = link_by_index(&g->seen.links, ifindex);
	return l ? l->name : "";
}

static bool of_interface(const struct route *r, const void *arg)
{
	return r->oif == *(const int *)arg;
}

static bool of_interface4(const struct route *r, const void *arg)
{
	return r->dst.addr.family == AF_INET && of_interface(r, arg);
}

/* Does anybody else's route for a part of the ranges lead there? */
static bool is_others_way(const struct gateway *g, int ifindex)
{
	for (size_t i = 0; i < g->seen.foreign.n; i++)
		if (of_interface(&g->seen.foreign.list[i], &ifindex))
			return true;
	for (size_t i = 0; i < g->seen.n_tables; i++)
		for (size_t j = 0; j < g->seen.tables[i].routes.n; j++)
			if (of_interface(&g->seen.tables[i].routes.list[j], &ifindex))
				return true;
	return false;
}

/* Linux takes IPv4 routes away silently when a link goes down or its last address goes. */
static void on_link(struct gateway *g, const struct nlmsghdr *nlh)
{
	struct link l;
	if (link_read(nlh, &l) < 0)
		return;
	if (is_others_way(g, l.ifindex))
		gateway_mark(g, DIRTY_CHECK | DIRTY_TABLES);
	if (!is_our_interface(g, l.name) && !is_our_interface(g, known_name(g, l.ifindex)))
		return;
	g->doubt |= route_set_forget(&g->seen.ours, of_interface, &l.ifindex) > 0;
	track_uproot(&g->tracks, l.ifindex);
	g->link_events++;
	gateway_mark(g, DIRTY_PASS | DIRTY_LINKS);
}

static void on_address(struct gateway *g, const struct nlmsghdr *nlh)
{
	struct ifaddr_entry a;
	if (ifaddr_read(nlh, &a) < 0 || !is_our_interface(g, known_name(g, a.ifindex)))
		return;
	if (nlh->nlmsg_type == RTM_DELADDR)
		g->doubt |= route_set_forget(&g->seen.ours, of_interface4, &a.ifindex) > 0;
	track_uproot(&g->tracks, a.ifindex);
	g->link_events++;
	gateway_mark(g, DIRTY_PASS | DIRTY_LINKS);
}

static bool same_key(const struct route *r, const void *arg)
{
	return !route_cmp(r, arg);
}

static bool same_prefix(const struct route *r, const void *arg)
{
	const struct route *other = arg;
	return !prefix_cmp(&r->dst, &other->dst);
}

static void on_our_route(struct gateway *g, const struct nlmsghdr *nlh, const struct route *r)
{
	size_t known = route_set_forget(&g->seen.ours, same_key, r);
	if (nlh->nlmsg_type == RTM_NEWROUTE)
		route_set_add(&g->seen.ours, r);
	if (nlh->nlmsg_type == RTM_DELROUTE ? known > 0 : !known)
		gateway_mark(g, DIRTY_PASS);
}

/* A replacement by somebody else with our prefix and metric is the end of our route, and is
 * announced as theirs only. A foreign route that goes may have stood for ours. */
static void on_foreign_route(struct gateway *g, const struct nlmsghdr *nlh, const struct route *r)
{
	/* Others' interfaces are read when they begin to matter. */
	bool matters = gateway_in_ranges(g->config, &r->dst) || rivals_concern(g->config, r);
	if (matters && r->oif && !link_by_index(&g->seen.links, r->oif))
		gateway_mark(g, DIRTY_LINKS);
	if (r->table == MARK_RT_TABLE && gateway_in_ranges(g->config, &r->dst)) {
		g->frr_losses += nlh->nlmsg_type == RTM_DELROUTE && r->protocol == RTPROT_ZSTATIC;
		route_set_forget(&g->seen.foreign, same_key, r);
		if (nlh->nlmsg_type == RTM_NEWROUTE && g->seen.foreign.n < FOREIGN_MAX)
			route_set_add(&g->seen.foreign, r);
		if (nlh->nlmsg_type == RTM_DELROUTE || nlh->nlmsg_flags & NLM_F_REPLACE)
			route_set_forget(&g->seen.ours, same_prefix, r);
		gateway_mark(g, DIRTY_PASS | DIRTY_CHECK);
	} else if (rivals_concern(g->config, r)) {
		gateway_mark(g, DIRTY_CHECK | DIRTY_TABLES);
	} else if (r->dst.len == 0 || gateway_in_ranges(g->config, &r->dst) ||
		   in_networks(g->config, &r->dst)) {
		gateway_mark(g, DIRTY_CHECK);
	}
}

static void on_route(struct gateway *g, const struct nlmsghdr *nlh)
{
	struct route r;
	if (route_read(nlh, &r) < 0)
		return;
	if (r.protocol == MARK_RTPROT && r.table == MARK_RT_TABLE)
		on_our_route(g, nlh, &r);
	else
		on_foreign_route(g, nlh, &r);
}

static void on_rule(struct gateway *g, const struct nlmsghdr *)
{
	gateway_mark(g, DIRTY_CHECK | DIRTY_TABLES);
}

static void on_netconf(struct gateway *g, const struct nlmsghdr *nlh)
{
	struct netconf nc;
	if (netconf_read(nlh, &nc) < 0)
		return;
	if (nc.ifindex < 0 || is_our_interface(g, known_name(g, nc.ifindex)))
		gateway_mark(g, DIRTY_PASS | DIRTY_LINKS);
}

static const struct {
	uint16_t type;
	void (*handle)(struct gateway *g, const struct nlmsghdr *nlh);
} handlers[] = {
	{RTM_NEWLINK, on_link},
	{RTM_DELLINK, on_link},
	{RTM_NEWADDR, on_address},
	{RTM_DELADDR, on_address},
	{RTM_NEWROUTE, on_route},
	{RTM_DELROUTE, on_route},
	{RTM_NEWRULE, on_rule},
	{RTM_DELRULE, on_rule},
	{RTM_NEWNETCONF, on_netconf},
	{RTM_DELNETCONF, on_netconf},
};

void gateway_doubt(struct gateway *g)
{
	gateway_mark(g, DIRTY_ALL);
	g->stirred = true;
}

bool gateway_was_stirred(struct gateway *g)
{
	bool was = g->stirred;
	g->stirred = false;
	return was;
}

void gateway_event(struct gateway *g, enum watch_kind kind, const struct nlmsghdr *nlh)
{
	g->filter_events += kind == WATCH_NFT_GEN || kind == WATCH_LOST;
	if (kind == WATCH_LOST) {
		g->lost++;
		gateway_doubt(g);
		return;
	}
	if (!g->config)
		return;
	if (kind == WATCH_NFT_GEN || kind == WATCH_NFT) {
		/* Nobody else can change a table that we own. */
		if (!g->kernel->nft_owned)
			gateway_mark(g, DIRTY_PASS | DIRTY_NFT);
		if (kind == WATCH_NFT && nft_foreign_concerns(nlh))
			gateway_mark(g, DIRTY_PASS | DIRTY_INPUT);
		return;
	}
	unsigned before = g->dirty;
	g->dirty = 0;
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].type == nlh->nlmsg_type)
			handlers[i].handle(g, nlh);
	g->stirred |= g->dirty != 0;
	g->dirty |= before;
}
