/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_outgoing.h"
#include "verdict/decide_filter.h"
#include "verdict/decide_nat.h"
#include <errno.h>
#include <string.h>

static bool asked(const struct view *v, enum fact_outcome outcome)
{
	return view_outcome(v, PROBE_OWN) == outcome;
}

bool outgoing_passed(const struct view *v, const struct finding *f)
{
	enum way until = f->until ? f->until : f->way;

	/* What was seen to end packets of this host ended some, whoever's they were. */
	if (f->stays || f->event)
		return false;
	if (asked(v, OUTCOME_ANSWERED))
		return until < WAY_TALK;
	return asked(v, OUTCOME_REFUSED) && until < WAY_SERVICE;
}

static void name_target(const struct view *v, struct finding *f)
{
	finding_set_addr(f, "target", &v->e->flow.target);
	finding_set_number(f, "port", v->e->flow.port);
}

static void cite_probes(const struct view *v, struct finding *f)
{
	static const enum fact_probe_name names[] = {
		PROBE_OWN, PROBE_OWN_OTHER, PROBE_OWN_ECHO, PROBE_OWN_HOP, PROBE_LINK};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		finding_cite(f, v->probes[names[i]]);
	finding_cite(f, v->lookups[ASK_FORWARD]);
}

/* ---- this host ---- */

/* The wall around the bridge: an upstream's name stands for an address where it may not go. */
static bool not_allowed(const struct view *v, struct finding *f)
{
	if (!v->config || v->config->config.allowed)
		return false;
	finding_cite(f, v->config);
	finding_set(f, "by", "meshgw");
	finding_set(f, "reason", "upstream_networks");
	name_target(v, f);
	/* Other users of this host are not walled in. */
	f->stays = true;
	return true;
}

static const struct {
	const char *hook;
	bool to_target;
	enum code code;
	enum way way;
} hooks[] = {
	{"output", true, CODE_FILTER_DROP_OUTPUT, WAY_FORWARD},
	{"postrouting", true, CODE_FILTER_DROP_POSTROUTING, WAY_POSTROUTING},
	{"egress", true, CODE_FILTER_DROP_POSTROUTING, WAY_EGRESS},
	{"ingress", false, CODE_FILTER_DROP_PREROUTING, WAY_BACK_RECEIVE},
	{"prerouting", false, CODE_FILTER_DROP_PREROUTING, WAY_BACK_PREROUTING},
	{"input", false, CODE_FILTER_DROP_INPUT, WAY_BACK_FORWARD},
};

static void classify(const struct fact_trace *t, struct finding *f)
{
	f->code = t->to_target ? CODE_FILTER_DROP_OUTPUT : CODE_FILTER_DROP_INPUT;
	f->way = t->to_target ? WAY_FORWARD : WAY_BACK_FORWARD;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (hooks[i].to_target == t->to_target && !strcmp(hooks[i].hook, t->hook)) {
			f->code = hooks[i].code;
			f->way = hooks[i].way;
		}
	if (t->fib)
		f->code = CODE_FILTER_FIB_DROP;
	else if (t->ct_invalid)
		f->code = CODE_FILTER_CT_INVALID_DROP;
	else if (!strcmp(t->by, "meshgw"))
		f->code = CODE_NOT_ALLOWED;
}

/* The rule that ended a packet of this host to the target, or an answer to one. */
static const struct fact *filtered(const struct view *v, bool to_target)
{
	size_t at = 0;

	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		if (t->trace.origin == ORIGIN_OWN && t->trace.to_target == to_target &&
			(strstr(t->trace.verdict, "drop") || !strcmp(t->trace.verdict, "reject")))
			return t;
	return nullptr;
}

static bool by_filter(const struct view *v, struct finding *f, bool to_target)
{
	const struct fact *trace = filtered(v, to_target);
	size_t at = 0;

	/* Something may come late, to a connection that has ended. */
	if (!trace || (!to_target && asked(v, OUTCOME_ANSWERED)))
		return false;
	classify(&trace->trace, f);
	finding_event(f, trace, ORIGIN_OWN);
	filter_blame(trace, f);
	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));)
		if (!strcmp(c->chain.table, trace->trace.table) &&
			!strcmp(c->chain.chain, trace->trace.chain))
			finding_cite(f, c);
	/* Of others on this host: what was asked itself came through. */
	if (asked(v, OUTCOME_ANSWERED)) {
		enum code code = f->code;
		FINDING_FAMILY(f, code, CODE_HEALTHY);
	}
	finding_cite(f, v->probes[PROBE_OWN]);
	return true;
}

static bool filtered_out(const struct view *v, struct finding *f)
{
	return by_filter(v, f, true);
}

static bool filtered_back(const struct view *v, struct finding *f)
{
	return by_filter(v, f, false);
}

/* Is there a chain that packets of this host meet on their way out? */
static bool has_chains(const struct view *v)
{
	size_t at = 0;

	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));)
		if (!strcmp(c->chain.hook, "output") || !strcmp(c->chain.hook, "postrouting") ||
			!strcmp(c->chain.hook, "egress"))
			return true;
	return v->missing[OBSERVER_RULESET];
}

/* It passed all filters that leave a trace. */
static bool left(const struct view *v)
{
	size_t at = 0;

	if (!has_chains(v))
		return true;
	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		if (t->trace.origin == ORIGIN_OWN && t->trace.to_target &&
			!strcmp(t->trace.verdict, "accept"))
			return true;
	return false;
}

/* The kernel gave the packet back, and no rule or route tells why. */
static bool kept(const struct view *v, struct finding *f)
{
	const struct fact *own = v->probes[PROBE_OWN], *lookup = v->lookups[ASK_FORWARD];

	if (!asked(v, OUTCOME_LOCAL) || (lookup && lookup->lookup.error) || filtered(v, true))
		return false;
	finding_cite(f, own);
	name_target(v, f);
	switch (own->probe.error) {
	case EPERM:
		FINDING_FAMILY(f, CODE_FILTER_DROP_OUTPUT, CODE_FILTER_DROP_POSTROUTING,
			CODE_FILTER_DROP_LEGACY_XTABLES, CODE_LSM_DROP);
		return true;
	case EHOSTUNREACH:
		FINDING_FAMILY(f, CODE_NEIGHBOUR_UNRESOLVED, CODE_ROUTE_UNREACHABLE,
			CODE_FILTER_DROP_OUTPUT, CODE_ROUTE_LINKDOWN);
		f->way = WAY_EGRESS;
		return true;
	case ENETUNREACH:
		FINDING_FAMILY(f, CODE_NO_ROUTE_TO_DESTINATION, CODE_LAN_INTERFACE_DOWN,
			CODE_LAN_INTERFACE_MISSING);
		return true;
	default:
		return false;
	}
}

static bool connections_full(const struct view *v, struct finding *f)
{
	const struct fact *dropped = view_grew(v, "nf_conntrack.drop");

	if (!dropped || nat_conntrack_full(v) != 1)
		return false;
	finding_cite(f, v->probes[PROBE_OWN]);
	nat_cite_conntrack(v, f);
	f->confidence = CONFIDENCE_LIKELY;
	return true;
}

/* ---- beyond ---- */

/* Does the host live? It has said something on another port, or to an echo. */
static const struct fact *alive(const struct view *v)
{
	static const enum fact_probe_name names[] = {PROBE_OWN_OTHER, PROBE_OWN_ECHO};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum fact_outcome got = view_outcome(v, names[i]);
		if (got == OUTCOME_ANSWERED || got == OUTCOME_REFUSED)
			return v->probes[names[i]];
	}
	return nullptr;
}

static bool is_near(const struct view *v)
{
	return v->neighbour && !addr_cmp(&v->neighbour->neighbour.address, &v->e->flow.target);
}

/* A router on the way may refuse in the target's name; of a neighbour nobody can. An ICMP error is
 * a filter's (decide_icmp.c), but of UDP. */
static bool closed(const struct view *v, struct finding *f)
{
	const struct fact *own = v->probes[PROBE_OWN];

	if (!asked(v, OUTCOME_REFUSED) || view_ends_here(v) || filtered(v, true) ||
		(v->tcp && own->probe.icmp_type >= 0))
		return false;
	f->code = v->udp ? CODE_SERVICE_UDP_PORT_CLOSED : CODE_SERVICE_PORT_CLOSED;
	finding_cite(f, own);
	finding_cite(f, is_near(v) ? v->neighbour : nullptr);
	name_target(v, f);
	f->confidence = is_near(v) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	/* A filter of this host refuses in the same way. */
	if (!left(v)) {
		enum code code = f->code;
		FINDING_FAMILY(f, code, CODE_FILTER_DROP_OUTPUT);
	}
	return true;
}

/* Where no trace shows that the packet left, a filter of this host may have it. */
static void doubt_filters(const struct view *v, struct finding *f)
{
	if (!left(v)) {
		finding_may_be(f, CODE_FILTER_DROP_OUTPUT);
		finding_may_be(f, CODE_FILTER_DROP_INPUT);
	}
	if (filter_legacy(v) || v->missing[OBSERVER_RULESET])
		finding_may_be(f, CODE_FILTER_DROP_LEGACY_XTABLES);
}

/* In strict mode an answer is dropped that comes by another interface than packets leave by. */
static const struct fact *answers_dropped(const struct view *v)
{
	const struct fact *grew = view_grew(v, "TcpExtIPReversePathFilter");

	return v->v6 ? nullptr : grew;
}

static bool silent(const struct view *v, struct finding *f)
{
	const struct fact *strict = answers_dropped(v);
	bool near = is_near(v);

	if (v->udp || !asked(v, OUTCOME_SILENT) || filtered(v, true) || filtered(v, false) ||
		view_ends_here(v))
		return false;
	cite_probes(v, f);
	finding_cite(f, v->neighbour);
	name_target(v, f);
	if (alive(v) || (near && !strcmp(v->neighbour->neighbour.state, "reachable"))) {
		f->at = AT_SERVICE;
		FINDING_FAMILY(f, CODE_SERVICE_SILENT_DROP, CODE_SERVICE_BACKLOG_FULL);
		if (!near)
			finding_may_be(f, CODE_UPSTREAM_SILENT);
	} else {
		FINDING_FAMILY(f, CODE_UPSTREAM_SILENT, CODE_SERVICE_SILENT_DROP,
			CODE_NEIGHBOUR_UNRESOLVED);
	}
	finding_cite(f, strict);
	if (strict)
		finding_may_be(f, CODE_RP_FILTER_STRICT);
	doubt_filters(v, f);
	return true;
}

static const struct rule list[] = {
	{CODE_NOT_ALLOWED, WAY_ROUTE, not_allowed},
	{CODE_NO_ROUTE_TO_DESTINATION, WAY_ROUTE, kept},
	{CODE_FILTER_DROP_OUTPUT, WAY_FORWARD, filtered_out},
	{CODE_CONNTRACK_TABLE_FULL, WAY_FORWARD, connections_full},
	{CODE_UPSTREAM_SILENT, WAY_LAN, silent},
	{CODE_SERVICE_PORT_CLOSED, WAY_SERVICE, closed},
	{CODE_FILTER_DROP_INPUT, WAY_BACK_FORWARD, filtered_back},
};
const struct rules rules_outgoing = {list, sizeof(list) / sizeof(list[0])};

/* ---- no cause ---- */

static bool has_talked(const struct view *v)
{
	size_t at = 0;

	for (const struct fact *l; (l = view_next(v, FACT_L7, &at));)
		if (l->l7.ask != L7_DNS && l->l7.outcome == L7_OK)
			return true;
	return v->e->flow.scheme == SCHEME_NONE;
}

void outgoing_decide(const struct view *v, struct finding *f)
{
	cite_probes(v, f);
	if (asked(v, OUTCOME_ANSWERED)) {
		f->code = CODE_HEALTHY;
		f->confidence = has_talked(v) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		if (!has_talked(v))
			finding_want(f, OBSERVER_L7);
		return;
	}
	f->code = v->e->passive ? CODE_NO_TRAFFIC_OBSERVED : CODE_INCONCLUSIVE;
	f->confidence = CONFIDENCE_INCONCLUSIVE;
	finding_may_be(f, CODE_UPSTREAM_SILENT);
	finding_may_be(f, CODE_SERVICE_SILENT_DROP);
	finding_may_be(f, CODE_SERVICE_PORT_CLOSED);
	finding_may_be(f, CODE_FILTER_DROP_OUTPUT);
	finding_may_be(f, CODE_NEIGHBOUR_UNRESOLVED);
}
