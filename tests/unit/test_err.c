/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/escape.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_layers(void **)
{
	struct err e = {};

	assert_int_equal(err_set(&e, EBUSY, "table %s: %s", "inet meshgw", "busy"), -EBUSY);
	assert_int_equal(err_ctx(&e, "nft"), -EBUSY);
	assert_int_equal(err_ctx(&e, "apply %d", 7), -EBUSY);
	assert_int_equal(e.code, EBUSY);
	assert_string_equal(e.msg, "apply 7: nft: table inet meshgw: busy");
}

static void test_without_struct(void **)
{
	struct err empty = {};

	assert_int_equal(err_set(nullptr, ENOENT, "x"), -ENOENT);
	assert_int_equal(err_ctx(nullptr, "x"), -EIO);
	assert_int_equal(err_ctx(&empty, "x"), -EIO);
	assert_string_equal(empty.msg, "");
}

/* The old message may be an argument of the new one. */
static void test_own_message(void **)
{
	struct err e = {};

	(void)err_set(&e, EIO, "inner");
	(void)err_set(&e, EPERM, "outer (%s)", e.msg);
	assert_string_equal(e.msg, "outer (inner)");
}

static void test_truncation(void **)
{
	struct err e = {};
	char text[400];

	/* 239 = 119 * 2 + 1: the last two-byte character does not fit whole. */
	for (size_t i = 0; i < sizeof(text) - 2; i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	(void)err_set(&e, EIO, "%s", text);
	assert_int_equal(strlen(e.msg), 238);

	(void)err_ctx(&e, "front");
	assert_memory_equal(e.msg, "front: \xc3\xa9", 9);
	assert_int_equal(strlen(e.msg), 239);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)err_ctx(&e, "%s", text);
	assert_int_equal(strlen(e.msg), 239);
	assert_int_equal(e.msg[238], 'x');
}

static void test_utf8_trim(void **)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"", ""},
		{"abc", "abc"},
		{"a\xc3", "a"},
		{"a\xc3\xa9", "a\xc3\xa9"},
		{"a\xe2\x82", "a"},
		{"a\xe2\x82\xac", "a\xe2\x82\xac"},
		{"\xf0\x9f\x98", ""},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[16] = {};
		memcpy(text, cases[i].in, strlen(cases[i].in));
		utf8_trim(text);
		assert_string_equal(text, cases[i].want);
	}
}

static void test_escape(void **)
{
	static const struct {
		const char *in;
		size_t len, size;
		const char *want;
	} cases[] = {
		{"plain", 5, 32, "plain"},
		{"a\nb\tc\rd", 7, 32, "a\\nb\\tc\\rd"},
		{"\x1b[31m", 5, 32, "\\x1b[31m"},
		{"a\0b", 3, 32, "a\\x00b"},
		{"\x7f\x9b\xc2\xa0", 4, 32, "\\x7f\\x9b\\xc2\\xa0"},
		{"back\\slash \"q\"", 14, 32, "back\\slash \"q\""},
		{"123456789", 9, 10, "123456789"},
		{"1234567890", 10, 10, "123456..."},
		{"12345\x01\x01", 7, 10, "12345..."},
		{"1234567890", 10, 3, ".."},
		{"1234567890", 10, 1, ""},
		{"", 0, 1, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[64];
		memset(out, '#', sizeof(out));
		escape_text(cases[i].in, cases[i].len, out, cases[i].size);
		assert_string_equal(out, cases[i].want);
		assert_int_equal(out[cases[i].size], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_without_struct),
		cmocka_unit_test(test_own_message),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_utf8_trim),
		cmocka_unit_test(test_escape),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
