/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip/bucket.h"
#include "connip/capsule.h"
#include "connip/datagram.h"
#include "connip/idset.h"
#include "connip/routes.h"
#include "connip_peer.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 9000 A.1 */
static void test_varint(void **)
{
	static const struct {
		uint8_t b[8];
		size_t n;
		uint64_t value;
		bool shortest;
	} cases[] = {
		{{0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}, 8, 151288809941952652, true},
		{{0x9d, 0x7f, 0x3e, 0x7d}, 4, 494878333, true},
		{{0x7b, 0xbd}, 2, 15293, true},
		{{0x25}, 1, 37, true},
		{{0x40, 0x25}, 2, 37, false},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, VARINT_MAX, true},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t out[8];
		uint64_t value = 0;
		for (size_t n = 0; n < cases[i].n; n++)
			assert_int_equal(varint_read(cases[i].b, n, &value), 0);
		assert_int_equal(varint_read(cases[i].b, cases[i].n, &value), cases[i].n);
		assert_true(value == cases[i].value);
		assert_int_equal(varint_write(out, value), varint_size(value));
		if (cases[i].shortest)
			assert_memory_equal(out, cases[i].b, cases[i].n);
	}
}

/* RFC 9484 6: a Context ID is in front; unknown ones, odd or even, are nobody's. */
static void test_datagram(void **)
{
	static const struct {
		uint8_t b[4];
		size_t n;
		enum datagram_kind kind;
		size_t at;
	} cases[] = {
		{{0x00, 0x45}, 2, DATAGRAM_IS_PACKET, 1},
		{{0x40, 0x00, 0x45}, 3, DATAGRAM_IS_PACKET, 2},
		{{0x00}, 1, DATAGRAM_IS_PACKET, 1},
		{{0x01, 0x45}, 2, DATAGRAM_IS_UNKNOWN, 0},
		{{0x02, 0x45}, 2, DATAGRAM_IS_UNKNOWN, 0},
		{{0x40, 0x02, 0x45}, 3, DATAGRAM_IS_UNKNOWN, 0},
		{{0x40}, 1, DATAGRAM_IS_CUT, 0},
		{{0x80, 0x00, 0x00}, 3, DATAGRAM_IS_CUT, 0},
		{{0}, 0, DATAGRAM_IS_CUT, 0},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t at = 0;
		assert_int_equal(datagram_read(cases[i].b, cases[i].n, &at), cases[i].kind);
		assert_int_equal(at, cases[i].at);
	}
	size_t at;
	assert_int_equal(
		datagram_read(DATAGRAM_PACKET, sizeof(DATAGRAM_PACKET), &at), DATAGRAM_IS_PACKET);
}

/* RFC 9484 4.7.3: ranges need not be prefixes. */
static void test_range_prefixes(void **)
{
	static const struct {
		const char *first, *last, *prefixes;
	} cases[] = {
		{"10.0.0.0", "10.255.255.255", "10.0.0.0/8 "},
		{"192.0.2.0", "192.0.2.41", "192.0.2.0/27 192.0.2.32/29 192.0.2.40/31 "},
		{"192.0.2.43", "192.0.2.43", "192.0.2.43/32 "},
		{"0.0.0.0", "255.255.255.255", "0.0.0.0/0 "},
		{"255.255.255.254", "255.255.255.255", "255.255.255.254/31 "},
		{"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0 "},
		{"2001:db8::1", "2001:db8::4", "2001:db8::1/128 2001:db8::2/127 2001:db8::4/128 "},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix a = pfx(cases[i].first), b = pfx(cases[i].last);
		struct prefix out[RANGE_PREFIXES_MAX];
		struct connip_range r = {.family = a.addr.family,
			.first = number_of_addr(&a.addr),
			.last = number_of_addr(&b.addr)};
		char text[256] = "", buf[PREFIX_STRLEN];
		size_t n = range_to_prefixes(&r, out);
		for (size_t k = 0, at = 0; k < n; k++)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, "%s ", prefix_str(&out[k], buf));
		assert_string_equal(text, cases[i].prefixes);
	}
}

/* The range that falls into most: all addresses but the first and the last. */
static void test_range_worst(void **)
{
	struct connip_range r = {.family = AF_INET6, .first = 1, .last = ~(number)0 - 1};
	struct prefix out[RANGE_PREFIXES_MAX];
	struct connip_range back[RANGE_PREFIXES_MAX];

	assert_int_equal(range_to_prefixes(&r, out), RANGE_PREFIXES_MAX);
	for (size_t i = 0; i < RANGE_PREFIXES_MAX; i++)
		back[i] = range_of_prefix(&out[i], 0);
	assert_int_equal(range_list_normalize(back, RANGE_PREFIXES_MAX), 1);
	assert_int_equal(range_cmp(&back[0], &r), 0);
}

static unsigned draw(unsigned *seed)
{
	return (unsigned)rand_r(seed);
}

/* The table answers as a walk through the list does. */
static void test_routes(void **)
{
	struct connip_range list[200];
	struct routes r = {};
	unsigned seed = 1;

	for (size_t round = 0; round < 50; round++) {
		for (size_t i = 0; i < COUNT(list); i++) {
			unsigned first = draw(&seed) % 1000;
			list[i] = (struct connip_range){
				.family = draw(&seed) % 2 ? AF_INET : AF_INET6,
				.proto = (uint8_t)(draw(&seed) % 3),
				.first = first,
				.last = first + draw(&seed) % 10};
		}
		size_t n = round * COUNT(list) / 50;
		routes_set(&r, list, n);
		for (unsigned addr = 0; addr < 1020; addr++)
			for (int proto = -1; proto < 4; proto++) {
				enum routes_answer want = ROUTES_NONE;
				for (size_t i = 0; i < n; i++)
					if (range_contains(&list[i], AF_INET, addr))
						want = proto == IPPROTO_ICMP ||
								       list[i].proto == 0 ||
								       list[i].proto == proto ||
								       want == ROUTES_MATCH
							       ? ROUTES_MATCH
							       : ROUTES_OTHER_PROTOCOL;
				assert_int_equal(routes_find(&r, AF_INET, addr, proto), want);
			}
	}
	routes_clear(&r);
	assert_false(routes_have(&r, AF_INET, 5));
}

/* RFC 9484 4.7.2: an ID is new once, in whatever order. */
static void test_idset(void **)
{
	static const uint64_t orders[][6] = {
		{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {1, 3, 5, 2, 4, 6}, {4, 1, 6, 3, 5, 2}};

	for (size_t i = 0; i < COUNT(orders); i++) {
		struct idset set = {};
		for (size_t k = 0; k < 6; k++) {
			assert_int_equal(idset_add(&set, orders[i][k]), 0);
			for (size_t old = 0; old <= k; old++)
				assert_int_equal(idset_add(&set, orders[i][old]), -EEXIST);
		}
		assert_int_equal(set.n, 1);
	}
	struct idset full = {};
	for (uint64_t id = 1; id <= 2 * IDSET_MAX; id += 2)
		assert_int_equal(idset_add(&full, id), 0);
	assert_int_equal(idset_add(&full, VARINT_MAX), -ENOSPC);
	assert_int_equal(idset_add(&full, 2), 0);
	assert_int_equal(idset_add(&full, VARINT_MAX), 0);
}

static void test_bucket(void **)
{
	constexpr uint64_t SECOND = 1'000'000'000;
	struct bucket b = {.rate = 10, .burst = 3}, none = {};
	uint64_t now = 7 * SECOND;
	size_t taken = 0;

	assert_true(bucket_take(&none, UINT64_MAX, 0));
	assert_false(bucket_take(&b, 4, now));
	for (size_t i = 0; i < 10; i++)
		taken += bucket_take(&b, 1, now);
	assert_int_equal(taken, 3);
	/* Asked every microsecond for a second, it still gives ten. */
	for (size_t i = 1; i <= 1'000'000; i++)
		taken += bucket_take(&b, 1, now + i * 1000);
	assert_in_range(taken, 3 + 9, 3 + 10);
	assert_true(bucket_take(&b, 3, now + 1'000'000 * SECOND));
	assert_false(bucket_take(&b, 1, now + 1'000'000 * SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_datagram),
		cmocka_unit_test(test_range_prefixes),
		cmocka_unit_test(test_range_worst),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_idset),
		cmocka_unit_test(test_bucket),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
