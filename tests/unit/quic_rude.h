/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_rude: a peer that speaks QUIC properly and HTTP/3 as it likes.
 *
 * It takes the place of one side of a world (quic_world.h). The test says which bytes go into which
 * stream and datagram, and sees what comes back: bytes of streams, codes of resets, the error that
 * ended the connection. It sends nothing by itself.
 */
#include <stddef.h>
#include <stdint.h>

#include "quic_world.h"

constexpr size_t RUDE_STREAMS = 16;
constexpr size_t RUDE_BYTES = 4096;
constexpr size_t RUDE_FRAMES = 1100;

struct rude_stream {
	int64_t id; /* what came; -1 = free */
	size_t n;
	uint8_t bytes[RUDE_BYTES];
	bool fin;
	uint64_t reset;   /* code; UINT64_MAX = none */
	uint64_t stopped; /* code with which it was closed; UINT64_MAX = none, or not yet */
};

struct rude;

/* The side's endpoint is ended; its identity and address are used. datagrams: transport parameter
 * max_datagram_frame_size, 0 = none. A client begins at once. */
struct rude *rude_new(struct world_side *s, bool server, uint64_t datagrams);
void rude_free(struct rude *r);

bool rude_established(const struct rude *r);
/* So many bytes may go into all streams together, before the other side allows more. */
uint64_t rude_room(const struct rude *r);
/* The code of CONNECTION_CLOSE from the other side; false: none has come. */
bool rude_closed(const struct rude *r, uint64_t *code);
/* What came on a stream; nullptr = nothing. */
const struct rude_stream *rude_stream(const struct rude *r, int64_t id);

/* -1: the other side allows no more. */
int64_t rude_open(struct rude *r, bool unidirectional);
/* All of it has to fit into the windows. */
void rude_write(struct rude *r, int64_t id, const uint8_t *bytes, size_t n, bool fin);
/* … or as much as goes. Neither minds a connection that is over. */
void rude_try(struct rude *r, int64_t id, const uint8_t *bytes, size_t n, bool fin);
void rude_datagram(struct rude *r, const uint8_t *bytes, size_t n);
/* A packet of these frames, RUDE_FRAMES bytes of them at most; the library does not know them. */
void rude_frames(struct rude *r, const uint8_t *frames, size_t n);

/* The status of the response that came; 0 = none. */
unsigned int rude_status(const struct rude_stream *s);

/* A HEADERS frame of literal fields: name, value, …, nullptr. Returns its length. */
size_t rude_headers(uint8_t *out, size_t max, const char *const *fields);
