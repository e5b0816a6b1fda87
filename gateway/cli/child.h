/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * child: a program that is run for its output, and cannot hold us up.
 *
 * It reads its input from a file that has no name (/dev/stdin can be opened again), so that no
 * side waits for the other. It is killed at its deadline, and what it prints is bounded. Of
 * its standard error the last line is kept: the reason, if it failed.
 */
#include <stddef.h>
#include <stdint.h>

struct child {
	const char *const
		*argv;     /* argv[0] is a path or is looked for in $PATH; ends with nullptr */
	const char *input; /* nullptr = nothing to read */
	size_t input_len;
	uint64_t timeout_us;
	size_t output_max; /* what is beyond it is cut off; 0 = too much is an error */
};

struct child_result {
	char *output; /* owned, NUL-terminated */
	size_t len;
	bool cut;
	int code; /* exit status, or 128 and the signal, as a shell shows it */
	char last_words[160];
};

/* 0; or -ETIME at the deadline, -EMSGSIZE when it printed too much, another -errno when it could
 * not be run. *out is written only on success. */
[[nodiscard]] int child_run(const struct child *child, struct child_result *out);
