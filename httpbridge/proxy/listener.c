/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/listener.h"
#include "answer/answer.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "proxy/client.h"
#include "proxy/sources.h"
#include "proxy/worker.h"
#include "route/access.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one listener in one round, so that the connections that are there get their turn. */
constexpr unsigned AT_ONCE = 16;
constexpr uint64_t PAUSE_MS = 200;
constexpr unsigned KEPT_MAX = 64;   /* of earlier ones */
constexpr unsigned ADMIN_SPARE = 8; /* connections beyond the limit */
/* What is heard of somebody who is sent away. */
constexpr unsigned HEARD_MAX = 8;

struct listener {
	struct listener *next;
	struct worker *worker;
	struct loop_watch *watch; /* nullptr during a pause */
	struct timer pause;
	int fd;
	bool admin;
	bool given; /* by the latest of listeners_replace() */
	uint64_t cookie;
	struct sockaddr_storage at;
};

static const enum answer_reason refusals[] = {
	[SOURCE_FULL] = ANSWER_SOURCE_CONNECTIONS,
	[SOURCE_ALL_FULL] = ANSWER_CONNECTIONS,
};

/* Says no, and takes what the client has said already: unread, it would reset the answer. */
static void send_away(struct worker *w, int fd, enum answer_reason reason)
{
	const struct answer_failure f = {.reason = reason, .node = w->config->node};
	const struct answer_sending sending = {.date = worker_date(w), .close = true};
	size_t n = answer_failure(&f, &sending, w->loop.scratch, LOOP_SCRATCH);

	if (send(fd, w->loop.scratch, n, MSG_NOSIGNAL) > 0)
		shutdown(fd, SHUT_WR);
	for (unsigned i = 0; i < HEARD_MAX; i++)
		if (recv(fd, w->loop.scratch, LOOP_INPUT, 0) <= 0)
			break;
	close(fd);
}

static void admit(struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct worker *w = l->worker;
	const struct bridge_limits *limits = &w->config->limits;
	/* Who asks what the matter is must be heard when everything is taken. */
	unsigned all = limits->connections + (l->admin ? ADMIN_SPARE : 0);
	uint16_t port;
	const struct addr peer = bridge_peer((const struct sockaddr *)from, &port);
	enum source_answer answer = sources_enter(w->sources, &peer, limits->per_source, all);

	if (answer == SOURCE_TAKEN) {
		client_new(w, fd, &peer, port, l->admin);
		return;
	}
	stats_add(&w->stats.answers[refusals[answer]], 1);
	send_away(w, fd, refusals[answer]);
}

static void on_ready(void *arg);

static void on_pause_end(struct timer *t)
{
	struct listener *l = (struct listener *)((char *)t - offsetof(struct listener, pause));
	l->watch = loop_watch(&l->worker->loop, l->fd, on_ready, l);
}

/* Without descriptors or memory for it a connection stays in the queue, which stays ready: asking
 * again at once would be all that the thread does. So it would be of a socket that meshgwd has shut
 * down (EINVAL) and will not name in its next message. */
static void pause_if_useless(struct listener *l, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM &&
		error != EINVAL)
		return;
	if (error != EINVAL)
		log_warn("listener", "connections wait: %s", strerror(error));
	loop_unwatch(l->watch);
	l->watch = nullptr;
	timer_set(&l->worker->loop.timers, &l->pause, PAUSE_MS);
}

static void take(struct listener *l, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sockaddr_storage from = {};
		socklen_t len = sizeof(from);
		int fd = accept4(
			l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			pause_if_useless(l, errno);
			return;
		}
		admit(l, fd, &from);
	}
}

static void on_ready(void *arg)
{
	take(arg, AT_ONCE);
}

/* Which socket it is, whatever the descriptor (socket(7), SO_COOKIE). */
static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	return cookie;
}

void listener_new(struct worker *w, int fd, bool admin)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	int on = 1, defer_s = 1;

	/* Inherited by what is accepted (tcp(7) does not say so; net/ipv4/tcp_minisocks.c does). */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_s, sizeof(defer_s));
	*l = (struct listener){.next = w->listeners,
		.worker = w,
		.fd = fd,
		.admin = admin,
		.pause.expired = on_pause_end};
	l->watch = loop_watch(&w->loop, fd, on_ready, l);
	l->cookie = cookie_of(fd);
	socklen_t len = sizeof(l->at);
	(void)getsockname(fd, (struct sockaddr *)&l->at, &len);
	l->given = true;
	w->listeners = l;
}

static struct listener *find_socket(struct worker *w, int fd)
{
	uint64_t cookie = cookie_of(fd);

	for (struct listener *l = w->listeners; l; l = l->next)
		if (!l->admin && cookie && l->cookie == cookie)
			return l;
	return nullptr;
}

static bool is_succeeded(const struct worker *w, const struct listener *old)
{
	for (const struct listener *l = w->listeners; l; l = l->next)
		if (!l->admin && l->given && memcmp(&l->at, &old->at, sizeof(l->at)) == 0)
			return true;
	return false;
}

static void remove_listener(struct listener **slot)
{
	struct listener *l = *slot;

	*slot = l->next;
	timer_unset(&l->pause);
	loop_unwatch(l->watch);
	close(l->fd);
	free(l);
}

void listeners_replace(struct worker *w, const int *fds, unsigned n)
{
	unsigned kept = 0;

	for (struct listener *l = w->listeners; l; l = l->next)
		l->given = l->admin;
	for (unsigned i = 0; i < n; i++) {
		struct listener *l = find_socket(w, fds[i]);
		if (l) {
			l->given = true;
			close(fds[i]);
		} else {
			listener_new(w, fds[i], false);
		}
	}
	for (struct listener **slot = &w->listeners; *slot;) {
		struct listener *l = *slot;
		if (l->given || (is_succeeded(w, l) && kept++ < KEPT_MAX))
			slot = &l->next;
		else
			remove_listener(slot);
	}
}

void listeners_close(struct worker *w, bool admin)
{
	for (struct listener **slot = &w->listeners; *slot;) {
		struct listener *l = *slot;
		if (l->admin == admin)
			remove_listener(slot);
		else
			slot = &l->next;
	}
}
