/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pmtu: when a path carries less than it did (RFC 8899 s4.3, black hole detection).
 *
 * ngtcp2 finds out what a path carries when it comes into use, and never looks again. If the path
 * changes, large packets vanish and small ones do not. Only datagrams are written into large
 * packets (write.c), so their fate tells: `rounds` of them lost, each sent after the loss before
 * was known, and none acknowledged in between, is a black hole. The limit falls to what every path
 * carries and rises again step by step, by datagrams in padded packets; a step that fails is tried
 * again after a while. A wrong verdict, with heavy loss, costs a few round trips of small packets.
 *
 *     free ─ black hole ─▶ searching ─ largest step passed ─▶ free
 *                            ▲    │ a step failed
 *                            └─ resting
 *
 * Pure: marks go out with datagrams and come back with their fates; bits 16 to 30 of one are
 * somebody else's (late.h). No clock, no library.
 */
#include <stddef.h>
#include <stdint.h>

struct quic_pmtu {
	size_t limit;       /* UDP payload; SIZE_MAX = none of ours */
	size_t failed;      /* smallest size that did not pass; SIZE_MAX = none */
	size_t probe;       /* size that is on its way; 0 = none */
	unsigned int tries; /* of it */
	uint64_t rest_until_ns;
	uint32_t round;
	unsigned int rounds;
	unsigned int lost;
};

void quic_pmtu_reset(struct quic_pmtu *p);

/* The size that the next datagram's packet should be padded to, or 0. path: what ngtcp2 knows. */
size_t quic_pmtu_wants(struct quic_pmtu *p, size_t path, uint64_t now_ns);

/* What to tag a datagram with, whose packet will have about size bytes, or exactly if it is a
 * probe. A probe that went out is noted in `probe`. */
uint64_t quic_pmtu_mark(const struct quic_pmtu *p, size_t size, bool probe);
/* True: the limit has changed. */
bool quic_pmtu_acknowledged(struct quic_pmtu *p, uint64_t mark, size_t path);
bool quic_pmtu_lost(struct quic_pmtu *p, uint64_t mark, uint64_t now_ns);
