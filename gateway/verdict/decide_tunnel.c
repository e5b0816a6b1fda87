/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's own tunnel is away: the daemon's conditions tell, and no packet could, for what is
 * injected enters behind it. */
#include "verdict/decide_rule.h"
#include <string.h>

/* What stands by itself: there is no tunnel. Of the others each tells why none has begun, or why no
 * edge is connected, or heard of, if that is so; else they are about one edge of several, of a
 * while ago, or about what the tunnel does without. */
static bool is_enough(enum code code)
{
	return code == CODE_TUNNEL_NOT_ATTACHED || code == CODE_TUNNEL_NOT_BEGUN ||
	       code == CODE_TUNNEL_DISCONNECTED || code == CODE_TUNNEL_NO_ADDRESS;
}

/* These are remembered for minutes. */
static bool is_remembered(enum code code)
{
	return code == CODE_TUNNEL_PEER_BREACH || code == CODE_TUNNEL_PEER_DEAF;
}

/* What stands, and fits what else is told: of why none has begun, what that is for want of. */
static const struct fact *told_of(const struct view *v, enum code code, const struct fact *away)
{
	if (is_enough(code))
		return view_condition(v, code_str(code));
	if (!away)
		return nullptr;
	return code < CODE_TUNNEL_NOT_BEGUN
		       ? view_condition_of(v, code_str(code), away->condition.subject)
		       : view_condition(v, code_str(code));
}

static bool away(const struct view *v, struct finding *f)
{
	const struct packet_query q = {ORIGIN_REAL, POINT_TUN_IN, PACKET_KINDS, true};
	const struct fact *edge = view_edge_away(v), *begun = view_condition(v, "tunnel-not-begun");
	const struct fact *came = view_packet(v, q), *told = nullptr, *away = nullptr;
	enum code code = CODE_TUNNEL_NOT_ATTACHED;

	for (; code <= CODE_TUNNEL_NO_ADDRESS && !told; code++) {
		away = code <= CODE_TUNNEL_NOT_BEGUN ? begun : edge;
		told = told_of(v, code, away);
	}
	if (!told)
		return false;
	f->code = --code;
	finding_cite(f, told);
	finding_cite(f, away);
	finding_set_text(f, "subject", told->condition.subject);
	f->stays = true;
	if (is_remembered(code) || came)
		f->confidence = CONFIDENCE_LIKELY;
	/* It may be heard again, and meshgwd not know yet. */
	if (came && edge && !is_enough(code_parse(edge->condition.code)))
		FINDING_FAMILY(f, code, CODE_HEALTHY);
	return true;
}

static const struct rule list[] = {{CODE_TUNNEL_DISCONNECTED, WAY_ENTER, away}};
const struct rules rules_tunnel = {list, sizeof(list) / sizeof(list[0])};
