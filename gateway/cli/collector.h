/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collector: the raw state that a bundle holds beside the verdict, by a fixed table of commands
 * and files. Each has a deadline and a size that it cannot exceed, changes nothing, and may fail:
 * then that is part of the bundle.
 */
#include "lib/own.h"
#include <stdint.h>
#include <systemd/sd-json.h>

struct collector {
	const char *name;
	const char *const *argv; /* of a command; nullptr = a file */
	const char *file;
};
extern const struct collector collectors[]; /* ends with an empty row */

struct collected {
	char *text; /* owned; bytes of any kind, never nullptr */
	size_t len;
	bool cut;   /* there was more */
	int status; /* of a command, -1 = none */
	uint64_t took_ms;
	char why[512]; /* why it failed, "" = it did not */
};

void collector_run(const struct collector *c, uint64_t timeout_us, struct collected *out);
/* {"name", "command" or "file", "status", "ms", "bytes", "cut", "why"}, for task-result.json. */
sd_json_variant *collected_json(const struct collector *c, const struct collected *result);
