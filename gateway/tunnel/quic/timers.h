/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * timers: which connection has to be looked at first.
 *
 * A binary heap of pointers to nodes that live in their owners. A node that is not set is not in
 * the heap. No clock, no callback: the endpoint asks for the first and takes it out.
 */
#include <stddef.h>
#include <stdint.h>

struct quic_connection;

struct quic_timer {
	struct quic_connection *owner; /* of the user's; untouched */
	uint64_t at_ns;
	size_t place; /* in the heap, from 1; 0 = not set */
};

struct quic_timers {
	struct quic_timer **heap;
	size_t n;
	size_t capacity;
};

void quic_timers_clear(struct quic_timers *t);
/* UINT64_MAX takes it out. */
void quic_timers_set(struct quic_timers *t, struct quic_timer *timer, uint64_t at_ns);
/* nullptr if there is none. */
struct quic_timer *quic_timers_first(const struct quic_timers *t);
