/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* decide_nat: what connection tracking tells about a drop that no rule explains. Private to this
 * room. */
#include "verdict/decide_rule.h"

/* Is the table of connections full? 1, 0, -1 = not known. */
int nat_conntrack_full(const struct view *v);
void nat_cite_conntrack(const struct view *v, struct finding *f);

/* What shows that new flows like this one get another source; nullptr: nothing does. */
const struct fact *nat_in_play(const struct view *v);

/* There is no address that a masqueraded packet could get. */
bool nat_no_source_address(const struct view *v, struct finding *f);
