/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * endpoint: QUIC v1 and HTTP/3 without sockets and without a clock.
 *
 * Datagrams go in with the time, datagrams come out in batches; the owner does the system calls.
 * An endpoint holds any number of connections, begun by itself or by strangers (config.accept).
 * A turn of the owner's loop is
 *
 *     receive … receive   quic_datagram_send …   write → send the batch → write … until it is empty
 *
 * and then sleeping until quic_endpoint_expiry_ns(), after which quic_endpoint_expire() comes
 * before the next write. Acknowledgements, timers and the window are looked at in write, once a
 * turn and connection: the more a turn carries, the cheaper each packet is.
 *
 * Time is CLOCK_MONOTONIC. Should it be given an earlier one than before, the endpoint goes on
 * with the later: the library ends the process otherwise.
 *
 * Before anything is remembered about a stranger its packet has to pass accept.h. No memory is
 * allocated per packet, and all that a peer can make us keep has a limit (quic_limits).
 *
 * It opens no sockets, knows nothing of IP packets, capsules and URI templates, and never logs.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "quic/batch.h"
#include "quic/config.h"
#include "quic/events.h"

struct quic_endpoint;

/* What went through and what was dropped, since the start. */
struct quic_counters {
	uint64_t received; /* datagrams */
	uint64_t sent;
	uint64_t unknown;      /* for no connection, and not to be answered */
	uint64_t versions;     /* version negotiations sent */
	uint64_t retries;      /* Retry sent */
	uint64_t resets;       /* stateless resets sent */
	uint64_t over_budget;  /* handshakes refused: budget of the source's prefix */
	uint64_t over_cap;     /* … : too many unauthenticated, or connections */
	uint64_t over_answers; /* answers without a connection that were not given */
	uint64_t bad_tokens;
	uint64_t handshakes_failed; /* connections that ended before `established` */
	uint64_t datagrams_in;
	uint64_t datagrams_out;
	uint64_t datagrams_stray;   /* for a stream that is not (yet, any more) there */
	uint64_t datagrams_dropped; /* by a full queue */
};

struct quic_status {
	unsigned int connections;
	unsigned int unauthenticated;
	size_t queued; /* bytes in the queues of datagrams */
};

/* events is copied, user is given to each event. */
[[nodiscard]] int quic_endpoint_new(struct quic_endpoint **out, const struct quic_config *config,
	const struct quic_events *events, void *user, uint64_t now_ns, struct err *err);
/* Ends all connections without a word to their peers; no events. */
void quic_endpoint_free(struct quic_endpoint *e);

/* Whether quic_endpoint_new() would take it; the same errors. */
[[nodiscard]] int quic_endpoint_check(const struct quic_identity *identity, struct err *err);

/* New certificates, keys, pins, authorities. Handshakes from now on use them; connections live on,
 * but for those whose peer is not accepted any more. On failure all stays as it was. */
[[nodiscard]] int quic_endpoint_reload(struct quic_endpoint *e,
	const struct quic_identity *identity, uint64_t now_ns, struct err *err);

/* Other limits on what strangers use up: handshakes, unauthenticated ones, Retry, connections. What
 * is there already stays. */
void quic_endpoint_limit(struct quic_endpoint *e, const struct quic_limits *limits);

/* One datagram or one GRO run of them; the bytes are borrowed. */
void quic_endpoint_receive(struct quic_endpoint *e, const struct quic_run *in, uint64_t now_ns);

/* Writes all that is to be sent, as far as the batch has room. True when there is more: send the
 * batch, reset it, and call again. */
bool quic_endpoint_write(struct quic_endpoint *e, struct quic_batch *out, uint64_t now_ns);

/* When to call quic_endpoint_expire() at the latest; UINT64_MAX = no timer runs. */
uint64_t quic_endpoint_expiry_ns(const struct quic_endpoint *e);
void quic_endpoint_expire(struct quic_endpoint *e, uint64_t now_ns);

/* Has each connection that is established send something, a PING (RFC 9000 s19.2) if nothing else
 * is due, so that who stands between both ends knows it; write sends it, once. */
void quic_endpoint_ping(struct quic_endpoint *e);

/* Begins to close all connections with H3_NO_ERROR; write sends it. */
void quic_endpoint_shutdown(struct quic_endpoint *e, uint64_t now_ns);

const struct quic_counters *quic_endpoint_counters(const struct quic_endpoint *e);
struct quic_status quic_endpoint_status(const struct quic_endpoint *e);
