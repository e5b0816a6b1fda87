/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* decide_filter: what filters do to answers; the way back has rules of its own (decide_return.c).
 * Private to this room. */
#include "verdict/decide_rule.h"

/* Tables of iptables-legacy, of which no trace tells. */
const struct fact *filter_legacy(const struct view *v);
/* The rule that ended a packet which this host sent to the target itself; nullptr: none was seen.
 */
const struct fact *filter_of_own(const struct view *v);
/* Cites a trace and names its rule. */
void filter_blame(const struct fact *trace, struct finding *f);
bool filter_traced(const struct view *v, struct finding *f);
bool filter_traced_back(const struct view *v, struct finding *f);
bool filter_dropped_back(const struct view *v, struct finding *f);
