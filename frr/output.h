/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * output: what vtysh printed while it took a script.
 *
 * FRR's refusals are found behind the echo of the line they are about, and so are known at the
 * line's place in meshgw.yaml. Neither silence nor exit status 0 proves that a line was taken, and
 * not every "%" refuses one (removing what is gone already); whoever needs to know reads the
 * running configuration again.
 */
#include "frr/script.h"

struct frr_refusal {
	const struct frr_line *line; /* of the script, borrowed */
	char text[200];              /* FRR's words, safe to show, without the secret */
};

/* Writes at most max refusals, in the order of the script, and returns how many there were. */
size_t frr_output_read(const struct frr_script *script, const char *text, size_t len,
	struct frr_refusal *out, size_t max);
