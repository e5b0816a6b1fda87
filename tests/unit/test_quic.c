/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thin thread through the quic room: handshake, request, bytes, datagrams, end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic_pair.h"

/* RFC 9114 s3.1, RFC 9220 s3, RFC 9297 s2.1.1; the hybrid of ML-KEM and X25519 is preferred. */
static void test_handshake(void **state)
{
	struct world *w = pair_open(*state);

	assert_int_equal(w->client.established, 1);
	assert_int_equal(w->server.established, 1);
	assert_string_equal(w->client.peer.group, "X25519MLKEM768");
	assert_string_equal(w->client.peer.alpn, "h3");
	assert_memory_equal(w->client.peer.key, w->server.identity.pin[0], QUIC_KEY_DIGEST);
	assert_memory_equal(w->server.peer.key, w->client.identity.pin[0], QUIC_KEY_DIGEST);
	assert_true(w->server.peer.client);
	assert_int_equal(w->server.requests, 1);
	assert_string_equal(w->server.path, "/.well-known/masque/ip/*/*/");
	assert_true(w->server.capsules);
	assert_int_equal(w->client.status, 200);
	assert_true(w->client.capsules);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).unauthenticated, 0);
}

static bool bytes_arrived(struct world *w)
{
	return w->server.n_bytes >= 300'000 && w->client.n_bytes >= 300'000;
}

/* More than any window or buffer on the way, both ways at the same time. */
static void test_bytes(void **state)
{
	struct world *w = pair_open(*state);
	size_t sent[2] = {};
	uint8_t piece[1000];

	while (sent[0] < 300'000 || sent[1] < 300'000) {
		struct world_side *sides[] = {&w->client, &w->server};

		for (int i = 0; i < 2; i++)
			for (int r = 0; r == 0 && sent[i] < 300'000;) {
				for (size_t k = 0; k < sizeof(piece); k++)
					piece[k] = (uint8_t)((sent[i] + k) % 251);
				r = quic_stream_send(sides[i]->stream, piece, sizeof(piece));
				assert_true(r == 0 || r == -EAGAIN);
				sent[i] += r == 0 ? sizeof(piece) : 0;
			}
		world_run(w, 5 * MS);
	}
	assert_true(world_until(w, bytes_arrived, 60));
	for (size_t i = 0; i < 300'000; i++) {
		assert_int_equal(w->server.bytes[i], i % 251);
		assert_int_equal(w->client.bytes[i], i % 251);
	}
	assert_true(w->client.writable > 0);
}

static bool datagrams_arrived(struct world *w)
{
	return w->server.datagrams >= 3 && w->client.datagrams >= 3;
}

/* Straight into the batch, from the queue, and small ones that share a packet. */
static void test_datagrams(void **state)
{
	struct world *w = pair_open(*state);
	char context[] = {0}, packet[] = "packet";
	struct iovec pieces[] = {
		{.iov_base = context, .iov_len = 1}, {.iov_base = packet, .iov_len = 6}};
	struct quic_run runs[8];
	struct quic_batch b;
	uint8_t buffer[8192];

	for (int i = 0; i < 3; i++)
		assert_int_equal(quic_datagram_queue(w->server.stream, pieces, 2, 0), 0);
	quic_batch_init(&b, buffer, sizeof(buffer), runs, 8);
	for (int i = 0; i < 3; i++)
		assert_int_equal(quic_datagram_send(w->client.stream, pieces, 2, 0, &b, w->now), 0);
	assert_false(quic_endpoint_write(w->client.endpoint, &b, w->now));
	assert_int_equal(b.n_runs, 1);
	assert_int_equal(b.runs[0].length, b.runs[0].segment); /* one packet for all three */
	world_inject(&w->server, &w->client.address, b.runs[0].bytes, b.runs[0].length);

	assert_true(world_until(w, datagrams_arrived, 5));
	assert_int_equal(w->server.last_length, 7);
	assert_memory_equal(w->server.last, "\0packet", 7);
	assert_memory_equal(w->client.last, "\0packet", 7);
}

/* RFC 9221 s5.3: what fits is what the path carries, and not a byte more. */
static void test_datagram_size(void **state)
{
	struct world *w = pair_open(*state);
	static uint8_t payload[2048];
	struct iovec piece = {.iov_base = payload, .iov_len = 1};
	size_t max;

	world_run(w, 2 * SECOND);
	max = quic_datagram_max(w->client.stream);
	assert_int_equal(max, w->client.datagram_max);
	assert_in_range(max, 1472 - 40, 1472 - 30);
	piece.iov_len = max + 1;
	assert_int_equal(quic_datagram_queue(w->client.stream, &piece, 1, 0), -EMSGSIZE);
	piece.iov_len = max;
	assert_int_equal(quic_datagram_queue(w->client.stream, &piece, 1, 0), 0);
	world_run(w, SECOND);
	assert_int_equal(w->server.datagrams, 1);
	assert_int_equal(w->client.largest, 1472);
}

/* A peer that never acknowledges costs one ring of bytes and one of datagrams, whatever is sent. */
static void test_deaf_peer(void **state)
{
	struct world *w = *state;
	uint8_t bytes[1000] = {};
	struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct world_side *s = &w->server;
	size_t sent = 0, queued = 0;

	s->config.limits.stream_send = 10'000;
	s->config.limits.queue = 20'000;
	pair_open(*state);
	w->net.dead = true;
	for (int i = 0; i < 2000; i++) {
		sent += quic_stream_send(s->stream, bytes, sizeof(bytes)) == 0;
		queued += quic_datagram_queue(s->stream, &piece, 1, 0) == 0;
		world_run(w, 10 * MS);
	}
	assert_int_equal(sent, 10);
	assert_int_equal(quic_endpoint_status(s->endpoint).queued, 20'000);
	assert_int_equal(quic_endpoint_counters(s->endpoint)->datagrams_dropped, 2000 - queued);
	assert_true(queued < 100);
	assert_int_equal(quic_stream_send(s->stream, bytes, sizeof(bytes)), -EAGAIN);
	assert_true(world_until(w, world_closed, 100));
	assert_int_equal(quic_endpoint_status(s->endpoint).queued, 0);
}

/* All streams' rings together have a bound, too. */
static void test_queues_together(void **state)
{
	struct world *w = *state;
	uint8_t bytes[10] = {};
	struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};

	w->server.config.limits.queues = 1; /* less than one ring */
	pair_open(*state);
	assert_int_equal(quic_datagram_queue(w->server.stream, &piece, 1, 0), -EAGAIN);
	assert_int_equal(quic_endpoint_counters(w->server.endpoint)->datagrams_dropped, 1);
}

/* After the window was full the owner hears when it opens. */
static void test_window(void **state)
{
	struct world *w = pair_open(*state);
	uint8_t bytes[1000] = {};
	int r = 0, n = 0;

	for (; r == 0 && n < 10'000; n++)
		r = world_send(&w->client, bytes, sizeof(bytes));
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(w->client.room, 0);
	world_run(w, SECOND);
	assert_true(w->client.room > 0);
	assert_int_equal(w->server.datagrams, n - 1);
	assert_int_equal(world_send(&w->client, bytes, sizeof(bytes)), 0);
}

static bool both_ended(struct world *w)
{
	return w->client.ended && w->server.ended;
}

/* RFC 9220 s3: an orderly end is FIN on both sides. */
static void test_finish(void **state)
{
	struct world *w = pair_open(*state);

	quic_stream_finish(w->client.stream);
	world_run(w, SECOND);
	assert_int_equal(w->server.finished, 1);
	assert_int_equal(w->server.ended, 0);
	quic_stream_finish(w->server.stream);
	assert_true(world_until(w, both_ended, 5));
	assert_int_equal(w->client.end, QUIC_END_FINISHED);
	assert_int_equal(w->server.end, QUIC_END_FINISHED);
	assert_int_equal(w->client.closed, 0);
}

/* RFC 9220 s3: anything else is a reset, with a code. */
static void test_abort(void **state)
{
	struct world *w = pair_open(*state);

	quic_stream_abort(w->client.stream, QUIC_H3_REQUEST_CANCELLED);
	assert_true(world_until(w, both_ended, 5));
	assert_int_equal(w->client.end, QUIC_END_LOCAL);
	assert_int_equal(w->server.end, QUIC_END_PEER);
	assert_int_equal(w->server.end_code, QUIC_H3_REQUEST_CANCELLED);
}

/* The owner has let go of what it had there; what is acknowledged later is nothing for it. */
static void test_reset_while_full(void **state)
{
	struct world *w = *state;
	uint8_t bytes[1000] = {};
	int r = 0;

	w->server.config.limits.stream_send = 10'000;
	(void)pair_open(w);
	while (r == 0)
		r = quic_stream_send(w->server.stream, bytes, sizeof(bytes));
	assert_int_equal(r, -EAGAIN);
	quic_stream_abort(w->client.stream, QUIC_H3_REQUEST_CANCELLED);
	assert_true(world_until(w, both_ended, 5));
	world_run(w, SECOND);
	assert_int_equal(w->server.end, QUIC_END_PEER);
	assert_int_equal(w->server.writable, 0);
}

static void test_close(void **state)
{
	struct world *w = pair_open(*state);

	quic_connection_close(w->server.connection, QUIC_H3_NO_ERROR, "bye");
	assert_true(world_until(w, world_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_PEER);
	assert_true(w->client.why.application);
	assert_int_equal(w->client.why.code, QUIC_H3_NO_ERROR);
	assert_string_equal(w->client.reason, "bye");
	assert_int_equal(w->client.end, QUIC_END_CLOSED);
	assert_int_equal(w->server.why.cause, QUIC_CAUSE_LOCAL);
	world_run(w, 10 * SECOND);
	assert_int_equal(quic_endpoint_status(w->client.endpoint).connections, 0);
	assert_int_equal(quic_endpoint_status(w->server.endpoint).connections, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handshake),
		TEST(test_bytes),
		TEST(test_datagrams),
		TEST(test_datagram_size),
		TEST(test_deaf_peer),
		TEST(test_queues_together),
		TEST(test_window),
		TEST(test_finish),
		TEST(test_abort),
		TEST(test_reset_while_full),
		TEST(test_close),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
