/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_meet: how tests with a rude peer begin: it has met the endpoint in the world, and says what
 * a test wants it to say of its settings and its request.
 */
#include "quic_rude.h"

/* One in the place of a world's client or server, established. */
struct rude *rude_client(struct world *w);
struct rude *rude_server(struct world *w, uint64_t datagrams);
/* Opens the control stream with these bytes. */
void rude_begin(struct rude *r, const uint8_t *control, size_t n);
/* A request of these fields on a stream of its own, which is returned. */
int64_t rude_ask(struct rude *r, const char *const *fields, bool fin);
/* … for a tunnel. */
int64_t rude_ask_tunnel(struct rude *r, bool fin);
/* Fields of an answer to the first request. */
void rude_answer(struct rude *r, const char *const *fields);

/* Control streams: type 0x00, SETTINGS, length, entries. */
#define CONTROL(...) ((const uint8_t[]){0x00, 0x04, sizeof((uint8_t[]){__VA_ARGS__}), __VA_ARGS__})
#define DATAGRAMS 0x33, 0x01
#define CONNECT_PROTOCOL 0x08, 0x01

#define REQUEST(...)                                                                         \
	{":method", "CONNECT", ":scheme", "https", ":authority", "edge.mesh", ":path", "/x", \
		__VA_ARGS__}
