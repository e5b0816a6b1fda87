/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* decide_filter: what filters do to answers; the way back has rules of its own (decide_return.c).
 * Private to this room. */
#include "verdict/decide_rule.h"

bool filter_traced(const struct view *v, struct finding *f);
bool filter_traced_back(const struct view *v, struct finding *f);
bool filter_dropped_back(const struct view *v, struct finding *f);
