/* SPDX-License-Identifier: Apache-2.0 */
/* In a file of its own: tests put another clock in its place when they link. */
#include "proxy/loop.h"
#include <time.h>

uint64_t loop_clock_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t loop_realtime_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}
