/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pace.h"

/* What costs more comes less often, at most a twentieth of the time, and it comes. */
static void test_pace(void **)
{
	uint64_t before = 0;

	assert_int_equal(pace_us(0), PACE_LEAST_US);
	assert_int_equal(pace_us(UINT64_MAX), PACE_MOST_US);
	for (uint64_t cost = 1; cost < 10'000'000; cost = cost * 5 / 4 + 1) {
		uint64_t us = pace_us(cost);
		assert_in_range(us, PACE_LEAST_US, PACE_MOST_US);
		assert_true(us >= before);
		assert_true(us == PACE_MOST_US || us + cost >= 20 * cost);
		before = us;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pace),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
