/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * connection_int: what the files of this room share about connections and streams.
 *
 *     connection.c   begin, migrate           callbacks.c      what ngtcp2 tells
 *     ending.c       close, farewell          h3_callbacks.c   what nghttp3 tells
 *     read.c         packets of the peer      h3.c             HTTP/3: settings, streams
 *     write.c        packets to it
 *
 * Callbacks of the libraries note what happened and tell the owner; whatever would change the
 * library's objects below them is noted too and done by the next write.
 */
#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_ossl.h>

#include "quic/connection.h"
#include "quic/datagram.h"
#include "quic/deaf.h"
#include "quic/endpoint_int.h"
#include "quic/extra.h"
#include "quic/handshake.h"
#include "quic/late.h"
#include "quic/meter.h"
#include "quic/pmtu.h"
#include "quic/queue.h"
#include "quic/ring.h"
#include "quic/stream.h"

struct quic_message;

/* An acknowledgement waits so long for something to go along with, and so long nobody looks for
 * what else the library has to say. It is less than max_ack_delay, 25 ms (RFC 9000 s18.2). */
constexpr uint64_t QUIC_LINGER_NS = 5 * NGTCP2_MILLISECONDS;

enum quic_stream_state {
	QUIC_STREAM_NEW,     /* client: not sent yet; server: fields are coming */
	QUIC_STREAM_ASKED,   /* the request is out; or told, and not answered */
	QUIC_STREAM_OPEN,    /* 2xx */
	QUIC_STREAM_REFUSED, /* any other answer: nothing may be sent any more */
};

struct quic_stream {
	struct quic_connection *connection;
	struct quic_stream *next;
	void *data;
	int64_t id; /* -1 = no stream yet */
	enum quic_stream_state state;
	struct quic_message *message; /* while fields are coming; client: what to ask */
	struct quic_ring ring;
	struct quic_queue queue;
	size_t datagram_max; /* what the owner was told last */
	bool told;           /* the owner knows it: `ended` is due */
	bool finish;         /* FIN behind the ring */
	bool finished;       /* FIN of the peer has been told */
	bool wants_room;     /* `writable` is due */
	bool aborted;        /* by us, with code */
	bool reset;          /* by the peer, with code */
	bool stop;           /* refused: nothing more of it is wanted, with code */
	bool shut;           /* what aborted, reset or stop ask for has been done */
	uint64_t code;
};

enum quic_state {
	QUIC_HANDSHAKING,
	QUIC_ESTABLISHED,
	QUIC_CLOSED, /* for its owner; late packets are answered or swallowed until linger_ns */
};

struct quic_connection {
	struct quic_endpoint *endpoint;
	struct quic_connection *next, *previous; /* all */
	struct quic_connection *next_busy;
	bool busy;
	bool due;               /* there is more to write than the datagrams that were sent */
	bool ping;              /* … or at least a PING */
	uint64_t keep_alive_ns; /* 0 = the peer sees to it */
	void *data;
	enum quic_state state;
	bool server;
	bool unauthenticated; /* and counted as such, as long as anything is kept of it */

	struct quic_handshake handshake;
	bool overlong; /* a message of it is */
	struct quic_meter meter;
	ngtcp2_conn *ng;
	ngtcp2_crypto_ossl_ctx *ossl;
	ngtcp2_crypto_conn_ref ref;
	struct quic_tls *tls;
	nghttp3_conn *h3;
	struct quic_cid_list cids;
	struct quic_cid_list tokens;
	struct quic_timer timer;
	struct quic_stream *streams;

	int64_t control;         /* our control stream; -1 before it is there */
	struct quic_extra extra; /* … and its first bytes, with a dialect */
	char *server_name;       /* client */
	uint64_t bidi_allowed;   /* requests that the peer may have begun so far */
	uint64_t bidi_opened;    /* … and we have */
	bool settings_seen;
	bool peer_connect; /* SETTINGS_ENABLE_CONNECT_PROTOCOL */
	bool peer_datagrams;
	bool wants_room;         /* `datagram_room` is due */
	bool blocked;            /* stream bytes wait for the window: they go before datagrams */
	bool carried;            /* the packet that is read brought a datagram */
	unsigned int unanswered; /* such packets since the last write */
	uint64_t lost;           /* packets, by then */

	/* Of our connection IDs the one that the peer wrote to last. */
	uint8_t used_id[QUIC_CID_LENGTH];
	bool used_another; /* `traced` is due */

	uint64_t received; /* packets, when it was heard last */
	uint64_t heard_ns, written_ns;
	struct quic_deaf deaf;
	uint64_t acked;    /* how often something of ours was */
	uint64_t asked_ns; /* the first that was sent since, and calls for an answer; 0 = nothing */
	bool silent;       /* `silent` has been told */
	size_t payload;    /* of the path, at the last look */
	struct quic_pmtu pmtu;
	struct quic_late late;

	/* Why it ends. */
	int doomed;     /* an error of ngtcp2, found where it could not be dealt with */
	bool close;     /* at the next write */
	bool was_reset; /* stateless */

	enum quic_cause cause;
	ngtcp2_ccerr error;
	char reason[128];

	/* QUIC_CLOSED. */
	uint8_t *farewell; /* CONNECTION_CLOSE; nullptr = say nothing */
	size_t farewell_length;
	struct quic_path farewell_path;
	unsigned int farewells_due;
	unsigned int heard; /* packets since */
};

/* connection.c */
void quic_connection_let_go(struct quic_connection *c);
[[nodiscard]] int quic_connection_accept(struct quic_endpoint *e, const ngtcp2_pkt_hd *hd,
	const ngtcp2_cid *original, ngtcp2_token_type token_type, const struct quic_path *path,
	struct quic_connection **out);
void quic_connection_free(struct quic_connection *c);
/* It has something to write. */
void quic_connection_touch(struct quic_connection *c);
/* It has written a datagram: its timer is to be set when the turn ends. */
void quic_connection_sent(struct quic_connection *c);

/* ending.c: after an error of ngtcp2; the connection is closed for its owner then, or freed. */
void quic_connection_fail(struct quic_connection *c, int liberr);
/* Whether its peer is accepted by the endpoint's rules of now; if not, it is closed. */
bool quic_connection_judge(struct quic_connection *c);
void quic_connection_end(struct quic_connection *c, bool farewell, bool linger);
/* An error of HTTP/3, noted for quic_connection_fail(). */
int quic_connection_http_error(struct quic_connection *c, uint64_t code);

/* Closes it if its peer is deaf. */
void quic_connection_watch(struct quic_connection *c);

/* read.c: what ngtcp2 says to a datagram. */
[[nodiscard]] int quic_connection_read(struct quic_connection *c, const struct quic_run *in);

/* callbacks.c */
int quic_callback_ticket(SSL *ssl, SSL_SESSION *take_session);
void quic_callbacks_client(ngtcp2_callbacks *callbacks);
void quic_callbacks_server(ngtcp2_callbacks *callbacks);
void quic_random(uint8_t *dest, size_t n);
void quic_path_to_ngtcp2(const struct quic_path *path, ngtcp2_path *out);
void quic_path_from_ngtcp2(const ngtcp2_path *path, struct quic_path *out);

/* endpoint.c: of the library's timers and ours. */
void quic_connection_set_timer(struct quic_connection *c);

/* write.c: false = the batch is full. */
bool quic_connection_write(struct quic_connection *c, struct quic_batch *out);
/* Closes the packet that datagrams left open. */
[[nodiscard]] int quic_connection_seal(struct quic_connection *c, struct quic_batch *out);

/* datagram.c */
int quic_datagram_receive(struct quic_connection *c, const uint8_t *bytes, size_t n);
/* From the queues; 0, -EAGAIN (window), -ENOBUFS (batch) or an error of ngtcp2, which are below
 * -200. */
[[nodiscard]] int quic_datagram_flush(struct quic_connection *c, struct quic_batch *out);
void quic_datagram_tell_max(struct quic_connection *c);
