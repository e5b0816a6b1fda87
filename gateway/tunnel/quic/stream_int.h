/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stream_int: life of streams, for the files of this room.
 */
#include "quic/connection_int.h"

struct quic_stream *quic_stream_new(struct quic_connection *c, int64_t id);
/* Without a word to the owner. */
void quic_stream_free(struct quic_stream *s);
/* The owner's part is over, if there was one. The bytes stay until the libraries are done. */
void quic_stream_tell_end(struct quic_stream *s, enum quic_end end, uint64_t code);
/* … and frees it. */
void quic_stream_end(struct quic_stream *s, enum quic_end end, uint64_t code);
struct quic_stream *quic_stream_find(struct quic_connection *c, int64_t id);
/* 2xx has come or gone: datagrams may flow. */
void quic_stream_open(struct quic_stream *s);
/* The peer reset or stopped it. */
void quic_stream_note_reset(struct quic_stream *s, uint64_t code);
