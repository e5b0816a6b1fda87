/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * clock: the time in microseconds. Read at the edges of the daemon only; everything inside gets
 * it as an argument. Nothing is ever scheduled by the realtime clock.
 */
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_us(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1'000'000U + (uint64_t)ts.tv_nsec / 1'000U;
}

static inline uint64_t clock_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

/* Goes on while the machine sleeps. */
static inline uint64_t clock_boottime_us(void)
{
	return clock_us(CLOCK_BOOTTIME);
}

static inline uint64_t clock_realtime_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

/* Did the machine sleep since the last question, for longer than that? *asleep_us is BOOTTIME minus
 * MONOTONIC then, and is written. The wall clock has no part in it: who sets it has not slept. */
static inline bool clock_has_slept(
	uint64_t *asleep_us, uint64_t monotonic_us, uint64_t boottime_us, uint64_t longer_us)
{
	uint64_t before = *asleep_us;

	*asleep_us = boottime_us - monotonic_us;
	return *asleep_us > before + longer_us;
}
