/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/target.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *in;
	const char *path, *query; /* path nullptr: refused */
	enum http_fault fault;
	const char *host; /* of the request; nullptr: "a.internal" */
	enum http_method method;
} cases[] = {
	{"/", "/", .query = ""},
	{"/a/b", "/a/b", .query = ""},
	{"/a/b/", "/a/b/", .query = ""},
	{"/a?b=c&d", "/a", .query = "?b=c&d"},
	{"/a?", "/a", .query = "?"},
	{"/a??b/../c", "/a", .query = "??b/../c"},
	{"/%7Ea/%61%2D", "/~a/a-", .query = ""},
	{"/%e4%2b%3f", "/%E4%2B%3F", .query = ""},
	{"/%25%32%65", "/%252e", .query = ""},
	{"//a///b//", "/a/b/", .query = ""},
	{"/a;b=c", "/a;b=c", .query = ""},
	{"/...", "/...", .query = ""},
	{"/.a/..b/a.", "/.a/..b/a.", .query = ""},
	{"/[a]{b}|^", "/[a]{b}|^", .query = ""},
	{"/@scope:x!$&'()*+,;=", "/@scope:x!$&'()*+,;=", .query = ""},
	{"*", "*", .query = "", .method = HTTP_METHOD_OPTIONS},
	{"http://a.internal/x?y", "/x", .query = "?y"},
	{"HTTP://A.internal:80/x", "/x", .query = ""},
	{"https://a.internal", "/", .query = "", .host = "a.internal:443"},
	{"http://a.internal?y", "/", .query = "?y"},
	{"http://[2001:db8::1]:8080/", "/", .query = "", .host = "[2001:db8::1]:8080"},

	{"/.", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/..", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/../b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/./b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/%2e%2e/b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/.%2E", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"//../b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/..;/b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/..%3bx/b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/.;x=y", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a/..?b", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/a%2fb", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%2F..%2Fb", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%5cb", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%00", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%0d%0a", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%7f", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%4", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%4?x", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%zz", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a%u002f", .fault = HTTP_FAULT_TARGET_ENCODING},
	{"/a\\b", .fault = HTTP_FAULT_TARGET},
	{"/a#b", .fault = HTTP_FAULT_TARGET},
	{"/a?b#c", .fault = HTTP_FAULT_TARGET},
	{"/a\"b", .fault = HTTP_FAULT_TARGET},
	{"/\xc3\xa4", .fault = HTTP_FAULT_TARGET},
	{"/?\xc3\xa4", .fault = HTTP_FAULT_TARGET},
	{"a", .fault = HTTP_FAULT_TARGET_FORM},
	{"?a", .fault = HTTP_FAULT_TARGET_FORM},
	{"*", .fault = HTTP_FAULT_TARGET_FORM, .method = HTTP_METHOD_GET},
	{"*x", .fault = HTTP_FAULT_TARGET_FORM, .method = HTTP_METHOD_OPTIONS},
	{"a.internal:80", .fault = HTTP_FAULT_TARGET_FORM},
	{"ftp://a.internal/", .fault = HTTP_FAULT_TARGET_FORM},
	{"http:///x", .fault = HTTP_FAULT_TARGET_FORM},
	{"http://", .fault = HTTP_FAULT_TARGET_FORM},
	{"http:/a.internal/", .fault = HTTP_FAULT_TARGET_FORM},
	{"http://user@a.internal/", .fault = HTTP_FAULT_TARGET_FORM},
	{"http://a.internal:80@b/", .fault = HTTP_FAULT_TARGET_FORM},
	{"http://b.internal/", .fault = HTTP_FAULT_HOST_DISAGREES},
	{"http://a.internal:81/", .fault = HTTP_FAULT_HOST_DISAGREES},
	{"https://a.internal/", .fault = HTTP_FAULT_HOST_DISAGREES, .host = "a.internal:80"},
	{"http://a.internal/../x", .fault = HTTP_FAULT_TARGET_SEGMENT},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = ""},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a b"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a/b"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a@b"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a,b"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a:"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a:0"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a:65536"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a:80:80"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "a:8x"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "[::1"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "[::1]80"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "[fe80::1%25eth0]"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "[10.0.0.1]"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "::1"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "\xc3\xa4"},
	{"/", .fault = HTTP_FAULT_HOST_INVALID, .host = "%61"},
};

static bool equals(const char *text, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(text, want, len) == 0;
}

static void test_cases(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);
		const char *host = cases[i].host ? cases[i].host : "a.internal";
		autofree char *in = xcalloc(len, 1), *scratch = xcalloc(len, 1);
		memcpy(in, cases[i].in, len);
		struct http_request r = {.method = cases[i].method,
			.target = in,
			.target_len = len,
			.host = host,
			.host_len = strlen(host)};
		struct http_target t;
		enum http_fault why;
		int got = http_target_read(&r, scratch, &t, &why);
		if (why != cases[i].fault || got != (cases[i].path ? 0 : -EBADMSG))
			fail_msg("%s (%s): %s", cases[i].in, host, http_fault_str(why));
		if (got == 0 && (!equals(t.path, t.path_len, cases[i].path) ||
					!equals(t.query, t.query_len, cases[i].query)))
			fail_msg("%s: %.*s %.*s", cases[i].in, (int)t.path_len, t.path,
				(int)t.query_len, t.query);
	}
}

/* The normal form of a normal form is itself. */
static void test_fixpoint(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char scratch[64];
		enum http_fault why;
		struct http_target t;
		if (!cases[i].path || cases[i].path[0] == '*')
			continue;
		struct http_request r = {.target = cases[i].path,
			.target_len = strlen(cases[i].path),
			.host = "a",
			.host_len = 1};
		assert_int_equal(http_target_read(&r, scratch, &t, &why), 0);
		assert_true(equals(t.path, t.path_len, cases[i].path));
	}
}

static void test_authority(void **)
{
	struct http_authority a;

	assert_int_equal(http_authority_read("A-b_c.d.:8080", 13, &a), 0);
	assert_true(equals(a.host, a.host_len, "A-b_c.d."));
	assert_int_equal(a.port, 8080);
	assert_int_equal(http_authority_read("[2001:db8::1]:65535", 19, &a), 0);
	assert_true(equals(a.host, a.host_len, "2001:db8::1"));
	assert_int_equal(a.port, 65535);
	assert_int_equal(http_authority_read("10.0.1.50", 9, &a), 0);
	assert_int_equal(a.port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_fixpoint),
		cmocka_unit_test(test_authority),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
