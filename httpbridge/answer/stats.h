/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stats: what a worker thread counts, for /metrics and /status.
 *
 * A struct has one writer, the thread that it belongs to; the thread that writes a page reads it
 * meanwhile. So a counter is stored and loaded relaxed, and is added to without a locked
 * instruction. A page may see a request in one counter and not yet in another.
 */
#include "answer/reason.h"
#include <stdint.h>

constexpr unsigned STATS_STATUSES = 6; /* by the first digit; 0 = nothing was answered */
constexpr unsigned STATS_BUCKETS = 16;

/* Upper ends of the buckets in microseconds: 100 µs … 60 s; above the last one there is +Inf. */
extern const uint64_t stats_bounds_us[STATS_BUCKETS - 1];

struct stats_histogram {
	uint64_t buckets[STATS_BUCKETS]; /* each for itself, not cumulated */
	uint64_t sum_us;
};

struct stats_route {
	uint64_t requests[STATS_STATUSES];
	uint64_t bytes_in, bytes_out; /* bodies */
	uint64_t aborted;             /* by the caller */
	struct stats_histogram total, first_byte;
};

struct stats_upstream {
	uint64_t connections, connect_failures, reuses, retries;
	uint64_t active, idle; /* connections now */
	uint64_t healthy;      /* 1 or 0 */
	struct stats_histogram connect;
};

struct stats_thread {
	uint64_t accepted, connections; /* ever, now */
	uint64_t upgraded;              /* connections now that speak something else */
	uint64_t answers[ANSWERS];      /* of ours, by reason */
	uint64_t log_lines_lost;
};

static inline uint64_t stats_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static inline void stats_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void stats_sub(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter - n, __ATOMIC_RELAXED);
}

static inline void stats_set(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, n, __ATOMIC_RELAXED);
}

void stats_time(struct stats_histogram *h, uint64_t us);
