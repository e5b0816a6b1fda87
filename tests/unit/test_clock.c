/* SPDX-License-Identifier: Apache-2.0 */
/* A machine that slept: the clocks are numbers here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/clock.h"

constexpr uint64_t SECOND = 1'000'000;

static void test_slept(void **)
{
	static const struct {
		uint64_t awake, asleep; /* since the last question */
		bool slept;
	} steps[] = {
		{1, 0, false},
		{1, 30, true},
		{1, 0, false}, /* told once */
		{3600, 0, false},
		{1, 1, false}, /* clocks are read one after the other */
		{1, 2, true},
		{0, 86'400, true},
	};
	uint64_t monotonic = 5 * SECOND, boottime = 900 * SECOND, asleep = boottime - monotonic;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		monotonic += steps[i].awake * SECOND;
		boottime += (steps[i].awake + steps[i].asleep) * SECOND;
		assert_int_equal(
			clock_has_slept(&asleep, monotonic, boottime, SECOND), steps[i].slept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_slept)};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
