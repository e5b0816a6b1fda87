/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip_peer.h"
#include "edge/owners.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned draw(unsigned *seed)
{
	return (unsigned)rand_r(seed);
}

/* As the owner is defined: the longest that holds it, of equal ones the first. */
static size_t owner_by_definition(const struct owned *list, size_t n, uint8_t family, number addr)
{
	struct addr a = number_addr(family, addr);
	size_t node = OWNERS_NOBODY;
	int longest = -1;

	for (size_t i = 0; i < n; i++)
		if (prefix_contains_addr(&list[i].prefix, &a) && list[i].prefix.len > longest) {
			longest = list[i].prefix.len;
			node = list[i].node;
		}
	return node;
}

/* At the ends of the families, where additions wrap around. */
static void random_prefix(unsigned *seed, struct prefix *out)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	uint8_t family = families[draw(seed) % 2];
	unsigned bits = addr_bits(family), host = draw(seed) % 9;
	number at = draw(seed) % 256 & ~((1U << host) - 1);

	if (draw(seed) % 2)
		at = number_max(family) - 255 + at;
	if (draw(seed) % 20 == 0)
		host = bits, at = 0;
	*out = (struct prefix){number_addr(family, at), (uint8_t)(bits - host)};
}

static void test_against_definition(void **)
{
	unsigned seed = 7;

	for (size_t round = 0; round < 300; round++) {
		struct owned list[24];
		struct owners o = {};
		size_t n = draw(&seed) % (COUNT(list) + 1);
		for (size_t i = 0; i < n; i++) {
			list[i].node = i;
			random_prefix(&seed, &list[i].prefix);
		}
		owners_set(&o, list, n);
		for (unsigned i = 0; i < 4 * 258; i++) {
			uint8_t family = i & 1 ? AF_INET : AF_INET6;
			number addr = i & 2 ? i / 4 : number_max(family) - i / 4;
			assert_int_equal(owners_find(&o, family, addr),
				owner_by_definition(list, n, family, addr));
		}
		owners_clear(&o);
	}
}

/* A table of 100,000 prefixes is as flat as one of ten. */
static void test_many(void **)
{
	constexpr size_t MANY = 100'000;
	autofree struct owned *list = xcalloc(MANY, sizeof(*list));
	struct owners o = {};

	for (size_t i = 0; i < MANY; i++)
		list[i] = (struct owned){{number_addr(AF_INET, (number)i << 8), 24}, i};
	owners_set(&o, list, MANY);
	assert_int_equal(o.n, MANY);
	for (size_t i = 0; i < MANY; i += 997)
		assert_int_equal(owners_find(&o, AF_INET, (number)i << 8 | 77), i);
	assert_int_equal(owners_find(&o, AF_INET, (number)MANY << 8), OWNERS_NOBODY);
	owners_clear(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_definition),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
