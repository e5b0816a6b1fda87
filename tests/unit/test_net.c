/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read from netlink messages. No kernel is asked but for its sysctls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/marks.h"
#include "net/attr.h"
#include "net/ct.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/nflog.h"
#include "net/nl.h"
#include "net/route.h"
#include "net/rule.h"
#include "net_messages.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <string.h>

static struct addr A(const char *text) {
	struct addr a = {};
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void
test_link(void **)
{
	struct nl_message m;
	struct link l;
	put_link(&m);
	assert_int_equal(link_read(header_of(&m), &l), 0);
	assert_int_equal(l.ifindex, 7);
	assert_string_equal(l.name, "CloudflareWARP");
	assert_int_equal(l.mtu, 1280);
	assert_int_equal(l.flags, IFF_UP);
}

static void test_address(void **)
{
	struct nl_message m;
	struct ifaddr_entry a;
	struct addr local = A("100.64.0.1"), local6 = A("2001:db8::1");

	put_address(&m);
	assert_int_equal(ifaddr_read(header_of(&m), &a), 0);
	assert_int_equal(addr_cmp(&a.address, &local), 0);
	assert_int_equal(a.prefix_len, 32);
	assert_false(a.from_ra);
	assert_false(a.tentative);

	put_address6(&m);
	assert_int_equal(ifaddr_read(header_of(&m), &a), 0);
	assert_int_equal(addr_cmp(&a.address, &local6), 0);
	assert_true(a.from_ra);
	assert_true(a.tentative);
}

static void test_route(void **)
{
	struct nl_message m;
	struct route r;
	struct addr prefsrc = A("100.64.0.1"), via = A("2001:db8::1");
	char text[ROUTE_STRLEN];

	put_route(&m);
	assert_int_equal(route_read(header_of(&m), &r), 0);
	assert_string_equal(route_str(&r, text, sizeof(text)),
		"100.64.0.0/12 dev 7 proto 107 metric 4261412864 table 65743");
	assert_int_equal(r.nexthop_flags, RTNH_F_LINKDOWN);
	assert_int_equal(r.scope, RT_SCOPE_LINK);
	assert_int_equal(r.type, RTN_UNICAST);
	assert_int_equal(r.gateway.family, AF_UNSPEC);
	assert_int_equal(addr_cmp(&r.prefsrc, &prefsrc), 0);
	assert_int_equal(r.nexthop_id, 42);

	put_route_via(&m);
	assert_int_equal(route_read(header_of(&m), &r), 0);
	assert_int_equal(r.dst.addr.family, AF_INET);
	assert_int_equal(r.dst.len, 0);
	assert_int_equal(r.table, RT_TABLE_MAIN);
	assert_int_equal(addr_cmp(&r.gateway, &via), 0);
}

static void test_rule(void **)
{
	struct nl_message m;
	struct rule r;
	put_rule(&m);
	assert_int_equal(rule_read(header_of(&m), &r), 0);
	assert_int_equal(r.family, AF_INET6);
	assert_int_equal(r.priority, 5207);
	assert_int_equal(r.table, 65743);
	assert_int_equal(r.fwmark, 0x100cf);
	assert_int_equal(r.fwmask, UINT32_MAX);
	assert_true(r.invert);
	assert_string_equal(r.iif, "lo");
	assert_string_equal(r.oif, "");
	assert_int_equal(r.suppress, -1);
	assert_false(r.narrow);

	struct prefix from = {A("100.64.0.0"), 12};
	put_narrow_rule(&m);
	assert_int_equal(rule_read(header_of(&m), &r), 0);
	assert_int_equal(prefix_cmp(&r.from, &from), 0);
	assert_int_equal(r.suppress, 0);
	assert_true(r.narrow);
	assert_false(r.unmodelled);
}

/* Words and order of iproute2's print_rule(). */
static void test_rule_str(void **)
{
	const struct {
		struct rule rule;
		const char *text;
	} cases[] = {
		{{.priority = 5207,
			 .invert = true,
			 .fwmark = 0x100cf,
			 .fwmask = UINT32_MAX,
			 .action = FR_ACT_TO_TBL,
			 .table = 65743,
			 .suppress = -1},
			"5207: not from all fwmark 0x100cf lookup 65743"},
		{{.action = FR_ACT_TO_TBL, .table = RT_TABLE_LOCAL, .suppress = -1},
			"0: from all lookup local"},
		{{.priority = 105, .action = FR_ACT_TO_TBL, .table = RT_TABLE_MAIN},
			"105: from all lookup main suppress_prefixlength 0"},
		{{.priority = 5250,
			 .fwmark = 0x80000,
			 .fwmask = 0xff0000,
			 .action = FR_ACT_UNREACHABLE},
			"5250: from all fwmark 0x80000/0xff0000 unreachable"},
		{{.priority = 1,
			 .from = {A("100.64.0.0"), 12},
			 .to = {A("10.0.1.50"), 32},
			 .iif = "lan0",
			 .oif = "CloudflareWARP",
			 .users = true,
			 .uid_last = 9,
			 .proto = IPPROTO_TCP,
			 .sport = {5, 5},
			 .dport = {80, 443},
			 .action = FR_ACT_GOTO,
			 .target = 7},
			"1: from 100.64.0.0/12 to 10.0.1.50 iif lan0 oif CloudflareWARP "
			"uidrange 0-9 ipproto tcp sport 5 dport 80-443 goto 7"},
		{{.priority = 1000, .l3mdev = true, .action = FR_ACT_TO_TBL, .suppress = -1},
			"1000: from all lookup [l3mdev-table]"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[RULE_STRLEN], cut[12];
		assert_string_equal(rule_str(&cases[i].rule, text, sizeof(text)), cases[i].text);
		assert_memory_equal(rule_str(&cases[i].rule, cut, sizeof(cut)), text, 11);
		assert_int_equal(cut[11], '\0');
	}
}

static void test_netconf(void **)
{
	struct nl_message m;
	struct netconf c;
	put_netconf(&m);
	assert_int_equal(netconf_read(header_of(&m), &c), 0);
	assert_int_equal(c.family, AF_INET);
	assert_int_equal(c.ifindex, NETCONFA_IFINDEX_ALL);
	assert_int_equal(c.forwarding, 1);
	assert_int_equal(c.rp_filter, -1);
}

static void test_ct(void **)
{
	struct nl_message m;
	struct ct_entry e;
	struct addr source = A("100.64.0.1");
	put_ct(&m);
	assert_int_equal(ct_read(header_of(&m), &e), 0);
	assert_int_equal(addr_cmp(&e.flow.from, &source), 0);
	assert_int_equal(addr_cmp(&e.flow.to, &source), 0);
	assert_int_equal(e.flow.proto, IPPROTO_TCP);
	assert_int_equal(e.flow.from_port, 40000);
	assert_int_equal(e.flow.to_port, 3000);
	assert_int_equal(e.state.status, IPS_CONFIRMED | IPS_SEEN_REPLY);
	assert_int_equal(e.state.mark, MARK_PROBE);
	assert_non_null(e.zone);
	assert_int_equal(mnl_attr_get_u32(e.id), 0xabcdef);
}

/* The neighbour is the other end. */
static void test_nflog(void **)
{
	static const struct {
		uint8_t hook;
		bool six;
		const char *neighbor;
	} cases[] = {
		{NF_INET_LOCAL_IN, false, "10.0.1.1"},
		{NF_INET_LOCAL_OUT, false, "10.0.1.11"},
		{NF_INET_LOCAL_IN, true, "2000::1"},
		{NF_INET_LOCAL_OUT, true, "2000::2"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nl_message m;
		struct addr want = A(cases[i].neighbor), have;
		if (cases[i].six)
			put_nflog_packet(&m, cases[i].hook, packet6, sizeof(packet6));
		else
			put_nflog_packet(&m, cases[i].hook, packet4, sizeof(packet4));
		assert_int_equal(nflog_parse(header_of(&m), &have), 0);
		assert_int_equal(addr_cmp(&want, &have), 0);
	}
}

static void test_route_order(void **)
{
	static const struct {
		const char *dst;
		uint32_t table, metric;
		uint8_t protocol;
		int oif;
	} sorted[] = {
		{"10.0.0.0/8", 254, 0, 4, 1},
		{"100.64.0.0/12", 254, 0, 4, 1},
		{"100.64.0.0/12", 254, 20, 4, 1},
		{"100.64.0.0/12", 254, 0xFE000000, 4, 9},
		{"100.64.0.0/12", 254, 0xFE000000, 107, 1},
		{"100.64.0.0/12", 254, 0xFE000000, 107, 2},
		{"100.64.0.0/12", 65743, 0, 4, 1},
		{"2001:db8::/32", 254, 0, 4, 1},
	};
	struct route r[COUNT(sorted)] = {};

	for (size_t i = 0; i < COUNT(sorted); i++) {
		assert_int_equal(prefix_parse(sorted[i].dst, &r[i].dst), 0);
		r[i].table = sorted[i].table;
		r[i].metric = sorted[i].metric;
		r[i].protocol = sorted[i].protocol;
		r[i].oif = sorted[i].oif;
	}
	for (size_t i = 0; i < COUNT(sorted); i++) {
		for (size_t j = 0; j < COUNT(sorted); j++) {
			int c = route_cmp(&r[i], &r[j]);
			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
		}
	}
}

static void test_sysctl_keys(void **)
{
	static const char *const refused[] = {
		"",
		"/",
		"/ipv4/ip_forward",
		"ipv4//ip_forward",
		"ipv4/",
		"..",
		"../kernel/hostname",
		"ipv4/../../kernel/hostname",
		"ipv4/./ip_forward",
		"ipv4/conf/all/..",
	};

	for (size_t i = 0; i < COUNT(refused); i++) {
		int value = 4711;
		assert_int_equal(sysctl_get(refused[i], &value), -EINVAL);
		assert_int_equal(sysctl_set(refused[i], 1), -EINVAL);
		assert_int_equal(value, 4711);
	}
	char too_long[SYSCTL_KEY_LEN + 1] = {};
	memset(too_long, 'a', SYSCTL_KEY_LEN);
	int value;
	assert_int_equal(sysctl_get(too_long, &value), -EINVAL);
	too_long[SYSCTL_KEY_LEN - 1] = '\0';
	assert_int_equal(sysctl_get(too_long, &value), -ENOENT);
	assert_int_equal(sysctl_get("ipv4/conf/a..b/forwarding", &value), -ENOENT);
	assert_int_equal(sysctl_get("ipv4/conf/lo/forwarding", &value), 0);
	assert_true(value == 0 || value == 1);
	/* Two numbers. */
	assert_int_equal(sysctl_get("ipv4/ip_local_port_range", &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_rule_str),
		cmocka_unit_test(test_netconf),
		cmocka_unit_test(test_ct),
		cmocka_unit_test(test_nflog),
		cmocka_unit_test(test_route_order),
		cmocka_unit_test(test_sysctl_keys),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
