/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/health.h"
#include "http/head.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"
#include "route/forward.h"
#include "route/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t HEAD_MAX = 16 * 1024; /* of an answer that is only looked at */
constexpr size_t REQUEST_MAX = 2048;   /* path and host have less */

struct health {
	struct link link;
	struct upstream *upstream;
	struct timer timer; /* until the next question, or the end of patience */
	unsigned in_a_row;  /* answers against what is believed */
	char *head;         /* of the answer, while one is awaited; otherwise nullptr */
	size_t len;
};

static void wait_again(struct health *h, uint64_t ms)
{
	timer_set(&h->upstream->worker->loop.timers, &h->timer, ms);
}

static void believe(struct upstream *u, bool up, const char *why)
{
	u->down = !up;
	stats_set(&u->stats.healthy, up);
	if (up)
		log_info("health", "up upstream=%s", u->of->name);
	else
		log_warn("health", "down upstream=%s: %s", u->of->name, why);
}

/* The question has its answer. why: nullptr is a yes. */
static void conclude(struct health *h, const char *why)
{
	struct upstream *u = h->upstream;
	const struct bridge_health *how = &u->of->health;
	bool against = !why == u->down;

	if (link_is_open(&h->link))
		link_close(&h->link);
	free(h->head);
	h->head = nullptr;
	h->in_a_row = against ? h->in_a_row + 1 : 0;
	if (h->in_a_row >= (u->down ? how->successes : how->failures)) {
		h->in_a_row = 0;
		believe(u, !why, why);
	}
	wait_again(h, how->interval_ms);
}

/* What was read so far; interim answers go. */
static void look(struct health *h)
{
	struct http_answer answer;
	enum http_fault fault;
	ssize_t n;

	while ((n = http_answer_read(h->head, h->len, 0, HTTP_METHOD_GET, false, &answer, &fault)) >
		0) {
		if (answer.status >= 200) {
			conclude(h, answer.status < 400 ? nullptr : "its answer is an error");
			return;
		}
		h->len -= (size_t)n;
		memmove(h->head, h->head + n, h->len);
	}
	if (n != -EAGAIN)
		conclude(h, http_fault_text(fault));
	else if (h->len == HEAD_MAX)
		conclude(h, "the head of its answer is too large");
}

static void on_input(struct link *l, const char *data, ssize_t n)
{
	struct health *h = (struct health *)l;

	if (n <= 0) {
		conclude(h, n < 0 ? strerror((int)-n) : "it ended without an answer");
		return;
	}
	size_t room = HEAD_MAX - h->len;
	size_t taken = (size_t)n < room ? (size_t)n : room;
	memcpy(h->head + h->len, data, taken);
	h->len += taken;
	look(h);
}

static void on_drained(struct link *)
{
}

static void on_connected(struct link *l, int error)
{
	if (error)
		conclude((struct health *)l, answer_row(upstream_reason(error))->title);
}

static const struct link_events events = {on_input, on_drained, on_connected};

/* With the preface that says that the connection is for nobody, where the upstream wants one. */
static size_t write_request(const struct bridge_upstream *of, char out[static REQUEST_MAX])
{
	static const struct addr nobody = {};
	uint8_t preface[FORWARD_PROXY_MAX];
	struct text t = {.at = out, .size = REQUEST_MAX};

	if (of->proxy_protocol)
		text_add(&t, preface, forward_proxy_v2(&nobody, 0, &nobody, 0, preface));
	TEXT_LITERAL(&t, "GET ");
	text_str(&t, of->health.path);
	TEXT_LITERAL(&t, " HTTP/1.1\r\nHost: ");
	text_str(&t, of->authority);
	TEXT_LITERAL(&t, "\r\nUser-Agent: meshgw-bridge\r\nAccept: */*\r\n"
			 "Connection: close\r\n\r\n");
	return t.len;
}

static void ask(struct health *h)
{
	char request[REQUEST_MAX];
	struct iovec iov = {request, write_request(h->upstream->of, request)};

	h->head = xcalloc(1, HEAD_MAX);
	h->len = 0;
	wait_again(h, h->upstream->of->health.timeout_ms);
	int error = upstream_connect(h->upstream, &h->link, &events);
	if (error >= 0)
		error = link_write(&h->link, &iov, 1);
	if (error < 0)
		conclude(h, strerror(-error));
}

static void on_timer(struct timer *t)
{
	struct health *h = (struct health *)((char *)t - offsetof(struct health, timer));

	if (h->head)
		conclude(h, "no answer in time");
	else
		ask(h);
}

struct health *health_new(struct upstream *u)
{
	stats_set(&u->stats.healthy, 1);
	if (!u->of->health.path[0])
		return nullptr;
	struct health *h = xcalloc(1, sizeof(*h));
	h->upstream = u;
	h->timer.expired = on_timer;
	/* Not all upstreams at once. */
	wait_again(h, u->of->index * 97 % u->of->health.interval_ms);
	return h;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	timer_unset(&h->timer);
	if (link_is_open(&h->link))
		link_close(&h->link);
	free(h->head);
	free(h);
}
