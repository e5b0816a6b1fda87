/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * batch: datagrams on their way in or out, as UDP_GRO gives and UDP_SEGMENT takes them.
 *
 * A run is bytes of one path that fall into datagrams of `segment` bytes, of which only the last
 * may be shorter. A batch is memory of the caller: a buffer that packets are written into, one
 * behind the other, and an array of runs that describes it. Runs come into being by themselves
 * when neighbours in the buffer have the same path, the same mark and the same size.
 *
 * The caller sends what is in it and then resets it; nothing in it outlives that. While a packet
 * in it is still open (quic/datagram.h) the batch must neither be sent nor reset:
 * quic_endpoint_write() closes it.
 */
#include <stddef.h>
#include <stdint.h>

#include "quic/address.h"

struct quic_run {
	const uint8_t *bytes;
	size_t length;
	size_t segment;
	/* The two bits of RFC 3168 in the IP header. */
	uint8_t ecn;
	struct quic_path path;
};

struct quic_batch {
	uint8_t *buffer;
	size_t capacity;
	size_t used;
	struct quic_run *runs;
	size_t max_runs;
	size_t n_runs;
};

/* The kernel's bounds of one send with UDP_SEGMENT (UDP_MAX_SEGMENTS, and the length field). */
constexpr size_t QUIC_RUN_SEGMENTS = 64;
constexpr size_t QUIC_RUN_BYTES = 65'507;

/* Borrows both arrays. */
void quic_batch_init(struct quic_batch *b, uint8_t *buffer, size_t capacity, struct quic_run *runs,
	size_t max_runs);
/* After everything in it was sent. */
void quic_batch_reset(struct quic_batch *b);
/* Whether one more packet of at most n bytes fits, whatever its path. */
bool quic_batch_fits(const struct quic_batch *b, size_t n);
/* Of this room: n bytes behind `used` have become a packet. quic_batch_fits() was true. */
void quic_batch_add(struct quic_batch *b, const struct quic_path *path, uint8_t ecn, size_t n);
