/* SPDX-License-Identifier: Apache-2.0 */
/* Beyond the gateway: nothing comes back, or somebody says why. The probes tell what can be told
 * (probe of this host, of the range, of another port of the range). */
#include "verdict/decide_beyond.h"
#include "verdict/decide_call.h"
#include <string.h>

/* What the range was answered: a packet like the mesh's, or a socket's with an address of it. */
static enum fact_outcome of_range(const struct view *v, const struct fact **fact)
{
	*fact = v->probes[PROBE_INJECTED] ? v->probes[PROBE_INJECTED] : v->probes[PROBE_RANGE];
	return *fact ? (*fact)->probe.outcome : OUTCOMES;
}

static const struct fact *left(const struct view *v, enum fact_origin origin)
{
	return view_packet(v, (struct packet_query){origin, POINT_LAN_OUT, PACKET_KINDS, true});
}

static const struct fact *nothing_came(const struct view *v, enum fact_origin origin)
{
	return view_no_packet(v, (struct packet_query){origin, POINT_LAN_IN, PACKET_KINDS, false});
}

static bool observed(const struct view *v)
{
	return !v->missing[OBSERVER_TRACE] && !v->missing[OBSERVER_PACKETS];
}

static bool is(enum fact_outcome outcome, enum fact_outcome a, enum fact_outcome b)
{
	return outcome == a || outcome == b;
}

/* Does the target's host live, as this host sees it? */
static const struct fact *alive(const struct view *v)
{
	static const enum fact_probe_name names[] = {PROBE_OWN_OTHER, PROBE_OWN_ECHO};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is(view_outcome(v, names[i]), OUTCOME_ANSWERED, OUTCOME_REFUSED))
			return v->probes[names[i]];
	return nullptr;
}

/* Something from the range was answered: there is a way back. */
static const struct fact *way_back(const struct view *v)
{
	static const enum fact_probe_name names[] = {PROBE_INJECTED_OTHER, PROBE_INJECTED_ECHO};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (v->probes[names[i]] != v->probes[PROBE_INJECTED] &&
			is(view_outcome(v, names[i]), OUTCOME_ANSWERED, OUTCOME_REFUSED))
			return v->probes[names[i]];
	return nullptr;
}

static void cite_probes(const struct view *v, struct finding *f)
{
	static const enum fact_probe_name names[] = {PROBE_INJECTED, PROBE_RANGE, PROBE_OWN,
		PROBE_INJECTED_OTHER, PROBE_INJECTED_ECHO, PROBE_OWN_OTHER, PROBE_OWN_ECHO,
		PROBE_HOP};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		finding_cite(f, v->probes[names[i]]);
}

static void name_next_hop(const struct view *v, struct finding *f)
{
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	if (v->config)
		finding_set_prefix(f, "range", &v->config->config.range);
	finding_set_addr(f, "target", &v->e->flow.target);
	if (lookup) {
		finding_cite(f, lookup);
		finding_set_addr(f, "gateway", &lookup->lookup.gateway);
		finding_set_text(f, "interface", lookup->lookup.oif);
	}
}

/* What else it may be while something is not known. */
static bool with_doubts(const struct view *v, struct finding *f)
{
	if (f->confidence < CONFIDENCE_UNDETERMINED)
		return true;
	if (!v->lookups[ASK_FORWARD])
		finding_may_be(f, CODE_ROUTE_WRONG_EGRESS);
	if (!v->config)
		finding_may_be(f, CODE_NAT_UNEXPECTED_OWNER);
	if (view_drop(v, "IP_INHDR", "", true)) {
		finding_may_be(f, CODE_ROUTING_LOOP);
		finding_may_be(f, CODE_ROUTE_WRONG_EGRESS);
	}
	return true;
}

static bool hop_answers(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *p; (p = view_next(v, FACT_PROBE, &at));)
		if (p->probe.probe == PROBE_HOP && p->probe.outcome == OUTCOME_ERROR)
			return true;
	return false;
}

/* The range is refused or silent where this host is answered. */
static bool way_back_family(const struct view *v, struct finding *f)
{
	const struct fact *platform = v->platform;
	bool provider = platform && platform->platform.provider[0];

	f->at = AT_LAN_RETURN;
	if (provider) {
		finding_cite(f, platform);
		finding_set_text(f, "by", platform->platform.provider);
		FINDING_FAMILY(f, CODE_PROVIDER_SOURCE_CHECK, CODE_UPSTREAM_RETURN_ROUTE_MISSING,
			CODE_UPSTREAM_FILTERS_RANGE);
	} else if (hop_answers(v)) {
		/* The next router knows the way back; one behind it, or the service, may not. */
		FINDING_FAMILY(f, CODE_UPSTREAM_FILTERS_RANGE, CODE_UPSTREAM_RETURN_ROUTE_MISSING);
	} else {
		FINDING_FAMILY(f, CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_UPSTREAM_FILTERS_RANGE);
		if (!platform)
			finding_may_be(f, CODE_PROVIDER_SOURCE_CHECK);
	}
	if (!nothing_came(v, ORIGIN_INJECTED) && !observed(v))
		finding_may_be(f, CODE_RETURN_ROUTE_MISSING);
	bgp_refine(v, f);
	return true;
}

static bool differs(const struct view *v, enum fact_probe_name own, enum fact_probe_name range)
{
	return is(view_outcome(v, own), OUTCOME_ANSWERED, OUTCOME_REFUSED) &&
	       view_outcome(v, range) == OUTCOME_SILENT;
}

/* A service whose backlog is full answers now and then, this time this host: possible, unless other
 * packets of the range have no answer either. */
static void may_be_busy(const struct view *v, struct finding *f)
{
	if (v->tcp && !differs(v, PROBE_OWN_OTHER, PROBE_INJECTED_OTHER) &&
		!differs(v, PROBE_OWN_ECHO, PROBE_INJECTED_ECHO))
		finding_may_be(f, CODE_SERVICE_BACKLOG_FULL);
}

/* Own answered, range silent. */
static bool only_own(const struct view *v, struct finding *f)
{
	const struct fact *back = way_back(v);

	cite_probes(v, f);
	finding_cite(f, left(v, ORIGIN_INJECTED));
	finding_cite(f, nothing_came(v, ORIGIN_INJECTED));
	name_next_hop(v, f);
	if (view_masqueraded(v)) {
		FINDING_FAMILY(f, CODE_UPSTREAM_SILENT, CODE_UPSTREAM_FILTERS_RANGE,
			CODE_CONNTRACK_STALE_NAT, CODE_SERVICE_BACKLOG_FULL);
		return true;
	}
	finding_set_number(f, "port", v->e->flow.port);
	if (!back) {
		way_back_family(v, f);
		if (f->n_candidates)
			may_be_busy(v, f);
		return true;
	}
	f->code = CODE_UPSTREAM_FILTERS_RANGE;
	f->confidence = CONFIDENCE_LIKELY;
	if (v->tcp)
		FINDING_FAMILY(f, CODE_UPSTREAM_FILTERS_RANGE, CODE_SERVICE_BACKLOG_FULL);
	return true;
}

/* This host may not ask for echoes; that its other packets are answered tells that the target lives
 * and knows the way to it. Whether it answers echoes is not known. */
static bool echo_unasked(const struct view *v, struct finding *f)
{
	cite_probes(v, f);
	finding_cite(f, left(v, ORIGIN_INJECTED));
	finding_cite(f, nothing_came(v, ORIGIN_INJECTED));
	name_next_hop(v, f);
	if (view_masqueraded(v) || way_back(v)) {
		f->at = AT_SERVICE;
		FINDING_FAMILY(f, CODE_SERVICE_SILENT_DROP,
			view_masqueraded(v) ? CODE_UPSTREAM_SILENT : CODE_UPSTREAM_FILTERS_RANGE);
		return true;
	}
	way_back_family(v, f);
	if (f->confidence == CONFIDENCE_UNDETERMINED)
		finding_may_be(f, CODE_SERVICE_SILENT_DROP);
	return true;
}

/* Both came from this host's address; who may call with an address of the range was not asked. */
static void may_hide(const struct view *v, struct finding *f)
{
	if (view_masqueraded(v) && view_outcome(v, PROBE_RANGE) == OUTCOMES)
		finding_may_be(f, CODE_NAT_HIDES_SOURCE);
}

/* Nobody is answered. */
static bool neither(const struct view *v, struct finding *f)
{
	const struct fact *lives = alive(v);
	bool near = v->neighbour && !addr_cmp(&v->neighbour->neighbour.address, &v->e->flow.target);

	cite_probes(v, f);
	finding_cite(f, v->neighbour);
	name_next_hop(v, f);
	finding_set_number(f, "port", v->e->flow.port);
	f->at = AT_SERVICE;
	if (lives) {
		FINDING_FAMILY(f, CODE_SERVICE_SILENT_DROP, CODE_SERVICE_BACKLOG_FULL);
		if (!way_back(v))
			finding_may_be(f, CODE_UPSTREAM_RETURN_ROUTE_MISSING);
		may_hide(v, f);
		return true;
	}
	if (near && !strcmp(v->neighbour->neighbour.state, "reachable")) {
		FINDING_FAMILY(f, CODE_SERVICE_SILENT_DROP, CODE_SERVICE_BACKLOG_FULL,
			CODE_UPSTREAM_RETURN_ROUTE_MISSING);
		may_hide(v, f);
		return true;
	}
	f->at = AT_LAN;
	FINDING_FAMILY(f, CODE_UPSTREAM_SILENT, CODE_SERVICE_SILENT_DROP, CODE_NEIGHBOUR_UNRESOLVED,
		CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_UPSTREAM_FILTERS_RANGE,
		CODE_SERVICE_BACKLOG_FULL);
	/* Routers hold back what they would say once too often (RFC 1812 section 4.3.2.8). */
	if (!near)
		finding_may_be(f, CODE_UPSTREAM_ICMP_UNREACHABLE);
	return true;
}

/* Has the packet certainly got beyond the gateway, and nothing of an answer been seen? */
static bool lost_beyond(const struct view *v, const struct fact *range)
{
	bool socket = range->probe.probe == PROBE_RANGE;
	return (socket || left(v, ORIGIN_INJECTED)) &&
	       v->reach[ORIGIN_INJECTED].any < WAY_BACK_RECEIVE;
}

/* Datagrams of nobody are answered, callers included, and nothing else of the host is heard. */
static bool nobody_hears(const struct view *v, struct finding *f)
{
	if (alive(v) || way_back(v) || !call_heard_of(v) || call_took(v, 0) ||
		view_outcome(v, PROBE_OWN) != OUTCOME_SILENT)
		return false;
	cite_probes(v, f);
	finding_cite(f, call_heard_of(v));
	name_next_hop(v, f);
	FINDING_FAMILY(f, CODE_UPSTREAM_SILENT, CODE_SERVICE_SILENT_DROP,
		CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_UPSTREAM_FILTERS_RANGE,
		CODE_UPSTREAM_ICMP_UNREACHABLE, CODE_HEALTHY);
	return true;
}

static bool silent(const struct view *v, struct finding *f)
{
	const struct fact *range;
	enum fact_outcome own = view_outcome(v, PROBE_OWN);

	if (of_range(v, &range) != OUTCOME_SILENT || !lost_beyond(v, range))
		return false;
	f->event = true;
	f->origin = ORIGIN_INJECTED;
	if (view_answered_elsewhere(v))
		return false;
	if (v->udp) {
		/* A service may have nothing to say to what it is sent. */
		if (own != OUTCOME_ANSWERED && !(alive(v) && !way_back(v)))
			return nobody_hears(v, f) && with_doubts(v, f);
		return only_own(v, f) && with_doubts(v, f);
	}
	if (own == OUTCOME_ANSWERED || own == OUTCOME_REFUSED)
		return only_own(v, f) && with_doubts(v, f);
	if (own == OUTCOME_SILENT)
		return neither(v, f) && with_doubts(v, f);
	if (v->icmp && own == OUTCOMES && alive(v))
		return echo_unasked(v, f) && with_doubts(v, f);
	/* This host could not ask. */
	cite_probes(v, f);
	finding_cite(f, left(v, ORIGIN_INJECTED));
	name_next_hop(v, f);
	FINDING_FAMILY(f, CODE_UPSTREAM_SILENT, CODE_UPSTREAM_FILTERS_RANGE,
		CODE_SERVICE_SILENT_DROP, CODE_SERVICE_BACKLOG_FULL);
	if (!way_back(v)) {
		finding_may_be(f, CODE_UPSTREAM_RETURN_ROUTE_MISSING);
		finding_may_be(f, CODE_PROVIDER_SOURCE_CHECK);
		bgp_refine(v, f);
	}
	finding_want(f, OBSERVER_PROBES);
	return with_doubts(v, f);
}

/* Refused where this host is answered: a filter that says so. */
static bool refused(const struct view *v, struct finding *f)
{
	const struct fact *range;
	enum fact_outcome got = of_range(v, &range);

	if (got != OUTCOME_REFUSED || view_outcome(v, PROBE_OWN) != OUTCOME_ANSWERED)
		return false;
	finding_cite(f, range);
	cite_probes(v, f);
	name_next_hop(v, f);
	finding_set_number(f, "port", v->e->flow.port);
	f->stays = true;
	f->confidence = view_masqueraded(v) ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;
	return true;
}

/* Masqueraded it is refused, with its own address it would not be. */
static bool nat_hides(const struct view *v, struct finding *f)
{
	enum fact_outcome masqueraded = view_outcome(v, PROBE_INJECTED);

	if (!view_masqueraded(v) || view_outcome(v, PROBE_RANGE) != OUTCOME_ANSWERED ||
		!(is(masqueraded, OUTCOME_REFUSED, OUTCOME_SILENT) ||
			masqueraded == OUTCOME_ERROR) ||
		view_outcome(v, PROBE_OWN) == OUTCOME_ANSWERED)
		return false;
	cite_probes(v, f);
	finding_cite(f, v->config);
	name_next_hop(v, f);
	f->stays = true;
	f->confidence = v->reach[ORIGIN_INJECTED].any >= WAY_LAN ? CONFIDENCE_CERTAIN
								 : CONFIDENCE_LIKELY;
	return true;
}

/* Nothing was sent; real packets left and nothing came. */
static bool passive_silence(const struct view *v, struct finding *f)
{
	const struct fact *out = left(v, ORIGIN_REAL), *none = nothing_came(v, ORIGIN_REAL);
	const struct fact *unreplied = nullptr;
	size_t at = 0;

	for (const struct fact *c; !unreplied && (c = view_next(v, FACT_CONNTRACK, &at));)
		if (c->conntrack.origin == ORIGIN_REAL && !c->conntrack.seen_reply)
			unreplied = c;
	bool repeated = out && packet_is_repeated(&out->packet) && observed(v);

	if (v->reach[ORIGIN_REAL].any >= WAY_BACK_RECEIVE || v->udp || v->side_back ||
		view_outcome(v, PROBE_INJECTED) != OUTCOMES || !out ||
		(!none && !unreplied && !repeated))
		return false;
	finding_cite(f, out);
	finding_cite(f, none);
	finding_cite(f, unreplied);
	name_next_hop(v, f);
	FINDING_FAMILY(f, CODE_UPSTREAM_SILENT, CODE_UPSTREAM_RETURN_ROUTE_MISSING,
		CODE_UPSTREAM_FILTERS_RANGE, CODE_SERVICE_SILENT_DROP, CODE_SERVICE_BACKLOG_FULL,
		CODE_PROVIDER_SOURCE_CHECK);
	/* An ICMP error would have said more; none may have been noticed. */
	if (!none) {
		finding_may_be(f, CODE_UPSTREAM_ADMIN_PROHIBITED);
		finding_may_be(f, CODE_UPSTREAM_ICMP_UNREACHABLE);
	}
	finding_want(f, OBSERVER_PROBES);
	return true;
}

/* Answers to packets that never came by here. */
static bool asymmetric(const struct view *v, struct finding *f)
{
	const struct fact *answer = view_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_LAN_IN, PACKET_SYN_ACK, false});
	const struct fact *none = view_no_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN, PACKET_KINDS, true});

	const struct fact *invalid = view_trace(v, false);
	bool went = view_packet(v,
			    (struct packet_query){ORIGIN_REAL, POINT_TUN_IN, PACKET_KINDS, true}) ||
		    left(v, ORIGIN_REAL);
	if (invalid && !invalid->trace.ct_invalid)
		invalid = nullptr;
	const struct fact *back = v->lookups[ASK_REVERSE];
	enum fact_outcome injected = view_outcome(v, PROBE_INJECTED);
	if (injected < OUTCOMES && injected != OUTCOME_ANSWERED)
		return false; /* what stops that one stops these */
	if (back && (back->lookup.error || strcmp(back->lookup.oif, v->mesh) != 0))
		return false; /* what comes again and again goes in a circle */
	if (!answer || went || (!none && !(observed(v) && invalid)))
		return false; /* a service repeats an answer for a minute */
	finding_cite(f, answer);
	finding_cite(f, none);
	finding_cite(f, invalid);
	finding_set_text(f, "interface", answer->packet.interface);
	f->event = true;
	f->origin = ORIGIN_REAL;
	f->stays = true;
	/* Nobody counts what does not come: a filter that knows of no connection says so, too. */
	if (!none)
		f->confidence = CONFIDENCE_LIKELY;
	return true;
}

static const struct rule list[] = {
	{CODE_ASYMMETRIC_PATH, WAY_LAN, asymmetric},
	{CODE_NAT_HIDES_SOURCE, WAY_LAN, nat_hides},
	{CODE_UPSTREAM_FILTERS_RANGE, WAY_LAN, refused},
	{CODE_UPSTREAM_SILENT, WAY_LAN, silent},
	{CODE_UPSTREAM_SILENT, WAY_LAN, passive_silence},
};
const struct rules rules_beyond = {list, sizeof(list) / sizeof(list[0])};
