/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge: the program's main thread: what it is told by meshgwd, or by a file and systemd, goes to
 * the threads that serve; their questions go to meshgwd.
 */
#include "lib/err.h"

struct bridge_options {
	const char *socket; /* of meshgwd */
	const char *file;   /* of the configuration; nullptr = meshgwd tells it */
};

/* Until it is told to stop and has drained. */
[[nodiscard]] int bridge_run(const struct bridge_options *options, struct err *err);
