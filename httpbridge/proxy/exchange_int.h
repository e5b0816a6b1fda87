/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * exchange_int: what the files of an exchange share. Private to them.
 *
 * A function that may end the exchange says so by returning false: x is gone then, and perhaps its
 * client.
 */
#include "answer/accesslog.h"
#include "answer/answer.h"
#include "answer/ask.h"
#include "http/body.h"
#include "http/target.h"
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"
#include "route/forward.h"

constexpr size_t EXCHANGE_RAW = 1024; /* longer heads have memory of their own */
constexpr size_t EXCHANGE_BODY_KEPT = 16 * 1024;

enum exchange_state : uint8_t {
	EXCHANGE_CONNECT,
	EXCHANGE_HEAD,
	EXCHANGE_BODY,
	EXCHANGE_TUNNEL,
	EXCHANGE_ASK, /* there will be an answer of our own, with a verdict if one comes in time */
};

struct page;

constexpr size_t EXCHANGE_NAME = 280; /* of an upstream that is no socket */

struct exchange {
	struct exchange *next_free;
	struct worker *worker;
	struct client *client;
	const struct bridge_config *config; /* a reference */
	const struct bridge_route *route;   /* nullptr: none was found */
	const struct bridge_upstream *of;
	struct up *up;
	struct timer timer;
	struct http_body_state in, out; /* the request's and the answer's */
	char *raw;                      /* the request's head, for another try */
	size_t raw_len;
	char *body; /* all of the request's, for another try; nullptr = not kept */
	size_t body_len;
	enum exchange_state state;
	enum http_method method;
	uint8_t minor;
	bool persistent; /* the client's connection */
	bool upgrade, idempotent;
	bool heard;            /* the upstream has said something */
	bool told;             /* the answer's head, or our own answer, is written */
	bool up_persistent;    /* the upstream's connection may be used again */
	bool bound;            /* it logs the upstream's connection in: nobody else may use that */
	bool rechunk, dechunk; /* the answer's body changes its framing */
	bool client_ended;     /* of a tunnel: its side */
	bool stale;            /* an idle connection was none: no more of these */
	unsigned tries;        /* connections that were begun for it */
	unsigned sends;        /* of the request */
	struct ask_waiter waiter;
	struct page *page;         /* that is being made */
	struct stats_route *stats; /* of the route */
	enum answer_reason reason; /* of our own answer; ANSWERS = it is the upstream's */
	const char *fault;
	char code[64];                                 /* that our own answer gave */
	char diagnosis[64];                            /* and its number */
	struct accesslog_text method_text, host, path; /* in raw */
	struct forward_trace trace;
	int status;
	uint64_t deadline_ms; /* of all of it; 0 = none */
	uint32_t backlog;     /* when the timer looked last; 0 = there was something else since */
	bool reused, aborted;
	uint64_t began_us, read_us, sent_us, connected_us, answered_us; /* 0 = not yet */
	char inline_raw[EXCHANGE_RAW];
};

/* All of the request is here, and may be sent a second time (RFC 9110 9.2.2). */
static inline bool exchange_may_repeat(const struct exchange *x)
{
	return x->idempotent && (x->in.kind == HTTP_BODY_NONE || x->body);
}
/* Sends the request on, to the first upstream that can be had; body is what came with its head.
 * For another try request is nullptr. */
void exchange_send(struct exchange *x, const struct http_request *request,
	const struct http_target *target, const char *body, size_t len);
/* A problem with the way to the upstream: another try, or the end. */
void exchange_up_failed(struct exchange *x, enum answer_reason reason);
/* The line of the access log. */
void exchange_log(struct exchange *x);
/* For answers of our own, written to the loop's scratch: the beginning, and the end. */
void exchange_begin_own(struct exchange *x, struct answer_sending *sending);
bool exchange_end_with(struct exchange *x, size_t len);
/* A page, whatever its size. Always false. */
bool exchange_answer(struct exchange *x, const struct answer_page *page);
/* Waits for a verdict, told() says which; false: *verdict is known at once, or there is none. */
bool exchange_ask(struct exchange *x, const char *target,
	void (*told)(struct ask_waiter *w, sd_json_variant *verdict), sd_json_variant **verdict);
/* Ends with an answer of our own, or, if the answer has begun, in the middle of it. Always false.
 */
bool exchange_fail(struct exchange *x, enum answer_reason reason, const char *fault);
/* Ends after its answer. Always false. */
bool exchange_finish(struct exchange *x);
/* Ends without another word to the client. reset: it must see that its answer is not complete.
 * Always false. */
bool exchange_drop(struct exchange *x, bool reset);
/* (Re)starts the timer; deadline_ms counts too. */
void exchange_time(struct exchange *x, uint32_t ms);
/* The same, of a tunnel. */
void exchange_time_tunnel(struct exchange *x);
/* Writes to the client; holds back the upstream if the client does not take it. */
bool exchange_tell(struct exchange *x, const struct iovec *iov, unsigned n);
/* Is all of the answer and all of the request through? Then it ends. */
bool exchange_settle(struct exchange *x);
