/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * datagram: HTTP datagrams of a stream (RFC 9297 s2.1) in QUIC DATAGRAM frames (RFC 9221).
 *
 * Two ways out. quic_datagram_send() encrypts the caller's pieces straight into the batch, without
 * a copy: for a data path that can wait when the window is full. quic_datagram_queue() copies into
 * a ring of the stream, from which quic_endpoint_write() takes in turn with other connections: for
 * answers made inside an event, and where one source feeds many peers. A full ring drops, and
 * counts.
 *
 * Small datagrams share a packet, if they have the same DSCP, 0 to 63 (RFC 9484 s10.3). The packet
 * that the last send left open is closed by the next one that does not fit, by a send of another
 * connection, and by quic_endpoint_write(), so this comes before the batch is sent, and before the
 * endpoint is given anything else.
 *
 * Nothing is sent before both sides' SETTINGS allow it (-EPROTO), nor when the stream's send side
 * has ended (-EPIPE). The maximum follows path MTU discovery, in both directions.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "quic/batch.h"
#include "quic/events.h"

/* What goes before the two pieces is ours: the Quarter Stream ID.
 * -EAGAIN: the window is full; datagram_room comes. -ENOBUFS: the batch is full; write and send it.
 * -EMSGSIZE: larger than quic_datagram_max(). */
[[nodiscard]] int quic_datagram_send(struct quic_stream *s, const struct iovec *pieces, size_t n,
	uint8_t dscp, struct quic_batch *out, uint64_t now_ns);

/* As above, but copied; -EAGAIN: dropped, the ring is full. */
[[nodiscard]] int quic_datagram_queue(
	struct quic_stream *s, const struct iovec *pieces, size_t n, uint8_t dscp);

/* The largest sum of pieces that fits at present; 0 = none may be sent. */
size_t quic_datagram_max(const struct quic_stream *s);
