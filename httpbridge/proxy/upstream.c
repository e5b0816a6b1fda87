/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "proxy/exchange.h"
#include "proxy/health.h"
#include "proxy/tls.h"
#include "proxy/worker.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* An idle connection is given up before most servers give it up themselves. */
constexpr uint32_t POOL_IDLE_MS = 30'000;

static const struct link_events events;

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t len;
};

static void set_up_tls(struct upstream *u)
{
	struct err err = {};

	if (u->of->scheme != BRIDGE_HTTPS)
		return;
	/* Without it every request to this upstream fails, and says so. */
	if (tls_new(&u->of->tls, &u->tls, &err) < 0)
		log_warn("upstream", "no TLS upstream=%s: %s", u->of->name, err.msg);
}

struct upstream *upstream_new(
	struct worker *w, const struct bridge_config *config, const struct bridge_upstream *of)
{
	struct upstream *u = xcalloc(1, sizeof(*u));

	*u = (struct upstream){.worker = w,
		.config = bridge_config_ref(config),
		.of = of,
		.seats = seats_get(w->seat_table, of->name)};
	set_up_tls(u);
	u->health = health_new(u);
	return u;
}

static void free_if_unused(struct upstream *u)
{
	if (!u->retired || u->connections > 0)
		return;
	seats_put(u->seats);
	bridge_config_unref(u->config);
	tls_free(u->tls);
	free(u);
}

void upstream_move(
	struct upstream *u, const struct bridge_config *config, const struct bridge_upstream *of)
{
	const struct bridge_config *old = u->config;

	u->config = bridge_config_ref(config);
	u->of = of;
	bridge_config_unref(old);
}

/* The pool. */

static void unlink_idle(struct upstream *u, struct up *up)
{
	if (up->prev)
		up->prev->next = up->next;
	else
		u->idle = up->next;
	if (up->next)
		up->next->prev = up->prev;
	up->prev = up->next = nullptr;
	timer_unset(&up->timer);
	stats_sub(&u->stats.idle, 1);
}

static void end(struct up *up)
{
	up->upstream->connections--;
	timer_unset(&up->timer);
	seat_leave(&up->seat);
	link_close(&up->link);
	free(up->head);
	free(up);
}

static void discard(struct up *up)
{
	if (up->exchange)
		stats_sub(&up->upstream->stats.active, 1);
	else
		unlink_idle(up->upstream, up);
	end(up);
}

void up_close(struct up *up)
{
	struct upstream *u = up->upstream;

	discard(up);
	free_if_unused(u);
}

void upstream_retire(struct upstream *u)
{
	u->retired = true;
	health_free(u->health);
	u->health = nullptr;
	for (struct up *up = u->idle, *next; up; up = next) {
		next = up->next;
		discard(up);
	}
	free_if_unused(u);
}

static void on_idle_end(struct timer *t)
{
	up_close((struct up *)((char *)t - offsetof(struct up, timer)));
}

void up_release(struct up *up)
{
	struct upstream *u = up->upstream;

	assert(up->exchange && !up->head);
	if (u->retired || u->of->proxy_protocol || u->worker->draining || link_holds(&up->link)) {
		up_close(up);
		return;
	}
	up->exchange = nullptr;
	up->prev = nullptr;
	up->next = u->idle;
	if (u->idle)
		u->idle->prev = up;
	u->idle = up;
	stats_add(&u->stats.idle, 1);
	stats_sub(&u->stats.active, 1);
	link_resume(&up->link);
	timer_set(&u->worker->loop.timers, &up->timer, POOL_IDLE_MS);
	seat_rest(&up->seat, up->link.fd);
}

static void on_input(struct link *l, const char *data, ssize_t n)
{
	struct up *up = (struct up *)l;

	if (up->exchange)
		exchange_up_input(up->exchange, data, n);
	else
		up_close(up);
}

static void on_drained(struct link *l)
{
	struct up *up = (struct up *)l;

	if (up->exchange)
		exchange_up_drained(up->exchange);
}

static void on_connected(struct link *l, int error)
{
	struct up *up = (struct up *)l;

	if (error)
		stats_add(&up->upstream->stats.connect_failures, 1);
	exchange_up_connected(up->exchange, error);
}

static const struct link_events events = {on_input, on_drained, on_connected};

/* Connecting. */

static void endpoint_local(const char *path, struct endpoint *out)
{
	out->local = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(out->local.sun_path, sizeof(out->local.sun_path), "%s", path);
	out->len = sizeof(out->local);
}

static void endpoint_of(struct upstream *u, struct endpoint *out)
{
	const struct bridge_upstream *of = u->of;

	if (of->scheme == BRIDGE_UNIX) {
		endpoint_local(of->path, out);
		return;
	}
	const struct addr *a = &of->addresses[u->turn++ % of->n_addresses];
	if (a->family == AF_INET) {
		out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(of->port)};
		memcpy(&out->v4.sin_addr, a->b, 4);
		out->len = sizeof(out->v4);
	} else {
		out->v6 = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = htons(of->port)};
		memcpy(&out->v6.sin6_addr, a->b, 16);
		out->len = sizeof(out->v6);
	}
}

int upstream_connect(struct upstream *u, struct link *l, const struct link_events *link_events)
{
	struct endpoint to = {};

	if (u->of->scheme == BRIDGE_HTTPS && !u->tls)
		return -ENOKEY;
	if (u->of->scheme != BRIDGE_UNIX && u->of->n_addresses == 0)
		return -EHOSTUNREACH;
	endpoint_of(u, &to);
	return link_connect(l, &u->worker->loop, link_events, &to.any, to.len, u->tls);
}

static enum answer_reason connect_up(struct upstream *u, struct exchange *x, struct up **out)
{
	struct up *up = xcalloc(1, sizeof(*up));
	if (!seat_take(&up->seat, u->seats, u->of->max_connections)) {
		free(up);
		return ANSWER_UPSTREAM_CONNECTIONS;
	}
	int error = upstream_connect(u, &up->link, &events);
	if (error < 0) {
		stats_add(&u->stats.connect_failures, 1);
		seat_leave(&up->seat);
		free(up);
		return answer_reason_of_connect(-error);
	}
	up->upstream = u;
	up->exchange = x;
	up->timer.expired = on_idle_end;
	u->connections++;
	stats_add(&u->stats.connections, 1);
	stats_add(&u->stats.active, 1);
	*out = up;
	return ANSWERS;
}

enum answer_reason upstream_reason(int error)
{
	switch (error) {
	case TLS_CERTIFICATE:
		return ANSWER_TLS_CERTIFICATE;
	case TLS_ALERT:
		return ANSWER_TLS_ALERT;
	case TLS_PROTOCOL:
		return ANSWER_TLS_PROTOCOL;
	default:
		return answer_reason_of_connect(-error);
	}
}

/* The first one, unless it has said something since its answer ended: that would be taken for the
 * next one. Or unless another thread needed its seat. */
static struct up *take_idle(struct upstream *u)
{
	struct up *up;

	while ((up = u->idle)) {
		assert(!up->prev);
		unlink_idle(u, up);
		if (seat_wake(&up->seat) && link_is_silent(&up->link))
			return up;
		end(up);
	}
	return nullptr;
}

enum answer_reason upstream_get(struct upstream *u, struct exchange *x, bool fresh, struct up **out)
{
	if (u->down)
		return ANSWER_UPSTREAM_DOWN;
	struct up *up = fresh ? nullptr : take_idle(u);
	if (up) {
		up->exchange = x;
		up->reused = true;
		stats_add(&u->stats.reuses, 1);
		stats_add(&u->stats.active, 1);
		*out = up;
		return ANSWERS;
	}
	if (u->of->scheme == BRIDGE_HTTPS && !u->tls)
		return ANSWER_INTERNAL;
	if (u->of->scheme != BRIDGE_UNIX && u->of->n_addresses == 0)
		return ANSWER_NAME_UNRESOLVED;
	return connect_up(u, x, out);
}
