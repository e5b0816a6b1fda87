/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_plan: what a configuration would change in FRR, between the question (a reading of FRR, by
 * a loop or without one) and the answer. Writes nothing.
 */
#include "daemon/condition.h"
#include "daemon/frr_sync.h"

struct frr_plan {
	const struct config *config; /* nullptr: what taking down would change */
	struct frr_memory memory;
	struct frr_secrets secrets;
	struct frr_built asked; /* what the reading asks about */
	char interface[IFNAMSIZ];
};

/* Is there anything to ask FRR? Then *p is made, to be cleared; config is borrowed until then.
 * before: what runs, nullptr = not known: where statics of ours may be while everything is removed.
 */
bool frr_plan_begin(struct frr_plan *p, const struct config *config, const struct config *before,
	const struct frr_memory *memory);
/* Appends operations, and conditions that would stand. view: nullptr = FRR could not be read, for
 * the reason why. */
void frr_plan_end(const struct frr_plan *p, const struct frr_view *view, const struct err *why,
	struct ops *ops, struct conditions *out);
void frr_plan_clear(struct frr_plan *p);
