/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * once: the daemon's own code without a daemon, by running `meshgwd --once`.
 *
 * It prints one JSON object: what the method of the same name would have answered, or an object
 * with "error" and "parameters". $MESHGWD names another program than the installed one.
 */
#include "cli/failure.h"
#include <stddef.h>

struct once {
	const char *verb[8]; /* {"down"} or {"plan", "--down"}; unused ones are nullptr */
	const char *content; /* a configuration, handed over as a file; nullptr = none */
	size_t content_len;
	uint64_t timeout_us;
};

/* EXIT_DONE and *reply (owned by the caller), or the failure's status. *busy tells that a daemon
 * runs (again), which the caller should ask instead; it is written in every case. */
enum exit_status once_run(
	const struct once *once, sd_json_variant **reply, bool *busy, struct failure *f);
