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
#include "conf/suggest.h"
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
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_suggestion),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
