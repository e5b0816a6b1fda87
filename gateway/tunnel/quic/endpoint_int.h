/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * endpoint_int: what the files of this room share about endpoints.
 *
 * Every connection is on the list `all`. One that something happened to is on the list `busy` too,
 * until quic_endpoint_write() has written what follows from it. Connections are freed only by the
 * functions of endpoint.c, never while one of their callbacks runs.
 */
#include <ngtcp2/ngtcp2.h>

#include "quic/budget.h"
#include "quic/cidmap.h"
#include "quic/endpoint.h"
#include "quic/remember.h"
#include "quic/timers.h"
#include "quic/tls.h"

/* Of the connection IDs that we choose: each packet to us carries one. */
constexpr size_t QUIC_CID_LENGTH = 8;
/* Answers without a connection (RFC 9000 s5.2.2, s6, s8.1.2, s10.3) until the next write. */
constexpr size_t QUIC_ANSWERS = 64;
/* The largest is a Version Negotiation with both IDs of 255 bytes (RFC 8999 s6). */
constexpr size_t QUIC_ANSWER_BYTES = 576;

struct quic_answer {
	struct quic_path path;
	size_t n;
	uint8_t bytes[QUIC_ANSWER_BYTES];
};

struct quic_list {
	struct quic_connection *first;
	struct quic_connection *last;
};

struct quic_endpoint {
	struct quic_events events;
	void *user;
	struct quic_config config; /* with defaults; the identity is not kept */
	char *protocol;
	struct quic_setting *settings;

	struct quic_tls *tls;
	struct quic_secrets secrets;
	struct quic_cidmap *cids;
	struct quic_cidmap *tokens; /* peers' stateless reset tokens */
	struct quic_timers timers;
	struct quic_list all;
	struct quic_list busy;
	struct quic_status status;
	unsigned int crowd; /* most unauthenticated ones since memory was given back */
	struct quic_counters counters;
	uint64_t now_ns;

	struct quic_budget *strangers;   /* handshakes from addresses that anyone can write down */
	struct quic_budget *validated;   /* … and from those that have answered a Retry */
	struct quic_bucket retry_budget; /* of answers; … and of all that is no Retry */
	struct quic_bucket answer_budget;
	size_t n_answers;
	struct quic_answer answers[QUIC_ANSWERS];

	struct quic_memory memory;
	struct quic_connection *open; /* whose packet is open, quic/datagram.h */
	uint8_t open_dscp;            /* of the datagrams in it */
};

/* Time for this call: never earlier than before. */
uint64_t quic_endpoint_now(struct quic_endpoint *e, uint64_t now_ns);
