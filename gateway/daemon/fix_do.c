/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fix_do.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/ct.h"
#include "net/link.h"
#include "net/nl.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fix_tools {
	struct nl_sock *route, *netfilter;
};

int fix_tools_open(struct fix_tools **out, struct err *err)
{
	struct fix_tools *t = xcalloc(1, sizeof(*t));
	int r = nl_open(NETLINK_ROUTE, &t->route, err);

	if (r >= 0)
		r = nl_open(NETLINK_NETFILTER, &t->netfilter, err);
	if (r < 0) {
		fix_tools_close(t);
		return r;
	}
	*out = t;
	return 0;
}

void fix_tools_close(struct fix_tools *t)
{
	if (!t)
		return;
	nl_close(t->route);
	nl_close(t->netfilter);
	free(t);
}

/* ---- looking: 1 = it is to be done, 0 = it is done already ---- */

static int check_sysctl(struct fix_tools *, struct fix_step *step, struct err *err)
{
	struct fix_sysctl *s = &step->sysctl;
	int r = sysctl_get(s->key, &s->from);

	if (r < 0)
		return err_set(err, -r, "sysctl %s: %s", s->key, strerror(-r));
	return s->at_least ? s->from < s->to : s->from != s->to;
}

struct wanted {
	const struct fix_route *route;
	int oif;
	uint8_t type;
};

static bool is_wanted(const struct route *r, void *arg)
{
	const struct wanted *w = arg;
	const struct route *want = &w->route->route;

	return !prefix_cmp(&r->dst, &want->dst) && r->table == want->table &&
	       r->metric == want->metric && r->protocol == want->protocol && r->type == w->type &&
	       (w->type != RTN_UNICAST || !w->oif || r->oif == w->oif);
}

static uint8_t type_of(const char *name)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {{"unreachable", RTN_UNREACHABLE}, {"blackhole", RTN_BLACKHOLE},
		{"prohibit", RTN_PROHIBIT}, {"throw", RTN_THROW}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, name))
			return types[i].type;
	return RTN_UNICAST;
}

static int check_route(struct fix_tools *t, struct fix_step *step, struct err *err)
{
	struct link_set links = {};
	struct route_set found = {};
	struct fix_route *f = &step->route;
	struct wanted w = {.route = f, .type = type_of(f->type)};
	struct route_filter filter = {.family = f->route.dst.addr.family,
		.table = f->route.table,
		.protocol = f->route.protocol};

	int r = link_dump(t->route, &links, err);
	const struct link *link = r < 0 ? nullptr : link_by_name(&links, f->interface);
	w.oif = link ? link->ifindex : 0;
	link_set_clear(&links);
	if (r >= 0)
		r = route_dump(t->route, &filter, is_wanted, &w, &found, err);
	if (r >= 0 && found.n)
		f->route = found.list[0];
	size_t n = found.n;
	route_set_clear(&found);
	return r < 0 ? r : n > 0;
}

static int check_rule_add(struct fix_tools *t, struct fix_step *step, struct err *err)
{
	struct rule_set rules = {};
	char want[RULE_STRLEN], text[RULE_STRLEN];
	int r = rule_dump(t->route, step->rule.family, &rules, err);
	bool there = false;

	rule_str(&step->rule, want, sizeof(want));
	for (size_t i = 0; r >= 0 && i < rules.n; i++)
		there |= !strcmp(rule_str(&rules.list[i], text, sizeof(text)), want);
	rule_set_clear(&rules);
	return r < 0 ? r : !there;
}

static int check_rule_del(struct fix_tools *t, struct fix_step *step, struct err *err)
{
	struct rule_set rules = {};
	char text[RULE_STRLEN];
	int r = rule_dump(t->route, step->rule.family, &rules, err);
	bool there = false;

	for (size_t i = 0; r >= 0 && !there && i < rules.n; i++) {
		rule_str(&rules.list[i], text, sizeof(text));
		there = !strncmp(text, step->rule_text, FACT_TEXT_LEN - 1);
		if (there)
			step->rule = rules.list[i];
	}
	rule_set_clear(&rules);
	return r < 0 ? r : there;
}

static int accept_rule(
	struct fix_tools *t, const struct fix_step *step, bool check, struct err *err)
{
	const struct fix_accept *a = &step->accept;
	struct nft_mend_place place = {.family = a->family,
		.table = a->table,
		.chain = a->chain,
		.handle = a->handle,
		.text = a->text[0] ? a->text : nullptr};
	return nft_mend_accept(t->netfilter, &place, &a->accept, 1, check, err);
}

static int check_accept(struct fix_tools *t, struct fix_step *step, struct err *err)
{
	int r = accept_rule(t, step, true, err);
	return r < 0 ? r : !r;
}

static int check_nat_table(struct fix_tools *t, struct fix_step *step, struct err *err)
{
	return nft_mend_has_nat(t->netfilter, step->nat, err);
}

static int check_always(struct fix_tools *, struct fix_step *, struct err *)
{
	return 1;
}

/* ---- doing ---- */

static int do_sysctl(struct fix_tools *, const struct fix_step *step, struct err *err)
{
	const struct fix_sysctl *s = &step->sysctl;
	int now = -1, r = sysctl_set(s->key, s->to);

	if (r >= 0)
		r = sysctl_get(s->key, &now);
	if (r < 0)
		return err_set(err, -r, "sysctl %s: %s", s->key, strerror(-r));
	return now == s->to ? 0
			    : err_set(err, EIO, "sysctl %s reads %d after it was set to %d", s->key,
				      now, s->to);
}

static int do_route(struct fix_tools *t, const struct fix_step *step, struct err *err)
{
	struct fix_step again = *step;
	int r = route_del_foreign(t->route, &step->route.route, err);

	if (r < 0)
		return r;
	r = check_route(t, &again, err);
	return r > 0 ? err_set(err, EEXIST, "the route is there again: somebody keeps it") : r;
}

static int do_rule_add(struct fix_tools *t, const struct fix_step *step, struct err *err)
{
	return rule_add(t->route, &step->rule, err);
}

static int do_rule_del(struct fix_tools *t, const struct fix_step *step, struct err *err)
{
	return rule_del(t->route, &step->rule, err);
}

static int do_conntrack(struct fix_tools *t, const struct fix_step *step, struct err *err)
{
	struct ct_scope scope = {
		.ranges = &step->from, .n_ranges = 1, .networks = &step->to, .n_networks = 1};
	int r = ct_delete(t->netfilter, &scope, CT_UNREPLIED, err);
	return r < 0 ? r : 0;
}

static int do_accept(struct fix_tools *t, const struct fix_step *step, struct err *err)
{
	int r = accept_rule(t, step, false, err);
	return r < 0 ? r : 0;
}

static int do_nat_table(struct fix_tools *t, const struct fix_step *step, struct err *err)
{
	return nft_mend_delete_nat(t->netfilter, step->nat, err);
}

static int do_nothing(struct fix_tools *, const struct fix_step *, struct err *)
{
	return 0;
}

static const struct {
	int (*check)(struct fix_tools *t, struct fix_step *step, struct err *err);
	int (*act)(struct fix_tools *t, const struct fix_step *step, struct err *err);
} doers[FIX_KINDS] = {
	[FIX_SYSCTL] = {check_sysctl, do_sysctl},
	[FIX_ROUTE] = {check_route, do_route},
	[FIX_RULE_ADD] = {check_rule_add, do_rule_add},
	[FIX_RULE_DEL] = {check_rule_del, do_rule_del},
	[FIX_CONNTRACK] = {check_always, do_conntrack},
	[FIX_ACCEPT] = {check_accept, do_accept},
	[FIX_NAT_TABLE] = {check_nat_table, do_nat_table},
	[FIX_APPLY] = {check_always, do_nothing},
};

int fix_check(struct fix_tools *t, struct fix *f, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		int r = doers[f->list[i].kind].check(t, &f->list[i], err);
		if (r < 0)
			return r;
		if (r > 0)
			f->list[n++] = f->list[i];
	}
	f->n = n;
	return 0;
}

int fix_do(struct fix_tools *t, const struct fix *f, struct err *err)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fix_step *step = &f->list[i];
		char name[FIX_TEXT_LEN], detail[FIX_TEXT_LEN];
		int r = doers[step->kind].act(t, step, err);
		if (r < 0)
			return i ? err_ctx(err, "%zu of %zu steps are done", i, f->n) : r;
		log_info("fix", "%s: %s %s", fix_action_str(step->kind), fix_name(step, name),
			fix_detail(step, detail));
	}
	return 0;
}

/* ---- leftovers ---- */

static bool is_by_hand(const struct route *r, void *arg)
{
	const struct config *config = arg;

	if (r->type != RTN_UNICAST || r->gateway.family != AF_UNSPEC ||
		(r->protocol != RTPROT_BOOT && r->protocol != RTPROT_STATIC))
		return false;
	for (size_t i = 0; i < config->n_ranges; i++)
		if (!prefix_cmp(&config->ranges[i].prefix, &r->dst))
			return true;
	return false;
}

static bool is_ours(const struct route *r, void *arg)
{
	return r->type == RTN_UNICAST && !prefix_cmp(&r->dst, arg);
}

/* Ours must be there already: nothing is taken away that a flow still needs. */
static int has_ours(struct fix_tools *t, const struct route *beside, int oif, struct err *err)
{
	struct route_filter filter = {.family = beside->dst.addr.family,
		.table = MARK_RT_TABLE,
		.protocol = MARK_RTPROT,
		.oif = oif};
	struct prefix dst = beside->dst;
	struct route_set found = {};
	int r = route_dump(t->route, &filter, is_ours, &dst, &found, err);
	size_t n = found.n;

	route_set_clear(&found);
	return r < 0 ? r : n > 0;
}

static int find_routes(struct fix_tools *t, const struct config *config, const struct link *mesh,
	uint8_t family, struct fix *out, struct err *err)
{
	struct config copy = *config; /* for a filter that takes no const */
	struct route_filter filter = {
		.family = family, .table = MARK_RT_TABLE, .oif = mesh->ifindex};
	struct route_set found = {};
	int r = route_dump(t->route, &filter, is_by_hand, &copy, &found, err);

	for (size_t i = 0; r >= 0 && i < found.n; i++) {
		r = has_ours(t, &found.list[i], mesh->ifindex, err);
		if (r <= 0)
			continue;
		struct fix_route *f = &fix_add(out, FIX_ROUTE)->route;
		f->route = found.list[i];
		snprintf(f->type, sizeof(f->type), "unicast");
		snprintf(f->interface, sizeof(f->interface), "%s", mesh->name);
	}
	route_set_clear(&found);
	return r < 0 ? r : 0;
}

/* Nothing but the tunnel and the LANs could be what a masquerade is for. */
static bool is_alone(const struct config *config, const struct link_set *links)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct link *l = &links->list[i];
		bool known = l->flags & IFF_LOOPBACK || !strcmp(l->name, config->mesh_interface);
		for (size_t j = 0; j < config->n_lans; j++)
			known |= !strcmp(l->name, config->lans[j].interface);
		if (!known)
			return false;
	}
	return true;
}

static int find_nat(struct fix_tools *t, const struct config *config, const struct link_set *links,
	struct fix *out, struct err *err)
{
	autofree struct prefix *ranges = xcalloc(config->n_ranges, sizeof(*ranges));
	struct nft_mend_nat nat = {.mesh = config->mesh_interface,
		.ranges = ranges,
		.n_ranges = config->n_ranges,
		.alone = is_alone(config, links)};
	char text[NFT_NAT_STRLEN];
	int r = 0;

	for (size_t i = 0; i < config->n_ranges; i++)
		ranges[i] = config->ranges[i].prefix;
	for (size_t i = 0; r == 0 && i < config->n_lans; i++) {
		nat.lan = config->lans[i].interface;
		r = nft_mend_find_nat(t->netfilter, &nat, text, err);
	}
	if (r > 0)
		memcpy(fix_add(out, FIX_NAT_TABLE)->nat, text, sizeof(text));
	return r < 0 ? r : 0;
}

int fix_find_leftovers(
	struct fix_tools *t, const struct config *config, struct fix *out, struct err *err)
{
	struct link_set links = {};

	*out = (struct fix){};
	int r = link_dump(t->route, &links, err);
	if (r >= 0)
		r = find_nat(t, config, &links, out, err);
	const struct link *mesh = r < 0 ? nullptr : link_by_name(&links, config->mesh_interface);
	if (mesh)
		r = find_routes(t, config, mesh, AF_INET, out, err);
	if (mesh && r >= 0)
		r = find_routes(t, config, mesh, AF_INET6, out, err);
	link_set_clear(&links);
	return r < 0 ? r : 0;
}
