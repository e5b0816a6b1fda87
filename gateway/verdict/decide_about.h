/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_about: what is said when no rule found a cause, and around one that was found. Private to
 * this room.
 */
#include "verdict/decide_rule.h"

/* No cause: the flow works, nobody used it, or the evidence is not enough. */
void about_decide(const struct view *v, struct finding *f);
/* The flow works, or what was seen speaks for it (decide_health.c); false: neither. */
bool health_decide(const struct view *v, struct finding *f);
/* What was found may be of before or of after the change. */
void about_changed(struct finding *f);
/* What merely follows from the cause. */
void about_consequences(const struct view *v, struct verdict *out);
void about_summary(const struct view *v, const struct finding *f, struct verdict *out);

enum verdict_point point_of_way(enum way way);
