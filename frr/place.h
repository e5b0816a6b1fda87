/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * place: in which block, and in which part of it, the next line of a script stands.
 *
 * frr_place_go() writes the lines that lead from one place to another: "exit-address-family",
 * "exit", and the heads of the block and part that are entered. A head that is new is written by
 * the caller as a statement, who then calls frr_place_opened().
 */
#include "frr/script.h"

struct frr_place {
	const char *block, *part; /* "" = none; borrowed */
	bool for_vtysh;           /* not for a file */
};

constexpr struct frr_mark FRR_NOWHERE = {};

void frr_place_go(struct frr_script *script, struct frr_place *at, const char *block,
	const char *part, struct frr_mark mark);
/* The first half of it: leaves what is not on the way. */
void frr_place_leave(
	struct frr_script *script, struct frr_place *at, const char *block, const char *part);
/* The statement just written may be the head of a block ("bfd") or part ("profile X"). */
void frr_place_opened(struct frr_place *at, const char *text);
/* How deep a line stands there. */
const char *frr_place_indent(const struct frr_place *at);
