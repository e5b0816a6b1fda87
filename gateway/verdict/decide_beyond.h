/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* decide_beyond: what BGP tells about a site that does not answer the range. Private to this room.
 */
#include "verdict/decide_rule.h"

/* The site's way to the range depends on BGP, and BGP is why there is none. Puts a finding that
 * says "no way back, or a filter" more exactly; false: BGP has no part in it. */
bool bgp_refine(const struct view *v, struct finding *f);
