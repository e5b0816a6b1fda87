/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * late: how many datagrams were lost, and how many only came late.
 *
 * Where packets overtake each other the library calls lost what was overtaken (RFC 9002 s6.1), and
 * its acknowledgement comes a moment after. So a datagram counts as lost when it has not been
 * acknowledged for some time after that. With many losses at once the wait is shorter, and the
 * library tells of some acknowledgements only: where many are late more are than is known.
 *
 * Pure: marks go out with datagrams and come back with their fates. They have the bits that
 * pmtu.h leaves free.
 */
#include <stddef.h>
#include <stdint.h>

constexpr size_t QUIC_LATE_KNOWN = 64;

struct quic_late {
	uint64_t sent;
	uint64_t lost; /* for good, as far as they wait no more */
	uint64_t late;
	struct {
		uint64_t lost_ns; /* 0 = nobody waits here */
		uint64_t mark;
	} waiting[QUIC_LATE_KNOWN];
};

/* Of the next datagram, to be added to its mark. */
uint64_t quic_late_mark(const struct quic_late *l);
void quic_late_sent(struct quic_late *l);
void quic_late_acknowledged(struct quic_late *l, uint64_t mark, uint64_t now_ns);
void quic_late_lost(struct quic_late *l, uint64_t mark, uint64_t now_ns);
/* It never becomes less. */
uint64_t quic_late_count(const struct quic_late *l, uint64_t now_ns);
