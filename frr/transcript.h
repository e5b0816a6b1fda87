/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * transcript: what vtysh answered to each line of a script.
 *
 * vtysh echoes every line it reads behind a prompt ("gw(config-router)# exit"), so its output is
 * cut at the echoes of the script's lines, in their order. Any bytes are taken. A line whose echo
 * is not found has no answer: vtysh died before it, or was not called as README.md says.
 *
 * An answer points into the text, and the text holds the passwords of the script.
 */
#include "frr/script.h"

struct frr_answer {
	const char *text; /* nullptr = the line was not reached; not NUL-terminated */
	size_t len;
};

/* Writes one answer per line of the script. */
void frr_transcript_cut(
	const struct frr_script *script, const char *text, size_t len, struct frr_answer *answers);

/* The answer to the first line with that text, as cut before. */
struct frr_answer frr_transcript_find(
	const struct frr_script *script, const struct frr_answer *answers, const char *line);
