/* SPDX-License-Identifier: Apache-2.0 */
/* The way from the upstream to the client. */
#include "lib/xmalloc.h"
#include "proxy/exchange_int.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pieces of one write, of a body whose chunks are taken apart. */
constexpr unsigned PIECES = 60;

/* The body. */

static bool tell_dechunked(struct exchange *x, const char *data, size_t len, size_t *used)
{
	struct iovec iov[PIECES];
	enum http_fault fault = HTTP_FAULT_NONE;
	unsigned n = 0;

	while (*used < len && !x->out.ended) {
		bool is_data;
		ssize_t run = http_body_next(&x->out, data + *used, len - *used, &is_data, &fault);
		if (run < 0)
			return exchange_fail(x, ANSWER_RESPONSE_MALFORMED, http_fault_str(fault));
		if (is_data)
			iov[n++] = (struct iovec){(void *)(uintptr_t)(data + *used), (size_t)run};
		*used += (size_t)run;
		if (x->out.ended && *used < len)
			x->up_persistent = false; /* it says more than it was asked */
		if (n == PIECES) {
			if (!exchange_tell(x, iov, n))
				return false;
			n = 0;
		}
	}
	return n == 0 || exchange_tell(x, iov, n);
}

static bool tell_rechunked(struct exchange *x, const char *data, size_t len)
{
	char size[24];
	int n = snprintf(size, sizeof(size), "%zx\r\n", len);
	struct iovec iov[] = {
		{size, (size_t)n}, {(void *)(uintptr_t)data, len}, {(void *)(uintptr_t)"\r\n", 2}};

	x->out.data += len;
	return len == 0 || exchange_tell(x, iov, 3);
}

/* Passes on what is the answer's of data, with a head in front if there is one. */
static bool tell_body(
	struct exchange *x, const char *head, size_t head_len, const char *data, size_t len)
{
	enum http_fault fault = HTTP_FAULT_NONE;
	size_t used = 0;

	if (x->rechunk || x->dechunk) {
		struct iovec iov = {(void *)(uintptr_t)head, head_len};
		x->told = true;
		if (head_len && !exchange_tell(x, &iov, 1))
			return false;
		if (x->rechunk)
			return tell_rechunked(x, data, len);
		return tell_dechunked(x, data, len, &used);
	}
	ssize_t n = http_body_scan(&x->out, data, len, &fault);
	if (n < 0)
		return exchange_fail(x, ANSWER_RESPONSE_MALFORMED, http_fault_str(fault));
	if ((size_t)n < len)
		x->up_persistent = false; /* it says more than it was asked */
	x->told = true;
	struct iovec iov[] = {
		{(void *)(uintptr_t)head, head_len}, {(void *)(uintptr_t)data, (size_t)n}};
	return exchange_tell(x, iov, 2);
}

/* The head. */

static enum forward_framing frame(struct exchange *x, const struct http_answer *a)
{
	switch (a->head.body) {
	case HTTP_BODY_LENGTH:
		return FORWARD_LENGTH;
	case HTTP_BODY_CHUNKED:
		x->dechunk = x->minor == 0;
		return x->dechunk ? FORWARD_NO_BODY : FORWARD_CHUNKED;
	case HTTP_BODY_CLOSE:
		x->rechunk = x->minor == 1;
		return x->rechunk ? FORWARD_CHUNKED : FORWARD_NO_BODY;
	case HTTP_BODY_NONE:
		break;
	}
	/* To HEAD, and of 304: what a body would have had. */
	return a->head.length >= 0 && a->status >= 200 && a->status != 204 ? FORWARD_LENGTH
									   : FORWARD_NO_BODY;
}

static enum forward_connection connection_of(const struct exchange *x, const struct http_answer *a)
{
	if (a->status == 101)
		return FORWARD_UPGRADE;
	if (!x->persistent && a->status >= 200)
		return FORWARD_CLOSE;
	return x->minor == 0 ? FORWARD_KEEP_ALIVE : FORWARD_PERSISTENT;
}

/* Into the scratch. -ENOBUFS if it does not fit. */
static int write_head(struct exchange *x, const struct http_answer *a)
{
	const enum forward_framing framing = frame(x, a);

	/* Without framing only the end of the connection ends a body. */
	if ((x->dechunk || a->head.body == HTTP_BODY_CLOSE) && !x->rechunk)
		x->persistent = false;
	if (x->worker->draining)
		x->persistent = false;
	const struct forward_response f = {.status = (unsigned)a->status,
		.reason = a->reason,
		.reason_len = a->reason_len,
		.head = &a->head,
		.framing = framing,
		.length = framing == FORWARD_LENGTH ? (uint64_t)a->head.length : 0,
		.connection = connection_of(x, a),
		.date = a->status >= 200 ? worker_date(x->worker) : nullptr};
	return forward_response_head(
		x->config, x->route, &f, x->worker->loop.scratch, LOOP_SCRATCH);
}

/* 100, 103 and their like: on to who understands them, and the final one is still to come. */
static bool tell_interim(struct exchange *x, const struct http_answer *a)
{
	if (x->minor == 0)
		return true;
	int n = write_head(x, a);
	struct iovec iov = {x->worker->loop.scratch, n < 0 ? 0 : (size_t)n};
	return n < 0 || exchange_tell(x, &iov, 1);
}

static bool open_tunnel(
	struct exchange *x, const struct http_answer *a, const char *more, size_t len)
{
	int n = write_head(x, a);
	if (n < 0)
		return exchange_fail(x, ANSWER_RESPONSE_HEAD_TOO_LARGE, nullptr);
	x->told = true;
	x->state = EXCHANGE_TUNNEL;
	x->persistent = false;
	stats_add(&x->worker->stats.upgraded, 1);
	x->deadline_ms = 0;
	exchange_time_tunnel(x);
	link_keep_alive(&x->client->link);
	link_keep_alive(&x->up->link);
	struct iovec iov[] = {{x->worker->loop.scratch, (size_t)n}, {(void *)(uintptr_t)more, len}};
	if (!exchange_tell(x, iov, 2))
		return false;
	client_pour(x->client);
	return true;
}

static bool tell_final(
	struct exchange *x, const struct http_answer *a, const char *more, size_t len)
{
	x->status = a->status;
	if (a->status == 101)
		return open_tunnel(x, a, more, len);
	x->up_persistent = a->head.persistent;
	http_body_begin(&x->out, &a->head);
	int n = write_head(x, a);
	if (n < 0)
		return exchange_fail(x, ANSWER_RESPONSE_HEAD_TOO_LARGE, nullptr);
	x->state = EXCHANGE_BODY;
	exchange_time(x, x->route->timeouts.idle_ms);
	return tell_body(x, x->worker->loop.scratch, (size_t)n, more, len) && exchange_settle(x);
}

static void keep_head(struct up *up, const char *data, size_t n)
{
	up->head = xreallocarray(up->head, up->head_len + n, 1);
	memcpy(up->head + up->head_len, data, n);
	up->head_len += n;
}

/* One head from the beginning of data. Returns its length, 0 if it is not complete or x is gone
 * (*gone). */
static size_t read_head(struct exchange *x, const char *data, size_t len, size_t seen, bool *gone)
{
	static thread_local struct http_answer answer;
	enum http_fault fault = HTTP_FAULT_NONE;

	ssize_t n = http_answer_read(data, len, seen, x->method, x->upgrade, &answer, &fault);
	if (n == -EAGAIN && len < x->config->limits.head_bytes)
		return 0;
	*gone = true;
	if (n < 0) {
		if (n == -EAGAIN)
			(void)exchange_fail(x, ANSWER_RESPONSE_HEAD_TOO_LARGE, nullptr);
		else
			(void)exchange_fail(x, ANSWER_RESPONSE_MALFORMED, http_fault_str(fault));
		return 0;
	}
	if (answer.status < 200 && answer.status != 101) {
		*gone = !tell_interim(x, &answer);
		return *gone ? 0 : (size_t)n;
	}
	x->answered_us = x->worker->loop.now_us;
	/* What follows belongs to the final answer, and is dealt with there. */
	(void)tell_final(x, &answer, data + n, len - (size_t)n);
	return 0;
}

/* Reads heads until the final one is through, or more is needed. */
static void read_heads(struct exchange *x, const char *data, size_t n)
{
	struct up *up = x->up;
	char *kept = nullptr;
	size_t seen = up->head_len, at = 0, used;
	bool gone = false;

	if (up->head) {
		keep_head(up, data, n);
		kept = up->head;
		data = kept;
		n = up->head_len;
		up->head = nullptr;
		up->head_len = 0;
	}
	while ((used = read_head(x, data + at, n - at, seen, &gone)) > 0 && at + used < n) {
		at += used;
		seen = 0;
	}
	if (!gone && at + used < n)
		keep_head(up, data + at + used, n - at - used);
	free(kept);
}

/* Bytes and the end. */

static void tunnel_input(struct exchange *x, const char *data, size_t n)
{
	struct iovec iov = {(void *)(uintptr_t)data, n};

	exchange_time_tunnel(x);
	(void)exchange_tell(x, &iov, 1);
}

static void end_of_up(struct exchange *x, int error)
{
	static const char last[] = "0\r\n\r\n";

	if (x->state == EXCHANGE_TUNNEL) {
		(void)exchange_finish(x);
		return;
	}
	if (x->state != EXCHANGE_BODY) {
		exchange_up_failed(x, ANSWER_CLOSED_EARLY);
		return;
	}
	if (error || !http_body_may_end(&x->out)) {
		(void)exchange_fail(x, ANSWER_RESPONSE_INCOMPLETE, nullptr);
		return;
	}
	x->out.ended = true;
	struct iovec iov = {(void *)(uintptr_t)last, sizeof(last) - 1};
	if (!x->rechunk || exchange_tell(x, &iov, 1))
		(void)exchange_finish(x);
}

void exchange_up_input(struct exchange *x, const char *data, ssize_t n)
{
	if (n > 0)
		x->heard = true;
	if (n <= 0) {
		end_of_up(x, (int)n);
	} else if (x->state == EXCHANGE_TUNNEL) {
		tunnel_input(x, data, (size_t)n);
	} else if (x->state == EXCHANGE_BODY) {
		exchange_time(x, x->route->timeouts.idle_ms);
		if (tell_body(x, nullptr, 0, data, (size_t)n))
			(void)exchange_settle(x);
	} else {
		read_heads(x, data, (size_t)n);
	}
}

void exchange_client_drained(struct exchange *x)
{
	if (x->up)
		link_resume(&x->up->link);
}
