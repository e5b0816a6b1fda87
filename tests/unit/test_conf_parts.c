/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small parts of conf that have a life of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/arena.h"
#include "conf/cover.h"
#include "conf/duration.h"
#include "conf/suggest.h"
#include "conf/value_number.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_arena(void **)
{
	struct arena *arena = arena_new();
	static const unsigned char zero[100000];

	assert_null(arena_alloc(arena, 0, 8));
	for (size_t size = 1; size < sizeof(zero); size = size * 3 + 1) {
		unsigned char *p = arena_alloc(arena, 1, size);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		assert_memory_equal(p, zero, size);
		memset(p, 0xff, size); /* the next one is not to see it */
	}
	arena_free(arena);
	arena_free(nullptr);
}

static void test_suggest(void **)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} cases[] = {
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"networks", "networks", 0},
		{"Networks", "networks", 0},
		{"netwroks", "networks", 1},
		{"network", "networks", 1},
		{"nettworks", "networks", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3},
		{"ba", "ab", 1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].want);
		assert_int_equal(suggest_distance(cases[i].b, cases[i].a), cases[i].want);
	}
	assert_int_equal(suggest_distance("123456789012345678901234567890123", "x"), UINT_MAX);
	assert_int_equal(suggest_distance("12345678901234567890123456789012", "x"), 32);
}

static void test_suggestion(void **)
{
	static const char *const words[] = {"to", "tcp", "udp", "from", "icmp"};
	static const struct {
		const char *typed, *want;
	} cases[] = {
		{"tpc", "tcp"},
		{"form", "from"},
		{"imcp", "icmp"},
		{"TCP", "tcp"},
		{"ot", "to"},
		{"sctp", "tcp"},
		{"xy", nullptr},
		{"witness", nullptr},
		{"", nullptr},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct suggestion best = {};
		for (size_t j = 0; j < COUNT(words); j++)
			suggest_offer(&best, cases[i].typed, words[j]);
		if (cases[i].want)
			assert_string_equal(best.word, cases[i].want);
		else
			assert_null(best.word);
	}
}

static bool nested(const struct prefix *list, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_cmp(&list[i], p) != 0 && prefix_contains(&list[i], p))
			return true;
	return false;
}

/* A prefix inside another one of the list is no member. */
static bool any_inside(const struct prefix *list, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_contains(p, &list[i]) && !nested(list, n, &list[i]))
			return true;
	return false;
}

/* Against the definition, with prefixes that nest and touch. */
static void test_cover(void **)
{
	static const char *const members[] = {"10.0.0.0/24", "10.0.1.0/25", "10.0.1.128/25",
		"10.0.0.128/25", "10.2.0.0/16", "10.2.7.0/24", "2001:db8::/48", "10.0.0.0/24"};
	static const char *const asked[] = {"10.0.0.0/24", "10.0.0.7/32", "10.0.0.0/23",
		"10.0.1.0/24", "10.0.1.127/32", "10.0.1.128/32", "10.2.255.255/32", "10.3.0.0/32",
		"9.255.255.255/32", "10.0.2.0/32", "2001:db8::1/128", "2001:db8:1::/64",
		"2001:db7::/64", "0.0.0.0/0", "::/0", "255.255.255.255/32"};
	[[gnu::cleanup(cover_clear)]] struct cover cover = cover_new(COUNT(members));
	struct prefix list[COUNT(members)];

	for (size_t i = 0; i < COUNT(members); i++) {
		assert_int_equal(prefix_parse(members[i], &list[i]), 0);
		cover_add(&cover, &list[i]);
	}
	cover_finish(&cover);
	assert_true(cover.complete);
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct prefix p;
		bool want = false;
		assert_int_equal(prefix_parse(asked[i], &p), 0);
		for (size_t j = 0; j < COUNT(list); j++)
			want |= prefix_contains(&list[j], &p);
		assert_int_equal(cover_has(&cover, &p), want);
		const struct prefix *inside = cover_inside(&cover, &p);
		assert_true(!inside || prefix_contains(&p, inside));
		assert_int_equal(inside != nullptr, any_inside(list, COUNT(list), &p));
		const struct prefix *overlap = cover_overlap(&cover, &p);
		assert_true(!overlap || prefix_overlaps(&p, overlap));
		assert_int_equal(overlap != nullptr, want || inside);
	}
}

static void test_duration(void **)
{
	static const struct {
		const char *text;
		int r;
		uint64_t us;
		const char *printed;
	} cases[] = {
		{"0", 0, 0, "0s"},
		{"0ms", 0, 0, "0s"},
		{"1", 0, 1000000, "1s"},
		{"200ms", 0, 200000, "200ms"},
		{"1000ms", 0, 1000000, "1s"},
		{"1500ms", 0, 1500000, "1500ms"},
		{"10s", 0, 10000000, "10s"},
		{"90s", 0, 90000000, "90s"},
		{"120", 0, 120000000, "2min"},
		{"2min", 0, 120000000, "2min"},
		{"90min", 0, 5400000000, "90min"},
		{"1h", 0, 3600000000, "1h"},
		{"878400h", 0, 3162240000000000, "878400h"},
		{"878401h", -ERANGE, 0, nullptr},
		{"99999999999999999999999ms", -ERANGE, 0, nullptr},
		{"", -EINVAL, 0, nullptr},
		{"s", -EINVAL, 0, nullptr},
		{"00s", -EINVAL, 0, nullptr},
		{"01", -EINVAL, 0, nullptr},
		{"-1s", -EINVAL, 0, nullptr},
		{"+1s", -EINVAL, 0, nullptr},
		{"1.5s", -EINVAL, 0, nullptr},
		{"1 s", -EINVAL, 0, nullptr},
		{"1S", -EINVAL, 0, nullptr},
		{"1m", -EINVAL, 0, nullptr},
		{"1d", -EINVAL, 0, nullptr},
		{"1us", -EINVAL, 0, nullptr},
		{"1h30min", -EINVAL, 0, nullptr},
	};
	char buf[DURATION_STRLEN];

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t us = 0;
		assert_int_equal(duration_parse(cases[i].text, &us), cases[i].r);
		assert_int_equal(us, cases[i].us);
		if (cases[i].printed)
			assert_string_equal(duration_str(us, buf), cases[i].printed);
	}
}

static void test_number(void **)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t number;
	} cases[] = {
		{"0", 0, 0, 0},
		{"1", 0, -EINVAL, 0},
		{"7", 5, -EINVAL, 0},
		{"5", 5, 0, 5},
		{"255", 255, 0, 255},
		{"256", 255, -EINVAL, 0},
		{"4294967295", UINT32_MAX, 0, UINT32_MAX},
		{"4294967296", UINT32_MAX, -EINVAL, 0},
		{"18446744073709551617", UINT32_MAX, -EINVAL, 0},
		{"", 9, -EINVAL, 0},
		{"00", 9, -EINVAL, 0},
		{"-0", 9, -EINVAL, 0},
		{"+1", 9, -EINVAL, 0},
		{" 1", 9, -EINVAL, 0},
		{"1x", 9, -EINVAL, 0},
		{"0x1", 9, -EINVAL, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t number = 0;
		assert_int_equal(number_parse(cases[i].text, cases[i].max, &number), cases[i].r);
		assert_int_equal(number, cases[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_suggestion),
		cmocka_unit_test(test_cover),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_number),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
