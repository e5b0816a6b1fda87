/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * track: what became of each object that we tried to change: the kernel's last word, when to try
 * again, and whether somebody keeps undoing it.
 *
 * A failed write is tried again, that object alone, with a pause that grows from TRACK_RETRY_US
 * to TRACK_RETRY_MAX_US. An object that has to be repaired TRACK_FIGHT_REPAIRS times within
 * TRACK_FIGHT_US is contested: the pause then grows from TRACK_PAUSE_US to TRACK_PAUSE_MAX_US as
 * long as the fight goes on. Time is CLOCK_MONOTONIC in microseconds, given by the caller.
 */
#include "daemon/plan.h"

constexpr unsigned TRACK_FIGHT_REPAIRS = 20;
constexpr uint64_t TRACK_FIGHT_US = 10'000'000;
constexpr uint64_t TRACK_PAUSE_US = 1'000'000;
constexpr uint64_t TRACK_PAUSE_MAX_US = 5'000'000;
constexpr uint64_t TRACK_RETRY_US = 100'000;
constexpr uint64_t TRACK_RETRY_MAX_US = 1'600'000; /* what nobody announces heals in two seconds */

struct track {
	char name[OP_NAME_LEN]; /* op_name() */
	enum op_kind kind;
	bool installed;    /* the last write succeeded and nothing undid it since */
	int ifindex;       /* the interface it was installed on, 0 = none */
	int error;         /* positive errno of the last write, 0 = none */
	char reason[160];  /* the kernel's words */
	unsigned failures; /* in a row */
	uint64_t retry_us; /* not before; 0 = at once */
	uint64_t repairs[TRACK_FIGHT_REPAIRS]; /* times of the latest repairs, a ring */
	unsigned n_repairs;                    /* ever */
	bool contested;
	uint64_t pause_us; /* the current pause of a contested object */
	bool planned;      /* the last plan holds it */
	uint64_t doubted;  /* the pass that took another look because of it */
};

struct tracks {
	struct track *list;
	size_t n, cap;
};

/* Never nullptr: made when it is not there. The pointer is good until the next track_get(). */
struct track *track_get(struct tracks *tracks, const char *name);
/* nullptr when it was never tried. */
const struct track *track_find(const struct tracks *tracks, const char *name);

/* How long to wait after so many failures in a row (at least one). */
uint64_t track_pause_us(unsigned failures);
/* May it be tried now? */
bool track_due(const struct track *t, uint64_t now_us);
/* A write succeeded. repaired: the object had been there and somebody took it away. */
void track_success(struct track *t, bool repaired, uint64_t now_us);
void track_failure(struct track *t, int error, const char *reason, uint64_t now_us);
/* What failed is not needed any more. */
void track_forgive(struct track *t);
/* The fight is over when nothing had to be repaired for TRACK_FIGHT_US. */
void track_settle(struct track *t, uint64_t now_us);
/* An interface changed: what stood on it may be gone without anybody's fault, and what failed
 * may succeed now. Contested objects keep their pause. */
void track_uproot(struct tracks *tracks, int ifindex);
void tracks_clear(struct tracks *tracks);
