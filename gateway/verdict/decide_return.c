/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's part of the way back. */
#include "verdict/decide_call.h"
#include "verdict/decide_filter.h"
#include "verdict/decide_side.h"
#include <errno.h>
#include <string.h>

constexpr int64_t TABLE_DEFAULT = 253;

static bool tc_or_xdp(const struct view *v, struct finding *f)
{
	static const struct {
		const char *reason, *function, *told;
	} ends[] = {{"XDP*", "", "XDP"}, {"NOT_SPECIFIED", "do_xdp_generic", "XDP"},
		{"TC_INGRESS", "", "TC_INGRESS"}, {"TC_EGRESS", "", "TC_EGRESS"}};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct fact *drop = view_drop(v, ends[i].reason, ends[i].function, false);
		if (!drop)
			continue;
		finding_event(f, drop, drop->drop.origin);
		finding_set_text(f, "dev", drop->drop.interface);
		finding_set_text(f, "interface", drop->drop.interface);
		finding_set_text(f, "reason", ends[i].told);
		if (!strcmp(ends[i].told, "TC_EGRESS"))
			f->until = WAY_TALK;
		return true;
	}
	return false;
}

static bool lsm(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "SECURITY_HOOK", "", false);
	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "function", drop->drop.function);
	return true;
}

static bool rp_filter(const struct view *v, struct finding *f)
{
	struct side s = side_back(v);
	return side_rp_filter(v, &s, f);
}

static bool forwarding(const struct view *v, struct finding *f)
{
	struct side s = side_back(v);
	/* IPv6 has one switch: the first direction told. */
	return !v->v6 && side_forwarding(v, &s, f);
}

static bool refused(const struct view *v, struct finding *f)
{
	struct side s = side_back(v);
	return side_refused(v, &s, f);
}

/* The answer was seen where it should not be, or nowhere any more. */
static const struct fact *led_astray(const struct view *v)
{
	const struct fact *out = view_packet(
		v, (struct packet_query){ORIGINS, POINT_LAN_OUT, PACKET_KINDS, false});
	if (out)
		return out;
	if (view_outcome(v, PROBE_INJECTED) == OUTCOME_ASTRAY)
		return v->probes[PROBE_INJECTED];
	return view_outcome(v, PROBE_RANGE) == OUTCOME_ASTRAY ? v->probes[PROBE_RANGE] : nullptr;
}

static bool leads_to_mesh(const struct view *v, const struct fact *lookup)
{
	return !lookup->lookup.error && v->mesh[0] && !strcmp(lookup->lookup.oif, v->mesh);
}

static bool in_cgnat(const struct prefix *p)
{
	static const struct prefix cgnat = {{AF_INET, {100, 64}}, 10};
	return p->addr.family == AF_INET && p->len > 8 && prefix_overlaps(&cgnat, p);
}

/* Which entry is it that takes the answer? */
static void classify(const struct view *v, const struct fact_lookup *l, struct finding *f)
{
	bool other = l->entry && l->table >= 0 && l->table != TABLE_MAIN &&
		     l->table != TABLE_DEFAULT && l->table != 0;
	bool foreign = strcmp(l->oif, v->lan) != 0;

	if (!l->entry && !l->error)
		FINDING_FAMILY(f, CODE_RETURN_ROUTE_MISSING, CODE_RETURN_ROUTE_SHADOWED,
			CODE_POLICY_RULE_CAPTURES_RETURN, CODE_CGNAT_OVERLAP);
	else if (l->entry && !foreign && l->match.len > 0 && !strcmp(l->protocol_name, "kernel"))
		f->code = CODE_RANGE_OVERLAPS_LAN; /* connected there */
	else if (l->entry && foreign && in_cgnat(&l->match) &&
		 (other || !l->hides_mesh_route || !strncmp(l->oif, "tailscale", 9)))
		f->code = CODE_CGNAT_OVERLAP;
	else if (other)
		f->code = CODE_POLICY_RULE_CAPTURES_RETURN;
	else if (l->hides_mesh_route)
		f->code = CODE_RETURN_ROUTE_SHADOWED;
}

/* It may be this as well. */
static void doubt(struct finding *f, enum code other)
{
	enum code code = f->code;
	FINDING_FAMILY(f, code, other);
}

/* A tunnel that is not there, or is down, has no routes: then that is the cause. */
static void doubt_link(const struct view *v, struct finding *f)
{
	if (view_link_works(v, ROLE_MESH) || f->confidence > CONFIDENCE_LIKELY)
		return;
	enum code code = f->code;
	FINDING_FAMILY(f, code, CODE_TUNNEL_INTERFACE_DOWN, CODE_TUNNEL_INTERFACE_MISSING,
		CODE_VRF_MISMATCH);
}

static void cite_symptoms(const struct view *v, struct finding *f)
{
	finding_cite(f, led_astray(v));
	finding_cite(f,
		view_packet(v, (struct packet_query){ORIGINS, POINT_LAN_IN, PACKET_KINDS, false}));
	finding_cite(f, view_own_icmp(v, v->v6 ? 137 : 5, -1));
	finding_cite(f, view_drop(v, "IP_INHDR", "", false));
	finding_cite(f, view_drop(v, "IP_INNOROUTES", "", false));
}

static void name_range(const struct view *v, struct finding *f)
{
	if (v->config)
		finding_set_prefix(f, "range", &v->config->config.range);
	finding_set_text(f, "mesh", v->mesh);
	finding_set_text(f, "lan", v->lan);
	finding_set_text(f, "interface", v->mesh);
}

/* Where forwarding is off the kernel refuses the question as it refuses the packet, and names the
 * entry that it would have taken; the question without an interface to enter by tells the way. */
static const struct fact *way_for_answers(const struct view *v)
{
	const struct fact *asked = v->lookups[ASK_REVERSE], *bare = v->lookups[ASK_REVERSE_BARE];
	bool off = asked && asked->lookup.error == EHOSTUNREACH && !v->v6 &&
		   !strcmp(asked->lookup.type, "unicast") && !view_forwards(v, asked->lookup.iif);

	return off && bare ? bare : asked;
}

static bool return_route(const struct view *v, struct finding *f)
{
	const struct fact *lookup = way_for_answers(v);

	if (!lookup || view_ends_here(v) || leads_to_mesh(v, lookup) ||
		!strcmp(lookup->lookup.type, "local") ||
		(lookup->lookup.error && lookup->lookup.error != ENETUNREACH))
		return false;
	side_blame(f, lookup);
	cite_symptoms(v, f);
	name_range(v, f);
	f->until = WAY_BACK_EGRESS; /* filters see it on its wrong way, too */
	bool answered = v->state_reach >= WAY_BACK_RECEIVE && lookup == v->lookups[ASK_REVERSE];
	f->confidence = answered ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	/* Filters of the forward hook see an answer also on the wrong way. */
	f->stays = v->state_reach < WAY_TUNNEL_BACK && !v->side_back;
	classify(v, &lookup->lookup, f);
	doubt_link(v, f);
	if (!v->config)
		doubt(f, CODE_TUNNEL_SOURCE_NOT_IN_RANGES);
	if (!v->links[ROLE_LAN] && f->confidence < CONFIDENCE_UNDETERMINED && v->links[ROLE_MESH] &&
		v->links[ROLE_MESH]->link.master[0])
		doubt(f, CODE_VRF_MISMATCH);
	return true;
}

/* Nobody could be asked where answers go; they were seen going wrong. */
static bool astray(const struct view *v, struct finding *f)
{
	const struct fact *lookup = v->lookups[ASK_REVERSE];
	const struct fact *seen = led_astray(v);

	if (!seen)
		seen = view_drop(v, "IP_INNOROUTES", "", false);
	if (!seen || (lookup && !leads_to_mesh(v, lookup)))
		return false;
	cite_symptoms(v, f);
	finding_cite(f, lookup);
	name_range(v, f);
	f->until = WAY_BACK_EGRESS;
	if (lookup) {
		f->confidence = CONFIDENCE_LIKELY;
		f->code = CODE_ASYMMETRIC_PATH;
		return true;
	}
	FINDING_FAMILY(f, CODE_RETURN_ROUTE_MISSING, CODE_RETURN_ROUTE_SHADOWED,
		CODE_POLICY_RULE_CAPTURES_RETURN, CODE_CGNAT_OVERLAP, CODE_TUNNEL_INTERFACE_MISSING,
		CODE_VRF_MISMATCH, CODE_RANGE_OVERLAPS_LAN);
	finding_want(f, OBSERVER_ROUTES);
	return true;
}

static bool vrf(const struct view *v, struct finding *f)
{
	struct side s = side_back(v);
	return side_vrf(v, &s, f);
}

static const struct fact *repeated_syn(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));)
		if (p->packet.origin == ORIGIN_REAL && p->packet.point == POINT_TUN_IN &&
			p->packet.packet == PACKET_SYN && packet_is_repeated(&p->packet))
			return p;
	return nullptr;
}

/* The tunnel's program does not take packets as fast as they come. */
static bool queue_full(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "FULL_RING", "", false);
	char name[FACT_NAME_LEN];

	/* Under load a queue is full now and then; flows go on. */
	const struct packet_query data = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_DATA, false};
	bool go_on = v->reach[ORIGIN_REAL].any >= WAY_TALK || view_packet(v, data);
	if (calls_known(v) ? call_hears(v) != nullptr : go_on)
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "interface", v->mesh);
	finding_set_text(f, "dev", v->mesh);
	size_t len = strlen(v->mesh);
	memcpy(name, v->mesh, len);
	memcpy(name + len, ".tx_dropped", sizeof(".tx_dropped"));
	const struct fact *grew = view_grew(v, name);
	finding_cite(f, grew);
	if (drop)
		f->stays = true;
	const struct fact *told = view_condition(v, "tunnel-queue-full");
	finding_cite(f, told);
	if (!drop && told && grew) {
		f->confidence = CONFIDENCE_LIKELY;
		f->stays = true;
		return true;
	}
	if (drop && !repeated_syn(v) && !told)
		FINDING_FAMILY(f, CODE_TUNNEL_QUEUE_FULL, CODE_HEALTHY);
	return drop;
}

static bool egress(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "QDISC_*", "", false);
	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "dev", drop->drop.interface);
	finding_set_text(f, "interface", drop->drop.interface);
	finding_set_text(f, "reason", drop->drop.reason);
	/* Those of the diagnosis are not let into the tunnel. */
	if (!strcmp(drop->drop.interface, v->mesh))
		f->until = WAY_TALK;
	/* That is also what an interface without its program says. */
	if (!view_link_works(v, ROLE_MESH))
		FINDING_FAMILY(f, CODE_TUNNEL_INTERFACE_DOWN, CODE_EGRESS_QUEUE_DROP);
	return true;
}

static const struct fact *repeated_answer(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));)
		if (p->packet.origin == ORIGIN_REAL && p->packet.point == POINT_TUN_OUT &&
			!p->packet.to_target && p->packet.packet == PACKET_SYN_ACK &&
			packet_is_repeated(&p->packet))
			return p;
	return nullptr;
}

/* An answer that left before the caller asked once more for the same. */
static const struct fact *answered_before(const struct view *v, const struct fact *again)
{
	const struct packet_query q = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_SYN_ACK, false};
	const struct fact *answer = view_packet(v, q);

	return again && answer && answer->packet.first_us > 0 &&
			       again->packet.last_us > answer->packet.first_us
		       ? answer
		       : nullptr;
}

/* Answers leave into the tunnel and the caller goes on asking. */
static bool return_lost(const struct view *v, struct finding *f)
{
	const struct packet_query out = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_SYN_ACK, false};
	const struct fact *syn = repeated_syn(v), *answer = repeated_answer(v);
	const struct fact *deaf = call_in(v, CALL_DEAF);
	const struct fact *no_ack = view_no_packet(
		v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN, PACKET_ACK, true});

	if (calls_known(v)) {
		/* Where others hear, one packet was lost. */
		if (!deaf || call_hears(v))
			return false;
		finding_cite(f, deaf);
		answer = view_packet(v, out);
	} else {
		if (!answer)
			answer = answered_before(v, syn);
		if (!answer || (!syn && !no_ack) || v->reach[ORIGIN_REAL].any >= WAY_TALK)
			return false;
	}
	finding_cite(f, answer);
	finding_cite(f, syn);
	finding_cite(f, no_ack);
	f->event = true;
	f->origin = ORIGIN_REAL;
	f->stays = true;
	bool wrong = answer && answer->packet.source.family != AF_UNSPEC &&
		     addr_cmp(&answer->packet.source, &v->e->flow.target) != 0;
	if (wrong) {
		f->code = CODE_TUNNEL_DAEMON_REJECTS_SOURCE;
		f->confidence = CONFIDENCE_LIKELY;
		finding_set_addr(f, "address", &answer->packet.source);
		return true;
	}
	FINDING_FAMILY(f, CODE_TUNNEL_RETURN_LOST, CODE_TUNNEL_DAEMON_REJECTS_SOURCE,
		CODE_TUNNEL_QUEUE_FULL);
	/* One may have lost its way home, or itself. */
	if (calls_unheard(v) == 1)
		finding_may_be(f, CODE_HEALTHY);
	return true;
}

/* What somebody's last rule let pass on its way back, by the trace. */
static const struct fact *let_out(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		if (t->trace.origin == ORIGIN_REAL && !t->trace.to_target &&
			!strcmp(t->trace.hook, "postrouting") &&
			!strcmp(t->trace.verdict, "accept"))
			return t;
	return nullptr;
}

/* Answers come in from the LAN and are dropped nowhere, and none leaves under the target's name:
 * somebody gives them another source, behind where the diagnosis ends its own. */
static bool renamed(const struct view *v, struct finding *f)
{
	const struct packet_query in = {ORIGIN_REAL, POINT_LAN_IN, PACKET_KINDS, false};
	const struct packet_query out = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_KINDS, false};
	const struct fact *call = call_in(v, CALL_SILENT), *answer = view_packet(v, in);
	const struct fact *last = let_out(v), *works = view_completed(v, ORIGIN_INJECTED);

	if (!call || !answer || !works || view_packet(v, out) || call_hears(v) ||
		v->missing[OBSERVER_TRACE] || v->missing[OBSERVER_PACKETS] ||
		v->missing[OBSERVER_DROPS] || view_trace(v, false) || view_drop(v, "", "", false))
		return false;
	finding_cite(f, call);
	finding_cite(f, answer);
	finding_cite(f, works);
	f->event = f->stays = true;
	f->origin = ORIGIN_REAL;
	if (!last) {
		FINDING_FAMILY(f, CODE_TUNNEL_DAEMON_REJECTS_SOURCE, CODE_FILTER_DROP_POSTROUTING,
			CODE_TUNNEL_RETURN_LOST, CODE_HEALTHY);
		return true;
	}
	filter_blame(last, f);
	f->confidence = CONFIDENCE_LIKELY;
	return true;
}

static const struct rule list[] = {
	{CODE_TC_OR_XDP_DROP, WAY_BACK_RECEIVE, tc_or_xdp},
	{CODE_FILTER_DROP_FORWARD, WAY_BACK_FORWARD, filter_traced_back},
	{CODE_FILTER_DROP_FORWARD, WAY_BACK_FORWARD, filter_dropped_back},
	{CODE_LSM_DROP, WAY_BACK_FORWARD, lsm},
	{CODE_RP_FILTER_STRICT, WAY_BACK_ROUTE, rp_filter},
	{CODE_FORWARDING_DISABLED_ON_INTERFACE, WAY_BACK_ROUTE, forwarding},
	{CODE_VRF_MISMATCH, WAY_BACK_ROUTE, vrf},
	{CODE_ROUTE_BLACKHOLE, WAY_BACK_ROUTE, refused},
	{CODE_RETURN_ROUTE_MISSING, WAY_BACK_ROUTE, return_route},
	{CODE_RETURN_ROUTE_MISSING, WAY_BACK_ROUTE, astray},
	{CODE_EGRESS_QUEUE_DROP, WAY_BACK_EGRESS, egress},
	{CODE_TUNNEL_QUEUE_FULL, WAY_BACK_EGRESS, queue_full},
	{CODE_TUNNEL_RETURN_LOST, WAY_TUNNEL_BACK, return_lost},
	{CODE_TUNNEL_DAEMON_REJECTS_SOURCE, WAY_TUNNEL_BACK, renamed},
};
const struct rules rules_return = {list, sizeof(list) / sizeof(list[0])};
