/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fib.h"
#include "net/nl.h"
#include <assert.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* ---- rules ---- */

static bool covers(const struct prefix *p, const struct addr *a)
{
	return p->len == 0 || prefix_contains_addr(p, a);
}

static bool ports_meet(const struct rule_ports *p, uint16_t port)
{
	return (p->first == 0 && p->last == 0) || (port >= p->first && port <= p->last);
}

/* What this host sends enters by "lo" (include/net/flow.h, flowi_iif). */
static bool interface_meets(const char *wanted, const char *name, const char *if_none)
{
	return wanted[0] == '\0' || strcmp(wanted, name[0] ? name : if_none) == 0;
}

/* fib_rule_match(), fib4_rule_match(), fib6_rule_match(). */
static bool rule_selects(const struct rule *r, const struct fib_flow *f)
{
	if (!interface_meets(r->iif, f->iif_name, "lo") ||
		!interface_meets(r->oif, f->oif_name, ""))
		return false;
	if ((r->fwmark ^ f->mark) & r->fwmask)
		return false;
	if (r->l3mdev && f->vrf_table == 0)
		return false;
	if (r->users && (f->uid < r->uid_first || f->uid > r->uid_last))
		return false;
	if (!covers(&r->from, &f->from) || !covers(&r->to, &f->to))
		return false;
	return (r->proto == 0 || r->proto == f->proto) && ports_meet(&r->sport, f->sport) &&
	       ports_meet(&r->dport, f->dport);
}

static bool rule_matches(const struct rule *r, const struct fib_flow *f)
{
	return rule_selects(r, f) != r->invert;
}

/* Where a matching goto leads: the first rule of that priority behind it; unresolved, the next. */
static size_t rule_target(const struct rule_set *rules, size_t from)
{
	for (size_t i = from + 1; i < rules->n; i++)
		if (rules->list[i].priority == rules->list[from].target)
			return i;
	return from + 1;
}

/* ---- tables ---- */

static bool is_about(const struct route *r, const struct fib_flow *f, uint32_t table)
{
	return r->table == table && r->dst.addr.family == f->to.family && covers(&r->dst, &f->to) &&
	       covers(&r->src, &f->from);
}

/* RTNH_F_DEAD is also told of a link without carrier where such links do not count
 * (ignore_routes_with_linkdown). */
static bool is_alive(const struct route *r)
{
	return r->tos == 0 && !(r->nexthop_flags & RTNH_F_DEAD);
}

static int type_error(uint8_t type)
{
	static const int errors[RTN_MAX + 1] = {
		[RTN_BLACKHOLE] = EINVAL,
		[RTN_UNREACHABLE] = EHOSTUNREACH,
		[RTN_PROHIBIT] = EACCES,
		[RTN_THROW] = EAGAIN,
	};
	return type <= RTN_MAX ? errors[type] : EINVAL;
}

/* fib_table_lookup(): an entry that refuses, or lets the next rule decide, ends it whatever the
 * interface; one that leads by another interface does not. */
static bool usable4(const struct route *r, const struct fib_flow *f)
{
	return type_error(r->type) || f->oif == 0 || r->oif == 0 || r->oif == f->oif;
}

static const struct route *table_lookup4(
	const struct fib *fib, const struct fib_flow *f, uint32_t table)
{
	const struct route *best = nullptr;
	for (size_t i = 0; i < fib->routes.n; i++) {
		const struct route *r = &fib->routes.list[i];
		/* Those of one prefix stand in the order of their metrics. */
		if (is_about(r, f, table) && is_alive(r) && usable4(r, f) &&
			(!best || r->dst.len > best->dst.len))
			best = r;
	}
	return best;
}

/* rt6_score_route(): a route by the interface that is asked for, which for a packet that entered
 * is the one it came by, wins over others of the same prefix and metric; then what a router
 * advertisement prefers. -1 = not at all. */
static int score6(const struct route *r, const struct fib_flow *f)
{
	static const int by_pref[] = {2, 3, 0, 1}; /* medium, high, reserved, low */
	int wanted = f->iif ? f->iif : f->oif;
	bool meets = wanted == 0 || r->oif == wanted;
	/* ip6_route_output_flags(): strict when the source is still to be chosen. */
	if (!meets && f->iif == 0 && f->from.family == AF_UNSPEC)
		return -1;
	return (meets ? 2 : 0) | by_pref[r->pref & 3] << 2;
}

/* A node of the tree is one destination with one source; deeper ones are asked first. */
static int depth6(const struct route *r)
{
	return r->dst.len * 256 + r->src.len;
}

/* find_rr_leaf(): of one node's routes those of the first metric are weighed against each other;
 * if none of them will do, all others together. */
static const struct route *node_lookup6(
	const struct fib *fib, const struct fib_flow *f, uint32_t table, int depth)
{
	const struct route *first = nullptr, *best[2] = {};
	int score[2] = {-1, -1};

	for (size_t i = 0; i < fib->routes.n; i++) {
		const struct route *r = &fib->routes.list[i];
		if (!is_about(r, f, table) || depth6(r) != depth)
			continue;
		if (!first)
			first = r;
		int s = is_alive(r) ? score6(r, f) : -1;
		int group = r->metric != first->metric;
		if (s > score[group]) {
			score[group] = s;
			best[group] = r;
		}
	}
	return best[0] ? best[0] : best[1];
}

/* The deepest node above `below`, -1 = none. */
static int next_depth6(const struct fib *fib, const struct fib_flow *f, uint32_t table, int below)
{
	int depth = -1;
	for (size_t i = 0; i < fib->routes.n; i++) {
		const struct route *r = &fib->routes.list[i];
		if (depth6(r) < below && depth6(r) > depth && is_about(r, f, table))
			depth = depth6(r);
	}
	return depth;
}

static const struct route *table_lookup6(
	const struct fib *fib, const struct fib_flow *f, uint32_t table)
{
	const struct route *found = nullptr;
	int depth = INT32_MAX;

	while (!found && (depth = next_depth6(fib, f, table, depth)) >= 0)
		found = node_lookup6(fib, f, table, depth);
	return found;
}

/* ---- the decision ---- */

/* What a rule says about the flow: an errno; 0 with an entry; or EAGAIN, "ask the next rule". */
static int rule_decide(const struct fib *fib, const struct rule *r, const struct fib_flow *f,
	const struct route **entry)
{
	static const int errors[] = {
		[FR_ACT_BLACKHOLE] = EINVAL,
		[FR_ACT_UNREACHABLE] = ENETUNREACH,
		[FR_ACT_PROHIBIT] = EACCES,
		[FR_ACT_NOP] = EAGAIN,
	};
	if (r->action != FR_ACT_TO_TBL) {
		bool known = r->action < sizeof(errors) / sizeof(errors[0]) && errors[r->action];
		return known ? errors[r->action] : EINVAL;
	}
	uint32_t table = r->l3mdev ? f->vrf_table : r->table;
	const struct route *found = f->to.family == AF_INET ? table_lookup4(fib, f, table)
							    : table_lookup6(fib, f, table);
	if (!found)
		return EAGAIN;
	int error = type_error(found->type);
	if (error == EAGAIN || (error == 0 && found->dst.len <= r->suppress))
		return EAGAIN;
	*entry = found;
	return error;
}

void fib_lookup(const struct fib *fib, const struct fib_flow *f, struct fib_result *out)
{
	assert(addr_bits(f->to.family));
	*out = (struct fib_result){.error = ENETUNREACH};

	for (size_t i = 0, next; i < fib->rules.n; i = next) {
		const struct rule *r = &fib->rules.list[i];
		next = i + 1;
		if (r->unmodelled) {
			out->unsure |= r->invert || rule_selects(r, f);
			continue;
		}
		if (!rule_matches(r, f))
			continue;
		if (r->action == FR_ACT_GOTO) {
			next = rule_target(&fib->rules, i);
			continue;
		}
		int error = rule_decide(fib, r, f, &out->entry);
		if (error == EAGAIN)
			continue;
		out->error = error;
		out->rule = r;
		return;
	}
}

const struct route *fib_hidden(
	const struct fib *fib, const struct fib_flow *f, const struct fib_result *result, int oif)
{
	for (size_t i = 0; i < fib->routes.n; i++) {
		const struct route *r = &fib->routes.list[i];
		if (r != result->entry && r->type == RTN_UNICAST && r->oif == oif &&
			is_about(r, f, RT_TABLE_MAIN))
			return r;
	}
	return nullptr;
}

/* ---- reading ---- */

struct about {
	const struct addr *list;
	size_t n;
};

static bool concerns(const struct route *r, void *arg)
{
	const struct about *about = arg;
	for (size_t i = 0; i < about->n; i++)
		if (covers(&r->dst, &about->list[i]))
			return true;
	return false;
}

int fib_read(struct nl_sock *s, const struct addr *list, size_t n, struct fib *out, struct err *err)
{
	assert(n > 0 && addr_bits(list[0].family));
	struct fib next = {};
	struct about about = {list, n};
	struct route_filter filter = {.family = list[0].family, .unsorted = true};

	int r = rule_dump(s, filter.family, &next.rules, err);
	if (r == 0)
		r = route_dump(s, &filter, concerns, &about, &next.routes, err);
	if (r < 0) {
		fib_clear(&next);
		return r;
	}
	fib_clear(out);
	*out = next;
	return 0;
}

void fib_clear(struct fib *fib)
{
	rule_set_clear(&fib->rules);
	route_set_clear(&fib->routes);
}
