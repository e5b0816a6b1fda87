/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bucket: so many units a second, with a burst.
 *
 * Time is an argument (CLOCK_MONOTONIC, ns) and never goes backwards. A bucket that was never used
 * is full. Credit is kept in units of 1/2^20, so that slow rates do not lose what accrues between
 * two packets; a rate of 0 means no limit.
 */
#include <stddef.h>
#include <stdint.h>

struct bucket {
	uint64_t rate;  /* units a second, 0 = no limit; below 2^40 */
	uint64_t burst; /* units, below 2^40 */
	uint64_t credit, updated_ns;
	bool used;
};

/* Takes units if they are all there; false: they are not, and nothing is taken. */
[[nodiscard]] bool bucket_take(struct bucket *b, uint64_t units, uint64_t now_ns);
