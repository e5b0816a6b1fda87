/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_side: what both directions of a flow meet alike in routing: forwarding, source validation,
 * routes that refuse. Private to this room.
 */
#include "verdict/decide_rule.h"

/* One direction, as routing sees it. */
struct side {
	bool back;
	const char *iif;           /* packets enter by it */
	const struct fact *lookup; /* as they are asked for, with iif */
	const struct fact *bare;   /* as if sent locally */
	const struct fact *source; /* the way to where they come from */
	const struct addr *from, *to;
};
struct side side_forward(const struct view *v);
struct side side_back(const struct view *v);

bool side_forwarding(const struct view *v, const struct side *s, struct finding *f);
bool side_rp_filter(const struct view *v, const struct side *s, struct finding *f);
/* The lookup was refused: no route, or one to nowhere. */
bool side_refused(const struct view *v, const struct side *s, struct finding *f);
bool side_vrf(const struct view *v, const struct side *s, struct finding *f);

/* Cites the lookup and says which entry and rule answered. */
void side_blame(struct finding *f, const struct fact *lookup);
/* Certain where packets were seen to take this way, else likely. */
enum confidence side_confidence(const struct view *v, const struct side *s);
