/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/timer.h"
#include <assert.h>

static unsigned slot_of(uint64_t tick)
{
	return tick % TIMER_SLOTS;
}

void timers_init(struct timers *w, uint64_t now_ms)
{
	*w = (struct timers){.now_ms = now_ms, .tick = now_ms / TIMER_TICK_MS};
	for (unsigned i = 0; i < TIMER_SLOTS; i++)
		w->slots[i].prev = w->slots[i].next = &w->slots[i];
}

static void unlink_timer(struct timer *t)
{
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->prev = t->next = nullptr;
}

void timer_unset(struct timer *t)
{
	if (timer_is_set(t))
		unlink_timer(t);
}

/* Into the slot behind its deadline, or the last one of the wheel: there it is looked at again. */
static void place(struct timers *w, struct timer *t)
{
	uint64_t tick = t->deadline_ms / TIMER_TICK_MS + 1;
	if (tick <= w->tick)
		tick = w->tick + 1;
	if (tick >= w->tick + TIMER_SLOTS)
		tick = w->tick + TIMER_SLOTS - 1;

	unsigned i = slot_of(tick);
	struct timer *anchor = &w->slots[i];
	t->slot_tick = tick;
	t->prev = anchor->prev;
	t->next = anchor;
	anchor->prev->next = t;
	anchor->prev = t;
	w->used[i / 64] |= UINT64_C(1) << i % 64;
}

void timer_set(struct timers *w, struct timer *t, uint64_t after_ms)
{
	assert(t->expired);
	t->deadline_ms = w->now_ms + after_ms;
	if (timer_is_set(t)) {
		if (t->deadline_ms / TIMER_TICK_MS + 1 >= t->slot_tick)
			return;
		unlink_timer(t);
	}
	place(w, t);
}

static void run_slot(struct timers *w, unsigned i)
{
	struct timer due, *anchor = &w->slots[i];

	w->used[i / 64] &= ~(UINT64_C(1) << i % 64);
	if (anchor->next == anchor)
		return;
	/* Away from the wheel first: what expires may set and unset any other one. */
	due = *anchor;
	due.next->prev = due.prev->next = &due;
	anchor->prev = anchor->next = anchor;
	while (due.next != &due) {
		struct timer *t = due.next;
		unlink_timer(t);
		if (t->deadline_ms <= w->now_ms)
			t->expired(t);
		else
			place(w, t);
	}
}

/* The first slot in use behind the current one, in slots from it; TIMER_SLOTS if there is none. */
static unsigned next_used(const struct timers *w)
{
	for (unsigned n = 1; n < TIMER_SLOTS;) {
		unsigned i = slot_of(w->tick + n);
		uint64_t rest = w->used[i / 64] >> i % 64;
		if (rest)
			return n + (unsigned)__builtin_ctzll(rest);
		n += 64 - i % 64;
	}
	return TIMER_SLOTS;
}

void timers_run(struct timers *w, uint64_t now_ms)
{
	if (now_ms > w->now_ms)
		w->now_ms = now_ms;
	uint64_t until = w->now_ms / TIMER_TICK_MS;

	while (w->tick < until) {
		uint64_t n = next_used(w);
		w->tick = n < until - w->tick ? w->tick + n : until;
		run_slot(w, slot_of(w->tick));
	}
}

uint64_t timers_wait_ms(const struct timers *w, uint64_t limit_ms)
{
	unsigned n = next_used(w);
	if (n >= TIMER_SLOTS)
		return limit_ms;
	uint64_t at_ms = (w->tick + n) * TIMER_TICK_MS;
	uint64_t wait = at_ms > w->now_ms ? at_ms - w->now_ms : 0;
	return wait < limit_ms ? wait : limit_ms;
}
