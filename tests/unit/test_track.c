/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/track.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

constexpr uint64_t SECOND = 1'000'000;

static void test_names(void **)
{
	struct tracks all = {};

	assert_null(track_find(&all, "route 100.64.0.0/12"));
	for (unsigned i = 0; i < 100; i++) {
		char name[OP_NAME_LEN];
		snprintf(name, sizeof(name), "route 10.0.%u.0/24", i);
		struct track *t = track_get(&all, name);
		assert_string_equal(t->name, name);
		assert_true(track_due(t, 0));
		assert_ptr_equal(track_get(&all, name), t);
		assert_ptr_equal(track_find(&all, name), t);
	}
	assert_int_equal(all.n, 100);
	tracks_clear(&all);
	assert_int_equal(all.n, 0);
}

/* Tried again after 0.1, 0.2, 0.4, 0.8, 1.6, 1.6 … seconds, and at once after a success. */
static void test_failures(void **)
{
	static const uint64_t pauses[] = {
		100'000, 200'000, 400'000, 800'000, 1'600'000, 1'600'000, 1'600'000};
	struct track t = {};
	uint64_t now = 5;

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_true(track_due(&t, now));
		track_failure(&t, ENOBUFS, "No buffer space available", now);
		assert_int_equal(t.error, ENOBUFS);
		assert_false(t.installed);
		assert_false(track_due(&t, now + pauses[i] - 1));
		now += pauses[i];
	}
	track_success(&t, false, now);
	assert_true(t.installed && track_due(&t, now));
	assert_int_equal(t.error, 0);
	assert_string_equal(t.reason, "");
	track_failure(&t, EPERM, "no", now);
	assert_true(track_due(&t, now + 100'000));
	assert_true(track_pause_us(UINT32_MAX) == TRACK_RETRY_MAX_US);
}

static void test_long_reason(void **)
{
	struct track t = {};
	char reason[1000];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	track_failure(&t, EIO, reason, 0);
	assert_int_equal(strlen(t.reason), sizeof(t.reason) - 1);
}

static void repair(struct track *t, unsigned times, uint64_t interval_us, uint64_t *now)
{
	for (unsigned i = 0; i < times; i++) {
		*now += interval_us;
		track_success(t, true, *now);
	}
}

static void test_fight(void **)
{
	struct track t = {};
	uint64_t now = 0; /* as just after a boot */

	track_success(&t, false, now);
	repair(&t, TRACK_FIGHT_REPAIRS - 1, 1000, &now);
	assert_false(t.contested);
	repair(&t, 1, 1000, &now);
	assert_true(t.contested);
	assert_false(track_due(&t, now + TRACK_PAUSE_US - 1));
	assert_true(track_due(&t, now + TRACK_PAUSE_US));

	/* 2, 4, 5, 5 seconds */
	static const uint64_t pauses[] = {2 * SECOND, 4 * SECOND, 5 * SECOND, 5 * SECOND};
	for (size_t i = 0; i < 4; i++) {
		now = t.retry_us;
		track_success(&t, true, now);
		assert_true(t.retry_us == now + pauses[i]);
	}
	track_settle(&t, now + TRACK_FIGHT_US - 1);
	assert_true(t.contested);
	track_settle(&t, now + TRACK_FIGHT_US);
	assert_false(t.contested);

	/* A new fight begins from nothing. */
	now += TRACK_FIGHT_US;
	repair(&t, TRACK_FIGHT_REPAIRS - 1, 1000, &now);
	assert_false(t.contested);
}

/* As many repairs in just more than the time of a fight are none. */
static void test_no_fight(void **)
{
	struct track t = {};
	uint64_t now = 7;

	repair(&t, 500, TRACK_FIGHT_US / (TRACK_FIGHT_REPAIRS - 1) + 1, &now);
	assert_false(t.contested);
	assert_int_equal(t.n_repairs, 500);
	repair(&t, TRACK_FIGHT_REPAIRS, 1, &now);
	assert_true(t.contested);
}

static void test_uproot(void **)
{
	struct tracks all = {};
	uint64_t now = 0;

	struct track *on = track_get(&all, "route on it");
	on->ifindex = 3;
	track_success(on, false, now);
	struct track *off = track_get(&all, "route elsewhere");
	off->ifindex = 4;
	track_success(off, false, now);
	struct track *failed = track_get(&all, "failed");
	track_failure(failed, ENODEV, "no device", now);
	struct track *contested = track_get(&all, "contested");
	contested->ifindex = 3;
	repair(contested, TRACK_FIGHT_REPAIRS, 1, &now);
	uint64_t retry = contested->retry_us;

	track_uproot(&all, 3);
	assert_false(track_find(&all, "route on it")->installed);
	assert_true(track_find(&all, "route elsewhere")->installed);
	assert_true(track_due(track_find(&all, "failed"), now));
	assert_true(track_find(&all, "contested")->retry_us == retry);
	tracks_clear(&all);
}

static void test_forgive(void **)
{
	struct track t = {};
	uint64_t now = 0;

	track_failure(&t, EPERM, "no", now);
	track_forgive(&t);
	assert_int_equal(t.error, 0);
	assert_true(track_due(&t, now));
	/* A pause that is no failure's stays. */
	repair(&t, TRACK_FIGHT_REPAIRS, 1, &now);
	track_forgive(&t);
	assert_false(track_due(&t, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_long_reason),
		cmocka_unit_test(test_fight),
		cmocka_unit_test(test_no_fight),
		cmocka_unit_test(test_uproot),
		cmocka_unit_test(test_forgive),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
