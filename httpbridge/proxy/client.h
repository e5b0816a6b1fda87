/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * client: a connection that came in, from one request to the next.
 *
 *	IDLE ──first byte──▶ HEAD ──head read──▶ BUSY ──exchange ended──▶ IDLE
 *	                       │                   │
 *	                       └──refused──────────┴──it must close──▶ LINGER ──▶ gone
 *
 * Bytes that come while a request is served, and are not its body, are kept, and reading stops
 * until they are looked at: requests are answered in order, one after the other. Nothing is read
 * from a client that does not take its answers.
 *
 * A connection is read as soon as it is accepted: the kernel gives it to us with its first request
 * (TCP_DEFER_ACCEPT). While that one is served, its end is listened for only if that takes a while:
 * who asks once and closes costs the event loop nothing.
 *
 * LINGER is for what was still on its way when we ended: closing at once would reset the
 * connection, and the answer with it (RFC 9112 9.6).
 */
#include "lib/ip.h"
#include "proxy/link.h"
#include "proxy/timer.h"

struct exchange;
struct worker;

enum client_state : uint8_t {
	CLIENT_IDLE,
	CLIENT_HEAD,
	CLIENT_BUSY,
	CLIENT_LINGER,
};

struct client {
	struct link link;
	struct worker *worker;
	struct client *prev, *next;
	struct exchange *exchange;
	struct timer timer;
	char *kept; /* bytes that are not served yet */
	uint32_t kept_len, kept_size;
	uint32_t head_seen; /* of the kept ones, by a reading of the head that wanted more */
	uint32_t lingered;
	uint32_t backlog; /* when the timer looked last */
	enum client_state state;
	bool admin, running;
	bool unheard;  /* its first request is served, and nothing waits for its end */
	bool all_said; /* nothing more comes from it: it may be closed once the answer is sent */
	uint16_t port;
	struct addr peer;
	uint64_t began_us; /* when the first byte of the request came */
};

/* Takes the descriptor of an accepted connection, and reads at once. */
void client_new(struct worker *w, int fd, const struct addr *peer, uint16_t port, bool admin);
void client_free(struct client *c);
/* Between requests it is closed at once, otherwise with the end of its answer. */
void client_drain(struct client *c);

/* For the exchange. */
/* It has ended, and all of the answer is written. */
enum client_end : uint8_t {
	CLIENT_KEEP,  /* it may serve another request */
	CLIENT_CLOSE, /* the request was read whole */
	CLIENT_HEAR,  /* more may come of it */
};
void client_done(struct client *c, enum client_end end);
/* What was kept of what it sent belongs to the exchange, too: it has become a tunnel. */
void client_pour(struct client *c);
/* The client must see that its answer is not complete. */
void client_abort(struct client *c);
