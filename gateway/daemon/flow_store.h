/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * flow_store: flows that failed, those with the same target and the same cause as one row. Of
 * fixed size: where it is full, the row that was seen longest ago goes. Pure.
 *
 * A row begins without a cause, and is not shown until somebody has found one (flow_store_next(),
 * flow_store_decide()), at a pace that is the caller's. A cause holds for FLOW_CAUSE_US: what fails
 * later is looked at again, and a row of its own when the cause is another.
 */
#include "daemon/flow_track.h"
#include "verdict/verdict.h"

constexpr size_t FLOW_STORE_ROWS = 512;
constexpr uint64_t FLOW_CAUSE_US = 30'000'000;

struct flow_row {
	uint8_t proto;
	struct addr target;
	uint16_t port;
	enum flow_end end;
	struct flow_failure last;

	bool used;
	bool current;       /* further failures like this belong here */
	bool decided, dull; /* dull: no failure after all; never shown */
	bool asked;         /* somebody wants to know the cause (again) */
	uint64_t decided_us;
	enum code code;
	enum confidence confidence;
	char summary[FACT_SAYS_LEN];

	uint64_t count;
	uint64_t first_us, last_us; /* CLOCK_REALTIME */
	uint64_t seen_us;           /* CLOCK_MONOTONIC, of the last */
	bool changed;               /* since flow_store_told() */
	uint64_t told_us;
};

struct flow_store {
	struct flow_row rows[FLOW_STORE_ROWS];
	uint64_t evicted; /* rows that had to go */
	unsigned turns;   /* of flow_store_next() */
};

void flow_store_add(
	struct flow_store *s, const struct flow_failure *f, uint64_t now_us, uint64_t realtime_us);
/* Whose cause is to be found now; nullptr = nobody's. In turn one without a cause, what fails often
 * and what failed last first, so that a port scan keeps nobody waiting; and one whose cause is old.
 */
struct flow_row *flow_store_next(struct flow_store *s);
/* True: this is a new row of those that are shown. */
bool flow_store_decide(struct flow_store *s, struct flow_row *row, const struct verdict *v,
	uint64_t now_us, struct flow_row **shown);
void flow_store_clear(struct flow_store *s);

bool flow_row_is_shown(const struct flow_row *row);
