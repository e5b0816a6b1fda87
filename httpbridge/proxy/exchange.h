/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * exchange: one request and its answer.
 *
 *	CONNECT ──connected──▶ HEAD ──answer's head──▶ BODY ──both ended──▶ gone
 *	   │  ▲                 │  └──101──▶ TUNNEL ──one side ended──▶ gone
 *	   │  └──another try────┤
 *	   └──no way────────────┴──▶ own answer ──▶ gone
 *
 * The request's body flows from the beginning, whatever the answer does. Each direction is read
 * only as fast as the other side takes it: what is held is one read of LOOP_INPUT at most.
 *
 * A request is sent a second time only if the first one cannot have been acted upon (no connection
 * was made, nothing went out), or it is idempotent and the connection was an idle one that ended
 * without a byte of an answer (RFC 9110 9.2.2); and only if it has no body, or is idempotent and a
 * short body came with its head. Only connections that could not be made count as retries: that an
 * idle one ended just now says nothing about the upstream.
 */
#include "http/head.h"
#include <stddef.h>
#include <sys/types.h>

struct client;
struct exchange;
struct up;
struct worker;

/* Begins to serve the request whose head is at raw; raw and request are not used afterwards.
 * c->exchange is set, or it has ended already: with an answer of our own, or with the client. */
void exchange_new(struct client *c, const struct http_request *request, const char *raw, size_t len,
	const char *more, size_t more_len, size_t *more_used);
void exchanges_clear(struct worker *w);

/* Of the client. How many of the bytes are the request's. */
size_t exchange_client_input(struct exchange *x, const char *data, size_t n);
void exchange_client_drained(struct exchange *x);
/* error: 0 if it has ended its side. */
void exchange_client_gone(struct exchange *x, int error);
/* Is what comes next of the client the exchange's, and may it come now? */
bool exchange_expects_input(const struct exchange *x);
bool exchange_wants_input(const struct exchange *x);

/* Of the connection to the upstream. */
void exchange_up_connected(struct exchange *x, int error);
void exchange_up_input(struct exchange *x, const char *data, ssize_t n);
void exchange_up_drained(struct exchange *x);
