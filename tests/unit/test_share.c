/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of two peers one is flooded. A model of a turn stands around the rules: the kernel's queue drops
 * what it has no room for, to read a packet takes a microsecond, to send one takes seven, and a
 * peer's own queue is bounded. Packets come by the clock, whether they are taken or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "share.h"
#include <string.h>

constexpr unsigned KERNEL_QUEUE = 500;
constexpr unsigned OWN_QUEUE = 100;
constexpr uint64_t READ_US = 1;
constexpr uint64_t SEND_US = 7;
constexpr uint64_t RUN_US = 1'000'000;
constexpr uint64_t NS_PER_US = 1000;
constexpr size_t BYTES = 1200;

enum { QUIET, FLOODED, PEERS };

struct peer {
	struct share_part part;
	uint64_t every_us; /* a packet comes; 0 = none */
	uint64_t next_us;
	unsigned queued, came, sent;
};

struct model {
	struct share share;
	struct peer peers[PEERS];
	uint64_t now_us;
	unsigned ring[KERNEL_QUEUE], head, n;
	unsigned longest; /* turn, in packets that were sent */
};

static void come(struct model *m, unsigned who)
{
	m->peers[who].came++;
	if (m->n < KERNEL_QUEUE)
		m->ring[(m->head + m->n++) % KERNEL_QUEUE] = who;
}

static void pass_time(struct model *m, uint64_t us)
{
	for (m->now_us += us;;) {
		struct peer *first = nullptr;
		for (unsigned i = 0; i < PEERS; i++) {
			struct peer *p = &m->peers[i];
			if (p->every_us && (!first || p->next_us < first->next_us))
				first = p;
		}
		if (!first || first->next_us > m->now_us)
			return;
		first->next_us += first->every_us;
		come(m, (unsigned)(first - m->peers));
	}
}

static void send_one(struct model *m, struct peer *p)
{
	pass_time(m, SEND_US);
	p->sent++;
}

static void take(struct model *m, bool shares)
{
	struct peer *p = &m->peers[m->ring[m->head]];

	m->head = (m->head + 1) % KERNEL_QUEUE;
	m->n--;
	share_read(&m->share, BYTES);
	pass_time(m, READ_US);
	bool over = share_is_over(&m->share, &p->part, m->now_us * NS_PER_US);
	if (!shares || (!over && !p->queued))
		send_one(m, p);
	else if (p->queued < OWN_QUEUE)
		p->queued++;
}

static void turn(struct model *m, bool shares)
{
	unsigned before = m->peers[QUIET].sent + m->peers[FLOODED].sent;

	share_begin(&m->share);
	while (m->n && share_may_read(&m->share, m->now_us * NS_PER_US))
		take(m, shares);
	for (unsigned i = 0; i < PEERS; i++)
		for (struct peer *p = &m->peers[i]; p->queued; p->queued--)
			send_one(m, p);
	unsigned sent = m->peers[QUIET].sent + m->peers[FLOODED].sent - before;
	m->longest = sent > m->longest ? sent : m->longest;
}

static struct model run(uint64_t quiet_us, uint64_t flooded_us, bool shares)
{
	struct model m = {};

	m.peers[QUIET].every_us = quiet_us;
	m.peers[FLOODED].every_us = flooded_us;
	while (m.now_us < RUN_US) {
		pass_time(&m, 1);
		turn(&m, shares);
	}
	return m;
}

static unsigned percent(unsigned part, unsigned whole)
{
	return part * 100 / whole;
}

/* One is sent up to four times what all of it could be; the other keeps most of what it has alone.
 */
static void test_flood(void **)
{
	for (uint64_t us = 2; us <= 8; us++) {
		struct model alone = run(40, 0, true), both = run(40, us, true);

		assert_true(percent(alone.peers[QUIET].sent, alone.peers[QUIET].came) >= 99);
		assert_true(percent(both.peers[QUIET].sent, alone.peers[QUIET].sent) >= 60);
		/* What is left goes to the flood, and a turn stays short. */
		assert_true(both.peers[FLOODED].sent > 70'000);
		assert_true(both.longest <= 2 * (SHARE_OF_PEER + OWN_QUEUE));
	}
}

/* As it would be without: so that one sees that the model tells the difference. */
static void test_without(void **)
{
	for (uint64_t us = 2; us <= 3; us++) {
		struct model alone = run(40, 0, false), both = run(40, us, false);

		assert_true(percent(both.peers[QUIET].sent, alone.peers[QUIET].sent) < 40);
	}
}

/* Both want more than there is: nobody has less than 40 % of what it has alone. */
static void test_both(void **)
{
	for (uint64_t us = 2; us <= 10; us += 2) {
		struct model alone = run(10, 0, true), both = run(10, us, true);

		assert_true(percent(both.peers[QUIET].sent, alone.peers[QUIET].sent) >= 40);
	}
}

/* One alone is not held back, and does not have its packets dropped: they wait in the kernel. */
static void test_alone(void **)
{
	struct share s = {};
	struct share_part p = {};
	unsigned n = 0;

	for (unsigned i = 0; i < 3; i++)
		for (share_begin(&s), n = 0; share_may_read(&s, 5); n++) {
			share_read(&s, BYTES);
			assert_false(share_is_over(&s, &p, 5));
		}
	assert_int_equal(n, SHARE_READS);
	share_begin(&s);
	for (n = 0; share_may_read(&s, 5); n++)
		share_read(&s, 65'536);
	assert_int_equal(n, SHARE_BYTES / 65'536);
}

/* A second after the other was there for the last time. */
static void test_over(void **)
{
	constexpr uint64_t second = 1'000'000'000;
	struct share s = {};
	struct share_part a = {}, b = {};

	share_begin(&s);
	assert_false(share_is_over(&s, &a, 7));
	assert_false(share_is_over(&s, &b, 7));
	for (unsigned i = 1; i < SHARE_OF_PEER; i++)
		assert_false(share_is_over(&s, &b, 7));
	assert_true(share_is_over(&s, &b, 6 + second));
	assert_false(share_is_over(&s, &b, 7 + second));
	share_begin(&s);
	assert_false(share_is_over(&s, &b, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
