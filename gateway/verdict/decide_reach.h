/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_reach: how far packets came, from all facts that show one at some place. Private to this
 * room.
 */
#include "verdict/decide_view.h"

/* Fills in reach, state_reach and side_back; the rest of the view must be there. */
void reach_measure(struct view *v);

/* The place at which the kernel gives this reason, going to the target; WAY_NOWHERE = unknown. */
enum way reach_of_drop(const struct fact_drop *d);
