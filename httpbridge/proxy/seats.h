/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * seats: how many connections an upstream has from all threads together.
 *
 * Each connection takes a seat before it is made and leaves it when it ends. When all are taken, an
 * idle one of whatever thread is given up for the one that needs it: it is shut down at once, and
 * its thread, whose loop is told so by the kernel, finds it gone. So a limit holds exactly, and
 * nobody is refused because other threads keep connections for later.
 *
 * Upstreams are told apart by their name: what a reload changes about one does not begin a new
 * count.
 *
 * A seat is embedded in its connection. Taking and leaving lock; going to rest and waking, which
 * each request does, do not.
 */
#include <stdatomic.h>
#include <stdint.h>

struct seat_table; /* of all upstreams; one for all threads */
struct seats;      /* of one upstream */

enum seat_state : uint8_t {
	SEAT_BUSY,
	SEAT_AT_REST,
	SEAT_GONE, /* given up for another: the connection is shut down and does not count */
};

struct seat {
	struct seat *prev, *next; /* prev is the one taken later */
	struct seats *of;
	_Atomic enum seat_state state;
	int fd;
};

[[nodiscard]] struct seat_table *seat_table_new(void);
void seat_table_free(struct seat_table *t); /* nobody uses a part of it any more */

/* Those of the upstream; a reference. */
[[nodiscard, gnu::returns_nonnull]] struct seats *seats_get(
	struct seat_table *t, const char *upstream);
void seats_put(struct seats *s);

/* Is there one, of so many? */
[[nodiscard]] bool seat_take(struct seat *seat, struct seats *s, unsigned limit);
/* The connection may be given up from now on. */
void seat_rest(struct seat *seat, int fd);
/* It is needed again. false: it is gone. */
[[nodiscard]] bool seat_wake(struct seat *seat);
/* The connection ends; before its descriptor is closed. */
void seat_leave(struct seat *seat);
