/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_world: a client and a server of the quic room, a network between them, and time, all in
 * memory.
 *
 * Time jumps from event to event: a datagram arrives, a timer runs out. What the network does to a
 * datagram (loses it, delays it, sends it twice, finds it too large) is decided by a generator with
 * a seed, and world_new() has all of OpenSSL begin anew with another one, so that a run can be
 * repeated: keys, connection IDs, and what ngtcp2 does now and then (it skips packet numbers).
 *
 *     world_init(); change w.client.config, w.server.config, w.net; world_start(); world_dial();
 *     world_until(&w, condition, seconds)
 */
#include <stddef.h>
#include <stdint.h>

#include "quic/connection.h"
#include "quic/datagram.h"
#include "quic/endpoint.h"
#include "quic/stream.h"
#include "quic_identity.h"

constexpr uint64_t MS = 1'000'000;
constexpr uint64_t SECOND = 1'000 * MS;
constexpr size_t WORLD_BYTES = 1 << 20;

/* What the network does to a datagram; chances are per mille. */
struct world_net {
	uint64_t delay_ns;
	uint64_t jitter_ns;
	unsigned int loss;
	unsigned int duplicate;
	size_t mtu; /* largest UDP payload */
	bool dead;
	uint64_t seed;
};

/* Something else in the place of an endpoint (quic_rude.h). */
struct world_other {
	void *it;
	void (*receive)(void *it, const struct quic_run *one);
	void (*flush)(void *it);
	uint64_t (*expiry)(void *it);
	void (*expire)(void *it);
};

struct world_side {
	struct world *world;
	struct world_other other;
	struct test_identity identity;
	struct quic_config config;
	const struct quic_events *events; /* nullptr = what is below is told */
	struct quic_endpoint *endpoint;
	union quic_address address;
	/* What it was told. */
	struct quic_connection *connection;
	struct quic_stream *stream;
	unsigned int established, closed, requests, responses, ended, finished, moved, writable,
		room;
	struct quic_peer peer;
	struct quic_closed why;
	char reason[128];
	enum quic_end end;
	uint64_t end_code;
	unsigned int status; /* client: of the response; server: to answer with */
	bool capsules;
	char path[64];
	size_t n_bytes;
	uint8_t bytes[WORLD_BYTES];
	size_t datagram_max, datagram_max_changes;
	unsigned int datagrams;
	uint8_t last[2048];
	size_t last_length;
	void (*on_datagram)(struct world_side *, const uint8_t *, size_t);
	void (*on_silent)(void *side, struct quic_connection *, bool silent);
	void (*on_request)(struct world_side *, struct quic_stream *);
	bool mute;         /* what it sends is lost */
	unsigned int sent; /* datagrams of UDP */
	size_t largest;    /* of them */
};

struct world_packet;

struct world {
	uint64_t now;
	struct world_side client;
	struct world_side server;
	struct world_net net;
	const char *server_name; /* that is dialled; nullptr = edge.mesh */
	union quic_address nat;  /* what the client looks like from outside, if it is set */
	struct world_packet *packets;
	void (*tap)(struct world *, const struct world_side *from, const struct quic_run *one);
	uint8_t buffer[256 << 10];
};

struct world *world_new(void);
void world_free(struct world *w);
/* Makes the endpoints. */
void world_start(struct world *w);
void world_start_side(struct world_side *s);
void world_stop_side(struct world_side *s);
/* What it was told is forgotten. */
void world_reset(struct world_side *s);
/* connect-ip to /.well-known/masque/ip/[star]/[star]/ */
void world_dial(struct world *w);
/* Whether condition became true within so many seconds of the world. */
bool world_until(struct world *w, bool (*condition)(struct world *), uint64_t seconds);
void world_run(struct world *w, uint64_t ns);
/* Gives one datagram to a side as if it came from `from`. */
void world_inject(
	struct world_side *to, const union quic_address *from, const uint8_t *bytes, size_t n);
uint64_t world_random(struct world *w);
/* Puts a datagram on its way to the other side. */
void world_transmit(struct world_side *from, const uint8_t *bytes, size_t n);
/* Straight into a batch, which goes out at once. */
int world_send(struct world_side *s, const uint8_t *bytes, size_t n);

/* Conditions. */
bool world_opened(struct world *w); /* the client's 2xx is there, and datagrams may flow */
bool world_closed(struct world *w); /* both sides know an end */
