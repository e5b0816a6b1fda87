/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the quic room that know no library: runs of equal datagrams, token buckets.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic/batch.h"
#include "quic/budget.h"
#include "quic/cidmap.h"
#include "quic/handshake.h"
#include "quic/pmtu.h"
#include "quic/queue.h"
#include "quic/ring.h"
#include "quic/timers.h"
#include "quic/varint.h"

constexpr uint64_t SECOND = 1'000'000'000;

static union quic_address address(const char *text, in_port_t port)
{
	union quic_address a = {};

	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		return a;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons(port);
	return a;
}

static struct quic_path path_to(const char *remote)
{
	return (struct quic_path){
		.local = address("192.0.2.1", 443), .remote = address(remote, 4433)};
}

static void test_address(void **)
{
	union quic_address four = address("192.0.2.1", 443);
	union quic_address six = address("2001:db8::1", 443);
	char text[QUIC_ADDRESS_LENGTH];

	assert_string_equal(quic_address_str(&four, text), "192.0.2.1:443");
	assert_string_equal(quic_address_str(&six, text), "[2001:db8::1]:443");
	assert_true(quic_address_equal(&four, &four));
	assert_false(quic_address_equal(&four, &six));
	six.in6.sin6_scope_id = 2;
	assert_false(quic_address_equal(
		&six, &(union quic_address){.in6 = address("2001:db8::1", 443).in6}));
}

/* What is put in, and the runs that come out as "segment x length". */
static const struct {
	const char *name;
	struct {
		const char *remote;
		size_t n;
		uint8_t ecn;
	} in[6];
	struct {
		size_t segment, length;
	} runs[6];
} BATCHES[] = {
	{"equal ones are one run",
		{{"192.0.2.2", 1200, 0}, {"192.0.2.2", 1200, 0}, {"192.0.2.2", 1200, 0}},
		{{1200, 3600}}},
	{"a shorter one ends it",
		{{"192.0.2.2", 1200, 0}, {"192.0.2.2", 50, 0}, {"192.0.2.2", 50, 0}},
		{{1200, 1250}, {50, 50}}},
	{"a longer one begins another",
		{{"192.0.2.2", 50, 0}, {"192.0.2.2", 51, 0}, {"192.0.2.2", 51, 0}},
		{{50, 50}, {51, 102}}},
	{"another peer, another mark",
		{{"192.0.2.2", 50, 0}, {"192.0.2.3", 50, 0}, {"192.0.2.3", 50, 2}},
		{{50, 50}, {50, 50}, {50, 50}}},
};

static void test_runs(void **)
{
	static uint8_t buffer[8192];
	struct quic_run runs[8];
	struct quic_batch b;

	for (size_t i = 0; i < sizeof(BATCHES) / sizeof(*BATCHES); i++) {
		size_t offset = 0, n = 0;

		print_message("%s\n", BATCHES[i].name);
		quic_batch_init(&b, buffer, sizeof(buffer), runs, 8);
		for (size_t k = 0; k < 6 && BATCHES[i].in[k].n; k++) {
			struct quic_path path = path_to(BATCHES[i].in[k].remote);

			quic_batch_add(&b, &path, BATCHES[i].in[k].ecn, BATCHES[i].in[k].n);
		}
		for (; n < 6 && BATCHES[i].runs[n].segment; n++) {
			assert_in_range(n, 0, b.n_runs - 1);
			assert_int_equal(b.runs[n].segment, BATCHES[i].runs[n].segment);
			assert_int_equal(b.runs[n].length, BATCHES[i].runs[n].length);
			assert_ptr_equal(b.runs[n].bytes, buffer + offset);
			offset += b.runs[n].length;
		}
		assert_int_equal(b.n_runs, n);
		assert_int_equal(b.used, offset);
	}
}

static void test_run_bounds(void **)
{
	static uint8_t buffer[200'000];
	struct quic_path path = path_to("192.0.2.2");
	struct quic_run runs[4];
	struct quic_batch b;

	quic_batch_init(&b, buffer, sizeof(buffer), runs, 4);
	for (size_t i = 0; i < QUIC_RUN_SEGMENTS + 1; i++)
		quic_batch_add(&b, &path, 0, 100);
	assert_int_equal(b.n_runs, 2);
	assert_int_equal(b.runs[0].length, QUIC_RUN_SEGMENTS * 100);

	quic_batch_reset(&b);
	for (size_t i = 0; i < 47; i++)
		quic_batch_add(&b, &path, 0, 1400);
	assert_int_equal(b.n_runs, 2);
	assert_in_range(b.runs[0].length, QUIC_RUN_BYTES - 1400, QUIC_RUN_BYTES);

	quic_batch_init(&b, buffer, 1000, runs, 1);
	assert_true(quic_batch_fits(&b, 1000));
	quic_batch_add(&b, &path, 0, 400);
	assert_false(quic_batch_fits(&b, 10)); /* it may need a run of its own */
}

static void test_bucket(void **)
{
	struct quic_bucket b = {};
	uint64_t now = 5 * SECOND;

	for (int i = 0; i < 8; i++)
		assert_true(quic_bucket_take(&b, 4, 8, now));
	assert_false(quic_bucket_take(&b, 4, 8, now));
	assert_false(quic_bucket_take(&b, 4, 8, now + SECOND / 4 - 1));
	assert_true(quic_bucket_take(&b, 4, 8, now + SECOND / 4));
	assert_false(quic_bucket_take(&b, 4, 8, now)); /* an earlier time gives nothing */

	now += 1000 * SECOND;
	for (int i = 0; i < 8; i++)
		assert_true(quic_bucket_take(&b, 4, 8, now));
	assert_false(quic_bucket_take(&b, 4, 8, now));
}

/* The second takes from the same bucket as the first, or not. */
static const struct {
	const char *first, *second;
	bool same;
} PREFIXES[] = {
	{"192.0.2.1", "192.0.2.254", true},
	{"192.0.2.1", "192.0.3.1", false},
	{"2001:db8:0:100::1", "2001:db8:0:1ff::1", true},
	{"2001:db8:0:100::1", "2001:db8:0:200::1", false},
	{"0.0.0.1", "::1", false},
};

static void test_budget_prefix(void **)
{
	for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(*PREFIXES); i++) {
		struct quic_budget *b = quic_budget_new(1, 1, 42);
		union quic_address first = address(PREFIXES[i].first, 1);
		union quic_address second = address(PREFIXES[i].second, 2);

		print_message("%s %s\n", PREFIXES[i].first, PREFIXES[i].second);
		assert_true(quic_budget_take(b, &first, SECOND));
		assert_false(quic_budget_take(b, &first, SECOND));
		assert_int_equal(quic_budget_take(b, &second, SECOND), !PREFIXES[i].same);
		assert_true(quic_budget_take(b, &first, 2 * SECOND));
		quic_budget_free(b);
	}
}

/* A million prefixes pass; one that is in use all the time is held to its rate nevertheless. */
static void test_budget_crowd(void **)
{
	struct quic_budget *b = quic_budget_new(10, 10, 7);
	union quic_address regular = address("198.51.100.1", 1);
	unsigned int taken = 0;

	for (uint32_t i = 0; i < 1'000'000; i++) {
		union quic_address passing = address("10.0.0.0", 1);
		uint64_t now = SECOND + i * (SECOND / 100'000);

		passing.in.sin_addr.s_addr = htonl(i << 8);
		(void)quic_budget_take(b, &passing, now);
		if (i % 1000 == 0)
			taken += quic_budget_take(b, &regular, now);
	}
	assert_in_range(taken, 100, 115); /* 10 s at 10 a second, and the burst */
	quic_budget_free(b);
}

static void test_cidmap(void **)
{
	struct quic_cidmap *m = quic_cidmap_new((const uint64_t[2]){1, 2});
	struct quic_connection *a = (struct quic_connection *)(uintptr_t)16;
	struct quic_connection *b = (struct quic_connection *)(uintptr_t)32;
	struct quic_cid_list of_a = {}, of_b = {};
	uint8_t id[QUIC_CID_MAX] = {};

	for (uint16_t i = 0; i < 10'000; i++) {
		memcpy(id, &i, sizeof(i));
		assert_true(i % 2 ? quic_cidmap_add(m, &of_a, a, id, sizeof(id))
				  : quic_cidmap_add(m, &of_b, b, id, 8));
	}
	assert_ptr_equal(quic_cidmap_find(m, id, sizeof(id)), a);
	assert_null(quic_cidmap_find(m, id, 8)); /* the length belongs to it */
	assert_false(quic_cidmap_add(m, &of_b, b, id, sizeof(id)));
	quic_cidmap_remove(m, &of_b, id, sizeof(id)); /* of another */
	assert_ptr_equal(quic_cidmap_find(m, id, sizeof(id)), a);
	quic_cidmap_remove(m, &of_a, id, sizeof(id));
	assert_null(quic_cidmap_find(m, id, sizeof(id)));
	quic_cidmap_clear(m, &of_a);
	memset(id, 0, sizeof(id));
	assert_ptr_equal(quic_cidmap_find(m, id, 8), b);
	quic_cidmap_clear(m, &of_b);
	assert_null(quic_cidmap_find(m, id, 8));
	quic_cidmap_free(m);
}

static void test_timers(void **)
{
	struct quic_timers t = {};
	struct quic_timer timers[100] = {};
	uint64_t before = 0;
	size_t n = 0;

	for (uint64_t i = 0; i < 100; i++)
		quic_timers_set(&t, &timers[i], i * 37 % 101);
	for (size_t i = 0; i < 100; i += 3)
		quic_timers_set(&t, &timers[i], UINT64_MAX);
	for (uint64_t i = 1; i < 100; i += 3)
		quic_timers_set(&t, &timers[i], i * 53 % 101);
	for (struct quic_timer *first; (first = quic_timers_first(&t)); n++) {
		assert_true(first->at_ns >= before);
		before = first->at_ns;
		quic_timers_set(&t, first, UINT64_MAX);
		assert_int_equal(first->place, 0);
	}
	assert_int_equal(n, 66);
	quic_timers_clear(&t);
}

static void test_ring(void **)
{
	struct quic_ring r;
	struct iovec pieces[2];
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	quic_ring_init(&r, 100);
	assert_int_equal(quic_ring_take(&r, pieces), 0);
	quic_ring_write(&r, bytes, 70);
	assert_int_equal(quic_ring_take(&r, pieces), 1);
	assert_int_equal(pieces[0].iov_len, 70);
	assert_int_equal(quic_ring_take(&r, pieces), 0);
	assert_int_equal(quic_ring_room(&r), 30); /* taken is not acknowledged */
	quic_ring_acknowledge(&r, 50);
	quic_ring_write(&r, bytes, 80);
	assert_int_equal(quic_ring_room(&r), 0);
	assert_int_equal(quic_ring_take(&r, pieces), 2);
	assert_int_equal(pieces[0].iov_len, 30);
	assert_memory_equal(pieces[0].iov_base, bytes, 30);
	assert_int_equal(pieces[1].iov_len, 50);
	assert_memory_equal(pieces[1].iov_base, bytes + 30, 50);
	quic_ring_clear(&r);
}

/* Any mix of sizes, filled and emptied in waves: in order, whole, never more than fits. */
static void test_queue(void **)
{
	struct quic_queue q = {};
	uint32_t in = 0, out = 0;
	uint8_t bytes[300];

	quic_queue_allocate(&q, 1000);
	for (uint32_t wave = 0; wave < 2000; wave++) {
		for (uint32_t i = 0; i < wave % 7; i++) {
			struct iovec pieces[2] = {{bytes, 4}, {bytes + 4, in * 131 % 290}};

			memset(bytes, (uint8_t)in, sizeof(bytes));
			memcpy(bytes, &in, sizeof(in));
			in += quic_queue_push(&q, pieces, 2, in % 64);
		}
		for (uint32_t i = 0; i < wave % 5 && q.n; i++, out++) {
			size_t n;
			uint8_t dscp;
			const uint8_t *first = quic_queue_first(&q, &n, &dscp);

			assert_memory_equal(first, &out, sizeof(out));
			assert_int_equal(n, 4 + out * 131 % 290);
			assert_int_equal(dscp, out % 64);
			for (size_t k = 4; k < n; k++)
				assert_int_equal(first[k], (uint8_t)out);
			quic_queue_pop(&q);
		}
	}
	assert_true(out > 3000);
	assert_int_equal(in - out, q.n);
	while (q.n)
		quic_queue_pop(&q);
	assert_null(quic_queue_first(&q, &(size_t){0}, &(uint8_t){0}));
	quic_queue_clear(&q);
}

static void test_varint(void **)
{
	static const struct {
		uint64_t value;
		size_t size;
	} cases[] = {{0, 1}, {63, 1}, {64, 2}, {16'383, 2}, {16'384, 4}, {0x3fffffff, 4},
		{0x40000000, 8}, {0x3fffffffffffffff, 8}};
	uint8_t bytes[QUIC_VARINT_MAX];
	uint64_t back;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(quic_varint_write(bytes, cases[i].value), cases[i].size);
		assert_int_equal(quic_varint_read(bytes, 8, &back), cases[i].size);
		assert_int_equal(back, cases[i].value);
		assert_int_equal(quic_varint_read(bytes, cases[i].size - 1, &back), 0);
	}
}

/* A letter a datagram: s, l = small, large acknowledged; S, L = … lost; . = the losses are known,
 * what is sent from now on is later. And the limit at the end. */
static const struct {
	const char *name, *fates;
	bool limited;
} PATHS[] = {
	{"loss among successes", "LLlLLlLLlLLlLLlLLl", false},
	{"one long burst", "LLLLLLLLLLLLLLLL", false},
	{"three rounds, large ones only", "LL.LL.LL.", true},
	{"small ones arrive meanwhile", "LLs.sLL.sLL", true},
	{"a large one arrives meanwhile", "LL.LL.l.LL.LL", false},
	{"small ones are lost", "SSS.SSS.SSS.SSS", false},
};

static bool play(struct quic_pmtu *p, const char *fates)
{
	uint64_t mark[2] = {quic_pmtu_mark(p, 300, false), quic_pmtu_mark(p, 1400, false)};

	for (; *fates; fates++) {
		bool large = *fates == 'l' || *fates == 'L';

		if (*fates == '.')
			mark[1] = quic_pmtu_mark(p, 1400, false);
		else if (*fates == 's' || *fates == 'l')
			assert_false(quic_pmtu_acknowledged(p, mark[large], 1472));
		else if (quic_pmtu_lost(p, mark[large], 0))
			return true;
	}
	return false;
}

static void test_black_hole(void **)
{
	for (size_t i = 0; i < sizeof(PATHS) / sizeof(*PATHS); i++) {
		struct quic_pmtu p = {};

		print_message("%s\n", PATHS[i].name);
		quic_pmtu_reset(&p);
		assert_int_equal(play(&p, PATHS[i].fates), PATHS[i].limited);
		assert_int_equal(p.limit, PATHS[i].limited ? 1200 : SIZE_MAX);
	}
}

/* Steps up to what passes; the one that fails is tried again a minute later. */
static void test_search(void **)
{
	struct quic_pmtu p = {};
	uint64_t now = SECOND;

	quic_pmtu_reset(&p);
	assert_int_equal(quic_pmtu_wants(&p, 1472, now), 0);
	assert_true(play(&p, "LL.LL.LL."));
	for (size_t size; (size = quic_pmtu_wants(&p, 1472, now));) {
		uint64_t mark = quic_pmtu_mark(&p, size, true);

		p.probe = size;
		assert_int_equal(quic_pmtu_wants(&p, 1472, now), 0); /* one at a time */
		if (size <= 1380)
			assert_true(quic_pmtu_acknowledged(&p, mark, 1472));
		else
			assert_false(quic_pmtu_lost(&p, mark, now));
	}
	assert_int_equal(p.limit, 1380);
	assert_int_equal(quic_pmtu_wants(&p, 1472, now + 59 * SECOND), 0);
	assert_int_equal(quic_pmtu_wants(&p, 1472, now + 60 * SECOND), 1406);
	for (size_t size; (size = quic_pmtu_wants(&p, 1472, now + 61 * SECOND));) {
		p.probe = size;
		assert_true(quic_pmtu_acknowledged(&p, quic_pmtu_mark(&p, size, true), 1472));
	}
	assert_int_equal(p.limit, SIZE_MAX);
}

/* Two messages in pieces of every size, and a third that says it is too long. */
static void test_handshake(void **)
{
	static const uint8_t small[] = {1, 0, 0, 5, 9, 9, 9, 9, 9, 20, 0, 0, 0};
	static const uint8_t least[] = {11, 0, 0x80, 0x01}; /* a byte too many */

	for (size_t piece = 1; piece <= sizeof(small); piece++) {
		struct quic_handshake h = {};

		for (size_t at = 0; at < sizeof(small); at += piece) {
			size_t left = sizeof(small) - at;

			assert_true(
				quic_handshake_fits(&h, small + at, left < piece ? left : piece));
		}
		assert_true(quic_handshake_fits(&h, least, 3));
		assert_false(quic_handshake_fits(&h, least + 3, 1));
	}
	assert_true(quic_handshake_fits(&(struct quic_handshake){}, (uint8_t[4]){11, 0, 0x80}, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_run_bounds),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_budget_prefix),
		cmocka_unit_test(test_budget_crowd),
		cmocka_unit_test(test_cidmap),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_handshake),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
