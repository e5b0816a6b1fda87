/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fix_do: the steps of fix.h, done. Everything is looked at again first: the evidence may be
 * minutes old, and what is not there any more needs no repair.
 */
#include "conf/config.h"
#include "daemon/fix.h"

struct fix_tools;

/* Sockets of their own. */
[[nodiscard]] int fix_tools_open(struct fix_tools **out, struct err *err);
void fix_tools_close(struct fix_tools *t); /* nullptr is allowed */

/* Leaves out steps that are done already, and completes the others with what is there now. -ESTALE
 * and others with a sentence: it is not as it was diagnosed. FIX_APPLY is not looked at. */
[[nodiscard]] int fix_check(struct fix_tools *t, struct fix *f, struct err *err);
/* Does them in their order, up to the first that fails: of those in front of it err says how many
 * were done. Not FIX_APPLY. */
[[nodiscard]] int fix_do(struct fix_tools *t, const struct fix *f, struct err *err);

/* Recognised remains of repairs by hand: a table inet nat that masquerades the mesh and nobody else
 * (nft/mend_nat.h), and routes of the ranges into the tunnel beside ours. */
[[nodiscard]] int fix_find_leftovers(
	struct fix_tools *t, const struct config *config, struct fix *out, struct err *err);
