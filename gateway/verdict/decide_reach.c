/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_reach.h"
#include "verdict/decide_call.h"
#include <string.h>

/* The same place on the way back. */
static enum way turned(enum way way)
{
	switch (way) {
	case WAY_RECEIVE:
		return WAY_BACK_RECEIVE;
	case WAY_PREROUTING:
		return WAY_BACK_PREROUTING;
	case WAY_ROUTE:
		return WAY_BACK_ROUTE;
	case WAY_FORWARD:
		return WAY_BACK_FORWARD;
	case WAY_POSTROUTING:
		return WAY_BACK_POSTROUTING;
	case WAY_EGRESS:
		return WAY_BACK_EGRESS;
	default:
		return way;
	}
}

/* include/net/dropreason-core.h; the functions are those of net/ipv4, net/ipv6, net/core. */
static const struct {
	const char *reason, *function;
	enum way way;
} drops[] = {
	{"XDP", "", WAY_RECEIVE},
	{"NOT_SPECIFIED", "do_xdp_generic", WAY_RECEIVE},
	{"TC_INGRESS", "", WAY_RECEIVE},
	{"IPV6DISABLED", "", WAY_RECEIVE},
	{"IP_CSUM", "", WAY_RECEIVE},
	{"IP_RPFILTER", "", WAY_ROUTE},
	{"IP_LOCALNET", "", WAY_ROUTE},
	{"IP_LOCAL_SOURCE", "", WAY_ROUTE},
	{"IP_INVALID_SOURCE", "", WAY_ROUTE},
	{"IP_INVALID_DEST", "", WAY_ROUTE},
	{"IP_INADDRERRORS", "", WAY_ROUTE},
	{"IP_INNOROUTES", "", WAY_ROUTE},
	{"NOT_SPECIFIED", "ip_error", WAY_ROUTE},
	{"NOT_SPECIFIED", "dst_discard_out", WAY_ROUTE},
	{"IP_INHDR", "ip_forward", WAY_FORWARD},
	{"IP_INHDR", "ip6_forward", WAY_FORWARD},
	{"PKT_TOO_BIG", "", WAY_FORWARD},
	{"NEIGH_FAILED", "", WAY_EGRESS},
	{"NEIGH_CREATEFAIL", "", WAY_EGRESS},
	{"NEIGH_QUEUEFULL", "", WAY_EGRESS},
	{"NEIGH_DEAD", "", WAY_EGRESS},
	{"NOT_SPECIFIED", "neigh_invalidate", WAY_EGRESS},
	{"QDISC_DROP", "", WAY_EGRESS},
	{"TC_EGRESS", "", WAY_EGRESS},
	{"FULL_RING", "", WAY_EGRESS},
};

enum way reach_of_drop(const struct fact_drop *d)
{
	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++)
		if (!strcmp(drops[i].reason, d->reason) &&
			(!drops[i].function[0] || !strcmp(drops[i].function, d->function)))
			return drops[i].way;
	return WAY_NOWHERE;
}

static enum way way_of_hook(const char *hook)
{
	static const struct {
		const char *hook;
		enum way way;
	} hooks[] = {
		{"ingress", WAY_RECEIVE},
		{"prerouting", WAY_PREROUTING},
		{"forward", WAY_FORWARD},
		{"input", WAY_FORWARD},
		{"postrouting", WAY_POSTROUTING},
		{"egress", WAY_EGRESS},
	};
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(hooks[i].hook, hook))
			return hooks[i].way;
	return WAY_NOWHERE;
}

static void reached(struct view *v, enum fact_origin origin, enum way way, bool begins)
{
	struct reach *r = &v->reach[origin];
	if (way > r->any)
		r->any = way;
	if (begins && way > r->begun)
		r->begun = way;
}

static void went(struct view *v, enum fact_origin origin, enum way way)
{
	struct reach *r = &v->reach[origin];
	if (way > r->there)
		r->there = way;
}

static enum way way_of_packet(const struct fact_packet *p)
{
	static const enum way to[POINTS] = {
		[POINT_TUN_IN] = WAY_RECEIVE,
		[POINT_LAN_OUT] = WAY_LAN,
		[POINT_LAN_IN] = WAY_LAN,    /* sent back by a router */
		[POINT_TUN_OUT] = WAY_ROUTE, /* where it should not go */
		[POINT_HOST] = WAY_SERVICE,
	};
	static const enum way back[POINTS] = {
		[POINT_TUN_IN] = WAY_NOWHERE,
		[POINT_LAN_OUT] = WAY_BACK_ROUTE, /* where it should not go */
		[POINT_LAN_IN] = WAY_BACK_RECEIVE,
		[POINT_TUN_OUT] = WAY_TUNNEL_BACK,
		[POINT_HOST] = WAY_SERVICE,
	};
	return p->to_target ? to[p->point] : back[p->point];
}

static bool begins(enum fact_packet_kind kind)
{
	return kind != PACKET_ACK && kind != PACKET_DATA && kind != PACKET_FIN &&
	       kind != PACKET_OTHER && kind != PACKET_FRAGMENT;
}

static void from_packet(struct view *v, const struct fact_packet *p)
{
	if (!p->count)
		return;
	reached(v, p->origin, way_of_packet(p), begins(p->packet));
	if (p->to_target)
		went(v, p->origin, way_of_packet(p));
	/* A handshake's last packet, or a request: what answered it has come to the caller. */
	if (p->point == POINT_TUN_IN && p->to_target && v->tcp &&
		(p->packet == PACKET_ACK || p->packet == PACKET_DATA))
		reached(v, p->origin, WAY_TALK, false);
}

static void from_icmp(struct view *v, const struct fact_icmp *i)
{
	if (i->own || i->point != POINT_LAN_IN)
		return;
	reached(v, i->origin, i->about_target_direction ? WAY_LAN : WAY_BACK_ROUTE, true);
	if (i->about_target_direction)
		went(v, i->origin, WAY_LAN);
}

static void from_probe(struct view *v, const struct fact_probe *p)
{
	static const enum way came[OUTCOMES] = {
		[OUTCOME_ANSWERED] = WAY_TALK,
		[OUTCOME_REFUSED] = WAY_TUNNEL_BACK,
		[OUTCOME_ASTRAY] = WAY_BACK_ROUTE,
		[OUTCOME_ERROR] = WAY_NOWHERE,
		[OUTCOME_SILENT] = WAY_ENTER,
		[OUTCOME_LOCAL] = WAY_NOWHERE,
	};
	if (p->probe == PROBE_INJECTED)
		reached(v, ORIGIN_INJECTED, came[p->outcome], true);
	if ((p->probe == PROBE_INJECTED_OTHER || p->probe == PROBE_INJECTED_ECHO) &&
		(p->outcome == OUTCOME_ANSWERED || p->outcome == OUTCOME_REFUSED))
		v->side_back = true;
}

static void from_drop(struct view *v, const struct fact_drop *d)
{
	enum way way = reach_of_drop(d);
	/* There was an answer; what is on its way out may as well be this host's own refusal. */
	if (!d->to_target && !view_ends_here(v) && strcmp(d->interface, v->mesh) != 0)
		reached(v, d->origin, WAY_BACK_RECEIVE, true);
	if (way == WAY_ROUTE || way == WAY_RECEIVE || way == WAY_EGRESS)
		reached(v, d->origin, d->to_target ? way : turned(way), d->length < 200);
}

static void from_trace(struct view *v, const struct fact_trace *t)
{
	/* ICMP errors are traced as answers are; what passes is told by the probe anyway. */
	if (!t->to_target && t->origin == ORIGIN_INJECTED && !strcmp(t->verdict, "accept"))
		return;
	enum way way = way_of_hook(t->hook);
	reached(v, t->origin, t->to_target ? way : turned(way), true);
	if (t->to_target)
		went(v, t->origin, way);
}

static void from_conntrack(struct view *v, const struct fact_conntrack *c)
{
	/* Nothing is compared with what a caller's entry says passively. */
	if (c->origin == ORIGIN_REAL && v->e->passive && !view_real_entry(v))
		return;
	if (c->seen_reply)
		reached(v, c->origin, c->assured ? WAY_TALK : WAY_BACK_RECEIVE, false);
}

void reach_measure(struct view *v)
{
	v->by_socket = !v->probes[PROBE_INJECTED] &&
		       (v->probes[PROBE_RANGE] || v->missing[OBSERVER_INJECTION]);
	for (size_t i = 0; i < v->n; i++) {
		const struct fact *f = v->facts[i];
		if (f->kind == FACT_PACKET)
			from_packet(v, &f->packet);
		else if (f->kind == FACT_ICMP)
			from_icmp(v, &f->icmp);
		else if (f->kind == FACT_PROBE)
			from_probe(v, &f->probe);
		else if (f->kind == FACT_DROP)
			from_drop(v, &f->drop);
		else if (f->kind == FACT_TRACE)
			from_trace(v, &f->trace);
		else if (f->kind == FACT_CONNTRACK)
			from_conntrack(v, &f->conntrack);
	}
	/* The mesh's own flows to the target are of all ranges; the injected one is the one meant.
	 */
	v->state_reach =
		v->reach[v->reach[ORIGIN_INJECTED].any ? ORIGIN_INJECTED : ORIGIN_REAL].any;
}

/* What a caller sends is acknowledged, and may be all that is to be said. */
static const struct fact *acknowledged(const struct view *v)
{
	return view_packet(v, (struct packet_query){ORIGIN_REAL, POINT_TUN_OUT, PACKET_ACK, false});
}

static const struct fact *completed_call(const struct view *v, bool works)
{
	const struct fact *took = call_took(v, 0);

	if (!took && works && !call_in(v, CALL_SILENT) && !call_in(v, CALL_DEAF))
		return acknowledged(v);
	return took;
}

const struct fact *view_completed(const struct view *v, enum fact_origin origin)
{
	enum fact_outcome injected = view_outcome(v, PROBE_INJECTED);
	bool fails = injected < OUTCOMES && injected != OUTCOME_ANSWERED;

	if (origin == ORIGIN_INJECTED && injected == OUTCOME_ANSWERED)
		return v->probes[PROBE_INJECTED];
	/* What one sees of real flows then may be the rest of older ones. */
	bool mute = v->udp && view_outcome(v, PROBE_OWN) == OUTCOME_SILENT;
	if (fails && !(mute && origin == ORIGIN_REAL))
		return nullptr;
	if (origin == ORIGIN_REAL && calls_known(v))
		return completed_call(v, injected == OUTCOME_ANSWERED);
	static const enum fact_packet_kind answers[] = {
		PACKET_SYN_ACK, PACKET_UDP, PACKET_ECHO_REPLY, PACKET_DATA};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct fact *f = view_packet(
			v, (struct packet_query){origin, POINT_TUN_OUT, answers[i], false});
		if (f)
			return f;
	}
	return origin == ORIGIN_REAL && injected == OUTCOME_ANSWERED ? acknowledged(v) : nullptr;
}

const struct fact *view_real_entry(const struct view *v)
{
	const struct fact *entry = nullptr;
	size_t at = 0;

	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));) {
		if (c->conntrack.origin != ORIGIN_REAL)
			continue;
		if (!c->conntrack.seen_reply && v->e->passive)
			return nullptr;
		if (c->conntrack.seen_reply && !conntrack_is_over(c->conntrack.state))
			entry = c;
	}
	return entry;
}

bool view_real_repeats(const struct view *v)
{
	size_t at = 0;
	if (view_completed(v, ORIGIN_REAL))
		return false;
	if (calls_known(v))
		return call_in(v, CALL_SILENT) || call_in(v, CALL_DEAF);
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));) {
		const struct fact_packet *k = &p->packet;
		if (k->origin == ORIGIN_REAL && k->to_target && k->point == POINT_TUN_IN &&
			(v->tcp ? k->packet == PACKET_SYN && packet_is_repeated(k) : k->count > 2))
			return true;
	}
	return false;
}

bool view_works(const struct view *v)
{
	if (v->outgoing)
		return view_outcome(v, PROBE_OWN) == OUTCOME_ANSWERED;
	return view_completed(v, ORIGIN_INJECTED) || view_completed(v, ORIGIN_REAL);
}

const struct fact *view_answered_elsewhere(const struct view *v)
{
	const struct packet_query syn = {ORIGIN_REAL, POINT_TUN_IN, PACKET_SYN, true};
	const struct packet_query ack = {ORIGIN_REAL, POINT_TUN_IN, PACKET_ACK, true};
	const struct packet_query answer = {ORIGIN_REAL, POINT_LAN_IN, PACKET_KINDS, false};
	const struct packet_query out = {ORIGIN_REAL, POINT_TUN_OUT, PACKET_KINDS, false};
	const struct fact *began = view_packet(v, syn), *went_on = view_packet(v, ack);

	if (!v->tcp || !began || !went_on || packet_is_repeated(&began->packet) ||
		view_packet(v, answer) || view_packet(v, out))
		return nullptr;
	return went_on;
}

const struct fact *view_real(const struct view *v)
{
	const struct packet_query q = {ORIGIN_REAL, POINT_TUN_IN, PACKET_KINDS, true};
	const struct fact *seen = view_packet(v, q);
	size_t at = 0;
	if (!seen)
		seen = call_heard_of(v);
	for (const struct fact *t; !seen && (t = view_next(v, FACT_TRACE, &at));)
		if (t->trace.origin == ORIGIN_REAL && t->trace.to_target)
			seen = t;
	return seen;
}
