/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * h3: HTTP/3 on a connection: its settings, its streams, and what their bytes mean (nghttp3).
 *
 *     handshake ─ begin: three streams of ours, SETTINGS
 *        client ─ peer's SETTINGS ─▶ request          server ─ request ─▶ owner, or 405, 431, 501
 *
 * Functions that ngtcp2's callbacks call return 0 or NGTCP2_ERR_CALLBACK_FAILURE, with the error of
 * the connection set. HTTP datagrams do not come by here: quic/datagram.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "quic/connection_int.h"

constexpr size_t QUIC_H3_PIECES = 16;

[[nodiscard]] int quic_h3_begin(struct quic_connection *c);
/* What waited for the library's callbacks to be over: requests, aborts. 0 or an error as above. */
[[nodiscard]] int quic_h3_catch_up(struct quic_connection *c);

int quic_h3_receive(
	struct quic_connection *c, int64_t id, const uint8_t *bytes, size_t n, bool fin);
int quic_h3_acknowledge(struct quic_connection *c, int64_t id, uint64_t n);
int quic_h3_stream_closed(struct quic_connection *c, int64_t id, uint64_t code);
int quic_h3_stream_reset(struct quic_connection *c, int64_t id, uint64_t code);
int quic_h3_unblock(struct quic_connection *c, int64_t id);

/* Both sides' SETTINGS allow HTTP datagrams. */
bool quic_h3_datagrams(const struct quic_connection *c);

/* What to send next; *id is -1 if there is nothing. A number of pieces or an error. */
[[nodiscard]] int quic_h3_pieces(struct quic_connection *c, int64_t *id, bool *fin,
	nghttp3_vec pieces[static QUIC_H3_PIECES]);
[[nodiscard]] int quic_h3_written(struct quic_connection *c, int64_t id, size_t n);
void quic_h3_block(struct quic_connection *c, int64_t id);
void quic_h3_shut(struct quic_connection *c, int64_t id);

/* h3_callbacks.c */
extern const nghttp3_callbacks quic_h3_callbacks;
extern const nghttp3_data_reader quic_h3_reader;
