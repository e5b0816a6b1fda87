/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's routing, on the way to the service. */
#include "verdict/decide_side.h"
#include <errno.h>
#include <string.h>

static bool forwarding(const struct view *v, struct finding *f)
{
	struct side s = side_forward(v);
	return side_forwarding(v, &s, f);
}

static bool rp_filter(const struct view *v, struct finding *f)
{
	struct side s = side_forward(v);
	return side_rp_filter(v, &s, f);
}

static bool vrf(const struct view *v, struct finding *f)
{
	struct side s = side_forward(v);
	return side_vrf(v, &s, f);
}

static bool lan_missing(const struct view *v, struct finding *f)
{
	const struct fact *l = v->links[ROLE_LAN];
	enum fact_outcome own = view_outcome(v, PROBE_OWN);
	/* There may be another way to it than the one that is configured. */
	if (!l || l->link.exists || own == OUTCOME_ANSWERED || own == OUTCOME_REFUSED)
		return false;
	f->until = WAY_EGRESS;
	finding_cite(f, l);
	finding_cite(f, v->lookups[ASK_FORWARD]);
	finding_set_text(f, "interface", l->link.interface);
	f->confidence = CONFIDENCE_CERTAIN;
	/* Nobody saw that the other way does not lead there. */
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	if (!view_entered(v) && lookup && !lookup->lookup.error)
		FINDING_FAMILY(f, CODE_LAN_INTERFACE_MISSING, CODE_ROUTE_WRONG_EGRESS);
	return true;
}

/* Without carrier the routes stay and are marked; down, they are gone. */
static bool lan_down(const struct view *v, struct finding *f)
{
	const struct fact *l = v->links[ROLE_LAN];
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	bool marked = lookup && lookup->lookup.linkdown;

	if ((!l || !l->link.exists || (l->link.up && l->link.carrier)) && !marked)
		return false;
	f->until = WAY_EGRESS; /* neighbours fail for it as well */
	if (l && l->link.exists && !l->link.up) {
		f->code = CODE_LAN_INTERFACE_DOWN;
	} else if (marked) {
		f->code = CODE_ROUTE_LINKDOWN;
		side_blame(f, lookup);
	} else {
		FINDING_FAMILY(f, CODE_LAN_INTERFACE_DOWN, CODE_ROUTE_LINKDOWN);
	}
	finding_cite(f, l);
	if (l)
		finding_set_text(f, "interface", l->link.interface);
	finding_cite(f, view_drop(v, "IP_INNOROUTES", "", true));
	finding_cite(f, lookup);
	return true;
}

static bool no_route(const struct view *v, struct finding *f)
{
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	const struct fact *drop = view_drop(v, "IP_INNOROUTES", "", true);
	bool none = lookup && lookup->lookup.error == ENETUNREACH;
	struct finding unused = *f;

	if ((!none && !(drop && !lookup)) || vrf(v, &unused))
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	finding_cite(f, lookup);
	finding_cite(f, view_grew(v, v->v6 ? "Ip6InNoRoutes" : "IpExtInNoRoutes"));
	finding_set_addr(f, "target", &v->e->flow.target);
	struct side s = side_forward(v);
	f->confidence = drop ? CONFIDENCE_CERTAIN : side_confidence(v, &s);
	if (!view_link_works(v, ROLE_LAN))
		FINDING_FAMILY(f, CODE_NO_ROUTE_TO_DESTINATION, CODE_LAN_INTERFACE_DOWN,
			CODE_LAN_INTERFACE_MISSING, CODE_ROUTE_LINKDOWN, CODE_VRF_MISMATCH);
	else if (!v->links[ROLE_MESH])
		FINDING_FAMILY(f, CODE_NO_ROUTE_TO_DESTINATION, CODE_VRF_MISMATCH);
	/* IPv6 gives this reason for entries that refuse as well. */
	if (!lookup && v->v6) {
		FINDING_FAMILY(f, CODE_NO_ROUTE_TO_DESTINATION);
		finding_may_be(f, CODE_ROUTE_UNREACHABLE);
		finding_may_be(f, CODE_ROUTE_PROHIBIT);
	}
	return true;
}

static bool refused(const struct view *v, struct finding *f)
{
	struct side s = side_forward(v);
	return side_refused(v, &s, f);
}

/* The packet is sent back into the tunnel. */
static bool hairpin(const struct view *v, struct finding *f)
{
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	const struct fact *out = view_packet(
		v, (struct packet_query){ORIGINS, POINT_TUN_OUT, PACKET_KINDS, true});
	bool led = view_turned(v);

	if (!led && !(out && !lookup))
		return false;
	f->until = WAY_EGRESS; /* filters see it on its wrong way, too */
	finding_cite(f, out);
	side_blame(f, lookup);
	finding_set_addr(f, "target", &v->e->flow.target);
	struct side s = side_forward(v);
	f->confidence = side_confidence(v, &s);
	f->stays = led && v->state_reach < WAY_LAN; /* filters see it on the wrong way, too */
	if (!led || !lookup->lookup.entry)
		FINDING_FAMILY(f, CODE_ROUTE_HAIRPIN_TUNNEL, CODE_WARP_TABLE_CAPTURES_LAN,
			CODE_RANGE_OVERLAPS_LAN);
	else if (lookup->lookup.table == WARP_TABLE)
		f->code = CODE_WARP_TABLE_CAPTURES_LAN;
	else if (!v->config)
		FINDING_FAMILY(f, CODE_ROUTE_HAIRPIN_TUNNEL, CODE_RANGE_OVERLAPS_LAN);
	return true;
}

static bool overlaps(const struct view *v, struct finding *f)
{
	if (!v->config || v->config->config.range.addr.family == AF_UNSPEC ||
		v->config->config.network.addr.family == AF_UNSPEC ||
		!prefix_overlaps(&v->config->config.range, &v->config->config.network))
		return false;
	finding_cite(f, v->config);
	finding_set_prefix(f, "range", &v->config->config.range);
	finding_set_prefix(f, "network", &v->config->config.network);
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	bool taken = lookup && !view_is_lan(v, lookup->lookup.oif);
	f->until = WAY_EGRESS;
	if (taken)
		finding_cite(f, lookup);
	f->confidence = taken ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	return true;
}

/* The configuration names the interface of a network; without one nobody can say what is wrong. */
static bool wrong_egress(const struct view *v, struct finding *f)
{
	const struct fact *lookup = v->lookups[ASK_FORWARD];

	if (!lookup || lookup->lookup.error || !lookup->lookup.oif[0] || !v->lan[0] ||
		view_is_lan(v, lookup->lookup.oif) || !strcmp(lookup->lookup.oif, v->mesh) ||
		!strcmp(lookup->lookup.type, "local") || view_ends_here(v))
		return false;
	f->until = WAY_EGRESS;
	side_blame(f, lookup);
	finding_set_text(f, "interface", lookup->lookup.oif);
	finding_set_text(f, "wanted", v->lan);
	struct side s = side_forward(v);
	f->confidence = side_confidence(v, &s);
	f->stays = v->state_reach <= WAY_LAN;
	if (!view_link_works(v, ROLE_LAN))
		FINDING_FAMILY(f, CODE_ROUTE_WRONG_EGRESS, CODE_LAN_INTERFACE_DOWN,
			CODE_LAN_INTERFACE_MISSING, CODE_ROUTE_LINKDOWN, CODE_VRF_MISMATCH);
	else if (!v->links[ROLE_MESH])
		FINDING_FAMILY(f, CODE_ROUTE_WRONG_EGRESS, CODE_VRF_MISMATCH);
	return true;
}

/* What left comes back by the tunnel, again and again: the way out leads to the provider. */
static bool comes_back(const struct view *v, struct finding *f)
{
	const struct fact *lookup = v->lookups[ASK_FORWARD];
	const struct fact *in = view_packet(
		v, (struct packet_query){ORIGIN_INJECTED, POINT_TUN_IN, PACKET_KINDS, true});
	const struct fact *out = view_packet(
		v, (struct packet_query){ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_KINDS, true});

	if (!in || !out || in->packet.count < 3 * in->packet.distinct ||
		in->packet.ttl_max - in->packet.ttl_min < 3)
		return false;
	finding_cite(f, in);
	finding_cite(f, out);
	side_blame(f, lookup);
	finding_set_text(f, "interface", out->packet.interface);
	f->confidence = CONFIDENCE_LIKELY;
	f->until = WAY_LAN;
	if (!lookup)
		FINDING_FAMILY(f, CODE_ROUTE_WRONG_EGRESS, CODE_ROUTING_LOOP);
	return true;
}

static const struct rule list[] = {
	{CODE_RP_FILTER_STRICT, WAY_ROUTE, rp_filter},
	{CODE_FORWARDING_DISABLED, WAY_ROUTE, forwarding},
	{CODE_LAN_INTERFACE_MISSING, WAY_ROUTE, lan_missing},
	{CODE_LAN_INTERFACE_DOWN, WAY_ROUTE, lan_down},
	{CODE_VRF_MISMATCH, WAY_ROUTE, vrf},
	{CODE_RANGE_OVERLAPS_LAN, WAY_ROUTE, overlaps},
	{CODE_ROUTE_BLACKHOLE, WAY_ROUTE, refused},
	{CODE_NO_ROUTE_TO_DESTINATION, WAY_ROUTE, no_route},
	{CODE_ROUTE_HAIRPIN_TUNNEL, WAY_ROUTE, hairpin},
	{CODE_ROUTE_WRONG_EGRESS, WAY_ROUTE, wrong_egress},
	{CODE_ROUTE_WRONG_EGRESS, WAY_ROUTE, comes_back},
};
const struct rules rules_route = {list, sizeof(list) / sizeof(list[0])};

static const struct rule own[] = {
	{CODE_LAN_INTERFACE_MISSING, WAY_ROUTE, lan_missing},
	{CODE_LAN_INTERFACE_DOWN, WAY_ROUTE, lan_down},
	{CODE_ROUTE_BLACKHOLE, WAY_ROUTE, refused},
	{CODE_NO_ROUTE_TO_DESTINATION, WAY_ROUTE, no_route},
	{CODE_ROUTE_HAIRPIN_TUNNEL, WAY_ROUTE, hairpin},
	{CODE_ROUTE_WRONG_EGRESS, WAY_ROUTE, wrong_egress},
};
const struct rules rules_route_own = {own, sizeof(own) / sizeof(own[0])};
