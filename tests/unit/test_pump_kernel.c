/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What questions and answers between two pumps cost, and what becomes of them when one is held up.
 * The clock is the test's own, an hour ahead, so that no timer ever runs out by itself; how often
 * one is set is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/lone.h"
#include "netns.h"
#include "pump.h"
#include "quic/connection.h"
#include "quic/datagram.h"
#include "quic/stream.h"
#include "quic_identity.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

constexpr uint64_t US = 1000;
constexpr uint64_t SECOND = 1'000'000'000;
constexpr uint64_t HOUR = UINT64_C(3'600'000'000'000);
constexpr unsigned TRIES = 1000;

static uint64_t now_ns;
static unsigned timers_set;
static uint64_t timer_us; /* what the last one was set to */

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __real_sd_event_source_set_time(sd_event_source *s, uint64_t us);
int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t us);

int __wrap_clock_gettime(clockid_t, struct timespec *ts)
{
	*ts = (struct timespec){.tv_sec = (time_t)(now_ns / 1'000'000'000),
		.tv_nsec = (long)(now_ns % 1'000'000'000)};
	return 0;
}

int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t us)
{
	timers_set++;
	timer_us = us;
	return __real_sd_event_source_set_time(s, us);
}

struct side {
	struct test_identity identity;
	struct pump *pump;
	struct quic_endpoint *endpoint;
	struct quic_stream *stream;
	union quic_address address;
	unsigned got, silences;
};

struct pair {
	sd_event *event;
	struct side client, server;
};

static void on_request(void *user, struct quic_stream *s, const struct quic_request *)
{
	((struct side *)user)->stream = s;
	assert_int_equal(quic_stream_respond(s, 200, nullptr, 0), 0);
}

static void on_datagram(void *user, struct quic_stream *, const uint8_t *, size_t)
{
	((struct side *)user)->got++;
}

static void on_silent(void *user, struct quic_connection *, bool silent)
{
	((struct side *)user)->silences += silent;
}

static const struct quic_events quic_events = {
	.request = on_request, .datagram = on_datagram, .silent = on_silent};

static void on_turned(void *, uint64_t)
{
}

static const struct pump_events pump_events = {.turned = on_turned};

static void set_up_side(struct pair *p, struct side *s, const struct side *other, bool accept)
{
	const struct quic_config config = {.accept = accept,
		.identity = {.certificate = s->identity.certificate,
			.key = s->identity.key,
			.pins = other->identity.pin,
			.n_pins = 1}};
	socklen_t n = sizeof(s->address.in);
	struct err err = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	s->address.in = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, &s->address.sa, n), 0);
	assert_int_equal(getsockname(fd, &s->address.sa, &n), 0);
	s->pump = pump_new(p->event, !accept, &pump_events);
	assert_int_equal(pump_add_socket(s->pump, fd, &err), 0);
	assert_int_equal(
		quic_endpoint_new(&s->endpoint, &config, &quic_events, s, now_ns, &err), 0);
	pump_set_endpoint(s->pump, s->endpoint);
}

static void dial(struct pair *p)
{
	struct quic_dial dial = {.server_name = "edge.mesh",
		.request = {.protocol = "connect-ip",
			.scheme = "https",
			.authority = "edge.mesh",
			.path = "/",
			.capsules = true}};
	struct err err = {};

	assert_int_equal(pump_path(p->client.pump, &p->server.address, &dial.path), 0);
	assert_int_equal(
		quic_connect(p->client.endpoint, &dial, now_ns, &p->client.stream, &err), 0);
	pump_write(p->client.pump, now_ns);
}

static void next_event(struct pair *p)
{
	now_ns += 100 * US;
	assert_true(sd_event_run(p->event, 10'000'000) > 0);
}

static int setup(void **state)
{
	struct pair *p = test_calloc(1, sizeof(*p));
	struct timespec now;

	__real_clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = HOUR + (uint64_t)now.tv_sec * 1'000'000'000;
	assert_true(sd_event_new(&p->event) >= 0);
	test_identity_make(&p->client.identity, "ED25519", "site1.mesh");
	test_identity_make(&p->server.identity, "ED25519", "edge.mesh");
	set_up_side(p, &p->client, &p->server, false);
	set_up_side(p, &p->server, &p->client, true);
	dial(p);
	while (!p->server.stream || !quic_datagram_max(p->client.stream) ||
		!quic_datagram_max(p->server.stream))
		next_event(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	pump_free(p->client.pump);
	pump_free(p->server.pump);
	test_identity_clear(&p->client.identity);
	test_identity_clear(&p->server.identity);
	sd_event_unref(p->event);
	test_free(p);
	return 0;
}

static void send_one(const struct side *from, size_t n)
{
	static const uint8_t bytes[1000];
	struct iovec piece = {(void *)(uintptr_t)bytes, n};

	pump_begin(from->pump, now_ns);
	assert_int_equal(
		quic_datagram_send(from->stream, &piece, 1, 0, pump_batch(from->pump), now_ns), 0);
	pump_write(from->pump, now_ns);
}

static void say(struct pair *p, const struct side *from, const struct side *to, size_t n)
{
	unsigned before = to->got;

	send_one(from, n);
	while (to->got == before)
		next_event(p);
}

/* Each packet moves what is due, mostly further away: the timer is left where it is. To set it each
 * time would be more than two a question. */
static void test_timers(void **state)
{
	struct pair *p = *state;
	unsigned before = timers_set;

	assert_true(before > 0); /* it is counted */
	for (unsigned i = 0; i < TRIES; i++) {
		say(p, &p->client, &p->server, 60);
		say(p, &p->server, &p->client, 300);
	}
	assert_in_range(timers_set - before, 0, TRIES / 10);
}

/* A packet each, and a call each; now and then one goes alone, when a timer has run out. Two each
 * are 2000. */
static void test_calls(void **state)
{
	struct pair *p = *state;
	struct udp_counters before = pump_counters(p->client.pump), after;

	for (unsigned i = 0; i < TRIES; i++) {
		say(p, &p->client, &p->server, 60);
		say(p, &p->server, &p->client, 300);
	}
	after = pump_counters(p->client.pump);
	assert_in_range(after.sent - before.sent, TRIES, TRIES + TRIES / 2);
	assert_in_range(after.received - before.received, TRIES, TRIES + TRIES / 2);
	assert_in_range(after.send_calls - before.send_calls, TRIES, TRIES + TRIES / 2);
}

/* A turn of its own, as it is for who has something else to do. */
static void take_turn(const struct side *s)
{
	pump_begin(s->pump, now_ns);
	pump_write(s->pump, now_ns);
}

/* Who was stopped for seconds has the answer in its socket when its timers are due: nobody else was
 * silent. It is looked for before each judgement, and what came is carried on by a turn. */
static void test_held_up(void **state)
{
	struct pair *p = *state;
	const struct side *c = &p->client;

	say(p, c, &p->server, 60);
	send_one(&p->server, 300); /* … with the acknowledgement */
	unsigned got = c->got;
	now_ns += 5 * SECOND;
	take_turn(c);
	assert_int_equal(c->silences, 0);
	assert_int_equal(c->got, got + 1);
	assert_int_equal(timer_us, now_ns / US);

	send_one(c, 60);       /* which nobody receives */
	now_ns += 30 * SECOND; /* what was answered took five */
	take_turn(c);
	assert_int_equal(c->silences, 1);
}

/* The loop brings the socket's first datagram, of nobody, while one call receives one. */
static void test_held_up_by_others(void **state)
{
	struct pair *p = *state;
	const struct side *c = &p->client;
	int stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (unsigned i = 0; i < 2 * LONE_LOOKS; i++) {
		say(p, c, &p->server, 60);
		say(p, &p->server, c, 60);
	}
	say(p, c, &p->server, 60);
	assert_int_equal(sendto(stranger, "?", 1, 0, &c->address.sa, sizeof(c->address.in)), 1);
	send_one(&p->server, 300); /* … with the acknowledgement */
	unsigned got = c->got;
	now_ns += 5 * SECOND;
	while (c->got == got)
		next_event(p);
	assert_int_equal(c->silences, 0);
	close(stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_timers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held_up_by_others, setup, teardown),
	};

	if (!netns_may())
		return NETNS_SKIP;
	netns_link_up("lo", true);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
