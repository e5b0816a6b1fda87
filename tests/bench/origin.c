/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin: an HTTP/1.1 server that costs next to nothing, for what is measured in front of it.
 *
 * It shares a core with the load generator, so what it spends is missing there; a web server in
 * its place was the limit, and not the proxy. For GET /N it answers N bytes under the head that
 * nginx gives a file: one send(2) if they are few, otherwise sendfile(2) behind the head, so that
 * a body is not copied here.
 *
 * It believes what it reads: requests have no body, and come one at a time on a connection.
 */
#include "lib/own.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr size_t body_max = 1024 * 1024;
constexpr size_t copied_max = 8 * 1024; /* longer bodies go by sendfile(2) */
constexpr size_t request_max = 8 * 1024;
constexpr int at_once = 256;

struct origin {
	int epoll, listener, body; /* body: a file of body_max bytes */
};

struct connection {
	int fd;
	bool close;     /* after this answer */
	size_t read;    /* of a request */
	size_t at, end; /* what is not sent yet of the body */
	char request[request_max];
};

static void end(struct connection *c)
{
	close(c->fd);
	free(c);
}

/* Level-triggered: what is ready and not dealt with is told again. */
static void await(const struct origin *o, struct connection *c, int op, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};
	if (epoll_ctl(o->epoll, op, c->fd, &e) < 0)
		err(1, "epoll_ctl");
}

/* false: it is gone. */
static bool send_body(const struct origin *o, struct connection *c)
{
	while (c->at < c->end) {
		off_t at = (off_t)c->at;
		ssize_t n = sendfile(c->fd, o->body, &at, c->end - c->at);
		if (n < 0 && errno == EAGAIN) {
			await(o, c, EPOLL_CTL_MOD, EPOLLOUT);
			return true;
		}
		if (n <= 0) {
			end(c);
			return false;
		}
		c->at += (size_t)n;
	}
	if (c->close) {
		end(c);
		return false;
	}
	return true;
}

static bool answer(const struct origin *o, struct connection *c)
{
	static char text[1024 + copied_max];
	size_t len = strtoul(c->request + strlen("GET /"), nullptr, 10);

	if (strncmp(c->request, "GET /", strlen("GET /")) != 0 || len > body_max)
		errx(1, "not a request for so many bytes: %.40s", c->request);
	c->close = strcasestr(c->request, "\r\nConnection: close\r\n");
	int head = snprintf(text, 1024,
		"HTTP/1.1 200 OK\r\nServer: origin/1.26.3\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n"
		"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: %s\r\n"
		"ETag: \"2ebd0a31-%zx\"\r\nAccept-Ranges: bytes\r\n\r\n",
		len, c->close ? "close" : "keep-alive", len);
	size_t now = len <= copied_max ? len : 0;
	memset(text + head, 'x', now);
	c->read = 0;
	c->at = now;
	c->end = len;
	ssize_t n = send(
		c->fd, text, (size_t)head + now, MSG_NOSIGNAL | (now < len ? MSG_MORE : 0));
	if (n != (ssize_t)((size_t)head + now)) {
		end(c);
		return false;
	}
	return send_body(o, c);
}

static void on_readable(const struct origin *o, struct connection *c)
{
	ssize_t n = recv(c->fd, c->request + c->read, request_max - 1 - c->read, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(c);
		return;
	}
	c->read += (size_t)n;
	c->request[c->read] = '\0';
	if (c->read >= 4 && memcmp(c->request + c->read - 4, "\r\n\r\n", 4) == 0)
		(void)answer(o, c);
}

static void on_writable(const struct origin *o, struct connection *c)
{
	if (send_body(o, c) && c->at == c->end)
		await(o, c, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_connection(const struct origin *o)
{
	int on = 1;
	int fd = accept4(o->listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct connection *c = calloc(1, sizeof(*c));
	if (!c)
		err(1, "memory");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	await(o, c, EPOLL_CTL_ADD, EPOLLIN);
}

static void listen_at(struct origin *o, const char *address, const char *port)
{
	int on = 1;
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, nullptr, 10))};

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", address);
	o->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(o->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(o->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		listen(o->listener, 4096) < 0)
		err(1, "%s port %s", address, port);
	struct epoll_event e = {.events = EPOLLIN};
	if (epoll_ctl(o->epoll, EPOLL_CTL_ADD, o->listener, &e) < 0)
		err(1, "epoll_ctl");
}

static void make_body(struct origin *o)
{
	char page[4096];

	memset(page, 'x', sizeof(page));
	o->body = memfd_create("body", MFD_CLOEXEC);
	for (size_t i = 0; i < body_max / sizeof(page); i++)
		if (write(o->body, page, sizeof(page)) != sizeof(page))
			err(1, "body");
}

int main(int argc, char **argv)
{
	struct origin o = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	struct epoll_event events[at_once];

	if (argc != 3)
		errx(2, "usage: origin ADDRESS PORT");
	signal(SIGPIPE, SIG_IGN); /* sendfile(2) has no flag for it */
	make_body(&o);
	listen_at(&o, argv[1], argv[2]);
	for (;;) {
		int n = epoll_wait(o.epoll, events, at_once, -1);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (!c)
				on_connection(&o);
			else if (events[i].events & EPOLLOUT)
				on_writable(&o, c);
			else
				on_readable(&o, c);
		}
	}
}
