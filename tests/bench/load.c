/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: asks a server for the same thing over and over, on so many connections at once, each of
 * them as soon as its last answer is there.
 *
 * It is made to cost little beside what it measures, for it shares its core with the origin: a
 * request is one send(2), and what an answer holds behind its head is dropped in the kernel
 * (MSG_TRUNC, tcp(7)) and not copied. wrk, which reads 8 KiB at a time, could ask for 64 KiB no
 * faster than the faster proxies gave them.
 *
 * With --close each request has a connection of its own, and its time begins with connect(2).
 * One JSON object goes to stdout; times are microseconds. An answer counts as an error unless it
 * is 200 with a Content-Length and complete.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

constexpr unsigned at_once = 256;
constexpr unsigned connections_max = 4096;
constexpr size_t samples_max = 4'000'000;
/* The first read of an answer: its head, and all of a small one. */
constexpr size_t head_max = 2048;
constexpr size_t rest_max = 1024 * 1024;

struct connection {
	int fd;
	uint64_t asked_us;
	size_t head; /* bytes of it */
	size_t rest; /* bytes of the body to come */
	bool asking; /* the request is not sent yet */
	char text[head_max + 1];
};

struct load {
	struct sockaddr_in to;
	char request[512];
	size_t request_len;
	bool closing;
	unsigned n;
	double seconds;
	int epoll;
	struct connection *connections;
	uint32_t *took_us;
	size_t samples;
	uint64_t bytes, errors;
};

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

/* Edge-triggered, in both directions: one epoll_ctl(2) in the life of a connection. */
static void begin(struct load *l, struct connection *c)
{
	int on = 1;
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	c->asked_us = now_us();
	c->asking = true;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (const struct sockaddr *)&l->to, sizeof(l->to)) < 0 &&
		errno != EINPROGRESS)
		err(1, "connect");
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		err(1, "epoll_ctl");
}

static void begin_again(struct load *l, struct connection *c)
{
	close(c->fd);
	c->head = c->rest = 0;
	begin(l, c);
}

static void ask(struct load *l, struct connection *c)
{
	c->asking = false;
	if (send(c->fd, l->request, l->request_len, MSG_NOSIGNAL) == (ssize_t)l->request_len)
		return;
	l->errors++;
	begin_again(l, c);
}

static void count(struct load *l, const struct connection *c, uint64_t now)
{
	if (l->samples < samples_max)
		l->took_us[l->samples++] = (uint32_t)(now - c->asked_us);
}

/* All of an answer is there. */
static void next(struct load *l, struct connection *c)
{
	uint64_t now = now_us();

	count(l, c, now);
	c->head = 0;
	if (l->closing) {
		begin_again(l, c);
		return;
	}
	c->asked_us = now;
	ask(l, c);
}

/* How many bytes follow those that were read, -EAGAIN, or -EPROTO. */
static ssize_t read_head(const struct connection *c)
{
	const char *end = strstr(c->text, "\r\n\r\n");
	if (!end)
		return c->head < head_max ? -EAGAIN : -EPROTO;
	const char *length = strcasestr(c->text, "\r\nContent-Length:");
	if (strncmp(c->text, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
		return -EPROTO;
	size_t all = strtoul(strchr(length, ':') + 1, nullptr, 10);
	size_t here = c->head - (size_t)(end + 4 - c->text);
	return here <= all ? (ssize_t)(all - here) : -EPROTO;
}

static ssize_t take_head(struct load *l, struct connection *c)
{
	ssize_t n = recv(c->fd, c->text + c->head, head_max - c->head, 0);
	if (n <= 0)
		return n < 0 ? -errno : -EPROTO;
	c->head += (size_t)n;
	l->bytes += (size_t)n;
	c->text[c->head] = '\0';
	ssize_t rest = read_head(c);
	if (rest >= 0)
		c->rest = (size_t)rest;
	return rest;
}

static ssize_t take_rest(struct load *l, struct connection *c)
{
	ssize_t n = recv(c->fd, nullptr, c->rest < rest_max ? c->rest : rest_max, MSG_TRUNC);
	if (n <= 0)
		return n < 0 ? -errno : -EPROTO;
	l->bytes += (size_t)n;
	c->rest -= (size_t)n;
	return (ssize_t)c->rest;
}

/* Until the answer is there, or nothing more for now. */
static void on_readable(struct load *l, struct connection *c)
{
	ssize_t left;

	do
		left = c->rest ? take_rest(l, c) : take_head(l, c);
	while (left > 0);
	if (left == 0) {
		next(l, c);
	} else if (left != -EAGAIN) {
		l->errors++;
		begin_again(l, c);
	}
}

static void run(struct load *l)
{
	struct epoll_event events[at_once];
	uint64_t until = now_us() + (uint64_t)(l->seconds * 1e6);

	for (unsigned i = 0; i < l->n; i++)
		begin(l, &l->connections[i]);
	while (now_us() < until) {
		int n = epoll_wait(l->epoll, events, at_once, 100);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (c->asking)
				ask(l, c);
			else
				on_readable(l, c);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void report(struct load *l, uint64_t us)
{
	qsort(l->took_us, l->samples, sizeof(*l->took_us), by_value);
	const uint32_t *p = l->took_us;
	size_t n = l->samples;
	printf("{\"requests\": %zu, \"us\": %ju, \"bytes\": %ju, \"p50\": %u, \"p99\": %u, "
	       "\"errors\": %ju}\n",
		n, (uintmax_t)us, (uintmax_t)l->bytes, n ? p[n / 2] : 0, n ? p[n * 99 / 100] : 0,
		(uintmax_t)l->errors);
}

[[noreturn]] static void usage(void)
{
	errx(2, "usage: load --to ADDRESS --port PORT --path PATH --connections N --seconds S"
		" [--close]");
}

static void options(struct load *l, int argc, char **argv)
{
	static const struct option names[] = {{"to", required_argument, nullptr, 't'},
		{"port", required_argument, nullptr, 'p'},
		{"path", required_argument, nullptr, 'f'},
		{"connections", required_argument, nullptr, 'n'},
		{"seconds", required_argument, nullptr, 's'}, {"close", no_argument, nullptr, 'c'},
		{}};
	const char *to = "", *path = "/";

	for (int c; (c = getopt_long(argc, argv, "", names, nullptr)) != -1;) {
		if (c == 't')
			to = optarg;
		else if (c == 'p')
			l->to.sin_port = htons((uint16_t)strtoul(optarg, nullptr, 10));
		else if (c == 'f')
			path = optarg;
		else if (c == 'n')
			l->n = (unsigned)strtoul(optarg, nullptr, 10);
		else if (c == 's')
			l->seconds = strtod(optarg, nullptr);
		else if (c == 'c')
			l->closing = true;
		else
			usage();
	}
	l->to.sin_family = AF_INET;
	if (inet_pton(AF_INET, to, &l->to.sin_addr) != 1 || l->n < 1 || l->n > connections_max ||
		l->seconds <= 0)
		usage();
	l->request_len = (size_t)snprintf(l->request, sizeof(l->request),
		"GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, to,
		l->closing ? "Connection: close\r\n" : "");
	if (l->request_len >= sizeof(l->request))
		usage();
}

int main(int argc, char **argv)
{
	struct load l = {};

	options(&l, argc, argv);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.connections = calloc(l.n, sizeof(*l.connections));
	l.took_us = calloc(samples_max, sizeof(*l.took_us));
	if (!l.connections || !l.took_us)
		err(1, "memory");
	uint64_t from = now_us();
	run(&l);
	report(&l, now_us() - from);
	free(l.connections);
	free(l.took_us);
	close(l.epoll);
	return 0;
}
