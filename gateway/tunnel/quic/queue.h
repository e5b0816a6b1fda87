/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * queue: datagrams that wait for the window, oldest first, in one piece of memory.
 *
 * A datagram lies in one piece, behind its length and its DSCP; what does not fit behind the last
 * one begins at the front again. The memory comes with the first datagram. A full queue takes
 * nothing: the newest is lost, as in any router with a tail drop, and the caller counts it.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct quic_queue {
	uint8_t *bytes;
	size_t capacity;
	size_t head; /* the oldest */
	size_t tail; /* behind the newest */
	size_t n;
};

void quic_queue_clear(struct quic_queue *q);
/* The memory, once. */
void quic_queue_allocate(struct quic_queue *q, size_t capacity);

/* False: no room. */
[[nodiscard]] bool quic_queue_push(
	struct quic_queue *q, const struct iovec *pieces, size_t n, uint8_t dscp);
/* nullptr: empty. */
const uint8_t *quic_queue_first(const struct quic_queue *q, size_t *length, uint8_t *dscp);
void quic_queue_pop(struct quic_queue *q);
