/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stream: one request of HTTP/3 (extended CONNECT, RFC 9220) and the bytes that follow it.
 *
 *     client: asked ──response 2xx──▶ open ──finish/finished──▶ ended
 *     server: request ──respond 2xx──▶ open
 *
 * What is sent is copied into a buffer of fixed size and stays there until the peer has
 * acknowledged it: a peer that never does costs us quic_limits.stream_send bytes and no more. What
 * is received is given on at once and never kept.
 *
 * Fields that may not stand beside the Capsule Protocol (RFC 9297 s3.2) have been refused before
 * the event: the message is malformed, the stream ends with H3_MESSAGE_ERROR.
 */
#include <stddef.h>
#include <stdint.h>

#include "quic/events.h"

/* Codes of RFC 9114 s8.1, RFC 9297 s5.2 and RFC 9204 s8.3 that owners need. */
constexpr uint64_t QUIC_H3_DATAGRAM_ERROR = 0x33;
constexpr uint64_t QUIC_H3_NO_ERROR = 0x100;
constexpr uint64_t QUIC_H3_GENERAL_PROTOCOL_ERROR = 0x101;
constexpr uint64_t QUIC_H3_INTERNAL_ERROR = 0x102;
constexpr uint64_t QUIC_H3_EXCESSIVE_LOAD = 0x107;
constexpr uint64_t QUIC_H3_ID_ERROR = 0x108;
constexpr uint64_t QUIC_H3_SETTINGS_ERROR = 0x109;
constexpr uint64_t QUIC_H3_REQUEST_REJECTED = 0x10b;
constexpr uint64_t QUIC_H3_REQUEST_CANCELLED = 0x10c;
constexpr uint64_t QUIC_H3_MESSAGE_ERROR = 0x10e;
constexpr uint64_t QUIC_H3_CONNECT_ERROR = 0x10f;

/* Server: 2xx opens the stream, with Capsule-Protocol: ?1; anything else refuses and ends it. The
 * fields are copied. -EALREADY: it was answered; -EPIPE: it is ending. */
[[nodiscard]] int quic_stream_respond(struct quic_stream *s, unsigned int status,
	const struct quic_field *fields, size_t n_fields);

/* All of it or nothing. -EAGAIN: no room, `writable` comes; -EPIPE: finished, refused or ending;
 * -EMSGSIZE: more than ever fits. A client may send before the answer. */
[[nodiscard]] int quic_stream_send(struct quic_stream *s, const uint8_t *bytes, size_t n);
/* No more bytes will come: FIN behind what is waiting. */
void quic_stream_finish(struct quic_stream *s);
/* Both directions, at once. The event `ended` comes from the next write. */
void quic_stream_abort(struct quic_stream *s, uint64_t code);

/* Of the owner; nothing any more behind the event `ended`. */
void quic_stream_set_data(struct quic_stream *s, void *data);
void *quic_stream_data(const struct quic_stream *s);
struct quic_connection *quic_stream_connection(const struct quic_stream *s);
uint64_t quic_stream_id(const struct quic_stream *s);
