/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * observe: one connection, one call, one flow.
 *
 *   silent ── Observe ─▶ observing ── duration over ─▶ done ── the client goes ─▶ end
 *
 * A client that leaves in any state ends it, and so does one that does not make its call, or does
 * not go when it has its answer. Facts are sent as they change, not more often than clients can
 * use them, and not at all while they are not read.
 */
#include "lib/err.h"
#include "trace/capture.h"
#include "trace/hooks.h"

constexpr uint64_t OBSERVE_SILENCE_US = 5'000'000; /* until the call, and behind the answer */
constexpr uint64_t OBSERVE_REPLY_US = 50'000;      /* between two replies */

/* What was opened with privileges; all of it is borrowed. */
struct observer {
	struct capture capture;
	struct hooks *hooks;
	struct err no_packets, no_drops, no_injection; /* code 0 = it is there */
};

/* Serves the connection until its end; takes fd. 0 or -errno with a sentence. */
[[nodiscard]] int observe_run(struct observer *o, int fd, struct err *err);
