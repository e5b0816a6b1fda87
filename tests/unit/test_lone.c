/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/lone.h"

/* Looks as udp and its loop do it, until nothing waits; how many they were. */
static unsigned take(struct lone *l, unsigned waiting)
{
	unsigned looks = 0;

	for (; waiting; looks++) {
		unsigned found = lone_expected(l) ? 1 : waiting;
		waiting -= found;
		lone_note(l, found == 1);
	}
	return looks;
}

static void test_rare(void **)
{
	struct lone l = {};
	unsigned enough = 0;

	for (unsigned i = 0; i < 100 * LONE_LOOKS; i++) {
		enough += lone_expected(&l);
		assert_int_equal(take(&l, 1), 1);
	}
	assert_int_equal(enough, 99 * (LONE_LOOKS - 1));
}

/* Whenever it begins, a crowd is noticed soon, and taken at once from then on. */
static void test_crowd(void **)
{
	for (unsigned before = 0; before < 5 * LONE_LOOKS; before++) {
		struct lone l = {};
		for (unsigned i = 0; i < before; i++)
			assert_int_equal(take(&l, 1), 1);
		assert_true(take(&l, 1000) <= LONE_LOOKS);
		assert_int_equal(take(&l, 1000), 1);
		for (unsigned i = 0; i < LONE_LOOKS; i++)
			assert_false(lone_expected(&l) || take(&l, 1) != 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rare),
		cmocka_unit_test(test_crowd),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
