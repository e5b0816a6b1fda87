/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters as the kernel prints them, whole and damaged. No kernel is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/counter.h"
#include <string.h>

static uint64_t value_of(struct counter_set *set, const char *name)
{
	counter_sort(set);
	const struct counter *c = counter_find(set, name);
	return c ? c->value : UINT64_MAX;
}

static void test_columns(void **)
{
	struct counter_set set = {};
	counter_parse_columns("Ip: Forwarding InAddrErrors\n"
			      "Ip: 1 18446744073709551615\n"
			      "Tcp: MaxConn OutRsts\n"
			      "Tcp: -1 7\n"
			      "TcpExt: A B C\n"
			      "TcpExt: 1 2\n"
			      "IpExt: A\n"
			      "Other: 1\n"
			      "Udp: A\n"
			      "Udp: 1\n",
		&set);
	assert_int_equal(set.n, 5);
	assert_int_equal(value_of(&set, "IpForwarding"), 1);
	assert_int_equal(value_of(&set, "IpInAddrErrors"), UINT64_MAX);
	assert_int_equal(value_of(&set, "TcpOutRsts"), 7);
	assert_int_equal(value_of(&set, "TcpExtB"), 2);
	counter_set_clear(&set);
}

static void test_lines(void **)
{
	struct counter_set set = {};
	counter_parse_lines(
		"Ip6InReceives                   \t12\nIp6Odd\nIp6Bad x\n\nIp6Last 3", &set);
	assert_int_equal(set.n, 2);
	assert_int_equal(value_of(&set, "Ip6InReceives"), 12);
	assert_int_equal(value_of(&set, "Ip6Last"), 3);
	counter_set_clear(&set);
}

static void test_cpus(void **)
{
	struct counter_set set = {};
	counter_parse_cpus("entries  found drop\n"
			   "00000002 00000000 0000000f\n"
			   "00000002 00000001 00000010\n"
			   "00000002 odd\n",
		"nf_conntrack", &set);
	assert_int_equal(set.n, 2);
	assert_int_equal(value_of(&set, "nf_conntrack.found"), 1);
	assert_int_equal(value_of(&set, "nf_conntrack.drop"), 0x1f);
	counter_set_clear(&set);
}

static void test_growth(void **)
{
	struct counter a[] = {{"A", 5}, {"B", 9}, {"C", 1}};
	struct counter b[] = {{"A", 7}, {"B", 3}, {"D", 1}};
	struct counter_set before = {a, 3, 0}, after = {b, 3, 0};
	assert_int_equal(counter_growth(&before, &after, "A"), 2);
	assert_int_equal(counter_growth(&before, &after, "B"), 0);
	assert_int_equal(counter_growth(&before, &after, "C"), 0);
	assert_int_equal(counter_growth(&before, &after, "D"), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_growth),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
