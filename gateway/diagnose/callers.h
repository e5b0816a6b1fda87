/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * callers: have the mesh's own flows to the target been watched for long enough, and did anything
 * come back? Pure.
 *
 * What lies before this node, or in the tunnel, shows only in how callers go on: an answer that is
 * repeated because nobody acknowledged it, a request that is not answered. Both are repeated by
 * their senders' kernels after a second at the latest (RFC 6298).
 */
#include "verdict/evidence.h"

constexpr int64_t CALLERS_WATCHED_US = 1'300'000;

/* facts: what meshgw-trace told; now_us: in the time of its facts. True while a flow waits for
 * something and none has been waiting for so long. */
[[nodiscard]] bool callers_are_new(
	const struct evidence *facts, const struct flow *flow, int64_t now_us);
/* A caller was answered, or an ICMP error came that says more than that a packet's hops ended. */
[[nodiscard]] bool callers_heard(const struct evidence *facts);
