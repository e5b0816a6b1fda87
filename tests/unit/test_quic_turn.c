/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a datagram costs: packets that only acknowledge, and memory.
 *
 * An acknowledgement goes along with what the other side has to say; alone it comes after a short
 * while, or when there are several. Once a connection has run for a while, packets allocate
 * nothing: malloc and its kin are wrapped by the linker, and OpenSSL is told to use the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <openssl/crypto.h>

#include "quic_world.h"

constexpr size_t LARGE = 1000; /* does not share its packet */

static unsigned int sent_by_server;
static uint64_t sent_at;

static void tap(struct world *w, const struct world_side *from, const struct quic_run *)
{
	sent_by_server += from == &w->server;
	sent_at = w->now;
}

static int setup(void **state)
{
	*state = world_new();
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static struct world *opened(void **state, uint64_t delay_ns)
{
	struct world *w = *state;

	w->net.delay_ns = delay_ns;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	return w;
}

/* Everything that belongs to the beginning of a connection is over: the path's size is known. */
static struct world *settled(void **state, uint64_t delay_ns)
{
	struct world *w = opened(state, delay_ns);

	world_run(w, 5 * SECOND);
	sent_by_server = 0;
	w->tap = tap;
	return w;
}

static void ask(struct world_side *s, size_t n)
{
	static const uint8_t bytes[LARGE];

	assert_int_equal(world_send(s, bytes, n), 0);
	world_run(s->world, s->world->net.delay_ns);
}

/* One packet there, one back, however often. */
static void test_together(void **state)
{
	struct world *w = settled(state, MS / 10);
	unsigned int from_client = w->client.sent;

	for (unsigned int i = 1; i <= 100; i++) {
		ask(&w->client, 60);
		assert_int_equal(w->server.datagrams, i);
		ask(&w->server, 300);
		assert_int_equal(w->client.datagrams, i);
	}
	assert_int_equal(w->client.sent - from_client, 100);
	assert_int_equal(sent_by_server, 100);
}

/* Once acknowledgements went alone, they do not so for ever. */
static void test_together_again(void **state)
{
	struct world *w = settled(state, MS / 10);
	unsigned int from_client;

	for (int i = 0; i < 8; i++)
		ask(&w->client, LARGE);
	assert_int_equal(sent_by_server, 1);
	from_client = w->client.sent;
	ask(&w->server, 300); /* right behind it */
	assert_int_equal(w->client.datagrams, 1);
	assert_int_equal(w->client.sent, from_client);
	ask(&w->client, 60);
	assert_int_equal(w->client.sent, from_client + 1);
}

/* RFC 9000 s13.2.1: no later than max_ack_delay, which is 25 ms unless another is told. */
static void test_alone(void **state)
{
	struct world *w = settled(state, MS / 10);
	uint64_t arrived;

	ask(&w->client, LARGE);
	arrived = w->now;
	assert_int_equal(sent_by_server, 0);
	world_run(w, SECOND);
	assert_int_equal(sent_by_server, 1);
	assert_in_range(sent_at - arrived, 1 * MS, 25 * MS);
	assert_int_equal(quic_connection_figures(w->client.connection).in_flight, 0);
}

static void test_several(void **state)
{
	struct world *w = settled(state, MS / 10);

	for (int i = 0; i < 7; i++)
		ask(&w->client, LARGE);
	assert_int_equal(sent_by_server, 0);
	ask(&w->client, LARGE);
	assert_int_equal(w->server.datagrams, 8);
	assert_int_equal(sent_by_server, 1);
	assert_int_equal(sent_at, w->now);
}

/* On a long path the library waits longer than that, with an eye on what is lost. */
static void test_far(void **state)
{
	struct world *w = settled(state, 100 * MS);
	uint64_t arrived;

	ask(&w->client, LARGE);
	arrived = w->now;
	world_run(w, SECOND);
	assert_in_range(sent_at - arrived, 15 * MS, 25 * MS);
}

/* The path's size: of the probes only a smaller one gets through. */

static bool sizes_known(struct world *w)
{
	size_t least = w->net.mtu - 80;

	return quic_datagram_max(w->client.stream) > least &&
	       quic_datagram_max(w->server.stream) > least;
}

static struct world *opened_narrow(void **state)
{
	struct world *w = *state;

	w->net.mtu = 1400;
	opened(state, MS / 10);
	assert_false(sizes_known(w));
	return w;
}

/* It is looked for even while there is no turn without datagrams. */
static void test_search(void **state)
{
	struct world *w = opened_narrow(state);
	uint64_t limit = w->now + 5 * SECOND;

	while (!sizes_known(w) && w->now < limit) {
		ask(&w->client, 60);
		ask(&w->server, 60);
	}
	assert_true(sizes_known(w));
}

static void carry(struct world_side *to, struct quic_batch *b)
{
	for (size_t i = 0; i < b->n_runs; i++)
		if (b->runs[i].segment <= to->world->net.mtu)
			quic_endpoint_receive(to->endpoint, &b->runs[i], to->world->now);
	quic_batch_reset(b);
}

static void pass(struct world_side *from, struct world_side *to, bool datagram)
{
	static const uint8_t bytes[60];
	struct iovec piece = {(void *)(uintptr_t)bytes, sizeof(bytes)};
	struct quic_run runs[64];
	struct world *w = from->world;
	struct quic_batch b;

	quic_batch_init(&b, w->buffer, sizeof(w->buffer), runs, 64);
	quic_endpoint_expire(from->endpoint, w->now);
	if (datagram)
		assert_int_equal(quic_datagram_send(from->stream, &piece, 1, 0, &b, w->now), 0);
	assert_false(quic_endpoint_write(from->endpoint, &b, w->now));
	w->now += MS / 10;
	carry(to, &b);
}

/* The answer to a probe may go along with a datagram. Who hears it knows at once, before anything
 * large is to be sent. */
static void test_news(void **state)
{
	struct world *w = opened_narrow(state);
	uint64_t limit = w->now + 5 * SECOND;

	while (!sizes_known(w) && w->now < limit) {
		pass(&w->client, &w->server, true);
		pass(&w->server, &w->client, false);
		assert_int_equal(w->server.datagram_max, quic_datagram_max(w->server.stream));
	}
	assert_true(sizes_known(w));
}

/* RFC 9484 s10.3: only what has the same DSCP shares a packet, however it was sent. */
static void test_dscp(void **state)
{
	static const uint8_t bytes[60], marks[] = {0, 0, 46, 46, 0, 8, 8, 8};
	struct world *w = settled(state, MS / 10);
	struct iovec piece = {(void *)(uintptr_t)bytes, sizeof(bytes)};
	unsigned int from_client = w->client.sent;
	struct quic_run runs[64];
	struct quic_batch b;
	size_t packets = 0;

	for (size_t i = 0; i < sizeof(marks); i++)
		assert_int_equal(quic_datagram_queue(w->client.stream, &piece, 1, marks[i]), 0);
	world_run(w, MS / 10);
	assert_int_equal(w->server.datagrams, sizeof(marks));
	assert_int_equal(w->client.sent - from_client, 4);

	quic_batch_init(&b, w->buffer, sizeof(w->buffer), runs, 64);
	for (size_t i = 0; i < sizeof(marks); i++)
		assert_int_equal(
			quic_datagram_send(w->client.stream, &piece, 1, marks[i], &b, w->now), 0);
	assert_false(quic_endpoint_write(w->client.endpoint, &b, w->now));
	for (size_t i = 0; i < b.n_runs; i++)
		packets += (b.runs[i].length + b.runs[i].segment - 1) / b.runs[i].segment;
	assert_int_equal(packets, 4);
	carry(&w->server, &b);
	assert_int_equal(w->server.datagrams, 2 * sizeof(marks));
}

/* A packet that cannot be written. */

static bool unwritable;

int __real_ngtcp2_crypto_encrypt_cb(uint8_t *to, const ngtcp2_crypto_aead *aead,
	const ngtcp2_crypto_aead_ctx *key, const uint8_t *bytes, size_t n, const uint8_t *nonce,
	size_t n_nonce, const uint8_t *head, size_t n_head);
int __wrap_ngtcp2_crypto_encrypt_cb(uint8_t *to, const ngtcp2_crypto_aead *aead,
	const ngtcp2_crypto_aead_ctx *key, const uint8_t *bytes, size_t n, const uint8_t *nonce,
	size_t n_nonce, const uint8_t *head, size_t n_head);

int __wrap_ngtcp2_crypto_encrypt_cb(uint8_t *to, const ngtcp2_crypto_aead *aead,
	const ngtcp2_crypto_aead_ctx *key, const uint8_t *bytes, size_t n, const uint8_t *nonce,
	size_t n_nonce, const uint8_t *head, size_t n_head)
{
	if (!unwritable)
		return __real_ngtcp2_crypto_encrypt_cb(
			to, aead, key, bytes, n, nonce, n_nonce, head, n_head);
	unwritable = false; /* that one only */
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

/* The open packet of a turn that only sent datagrams: the connection ends in that turn. */
static void test_unwritable(void **state)
{
	struct world *w = settled(state, MS / 10);

	ask(&w->client, 60);
	assert_int_equal(w->server.datagrams, 1);
	unwritable = true;
	ask(&w->client, 60);
	assert_false(unwritable);
	assert_int_equal(w->server.datagrams, 1);
	assert_int_equal(w->client.closed, 1);
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_LOCAL);
}

/* Memory. */

static unsigned int allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	allocations++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	allocations++;
	return __real_realloc(p, n);
}

static void *crypto_malloc(size_t n, const char *, int)
{
	return __wrap_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *, int)
{
	return __wrap_realloc(p, n);
}

static void crypto_free(void *p, const char *, int)
{
	free(p);
}

/* A full turn each way: many large datagrams there, small ones back. */
static void turn(struct world *w)
{
	static const uint8_t bytes[1300];
	struct iovec large = {(void *)(uintptr_t)bytes, sizeof(bytes)};
	struct iovec small = {(void *)(uintptr_t)bytes, 60};
	struct quic_run runs[64];
	struct quic_batch b;

	quic_batch_init(&b, w->buffer, sizeof(w->buffer), runs, 64);
	for (int i = 0; i < 40; i++)
		(void)!quic_datagram_send(w->client.stream, &large, 1, 0, &b, w->now);
	assert_false(quic_endpoint_write(w->client.endpoint, &b, w->now));
	carry(&w->server, &b);
	w->now += MS / 10;
	for (int i = 0; i < 4; i++)
		(void)!quic_datagram_send(w->server.stream, &small, 1, 0, &b, w->now);
	assert_false(quic_endpoint_write(w->server.endpoint, &b, w->now));
	carry(&w->client, &b);
	w->now += MS / 10;
}

static void test_memory(void **state)
{
	struct world *w = settled(state, MS / 10);
	unsigned int before;

	for (int i = 0; i < 500; i++)
		turn(w);
	before = allocations;
	for (int i = 0; i < 500; i++)
		turn(w);
	assert_true(before > 100); /* they are counted */
	assert_in_range(w->server.datagrams, 20'000, 40'000);
	assert_int_equal(allocations - before, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_together_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far, setup, teardown),
		cmocka_unit_test_setup_teardown(test_search, setup, teardown),
		cmocka_unit_test_setup_teardown(test_news, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dscp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwritable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
	};

	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
		return 1;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
