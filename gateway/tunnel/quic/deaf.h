/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * deaf: a peer that talks and acknowledges nothing.
 *
 * Whatever it says postpones the idle timeout, and what was sent to it fills the window for good.
 * After an outage an honest peer looks the same until the next probe, which may be long in coming.
 * So what counts is rounds: more was sent, the peer was heard DEAF_ROUND_NS later, and there was
 * still no acknowledgement. Several of them, and DEAF_NS since the last acknowledgement, are a
 * verdict.
 *
 * Pure: looked at whenever a timer of the connection expires, and from then on with each packet
 * until all is well.
 */
#include <stddef.h>
#include <stdint.h>

constexpr uint64_t DEAF_NS = 10'000'000'000;
constexpr uint64_t DEAF_ROUND_NS = 1'500'000'000;
constexpr unsigned int DEAF_ROUNDS = 3;

struct quic_deaf {
	uint64_t since_ns; /* nothing of what is under way has been acknowledged; 0 = all is well */
	uint64_t acked, sample_ns; /* then; others mean an acknowledgement in between */
	uint64_t flight;           /* bytes on their way, when the round began */
	uint64_t round_ns;         /* when it did; 0 = it waits for more to be sent */
	unsigned int rounds;
};

struct quic_hearing {
	uint64_t flight; /* bytes on their way now */
	/* How often something was acknowledged, which does not count probes; and the latest sample
	 * of the round-trip time, which ngtcp2 does not take while the last packet of each turn
	 * only acknowledges. */
	uint64_t acked, sample_ns;
	uint64_t heard_ns; /* when anything of the peer came last */
};

/* So long it has acknowledged nothing of what is under way; 0 = it has, or nothing is. */
uint64_t quic_deaf_ns(const struct quic_deaf *d, const struct quic_hearing *now, uint64_t now_ns);
/* True: it is deaf. */
[[nodiscard]] bool quic_deaf_watch(
	struct quic_deaf *d, const struct quic_hearing *now, uint64_t now_ns);
