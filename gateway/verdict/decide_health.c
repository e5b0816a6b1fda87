/* SPDX-License-Identifier: Apache-2.0 */
/* No rule found a cause: does the flow work, and how sure is that? */
#include "verdict/decide_about.h"
#include "verdict/decide_call.h"
#include "verdict/decide_filter.h"
#include <stdio.h>
#include <string.h>

static void found(struct finding *f, enum code code, enum confidence confidence)
{
	f->code = code;
	f->confidence = confidence;
}

static bool calls_fail(const struct view *v)
{
	static const enum call_state states[] = {CALL_SILENT, CALL_DEAF, CALL_STUCK, CALL_UNSERVED};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (call_in(v, states[i]))
			return true;
	return (call_in(v, CALL_WAITING) && !call_took(v, 1)) ||
	       (calls_unheard(v) && !call_hears(v));
}

/* A caller repeats itself, for reasons that did not show. */
static bool real_trouble(const struct view *v)
{
	size_t at = 0;
	if (calls_known(v))
		return calls_fail(v);
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));)
		if (p->packet.origin == ORIGIN_REAL && p->packet.packet == PACKET_SYN &&
			packet_is_repeated(&p->packet))
			return true;
	return false;
}

/* A packet of a real flow that all filters let pass. */
static const struct fact *real_trace(const struct view *v, bool to_target)
{
	size_t at = 0;
	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		if (t->trace.origin == ORIGIN_REAL && t->trace.to_target == to_target &&
			!strcmp(t->trace.verdict, "accept"))
			return t;
	return nullptr;
}

static bool leads_to_mesh(const struct view *v)
{
	const struct fact *back = v->lookups[ASK_REVERSE];
	return back && !back->lookup.error && v->mesh[0] && !strcmp(back->lookup.oif, v->mesh);
}

/* Nobody saw packets; rules saw those to the service, and none of an answer, which this host
 * gets. */
static bool seen_by_rules(const struct view *v, struct finding *f)
{
	const struct fact *there = real_trace(v, true);

	if (view_outcome(v, PROBE_INJECTED) != OUTCOMES || !there || real_trace(v, false) ||
		!leads_to_mesh(v) || !v->missing[OBSERVER_TRACE] ||
		v->missing[OBSERVER_NFT_TRACE] || view_outcome(v, PROBE_OWN) != OUTCOME_ANSWERED ||
		view_masqueraded(v))
		return false;
	finding_cite(f, there);
	finding_cite(f, v->probes[PROBE_OWN]);
	finding_cite(f, v->lookups[ASK_REVERSE]);
	FINDING_FAMILY(f, CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_UPSTREAM_FILTERS_RANGE,
		CODE_FILTER_DROP_FORWARD, CODE_FILTER_DROP_LEGACY_XTABLES,
		CODE_NEIGHBOUR_UNRESOLVED, CODE_RP_FILTER_STRICT, CODE_PROVIDER_SOURCE_CHECK);
	f->at = AT_LAN_RETURN;
	return true;
}

constexpr int64_t OTHERS_MANY = 3;

/* Others call through the tunnel, or the target answers callers that never came by here. */
static const struct fact *call_elsewhere(const struct view *v)
{
	const struct packet_query answers = {ORIGIN_REAL, POINT_LAN_IN, PACKET_SYN_ACK, false};
	char name[FACT_NAME_LEN];
	snprintf(name, sizeof(name), "%s.rx_packets", v->mesh);
	const struct fact *others = view_grew(v, name);

	return others && others->counter.delta >= OTHERS_MANY ? others : view_packet(v, answers);
}

/* What is sent like a packet of the mesh is answered, and nobody called meanwhile. Whether somebody
 * tried to, only the caller knows. */
static bool nobody_called(const struct view *v)
{
	return !view_real(v) && !view_real_entry(v) && !v->missing[OBSERVER_TRACE] &&
	       !v->missing[OBSERVER_PACKETS] && !v->missing[OBSERVER_NFT_TRACE];
}

static void healthy_alone(const struct view *v, struct finding *f)
{
	const struct fact *elsewhere = call_elsewhere(v);

	found(f, CODE_HEALTHY, CONFIDENCE_LIKELY);
	f->alone = true;
	finding_cite(f, v->probes[PROBE_INJECTED]);
	if (elsewhere)
		FINDING_FAMILY(
			f, CODE_HEALTHY, CODE_TUNNEL_NO_INGRESS, CODE_TUNNEL_REPLICA_PASSIVE);
	finding_cite(f, elsewhere);
}

/* It was injected, and what came of it is not known. */
static bool half_told(const struct view *v)
{
	const struct packet_query q = {ORIGIN_INJECTED, POINT_TUN_IN, PACKET_KINDS, true};
	return view_outcome(v, PROBE_INJECTED) == OUTCOMES &&
	       (view_packet(v, q) || view_outcome(v, PROBE_INJECTED_OTHER) < OUTCOMES);
}

/* What the service says was asked, where there is something to ask. */
static bool talk_known(const struct view *v)
{
	enum fact_l7_ask ask = v->e->flow.scheme == SCHEME_HTTPS ? L7_TLS : L7_HTTP;
	size_t at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_L7, &at));)
		if (l->l7.ask == ask)
			return true;
	return v->e->flow.scheme == SCHEME_NONE;
}

/* Other packets of the range are answered, and nobody's datagrams to this port. A service may have
 * nothing to say to what it is sent; only it knows. */
static bool mute(const struct view *v, struct finding *f)
{
	static const enum fact_probe_name asked[] = {PROBE_INJECTED, PROBE_INJECTED_OTHER,
		PROBE_INJECTED_ECHO, PROBE_OWN, PROBE_OWN_OTHER};

	if (!v->udp || !v->side_back || view_outcome(v, PROBE_INJECTED) != OUTCOME_SILENT ||
		view_outcome(v, PROBE_OWN) != OUTCOME_SILENT)
		return false;
	FINDING_FAMILY(f, CODE_SERVICE_SILENT_DROP, CODE_HEALTHY);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		finding_cite(f, v->probes[asked[i]]);
	finding_set_addr(f, "target", &v->e->flow.target);
	finding_set_number(f, "port", v->e->flow.port);
	f->at = AT_SERVICE;
	return true;
}

/* All calls that began are told one by one. */
static bool all_told(const struct view *v)
{
	const struct packet_query q = {ORIGIN_REAL, POINT_TUN_IN, PACKET_SYN, true};
	const struct fact *syn = view_packet(v, q);
	int64_t begun = 0;
	size_t at = 0;

	for (const struct fact *c; (c = view_next(v, FACT_CALL, &at));)
		begun += c->call.begun;
	return syn && syn->packet.distinct == begun;
}

constexpr size_t SOME = 2; /* of calls: no accident */

/* The first callers had to ask again, and none that began later: what it was is over. */
static bool recovered(const struct view *v, struct finding *f)
{
	int64_t last = -1;
	size_t failed = 0, well = 0, at = 0;

	if (!v->tcp || !view_completed(v, ORIGIN_INJECTED) || !all_told(v))
		return false;
	for (const struct fact *c; (c = view_next(v, FACT_CALL, &at));)
		if (c->call.begun && c->call.asked_again > 0) {
			failed++;
			last = c->call.first_us > last ? c->call.first_us : last;
			finding_cite(f, c);
		}
	at = 0;
	for (const struct fact *c; (c = call_next(v, CALL_WELL, &at));)
		if (c->call.begun && !c->call.asked_again) {
			if (c->call.first_us < last)
				return false;
			well++;
			finding_cite(f, c);
		}
	found(f, CODE_RECOVERED, CONFIDENCE_LIKELY);
	return failed >= SOME && well >= SOME;
}

/* Trouble of callers would have been noticed. */
static bool sees_callers(const struct view *v)
{
	return !v->missing[OBSERVER_TRACE] && !v->missing[OBSERVER_PACKETS] &&
	       !v->missing[OBSERVER_DROPS];
}

static bool healthy(const struct view *v, struct finding *f)
{
	const struct fact *injected = view_completed(v, ORIGIN_INJECTED);
	const struct fact *real = view_completed(v, ORIGIN_REAL), *entry = view_real_entry(v);
	const struct fact *range = v->probes[PROBE_RANGE], *forward = v->lookups[ASK_FORWARD];
	enum fact_outcome got = view_outcome(v, PROBE_INJECTED);

	if (injected && nobody_called(v)) {
		healthy_alone(v, f);
		return true;
	}
	if (injected || (real && !half_told(v))) {
		bool sure = !real_trouble(v) && (real || !view_real(v)) && talk_known(v) &&
			    sees_callers(v);
		found(f, CODE_HEALTHY, sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		if (!talk_known(v))
			finding_want(f, OBSERVER_L7);
		finding_cite(f, injected);
		finding_cite(f, real);
		finding_cite(f, v->probes[PROBE_OWN]);
		return true;
	}
	if (entry && v->e->passive) {
		found(f, CODE_HEALTHY, CONFIDENCE_LIKELY);
		finding_cite(f, entry);
		return true;
	}
	const struct fact *elsewhere = view_answered_elsewhere(v), *there, *back;
	if (elsewhere) {
		found(f, CODE_HEALTHY, CONFIDENCE_LIKELY);
		finding_cite(f, elsewhere);
		return true;
	}
	if (got == OUTCOMES && !half_told(v) && (there = real_trace(v, true)) &&
		(back = real_trace(v, false)) && leads_to_mesh(v) &&
		view_outcome(v, PROBE_OWN) == OUTCOME_ANSWERED) {
		found(f, CODE_HEALTHY, CONFIDENCE_LIKELY);
		if (filter_legacy(v))
			FINDING_FAMILY(f, CODE_HEALTHY, CODE_FILTER_DROP_LEGACY_XTABLES);
		finding_cite(f, there);
		finding_cite(f, back);
		finding_cite(f, v->lookups[ASK_REVERSE]);
		return true;
	}
	/* Nobody knows what would come in by the tunnel, unless somebody does. */
	if (range && range->probe.outcome == OUTCOME_ANSWERED && got == OUTCOMES && forward &&
		!forward->lookup.error && !strcmp(forward->lookup.oif, v->lan) &&
		v->reach[ORIGIN_REAL].there >= WAY_FORWARD && !view_real_repeats(v)) {
		found(f, CODE_HEALTHY, CONFIDENCE_LIKELY);
		finding_cite(f, range);
		finding_cite(f, forward);
		return true;
	}
	return false;
}

bool health_decide(const struct view *v, struct finding *f)
{
	struct finding over = *f;

	if (recovered(v, &over)) {
		*f = over;
		return true;
	}
	return healthy(v, f) || mute(v, f) || seen_by_rules(v, f);
}
