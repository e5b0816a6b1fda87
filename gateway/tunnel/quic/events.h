/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * events: what an endpoint tells its owner.
 *
 * Events come from inside quic_endpoint_receive(), _write(), _expire() and quic_connect(), never
 * from inside another event. Everything that a pointer shows is borrowed until the event returns.
 * In an event these may be called, also for the stream or connection that it is about:
 * quic_stream_*, quic_datagram_queue(), quic_connection_close(), getters and setters.
 * quic_datagram_send() and the functions of quic/endpoint.h may not.
 *
 * Life of a connection: established once, or never; closed exactly once. After `closed` neither
 * the connection nor its streams may be touched. Life of a stream: `request` (server) or
 * quic_connect() (client) begins it; `ended` comes exactly once and is the last, also before
 * `closed` of its connection. Any entry may be nullptr.
 */
#include <stddef.h>
#include <stdint.h>

#include "quic/address.h"
#include "quic/config.h"

struct quic_connection;
struct quic_stream;

struct quic_peer {
	uint8_t key[QUIC_KEY_DIGEST]; /* SHA-256 of the SubjectPublicKeyInfo */
	const char *group;            /* of the key exchange, "X25519MLKEM768" */
	const char *cipher;
	const char *alpn;
	bool resumed;
	bool client; /* the peer is the one who called */
};

/* A field of a message; both parts are text without NUL, but may hold any other byte. */
struct quic_field {
	const char *name;
	const char *value;
};

/* What a client asks. With `capsules` the request carries Capsule-Protocol: ?1. */
struct quic_request {
	const char *method; /* CONNECT, whatever quic_connect() is given */
	const char *protocol;
	const char *scheme;
	const char *authority;
	const char *path;
	bool capsules;
	const struct quic_field *fields; /* all others */
	size_t n_fields;
};

struct quic_response {
	unsigned int status;
	bool capsules;
	const struct quic_field *fields;
	size_t n_fields;
};

enum quic_end {
	QUIC_END_FINISHED, /* both sides came to their end in order */
	QUIC_END_PEER,     /* reset or stopped by the peer, with its code */
	QUIC_END_LOCAL,    /* aborted by us, with our code */
	QUIC_END_CLOSED,   /* went with its connection */
};

enum quic_cause {
	QUIC_CAUSE_LOCAL,       /* quic_connection_close() or an error of the peer that we found */
	QUIC_CAUSE_PEER,        /* CONNECTION_CLOSE from the peer */
	QUIC_CAUSE_RESET,       /* stateless reset: the peer does not know us any more */
	QUIC_CAUSE_IDLE,        /* nothing heard for idle_ns */
	QUIC_CAUSE_HANDSHAKE,   /* no handshake within handshake_ns */
	QUIC_CAUSE_VERSION,     /* no version of QUIC in common */
	QUIC_CAUSE_IDENTITY,    /* the peer's key is none of the pins */
	QUIC_CAUSE_CERTIFICATE, /* the peer's certificate is not valid */
	QUIC_CAUSE_DEAF,        /* it talks, and acknowledges nothing (deaf.h) */
	QUIC_CAUSE_SETTINGS,    /* the peer's HTTP/3 cannot carry a tunnel */
};

struct quic_closed {
	enum quic_cause cause;
	bool application; /* the code is one of HTTP/3 */
	uint64_t code;
	const char *reason; /* text for people; what a peer sent has been made printable */
};

struct quic_events {
	/* The handshake is done and the peer's identity checked. */
	void (*established)(void *user, struct quic_connection *, const struct quic_peer *);
	void (*closed)(void *user, struct quic_connection *, const struct quic_closed *);
	/* The connection's path is another one now, and validated. */
	void (*moved)(void *user, struct quic_connection *, const struct quic_path *);
	/* Nobody answers on the path that quic_connection_migrate() took. */
	void (*stranded)(void *user, struct quic_connection *);
	/* The peer does not answer, though it should; and later: something was heard of it. */
	void (*silent)(void *user, struct quic_connection *, bool silent);
	/* quic_connection_trace() is another one, but for a path that `moved` tells. */
	void (*traced)(void *user, struct quic_connection *);

	/* Server: a request for the tunnel's protocol; answer with quic_stream_respond(), now or
	 * later. Everything else has been refused already (405, 501). */
	void (*request)(void *user, struct quic_stream *, const struct quic_request *);
	/* Client: the final answer. With a status outside 2xx the stream ends by itself. */
	void (*response)(void *user, struct quic_stream *, const struct quic_response *);
	/* Bytes of the stream (capsules), in any fragmentation. */
	void (*bytes)(void *user, struct quic_stream *, const uint8_t *, size_t);
	/* The peer sends no more. */
	void (*finished)(void *user, struct quic_stream *);
	/* There is room again after quic_stream_send() said -EAGAIN. */
	void (*writable)(void *user, struct quic_stream *);
	void (*ended)(void *user, struct quic_stream *, enum quic_end, uint64_t code);

	/* The payload of an HTTP datagram, behind the Quarter Stream ID. Never from 0-RTT. */
	void (*datagram)(void *user, struct quic_stream *, const uint8_t *, size_t);
	/* quic_datagram_max() of the stream has changed. First when the stream is open. */
	void (*datagram_max)(void *user, struct quic_stream *, size_t max);
	/* After -EAGAIN of quic_datagram_send(): the window may be open again. */
	void (*datagram_room)(void *user, struct quic_connection *);
};

const char *quic_cause_str(enum quic_cause cause);
const char *quic_end_str(enum quic_end end);
