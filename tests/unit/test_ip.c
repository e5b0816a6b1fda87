/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/ip.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct prefix P(const char *text) {
	struct prefix p = {};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct addr
A(const char *text) {
	struct addr a = {};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void
test_addr_parse(void **)
{
	static const struct {
		const char *in, *want; /* want: the canonical text, nullptr = refused */
	} cases[] = {
		{"10.0.1.50", "10.0.1.50"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"2001:DB8::1", "2001:db8::1"},
		{"2001:0db8:0:0:0:0:0:1", "2001:db8::1"},
		{"::", "::"},
		{"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
		{"", nullptr},
		{"10.0.1", nullptr},
		{"10.0.1.300", nullptr},
		{"10.0.1.050", nullptr},
		{"0x0a.0.0.1", nullptr},
		{"10.0.1.50 ", nullptr},
		{" 10.0.1.50", nullptr},
		{"10.0.1.50/32", nullptr},
		{"fe80::1%eth0", nullptr},
		{"::ffff:10.0.1.50", nullptr},
		{"::ffff:a00:132", nullptr},
		{"2001:db8:::1", nullptr},
		{"[2001:db8::1]", nullptr},
		{"service", nullptr},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = {.family = 77};
		char text[ADDR_STRLEN];
		int r = addr_parse(cases[i].in, &a);
		if (cases[i].want) {
			assert_int_equal(r, 0);
			assert_string_equal(addr_str(&a, text), cases[i].want);
		} else {
			assert_int_equal(r, -EINVAL);
			assert_int_equal(a.family, 77); /* written only on success */
		}
	}
}

static void test_prefix_parse(void **)
{
	static const struct {
		const char *in;
		int r;
		const char *want;
	} cases[] = {
		{"10.0.1.0/24", 0, "10.0.1.0/24"},
		{"100.64.0.0/12", 0, "100.64.0.0/12"},
		{"0.0.0.0/0", 0, "0.0.0.0/0"},
		{"10.0.1.50", 0, "10.0.1.50/32"},
		{"10.0.1.50/32", 0, "10.0.1.50/32"},
		{"2001:db8::/32", 0, "2001:db8::/32"},
		{"2001:db8::1", 0, "2001:db8::1/128"},
		{"2001:db8::1/128", 0, "2001:db8::1/128"},
		{"::/0", 0, "::/0"},
		{"10.0.1.50/24", -EDOM, "10.0.1.0/24"},
		{"100.65.0.0/12", -EDOM, "100.64.0.0/12"},
		{"10.0.0.1/0", -EDOM, "0.0.0.0/0"},
		{"2001:db8::1/33", -EDOM, "2001:db8::/33"},
		{"10.0.1.0/33", -EINVAL, nullptr},
		{"2001:db8::/129", -EINVAL, nullptr},
		{"10.0.1.0/", -EINVAL, nullptr},
		{"10.0.1.0/08", -EINVAL, nullptr},
		{"10.0.1.0/+8", -EINVAL, nullptr},
		{"10.0.1.0/-1", -EINVAL, nullptr},
		{"10.0.1.0/24 ", -EINVAL, nullptr},
		{"10.0.1.0/4294967320", -EINVAL, nullptr},
		{"10.0.1.0/24/8", -EINVAL, nullptr},
		{"10.0.1.0/255.255.255.0", -EINVAL, nullptr},
		{"/24", -EINVAL, nullptr},
		{"", -EINVAL, nullptr},
		{"::ffff:0:0/96", -EINVAL, nullptr},
		{"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000/32", -EINVAL, nullptr},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix p = {.len = 222};
		char text[PREFIX_STRLEN];
		assert_int_equal(prefix_parse(cases[i].in, &p), cases[i].r);
		if (cases[i].want)
			assert_string_equal(prefix_str(&p, text), cases[i].want);
		else
			assert_int_equal(p.len, 222);
	}
}

static void test_contains(void **)
{
	static const struct {
		const char *outer, *inner;
		bool contains, overlaps;
	} cases[] = {
		{"10.0.0.0/8", "10.0.1.0/24", true, true},
		{"10.0.1.0/24", "10.0.0.0/8", false, true},
		{"10.0.1.0/24", "10.0.1.0/24", true, true},
		{"10.0.1.0/24", "10.0.2.0/24", false, false},
		{"100.64.0.0/12", "100.79.255.255/32", true, true},
		{"100.64.0.0/12", "100.80.0.0/32", false, false},
		{"0.0.0.0/0", "255.255.255.255/32", true, true},
		{"0.0.0.0/0", "::/0", false, false},
		{"::/0", "2001:db8::/32", true, true},
		{"2001:db8::/63", "2001:db8:0:1::/64", true, true},
		{"2001:db8::/64", "2001:db8:0:1::/64", false, false},
		{"2001:db8::1/128", "2001:db8::1/128", true, true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix outer = P(cases[i].outer), inner = P(cases[i].inner);
		assert_int_equal(prefix_contains(&outer, &inner), cases[i].contains);
		assert_int_equal(prefix_overlaps(&outer, &inner), cases[i].overlaps);
		assert_int_equal(prefix_overlaps(&inner, &outer), cases[i].overlaps);
	}
}

/* prefix_last() is the last address contained, and the one behind it is not: for every length. */
static void test_last_of_every_length(void **)
{
	static const char *const hosts[] = {
		"172.20.170.85", "2001:db8:aaaa:5555:1234:5678:9abc:def0"};

	for (size_t h = 0; h < COUNT(hosts); h++) {
		struct addr a = A(hosts[h]);
		for (unsigned len = 0; len <= addr_bits(a.family); len++) {
			char text[PREFIX_STRLEN];
			struct prefix p = {.addr = a, .len = (uint8_t)len};
			(void)!prefix_parse(prefix_str(&p, text), &p);
			struct addr last = prefix_last(&p);
			assert_true(prefix_contains_addr(&p, &a));
			assert_true(prefix_contains_addr(&p, &last));
			if (len == 0)
				continue;
			last.b[(len - 1) / 8] ^= (uint8_t)(0x80 >> ((len - 1) % 8));
			assert_false(prefix_contains_addr(&p, &last));
		}
	}
	struct prefix p = P("10.0.1.0/24");
	struct addr last = prefix_last(&p), want = A("10.0.1.255");
	assert_int_equal(addr_cmp(&last, &want), 0);
}

static int cmp_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

static void test_order(void **)
{
	static const char *const want[] = {"10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/32",
		"10.0.1.0/24", "192.168.0.0/16", "::/0", "2001:db8::/32", "2001:db8::/64",
		"2001:db8:1::/48"};
	struct prefix list[COUNT(want)];

	for (size_t i = 0; i < COUNT(want); i++)
		list[(i * 5) % COUNT(want)] = P(want[i]);
	qsort(list, COUNT(list), sizeof(list[0]), cmp_prefix);
	for (size_t i = 0; i < COUNT(want); i++) {
		struct prefix p = P(want[i]);
		assert_int_equal(prefix_cmp(&list[i], &p), 0);
	}
}

static void test_special(void **)
{
	static const struct {
		const char *prefix, *want;
	} cases[] = {
		{"10.0.0.0/8", nullptr},
		{"100.64.0.0/10", nullptr},
		{"169.253.0.0/16", nullptr},
		{"128.0.0.0/8", nullptr},
		{"223.0.0.0/8", nullptr},
		{"2001:db8::/32", nullptr},
		{"fd00::/8", nullptr},
		{"2000::/3", nullptr},
		{"127.0.0.0/8", "loopback"},
		{"127.0.0.1/32", "loopback"},
		{"169.254.169.254/32", "link-local"},
		{"224.0.0.0/24", "multicast"},
		{"255.255.255.255/32", "reserved"},
		{"0.0.0.0/0", "\"this network\""},
		{"64.0.0.0/2", "loopback"},
		{"::1/128", "loopback"},
		{"::/0", "the unspecified address"},
		{"fe80::/64", "link-local"},
		{"fe00::/8", "link-local"},
		{"ff02::/16", "multicast"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix p = P(cases[i].prefix);
		const char *what = prefix_special_str(&p);
		assert_int_equal(prefix_is_special(&p), cases[i].want != nullptr);
		if (cases[i].want)
			assert_string_equal(what, cases[i].want);
	}
}

static void test_none(void **)
{
	struct addr none = {};
	struct prefix p = prefix_of(&none), any = P("0.0.0.0/0");
	char text[PREFIX_STRLEN];

	assert_string_equal(addr_str(&none, text), "none");
	assert_int_equal(p.len, 0);
	assert_false(prefix_overlaps(&p, &any));
	assert_false(prefix_overlaps(&p, &p));
	assert_int_equal(addr_bytes(AF_UNSPEC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_parse),
		cmocka_unit_test(test_prefix_parse),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_last_of_every_length),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
