/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stray: a packet of the TUN that has no session to go by, since nobody is there. Its sender is
 * told by ICMP (RFC 9484 7.2.1), under the same rules as by a session (icmp.h), and no faster than
 * the bucket allows.
 */
#include "connip/bucket.h"
#include "connip/icmp.h"

/* RFC 4443 2.4 (f), for one TUN. */
constexpr struct bucket STRAY_BUDGET = {.rate = 100, .burst = 50};

/* The answer goes back into the TUN. */
void stray_answer(struct bucket *limit, const struct packet_bytes *bytes, uint64_t now_ns,
	struct connip_answer *answer);
