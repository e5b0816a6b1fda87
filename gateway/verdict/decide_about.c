/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_about.h"
#include "verdict/decide_call.h"
#include <stdio.h>
#include <string.h>

enum verdict_point point_of_way(enum way way)
{
	static const enum verdict_point points[WAYS] = {
		[WAY_NOWHERE] = AT_NOWHERE,
		[WAY_NAME] = AT_CALLER,
		[WAY_ENTER] = AT_TUNNEL,
		[WAY_RECEIVE] = AT_MESH_INTERFACE,
		[WAY_PREROUTING] = AT_GATEWAY,
		[WAY_ROUTE] = AT_GATEWAY,
		[WAY_FORWARD] = AT_GATEWAY,
		[WAY_POSTROUTING] = AT_GATEWAY,
		[WAY_EGRESS] = AT_LAN_INTERFACE,
		[WAY_LAN] = AT_LAN,
		[WAY_SERVICE] = AT_SERVICE,
		[WAY_BACK_RECEIVE] = AT_LAN_INTERFACE_RETURN,
		[WAY_BACK_PREROUTING] = AT_GATEWAY_RETURN,
		[WAY_BACK_ROUTE] = AT_GATEWAY_RETURN,
		[WAY_BACK_FORWARD] = AT_GATEWAY_RETURN,
		[WAY_BACK_POSTROUTING] = AT_GATEWAY_RETURN,
		[WAY_BACK_EGRESS] = AT_MESH_INTERFACE_RETURN,
		[WAY_TUNNEL_BACK] = AT_TUNNEL_RETURN,
		[WAY_TALK] = AT_SERVICE,
	};
	return points[way];
}

static void found(struct finding *f, enum code code, enum confidence confidence)
{
	f->code = code;
	f->confidence = confidence;
}

static const struct fact *assured(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (c->conntrack.origin == ORIGIN_REAL && c->conntrack.seen_reply)
			return c;
	return nullptr;
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
	return !view_real(v) && !assured(v) && !v->missing[OBSERVER_TRACE] &&
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

static bool healthy(const struct view *v, struct finding *f)
{
	const struct fact *injected = view_completed(v, ORIGIN_INJECTED);
	const struct fact *real = view_completed(v, ORIGIN_REAL), *entry = assured(v);
	const struct fact *range = v->probes[PROBE_RANGE], *forward = v->lookups[ASK_FORWARD];
	enum fact_outcome got = view_outcome(v, PROBE_INJECTED);

	if (injected && nobody_called(v)) {
		healthy_alone(v, f);
		return true;
	}
	if (injected || (real && !half_told(v))) {
		bool sure = !real_trouble(v) && (real || !view_real(v)) && talk_known(v);
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

/* Observers without which a diagnosis can hardly tell anything. */
static const struct fact *blinded(const struct view *v)
{
	static const enum fact_observer needed[] = {OBSERVER_TRACE, OBSERVER_INJECTION,
		OBSERVER_PACKETS, OBSERVER_DROPS, OBSERVER_NFT_TRACE, OBSERVER_ROUTES,
		OBSERVER_RULESET, OBSERVER_PROBES};
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (v->missing[needed[i]])
			return v->missing[needed[i]];
	return nullptr;
}

static bool is_privilege(const struct fact *missing)
{
	static const char *const words[] = {
		"not permitted", "ermission denied", "privilege", "CAP_"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(missing->missing.why, words[i]))
			return true;
	return false;
}

/* What is still possible, by how far packets were seen. */
static const struct {
	enum way from;
	enum code codes[VERDICT_CANDIDATES];
} regions[] = {
	{WAY_TUNNEL_BACK, {CODE_TUNNEL_RETURN_LOST, CODE_TUNNEL_DAEMON_REJECTS_SOURCE,
				  CODE_TUNNEL_QUEUE_FULL, CODE_SERVICE_BACKLOG_FULL,
				  CODE_SERVICE_PORT_CLOSED, CODE_SERVICE_CLOSES_EARLY,
				  CODE_PMTU_BLACKHOLE_TUNNEL, CODE_PMTU_BLACKHOLE_LAN}},
	{WAY_BACK_RECEIVE,
		{CODE_RETURN_ROUTE_MISSING, CODE_FILTER_DROP_FORWARD, CODE_RP_FILTER_STRICT,
			CODE_FILTER_CT_INVALID_DROP, CODE_FILTER_DROP_LEGACY_XTABLES,
			CODE_POLICY_RULE_CAPTURES_RETURN, CODE_ROUTE_BLACKHOLE,
			CODE_CONNTRACK_STALE_NAT}},
	{WAY_LAN, {CODE_UPSTREAM_SILENT, CODE_UPSTREAM_RETURN_ROUTE_MISSING,
			  CODE_UPSTREAM_FILTERS_RANGE, CODE_SERVICE_SILENT_DROP,
			  CODE_SERVICE_BACKLOG_FULL, CODE_RETURN_ROUTE_MISSING,
			  CODE_PROVIDER_SOURCE_CHECK, CODE_CHECKSUM_BAD_L4}},
	{WAY_NOWHERE, {CODE_FILTER_DROP_FORWARD, CODE_FILTER_DROP_LEGACY_XTABLES,
			      CODE_FILTER_DROP_PREROUTING, CODE_NEIGHBOUR_UNRESOLVED,
			      CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_UPSTREAM_FILTERS_RANGE,
			      CODE_SERVICE_SILENT_DROP, CODE_RETURN_ROUTE_MISSING}},
};

static void still_possible(const struct view *v, struct finding *f)
{
	size_t i = 0;
	while (v->state_reach < regions[i].from)
		i++;
	for (size_t j = 0; j < VERDICT_CANDIDATES; j++)
		finding_may_be(f, regions[i].codes[j]);
	f->way = v->state_reach;
}

static void cite_probes(const struct view *v, struct finding *f)
{
	for (size_t i = 0; i < PROBE_NAMES; i++)
		finding_cite(f, v->probes[i]);
	for (size_t i = 0; i < ASKS; i++)
		finding_cite(f, v->lookups[i]);
}

static bool nobody_came(const struct view *v)
{
	return !view_entered(v) && view_outcome(v, PROBE_RANGE) == OUTCOMES;
}

void about_decide(const struct view *v, struct finding *f)
{
	const struct fact *blind = blinded(v);

	struct finding over = *f;
	if (recovered(v, &over)) {
		*f = over;
		return;
	}
	if (healthy(v, f) || mute(v, f) || seen_by_rules(v, f))
		return;
	if (nobody_came(v) && (v->e->passive || !blind)) {
		found(f, CODE_NO_TRAFFIC_OBSERVED, CONFIDENCE_INCONCLUSIVE);
		finding_cite(f, view_no_packet(v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN,
							  PACKET_KINDS, true}));
		finding_cite(f, v->links[ROLE_MESH]);
		finding_may_be(f, CODE_TUNNEL_NO_INGRESS);
		finding_may_be(f, CODE_TUNNEL_REPLICA_PASSIVE);
		f->way = WAY_ENTER;
		return;
	}
	found(f, CODE_INCONCLUSIVE, CONFIDENCE_INCONCLUSIVE);
	if (blind)
		f->code = is_privilege(blind) ? CODE_INSUFFICIENT_PRIVILEGE : CODE_OBSERVER_LIMITED;
	finding_cite(f, blind);
	cite_probes(v, f);
	still_possible(v, f);
}

void about_changed(struct finding *f)
{
	enum code code = f->code;
	bool cause = code < CODE_HEALTHY;

	f->code = CODE_CONFIG_CHANGED_DURING_ANALYSIS;
	f->confidence = CONFIDENCE_INCONCLUSIVE;
	if (cause)
		finding_may_be(f, code);
}

/* A fact that is worth a sentence beside some cause, and no cause by itself. */
static bool is_consequence(const struct view *v, const struct fact *f)
{
	if (f->kind == FACT_ICMP)
		return f->icmp.own && f->icmp.count > 0;
	if (f->kind == FACT_DROP)
		return !strcmp(f->drop.reason, "IP_INHDR");
	if (f->kind == FACT_PACKET)
		return f->packet.origin == ORIGIN_REAL && f->packet.packet == PACKET_SYN &&
		       f->packet.point == POINT_TUN_IN && packet_is_repeated(&f->packet);
	if (f->kind == FACT_COUNTER)
		return f->counter.delta > 0 &&
		       (!strcmp(f->counter.name, "rt_cache.in_martian_src") ||
			       !strcmp(f->counter.name, "IcmpOutRedirects"));
	return v->e->passive && f->kind == FACT_CONNTRACK && f->conntrack.origin == ORIGIN_REAL &&
	       !f->conntrack.seen_reply;
}

void about_consequences(const struct view *v, struct verdict *out)
{
	char says[FACT_SAYS_LEN];

	if (out->code >= CODE_HEALTHY)
		return;
	for (size_t i = 0; i < v->n && out->n_consequences < VERDICT_CONSEQUENCES; i++) {
		const struct fact *f = v->facts[i];
		/* The expired TTL is the cause itself where there is no loop. */
		if (!is_consequence(v, f) ||
			(out->code == CODE_TTL_EXPIRED && f->kind != FACT_PACKET))
			continue;
		snprintf(out->consequences[out->n_consequences++], FACT_TEXT_LEN, "%.*s",
			(int)FACT_TEXT_LEN - 1, fact_says(f, says));
	}
}

static const char *lost_at(enum way way)
{
	if (way >= WAY_TUNNEL_BACK)
		return "Answers leave into the tunnel; what becomes of them is not known";
	if (way >= WAY_BACK_RECEIVE)
		return "Answers come back to this gateway and do not leave into the tunnel";
	if (way >= WAY_LAN)
		return "Packets leave by the LAN and no answer was seen";
	return "Packets of this flow were not seen leaving this gateway";
}

void about_summary(const struct view *v, const struct finding *f, struct verdict *out)
{
	const char *title = code_row(f->code)->title;
	if (f->code == CODE_INCONCLUSIVE || f->code == CODE_OBSERVER_LIMITED ||
		f->code == CODE_INSUFFICIENT_PRIVILEGE)
		title = lost_at(v->state_reach);
	if (f->code == CODE_HEALTHY && f->alone)
		title = "What is sent here like a packet of the mesh is answered; nobody called "
			"meanwhile";
	snprintf(out->summary, sizeof(out->summary), "%s", title ? title : "");
}
