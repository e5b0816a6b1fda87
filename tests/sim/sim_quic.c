/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two endpoints of the quic room over bad networks: loss, reordering, duplication, a path that
 * carries less all of a sudden. Both sides send bytes on the stream and datagrams of all sizes all
 * the time. Whatever the network does: bytes arrive whole and in order, a datagram arrives as it
 * was sent, once or never, and both sides end in order.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "quic_world.h"

constexpr size_t STREAM_BYTES = 200'000;
constexpr uint32_t MAX_DATAGRAMS = 20'000;

static const struct scenario {
	const char *name;
	struct world_net net;
	/* From this time on packets above that size vanish; 0 = never. */
	uint64_t drop_at_ns;
	size_t drop_to;
	/* What arrives at least, of the datagrams that were sent, in per cent. */
	unsigned int arrives;
} SCENARIOS[] = {
	{"clean", {.delay_ns = 10 * MS, .mtu = 1472}, 0, 0, 99},
	{"loss of 1 %", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 10}, 0, 0, 95},
	{"loss of 5 %", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 50}, 0, 0, 88},
	{"loss of 20 %", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 200}, 0, 0, 60},
	{"reordering", {.delay_ns = 5 * MS, .jitter_ns = 20 * MS, .mtu = 1472}, 0, 0, 90},
	{"duplication", {.delay_ns = 10 * MS, .mtu = 1472, .duplicate = 300}, 0, 0, 99},
	{"long and bad",
		{.delay_ns = 150 * MS,
			.jitter_ns = 50 * MS,
			.mtu = 1452,
			.loss = 30,
			.duplicate = 50},
		0, 0, 80},
	{"narrow from the start", {.delay_ns = 10 * MS, .mtu = 1272}, 0, 0, 99},
	{"narrower after 3 s", {.delay_ns = 10 * MS, .mtu = 1472}, 3 * SECOND, 1272, 70},
	{"narrower, and loss", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 20}, 3 * SECOND, 1272,
		60},
};

/* What one side sends; the other's counterpart checks it. */
struct flow {
	size_t sent_bytes;
	uint32_t sent;
	uint32_t arrived;
	uint8_t seen[MAX_DATAGRAMS];
};

static struct flow flows[2]; /* from client, from server */

/* Number, length, and bytes that both determine. */
static size_t make(uint8_t *bytes, uint32_t number, size_t n)
{
	memcpy(bytes, &number, sizeof(number));
	for (size_t i = sizeof(number); i < n; i++)
		bytes[i] = (uint8_t)(number * 31 + n + i);
	return n;
}

static void check(struct world_side *s, const uint8_t *bytes, size_t n)
{
	struct flow *f = &flows[s == &s->world->client];
	uint8_t expected[2048];
	uint32_t number;

	assert_in_range(n, sizeof(number), sizeof(expected));
	memcpy(&number, bytes, sizeof(number));
	assert_in_range(number, 0, f->sent - 1);
	make(expected, number, n);
	assert_memory_equal(bytes, expected, n);
	assert_int_equal(f->seen[number], 0);
	f->seen[number] = 1;
	f->arrived++;
}

static void send_bytes(struct world_side *s, struct flow *f)
{
	uint8_t piece[700];
	size_t n = sizeof(piece);

	if (f->sent_bytes == STREAM_BYTES)
		return;
	if (n > STREAM_BYTES - f->sent_bytes)
		n = STREAM_BYTES - f->sent_bytes;
	for (size_t i = 0; i < n; i++)
		piece[i] = (uint8_t)((f->sent_bytes + i) % 253);
	if (quic_stream_send(s->stream, piece, n) == 0)
		f->sent_bytes += n;
}

/* Alternately straight and by way of the queue. Nothing of what is refused may arrive. */
static void send_datagram(struct world_side *s, struct flow *f)
{
	size_t max = quic_datagram_max(s->stream);
	size_t n = 4 + world_random(s->world) % (world_random(s->world) % 2 ? 100 : 1500);
	uint8_t bytes[2048];
	struct iovec piece = {.iov_base = bytes};
	int r;

	if (f->sent == MAX_DATAGRAMS)
		return;
	piece.iov_len = make(bytes, f->sent, n < max ? n : max);
	r = f->sent % 2 ? world_send(s, bytes, piece.iov_len)
			: quic_datagram_queue(s->stream, &piece, 1, 0);
	assert_true(r == 0 || r == -EAGAIN);
	f->sent += r == 0;
}

static bool bytes_arrived(struct world *w)
{
	return w->client.n_bytes == STREAM_BYTES && w->server.n_bytes == STREAM_BYTES;
}

static void check_bytes(const struct world_side *s)
{
	assert_int_equal(s->n_bytes, STREAM_BYTES);
	for (size_t i = 0; i < STREAM_BYTES; i++)
		assert_int_equal(s->bytes[i], i % 253);
}

static bool knows_size(const struct world_side *s)
{
	size_t max = quic_datagram_max(s->stream), mtu = s->world->net.mtu;

	return max >= mtu - 80 && max <= mtu;
}

/* The path's, and after it has changed once more. */
static bool size_found(struct world *w)
{
	return knows_size(&w->client) && knows_size(&w->server);
}

static bool both_ended(struct world *w)
{
	return w->client.ended && w->server.ended;
}

static void traffic(struct world *w, const struct scenario *sc)
{
	uint64_t begin = w->now;

	for (int i = 0; i < 5000; i++) {
		if (sc->drop_at_ns && w->now - begin >= sc->drop_at_ns)
			w->net.mtu = sc->drop_to;
		assert_int_equal(w->client.closed + w->server.closed, 0);
		send_bytes(&w->client, &flows[0]);
		send_bytes(&w->server, &flows[1]);
		send_datagram(&w->client, &flows[0]);
		send_datagram(&w->server, &flows[1]);
		world_run(w, 2 * MS);
	}
}

static void run(const struct scenario *sc, uint64_t seed)
{
	struct world *w = world_new();

	print_message("%s, seed %u\n", sc->name, (unsigned int)seed);
	memset(flows, 0, sizeof(flows));
	w->net = sc->net;
	w->net.seed = seed;
	w->client.on_datagram = w->server.on_datagram = check;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 30));
	traffic(w, sc);
	assert_true(world_until(w, bytes_arrived, 120));
	world_run(
		w, 5 * SECOND); /* datagrams waited for the stream's bytes, and are on their way */
	check_bytes(&w->client);
	check_bytes(&w->server);
	for (int i = 0; i < 2; i++) {
		print_message("  %u of %u datagrams\n", flows[i].arrived, flows[i].sent);
		assert_true(flows[i].arrived * 100 >= flows[i].sent * sc->arrives);
	}
	/* It has no time for that while the stream's bytes fill a small window. */
	assert_true(world_until(w, size_found, 30));
	quic_stream_finish(w->client.stream);
	quic_stream_finish(w->server.stream);
	assert_true(world_until(w, both_ended, 120));
	assert_int_equal(w->client.end, QUIC_END_FINISHED);
	assert_int_equal(w->server.end, QUIC_END_FINISHED);
	world_free(w);
}

/*
 * UDP is blocked for a while, and the client does what a connector does: when the server is silent
 * it dials beside, and again when that comes to nothing. However long it was, and whatever the
 * traffic was, a new tunnel, or the old one, is there soon after.
 */
static struct world_side *dialler;
static bool silent;

static void on_silent(void *user, struct quic_connection *c, bool now)
{
	if (user == dialler && c == dialler->connection)
		silent = now;
}

static void on_silent_beside(struct world *w, struct quic_stream **beside, unsigned int *closed)
{
	struct quic_connection *old = w->client.connection;
	struct quic_stream *stream = w->client.stream;

	if (*beside && w->client.closed == *closed)
		return;
	*closed = w->client.closed;
	world_dial(w);
	*beside = w->client.stream;
	w->client.stream = stream;
	w->client.connection = old;
}

static void outage(uint64_t seconds, unsigned int busy_ms)
{
	struct world *w = world_new();
	struct quic_stream *beside = nullptr;
	unsigned int closed = 0;
	uint8_t bytes[1000] = {};
	uint64_t begin, blocked = seconds * SECOND;

	w->client.config.handshake_ns = 5 * SECOND;
	w->client.config.idle_ns = w->server.config.idle_ns = 10 * 60 * SECOND;
	dialler = &w->client;
	silent = false;
	w->client.on_silent = on_silent;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	world_run(w, 3 * SECOND);
	begin = w->now;
	w->net.dead = true;
	w->client.responses = 0;
	while (!w->client.responses && (silent || w->now - begin <= blocked)) {
		w->net.dead = w->now - begin < blocked;
		if (w->client.stream && w->now - begin < blocked)
			(void)world_send(&w->client, bytes, sizeof(bytes));
		if (silent)
			on_silent_beside(w, &beside, &closed);
		assert_in_range(w->now - begin, 0, blocked + 3 * SECOND);
		world_run(w, busy_ms * MS);
	}
	print_message("  blocked %u s: back %u ms after\n", (unsigned int)seconds,
		(unsigned int)((w->now - begin - blocked) / MS));
	world_free(w);
}

static void test_outages(void **)
{
	for (uint64_t seconds = 2; seconds <= 47; seconds += 5)
		outage(seconds, seconds % 2 ? 10 : 200);
}

static void test_scenarios(void **)
{
	for (size_t i = 0; i < sizeof(SCENARIOS) / sizeof(*SCENARIOS); i++)
		run(&SCENARIOS[i], i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios), cmocka_unit_test(test_outages)};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
