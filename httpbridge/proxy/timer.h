/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * timer: deadlines of connections, many of them and seldom reached.
 *
 * A wheel of slots of TIMER_TICK_MS. A deadline that moves back, as it does with each byte of a
 * busy connection, costs a store: the timer is looked at when its slot comes, and goes into a later
 * one if it is not due. Nothing is allocated. Accuracy is one tick, always late.
 *
 * Time is CLOCK_MONOTONIC in milliseconds, given by the caller; libh2o's own timeouts go by the
 * wall clock and move with it.
 */
#include <stdint.h>

constexpr unsigned TIMER_TICK_MS = 32;
constexpr unsigned TIMER_SLOTS = 1024;

struct timer {
	struct timer *prev, *next; /* nullptr = not set */
	uint64_t deadline_ms;
	uint64_t slot_tick;
	/* Called once, not set any more: it may set it again or free its memory. */
	void (*expired)(struct timer *t);
};

struct timers {
	uint64_t now_ms;
	uint64_t tick; /* all slots before it are empty */
	uint64_t used[TIMER_SLOTS / 64];
	struct timer slots[TIMER_SLOTS]; /* anchors */
};

void timers_init(struct timers *w, uint64_t now_ms);
/* Sets or moves t to now + after. t->expired is set. */
void timer_set(struct timers *w, struct timer *t, uint64_t after_ms);
void timer_unset(struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
	return t->next;
}

/* Takes the time and runs what is due. */
void timers_run(struct timers *w, uint64_t now_ms);
/* How long until the next slot in use, at most limit_ms. */
uint64_t timers_wait_ms(const struct timers *w, uint64_t limit_ms);
