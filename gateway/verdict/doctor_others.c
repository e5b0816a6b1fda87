/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs, FRRouting, and the machine itself. */
#include "verdict/doctor_check.h"
#include <stdio.h>
#include <string.h>

/* 2025-01-01: nothing of this was built before. */
constexpr uint64_t BUILT_US = 1'735'689'600'000'000;

static bool is_other(const struct fact_chain *c)
{
	return !c->legacy && strcmp(c->by, "meshgw") != 0 && strcmp(c->table, "meshgw") != 0;
}

static bool rules_known(const struct view *v, struct doctor_said *s)
{
	if (!v->missing[OBSERVER_RULESET])
		return true;
	doctor_say(s, DOCTOR_SKIP, CODES, "the rules could not be read: %s",
		v->missing[OBSERVER_RULESET]->missing.why);
	return false;
}

/* Its output chain accepts what the device profile excludes; BGP and probes of this host need it.
 */
void doctor_warp_filter(const struct view *v, struct doctor_said *s)
{
	size_t at = 0;
	bool there = false;

	if (!rules_known(v, s))
		return;
	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));) {
		if (strcmp(c->chain.by, "warp") != 0)
			continue;
		there = true;
		if (strcmp(c->chain.hook, "forward") != 0 || strcmp(c->chain.policy, "drop") != 0)
			continue;
		doctor_say(s, DOCTOR_WARN, CODE_FILTER_DROP_FORWARD,
			"chain %s %s drops what no rule accepts", c->chain.table, c->chain.chain);
		doctor_set(s, "by", "warp");
		doctor_set(s, "table", "%s", c->chain.table);
		doctor_set(s, "chain", "%s", c->chain.chain);
	}
	doctor_say(s, DOCTOR_PASS, CODES, "%s",
		there ? "it is there, and does not stop what is forwarded" : "there is none");
}

void doctor_filters(const struct view *v, struct doctor_said *s)
{
	size_t at = 0;

	if (!rules_known(v, s))
		return;
	for (const struct fact *f; (f = view_next(v, FACT_CHAIN, &at));) {
		const struct fact_chain *c = &f->chain;
		if (!is_other(c) || strcmp(c->hook, "forward") != 0 ||
			strcmp(c->policy, "drop") != 0 || !strcmp(c->by, "warp"))
			continue;
		doctor_say(s, DOCTOR_WARN, CODE_FILTER_DROP_FORWARD,
			"chain %s %s %s%s%s drops what no rule of it accepts", c->family, c->table,
			c->chain, c->by[0] ? " of " : "", c->by);
		doctor_set(s, "by", "%s", c->by);
		doctor_set(s, "family", "%s", c->family);
		doctor_set(s, "table", "%s", c->table);
		doctor_set(s, "chain", "%s", c->chain);
	}
	doctor_say(s, DOCTOR_PASS, CODES, "none drops by policy what is forwarded");
}

void doctor_legacy(const struct view *v, struct doctor_said *s)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));)
		if (c->chain.legacy) {
			doctor_say(s, DOCTOR_WARN, CODES,
				"table %s of iptables-legacy is loaded; nft does not show its rules",
				c->chain.table);
			doctor_remedy(
				s, "Look at iptables-legacy-save; move its rules to nftables");
		}
	if (rules_known(v, s))
		doctor_say(s, DOCTOR_PASS, CODES, "no table is loaded");
}

void doctor_nat(const struct view *v, struct doctor_said *s)
{
	size_t at = 0;

	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));) {
		if (!c->chain.nat_source || !is_other(&c->chain))
			continue;
		doctor_say(s, DOCTOR_WARN, CODE_NAT_UNEXPECTED_OWNER,
			"chain %s %s %s%s%s may translate flows of the mesh", c->chain.family,
			c->chain.table, c->chain.chain, c->chain.by[0] ? " of " : "", c->chain.by);
		doctor_set(s, "by", "%s", c->chain.by);
		doctor_set(s, "table", "%s", c->chain.table);
		doctor_set(s, "chain", "%s", c->chain.chain);
	}
	if (rules_known(v, s))
		doctor_say(s, DOCTOR_PASS, CODES, "nobody else translates flows of the mesh");
}

/* Guides and field reports make a table `inet nat`, plain routes, and lines in frr.conf. */
static bool is_by_hand(const struct view *v, const struct fact_lookup *l)
{
	/* Workers' by default; to others of the ranges Cloudflare's client has routes of its own,
	 * and to all that it captures in a table of its own. */
	static const struct prefix workers[] = {
		{{AF_INET, {100, 64}}, 12},
		{{AF_INET6, {0x26, 0x06, 0x47, 0x00, 0x0c, 0xf1, 0x50}}, 64},
	};
	if (!prefix_overlaps(&workers[0], &l->match) && !prefix_overlaps(&workers[1], &l->match))
		return false;
	return l->question == ASK_REVERSE_BARE && !l->mark && l->entry && !l->error &&
	       l->table == TABLE_MAIN && !strcmp(l->oif, v->mesh) &&
	       (!strcmp(l->protocol_name, "boot") || !strcmp(l->protocol_name, "static"));
}

void doctor_leftovers(const struct view *v, struct doctor_said *s)
{
	static const char remedy[] = "meshgw fix leftovers shows what it would remove, and asks";
	char prefix[PREFIX_STRLEN];
	size_t at = 0;

	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));)
		if (c->chain.nat_source && !strcmp(c->chain.family, "inet") &&
			!strcmp(c->chain.table, "nat")) {
			doctor_say(s, DOCTOR_WARN, CODES,
				"table inet nat may be an older repair of the way back, or "
				"somebody's own");
			doctor_remedy(s, "meshgw fix leftovers shows whether it is one, and asks");
		}
	at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_LOOKUP, &at));)
		if (is_by_hand(v, &l->lookup)) {
			doctor_say(s, DOCTOR_WARN, CODES, "the route to %s was added by hand",
				prefix_str(&l->lookup.match, prefix));
			doctor_remedy(s, remedy);
		}
	if (rules_known(v, s))
		doctor_say(s, DOCTOR_PASS, CODES, "none was recognised");
}

/* ---- BGP ---- */

static bool bgp_told(const struct view *v, struct doctor_said *s)
{
	if (v->bgp && v->bgp->bgp.configured)
		return true;
	doctor_say(s, DOCTOR_SKIP, CODES, "%s",
		v->bgp ? "the configuration has no bgp:" : "FRRouting was not asked");
	return false;
}

void doctor_bgp(const struct view *v, struct doctor_said *s)
{
	if (!bgp_told(v, s))
		return;
	if (v->bgp->bgp.daemon)
		doctor_say(s, DOCTOR_PASS, CODES, "it answers");
	else
		doctor_say(s, DOCTOR_FAIL, CODE_BGP_DAEMON_DOWN, "%s",
			v->bgp->bgp.text[0] ? v->bgp->bgp.text : "it does not answer");
}

void doctor_bgp_neighbours(const struct view *v, struct doctor_said *s)
{
	char peer[ADDR_STRLEN];
	size_t at = 0, n = 0;

	if (!bgp_told(v, s))
		return;
	for (const struct fact *f; (f = view_next(v, FACT_BGP_NEIGHBOUR, &at));) {
		const struct fact_bgp_neighbour *b = &f->bgp_neighbour;
		n++;
		if (!strcmp(b->state, "Established"))
			continue;
		enum code code = b->fresh ? code_parse(b->reason) : CODES;
		doctor_say(s, DOCTOR_FAIL, code == CODES ? CODE_BGP_SESSION_DOWN : code,
			"%s is %s%s%s", addr_str(&b->address, peer),
			b->state[0] ? b->state : "not known to FRRouting", b->text[0] ? ": " : "",
			b->text);
		doctor_set(s, "peer", "%s", peer);
		doctor_set(s, "state", "%s", b->state);
	}
	if (n)
		doctor_say(s, DOCTOR_PASS, CODES, "all sessions are established");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "no neighbour was told of");
}

static void check_prefix(const struct fact_bgp_prefix *p, struct doctor_said *s)
{
	char prefix[PREFIX_STRLEN], peer[ADDR_STRLEN];
	enum code code = !p->originated                ? CODE_BGP_PREFIX_NOT_ORIGINATED
			 : !p->export_policy           ? CODE_BGP_NO_EXPORT_POLICY
			 : p->advertised || p->pending ? CODES
						       : CODE_BGP_PREFIX_FILTERED_LOCALLY;
	if (code == CODES)
		return;
	doctor_say(s, DOCTOR_FAIL, code, "%s is not announced to %s",
		prefix_str(&p->prefix, prefix), addr_str(&p->neighbour, peer));
	doctor_set(s, "prefix", "%s", prefix);
	doctor_set(s, "peer", "%s", peer);
}

void doctor_bgp_prefixes(const struct view *v, struct doctor_said *s)
{
	size_t at = 0, n = 0;

	if (!bgp_told(v, s))
		return;
	for (const struct fact *f; (f = view_next(v, FACT_BGP_PREFIX, &at)); n++)
		check_prefix(&f->bgp_prefix, s);
	if (n)
		doctor_say(s, DOCTOR_PASS, CODES, "each range is announced");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "nothing was told of");
}

/* ---- the machine ---- */

void doctor_conntrack(const struct view *v, struct doctor_said *s)
{
	const struct fact *count = view_counter(v, "nf_conntrack_count");
	const struct fact *max = view_counter(v, "nf_conntrack_max");

	if (!count || !max || max->counter.value <= 0) {
		doctor_say(s, DOCTOR_SKIP, CODES, "connection tracking is not used here");
		return;
	}
	int64_t percent = count->counter.value * 100 / max->counter.value;
	enum doctor_outcome outcome = percent >= 98   ? DOCTOR_FAIL
				      : percent >= 80 ? DOCTOR_WARN
						      : DOCTOR_PASS;
	doctor_say(s, outcome, outcome == DOCTOR_PASS ? CODES : CODE_CONNTRACK_TABLE_FULL,
		"%lld of %lld connections are tracked", (long long)count->counter.value,
		(long long)max->counter.value);
	doctor_set(s, "count", "%lld", (long long)count->counter.value);
	doctor_set(s, "max", "%lld", (long long)max->counter.value);
}

void doctor_clock(const struct view *v, struct doctor_said *s)
{
	if (!v->e->at_us)
		doctor_say(s, DOCTOR_SKIP, CODES, "the time was not told");
	else if (v->e->at_us < BUILT_US)
		doctor_say(s, DOCTOR_WARN, CODES, "it is wrong: certificates cannot be judged");
	else
		doctor_say(s, DOCTOR_PASS, CODES, "it can be right");
}

void doctor_platform(const struct view *v, struct doctor_said *s)
{
	if (!v->platform)
		doctor_say(s, DOCTOR_SKIP, CODES, "the machine does not tell");
	else if (!v->platform->platform.provider[0])
		doctor_say(s, DOCTOR_PASS, CODES, "none that is known to check sources");
	else {
		doctor_say(s, DOCTOR_WARN, CODE_PROVIDER_SOURCE_CHECK,
			"%s checks whose addresses a machine sends from, unless told otherwise",
			v->platform->platform.provider);
		doctor_set(s, "by", "%s", v->platform->platform.provider);
	}
}
