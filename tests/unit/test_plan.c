/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pure steps: what a configuration asks for, and the difference to what is there. Whole hosts
 * are in tests/golden/plan; here is what those cannot reach.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/plan.h"
#include "lib/marks.h"
#include "world.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct prefix P(const char *text) {
	struct prefix p = {};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* ---- what is put back ---- */

static int
now_two(void *, const char *key, int *value)
{
	if (strstr(key, "gone"))
		return -ENOENT;
	*value = strstr(key, "theirs") ? 7 : 1;
	return 0;
}

static void test_restore(void **)
{
	struct link links[] = {{.ifindex = 2, .name = "eth0"}, {.ifindex = 5, .name = "eth1"}};
	struct observed seen = {.links = {.list = links, .n = COUNT(links)}};
	struct want want = {};
	struct sysctl_record list[] = {
		{"ipv4/conf/eth0/forwarding", 2, 0, 1}, /* ours still */
		{"ipv4/conf/theirs/forwarding", 5, 0, 1},
		{"ipv4/conf/old/forwarding", 9, 0, 1}, /* interface gone */
		{"ipv4/conf/gone/forwarding", 5, 0, 1},
		{"ipv6/conf/all/forwarding", 0, 0, 1},
	};
	static const bool spent[] = {false, true, true, false, false};
	struct sysctl_records records = {.list = list, .n = COUNT(list)};
	struct ops ops = {};
	char name[OP_NAME_LEN];

	plan_diff(&want, &seen, &records, now_two, nullptr, &ops);
	assert_int_equal(ops.n, 2);
	assert_string_equal(op_name(&ops.list[0], name), "sysctl net.ipv6.conf.all.forwarding");
	assert_string_equal(op_name(&ops.list[1], name), "sysctl net.ipv4.conf.eth0.forwarding");
	assert_true(ops.list[0].sysctl.restore && ops.list[1].sysctl.restore);
	assert_int_equal(ops.list[1].sysctl.from, 1);
	assert_int_equal(ops.list[1].sysctl.to, 0);
	ops_clear(&ops);
	for (size_t i = 0; i < COUNT(list); i++)
		assert_int_equal(
			plan_record_spent(&want, &seen, &list[i], now_two, nullptr), spent[i]);
}

/* The same key of another interface of that name is another sysctl. */
static void test_wanted_by_index(void **)
{
	struct link links[] = {{.ifindex = 2, .name = "eth0"}, {.ifindex = 3, .name = "tun"}};
	struct observed seen = {.links = {.list = links, .n = COUNT(links)}};
	struct want_sysctl sysctl = {"ipv4/conf/tun/forwarding", 3, 1};
	struct want want = {.sysctls = &sysctl, .n_sysctls = 1};
	struct sysctl_record now = {"ipv4/conf/tun/forwarding", 3, 0, 1};
	struct sysctl_record before = {"ipv4/conf/tun/forwarding", 2, 0, 1};

	assert_false(plan_record_spent(&want, &seen, &now, now_two, nullptr));
	struct sysctl_records records = {.list = &before, .n = 1};
	struct ops ops = {};
	plan_diff(&want, &seen, &records, now_two, nullptr, &ops);
	assert_int_equal(ops.n, 1); /* as long as that other interface is there */
	assert_int_equal(ops.list[0].sysctl.ifindex, 2);
	ops_clear(&ops);
}

/* A sysctl that cannot be read is left alone. */
static int no_value(void *, const char *, int *)
{
	return -EACCES;
}

static void test_unreadable(void **)
{
	struct observed seen = {};
	struct want_sysctl sysctl = {"ipv6/conf/all/forwarding", 0, 1};
	struct want want = {.sysctls = &sysctl, .n_sysctls = 1};
	struct sysctl_records records = {};
	struct ops ops = {};

	plan_diff(&want, &seen, &records, no_value, nullptr, &ops);
	assert_int_equal(ops.n, 0);
}

/* ---- routes ---- */

static void test_routes(void **)
{
	struct route ours = {.dst = P("100.64.0.0/12"),
		.table = MARK_RT_TABLE,
		.metric = MARK_METRIC,
		.protocol = MARK_RTPROT,
		.type = RTN_UNICAST,
		.oif = 3};
	struct route other_metric = ours, other_oif = ours, other_type = ours, by_gateway = ours;
	other_metric.metric = 20;
	other_oif.oif = 4;
	other_type.type = RTN_BLACKHOLE;
	by_gateway.gateway = P("10.0.1.1/32").addr;
	const struct {
		const struct route *have;
		bool same;
	} cases[] = {{&ours, true}, {&other_metric, false}, {&other_oif, false},
		{&other_type, false}, {&by_gateway, false}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct route have = *cases[i].have, wanted = ours;
		struct observed seen = {.ours = {.list = &have, .n = 1}};
		struct want want = {.routes = {.list = &wanted, .n = 1}};
		struct sysctl_records records = {};
		struct ops ops = {};
		plan_diff(&want, &seen, &records, no_value, nullptr, &ops);
		assert_int_equal(ops.n, cases[i].same ? 0 : 2);
		if (ops.n) { /* make before break */
			assert_int_equal(ops.list[0].action, OP_ADD);
			assert_int_equal(ops.list[1].action, OP_DELETE);
		}
		ops_clear(&ops);
	}
}

/* ---- names ---- */

static void test_names(void **)
{
	static const struct {
		const char *key, *name;
	} keys[] = {
		{"ipv4/conf/eth0/forwarding", "sysctl net.ipv4.conf.eth0.forwarding"},
		{"ipv4/conf/eth0.7/rp_filter", "sysctl net.ipv4.conf.eth0/7.rp_filter"},
	};
	char buf[OP_NAME_LEN];

	for (size_t i = 0; i < COUNT(keys); i++) {
		struct op op = {.kind = OP_SYSCTL, .action = OP_SET};
		snprintf(op.sysctl.key, sizeof(op.sysctl.key), "%s", keys[i].key);
		assert_string_equal(op_name(&op, buf), keys[i].name);
	}
	struct op longest = {.kind = OP_SYSCTL};
	memset(longest.sysctl.key, 'k', sizeof(longest.sysctl.key) - 1);
	assert_true(strlen(op_name(&longest, buf)) < OP_NAME_LEN);
	struct op nft = {.kind = OP_NFT};
	assert_string_equal(op_name(&nft, buf), "nft table inet meshgw");
	assert_string_equal(op_detail(&nft, buf), "");
}

/* ---- the model ---- */

/* Text of a model's allow list: "from to protocols ports", sorted as made. */
static void check_allow(const char *yaml, const char *const *expected, size_t n)
{
	struct config *config = world_config(yaml);
	struct nft_model *m = want_model(config, nullptr, false, nullptr);

	assert_true(m->allow_list);
	assert_int_equal(m->n_allow, n);
	for (size_t i = 0; i < n; i++) {
		char from[PREFIX_STRLEN], to[PREFIX_STRLEN], text[200];
		const struct nft_allow *a = &m->allow[i];
		snprintf(text, sizeof(text), "%s %s %u-%u %u-%u", prefix_str(&a->from, from),
			prefix_str(&a->to, to), a->proto_first, a->proto_last, a->port_first,
			a->port_last);
		assert_string_equal(text, expected[i]);
	}
	want_model_free(m);
	config_free(config);
}

#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}]\n"

static void test_allow(void **)
{
	static const char *const ports[] = {
		"100.64.0.0/12 10.0.1.50/32 6-6 3000-3000",
		"100.64.0.0/12 10.0.1.50/32 6-6 8000-8100",
		"100.64.0.0/12 10.0.1.50/32 17-17 53-53",
		"100.64.0.0/12 10.0.1.50/32 1-1 0-65535",
	};
	static const char *const everything[] = {
		"100.64.0.0/12 10.0.1.0/24 0-255 0-65535",
		"100.96.0.0/12 10.0.1.0/24 0-255 0-65535",
	};
	static const char *const six[] = {
		"2606:4700:cf1:5000::/64 2001:db8:1::50/128 58-58 0-65535",
	};
	static const char *const part[] = {
		"100.64.7.0/24 10.0.1.50/32 0-255 0-65535",
	};

	check_allow(LAN "allow: [{from: workers, to: 10.0.1.50, tcp: [3000, \"8000-8100\"], "
			"udp: [53], icmp: true}]\n",
		ports, COUNT(ports));
	check_allow(LAN "allow: [{to: 10.0.1.0/24}]\n", everything, COUNT(everything));
	check_allow(LAN "allow: [{from: workers, to: \"2001:db8:1::50\", icmp: true}]\n", six,
		COUNT(six));
	check_allow(LAN "allow: [{from: 100.64.7.0/24, to: 10.0.1.50}]\n", part, COUNT(part));
	check_allow(LAN "allow: []\n", nullptr, 0);
}

/* Route mode alone needs no connection tracking; one exception is enough to need it. */
static void test_nat(void **)
{
	static const struct {
		const char *yaml;
		bool nat;
		size_t networks, masquerade, route;
	} cases[] = {
		{LAN "return_path: route\n", false, 0, 0, 0},
		{LAN "return_path: masquerade\n", true, 2, 0, 0},
		{LAN "return_path: auto\n", true, 2, 0, 0},
		{LAN, true, 2, 0, 0},
		{"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, return_path: route, "
		 "hosts: [{address: 10.0.1.9, return_path: masquerade}]}]}]\n",
			true, 0, 1, 0},
		{"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, return_path: "
		 "masquerade, hosts: [{address: 10.0.1.9, return_path: route}]}]}]\n",
			true, 1, 0, 1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config = world_config(cases[i].yaml);
		struct nft_model *m = want_model(config, nullptr, false, nullptr);
		assert_int_equal(m->nat, cases[i].nat);
		assert_int_equal(m->n_masquerade_networks, cases[i].networks);
		assert_int_equal(m->n_masquerade_hosts, cases[i].masquerade);
		assert_int_equal(m->n_route_hosts, cases[i].route);
		assert_false(m->allow_list);
		assert_int_equal(m->n_ranges, 4);
		assert_string_equal(m->mesh_interface, "CloudflareWARP");
		want_model_free(m);
		config_free(config);
	}
}

/* ---- why a table is written ---- */

static void test_explain(void **)
{
	static const struct {
		const char *from, *to;
		enum op_action action;
		uint64_t written; /* 7 is there */
		const char *detail;
		bool changes;
	} cases[] = {
		{world_route, world_route, OP_ADD, 7, "route, everything allowed (missing)", false},
		{world_route, world_route, OP_SET, 0, "route, everything allowed (taken over)",
			false},
		{world_route, world_route, OP_SET, 6,
			"route, everything allowed (changed by others)", false},
		{world_route, world_route, OP_SET, 7,
			"route, everything allowed (written in another form)", false},
		{world_masquerade, world_allow, OP_SET, 7,
			"masquerade, everything allowed -> masquerade, 1 allow entry", true},
		{nullptr, world_route, OP_ADD, 0, "route, everything allowed", true},
		{nullptr, world_route, OP_SET, 0,
			"route, everything allowed (in place of what is there)", true},
		{world_allow, nullptr, OP_DELETE, 7, "masquerade, 1 allow entry", false},
		{nullptr, nullptr, OP_DELETE, 0, "", false},
	};
	struct nft_state seen = {.exists = true, .digest = 7};
	char detail[OP_NAME_LEN];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *from = cases[i].from ? world_config(cases[i].from) : nullptr;
		struct config *to = cases[i].to ? world_config(cases[i].to) : nullptr;
		struct op op = {.kind = OP_NFT, .action = cases[i].action};
		struct ops ops = {.list = &op, .n = 1};
		plan_explain(&ops, from, to, &seen, cases[i].written);
		assert_string_equal(op_detail(&op, detail), cases[i].detail);
		assert_int_equal(ops.changes.n > 0, cases[i].changes);
		config_changes_clear(&ops.changes);
		config_free(from);
		config_free(to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_wanted_by_index),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
