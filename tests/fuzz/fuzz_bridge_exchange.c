/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bridge_exchange: a client, the bridge and a service, in one thread: what each one sends, in
 * which pieces and in which order, when it reads, when it stops, and how time goes by.
 *
 * The bridge is a worker as it serves, between a socket pair and a socket in the file system. An
 * input is a byte of settings and then steps: two bytes what to do, and the bytes that it sends.
 * What holds in the end is said in exchange_check.h; and all that was there is gone then, whatever
 * the input left open, when its time is over.
 */
#include "exchange_check.h"
#include "exchange_stage.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "proxy/client.h"
#include "proxy/loop.h"
#include "proxy/seats.h"
#include "proxy/sources.h"
#include "proxy/worker.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr size_t SERVICES = 16; /* connections in one run */
constexpr uint64_t BEGIN_US = 1'000'000'000;
constexpr size_t CLIENTS = 4; /* one after the other */
/* Requests by the score, each with the patience that it is due. */
constexpr uint64_t LAST_MS = 6'000'000;
constexpr unsigned SEND_BUFFER = 8192; /* so that a few kilobytes are more than is taken */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
uint64_t __wrap_loop_clock_us(void);

static uint64_t now_us; /* the bridge's clock */

uint64_t __wrap_loop_clock_us(void)
{
	return now_us;
}

/* libh2o 2.2.5 does not close its own (socket/evloop/epoll.c.h has no dispose): here it is missed,
 * once a run. */
static int epoll_fd;

int epoll_create(int)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd;
}

/* A connection as seen from outside. */
struct end {
	int fd; /* -1 = closed */
	bool read_all;
};

struct service {
	struct end end;
	unsigned answered;
	bool raw; /* its answers are the input's: nobody knows to what */
};

struct world {
	struct worker worker;
	struct sources *sources;
	struct seat_table *seat_table;
	struct end client; /* the last one */
	struct check_client clients[CLIENTS], *at;
	struct service services[SERVICES];
	struct check_service got[SERVICES];
	struct check_parties parties;
	const uint8_t *input, *end;
};

/* Ends. */

static void end_close(struct end *e, bool reset)
{
	static const struct linger now = {.l_onoff = 1};

	if (e->fd < 0)
		return;
	if (reset)
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(e->fd);
	e->fd = -1;
}

/* Everything that has come. */
static void end_read(struct end *e, struct transcript *to)
{
	char bytes[4096];
	ssize_t n;

	while (e->fd >= 0 && (n = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		transcript_add(to, bytes, (size_t)n);
}

/* As much as is taken. */
static void end_send(struct end *e, const void *bytes, size_t n, struct transcript *to)
{
	if (e->fd < 0 || n == 0)
		return;
	ssize_t sent = send(e->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0 && to)
		transcript_add(to, bytes, (size_t)sent);
}

/* The service. */

static void accept_all(struct world *w)
{
	int fd;

	while ((fd = accept4(exchange_stage()->listener, nullptr, nullptr,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (w->parties.n_services == SERVICES)
			close(fd);
		else
			w->services[w->parties.n_services++].end.fd = fd;
	}
}

static struct service *service_at(struct world *w, unsigned which, struct check_service **got)
{
	if (w->parties.n_services == 0)
		return nullptr;
	/* The last one is the most interesting. */
	size_t i = w->parties.n_services - 1 - which % w->parties.n_services;
	*got = &w->got[i];
	return &w->services[i];
}

static const struct {
	const char *status, *fields, *body;
} answers[] = {
	{"200 OK", "Content-Length: 5\r\n", "hello"},
	{"200 OK", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-T: a\r\n\r\n"},
	{"204 No Content", "", ""},
	{"304 Not Modified", "Content-Length: 5\r\n", ""},
	{"100 Continue\r\n\r\nHTTP/1.1 200 OK", "Connection: close\r\nContent-Length: 5\r\n",
		"hello"},
	{"404 Not Found", "Connection: keep-alive\r\nContent-Length: 0\r\n", ""},
	{"101 Switching", "Connection: upgrade\r\nUpgrade: websocket\r\n", "a tunnel"},
	{"200 OK", "", "until the end"},
};
constexpr unsigned ANSWER_TO_CLOSE = 7;

/* To the request that waits for one. Behind it, or when none waits any more, maybe an answer that
 * is nobody's. */
static void answer(struct service *s, const struct check_service *got, unsigned how)
{
	static const char nobodys[] = "HTTP/1.1 200 OK\r\nX-Id: 0\r\nContent-Length: 0\r\n\r\n";
	unsigned kind = how % (sizeof(answers) / sizeof(answers[0]));
	struct check_asked asked;
	char text[512];

	if (s->raw)
		return;
	if (check_find(got, s->answered, &asked)) {
		int n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nX-Id: %s\r\n%s\r\n%s",
			answers[kind].status, asked.id, answers[kind].fields,
			asked.head ? "" : answers[kind].body);
		end_send(&s->end, text, (size_t)n, nullptr);
		s->answered++;
		if (kind == ANSWER_TO_CLOSE)
			end_close(&s->end, false);
	}
	if (how & 0x80 && s->answered)
		end_send(&s->end, nobodys, sizeof(nobodys) - 1, nullptr);
}

/* Time and rounds. */

static void run_round(struct world *w)
{
	loop_round(&w->worker.loop, 0);
	w->worker.log.len = 0; /* nobody reads it */
	accept_all(w);
}

static void read_all(struct world *w)
{
	end_read(&w->client, &w->at->heard);
	for (size_t i = 0; i < w->parties.n_services; i++)
		end_read(&w->services[i].end, &w->got[i].got);
}

/* Steps. */

static const uint8_t *take(struct world *w, size_t *n)
{
	const uint8_t *at = w->input;
	size_t left = (size_t)(w->end - w->input);

	*n = *n < left ? *n : left;
	w->input += *n;
	return at;
}

static void step_client_sends(struct world *w, unsigned, size_t n)
{
	const uint8_t *bytes = take(w, &n);
	end_send(&w->client, bytes, n, &w->at->sent);
}

static void step_client_fills(struct world *w, unsigned, size_t n)
{
	autofree char *bytes = xcalloc(n + 1, 1024);
	memset(bytes, 'x', n * 1024);
	end_send(&w->client, bytes, n * 1024, &w->at->sent);
}

static void step_client_ends(struct world *w, unsigned, size_t n)
{
	end_read(&w->client, &w->at->heard);
	if (n % 3 == 0 && w->client.fd >= 0)
		shutdown(w->client.fd, SHUT_WR);
	else
		end_close(&w->client, n % 3 == 1);
}

static void step_client_reads(struct world *w, unsigned, size_t)
{
	end_read(&w->client, &w->at->heard);
}

static void step_service_sends(struct world *w, unsigned which, size_t n)
{
	const uint8_t *bytes = take(w, &n);
	struct check_service *got;
	struct service *s = service_at(w, which, &got);

	if (!s)
		return;
	s->raw = true;
	end_send(&s->end, bytes, n, nullptr);
}

static void step_service_fills(struct world *w, unsigned which, size_t n)
{
	autofree char *bytes = xcalloc(n + 1, 1024);
	struct check_service *got;
	struct service *s = service_at(w, which, &got);

	if (!s)
		return;
	s->raw = true;
	end_send(&s->end, bytes, n * 1024, nullptr);
}

static void step_service_answers(struct world *w, unsigned which, size_t n)
{
	struct check_service *got;
	struct service *s = service_at(w, which, &got);

	if (!s)
		return;
	end_read(&s->end, &got->got);
	answer(s, got, (unsigned)n);
}

static void step_service_ends(struct world *w, unsigned which, size_t n)
{
	struct check_service *got;
	struct service *s = service_at(w, which, &got);

	if (!s)
		return;
	end_read(&s->end, &got->got);
	end_close(&s->end, n & 1);
}

static void step_services_read(struct world *w, unsigned, size_t)
{
	for (size_t i = 0; i < w->parties.n_services; i++)
		end_read(&w->services[i].end, &w->got[i].got);
}

static void step_time(struct world *, unsigned, size_t n)
{
	now_us += n * 100'000;
}

static void step_configure(struct world *w, unsigned, size_t n)
{
	worker_configure(&w->worker, bridge_config_ref(exchange_stage()->configs[n & 1]));
}

static void step_drain(struct world *w, unsigned, size_t)
{
	worker_drain(&w->worker);
}

static void add_client(struct world *w, bool small)
{
	static const unsigned send_buffer = SEND_BUFFER;
	struct addr peer = {.family = AF_INET, .b = {10, 0, 0, 9}};
	int fds[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	if (small)
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
	assert(sources_enter(w->sources, &peer, 1, 1) == SOURCE_TAKEN);
	w->client.fd = fds[1];
	w->at = &w->clients[w->parties.n_clients++];
	w->at->before = w->worker.random_at / FORWARD_TRACE_RANDOM;
	client_new(&w->worker, fds[0], &peer, 4711, false);
}

/* When the bridge is done with the one before. */
static void step_client_comes(struct world *w, unsigned, size_t n)
{
	if (w->worker.clients || w->parties.n_clients == CLIENTS)
		return;
	end_read(&w->client, &w->at->heard);
	end_close(&w->client, false);
	add_client(w, n & 1);
}

static void step_nothing(struct world *, unsigned, size_t)
{
}

static void (*const steps[16])(struct world *w, unsigned which, size_t n) = {
	step_client_sends,
	step_service_sends,
	step_service_answers,
	step_client_sends,
	step_client_fills,
	step_service_fills,
	step_client_ends,
	step_service_ends,
	step_client_reads,
	step_services_read,
	step_time,
	step_configure,
	step_drain,
	step_service_answers,
	step_client_comes,
	step_nothing,
};

static void run_steps(struct world *w)
{
	while (w->end - w->input >= 2) {
		unsigned what = *w->input++;
		size_t n = *w->input++;
		steps[what & 15](w, what >> 4 & 3, n);
		for (unsigned i = 0; i < what >> 6; i++)
			run_round(w);
	}
}

/* A run. */

static void begin(struct world *w, unsigned settings)
{
	now_us = BEGIN_US;
	w->sources = sources_new();
	w->seat_table = seat_table_new();
	worker_init(&w->worker, w->sources, w->seat_table);
	check_trace(w->worker.random, sizeof(w->worker.random));
	w->worker.random_at = 0;
	w->parties.config = exchange_stage()->configs[settings & 1];
	w->parties.services = w->got;
	w->parties.clients = w->clients;
	worker_configure(&w->worker, bridge_config_ref(w->parties.config));

	add_client(w, settings & 2);
}

/* Nobody says anything more: sooner or later everything has ended by itself. */
static void outlast(struct world *w)
{
	uint64_t until_us = now_us + LAST_MS * 1000;

	while (now_us < until_us && w->worker.clients) {
		read_all(w);
		run_round(w);
		now_us += 500'000;
	}
	read_all(w);
	assert(!w->worker.clients);
}

static void end(struct world *w)
{
	end_close(&w->client, false);
	for (size_t i = 0; i < w->parties.n_services; i++) {
		end_close(&w->services[i].end, false);
		transcript_clear(&w->got[i].got);
	}
	worker_clear(&w->worker);
	close(epoll_fd);
	accept_all(w);
	sources_free(w->sources);
	seat_table_free(w->seat_table);
	for (size_t i = 0; i < w->parties.n_clients; i++) {
		transcript_clear(&w->clients[i].sent);
		transcript_clear(&w->clients[i].heard);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	if (size < 1)
		return 0;
	w = (struct world){.input = data + 1, .end = data + size};
	begin(&w, data[0]);
	run_steps(&w);
	outlast(&w);
	check_exchange(&w.parties);
	end(&w);
	return 0;
}
