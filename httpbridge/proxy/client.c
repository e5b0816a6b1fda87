/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/client.h"
#include "answer/accesslog.h"
#include "answer/answer.h"
#include "http/head.h"
#include "lib/xmalloc.h"
#include "proxy/exchange.h"
#include "proxy/sources.h"
#include "proxy/worker.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long, and for how much, a client is heard out that we have done with. */
constexpr uint32_t LINGER_MS = 2'000;
constexpr uint32_t LINGER_BYTES = 1024 * 1024;
/* What is kept of a client that sends ahead. */
constexpr uint32_t KEPT_FIRST = 4096;
/* When the end of a new connection begins to be listened for. */
constexpr uint32_t UNHEARD_MS = 50;

static const struct link_events events;

static const struct bridge_limits *limits_of(const struct client *c)
{
	return &c->worker->config->limits;
}

static void set_state(struct client *c, enum client_state state)
{
	struct timers *timers = &c->worker->loop.timers;

	c->state = state;
	c->backlog = 0;
	switch (state) {
	case CLIENT_IDLE:
		timer_set(timers, &c->timer, limits_of(c)->idle_ms);
		break;
	case CLIENT_HEAD:
		timer_unset(&c->timer);
		timer_set(timers, &c->timer, limits_of(c)->head_ms);
		break;
	case CLIENT_BUSY:
		timer_unset(&c->timer);
		break;
	case CLIENT_LINGER:
		timer_unset(&c->timer);
		timer_set(timers, &c->timer,
			link_holds(&c->link) ? limits_of(c)->idle_ms : LINGER_MS);
		break;
	}
}

static void drop_kept(struct client *c)
{
	free(c->kept);
	c->kept = nullptr;
	c->kept_len = c->kept_size = c->head_seen = 0;
}

void client_free(struct client *c)
{
	struct worker *w = c->worker;

	assert(!c->exchange);
	timer_unset(&c->timer);
	link_close(&c->link);
	drop_kept(c);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	stats_sub(&w->stats.connections, 1);
	sources_leave(w->sources, &c->peer);
	free(c);
}

/* Our side has ended; what is still on its way is heard and forgotten. */
static void linger(struct client *c)
{
	drop_kept(c);
	set_state(c, CLIENT_LINGER);
	if (!link_holds(&c->link))
		link_shutdown(&c->link);
	link_resume(&c->link);
}

/* What was written is sent. */
static void end_lingering(struct client *c)
{
	if (c->all_said) {
		client_free(c);
		return;
	}
	link_shutdown(&c->link);
	set_state(c, CLIENT_LINGER);
}

/* A request that was not even read. */
static void log_refusal(struct client *c, const struct answer_failure *f)
{
	uint64_t now = loop_clock_us();
	uint64_t took = c->began_us ? now - c->began_us : 0;
	const struct accesslog_entry entry = {.realtime_us = loop_realtime_us() - took,
		.peer = c->peer,
		.peer_port = c->port,
		.status = answer_failure_status(f),
		.code = answer_failure_code(f),
		.fault = f->fault,
		.head_us = took,
		.connect_us = ACCESSLOG_NEVER,
		.first_byte_us = ACCESSLOG_NEVER,
		.total_us = took};
	log_writer_add(&c->worker->log, &entry);
}

static void say(struct client *c, const struct answer_failure *f, bool head)
{
	const struct answer_sending sending = {
		.date = worker_date(c->worker), .close = true, .head = head};
	char *out = c->worker->loop.scratch;
	struct iovec iov = {out, answer_failure(f, &sending, out, LOOP_SCRATCH)};

	stats_add(&c->worker->stats.answers[f->reason], 1);
	log_refusal(c, f);
	if (link_write(&c->link, &iov, 1) < 0)
		client_free(c);
	else
		linger(c);
}

static void refuse(struct client *c, enum answer_reason reason, const char *fault)
{
	const struct answer_failure f = {
		.reason = reason, .node = c->worker->config->node, .fault = fault};
	say(c, &f, false);
}

static const struct {
	enum http_fault fault;
	enum answer_reason reason;
} reasons[] = {
	{HTTP_FAULT_VERSION, ANSWER_VERSION},
	{HTTP_FAULT_METHOD, ANSWER_METHOD_UNKNOWN},
	{HTTP_FAULT_HEAD_SIZE, ANSWER_HEAD_TOO_LARGE},
	{HTTP_FAULT_FIELDS, ANSWER_HEAD_TOO_LARGE},
	{HTTP_FAULT_EXPECT, ANSWER_EXPECTATION},
};

static void refuse_head(struct client *c, enum http_fault fault)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].fault == fault) {
			refuse(c, reasons[i].reason, http_fault_str(fault));
			return;
		}
	refuse(c, ANSWER_BAD_REQUEST, http_fault_str(fault));
}

static void adjust_reading(struct client *c);

static void on_timer(struct timer *t)
{
	struct client *c = (struct client *)((char *)t - offsetof(struct client, timer));

	if (c->state == CLIENT_BUSY) {
		c->unheard = false;
		adjust_reading(c);
		return;
	}
	uint32_t backlog = link_holds(&c->link) ? link_unsent(&c->link) : 0;

	if (backlog && (!c->backlog || backlog < c->backlog)) {
		c->backlog = backlog; /* slowly, but it takes its answer */
		timer_set(&c->worker->loop.timers, t, limits_of(c)->idle_ms);
		return;
	}
	if (c->state == CLIENT_HEAD && !backlog)
		refuse(c, ANSWER_HEAD_SLOW, nullptr);
	else
		client_free(c);
}

/* Bytes that cannot be served yet. */

static void keep(struct client *c, const char *data, size_t n)
{
	if (n > c->kept_size - c->kept_len) {
		uint32_t size = c->kept_size ? c->kept_size : KEPT_FIRST;
		while (size - c->kept_len < n)
			size *= 2;
		c->kept = xreallocarray(c->kept, size, 1);
		c->kept_size = size;
	}
	memcpy(c->kept + c->kept_len, data, n);
	c->kept_len += (uint32_t)n;
}

static void forget(struct client *c, size_t n)
{
	assert(n <= c->kept_len);
	c->head_seen = 0;
	c->kept_len -= (uint32_t)n;
	if (c->kept_len == 0)
		drop_kept(c);
	else
		memmove(c->kept, c->kept + n, c->kept_len);
}

/* Requests. */

static bool may_begin(const struct client *c)
{
	return (c->state == CLIENT_IDLE || c->state == CLIENT_HEAD) && !link_holds(&c->link);
}

/* Begins with the request whose head is the first n bytes of data. Returns how many bytes it took;
 * c may be gone afterwards, *gone then says so. */
static size_t begin(
	struct client *c, struct http_request *request, const char *data, size_t n, size_t len)
{
	size_t used = 0;

	set_state(c, CLIENT_BUSY);
	exchange_new(c, request, data, n, data + n, len - n, &used);
	return n + used;
}

/* One request from what there is, at data. Returns how many bytes it took, 0 = the head is not
 * complete, or -1: c is lingering or gone. */
static ssize_t serve_one(struct client *c, const char *data, size_t len)
{
	static thread_local struct http_request request;
	enum http_fault fault = HTTP_FAULT_NONE;

	if (c->state == CLIENT_IDLE)
		c->began_us = c->worker->loop.now_us;
	ssize_t n = http_request_read(data, len, c->head_seen, &request, &fault);
	if (n == -EAGAIN && len < limits_of(c)->head_bytes) {
		c->head_seen = (uint32_t)len;
		if (c->state == CLIENT_IDLE)
			set_state(c, CLIENT_HEAD);
		return 0;
	}
	if (n > (ssize_t)limits_of(c)->head_bytes || n == -EAGAIN)
		fault = HTTP_FAULT_HEAD_SIZE;
	if (fault != HTTP_FAULT_NONE) {
		refuse_head(c, fault);
		return -1;
	}
	return (ssize_t)begin(c, &request, data, (size_t)n, len);
}

/* Should more of the client be read? Beyond its request only so much that its end is noticed. */
static bool wants_more(const struct client *c)
{
	if (c->state == CLIENT_LINGER)
		return true;
	if (c->exchange && exchange_expects_input(c->exchange))
		return exchange_wants_input(c->exchange);
	return c->kept_len < limits_of(c)->head_bytes && !link_holds(&c->link);
}

static void adjust_reading(struct client *c)
{
	bool for_its_end = c->exchange && !exchange_expects_input(c->exchange);

	if (!wants_more(c))
		link_pause(&c->link);
	else if (c->unheard && for_its_end)
		timer_set(&c->worker->loop.timers, &c->timer, UNHEARD_MS);
	else
		link_resume(&c->link);
}

/* Serves what is kept, as far as it goes. */
static void serve_kept(struct client *c)
{
	bool gone = false, *before = c->link.closed_within;

	c->running = true;
	c->link.closed_within = &gone;
	while (may_begin(c) && c->kept_len) {
		ssize_t n = serve_one(c, c->kept, c->kept_len);
		if (gone) {
			if (before)
				*before = true;
			return;
		}
		if (n <= 0 || c->state == CLIENT_LINGER)
			break;
		forget(c, (size_t)n);
	}
	c->link.closed_within = before;
	c->running = false;
	adjust_reading(c);
}

/* The same for bytes that just came, which are kept only if they must. */
static void serve_new(struct client *c, const char *data, size_t len)
{
	bool gone = false, *before = c->link.closed_within;
	size_t at = 0;

	c->running = true;
	c->link.closed_within = &gone;
	while (may_begin(c) && at < len) {
		ssize_t n = serve_one(c, data + at, len - at);
		if (gone) {
			if (before)
				*before = true;
			return;
		}
		if (n <= 0)
			break;
		at += (size_t)n;
		c->head_seen = 0;
	}
	c->link.closed_within = before;
	c->running = false;
	if (at < len && c->state != CLIENT_LINGER)
		keep(c, data + at, len - at);
	adjust_reading(c);
}

static void hear_out(struct client *c, size_t n)
{
	c->lingered += (uint32_t)n;
	if (c->lingered > LINGER_BYTES)
		client_free(c);
}

static void end_of_client(struct client *c, int error)
{
	if (c->exchange)
		exchange_client_gone(c->exchange, error);
	else
		client_free(c);
}

static void on_input(struct link *l, const char *data, ssize_t n)
{
	struct client *c = (struct client *)l;

	if (n <= 0) {
		end_of_client(c, (int)n);
		return;
	}
	size_t len = (size_t)n, used = 0;
	if (c->state == CLIENT_LINGER) {
		hear_out(c, len);
		return;
	}
	if (c->exchange && exchange_expects_input(c->exchange)) {
		bool gone = false, *before = l->closed_within;
		l->closed_within = &gone;
		used = exchange_client_input(c->exchange, data, len);
		if (gone) {
			if (before)
				*before = true;
			return;
		}
		l->closed_within = before;
	}
	if (used == len)
		return;
	if (c->kept_len || !may_begin(c)) {
		if (c->state == CLIENT_LINGER)
			return;
		keep(c, data + used, len - used);
		serve_kept(c);
	} else {
		serve_new(c, data + used, len - used);
	}
}

static void on_drained(struct link *l)
{
	struct client *c = (struct client *)l;

	if (c->exchange) {
		exchange_client_drained(c->exchange);
		return;
	}
	if (c->state == CLIENT_LINGER)
		end_lingering(c);
	else
		serve_kept(c);
}

static const struct link_events events = {.input = on_input, .drained = on_drained};

/* Life. */

void client_new(struct worker *w, int fd, const struct addr *peer, uint16_t port, bool admin)
{
	struct client *c = xcalloc(1, sizeof(*c));

	*c = (struct client){.worker = w,
		.next = w->clients,
		.peer = *peer,
		.port = port,
		.admin = admin,
		.unheard = true,
		.timer.expired = on_timer};
	if (w->clients)
		w->clients->prev = c;
	w->clients = c;
	stats_add(&w->stats.accepted, 1);
	stats_add(&w->stats.connections, 1);
	link_open(&c->link, &w->loop, &events, fd);
	set_state(c, CLIENT_IDLE);
	link_read(&c->link);
}

void client_drain(struct client *c)
{
	if (c->state == CLIENT_IDLE && !link_holds(&c->link))
		client_free(c);
}

void client_done(struct client *c, enum client_end end)
{
	c->exchange = nullptr;
	if (c->worker->draining && end == CLIENT_KEEP)
		end = CLIENT_CLOSE;
	if (end == CLIENT_CLOSE && !c->kept_len && !link_holds(&c->link)) {
		client_free(c);
		return;
	}
	c->unheard = false;
	if (end != CLIENT_KEEP) {
		c->all_said = end == CLIENT_CLOSE && !c->kept_len;
		linger(c);
		return;
	}
	set_state(c, CLIENT_IDLE);
	if (c->running)
		return;
	if (c->kept_len)
		serve_kept(c);
	else
		adjust_reading(c);
}

void client_pour(struct client *c)
{
	char *kept = c->kept;
	size_t len = c->kept_len;

	c->kept = nullptr;
	c->kept_len = c->kept_size = c->head_seen = 0;
	if (len)
		(void)exchange_client_input(c->exchange, kept, len);
	free(kept);
	adjust_reading(c);
}

void client_abort(struct client *c)
{
	c->exchange = nullptr;
	link_abort(&c->link);
	client_free(c);
}
