/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to connections of the quic room in the course of their lives: other addresses,
 * silence, a peer that forgot, an end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic/trace.h"
#include "quic_meet.h"
#include "quic_pair.h"

static bool both_have_datagrams(struct world *w)
{
	return w->client.datagrams && w->server.datagrams;
}

static void exchange(struct world *w)
{
	uint8_t bytes[100] = {};

	w->client.datagrams = w->server.datagrams = 0;
	assert_int_equal(world_send(&w->client, bytes, sizeof(bytes)), 0);
	assert_int_equal(world_send(&w->server, bytes, sizeof(bytes)), 0);
	assert_true(world_until(w, both_have_datagrams, 5));
}

/* Nothing is under way, and nobody says anything: a trace of the connection is enough to end it. */
static void disown(struct world *w, const struct quic_trace *trace)
{
	uint8_t buffer[256];
	struct quic_run run;
	struct quic_batch batch;

	quic_batch_init(&batch, buffer, sizeof(buffer), &run, 1);
	assert_true(quic_endpoint_disown(w->server.endpoint, trace, &batch));
	assert_int_equal(batch.n_runs, 1);
	assert_in_range(run.length, 21, 41); /* RFC 9000 s10.3 */
	assert_true(quic_path_equal(&run.path, &trace->path));
	assert_false(quic_endpoint_disown(w->server.endpoint, trace, &batch));
	world_transmit(&w->server, run.bytes, run.length);
}

/* RFC 9000 s9: the client gets another address, the server follows. */
static void test_migration(void **state)
{
	struct world *w = pair_open(*state);
	struct quic_path path = {.remote = w->server.address, .socket = 8};
	char text[QUIC_ADDRESS_LENGTH];

	world_run(w, SECOND);
	exchange(w);
	w->client.address.in.sin_addr.s_addr = htonl(0xcb007101);
	path.local = w->client.address;
	assert_int_equal(quic_connection_migrate(w->client.connection, &path, w->now), 0);
	assert_int_equal(quic_connection_migrate(w->client.connection, &path, w->now), -EALREADY);
	world_run(w, SECOND);
	assert_int_equal(w->client.moved, 1);
	assert_true(w->server.moved > 0);
	exchange(w);
	path = quic_connection_path(w->server.connection);
	assert_string_equal(quic_address_str(&path.remote, text), "203.0.113.1:40000");
	assert_int_equal(quic_connection_path(w->client.connection).socket, 8);
	assert_int_equal(quic_connection_migrate(w->server.connection, &path, w->now), -EBUSY);
	world_run(w, SECOND);
	assert_in_range(quic_datagram_max(w->client.stream), 1432, 1472); /* found again */
	assert_in_range(quic_datagram_max(w->server.stream), 1432, 1472);
	/* What is kept of it outside has followed: the path, and the ID that is used there. */
	const struct quic_trace trace = quic_connection_trace(w->server.connection);
	world_stop_side(&w->server);
	world_start_side(&w->server);
	disown(w, &trace);
	assert_true(world_until(w, pair_client_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_RESET);
}

/* A NAT gives the client another port, and nobody tells it (RFC 9000 s9.3.1). */
static void test_rebinding(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[100] = {};

	world_run(w, SECOND);
	w->nat = w->client.address;
	w->nat.in.sin_port = htons(50'000);
	assert_int_equal(world_send(&w->client, bytes, sizeof(bytes)), 0);
	world_run(w, SECOND);
	exchange(w);
	assert_true(w->server.moved > 0);
	assert_int_equal(
		quic_connection_path(w->server.connection).remote.in.sin_port, htons(50'000));
}

static void set_ipv6(union quic_address *a, uint8_t host, in_port_t port)
{
	*a = (union quic_address){
		.in6 = {.sin6_family = AF_INET6,
			.sin6_port = htons(port),
			.sin6_addr.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = host}}};
}

/* The same below IPv6: a token and a trace hold its addresses, and Ethernet has 20 bytes less. */
static void test_ipv6(void **state)
{
	struct world *w = *state;
	struct quic_path path = {.socket = 8};
	char text[QUIC_ADDRESS_LENGTH];

	set_ipv6(&w->client.address, 1, 40'000);
	set_ipv6(&w->server.address, 2, 443);
	w->server.config.limits.retry_always = true;
	w->net.mtu = 1452;
	pair_open(w);
	assert_true(quic_endpoint_counters(w->server.endpoint)->retries > 0);
	world_run(w, 5 * SECOND);
	assert_in_range(quic_datagram_max(w->client.stream), 1412, 1452);
	set_ipv6(&w->client.address, 3, 40'000);
	path.local = w->client.address;
	path.remote = w->server.address;
	assert_int_equal(quic_connection_migrate(w->client.connection, &path, w->now), 0);
	world_run(w, SECOND);
	exchange(w);
	path = quic_connection_path(w->server.connection);
	assert_string_equal(quic_address_str(&path.remote, text), "[2001:db8::3]:40000");
	const struct quic_trace trace = quic_connection_trace(w->server.connection);
	world_stop_side(&w->server);
	world_start_side(&w->server);
	disown(w, &trace);
	assert_true(world_until(w, pair_client_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_RESET);
	/* From where it has a token of the former server, without a Retry. */
	set_ipv6(&w->client.address, 1, 40'000);
	pair_redial(w);
	assert_true(world_until(w, world_opened, 5));
	assert_int_equal(quic_endpoint_counters(w->server.endpoint)->retries, 0);
}

static uint64_t heard_ns(const struct world *w)
{
	return quic_connection_figures(w->client.connection).heard_ns;
}

/* A point in time: no clock moves it, and none that stands still between turns. */
static void test_heard(void **state)
{
	struct world *w = pair_open(*state);

	world_run(w, SECOND);
	w->net.dead = true;
	world_run(w, SECOND);
	uint64_t heard = heard_ns(w);
	assert_in_range(heard, 1, w->now - SECOND);
	for (int i = 0; i < 30; i++) {
		world_run(w, SECOND);
		assert_int_equal(heard_ns(w), heard);
	}
	w->net.dead = false;
	exchange(w);
	assert_in_range(heard_ns(w), heard + 30 * SECOND, w->now);
}

static void test_keep_alive(void **state)
{
	struct world *w = pair_open(*state);

	world_run(w, 600 * SECOND);
	assert_int_equal(w->client.closed + w->server.closed, 0);
	exchange(w);
}

/* Something goes to and fro at once, and no more often than before from then on. */
static void test_ping(void **state)
{
	struct world *w = pair_open(*state);
	struct world_side *const sides[] = {&w->client, &w->server};

	for (size_t i = 0; i < 2; i++) {
		world_run(w, 20 * SECOND); /* a keep-alive was 5 s ago */
		uint64_t asked = w->now;
		unsigned int sent = w->client.sent;
		quic_endpoint_ping(sides[i]->endpoint);
		world_run(w, SECOND);
		assert_in_range(heard_ns(w), asked + 1, w->now);
		assert_in_range(w->client.sent, sent + 1, sent + 2);
		sent = w->client.sent;
		world_run(w, 13 * SECOND);
		assert_int_equal(w->client.sent, sent);
		world_run(w, 3 * SECOND);
		assert_in_range(w->client.sent, sent + 1, sent + 2);
	}
}

/* RFC 9000 s10.1, s10.1.2: an end that gives up a silent connection earlier than we would. */
static void test_impatient_peer(void **state)
{
	struct world *w = *state;

	w->server.config.idle_ns = 5 * SECOND;
	test_keep_alive(state);
}

static void test_silence(void **state)
{
	struct world *w = pair_open(*state);

	world_run(w, SECOND);
	w->net.dead = true;
	assert_true(world_until(w, world_closed, 200));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_IDLE);
	assert_int_equal(w->server.why.cause, QUIC_CAUSE_IDLE);
	assert_int_equal(w->client.end, QUIC_END_CLOSED);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 0);
}

/* UDP is blocked for half of the idle time, under traffic; then all goes on. */
static void test_outage(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[1200] = {};

	world_run(w, 2 * SECOND);
	w->net.dead = true;
	for (int i = 0; i < 3000; i++) {
		(void)world_send(&w->client, bytes, sizeof(bytes));
		(void)world_send(&w->server, bytes, sizeof(bytes));
		world_run(w, 10 * MS);
	}
	assert_in_range(w->now - heard_ns(w), 30 * SECOND, 33 * SECOND);
	w->net.dead = false;
	w->client.datagrams = w->server.datagrams = 0;
	for (int i = 0; i < 3500 && !both_have_datagrams(w); i++) {
		(void)world_send(&w->client, bytes, sizeof(bytes));
		(void)world_send(&w->server, bytes, sizeof(bytes));
		world_run(w, 10 * MS);
	}
	exchange(w);
	assert_int_equal(w->client.closed + w->server.closed, 0);
}

static void talk(struct world *w, unsigned int seconds)
{
	uint8_t bytes[1200] = {};

	for (unsigned int i = 0; i < seconds * 10 && !w->server.closed; i++) {
		(void)world_send(&w->client, bytes, sizeof(bytes));
		(void)world_send(&w->server, bytes, sizeof(bytes));
		world_run(w, 100 * MS);
	}
}

/* A client that hears nothing, or acknowledges nothing, which is the same to its server. */
static void test_deaf(void **state)
{
	struct world *w = pair_open(*state);

	talk(w, 2);
	w->server.mute = true;
	talk(w, 5);
	assert_in_range(
		quic_connection_figures(w->server.connection).unacked_ns, 4 * SECOND, 5 * SECOND);
	w->server.mute = false;
	talk(w, 40);
	assert_int_equal(w->server.closed, 0);
	assert_true(quic_connection_figures(w->server.connection).unacked_ns < SECOND);

	w->server.mute = true;
	talk(w, 15);
	assert_int_equal(w->server.closed, 1);
	assert_int_equal(w->server.why.cause, QUIC_CAUSE_DEAF);
}

/* The last packet of each turn only acknowledges, and is acknowledged as the largest: there is no
 * sample of the round-trip time, for as long as that goes on. */
static void test_not_deaf(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[1000] = {};

	for (unsigned int i = 0; i < 3000; i++) {
		const struct iovec piece = {bytes, 4 + world_random(w) % sizeof(bytes) / 2};

		w->net.delay_ns = 10 * MS + world_random(w) % 1000;
		(void)quic_datagram_queue(w->client.stream, &piece, 1, 0);
		(void)quic_datagram_queue(w->server.stream, &piece, 1, 0);
		world_run(w, 10 * MS);
		assert_int_equal(w->client.closed + w->server.closed, 0);
	}
	assert_true(quic_connection_figures(w->client.connection).unacked_ns < SECOND);
	assert_true(quic_connection_figures(w->server.connection).unacked_ns < SECOND);
}

/* RFC 9000 s10.3: a server that was restarted says so to whom it does not know, at once. */
static void test_restart(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[100] = {};
	uint64_t before;

	world_run(w, SECOND);
	world_stop_side(&w->server);
	world_start_side(&w->server);
	before = w->now;
	assert_int_equal(world_send(&w->client, bytes, sizeof(bytes)), 0);
	assert_true(world_until(w, pair_client_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_RESET);
	assert_in_range(w->now - before, 20 * MS, 25 * MS);
	pair_redial(w);
	assert_true(world_until(w, world_opened, 5));
}

/* What was on its way to an edge that was killed is answered by the next one, each by a reset. The
 * first ends the connection, and the others are its as well (RFC 9000 s10.3.1): no stranger's, and
 * not answered by resets in their turn. */
static void test_resets(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[1000] = {};
	const struct quic_counters *mine = quic_endpoint_counters(w->client.endpoint);

	world_run(w, SECOND);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(world_send(&w->client, bytes, sizeof(bytes)), 0);
	world_stop_side(&w->server);
	world_start_side(&w->server);
	world_run(w, SECOND);
	assert_int_equal(w->client.closed, 1);
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_RESET);
	assert_int_equal(quic_endpoint_counters(w->server.endpoint)->resets, 8);
	assert_int_equal(mine->resets, 0);
	assert_int_equal(mine->unknown, 0);
}

static void test_disowned(void **state)
{
	struct world *w = pair_open(*state);
	struct quic_trace trace, other;
	uint64_t before;

	world_run(w, 3 * SECOND);
	trace = other = quic_connection_trace(w->server.connection);
	other.id[0] ^= 1;
	world_stop_side(&w->server);
	world_start_side(&w->server);
	disown(w, &other);
	world_run(w, SECOND);
	assert_int_equal(w->client.closed, 0);
	before = w->now;
	disown(w, &trace);
	assert_true(world_until(w, pair_client_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_RESET);
	assert_in_range(w->now - before, 10 * MS, 11 * MS);
	/* Too late, and to somebody who has a new connection: they fall silent. */
	pair_redial(w);
	assert_true(world_until(w, world_opened, 5));
	disown(w, &trace);
	world_run(w, SECOND);
	assert_int_equal(w->client.closed + w->server.closed, 0);
}

/* Another server at the same address has another key: its resets mean nothing. */
static void test_reset_of_another(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[100] = {};

	world_run(w, SECOND);
	world_stop_side(&w->server);
	w->server.config.identity.certificate = w->client.identity.certificate;
	w->server.config.identity.key = w->client.identity.key;
	world_start_side(&w->server);
	assert_int_equal(world_send(&w->client, bytes, sizeof(bytes)), 0);
	assert_false(world_until(w, pair_client_closed, 5));
	assert_true(quic_endpoint_counters(w->server.endpoint)->resets > 0);
}

/* What went by last, or first. */
static struct {
	size_t n;
	uint8_t bytes[1500];
} seen;

static void see(const struct quic_run *one)
{
	assert_true(one->length <= sizeof(seen.bytes));
	seen.n = one->length;
	memcpy(seen.bytes, one->bytes, one->length);
}

static void see_server(struct world *w, const struct world_side *from, const struct quic_run *one)
{
	if (from == &w->server)
		see(one);
}

static void see_first(struct world *, const struct world_side *, const struct quic_run *one)
{
	if (!seen.n)
		see(one);
}

/* Who sees what goes by, and sends it again or changed, is not taken for the peer. */
static void test_echoes(void **state)
{
	struct world *w = pair_open(*state);

	world_run(w, SECOND);
	w->tap = see_server;
	exchange(w);
	w->tap = nullptr;
	w->net.dead = true;
	for (int i = 0; i < 50; i++) {
		world_inject(&w->client, &w->server.address, seen.bytes, seen.n);
		seen.bytes[seen.n - 1] ^= 1;
		world_run(w, 100 * MS);
	}
	assert_true(w->now - heard_ns(w) > 4 * SECOND);
}

/* A client's first packets go to an ID of its own choice, for which it knows no reset. */
static void test_first_id(void **state)
{
	struct world *w = *state;
	struct rude *r;

	seen.n = 0;
	w->tap = see_first;
	r = rude_client(w);
	world_run(w, SECOND);
	const struct quic_trace before = quic_connection_trace(w->server.connection);
	world_inject(&w->server, &w->client.address, seen.bytes, seen.n);
	const struct quic_trace after = quic_connection_trace(w->server.connection);
	assert_memory_equal(after.id, before.id, sizeof(before.id));
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 1);
	rude_free(r);
}

static void test_refused(void **state)
{
	struct world *w = *state;

	w->server.status = 403;
	world_start(w);
	world_dial(w);
	world_run(w, 2 * SECOND);
	assert_int_equal(w->client.status, 403);
	assert_int_equal(w->client.responses, 1);
	assert_int_equal(w->client.ended, 1);
	assert_int_equal(w->server.ended, 1);
	assert_int_equal(w->client.datagram_max_changes, 0);
	assert_int_equal(w->client.closed, 0);
}

static void test_shutdown(void **state)
{
	struct world *w = pair_open(*state);

	quic_endpoint_shutdown(w->server.endpoint, w->now);
	assert_true(world_until(w, world_closed, 5));
	assert_int_equal(w->client.why.code, QUIC_H3_NO_ERROR);
	world_run(w, 10 * SECOND);
	assert_int_equal(quic_endpoint_expiry_ns(w->server.endpoint), UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_migration),
		TEST(test_rebinding),
		TEST(test_ipv6),
		TEST(test_heard),
		TEST(test_keep_alive),
		TEST(test_ping),
		TEST(test_impatient_peer),
		TEST(test_silence),
		TEST(test_deaf),
		TEST(test_not_deaf),
		TEST(test_outage),
		TEST(test_restart),
		TEST(test_resets),
		TEST(test_disowned),
		TEST(test_echoes),
		TEST(test_first_id),
		TEST(test_reset_of_another),
		TEST(test_refused),
		TEST(test_shutdown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
