/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a connector dials whom, told as stories in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "redial/redial.h"

constexpr uint64_t MS = 1'000;
constexpr uint64_t SECOND = 1'000'000;
constexpr uint64_t BEGIN = 7 * SECOND;
constexpr uint64_t SEED = 4711;

/* Dials, with time going on to when that is due. */
static void dials(struct redial *r, uint64_t *now, size_t at)
{
	assert_int_equal(r->state, REDIAL_PAUSE);
	assert_in_range(r->due_us, *now, *now + 8 * SECOND);
	if (r->due_us > *now) {
		assert_int_equal(redial_expire(r, r->due_us - 1), REDIAL_NOTHING);
		*now = r->due_us;
	}
	assert_int_equal(redial_expire(r, *now), REDIAL_DIAL);
	assert_int_equal(r->state, REDIAL_DIALING);
	assert_int_equal(r->at, at);
	assert_int_equal(r->due_us, UINT64_MAX);
}

static void opens(struct redial *r, uint64_t *now)
{
	*now += 20 * MS;
	redial_established(r, *now);
	*now += 10 * MS;
	assert_int_equal(redial_answered(r, *now), REDIAL_NOTHING);
	assert_int_equal(r->state, REDIAL_OPEN);
	assert_int_equal(r->due_us, UINT64_MAX);
}

static struct redial opened(uint64_t *now)
{
	struct redial r;

	*now = BEGIN;
	redial_init(&r, 3, SEED, *now);
	dials(&r, now, 0);
	assert_int_equal(*now, BEGIN);
	opens(&r, now);
	return r;
}

static void test_pauses_grow(void **)
{
	static const uint64_t pauses[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
	struct redial r;
	uint64_t now = BEGIN;

	redial_init(&r, 3, SEED, now);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		dials(&r, &now, i % 3);
		redial_next_closed(&r, REDIAL_END_OTHER, now);
		assert_in_range(r.due_us - now, pauses[i] * MS / 2, pauses[i] * MS * 3 / 2);
	}
}

static void test_seeds_differ(void **)
{
	struct redial a, b;

	redial_init(&a, 1, 1234, BEGIN);
	redial_init(&b, 1, 98765, BEGIN);
	redial_failed(&a, BEGIN);
	redial_failed(&b, BEGIN);
	assert_true(a.due_us != b.due_us);
}

static void test_unheard_is_asked_again(void **)
{
	struct redial r;
	uint64_t now = BEGIN;

	redial_init(&r, 2, SEED, now);
	for (size_t i = 0; i < 50; i++) {
		dials(&r, &now, i % 2);
		now += 5 * SECOND;
		redial_next_closed(&r, REDIAL_END_UNHEARD, now);
		assert_in_range(r.due_us - now, 50 * MS, 150 * MS);
	}
}

/* It cannot even begin: no socket of the edge's family. */
static void test_failed(void **)
{
	struct redial r;
	uint64_t now = BEGIN;

	redial_init(&r, 2, SEED, now);
	dials(&r, &now, 0);
	redial_failed(&r, now);
	dials(&r, &now, 1);
}

static void test_unanswered(void **)
{
	struct redial r;
	uint64_t now = BEGIN;

	redial_init(&r, 2, SEED, now);
	dials(&r, &now, 0);
	redial_established(&r, now);
	assert_int_equal(r.due_us, now + 5 * SECOND);
	now = r.due_us;
	assert_int_equal(redial_expire(&r, now), REDIAL_CLOSE_NEXT);
	dials(&r, &now, 1);
}

static void test_reset(void **)
{
	uint64_t now;
	struct redial r = opened(&now);

	now += 2 * SECOND;
	redial_open_closed(&r, REDIAL_END_RESET, now);
	assert_int_equal(r.due_us, now);
	dials(&r, &now, 0);
	opens(&r, &now);
	redial_open_closed(&r, REDIAL_END_RESET, now + 500 * MS);
	assert_true(r.due_us >= now + 550 * MS);
	dials(&r, &now, 1);
}

/* An edge that is killed again and again is there again within a second each time. */
static void test_resets(void **)
{
	uint64_t now;
	struct redial r = opened(&now);

	for (size_t i = 1; i <= 20; i++) {
		now += 300 * MS;
		redial_open_closed(&r, REDIAL_END_RESET, now);
		assert_in_range(r.due_us - now, 50 * MS, 600 * MS);
		dials(&r, &now, i % 3);
		opens(&r, &now);
	}
}

/* Who was well for long is dialled again; who was not, is not. */
static void test_lived(void **)
{
	static const struct {
		uint64_t lived;
		enum redial_end end;
		size_t at;
	} stories[] = {
		{5 * SECOND, REDIAL_END_OTHER, 1},
		{10 * SECOND, REDIAL_END_OTHER, 0},
		{10 * SECOND, REDIAL_END_UNHEARD, 1},
		{10 * SECOND, REDIAL_END_DEAF, 1},
	};

	for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
		uint64_t now;
		struct redial r = opened(&now);

		now += stories[i].lived;
		redial_open_closed(&r, stories[i].end, now);
		assert_false(r.open);
		dials(&r, &now, stories[i].at);
	}
}

/* It falls silent, and another one is dialled beside it. */
static struct redial silent(uint64_t *now)
{
	struct redial r = opened(now);

	assert_int_equal(redial_silent(&r, true, *now), REDIAL_NOTHING);
	assert_true(r.open);
	dials(&r, now, 0);
	return r;
}

static void test_silence(void **)
{
	uint64_t now;
	struct redial heard = silent(&now);
	struct redial better = silent(&now);
	struct redial lost = silent(&now);
	struct redial none = silent(&now);
	struct redial asked = silent(&now), refused = silent(&now);

	assert_int_equal(redial_silent(&heard, false, now), REDIAL_CLOSE_NEXT);
	assert_int_equal(heard.state, REDIAL_OPEN);
	assert_int_equal(heard.due_us, UINT64_MAX);

	/* The edge has given the old one up by then. */
	redial_established(&asked, now);
	assert_int_equal(redial_silent(&asked, false, now), REDIAL_NOTHING);
	assert_int_equal(asked.state, REDIAL_ASKED);
	assert_int_equal(redial_answered(&asked, now), REDIAL_CLOSE_OPEN);
	redial_established(&refused, now);
	assert_int_equal(redial_silent(&refused, false, now), REDIAL_NOTHING);
	redial_next_closed(&refused, REDIAL_END_OTHER, now);
	assert_int_equal(refused.state, REDIAL_OPEN);
	assert_int_equal(refused.due_us, UINT64_MAX);
	assert_int_equal(redial_silent(&refused, true, now), REDIAL_NOTHING);
	assert_int_equal(refused.due_us, now);

	redial_established(&better, now);
	assert_int_equal(redial_answered(&better, now), REDIAL_CLOSE_OPEN);
	assert_true(better.open);

	/* The attempt goes on when the silent one has gone. */
	redial_open_closed(&lost, REDIAL_END_UNHEARD, now);
	assert_int_equal(lost.state, REDIAL_DIALING);
	opens(&lost, &now);

	redial_next_closed(&none, REDIAL_END_UNHEARD, now);
	assert_true(none.open);
	dials(&none, &now, 1);
}

static void test_another_address(void **)
{
	constexpr enum redial_order both = REDIAL_CLOSE_OPEN | REDIAL_CLOSE_NEXT;
	uint64_t now;
	struct redial moves = opened(&now);
	struct redial waits = moves, stranded = moves, cannot = moves;

	assert_int_equal(redial_moving(&moves, true, now), REDIAL_CLOSE_NEXT);
	assert_int_equal(redial_moved(&moves), REDIAL_CLOSE_NEXT);
	assert_int_equal(moves.state, REDIAL_OPEN);

	assert_int_equal(redial_moving(&waits, true, now), REDIAL_CLOSE_NEXT);
	assert_int_equal(waits.due_us, now + SECOND);
	dials(&waits, &now, 0);
	assert_true(waits.open);
	redial_established(&waits, now);
	assert_int_equal(redial_moved(&waits), REDIAL_NOTHING);
	assert_int_equal(redial_answered(&waits, now), REDIAL_CLOSE_OPEN);

	assert_int_equal(redial_moving(&stranded, true, now), REDIAL_CLOSE_NEXT);
	assert_int_equal(redial_stranded(&stranded, now), both);
	assert_false(stranded.open);
	assert_int_equal(stranded.due_us, now);

	assert_int_equal(redial_moving(&cannot, false, now), both);
	assert_int_equal(cannot.due_us, now);
}

static void test_reload(void **)
{
	struct redial r;
	uint64_t now = BEGIN;

	redial_init(&r, 3, SEED, now);
	for (size_t i = 0; i < 5; i++) {
		dials(&r, &now, i % 3);
		redial_next_closed(&r, REDIAL_END_OTHER, now);
	}
	redial_reload(&r, now);
	assert_int_equal(r.due_us, now);
	dials(&r, &now, 2);
	redial_next_closed(&r, REDIAL_END_OTHER, now);
	assert_in_range(r.due_us - now, 50 * MS, 150 * MS);
	dials(&r, &now, 0);
	redial_reload(&r, now);
	assert_int_equal(r.state, REDIAL_DIALING);
}

static void test_packets_wait(void **)
{
	struct redial r;
	uint64_t now = BEGIN;

	redial_init(&r, 1, SEED, now);
	assert_false(redial_ready(&r, now + SECOND - 1));
	assert_true(redial_ready(&r, now + SECOND));
	dials(&r, &now, 0);
	assert_false(redial_ready(&r, now));
	opens(&r, &now);
	assert_true(redial_ready(&r, now));
	now += 30 * SECOND;
	redial_open_closed(&r, REDIAL_END_RESET, now);
	assert_false(redial_ready(&r, now));
	assert_true(redial_ready(&r, now + SECOND));
	/* A failed attempt does not make them wait longer. */
	dials(&r, &now, 0);
	redial_next_closed(&r, REDIAL_END_OTHER, now + SECOND);
	assert_true(redial_ready(&r, now + SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow),
		cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_unheard_is_asked_again),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_lived),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_another_address),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_packets_wait),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
