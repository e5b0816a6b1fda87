/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * progress: one line on a terminal that says what is waited for and how long already. It is
 * written over itself and wiped out at the end; where stderr is no terminal there is none.
 */
#include "cli/term.h"

struct progress {
	const struct term *term;
	const char *text; /* borrowed */
	uint64_t since_us;
	bool shown;
};

void progress_begin(struct progress *p, const struct term *t, const char *text);
/* struct progress, as the callback of a call that waits (client.h) */
void progress_tick(void *progress);
void progress_end(struct progress *p);
