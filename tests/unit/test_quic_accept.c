/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strangers at the door of the quic room: what they get, and what they can use up.
 */
#include <arpa/inet.h>
#include <ngtcp2/ngtcp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic_world.h"

constexpr unsigned int CALLERS = 64;

/* What a side sent last, and first Initials of callers who never hear an answer. */
static struct {
	unsigned int n;
	size_t last_length;
	uint8_t last[1500];
	uint8_t initials[2 * CALLERS][1300];
	size_t lengths[2 * CALLERS];
	size_t answered; /* bytes of the server */
} taken;

static void take(struct world *w, const struct world_side *from, const struct quic_run *one)
{
	if (from == &w->client && one->length <= 1300 && taken.n < 2 * CALLERS) {
		memcpy(taken.initials[taken.n], one->bytes, one->length);
		taken.lengths[taken.n++] = one->length;
	}
	if (from == &w->server) {
		taken.answered += one->length;
		taken.last_length = one->length;
		memcpy(taken.last, one->bytes, one->length);
	}
}

static int setup(void **state)
{
	struct world *w = world_new();

	memset(&taken, 0, sizeof(taken));
	w->tap = take;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static const struct quic_counters *counters(const struct world *w)
{
	return quic_endpoint_counters(w->server.endpoint);
}

/* Another caller from the same address, who remembers nothing. */
static void dial_again(struct world *w)
{
	world_stop_side(&w->client);
	world_start_side(&w->client);
	world_reset(&w->client);
	world_dial(w);
}

/* RFC 9000 s8.1.2: who has used up the share of unproven addresses proves its own. */
static void test_retry(void **state)
{
	struct world *w = *state;

	w->server.config.limits.handshakes_per_prefix = 1;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	assert_int_equal(counters(w)->retries, 0);
	dial_again(w);
	assert_true(world_until(w, world_opened, 5));
	assert_in_range(counters(w)->retries, 1, 2); /* a ClientHello with ML-KEM is two packets */
	assert_int_equal(counters(w)->over_budget, 0);
	/* The share of proven ones is used up, too: it comes in when the time has come. */
	dial_again(w);
	assert_true(world_until(w, world_opened, 5));
	assert_true(counters(w)->over_budget > 0);
}

/* A client that was there, and has the token and the session that it was given. */
static void come_and_go(struct world *w)
{
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	world_run(w, 100 * MS);
	quic_connection_close(w->client.connection, QUIC_H3_NO_ERROR, "");
	assert_true(world_until(w, world_closed, 5));
}

/* RFC 9000 s8.1.3: a token of an earlier connection is proof enough. */
static void test_token(void **state)
{
	struct world *w = *state;

	w->server.config.limits.handshakes_per_prefix = 1;
	come_and_go(w);
	world_reset(&w->client);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	assert_int_equal(counters(w)->retries, 0);
	assert_int_equal(counters(w)->over_budget, 0);
}

/* … and outlives the server that gave it, if its key has not changed. */
static void test_token_after_restart(void **state)
{
	struct world *w = *state;

	come_and_go(w);
	world_stop_side(&w->server);
	w->server.config.limits.retry_always = true;
	world_start_side(&w->server);
	world_reset(&w->client);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	assert_int_equal(counters(w)->retries, 0);
}

/* First packets of many callers, each with its own connection IDs, that nobody answered. */
static void collect(struct world *w)
{
	world_start(w);
	w->net.dead = true;
	for (unsigned int i = 0; i < CALLERS; i++) {
		world_stop_side(&w->client);
		world_start_side(&w->client);
		world_dial(w);
		world_run(w, 1);
	}
	world_stop_side(&w->client);
	world_start_side(&w->client);
	world_reset(&w->client);
	w->net.dead = false;
	assert_true(taken.n > 0 && taken.n % CALLERS == 0);
}

static void flood(struct world *w)
{
	union quic_address from = w->client.address;

	for (unsigned int i = 0; i < taken.n; i++) {
		from.in.sin_addr.s_addr = htonl(0x0a000001 + (i * CALLERS / taken.n << 8));
		world_inject(&w->server, &from, taken.initials[i], taken.lengths[i]);
		world_run(w, 1);
	}
}

/* Many handshakes that do not go on: from some number on every address has to be proven, and
 * somebody real still gets in. */
static void test_crowd(void **state)
{
	struct world *w = *state;

	w->server.config.limits.retry_above = 8;
	collect(w);
	flood(w);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).unauthenticated, 8);
	assert_in_range(counters(w)->retries, CALLERS - 8, 2 * CALLERS);
	assert_in_range(taken.last_length, 30, 399); /* smaller than a third of the cause */
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	world_run(w, 20 * SECOND);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).unauthenticated, 0);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 1);
	assert_int_equal(counters(w)->handshakes_failed, 8);
	assert_int_equal(w->server.closed, 0); /* none of them was told about */
}

/* Something is kept of a handshake that has failed (RFC 9000 s10.2): so long its maker counts as
 * somebody who has not authenticated. */
static void test_crowd_of_failures(void **state)
{
	struct world *w = *state;

	w->server.config.limits.retry_above = 8;
	w->client.config.identity.groups = "P-521"; /* which the server does not speak */
	collect(w);
	flood(w);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 8);
	assert_int_equal(counters(w)->handshakes_failed, 8);
	assert_int_equal(counters(w)->retries, CALLERS - 8);
	w->client.config.identity.groups = nullptr;
	dial_again(w);
	assert_true(world_until(w, world_opened, 5));
	world_run(w, 20 * SECOND);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).unauthenticated, 0);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 1);
}

static void test_cap(void **state)
{
	struct world *w = *state;

	w->server.config.limits.retry_above = 1000;
	w->server.config.limits.unauthenticated = 16;
	collect(w);
	flood(w);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).unauthenticated, 16);
	assert_true(counters(w)->over_cap > 0);
	assert_int_equal(counters(w)->retries, 0);
}

static bool has_token(const uint8_t *bytes, size_t n)
{
	ngtcp2_pkt_hd hd;

	return ngtcp2_accept(&hd, bytes, n) == 0 && hd.tokenlen;
}

/* From the first Initial with a token on nothing arrives. */
static void hold_token(struct world *w, const struct world_side *from, const struct quic_run *one)
{
	take(w, from, one);
	if (from == &w->client && has_token(one->bytes, one->length))
		w->net.dead = true;
}

/* RFC 9000 s8.1.3: a Retry token that another address was given is answered with INVALID_TOKEN, and
 * nothing is kept. */
static void test_stolen_token(void **state)
{
	struct world *w = *state;
	union quic_address thief = w->client.address;

	w->server.config.limits.handshakes_per_prefix = 1;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	dial_again(w);
	taken.n = 0;
	w->tap = hold_token;
	world_run(w, 100 * MS);
	assert_true(w->net.dead);
	assert_int_equal(counters(w)->bad_tokens, 0);
	thief.in.sin_addr.s_addr = htonl(0x0a000001);
	for (unsigned int i = 0; i < taken.n; i++)
		if (has_token(taken.initials[i], taken.lengths[i]))
			world_inject(&w->server, &thief, taken.initials[i], taken.lengths[i]);
	world_run(w, 1);
	assert_true(counters(w)->bad_tokens > 0);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).unauthenticated, 0);
	/* Where it was given to, it is as good as ever. */
	w->tap = nullptr;
	w->net.dead = false;
	assert_true(world_until(w, world_opened, 5));
	assert_int_equal(counters(w)->over_budget, 0);
}

/* A long header with a version that nobody speaks (RFC 9000 s6.3). */
static void make_foreign(uint8_t *bytes, size_t n)
{
	static const uint8_t head[] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 'd', 'd', 'd', 'd', 'd',
		'd', 'd', 'd', 8, 's', 's', 's', 's', 's', 's', 's', 's'};

	memset(bytes, 0, n);
	memcpy(bytes, head, sizeof(head));
}

static void test_version(void **state)
{
	struct world *w = *state;
	uint8_t bytes[1200];

	make_foreign(bytes, sizeof(bytes));
	world_start(w);
	world_inject(&w->server, &w->client.address, bytes, 1199);
	world_run(w, 1);
	assert_int_equal(counters(w)->versions, 0);
	world_inject(&w->server, &w->client.address, bytes, 1200);
	world_run(w, 1);
	assert_int_equal(counters(w)->versions, 1);
	assert_int_equal(taken.last_length, 1 + 4 + 9 + 9 + 4);
	assert_memory_equal(taken.last + 1,
		"\0\0\0\0\x08ssssssss\x08"
		"dddddddd\0\0\0\1",
		26);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 0);
}

/* RFC 8999 s5.3: another version's IDs may have 255 bytes. */
static void test_version_of_giants(void **state)
{
	struct world *w = *state;
	uint8_t bytes[1200] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 255};

	memset(bytes + 6, 'd', 255);
	bytes[6 + 255] = 255;
	memset(bytes + 6 + 255 + 1, 's', 255);
	world_start(w);
	world_inject(&w->server, &w->client.address, bytes, sizeof(bytes));
	world_run(w, 1);
	assert_int_equal(counters(w)->versions, 1);
	assert_int_equal(taken.last_length, 1 + 4 + 256 + 256 + 4);
	assert_memory_equal(taken.last + 6, bytes + 6 + 256, 255);
}

/* RFC 9000 s10.3: smaller than what it answers; s10.3.3: so that a loop comes to its end. */
static void test_reset_of_strangers(void **state)
{
	struct world *w = *state;
	uint8_t bytes[1200];

	memset(bytes, 0x55, sizeof(bytes));
	world_start(w);
	for (size_t n = 1; n < 100; n++) {
		uint64_t before = counters(w)->resets;

		world_inject(&w->server, &w->client.address, bytes, n);
		taken.last_length = 0;
		world_run(w, 1);
		assert_true(taken.last_length < n);
		assert_int_equal(taken.last_length > 0, counters(w)->resets > before);
		assert_int_equal(taken.last_length > 0, n >= 22);
	}
	world_run(
		w, SECOND); /* the client does not answer resets that mean nothing to it for ever */
	assert_int_equal(w->client.sent, quic_endpoint_counters(w->client.endpoint)->resets);
}

static void test_answers_are_rationed(void **state)
{
	struct world *w = *state;
	uint8_t bytes[50] = {0x55};

	w->server.config.limits.answers = 10;
	world_start(w);
	for (int i = 0; i < 1000; i++) {
		world_inject(&w->server, &w->client.address, bytes, sizeof(bytes));
		world_run(w, 1);
	}
	assert_int_equal(counters(w)->resets, 10);
	assert_int_equal(counters(w)->over_answers, 990);
}

/* Bytes that cost their sender next to nothing do not take Retry from those who need one. */
static void test_junk_beside_retry(void **state)
{
	struct world *w = *state;
	uint8_t bytes[50] = {0x55};

	w->server.config.limits.answers = 10;
	w->server.config.limits.retry_always = true;
	world_start(w);
	for (int i = 0; i < 50; i++)
		world_inject(&w->server, &w->client.address, bytes, sizeof(bytes));
	world_dial(w);
	for (int i = 0; i < 4000; i++) {
		world_inject(&w->server, &w->client.address, bytes, sizeof(bytes));
		world_run(w, MS);
	}
	assert_true(world_opened(w));
	assert_true(counters(w)->over_answers > 0);
}

/* Ten Initials a millisecond that nobody goes on with: each gets its Retry, and so does, at the
 * first try, somebody real. A round trip takes 20 ms here. */
static void test_flood(void **state)
{
	struct world *w = *state;

	collect(w);
	w->server.config.limits.retry_always = true;
	world_stop_side(&w->server);
	world_start_side(&w->server);
	for (unsigned int ms = 0; ms < 2000 && !world_opened(w); ms++) {
		if (ms == 1500)
			world_dial(w);
		for (unsigned int i = 0; i < 10; i++)
			world_inject(&w->server, &w->client.address, taken.initials[i],
				taken.lengths[i]);
		world_run(w, MS);
	}
	assert_true(world_opened(w));
	assert_int_equal(counters(w)->over_answers, 0);
	assert_in_range(counters(w)->retries, 15'000, 20'000);
}

/* A client's first flight, of so many packets, and silence for a minute; how many bytes came. */
static size_t send_one_flight(struct world *w, unsigned int packets)
{
	size_t came = 0;

	w->net.dead = true;
	world_start(w);
	world_dial(w);
	world_run(w, 1);
	world_stop_side(&w->client);
	assert_int_equal(taken.n, packets);
	for (unsigned int i = 0; i < packets; i++) {
		world_inject(&w->server, &w->client.address, taken.initials[i], taken.lengths[i]);
		came += taken.lengths[i];
	}
	world_run(w, 60 * SECOND);
	return came;
}

/* RFC 9000 s8.1: who is silent then gets three times as many at most, until the server has given
 * him up. Its certificates fill more than that, and whoever goes on gets all of it. */
static void test_amplification(void **state)
{
	static const char *const GROUPS[] = {"X25519", "X25519MLKEM768:X25519"};
	static char chain[12 * 1024];
	struct world *w = *state;
	const char *one = w->server.identity.certificate;

	for (size_t at = 0; at + strlen(one) < sizeof(chain); at += strlen(one))
		memcpy(chain + at, one, strlen(one) + 1);
	w->server.config.identity.certificate = chain;
	for (unsigned int i = 0; i < 2; i++) {
		w->client.config.identity.groups = GROUPS[i];
		size_t came = send_one_flight(w, i + 1);
		assert_in_range(taken.answered, 2 * came, 3 * came);
		assert_int_equal(counters(w)->retries, 0);
		assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 0);
		w->net.dead = false;
		dial_again(w);
		assert_true(world_until(w, world_opened, 5));
		world_stop_side(&w->client);
		world_stop_side(&w->server);
		world_reset(&w->client);
		world_reset(&w->server);
		memset(&taken, 0, sizeof(taken));
	}
}

/* Who only dials answers no stranger. */
static void test_closed_door(void **state)
{
	struct world *w = *state;

	w->server.config.accept = false;
	world_start(w);
	world_dial(w);
	world_run(w, 15 * SECOND);
	assert_int_equal(w->server.sent, 0);
	assert_int_equal(w->client.closed, 1);
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_HANDSHAKE);
	assert_int_equal(w->client.ended, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_retry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token_after_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowd_of_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stolen_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_of_giants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_of_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_are_rationed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_junk_beside_retry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_amplification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_door, setup, teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
