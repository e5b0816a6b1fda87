/* SPDX-License-Identifier: Apache-2.0 */
/* The way from the client to the upstream. */
#include "lib/xmalloc.h"
#include "proxy/exchange_int.h"
#include "route/access.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* PROXY protocol, version 2. */

static size_t write_proxy(const struct exchange *x, uint8_t *out)
{
	struct sockaddr_storage local = {};
	socklen_t len = sizeof(local);
	uint16_t port;

	(void)getsockname(x->client->link.fd, (struct sockaddr *)&local, &len);
	const struct addr a = bridge_peer((const struct sockaddr *)&local, &port);
	return forward_proxy_v2(&x->client->peer, x->client->port, &a, port, out);
}

/* The head. */

static int write_head(const struct exchange *x, const struct http_request *q,
	const struct http_target *t, char *out, size_t size)
{
	static const enum forward_framing framings[] = {
		[HTTP_BODY_NONE] = FORWARD_NO_BODY,
		[HTTP_BODY_LENGTH] = FORWARD_LENGTH,
		[HTTP_BODY_CHUNKED] = FORWARD_CHUNKED,
	};
	const struct forward_request f = {.method = q->method_text,
		.method_len = q->method_len,
		.path = t->path,
		.path_len = t->path_len,
		.query = t->query,
		.query_len = t->query_len,
		.host = q->host,
		.host_len = q->host_len,
		.head = &q->head,
		.peer = &x->client->peer,
		.trace = &x->trace,
		.framing = framings[q->head.body],
		.length = q->head.body == HTTP_BODY_LENGTH ? (uint64_t)q->head.length : 0,
		.connection = q->head.upgrade ? FORWARD_UPGRADE : FORWARD_PERSISTENT,
		.expects_continue = q->expects_continue,
		.limited = q->limited,
		.hops = q->hops - 1}; /* at least 1: answer_here() */
	return forward_request_head(x->config, x->route, x->of, &f, out, size);
}

/* The request once more, from its bytes. */
static int write_again(const struct exchange *x, char *out, size_t size)
{
	static thread_local struct http_request request;
	char *path = x->worker->loop.scratch + LOOP_SCRATCH / 2;
	enum http_fault fault;
	struct http_target target;

	ssize_t n = http_request_read(x->raw, x->raw_len, 0, &request, &fault);
	int error = http_target_read(&request, path, &target, &fault);
	assert(n == (ssize_t)x->raw_len && error == 0);
	return write_head(x, &request, &target, out, size);
}

/* Sending. */

/* The next upstream that has a connection for us, in turn. */
static enum answer_reason pick(struct exchange *x)
{
	enum answer_reason reason = ANSWER_UPSTREAM_DOWN;
	const struct bridge_route *r = x->route;

	for (size_t i = 0; i < r->n_upstreams; i++) {
		x->of = r->upstreams[x->worker->turn++ % r->n_upstreams];
		const struct bridge_upstream *now = x->config == x->worker->config
							    ? x->of
							    : bridge_config_same_upstream(
								      x->worker->config, x->of);
		if (!now)
			continue; /* the configuration in force does not know it any more */
		reason = upstream_get(x->worker->upstreams[now->index], x, x->stale, &x->up);
		if (reason == ANSWERS)
			return reason;
	}
	return reason;
}

/* An upstream that takes no more may have answered all the same: what comes from it decides. False:
 * it took nothing. */
static bool write_up(struct exchange *x, const struct iovec *iov, unsigned n)
{
	int result = link_write(&x->up->link, iov, n);

	if (result == LINK_HELD && !x->in.ended)
		link_pause(&x->client->link);
	return result >= 0;
}

void exchange_send(struct exchange *x, const struct http_request *request,
	const struct http_target *target, const char *body, size_t len)
{
	uint8_t proxy[FORWARD_PROXY_MAX];
	char *out = x->worker->loop.scratch;
	enum answer_reason reason = pick(x);

	x->tries += reason != ANSWERS || !x->up->reused;
	x->state = EXCHANGE_CONNECT;
	if (reason != ANSWERS) {
		exchange_up_failed(x, reason);
		return;
	}
	int n = request ? write_head(x, request, target, out, LOOP_SCRATCH / 2)
			: write_again(x, out, LOOP_SCRATCH / 2);
	if (n < 0) {
		/* There is room for what the caller may send: else the route adds too much. */
		(void)exchange_fail(x, n == -ELOOP ? ANSWER_LOOP : ANSWER_INTERNAL, nullptr);
		return;
	}
	x->sent_us = x->worker->loop.now_us;
	x->reused = x->up->reused;
	if (x->reused)
		x->state = EXCHANGE_HEAD;
	exchange_time(x,
		x->up->reused ? x->route->timeouts.first_byte_ms : x->route->timeouts.connect_ms);
	struct iovec iov[3] = {
		{proxy, x->of->proxy_protocol ? write_proxy(x, proxy) : 0},
		{out, (size_t)n},
		{(void *)(uintptr_t)body, len},
	};
	x->sends++;
	if (x->sends > 1)
		stats_add(&x->up->upstream->stats.retries, 1);
	if (write_up(x, iov, 3) || !x->reused || (x->up->link.ssl && !exchange_may_repeat(x)))
		return;
	x->stale = true; /* nothing of it went out; of TLS a part may have */
	up_close(x->up);
	x->up = nullptr;
	exchange_send(x, request, target, body, len);
}

void exchange_up_connected(struct exchange *x, int error)
{
	if (error) {
		exchange_up_failed(x, upstream_reason(error));
		return;
	}
	x->state = EXCHANGE_HEAD;
	x->connected_us = x->worker->loop.now_us;
	exchange_time(x, x->route->timeouts.first_byte_ms);
}

/* The body. */

bool exchange_expects_input(const struct exchange *x)
{
	return x->state == EXCHANGE_TUNNEL || !x->in.ended;
}

bool exchange_wants_input(const struct exchange *x)
{
	return x->up && !link_holds(&x->up->link) && exchange_expects_input(x);
}

static size_t tunnel_input(struct exchange *x, const char *data, size_t n)
{
	struct iovec iov = {(void *)(uintptr_t)data, n};

	exchange_time_tunnel(x);
	if (link_write(&x->up->link, &iov, 1) == LINK_HELD)
		link_pause(&x->client->link);
	return n;
}

size_t exchange_client_input(struct exchange *x, const char *data, size_t n)
{
	enum http_fault fault = HTTP_FAULT_NONE;

	if (!x->up)
		return n; /* its answer will be ours, and the last one */
	if (x->state == EXCHANGE_TUNNEL)
		return tunnel_input(x, data, n);
	ssize_t used = http_body_scan(&x->in, data, n, &fault);
	if (used < 0) {
		(void)exchange_fail(x, ANSWER_BAD_REQUEST, http_fault_str(fault));
		return n;
	}
	if (x->route->max_body && x->in.data > x->route->max_body) {
		(void)exchange_fail(x, ANSWER_BODY_TOO_LARGE, nullptr);
		return n;
	}
	if (x->state != EXCHANGE_CONNECT)
		exchange_time(x, x->state == EXCHANGE_HEAD ? x->route->timeouts.first_byte_ms
							   : x->route->timeouts.idle_ms);
	struct iovec iov = {(void *)(uintptr_t)data, (size_t)used};
	(void)write_up(x, &iov, 1);
	return (size_t)used;
}

void exchange_up_drained(struct exchange *x)
{
	if (x->client_ended)
		link_shutdown(&x->up->link);
	else if (exchange_wants_input(x))
		link_resume(&x->client->link);
}

/* A tunnel's sides end one by one; anybody else who leaves does not want the answer any more. */
void exchange_client_gone(struct exchange *x, int error)
{
	if (x->state != EXCHANGE_TUNNEL || error) {
		(void)exchange_drop(x, false);
		return;
	}
	x->client_ended = true;
	if (!link_holds(&x->up->link))
		link_shutdown(&x->up->link);
}
