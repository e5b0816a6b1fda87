/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ring: bytes of a stream until the peer has acknowledged them.
 *
 *     acked ≤ taken ≤ written ≤ acked + capacity
 *
 * Offsets count from the stream's first byte. Bytes do not move between written and acked, which is
 * what the library needs that borrows them. The memory comes with the first byte.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct quic_ring {
	uint8_t *bytes;
	size_t capacity;
	uint64_t acked;
	uint64_t taken;
	uint64_t written;
};

void quic_ring_init(struct quic_ring *r, size_t capacity);
void quic_ring_clear(struct quic_ring *r);

size_t quic_ring_room(const struct quic_ring *r);
/* n is at most the room. */
void quic_ring_write(struct quic_ring *r, const uint8_t *bytes, size_t n);
/* What nobody has taken so far, in up to two pieces; it counts as taken. Returns their number. */
size_t quic_ring_take(struct quic_ring *r, struct iovec pieces[static 2]);
/* The next n bytes will not be asked for again. */
void quic_ring_acknowledge(struct quic_ring *r, uint64_t n);
