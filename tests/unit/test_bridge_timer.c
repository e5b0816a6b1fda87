/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/timer.h"
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct alarm {
	struct timer timer;
	struct timers *timers;
	unsigned rang;
	uint64_t rang_ms;
	uint64_t again_ms; /* 0 = once */
	struct alarm *unsets;
};

static void ring(struct timer *t)
{
	struct alarm *a = (struct alarm *)t;

	a->rang++;
	a->rang_ms = a->timers->now_ms;
	if (a->again_ms)
		timer_set(a->timers, t, a->again_ms);
	if (a->unsets)
		timer_unset(&a->unsets->timer);
}

static struct alarm alarm_of(struct timers *timers)
{
	return (struct alarm){.timer.expired = ring, .timers = timers};
}

/* Not before its time, and at most two ticks after it, however far away it is. */
static void test_when(void **)
{
	static const uint64_t delays[] = {
		0, 1, 31, 32, 33, 1000, 32'767, 32'768, 32'769, 60'000, 1'000'000, 86'400'000};
	static struct timers w;

	for (size_t i = 0; i < COUNT(delays); i++) {
		const uint64_t begin = 1'000'003;
		timers_init(&w, begin);
		struct alarm a = alarm_of(&w);
		timer_set(&w, &a.timer, delays[i]);
		for (uint64_t now = begin; !a.rang; now += timers_wait_ms(&w, 5000)) {
			assert_true(now <= begin + delays[i] + 5000);
			timers_run(&w, now);
		}
		assert_in_range(
			a.rang_ms, begin + delays[i], begin + delays[i] + 2 * TIMER_TICK_MS);
		assert_false(timer_is_set(&a.timer));
		assert_int_equal(timers_wait_ms(&w, 5000), 5000);
	}
}

/* Moved back again and again it never rings; moved forward it rings in time. */
static void test_moved(void **)
{
	static struct timers w;
	struct alarm a = alarm_of(&w);

	timers_init(&w, 0);
	for (uint64_t now = 0; now < 200'000; now += 17) {
		timers_run(&w, now);
		timer_set(&w, &a.timer, 1000);
	}
	assert_int_equal(a.rang, 0);
	timer_set(&w, &a.timer, 40'000);
	timer_set(&w, &a.timer, 100);
	timers_run(&w, 200'200);
	assert_int_equal(a.rang, 1);
}

/* What expires may set itself again, and unset what is due with it. */
static void test_from_within(void **)
{
	static struct timers w;
	struct alarm again = alarm_of(&w), killer = alarm_of(&w), victim = alarm_of(&w);

	timers_init(&w, 0);
	again.again_ms = 100;
	killer.unsets = &victim;
	timer_set(&w, &again.timer, 100);
	timer_set(&w, &killer.timer, 100);
	timer_set(&w, &victim.timer, 100);
	timers_run(&w, 10'000);
	assert_int_equal(again.rang, 1);
	assert_int_equal(killer.rang, 1);
	assert_int_equal(victim.rang, 0);
	assert_true(timer_is_set(&again.timer));
	timers_run(&w, 10'200);
	assert_int_equal(again.rang, 2);
	timer_unset(&again.timer);
	timer_unset(&again.timer);
}

/* Many, set, moved and unset at random, against what a list would do. */
static void test_many(void **)
{
	enum { N = 500 };
	static struct timers w;
	static struct alarm alarms[N];
	static uint64_t due[N];

	timers_init(&w, 77);
	for (unsigned i = 0; i < N; i++)
		alarms[i] = alarm_of(&w);
	srandom(1);
	for (uint64_t now = 77; now < 300'000; now += (uint64_t)random() % 90) {
		timers_run(&w, now);
		for (unsigned i = 0; i < N; i++) {
			assert_true(!due[i] || due[i] + 2 * TIMER_TICK_MS >= now || alarms[i].rang);
			assert_true(!alarms[i].rang || (due[i] && due[i] <= now));
			due[i] = alarms[i].rang ? 0 : due[i];
			alarms[i].rang = 0;
		}
		for (unsigned k = 0; k < 5; k++) {
			unsigned i = (unsigned)random() % N;
			uint64_t after = (uint64_t)random() % 50'000;
			due[i] = random() % 5 ? now + after : 0;
			if (due[i])
				timer_set(&w, &alarms[i].timer, after);
			else
				timer_unset(&alarms[i].timer);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_from_within),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
