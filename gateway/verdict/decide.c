/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/decide_about.h"
#include "verdict/decide_call.h"
#include "verdict/decide_outgoing.h"
#include "verdict/decide_rule.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rules *const tables[] = {
	&rules_enter,
	&rules_tunnel,
	&rules_route,
	&rules_filter,
	&rules_nat,
	&rules_lan,
	&rules_icmp,
	&rules_beyond,
	&rules_service,
	&rules_return,
	&rules_size,
};

static const struct rules *const own_tables[] = {
	&rules_enter_own,
	&rules_route_own,
	&rules_outgoing,
	&rules_lan_own,
	&rules_icmp_own,
	&rules_service_own,
};

struct findings {
	struct finding *list;
	size_t n, cap;
};

static void ask(const struct view *v, const struct rule *rule, struct findings *out)
{
	struct finding f = {
		.code = rule->code, .way = rule->way, .at = ATS, .confidence = CONFIDENCE_CERTAIN};

	if (!rule->when(v, &f))
		return;
	XGROW(out->list, out->n, out->cap);
	out->list[out->n++] = f;
}

/* Where such a packet ended it had come to. */
static enum way came_to(const struct view *v, const struct findings *all, enum fact_origin origin)
{
	enum way way = v->reach[origin].begun;
	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->list[i];
		if (f->event && f->origin == origin && !f->n_candidates && f->way > way &&
			f->way < WAY_TALK)
			way = f->way;
	}
	return way;
}

/* Packets of this origin went on behind the place. What a socket of this host sent had not come in
 * by the tunnel; and an answer to callers may be one of long ago. */
static bool went_on(
	const struct view *v, const struct findings *all, enum fact_origin origin, enum way until)
{
	if (origin == ORIGIN_INJECTED && v->by_socket && until < WAY_POSTROUTING)
		return false;
	if (came_to(v, all, origin) > until)
		return origin == ORIGIN_INJECTED || until >= WAY_SERVICE ||
		       v->reach[origin].there > until || view_completed(v, origin);
	return v->reach[origin].any > until && (origin == ORIGIN_INJECTED || until >= WAY_SERVICE);
}

/* The largest packet that was dropped; nullptr: no drop was seen. */
static const struct fact_drop *largest_drop(const struct finding *f)
{
	const struct fact_drop *largest = nullptr;
	for (size_t i = 0; i < f->n_cited; i++) {
		const struct fact *d = f->cited[i];
		if (d->kind == FACT_DROP && (!largest || d->drop.length > largest->length))
			largest = &d->drop;
	}
	return largest;
}

/* Larger than what begins a flow. */
constexpr int64_t CONTENT = 200;

/* Of callers some go on although this happens: packets as large as those come through. Answers to
 * old ones come late: only a whole handshake says something. */
static bool callers_go_on(const struct view *v, const struct finding *f)
{
	const struct fact_drop *d = largest_drop(f);

	if (!calls_known(v))
		return view_completed(v, ORIGIN_REAL);
	if (!d || d->length < CONTENT)
		return call_in(v, CALL_WELL) ||
		       (!calls_suffer(v) && view_completed(v, ORIGIN_REAL));
	return d->to_target ? call_gave(v, d->length) != nullptr
			    : call_took(v, d->length) != nullptr;
}

/* Packets were seen behind the place: it did not stop them. */
static bool passed(const struct view *v, const struct findings *all, const struct finding *f)
{
	enum way until = f->until ? f->until : f->way;
	if (f->stays)
		return false;
	if (f->event && f->origin == ORIGIN_REAL)
		return callers_go_on(v, f);
	if (f->event)
		return came_to(v, all, f->origin) > until;
	bool injected = v->reach[ORIGIN_INJECTED].any && !(v->by_socket && until < WAY_POSTROUTING);
	return went_on(v, all, injected ? ORIGIN_INJECTED : ORIGIN_REAL, until) || v->side_back;
}

/* It happened to packets of callers. Packets like theirs pass there, or ended elsewhere, as far as
 * anybody saw: then it concerns somebody else, or a packet. */
static bool is_of_others(const struct view *v, const struct findings *all, const struct finding *f)
{
	enum way until = f->until ? f->until : f->way;
	enum fact_outcome got = view_outcome(v, PROBE_INJECTED);
	bool unseen = got == OUTCOMES &&
		      (v->missing[OBSERVER_TRACE] || v->missing[OBSERVER_PACKETS]);

	return f->event && f->origin == ORIGIN_REAL && !f->stays &&
	       (got < OUTCOMES || unseen || calls_are_others(v) ||
		       went_on(v, all, ORIGIN_INJECTED, until));
}

static void doubt(struct finding *f, size_t n, const enum code others[])
{
	enum code code = f->code;

	if (f->confidence < CONFIDENCE_UNDETERMINED)
		FINDING_FAMILY(f, code);
	for (size_t i = 0; i < n; i++)
		finding_may_be(f, others[i]);
	f->of_others = true;
}

static bool injected_ended(const struct findings *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].event && all->list[i].origin == ORIGIN_INJECTED)
			return true;
	return false;
}

/* What happened to others is worth a word where nothing else is known of them, or where the flow
 * that is meant works and one of them goes on trying. False: it is not. */
static bool weigh_others(const struct view *v, const struct findings *all, struct finding *f)
{
	static const enum code silence[] = {CODE_UPSTREAM_SILENT,
		CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_UPSTREAM_FILTERS_RANGE,
		CODE_SERVICE_SILENT_DROP};
	static const enum code none[] = {CODE_HEALTHY};
	enum way until = f->until ? f->until : f->way;
	const struct fact *works = view_completed(v, ORIGIN_INJECTED);

	bool suffer = calls_suffer(v) || view_real_repeats(v);
	if (works && v->reach[ORIGIN_REAL].any > until && !suffer)
		return false;
	if (!works && went_on(v, all, ORIGIN_INJECTED, until))
		return false;
	finding_cite(f, works);
	if (works || view_outcome(v, PROBE_INJECTED) == OUTCOMES)
		doubt(f, sizeof(none) / sizeof(none[0]), none);
	else
		doubt(f, sizeof(silence) / sizeof(silence[0]), silence);
	/* It is what callers meet first, or what may have ended the others as well. */
	if (works ? suffer : !injected_ended(all))
		f->of_others = false;
	return true;
}

/* The order of the way; at one place what is surer; then that of the tables. */
static bool before(const struct finding *a, const struct finding *b)
{
	if (a->way != b->way)
		return a->way < b->way;
	return a->confidence < b->confidence;
}

static void sort(struct findings *all)
{
	for (size_t i = 1; i < all->n; i++)
		for (size_t j = i; j > 0 && before(&all->list[j], &all->list[j - 1]); j--) {
			struct finding swap = all->list[j];
			all->list[j] = all->list[j - 1];
			all->list[j - 1] = swap;
		}
}

static void ask_all(
	const struct view *v, const struct rules *const list[], size_t n, struct findings *out)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < list[i]->n; j++)
			ask(v, &list[i]->list[j], out);
}

static bool is_refuted(const struct view *v, const struct findings *all, struct finding *f)
{
	if (v->outgoing)
		return outgoing_passed(v, f);
	return passed(v, all, f) || (is_of_others(v, all, f) && !weigh_others(v, all, f));
}

static void collect(const struct view *v, struct findings *out)
{
	struct findings all = {};

	if (v->outgoing)
		ask_all(v, own_tables, sizeof(own_tables) / sizeof(own_tables[0]), &all);
	else
		ask_all(v, tables, sizeof(tables) / sizeof(tables[0]), &all);
	for (size_t i = 0; i < all.n; i++) {
		struct finding *f = &all.list[i];
		if (is_refuted(v, &all, f))
			continue;
		XGROW(out->list, out->n, out->cap);
		out->list[out->n++] = *f;
	}
	free(all.list);
	sort(out);
}

/* What follows from a cause is no fault of its own. */
static const struct {
	enum code cause;
	enum code follows[12]; /* ends with CODE_TUNNEL_INTERFACE_MISSING, which follows from
				  nothing */
} followers[] = {
	{CODE_TUNNEL_INTERFACE_DOWN,
		{CODE_RETURN_ROUTE_MISSING, CODE_RETURN_ROUTE_SHADOWED, CODE_RP_FILTER_NO_ROUTE,
			CODE_RP_FILTER_STRICT, CODE_BGP_PREFIX_NOT_ORIGINATED,
			CODE_POLICY_RULE_CAPTURES_RETURN, CODE_EGRESS_QUEUE_DROP,
			CODE_NO_ROUTE_TO_DESTINATION, CODE_CGNAT_OVERLAP, CODE_TUNNEL_NOT_BEGUN,
			CODE_TUNNEL_DISCONNECTED}},
	{CODE_TUNNEL_DISCONNECTED,
		{CODE_TUNNEL_QUEUE_FULL, CODE_TUNNEL_RETURN_LOST, CODE_PMTU_BLACKHOLE_TUNNEL,
			CODE_TUNNEL_DAEMON_REJECTS_SOURCE}},
	{CODE_LAN_INTERFACE_MISSING,
		{CODE_NO_ROUTE_TO_DESTINATION, CODE_ROUTE_WRONG_EGRESS, CODE_NEIGHBOUR_UNRESOLVED,
			CODE_NAT_NO_SOURCE_ADDRESS, CODE_UPSTREAM_SILENT, CODE_ROUTE_HAIRPIN_TUNNEL,
			CODE_ROUTE_LINKDOWN}},
	{CODE_LAN_INTERFACE_DOWN,
		{CODE_NO_ROUTE_TO_DESTINATION, CODE_ROUTE_WRONG_EGRESS, CODE_NEIGHBOUR_UNRESOLVED,
			CODE_NAT_NO_SOURCE_ADDRESS, CODE_UPSTREAM_SILENT, CODE_ROUTE_HAIRPIN_TUNNEL,
			CODE_ROUTE_LINKDOWN, CODE_BGP_SESSION_DOWN}},
	{CODE_ROUTE_LINKDOWN,
		{CODE_NEIGHBOUR_UNRESOLVED, CODE_EGRESS_QUEUE_DROP, CODE_ROUTE_WRONG_EGRESS,
			CODE_UPSTREAM_SILENT, CODE_NO_ROUTE_TO_DESTINATION}},
	{CODE_VRF_MISMATCH,
		{CODE_NO_ROUTE_TO_DESTINATION, CODE_ROUTE_WRONG_EGRESS, CODE_RETURN_ROUTE_MISSING,
			CODE_POLICY_RULE_CAPTURES_RETURN, CODE_ROUTE_UNREACHABLE,
			CODE_ROUTE_HAIRPIN_TUNNEL, CODE_VRF_MISMATCH, CODE_RP_FILTER_STRICT}},
	{CODE_RANGE_OVERLAPS_LAN,
		{CODE_ROUTE_HAIRPIN_TUNNEL, CODE_RETURN_ROUTE_SHADOWED, CODE_ROUTE_WRONG_EGRESS,
			CODE_CGNAT_OVERLAP, CODE_RETURN_ROUTE_MISSING}},
	{CODE_IPV6_DISABLED,
		{CODE_RETURN_ROUTE_MISSING, CODE_NO_ROUTE_TO_DESTINATION, CODE_ROUTE_WRONG_EGRESS,
			CODE_NAT_NO_SOURCE_ADDRESS, CODE_NEIGHBOUR_UNRESOLVED}},
	{CODE_FORWARDING_DISABLED, {CODE_FORWARDING_DISABLED_ON_INTERFACE}},
	{CODE_NAT_HIDES_SOURCE, {CODE_SERVICE_PORT_CLOSED}},
	{CODE_NAT_UNEXPECTED_OWNER,
		{CODE_UPSTREAM_FILTERS_RANGE, CODE_SERVICE_PORT_CLOSED,
			CODE_UPSTREAM_ICMP_UNREACHABLE, CODE_UPSTREAM_ADMIN_PROHIBITED}},
	{CODE_NEIGHBOUR_UNRESOLVED, {CODE_UPSTREAM_SILENT, CODE_SERVICE_SILENT_DROP}},
	{CODE_ROUTING_LOOP, {CODE_TTL_EXPIRED, CODE_UPSTREAM_SILENT}},
	{CODE_TUNNEL_SOURCE_NOT_IN_RANGES,
		{CODE_RETURN_ROUTE_MISSING, CODE_NOT_ALLOWED, CODE_FILTER_DROP_FORWARD,
			CODE_FILTER_REJECT_FORWARD, CODE_RP_FILTER_STRICT,
			CODE_RP_FILTER_NO_ROUTE}},
	{CODE_SOURCE_IS_OWN_ADDRESS, {CODE_RETURN_ROUTE_MISSING, CODE_RP_FILTER_STRICT}},
	{CODE_MARTIAN_SOURCE, {CODE_RETURN_ROUTE_MISSING, CODE_TUNNEL_SOURCE_NOT_IN_RANGES,
				      CODE_RP_FILTER_STRICT}},
	{CODE_MARTIAN_DESTINATION,
		{CODE_NOT_ALLOWED, CODE_ROUTE_WRONG_EGRESS, CODE_ROUTE_BLACKHOLE}},
	{CODE_SERVICE_BACKLOG_FULL, {CODE_SERVICE_ACCEPTS_NO_ANSWER}},
	{CODE_PMTU_BLACKHOLE_LAN, {CODE_SERVICE_ACCEPTS_NO_ANSWER}},
	{CODE_NEIGHBOUR_DUPLICATE_ADDRESS, {CODE_SERVICE_PORT_CLOSED}},
};

static bool follows(enum code cause, enum code code)
{
	if (cause == CODE_TUNNEL_INTERFACE_MISSING || cause == CODE_TUNNEL_NO_INTERFACE)
		cause = CODE_TUNNEL_INTERFACE_DOWN;
	if (cause >= CODE_TUNNEL_NOT_ATTACHED && cause <= CODE_TUNNEL_NO_ADDRESS)
		cause = CODE_TUNNEL_DISCONNECTED;
	for (size_t i = 0; i < sizeof(followers) / sizeof(followers[0]); i++)
		for (size_t j = 0; followers[i].cause == cause && followers[i].follows[j]; j++)
			if (followers[i].follows[j] == code)
				return true;
	return cause == code;
}

/* Something that may go wrong one day. */
static bool is_risk(const struct finding *f)
{
	return f->code == CODE_MSS_NOT_CLAMPED;
}

static const struct finding *first_cause(const struct findings *all)
{
	const struct finding *of_others = nullptr;

	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->list[i];
		if (is_risk(f))
			continue;
		if (!f->of_others)
			return f;
		if (!of_others)
			of_others = f;
	}
	return of_others;
}

/* The next one that would stop the flow as well and does not follow from the first. */
static const struct finding *next_cause(const struct findings *all, const struct finding *cause)
{
	const struct finding *risk = nullptr;

	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->list[i];
		if (is_risk(f))
			risk = f;
		else if (f != cause && f->confidence <= CONFIDENCE_LIKELY && cause &&
			 !follows(cause->code, f->code) && f->code != cause->code)
			return f;
	}
	return cause ? nullptr : risk;
}

/* One remedy for both: what meshgw sets up is a way back on the gateway and, until the site has
 * one, masquerading. */
static bool covers_both(const struct view *v, enum code cause, enum code next)
{
	static const enum code ways[] = {CODE_RETURN_ROUTE_MISSING, CODE_FORWARDING_DISABLED};
	bool site = cause == CODE_UPSTREAM_RETURN_ROUTE_MISSING ||
		    cause == CODE_UPSTREAM_FILTERS_RANGE || cause == CODE_BGP_ADVERTISED_NOT_USED;
	bool routed = v->config && v->config->config.up &&
		      !strcmp(v->config->config.configured, "route");

	if (cause == CODE_RP_FILTER_STRICT || cause == CODE_RP_FILTER_NO_ROUTE ||
		cause == CODE_FORWARDING_DISABLED)
		return next == CODE_RETURN_ROUTE_MISSING;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (next == ways[i])
			return site && !routed;
	return false;
}

static void fill(const struct view *v, const struct finding *f, struct verdict *out)
{
	out->code = f->code;
	out->confidence = f->confidence;
	out->at = f->at != ATS ? f->at : point_of_way(f->way);
	out->n_candidates = f->n_candidates;
	memcpy(out->candidates, f->candidates, sizeof(out->candidates));
	out->n_attributes = f->n_attributes;
	memcpy(out->attributes, f->attributes, sizeof(out->attributes));
	for (size_t i = 0; i < f->n_cited; i++)
		out->evidence[out->n_evidence++] = view_index(v, f->cited[i]);
	out->n_wanted = f->n_wanted;
	memcpy(out->wanted, f->wanted, sizeof(f->wanted));
}

/* What could not be looked at, where it might have told more. */
static void want_missing(const struct view *v, struct finding *f)
{
	if (f->confidence == CONFIDENCE_CERTAIN)
		return;
	for (size_t i = 0; i < OBSERVERS; i++)
		if (v->missing[i])
			finding_want(f, (enum fact_observer)i);
}

static void decide(const struct view *v, struct verdict *out)
{
	struct findings all = {};
	struct finding about = {.at = ATS};

	collect(v, &all);
	const struct finding *cause = first_cause(&all), *next = next_cause(&all, cause);
	if (cause)
		about = *cause;
	else
		about_decide(v, &about);
	if (v->e->changed && about.code != CODE_HEALTHY)
		about_changed(&about);
	want_missing(v, &about);
	fill(v, &about, out);
	about_consequences(v, out);
	about_summary(v, &about, out);
	if (next) {
		out->next = next->code;
		snprintf(out->next_summary, sizeof(out->next_summary), "%s",
			code_row(next->code)->title ? code_row(next->code)->title : "");
		out->both_covered = covers_both(v, out->code, next->code);
	}
	free(all.list);
}

void verdict_decide(const struct evidence *e, struct verdict *out)
{
	struct view v;

	*out = (struct verdict){.next = CODES};
	view_init(&v, e);
	decide(&v, out);
	view_clear(&v);
}
