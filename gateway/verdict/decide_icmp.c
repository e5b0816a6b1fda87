/* SPDX-License-Identifier: Apache-2.0 */
/* Beyond the gateway somebody says why a packet goes no further. */
#include "verdict/decide_rule.h"
#include <string.h>

/* An ICMP error of somebody beyond, by the packet itself or as the probe reports it. */
struct voice {
	const struct fact *fact;
	struct addr sender;
	int64_t type, code;
};

static bool icmp_is_unreachable(const struct view *v, int64_t type)
{
	return type == (v->v6 ? 1 : 3);
}

/* The packet was sent back into the tunnel, and that is who refused it, whatever it gives as its
 * address: the error came in by no other interface. */
static bool is_tunnel(const struct view *v, const struct voice *voice)
{
	bool came = view_turned(v);
	size_t at = 0;

	for (const struct fact *i; (i = view_next(v, FACT_ICMP, &at));) {
		if (i->icmp.own || i->icmp.type != voice->type || i->icmp.code != voice->code ||
			addr_cmp(&i->icmp.sender, &voice->sender) != 0)
			continue;
		if (i->icmp.point == POINT_LAN_IN)
			return false;
		came = came || (i->icmp.point == POINT_TUN_IN && i->icmp.about_target_direction);
	}
	return came;
}

static bool heard(const struct view *v, struct voice *out)
{
	const struct fact *probe = v->probes[v->outgoing ? PROBE_OWN : PROBE_INJECTED];
	size_t at = 0;

	/* No kernel refuses TCP with an ICMP error (RFC 9293 section 3.10.7.1): a filter does. */
	bool filter = probe && v->tcp && probe->probe.outcome == OUTCOME_REFUSED &&
		      probe->probe.icmp_type >= 0;
	if (filter || (probe && probe->probe.outcome == OUTCOME_ERROR)) {
		*out = (struct voice){
			probe, probe->probe.sender, probe->probe.icmp_type, probe->probe.icmp_code};
		return !is_tunnel(v, out);
	}
	for (const struct fact *i; (i = view_next(v, FACT_ICMP, &at));) {
		/* An injected packet may have been for another port; the probe says. */
		bool counts = i->icmp.origin == ORIGIN_REAL ||
			      (i->icmp.origin == ORIGIN_INJECTED && !probe);
		if (i->icmp.own || !i->icmp.about_target_direction || !counts ||
			!icmp_is_unreachable(v, i->icmp.type) || i->icmp.point != POINT_LAN_IN)
			continue;
		*out = (struct voice){i, i->icmp.sender, i->icmp.type, i->icmp.code};
		return true;
	}
	return false;
}

static void cite_icmp(const struct view *v, struct finding *f, const struct voice *voice)
{
	size_t at = 0;
	for (const struct fact *i; (i = view_next(v, FACT_ICMP, &at));)
		if (!i->icmp.own && i->icmp.type == voice->type && i->icmp.code == voice->code &&
			!addr_cmp(&i->icmp.sender, &voice->sender))
			finding_cite(f, i);
}

/* RFC 1812 section 5.2.7.1, RFC 4443 section 3.1. */
static bool prohibits(const struct view *v, int64_t code)
{
	return v->v6 ? code == 1 || code == 5 || code == 6 : code == 9 || code == 10 || code == 13;
}

static const char *unreachable_str(const struct view *v, int64_t code)
{
	static const char *const v4[] = {"net", "host", "proto", "port"};
	static const char *const v6[] = {"net", "prohibited", "scope", "host", "port"};
	if (v->v6)
		return code >= 0 && code < 5 ? v6[code] : "other";
	return code >= 0 && code < 4 ? v4[code] : "other";
}

/* Fewer hops than any path needs. */
constexpr int64_t FEW_HOPS = 16;

static const struct fact *hops_at(
	const struct view *v, enum fact_origin origin, enum fact_point point)
{
	static const enum fact_packet_kind kinds[] = {PACKET_SYN, PACKET_UDP, PACKET_ECHO};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct packet_query q = {origin, point, kinds[i], true};
		const struct fact *p = view_packet(v, q);
		if (p && p->packet.ttl_min >= 0)
			return p;
	}
	return nullptr;
}

/* The hops ended beyond: packets that go in a circle, or that have too few of them left; a rule
 * here may have taken some. */
static void hops_ended(const struct view *v, struct finding *f)
{
	const struct fact *in = hops_at(v, f->origin, POINT_TUN_IN);
	const struct fact *out = hops_at(v, f->origin, POINT_LAN_OUT);
	int64_t left = out ? out->packet.ttl_min : -1;
	bool taken = in && out && left < in->packet.ttl_min - 1;

	finding_set(f, "type", "time-exceeded");
	if (!out || (!taken && left > FEW_HOPS)) {
		FINDING_FAMILY(f, CODE_ROUTING_LOOP, CODE_TTL_EXPIRED);
		return;
	}
	f->code = CODE_TTL_EXPIRED;
	f->confidence = CONFIDENCE_LIKELY;
	f->at = taken ? AT_GATEWAY : ATS;
	finding_cite(f, out);
	finding_cite(f, in);
	finding_set_number(f, "value", out->packet.ttl_min);
	/* Its first packets may have gone round already. */
	if (!taken)
		FINDING_FAMILY(f, CODE_TTL_EXPIRED, CODE_ROUTING_LOOP);
}

static bool icmp_error(const struct view *v, struct finding *f)
{
	struct voice voice;

	if (!heard(v, &voice))
		return false;
	finding_cite(f, voice.fact);
	cite_icmp(v, f, &voice);
	finding_set_addr(f, "sender", &voice.sender);
	finding_set_addr(f, "target", &v->e->flow.target);
	finding_set_number(f, "code", voice.code);
	/* Without the probe nobody knows whether it is about the port that is meant. */
	if (voice.fact->kind == FACT_ICMP && voice.fact->icmp.origin == ORIGIN_INJECTED) {
		FINDING_FAMILY(f, CODE_UPSTREAM_ICMP_UNREACHABLE, CODE_UPSTREAM_ADMIN_PROHIBITED,
			CODE_SERVICE_UDP_PORT_CLOSED, CODE_UPSTREAM_FILTERS_RANGE,
			CODE_UPSTREAM_RETURN_ROUTE_MISSING, CODE_SERVICE_SILENT_DROP);
		return true;
	}
	f->event = true;
	f->origin = voice.fact->kind == FACT_ICMP ? voice.fact->icmp.origin : ORIGIN_INJECTED;
	f->stays = v->tcp && voice.fact->kind == FACT_PROBE; /* the error came all the way back */
	/* Nobody said so of the packets that are like the flow's. */
	if (f->origin == ORIGIN_REAL && view_outcome(v, PROBE_INJECTED) == OUTCOME_SILENT)
		f->confidence = CONFIDENCE_LIKELY;
	if (voice.type == (v->v6 ? 3 : 11)) {
		hops_ended(v, f);
		return true;
	}
	if (!icmp_is_unreachable(v, voice.type))
		return false;
	finding_set_text(f, "type", unreachable_str(v, voice.code));
	if (prohibits(v, voice.code))
		f->code = CODE_UPSTREAM_ADMIN_PROHIBITED;
	else if (v->udp && !addr_cmp(&voice.sender, &v->e->flow.target) &&
		 voice.code == (v->v6 ? 4 : 3))
		return false; /* the service's own: decide_service.c */
	if (!addr_cmp(&voice.sender, &v->e->flow.target))
		f->at = AT_SERVICE;
	return true;
}

static const struct rule list[] = {
	{CODE_UPSTREAM_ICMP_UNREACHABLE, WAY_LAN, icmp_error},
};
const struct rules rules_icmp = {list, sizeof(list) / sizeof(list[0])};

static const struct rule own[] = {
	{CODE_UPSTREAM_ICMP_UNREACHABLE, WAY_LAN, icmp_error},
};
const struct rules rules_icmp_own = {own, sizeof(own) / sizeof(own[0])};
