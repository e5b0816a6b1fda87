/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"
#include "lib/xmalloc.h"
#include "proxy/exchange_int.h"
#include "proxy/pages.h"
#include "route/access.h"
#include "route/match.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a client waits for a verdict, for one that takes trying, and for one about an upstream
 * that failed. */
constexpr uint64_t ASK_PATIENCE_US = 2'500'000;
constexpr uint64_t ASK_ACTIVE_PATIENCE_US = 6'500'000;
constexpr uint64_t ASK_OWN_PATIENCE_US = 5'000'000;

/* Life. */

static struct exchange *take_exchange(struct worker *w)
{
	struct exchange *x = w->free_exchanges;

	if (!x)
		return xcalloc(1, sizeof(*x));
	w->free_exchanges = x->next_free;
	memset(x, 0, offsetof(struct exchange, inline_raw));
	return x;
}

void exchanges_clear(struct worker *w)
{
	while (w->free_exchanges) {
		struct exchange *x = w->free_exchanges;
		w->free_exchanges = x->next_free;
		free(x);
	}
}

/* The head's bytes, for another try and for the log. */
static void keep_raw(struct exchange *x, const struct http_request *q, const char *raw, size_t len)
{
	const char *query = memchr(q->target, '?', q->target_len);
	size_t path_len = query ? (size_t)(query - q->target) : q->target_len;

	x->raw = len <= EXCHANGE_RAW ? x->inline_raw : xcalloc(len, 1);
	x->raw_len = len;
	memcpy(x->raw, raw, len);
	x->method_text = (struct accesslog_text){x->raw + (q->method_text - raw), q->method_len};
	x->host = (struct accesslog_text){x->raw + (q->host - raw), q->host_len};
	x->path = (struct accesslog_text){x->raw + (q->target - raw), path_len};
}

static void release(struct exchange *x)
{
	struct worker *w = x->worker;

	exchange_log(x);
	timer_unset(&x->timer);
	ask_forget(&x->waiter);
	page_leave(x->page);
	if (x->raw != x->inline_raw)
		free(x->raw);
	free(x->body);
	bridge_config_unref(x->config);
	x->next_free = w->free_exchanges;
	w->free_exchanges = x;
}

static void leave_up(struct exchange *x, bool reusable)
{
	struct up *up = x->up;

	x->up = nullptr;
	if (!up)
		return;
	if (reusable) {
		up_release(up);
		return;
	}
	up_close(up);
}

static bool is_whole(const struct exchange *x)
{
	return x->in.ended && x->state != EXCHANGE_TUNNEL;
}

/* The upstream has done its part. */
static void finish_up(struct exchange *x)
{
	leave_up(x, is_whole(x) && x->out.ended && x->up_persistent && !x->bound);
}

bool exchange_finish(struct exchange *x)
{
	struct client *c = x->client;
	bool whole = is_whole(x);
	enum client_end end = x->persistent ? CLIENT_KEEP : CLIENT_CLOSE;

	finish_up(x);
	release(x);
	client_done(c, whole ? end : CLIENT_HEAR);
	return false;
}

bool exchange_drop(struct exchange *x, bool reset)
{
	struct client *c = x->client;

	leave_up(x, false);
	x->aborted = true;
	release(x);
	c->exchange = nullptr;
	if (reset)
		client_abort(c);
	else
		client_free(c);
	return false;
}

bool exchange_settle(struct exchange *x)
{
	if (!x->out.ended)
		return true;
	return exchange_finish(x);
}

/* Time. */

void exchange_time(struct exchange *x, uint32_t ms)
{
	struct timers *timers = &x->worker->loop.timers;
	uint64_t after = ms;

	if (x->deadline_ms) {
		uint64_t left = x->deadline_ms > timers->now_ms ? x->deadline_ms - timers->now_ms
								: 0;
		after = left < after ? left : after;
	}
	x->backlog = 0;
	timer_set(timers, &x->timer, after);
}

void exchange_time_tunnel(struct exchange *x)
{
	if (x->route->timeouts.tunnel_ms)
		exchange_time(x, x->route->timeouts.tunnel_ms);
	else
		timer_unset(&x->timer);
}

static enum answer_reason late_reason(const struct exchange *x)
{
	if (x->deadline_ms && x->worker->loop.timers.now_ms >= x->deadline_ms)
		return ANSWER_TOTAL_TIMEOUT;
	if (x->state == EXCHANGE_CONNECT)
		return ANSWER_CONNECT_TIMEOUT;
	if (!x->in.ended)
		return link_holds(&x->up->link) ? ANSWER_WRITE_TIMEOUT : ANSWER_BODY_SLOW;
	return x->state == EXCHANGE_HEAD ? ANSWER_FIRST_BYTE_TIMEOUT : ANSWER_READ_TIMEOUT;
}

/* Nothing came for a while, but what was sent before is still being taken: a slow peer is not a
 * dead one. */
static bool still_moves(struct exchange *x)
{
	uint32_t backlog = link_unsent(&x->client->link) + (x->up ? link_unsent(&x->up->link) : 0);
	bool moves = backlog && (!x->backlog || backlog < x->backlog);

	if (moves) {
		exchange_time(x, x->state == EXCHANGE_TUNNEL ? x->route->timeouts.tunnel_ms
							     : x->route->timeouts.idle_ms);
		x->backlog = backlog;
	}
	return moves;
}

static void on_timer(struct timer *t)
{
	struct exchange *x = (struct exchange *)((char *)t - offsetof(struct exchange, timer));
	enum answer_reason reason = late_reason(x);

	if (x->state != EXCHANGE_CONNECT && reason != ANSWER_TOTAL_TIMEOUT && still_moves(x))
		return;
	if (reason == ANSWER_CONNECT_TIMEOUT)
		exchange_up_failed(x, reason);
	else if (x->state == EXCHANGE_TUNNEL)
		(void)exchange_drop(x, false);
	else
		(void)exchange_fail(x, reason, nullptr);
}

/* Answers of our own. */

bool exchange_tell(struct exchange *x, const struct iovec *iov, unsigned n)
{
	bool last = x->out.ended && !x->persistent;

	/* First: who has all of an answer may ask by another thread at once, and needs the seat. */
	if (x->out.ended)
		finish_up(x);
	int result = last ? link_write_last(&x->client->link, iov, n)
			  : link_write(&x->client->link, iov, n);

	if (result < 0)
		return exchange_drop(x, false);
	if (result == LINK_HELD && x->up)
		link_pause(&x->up->link);
	return true;
}

void exchange_begin_own(struct exchange *x, struct answer_sending *sending)
{
	if (!x->in.ended || x->worker->draining)
		x->persistent = false;
	x->told = true;
	x->out = (struct http_body_state){.ended = true};
	*sending = (struct answer_sending){.date = worker_date(x->worker),
		.close = !x->persistent,
		.keep_alive = x->minor == 0 && x->persistent,
		.head = x->method == HTTP_METHOD_HEAD};
}

bool exchange_end_with(struct exchange *x, size_t len)
{
	struct iovec iov = {x->worker->loop.scratch, len};
	return exchange_tell(x, &iov, 1) && exchange_finish(x);
}

static void note_failure(struct exchange *x, const struct answer_failure *f)
{
	sd_json_variant *id = f->verdict ? sd_json_variant_by_key(f->verdict, "id") : nullptr;

	x->status = (int)answer_failure_status(f);
	(void)snprintf(x->code, sizeof(x->code), "%s", answer_failure_code(f));
	if (f->verdict && strcmp(x->code, answer_row(f->reason)->code) != 0)
		worker_count_verdict(x->worker, x->code);
	if (sd_json_variant_is_string(id))
		(void)snprintf(
			x->diagnosis, sizeof(x->diagnosis), "%s", sd_json_variant_string(id));
}

static bool fail_with(struct exchange *x, sd_json_variant *verdict)
{
	struct answer_sending sending;
	const struct answer_failure f = {.reason = x->reason,
		.node = x->config->node,
		.fault = x->fault,
		.request_id = *x->trace.id ? x->trace.id : nullptr,
		.upstream = x->of ? x->of->name : nullptr,
		.verdict = verdict,
		.reveal = x->config->reveal};

	exchange_begin_own(x, &sending);
	note_failure(x, &f);
	return exchange_end_with(
		x, answer_failure(&f, &sending, x->worker->loop.scratch, LOOP_SCRATCH));
}

static void on_told(struct ask_waiter *waiter, sd_json_variant *verdict)
{
	(void)fail_with(
		(struct exchange *)((char *)waiter - offsetof(struct exchange, waiter)), verdict);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static uint64_t patience(const char *question)
{
	if (begins(question, WORKER_OWN))
		return ASK_OWN_PATIENCE_US;
	return begins(question, WORKER_ACTIVE) ? ASK_ACTIVE_PATIENCE_US : ASK_PATIENCE_US;
}

bool exchange_ask(struct exchange *x, const char *target,
	void (*told)(struct ask_waiter *w, sd_json_variant *verdict), sd_json_variant **verdict)
{
	struct worker *w = x->worker;

	x->waiter.told = told;
	enum ask_result result = ask_for(
		w->ask, target, &x->waiter, worker_now_us(w), patience(target), verdict);
	if (result == ASK_KNOWN || result == ASK_REFUSED)
		return false;
	x->state = EXCHANGE_ASK;
	worker_arm_ask(w);
	if (result == ASK_BEGIN)
		w->put_question(w, target);
	return true;
}

/* Why does the upstream not answer? meshgwd may know more than the bridge can see. */
static bool fail_with_verdict(struct exchange *x)
{
	char question[sizeof(WORKER_OWN) + EXCHANGE_NAME];
	autojson sd_json_variant *verdict = nullptr;

	int n = snprintf(question, sizeof(question), WORKER_OWN "%s", x->of->name);
	if ((size_t)n >= sizeof(question))
		return fail_with(x, nullptr);
	return exchange_ask(x, question, on_told, &verdict) || fail_with(x, verdict);
}

bool exchange_answer(struct exchange *x, const struct answer_page *page)
{
	struct answer_sending sending;
	const struct answer_page head = {page->status, page->type, nullptr, page->len};

	exchange_begin_own(x, &sending);
	x->status = (int)page->status;
	x->out.data = sending.head ? 0 : page->len;
	int n = answer_page(&head, &sending, x->worker->loop.scratch, LOOP_SCRATCH);
	assert(n > 0);
	const struct iovec iov[] = {{x->worker->loop.scratch, (size_t)n},
		{(void *)(uintptr_t)page->body, sending.head ? 0 : page->len}};
	return exchange_tell(x, iov, 2) && exchange_finish(x);
}

bool exchange_fail(struct exchange *x, enum answer_reason reason, const char *fault)
{
	stats_add(&x->worker->stats.answers[reason], 1);
	x->reason = reason;
	x->fault = fault;
	if (x->told)
		return exchange_drop(x, true);
	leave_up(x, false);
	timer_unset(&x->timer);
	if (x->worker->put_question && x->of && *x->of->target && answer_row(reason)->ask)
		return fail_with_verdict(x);
	return fail_with(x, nullptr);
}

/* Another try. */

static bool is_stale(const struct exchange *x, enum answer_reason reason)
{
	return x->up && x->up->reused && reason == ANSWER_CLOSED_EARLY && !x->heard;
}

static bool may_try_again(const struct exchange *x, enum answer_reason reason)
{
	bool unsent = x->state == EXCHANGE_CONNECT && x->tries <= x->route->retries;
	bool whole = x->in.kind == HTTP_BODY_NONE || x->body;

	return !x->told && whole && (unsent || (is_stale(x, reason) && exchange_may_repeat(x)));
}

void exchange_up_failed(struct exchange *x, enum answer_reason reason)
{
	if (!may_try_again(x, reason)) {
		(void)exchange_fail(x, reason, nullptr);
		return;
	}
	x->stale |= is_stale(x, reason);
	leave_up(x, false);
	exchange_send(x, nullptr, nullptr, x->body, x->body_len);
}

/* What came of the body with its head, if that is all of it. */
static void keep_body(struct exchange *x, const char *body, size_t len)
{
	if (!x->idempotent || !x->in.ended || len == 0 || len > EXCHANGE_BODY_KEPT)
		return;
	x->body = xcalloc(len, 1);
	memcpy(x->body, body, len);
	x->body_len = len;
}

/* Beginning. */

static const enum answer_reason denials[] = {
	[BRIDGE_WRONG_SOURCE] = ANSWER_WRONG_SOURCE,
	[BRIDGE_TOKEN_MISSING] = ANSWER_TOKEN_MISSING,
	[BRIDGE_TOKEN_WRONG] = ANSWER_TOKEN_WRONG,
};

static bool is_edited(const void *of, const char *name, size_t len)
{
	return forward_edits(of, name, len);
}

static bool admit(struct exchange *x, const struct http_request *q, const struct http_target *t)
{
	x->route = bridge_route_match(x->config, q->host, q->host_len, t->path, t->path_len);
	if (!x->route)
		return exchange_fail(x, ANSWER_NO_ROUTE, nullptr);
	x->stats = x->worker->by_route[x->route->index];
	enum bridge_access access = bridge_access_check(x->route, &x->client->peer, &q->head);
	if (access != BRIDGE_ALLOWED)
		return exchange_fail(x, denials[access], nullptr);
	uint64_t max = x->route->max_body;
	if (max && q->head.body == HTTP_BODY_LENGTH && (uint64_t)q->head.length > max)
		return exchange_fail(x, ANSWER_BODY_TOO_LARGE, nullptr);
	x->in.chunk.refuses = is_edited;
	x->in.chunk.of = &x->route->request;
	if (x->route->timeouts.total_ms)
		x->deadline_ms = x->worker->loop.timers.now_ms + x->route->timeouts.total_ms;
	return true;
}

/* Schemes that say who is at the other end of a connection, not who sends a request (RFC 4559 6).
 */
static bool logs_connection_in(const struct http_head *head)
{
	static const char *const schemes[] = {"NTLM", "Negotiate"};

	for (size_t i = 0; i < head->n; i++) {
		const struct http_field *f = &head->fields[i];
		const char *blank = memchr(f->value, ' ', f->value_len);
		size_t len = blank ? (size_t)(blank - f->value) : f->value_len;
		if (head->names[i] != HTTP_NAME_AUTHORIZATION)
			continue;
		for (size_t k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++)
			if (http_text_equal(f->value, len, schemes[k], strlen(schemes[k])))
				return true;
	}
	return false;
}

static void set_request(struct exchange *x, const struct http_request *q)
{
	http_body_begin(&x->in, &q->head);
	x->method = q->method;
	x->minor = q->head.minor;
	x->persistent = q->head.persistent && !x->worker->draining;
	x->upgrade = q->head.upgrade;
	x->idempotent = q->idempotent;
	x->bound = logs_connection_in(&q->head);
	forward_trace_read(&q->head, worker_random(x->worker, FORWARD_TRACE_RANDOM), &x->trace);
}

/* A request that may not be sent on any more ends here (RFC 9110 7.6.2). */
static bool answer_here(struct exchange *x, const struct http_request *q)
{
	static const struct answer_page nothing = {200, "text/plain", "", 0};

	if (!q->limited || q->hops > 0)
		return false;
	(void)exchange_answer(x, &nothing);
	return true;
}

void exchange_new(struct client *c, const struct http_request *request, const char *raw, size_t len,
	const char *more, size_t more_len, size_t *more_used)
{
	char *path = c->worker->loop.scratch + LOOP_SCRATCH / 2;
	struct exchange *x = take_exchange(c->worker);
	enum http_fault fault = HTTP_FAULT_NONE;
	struct http_target target;

	x->worker = c->worker;
	x->client = c;
	x->config = bridge_config_ref(c->worker->config);
	x->timer.expired = on_timer;
	x->reason = ANSWERS;
	x->began_us = c->began_us;
	x->read_us = c->worker->loop.now_us;
	c->exchange = x;
	set_request(x, request);
	keep_raw(x, request, raw, len);
	static_assert(LOOP_SCRATCH / 2 >= BRIDGE_HEAD_MAX);
	if (http_target_read(request, path, &target, &fault) < 0) {
		x->in.ended = false; /* who asks so is not heard again */
		(void)exchange_fail(x, ANSWER_BAD_TARGET, http_fault_str(fault));
		return;
	}
	if (pages_serve(c, &target)) {
		(void)page_begin(x, request, &target);
		return;
	}
	if (!admit(x, request, &target) || answer_here(x, request))
		return;
	ssize_t used = http_body_scan(&x->in, more, more_len, &fault);
	if (used < 0) {
		(void)exchange_fail(x, ANSWER_BAD_REQUEST, http_fault_str(fault));
		return;
	}
	*more_used = (size_t)used;
	if (x->route->max_body && x->in.data > x->route->max_body) {
		(void)exchange_fail(x, ANSWER_BODY_TOO_LARGE, nullptr);
		return;
	}
	keep_body(x, more, (size_t)used);
	exchange_send(x, request, &target, more, (size_t)used);
}
