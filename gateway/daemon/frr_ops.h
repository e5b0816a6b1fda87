/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_ops: a script for FRR as operations of a plan, one for each statement that comes or goes.
 * Lines that only lead into a block or out of it are none; secrets are hidden.
 */
#include "daemon/plan.h"
#include "frr/diff.h"

/* Appends. running: what the difference was taken from. */
void frr_ops_add(const struct frr_diff *diff, const struct frr_running *running, struct ops *ops);
