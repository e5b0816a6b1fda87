/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_once: frr_sync and frr_plan for who has no loop: each run of vtysh is waited for.
 */
#include "daemon/frr_plan.h"

/* Appends what a configuration (nullptr: taking down) would change in FRR. program: vtysh, nullptr
 * = where FRR's package puts it. before and memory as in frr_plan_begin(). */
void frr_once_plan(const char *program, const struct config *config, const struct config *before,
	const struct frr_memory *memory, struct ops *ops, struct conditions *out);

/* One attempt to remove everything of ours; *s is made by frr_sync_init() with its memory, and its
 * gateway is in GATEWAY_DOWN. dir: of its
 * sockets, nullptr = FRR's own. before may be nullptr. 0, also where FRR does not run, or -errno
 * with a sentence. What was done is in s->ops. */
[[nodiscard]] int frr_once_remove(const char *program, const char *dir, struct frr_sync *s,
	const struct config *before, struct err *err);
