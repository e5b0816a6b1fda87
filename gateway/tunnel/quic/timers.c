/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/timers.h"

#include <stdlib.h>

#include "lib/xmalloc.h"

void quic_timers_clear(struct quic_timers *t)
{
	free(t->heap);
	*t = (struct quic_timers){};
}

static void put(struct quic_timers *t, size_t place, struct quic_timer *timer)
{
	t->heap[place - 1] = timer;
	timer->place = place;
}

static void rise(struct quic_timers *t, struct quic_timer *timer)
{
	size_t place = timer->place;

	for (; place > 1 && t->heap[place / 2 - 1]->at_ns > timer->at_ns; place /= 2)
		put(t, place, t->heap[place / 2 - 1]);
	put(t, place, timer);
}

static void sink(struct quic_timers *t, struct quic_timer *timer)
{
	size_t place = timer->place;

	for (size_t child = 2 * place; child <= t->n; place = child, child *= 2) {
		if (child < t->n && t->heap[child]->at_ns < t->heap[child - 1]->at_ns)
			child++;
		if (t->heap[child - 1]->at_ns >= timer->at_ns)
			break;
		put(t, place, t->heap[child - 1]);
	}
	put(t, place, timer);
}

static void take_out(struct quic_timers *t, struct quic_timer *timer)
{
	struct quic_timer *last = t->heap[t->n - 1];
	size_t place = timer->place;

	t->n--;
	timer->place = 0;
	if (last == timer)
		return;
	put(t, place, last);
	rise(t, last);
	sink(t, last);
}

void quic_timers_set(struct quic_timers *t, struct quic_timer *timer, uint64_t at_ns)
{
	timer->at_ns = at_ns;
	if (at_ns == UINT64_MAX) {
		if (timer->place)
			take_out(t, timer);
		return;
	}
	if (!timer->place) {
		XGROW(t->heap, t->n, t->capacity);
		put(t, ++t->n, timer);
	}
	rise(t, timer);
	sink(t, timer);
}

struct quic_timer *quic_timers_first(const struct quic_timers *t)
{
	return t->n ? t->heap[0] : nullptr;
}
