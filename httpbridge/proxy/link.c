/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link.h"
#include "lib/xmalloc.h"
#include "proxy/loop.h"
#include "proxy/tls.h"
#include <assert.h>
#include <errno.h>
#include <h2o/socket.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Pieces of one write. */
constexpr unsigned IOV_AT_ONCE = 64;
/* Reads of one TLS link in a round, while the kernel has more. */
constexpr unsigned TLS_READS = 8;
/* What epoll_wait(2) of libh2o tells at once. */
constexpr unsigned READY_FIRST = 256;
/* A peer that answers nothing for so long is gone: 60 s, and then 6 questions. */
constexpr int KEEPALIVE_S = 60;
constexpr int KEEPALIVE_AGAIN_S = 10;
constexpr int KEEPALIVES = 6;

static void on_readable(h2o_socket_t *sock, const char *err);
static void on_writable(h2o_socket_t *sock, const char *err);

/* Made when there is something to wait for. It costs two fcntl(2), and with it comes epoll_ctl(2),
 * twice. A connection that asks once and closes needs none of them: 6 system calls in place of 10,
 * 49 µs of CPU in place of 53. */
static void make_socket(struct link *l)
{
	if (l->sock)
		return;
	l->sock = h2o_evloop_socket_create(l->loop->h2o, l->fd, H2O_SOCKET_FLAG_DONT_READ);
	l->sock->data = l;
}

static void start_reading(struct link *l)
{
	if (l->reading)
		return;
	l->reading = true;
	make_socket(l);
	h2o_socket_read_start(l->sock, on_readable);
}

static void stop_reading(struct link *l)
{
	if (!l->reading)
		return;
	l->reading = false;
	h2o_socket_read_stop(l->sock);
}

static void await_write(struct link *l)
{
	if (l->waits_write)
		return;
	l->waits_write = true;
	make_socket(l);
	h2o_socket_notify_write(l->sock, on_writable);
}

void link_open(struct link *l, struct loop *loop, const struct link_events *events, int fd)
{
	*l = (struct link){.events = events, .loop = loop, .fd = fd, .open = true};
}

int link_connect(struct link *l, struct loop *loop, const struct link_events *events,
	const struct sockaddr *to, socklen_t len, struct tls *tls)
{
	int on = 1;
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (to->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, to, len) < 0 && errno != EINPROGRESS) {
		int error = -errno;
		close(fd);
		return error;
	}
	*l = (struct link){
		.events = events, .loop = loop, .fd = fd, .open = true, .connecting = true};
	if (tls)
		l->ssl = tls_session_new(tls, fd);
	await_write(l);
	return 0;
}

static void release_held(struct link *l)
{
	if (l->held_size == LOOP_INPUT)
		loop_block_free(l->loop, l->held);
	else
		free(l->held);
	l->held = nullptr;
	l->held_at = l->held_end = l->held_size = 0;
}

void link_close(struct link *l)
{
	if (!l->open)
		return;
	if (l->closed_within)
		*l->closed_within = true;
	release_held(l);
	tls_session_free(l->ssl);
	if (l->ready)
		l->loop->ready[l->ready - 1] = nullptr;
	const struct link was = *l;
	*l = (struct link){.fd = -1};
	if (was.sock)
		h2o_socket_close(was.sock);
	else
		close(was.fd);
}

void link_abort(struct link *l)
{
	static const struct linger reset = {.l_onoff = 1};

	if (!l->open)
		return;
	setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	link_close(l);
}

/* Of a Unix socket none of it means anything. */
void link_keep_alive(struct link *l)
{
	static const struct {
		int level, option, value;
	} settings[] = {
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_AGAIN_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVES},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		(void)setsockopt(l->fd, settings[i].level, settings[i].option, &settings[i].value,
			sizeof(settings[i].value));
}

void link_shutdown(struct link *l)
{
	if (l->ssl)
		tls_shutdown(l->ssl);
	shutdown(l->fd, SHUT_WR);
}

void link_pause(struct link *l)
{
	if (!l->handshaking && !l->connecting)
		stop_reading(l);
}

void link_resume(struct link *l)
{
	if (!l->handshaking && !l->connecting && !l->ended)
		start_reading(l);
}

/* Writing. */

/* For n more bytes. What is held begins at the beginning again. */
static void make_room(struct link *l, size_t n)
{
	uint32_t live = l->held_end - l->held_at;
	size_t size = live + n <= LOOP_INPUT ? LOOP_INPUT
					     : 2 * (live + n) + 1; /* never a block's */
	char *room = size == LOOP_INPUT ? loop_block(l->loop) : xcalloc(size, 1);

	if (l->held) {
		memcpy(room, l->held + l->held_at, live);
		release_held(l);
	}
	l->held = room;
	l->held_end = live;
	l->held_size = (uint32_t)size;
}

static void hold(struct link *l, const char *bytes, size_t n)
{
	if (!l->held || n > l->held_size - l->held_end)
		make_room(l, n);
	assert(l->held);
	memcpy(l->held + l->held_end, bytes, n);
	l->held_end += (uint32_t)n;
}

/* One piece costs the kernel less by send(2). */
static ssize_t send_clear(struct link *l, const struct iovec *iov, unsigned n, int flags)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n};
	ssize_t sent;

	do
		sent = n == 1 ? send(l->fd, iov->iov_base, iov->iov_len, flags)
			      : sendmsg(l->fd, &m, flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* As much as goes at once; -EAGAIN if nothing does. */
static ssize_t send_tls(struct link *l, const struct iovec *iov, unsigned n)
{
	ssize_t total = 0;

	for (unsigned i = 0; i < n; i++)
		for (size_t at = 0; at < iov[i].iov_len;) {
			const char *bytes = iov[i].iov_base;
			ssize_t sent = tls_write(l->ssl, bytes + at, iov[i].iov_len - at);
			if (sent < 0)
				return sent == -EAGAIN && total ? total : sent;
			at += (size_t)sent;
			total += sent;
		}
	return total;
}

uint32_t link_unsent(const struct link *l)
{
	int queued = 0;

	if (ioctl(l->fd, SIOCOUTQ, &queued) < 0)
		queued = 0;
	return (uint32_t)queued + l->held_end - l->held_at;
}

static ssize_t send_now(struct link *l, const struct iovec *iov, unsigned n, int more)
{
	return l->ssl ? send_tls(l, iov, n) : send_clear(l, iov, n, MSG_NOSIGNAL | more);
}

static int write_out(struct link *l, const struct iovec *iov, unsigned n, int more)
{
	assert(l->open && n <= IOV_AT_ONCE);
	size_t sent = 0;
	if (l->broken)
		return -EPIPE;
	for (; n > 1 && iov->iov_len == 0; n--)
		iov++;
	while (n > 1 && iov[n - 1].iov_len == 0)
		n--;
	if (!l->held && !l->connecting && !l->handshaking) {
		ssize_t got = send_now(l, iov, n, more);
		if (got < 0 && got != -EAGAIN)
			return (int)got;
		sent = got > 0 ? (size_t)got : 0;
	}
	for (unsigned i = 0; i < n; i++) {
		const char *bytes = iov[i].iov_base;
		size_t skip = sent < iov[i].iov_len ? sent : iov[i].iov_len;
		sent -= skip;
		if (skip < iov[i].iov_len)
			hold(l, bytes + skip, iov[i].iov_len - skip);
	}
	if (!l->held)
		return LINK_SENT;
	if (!l->handshaking)
		await_write(l);
	return LINK_HELD;
}

int link_write(struct link *l, const struct iovec *iov, unsigned n)
{
	return write_out(l, iov, n, 0);
}

int link_write_last(struct link *l, const struct iovec *iov, unsigned n)
{
	return write_out(l, iov, n, MSG_MORE);
}

static void flush(struct link *l)
{
	if (!l->held)
		return;
	struct iovec iov = {l->held + l->held_at, l->held_end - l->held_at};
	ssize_t n = send_now(l, &iov, 1, 0);
	if (n < 0 && n != -EAGAIN) {
		l->broken = true;
		release_held(l);
		link_resume(l);
		return;
	}
	if (n > 0)
		l->held_at += (uint32_t)n;
	if (l->held_at < l->held_end) {
		await_write(l);
		return;
	}
	release_held(l);
	l->events->drained(l);
}

/* Connecting. */

static void settle(struct link *l, int error)
{
	bool closed = false;

	l->connecting = l->handshaking = false;
	l->closed_within = &closed;
	if (error)
		stop_reading(l);
	else
		start_reading(l);
	l->events->connected(l, error);
	if (closed)
		return;
	l->closed_within = nullptr;
	flush(l);
}

static void shake_hands(struct link *l)
{
	bool want_write = false;
	int error = tls_handshake(l->ssl, &want_write);

	if (error != -EAGAIN) {
		settle(l, error);
		return;
	}
	start_reading(l);
	if (want_write)
		await_write(l);
}

static void finish_connect(struct link *l)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	l->connecting = false;
	l->handshaking = l->ssl && !error;
	if (l->handshaking)
		shake_hands(l);
	else
		settle(l, -error);
}

static void on_writable(h2o_socket_t *sock, const char *)
{
	struct link *l = sock->data;

	loop_tick(l->loop);
	l->waits_write = false;
	if (l->connecting)
		finish_connect(l);
	else if (l->handshaking)
		shake_hands(l);
	else
		flush(l);
}

/* Reading. */

static ssize_t read_once(struct link *l)
{
	bool want_write = false;
	ssize_t n;

	if (l->ssl) {
		n = tls_read(l->ssl, l->loop->input, LOOP_INPUT, &want_write);
		if (want_write)
			await_write(l);
		return n;
	}
	do
		n = recv(l->fd, l->loop->input, LOOP_INPUT, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool link_is_silent(const struct link *l)
{
	char byte;

	if (l->ended || l->broken)
		return false;
	if (l->ssl)
		return tls_is_silent(l->ssl);
	return recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* What a read gave. Are there more bytes that no event will announce? */
static bool hand_on(struct link *l, ssize_t n)
{
	bool closed = false;

	if (n <= 0) {
		stop_reading(l);
		l->ended = true;
	}
	l->closed_within = &closed;
	l->events->input(l, l->loop->input, n);
	if (closed)
		return false;
	l->closed_within = nullptr;
	return n > 0 && l->ssl;
}

static bool deliver(struct link *l)
{
	ssize_t n = read_once(l);
	return n != -EAGAIN && hand_on(l, n);
}

void link_read(struct link *l)
{
	ssize_t n = read_once(l);

	assert(!l->ssl);
	if (n == -EAGAIN)
		start_reading(l);
	else
		(void)hand_on(l, n);
}

/* libh2o calls for the last event first, so who was ready first would wait for all others. */
static void on_readable(h2o_socket_t *sock, const char *)
{
	struct link *l = sock->data;
	struct loop *loop = l->loop;

	if (l->ready)
		return;
	if (loop->n_ready == loop->ready_size) {
		loop->ready_size = loop->ready_size ? 2 * loop->ready_size : READY_FIRST;
		loop->ready = xreallocarray(loop->ready, loop->ready_size, sizeof(*loop->ready));
	}
	loop->ready[loop->n_ready++] = l;
	l->ready = loop->n_ready;
}

static void read_ready(struct link *l)
{
	l->ready = 0;
	if (!l->reading)
		return; /* paused by another link since */
	loop_tick(l->loop);
	if (l->handshaking) {
		shake_hands(l);
		return;
	}
	for (unsigned i = 0; deliver(l); i++)
		if ((i >= TLS_READS || !l->reading) && !tls_has_pending(l->ssl))
			break;
}

void link_read_ready(struct loop *loop)
{
	while (loop->n_ready) {
		struct link *l = loop->ready[--loop->n_ready];
		if (l)
			read_ready(l);
	}
}
