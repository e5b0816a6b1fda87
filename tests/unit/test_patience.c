/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a path's size is believed: at once if it is enough, else after three seconds in which the
 * peer acknowledged something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip/patience.h"

constexpr uint64_t SECOND = 1'000'000'000;
constexpr uint64_t BEGIN = 1000 * SECOND;
constexpr uint64_t SETTLE = 3 * SECOND;
constexpr size_t FIRST = 1170;
constexpr size_t NARROW = 1250;
constexpr size_t WANTED = 1280;

static struct patience begun(void)
{
	struct patience p;

	patience_init(&p, WANTED, BEGIN);
	assert_false(patience_believes(&p));
	assert_int_equal(p.due_ns, BEGIN + SETTLE);
	assert_int_equal(patience_size(&p, FIRST, BEGIN), PATIENCE_UNSETTLED);
	return p;
}

static void test_enough(void **)
{
	struct patience p = begun();

	assert_int_equal(patience_size(&p, NARROW, BEGIN + 1), PATIENCE_UNSETTLED);
	assert_int_equal(patience_size(&p, WANTED, BEGIN + 2), PATIENCE_SETTLED);
	assert_true(patience_believes(&p));
	assert_int_equal(patience_expire(&p, 0, BEGIN + 2 * SETTLE), PATIENCE_NOTHING);
	patience_init(&p, WANTED, BEGIN);
	assert_int_equal(patience_size(&p, WANTED + 1, BEGIN), PATIENCE_SETTLED);
}

static void test_time_is_over(void **)
{
	struct patience p = begun();

	assert_int_equal(patience_expire(&p, 0, BEGIN + SETTLE - 1), PATIENCE_NOTHING);
	assert_false(patience_believes(&p));
	assert_int_equal(patience_expire(&p, 0, BEGIN + SETTLE), PATIENCE_SETTLED);
	assert_true(patience_believes(&p));
	assert_int_equal(p.size, FIRST);
	/* It grows all the same, however little. */
	assert_int_equal(patience_size(&p, NARROW, BEGIN + SETTLE), PATIENCE_SETTLED);
	assert_int_equal(p.size, NARROW);
}

/* Nobody knows what gets through where nothing comes back. */
static void test_unacknowledged(void **)
{
	struct patience p = begun();
	uint64_t now = BEGIN + SETTLE;

	for (int i = 0; i < 10; i++, now += SETTLE) {
		assert_int_equal(patience_expire(&p, SECOND, now), PATIENCE_NOTHING);
		assert_int_equal(p.due_ns, now + SETTLE);
	}
	assert_int_equal(patience_expire(&p, SECOND - 1, now), PATIENCE_SETTLED);
}

/* The session keeps to the size that it was told until the next one is believed. */
static void test_another_path(void **)
{
	struct patience p = begun();
	uint64_t now = BEGIN + 60 * SECOND;

	assert_int_equal(patience_size(&p, WANTED, BEGIN), PATIENCE_SETTLED);
	assert_int_equal(patience_size(&p, FIRST, now), PATIENCE_NOTHING);
	assert_false(patience_believes(&p));
	assert_int_equal(p.due_ns, now + SETTLE);
	/* And once more while that lasts: the time is the first one's. */
	assert_int_equal(patience_size(&p, NARROW, now + 1), PATIENCE_NOTHING);
	assert_int_equal(patience_size(&p, FIRST, now + SECOND), PATIENCE_NOTHING);
	assert_int_equal(p.due_ns, now + SETTLE);
	assert_int_equal(patience_expire(&p, 0, now + SETTLE), PATIENCE_SETTLED);
	assert_int_equal(patience_size(&p, WANTED, now + SETTLE), PATIENCE_SETTLED);
	/* Less than that, and still enough. */
	assert_int_equal(patience_size(&p, WANTED + 100, now + SETTLE), PATIENCE_SETTLED);
	assert_int_equal(patience_size(&p, WANTED, now + SETTLE), PATIENCE_SETTLED);
}

static void test_ends_soon(void **)
{
	struct patience p = begun();

	assert_false(patience_ends_soon(&p, BEGIN + SETTLE - SECOND - 1));
	assert_true(patience_ends_soon(&p, BEGIN + SETTLE - SECOND));
	assert_int_equal(patience_size(&p, WANTED, BEGIN), PATIENCE_SETTLED);
	assert_true(patience_ends_soon(&p, BEGIN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_time_is_over),
		cmocka_unit_test(test_unacknowledged),
		cmocka_unit_test(test_another_path),
		cmocka_unit_test(test_ends_soon),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
