/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * connection: one QUIC connection, as its owner sees it.
 *
 *     handshaking ─ established ─▶ open ─▶ closing ─▶ gone
 *          └───────────────────────────────▲
 *
 * The endpoint owns it. The event `closed` ends the owner's part; what remains until the last
 * late packet can have come (RFC 9000 s10.2) is the endpoint's affair.
 *
 * A client has exactly one request per connection, which quic_connect() gives: it is sent when the
 * server's SETTINGS allow it (RFC 9220 s3, RFC 9297 s2.1.1) and not before.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "quic/address.h"
#include "quic/events.h"

struct quic_endpoint;

struct quic_dial {
	struct quic_path path;
	/* Sent as SNI and, with a CA, checked against the certificate. */
	const char *server_name;
	struct quic_request request;
};

/*
 * What `status` shows. After a silence under traffic the library asks whether the peer is there in
 * intervals that double (RFC 9002 s6.2), so that an outage is followed by as long a pause again at
 * worst: an owner that can dial anew does better, and the event `silent` tells it when.
 */
struct quic_figures {
	uint64_t rtt_ns;
	uint64_t window;     /* congestion window, bytes */
	uint64_t in_flight;  /* bytes */
	uint64_t heard_ns;   /* when anything of the peer came last */
	uint64_t unacked_ns; /* the peer has acknowledged nothing for so long; 0 = it does */
	uint64_t sent;       /* datagrams */
	uint64_t lost, late; /* of these (late.h) */
	size_t payload;      /* UDP payload that the path carries, bytes */
};

/* *stream is the request's, alive until its event `ended`. */
[[nodiscard]] int quic_connect(struct quic_endpoint *e, const struct quic_dial *dial,
	uint64_t now_ns, struct quic_stream **stream, struct err *err);

/* code is one of HTTP/3; the reason goes to the peer. Sent by the next write; `closed` comes from
 * there. */
void quic_connection_close(struct quic_connection *c, uint64_t code, const char *reason);

/* Client: our address is another one. The connection goes over to it at once and validates it
 * while it does (RFC 9000 s9); the same address on another socket is no migration. -EALREADY: that
 * is its path; -EBUSY: not established, or the peer has given no further connection ID yet. */
[[nodiscard]] int quic_connection_migrate(
	struct quic_connection *c, const struct quic_path *path, uint64_t now_ns);

void quic_connection_set_data(struct quic_connection *c, void *data);
void *quic_connection_data(const struct quic_connection *c);
struct quic_path quic_connection_path(const struct quic_connection *c);
bool quic_connection_established(const struct quic_connection *c);
struct quic_figures quic_connection_figures(const struct quic_connection *c);
