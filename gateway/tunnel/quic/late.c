/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/late.h"

constexpr uint64_t WAIT_NS = 500'000'000;
constexpr unsigned int SHIFT = 16;
constexpr uint64_t BITS = UINT64_C(0x7fff) << SHIFT;

uint64_t quic_late_mark(const struct quic_late *l)
{
	return l->sent << SHIFT & BITS;
}

void quic_late_sent(struct quic_late *l)
{
	l->sent++;
}

static size_t place(uint64_t mark)
{
	return (mark & BITS) >> SHIFT & (QUIC_LATE_KNOWN - 1);
}

void quic_late_acknowledged(struct quic_late *l, uint64_t mark, uint64_t now_ns)
{
	size_t i = place(mark);

	if (!l->waiting[i].lost_ns || l->waiting[i].mark != (mark & BITS) ||
		now_ns - l->waiting[i].lost_ns >= WAIT_NS)
		return;
	l->waiting[i].lost_ns = 0;
	l->late++;
}

void quic_late_lost(struct quic_late *l, uint64_t mark, uint64_t now_ns)
{
	size_t i = place(mark);

	if (l->waiting[i].lost_ns)
		l->lost++;
	l->waiting[i].lost_ns = now_ns;
	l->waiting[i].mark = mark & BITS;
}

uint64_t quic_late_count(const struct quic_late *l, uint64_t now_ns)
{
	uint64_t lost = l->lost;

	for (size_t i = 0; i < QUIC_LATE_KNOWN; i++)
		if (l->waiting[i].lost_ns && now_ns - l->waiting[i].lost_ns >= WAIT_NS)
			lost++;
	return lost;
}
