/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * upstream: a worker's connections to one configured upstream.
 *
 * A connection is made when none is idle, and goes back when its answer has ended as it should.
 * Reading stays armed while it is idle: one that the upstream closes leaves the pool at once, and
 * one that says something unasked is closed, at the latest when it is taken again: nobody reads it
 * as an answer to what was asked after it.
 *
 * An upstream lives as long as a configuration names it or a connection of it is in use; over a
 * reload it goes on if the new configuration has an equal one.
 */
#include "answer/stats.h"
#include "proxy/link.h"
#include "proxy/seats.h"
#include "proxy/timer.h"
#include "route/config.h"

struct exchange;
struct worker;

struct upstream {
	struct worker *worker;
	const struct bridge_config *config; /* a reference: what `of` belongs to */
	const struct bridge_upstream *of;
	struct up *idle; /* the last one used first */
	struct tls *tls;
	struct seats *seats;  /* of all threads */
	unsigned connections; /* of this one */
	size_t turn;          /* of the addresses */
	bool retired;         /* not in the configuration any more */
	bool down;            /* by its health checks */
	struct health *health;
	struct stats_upstream stats;
};

/* One connection. */
struct up {
	struct link link;
	struct upstream *upstream;
	struct exchange *exchange; /* nullptr = idle */
	struct up *prev, *next;    /* of the idle ones */
	struct timer timer;        /* while idle */
	struct seat seat;
	bool reused;
	char *head; /* of an answer, as far as it came */
	size_t head_len;
};

/* Takes a reference to config. */
struct upstream *upstream_new(
	struct worker *w, const struct bridge_config *config, const struct bridge_upstream *of);
/* The configuration does not name it any more. */
void upstream_retire(struct upstream *u);
/* It goes on under another configuration with an equal upstream. */
void upstream_move(
	struct upstream *u, const struct bridge_config *config, const struct bridge_upstream *of);

/* A connection for x, made or under way: *out. fresh: not an idle one. Otherwise why there is none;
 * answer_reason is an enum of failures, so success is ANSWERS. */
[[nodiscard]] enum answer_reason upstream_get(
	struct upstream *u, struct exchange *x, bool fresh, struct up **out);
/* A connection to it that counts nowhere. -errno as link_connect(). */
[[nodiscard]] int upstream_connect(
	struct upstream *u, struct link *l, const struct link_events *link_events);
/* What a failed connection means; error is the link's, negative. */
enum answer_reason upstream_reason(int error);
/* Back into the pool; its answer has ended. */
void up_release(struct up *up);
void up_close(struct up *up);
