/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_about.h"
#include "verdict/decide_outgoing.h"
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

	if (v->outgoing) {
		outgoing_decide(v, f);
		return;
	}
	if (health_decide(v, f))
		return;
	if (nobody_came(v) && (v->e->passive || !blind)) {
		f->code = CODE_NO_TRAFFIC_OBSERVED;
		f->confidence = CONFIDENCE_INCONCLUSIVE;
		finding_cite(f, view_no_packet(v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN,
							  PACKET_KINDS, true}));
		finding_cite(f, v->links[ROLE_MESH]);
		finding_may_be(f, CODE_TUNNEL_NO_INGRESS);
		finding_may_be(f, CODE_TUNNEL_REPLICA_PASSIVE);
		f->way = WAY_ENTER;
		return;
	}
	f->code = CODE_INCONCLUSIVE;
	f->confidence = CONFIDENCE_INCONCLUSIVE;
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
	if (f->code == CODE_HEALTHY && v->outgoing)
		title = "What this gateway itself sends to the target is answered";
	if (f->code == CODE_HEALTHY && f->alone)
		title = "What is sent here like a packet of the mesh is answered; nobody called "
			"meanwhile";
	snprintf(out->summary, sizeof(out->summary), "%s", title ? title : "");
}
