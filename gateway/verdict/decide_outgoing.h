/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_outgoing: connections that this host begins itself, as the HTTP bridge's to its upstreams.
 * They are not forwarded: output and input take the place of forward, no source is validated but
 * the answer's, and no way back into the tunnel is needed. What the target says to the probes of
 * this host is the whole truth, and not a comparison. Private to this room.
 */
#include "verdict/decide_rule.h"

/* The target was heard of from behind the place of the finding. */
[[nodiscard]] bool outgoing_passed(const struct view *v, const struct finding *f);
/* What is said where no rule has found a cause. */
void outgoing_decide(const struct view *v, struct finding *f);
