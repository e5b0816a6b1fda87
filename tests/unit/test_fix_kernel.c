/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repairs in a real kernel: each changes exactly the object that it names, beside others like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/config.h"
#include "daemon/fix_do.h"
#include "lib/marks.h"
#include "nft_world.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool shell(const char *command)
{
	return system(command) == 0;
}

/* One step; 0, or what fix_check() or fix_do() say. */
static int perform(const struct fix_step *step, size_t *n, struct err *err)
{
	static struct fix f;
	struct fix_tools *tools;

	f = (struct fix){.list = {*step}, .n = 1};
	assert_int_equal(fix_tools_open(&tools, err), 0);
	int r = fix_check(tools, &f, err);
	*n = f.n;
	if (r == 0)
		r = fix_do(tools, &f, err);
	fix_tools_close(tools);
	return r;
}

static void expect(const struct fix_step *step, size_t todo)
{
	struct err err = {};
	size_t n = 0;

	if (perform(step, &n, &err) != 0)
		fail_msg("%s", err.msg);
	assert_int_equal(n, todo);
}

static bool any(const struct route *, void *)
{
	return true;
}

static size_t count_routes(struct nft_world *w, uint8_t family, uint32_t table)
{
	struct route_filter filter = {.family = family, .table = table};
	struct route_set found = {};
	assert_int_equal(route_dump(w->net->nl, &filter, any, nullptr, &found, nullptr), 0);
	size_t n = found.n;
	route_set_clear(&found);
	return n;
}

static struct fix_step route_step(const struct route *r, const char *type, const char *interface)
{
	struct fix_step step = {.kind = FIX_ROUTE, .route.route = *r};
	snprintf(step.route.type, sizeof(step.route.type), "%s", type);
	snprintf(step.route.interface, sizeof(step.route.interface), "%s", interface);
	step.route.route.oif = 0;
	return step;
}

/* The same prefix in the same table, five times, of both families. */
static void test_route(void **state)
{
	struct nft_world *w = *state;
	static const char *const prefixes[] = {"198.51.100.0/24", "2001:db8:5::/64"};

	for (size_t i = 0; i < 2; i++) {
		struct prefix dst = netns_prefix(prefixes[i]);
		uint8_t family = dst.addr.family;
		struct route twins[] = {
			{.dst = dst,
				.table = 777,
				.protocol = RTPROT_STATIC,
				.metric = 5,
				.type = RTN_BLACKHOLE},
			{.dst = dst,
				.table = 777,
				.protocol = RTPROT_BOOT,
				.metric = 6,
				.type = RTN_BLACKHOLE},
			{.dst = dst,
				.table = 777,
				.protocol = RTPROT_STATIC,
				.metric = 7,
				.oif = w->net->lan},
			{.dst = dst,
				.table = 777,
				.protocol = RTPROT_STATIC,
				.metric = 8,
				.oif = w->net->mesh},
			{.dst = dst,
				.table = 777,
				.protocol = RTPROT_STATIC,
				.metric = 9,
				.type = RTN_UNREACHABLE},
		};
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(
				netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &twins[j]), 0);
		size_t before = count_routes(w, family, 777);
		struct fix_step blackhole = route_step(&twins[1], "blackhole", "");
		struct fix_step plain = route_step(&twins[3], "unicast", "mesh0");
		struct fix_step other = route_step(&twins[3], "unicast", "lan0");
		expect(&blackhole, 1);
		assert_int_equal(count_routes(w, family, 777), before - 1);
		expect(&blackhole, 0); /* done already */
		expect(&other, 0);     /* never was */
		expect(&plain, 1);
		assert_int_equal(count_routes(w, family, 777), before - 2);
	}
}

static size_t count_rules(struct nft_world *w, const char *text)
{
	struct rule_set rules = {};
	size_t n = 0;
	assert_int_equal(rule_dump(w->net->nl, AF_INET, &rules, nullptr), 0);
	for (size_t i = 0; i < rules.n; i++) {
		char buf[RULE_STRLEN];
		n += !strcmp(rule_str(&rules.list[i], buf, sizeof(buf)), text);
	}
	rule_set_clear(&rules);
	return n;
}

static void test_rules(void **state)
{
	struct nft_world *w = *state;
	struct fix_step add = {.kind = FIX_RULE_ADD,
		.rule = {.family = AF_INET,
			.table = RT_TABLE_MAIN,
			.action = FR_ACT_TO_TBL,
			.to = netns_prefix("100.64.0.0/12"),
			.suppress = -1}};
	struct fix_step del = {.kind = FIX_RULE_DEL,
		.rule.family = AF_INET,
		.rule_text = "77: from 10.0.1.0/24 unreachable"};
	static const char text[] = "0: from all to 100.64.0.0/12 lookup main";

	expect(&add, 1);
	assert_int_equal(count_rules(w, text), 1);
	expect(&add, 0);
	assert_int_equal(system("ip rule add priority 77 from 10.0.1.0/24 unreachable && "
				"ip rule add priority 77 from 10.0.2.0/24 unreachable"),
		0);
	assert_int_equal(count_rules(w, del.rule_text), 1);
	expect(&del, 1);
	assert_int_equal(count_rules(w, del.rule_text), 0);
	assert_int_equal(count_rules(w, "77: from 10.0.2.0/24 unreachable"), 1);
	expect(&del, 0);
}

static uint64_t handle_of(const char *rule)
{
	char command[256], line[64] = "";
	snprintf(command, sizeof(command),
		"nft -a list table inet fw | sed -n 's/.*%s # handle //p'", rule);
	FILE *f = popen(command, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	return strtoull(line, nullptr, 10);
}

/* In front of the rule that drops, and only while it is that rule. */
static void test_accept(void **)
{
	struct err err = {};
	size_t n;
	struct fix_step step = {.kind = FIX_ACCEPT,
		.accept = {.family = NFPROTO_INET, .table = "fw", .chain = "front"}};
	struct nft_accept *a = &step.accept.accept;

	snprintf(a->iif, sizeof(a->iif), "mesh0");
	a->from = netns_prefix("100.64.0.0/12");
	a->to = netns_prefix("10.0.1.0/24");
	assert_true(shell("nft add table inet fw && nft add chain inet fw front "
			  "'{ type filter hook forward priority 0; }' && "
			  "nft add rule inet fw front tcp dport 22 accept && "
			  "nft add rule inet fw front tcp dport 3000 drop"));
	step.accept.handle = handle_of("drop");
	snprintf(step.accept.text, sizeof(step.accept.text), "tcp dport 3000 drop");
	expect(&step, 1);
	assert_true(shell("nft list chain inet fw front | tr -d '\\n\\t' | grep -q "
			  "'tcp dport 22 acceptiifname \"mesh0\" ip saddr 100.64.0.0/12 ip "
			  "daddr 10.0.1.0/24 counter packets 0 bytes 0 accept comment "
			  "\"meshgw fix\"tcp dport 3000 drop'"));
	expect(&step, 0); /* once is enough */
	snprintf(step.accept.text, sizeof(step.accept.text), "tcp dport 3001 drop");
	assert_int_equal(perform(&step, &n, &err), -ESTALE);
	step.accept.handle = 4711;
	assert_int_equal(perform(&step, &n, &err), -ESTALE);
	step.accept.handle = 0; /* its policy */
	a->from = netns_prefix("2606:4700:cf1:5000::/64");
	a->to = (struct prefix){};
	expect(&step, 1);
	assert_true(shell("nft list chain inet fw front | tr -d '\\n\\t' | grep -q "
			  "'tcp dport 3000 dropiifname \"mesh0\" ip6 saddr "
			  "2606:4700:cf1:5000::/64 counter'"));
}

/* Frames at an interface's ingress have no family of their own. */
static void test_accept_netdev(void **)
{
	struct fix_step step = {.kind = FIX_ACCEPT,
		.accept = {.family = NFPROTO_NETDEV, .table = "fw", .chain = "in"}};
	struct nft_accept *a = &step.accept.accept;

	snprintf(a->iif, sizeof(a->iif), "lo");
	a->from = netns_prefix("10.0.1.0/24");
	a->proto = IPPROTO_TCP;
	a->sport = 3000;
	assert_true(shell("nft add table netdev fw && nft add chain netdev fw in "
			  "'{ type filter hook ingress device lo priority 0; policy drop; }'"));
	expect(&step, 1);
	expect(&step, 0);
	assert_true(shell("nft list chain netdev fw in | grep -q 'iifname \"lo\" ip saddr "
			  "10.0.1.0/24 tcp sport 3000 counter packets 0 bytes 0 accept'"));
	assert_true(shell("nft delete table netdev fw"));
}

/* iptables still reads a chain that has such a rule. */
static void test_accept_iptables(void **)
{
	static const struct {
		uint8_t family, proto;
		const char *table, *program, *from, *shown;
	} cases[] = {
		{NFPROTO_IPV4, IPPROTO_TCP, "ip", "iptables", "100.64.0.0/12",
			"-s 100.64.0.0/12 -i mesh0 -p tcp -m tcp --dport 3000 .*-j ACCEPT"},
		{NFPROTO_IPV4, IPPROTO_UDP, "ip", "iptables", "100.64.0.0/12",
			"-s 100.64.0.0/12 -i mesh0 -p udp -m udp --dport 3000 .*-j ACCEPT"},
		{NFPROTO_IPV4, IPPROTO_ICMP, "ip", "iptables", "100.64.0.0/12",
			"-s 100.64.0.0/12 -i mesh0 -p icmp .*-j ACCEPT"},
		{NFPROTO_IPV6, IPPROTO_TCP, "ip6", "ip6tables", "2606:4700:cf1:5000::/64",
			"-s 2606:4700:cf1:5000::/64 -i mesh0 -p tcp -m tcp --dport 3000 .*-j ACCEPT"},
		{NFPROTO_IPV6, IPPROTO_ICMPV6, "ip6", "ip6tables", "2606:4700:cf1:5000::/64",
			"-s 2606:4700:cf1:5000::/64 -i mesh0 -p ipv6-icmp .*-j ACCEPT"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fix_step step = {.kind = FIX_ACCEPT,
			.accept = {.family = cases[i].family, .table = "filter", .chain = "INPUT"}};
		struct nft_accept *a = &step.accept.accept;
		bool port = cases[i].proto == IPPROTO_TCP || cases[i].proto == IPPROTO_UDP;
		char command[512];

		snprintf(a->iif, sizeof(a->iif), "mesh0");
		a->from = netns_prefix(cases[i].from);
		a->proto = cases[i].proto;
		a->dport = port ? 3000 : 0;
		snprintf(command, sizeof(command), "%s -A INPUT -p tcp --dport 22 -j DROP",
			cases[i].program);
		assert_true(shell(command));
		expect(&step, 1);
		snprintf(command, sizeof(command), "%s -S INPUT | grep -Eq -- '%s'",
			cases[i].program, cases[i].shown);
		if (!shell(command)) {
			snprintf(command, sizeof(command), "%s -S INPUT >&2", cases[i].program);
			(void)shell(command);
			fail_msg("%s does not show %s", cases[i].program, cases[i].shown);
		}
		snprintf(command, sizeof(command), "nft delete table %s filter", cases[i].table);
		assert_true(shell(command));
	}
}

/* Somebody has raised it further meanwhile. */
static void test_limit(void **)
{
	struct fix_step step = {.kind = FIX_SYSCTL,
		.sysctl = {
			.key = "ipv4/conf/lan0/rp_filter", .to = 1, .from = -1, .at_least = true}};

	assert_int_equal(sysctl_set(step.sysctl.key, 2), 0);
	expect(&step, 0);
	assert_int_equal(sysctl_set(step.sysctl.key, 0), 0);
	expect(&step, 1);
}

static void find(struct fix *out)
{
	struct config *config = nullptr;
	struct config_diags diags = {};
	struct fix_tools *tools;
	struct err err = {};
	static const char text[] = "mesh: {interface: mesh0}\n"
				   "lan: [{interface: lan0, networks: [10.0.1.0/24]}]\n";

	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	assert_int_equal(fix_tools_open(&tools, &err), 0);
	if (fix_find_leftovers(tools, config, out, &err) != 0)
		fail_msg("%s", err.msg);
	fix_tools_close(tools);
	config_diags_clear(&diags);
	config_free(config);
}

static void remove_all(const struct fix *f)
{
	for (size_t i = 0; i < f->n; i++)
		expect(&f->list[i], 1);
}

static void add_nat(const char *rule)
{
	char command[256];

	snprintf(command, sizeof(command), "nft 'add rule inet nat post %s'", rule);
	assert_true(shell(command));
}

static void make_nat(const char *rule)
{
	assert_true(shell("nft add table inet nat && nft add chain inet nat post "
			  "'{ type nat hook postrouting priority 100; }'"));
	add_nat(rule);
}

/* The field report's repair by hand; what only looks like it stays. */
static void test_leftovers(void **state)
{
	struct nft_world *w = *state;
	static struct fix f;
	struct route by_hand = {.dst = netns_prefix("100.64.0.0/12"),
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_BOOT,
		.oif = w->net->mesh};
	struct route ours = by_hand;
	ours.protocol = MARK_RTPROT;
	ours.metric = MARK_METRIC;
	(void)netns_route(w->net, RTM_DELROUTE, 0, &by_hand);

	find(&f);
	assert_int_equal(f.n, 0);
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &by_hand), 0);
	find(&f);
	assert_int_equal(f.n, 0); /* the only route that there is */
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &ours), 0);
	make_nat("ip saddr 100.64.0.0/12 oifname lan0 counter masquerade");
	find(&f);
	assert_int_equal(f.n, 2);
	remove_all(&f);
	assert_false(shell("nft list table inet nat 2>/dev/null"));
	find(&f);
	assert_int_equal(f.n, 0);
}

/* Tables of that name, and whether one is taken for a repair of the mesh's way back. */
static const struct {
	const char *rules[2];
	bool recognised;
} tables[] = {
	{{"ip saddr 100.64.0.0/12 masquerade"}, true},
	{{"oifname lan0 ip saddr 100.64.3.0/24 masquerade"}, true},
	{{"iifname mesh0 oifname lan0 counter masquerade"}, true},
	{{"iif mesh0 oif lan0 masquerade"}, true},
	{{"ip saddr 100.64.0.0/12 masquerade random"}, true},
	{{"ip saddr 100.64.0.0/12 oifname lan0 masquerade",
		 "ip6 saddr 2606:4700:cf1:5000::/64 oifname lan0 masquerade"},
		true},
	/* A VPN or containers: this host has other interfaces. */
	{{"oifname lan0 masquerade"}, false},
	{{"masquerade"}, false},
	{{"ip saddr 100.64.0.0/10 oifname lan0 masquerade"}, false},
	{{"ip saddr 10.8.0.0/24 oifname lan0 masquerade"}, false},
	{{"ip saddr 100.64.0.0/12 oifname lan0 masquerade",
		 "ip saddr 10.8.0.0/24 oifname lan0 masquerade"},
		false},
	{{"ip saddr 100.64.0.0/12 oifname wan0 masquerade"}, false},
	{{"iifname wg0 oifname lan0 masquerade"}, false},
	{{"ip saddr 100.64.0.0/12 tcp dport 80 masquerade"}, false},
	{{"ip saddr 100.64.0.0/12 ip daddr 10.0.1.0/24 masquerade"}, false},
	{{"ip saddr != 100.64.0.0/12 masquerade"}, false},
	{{"ip saddr 100.64.0.0/12 snat to 10.0.1.11"}, false},
};

static void test_nat_tables(void **)
{
	static struct fix f;

	make_nat("oifname lan0 masquerade");
	find(&f);
	assert_int_equal(f.n, 1); /* nothing else could leave by the LAN */
	assert_true(shell("nft delete table inet nat"));
	assert_true(shell("ip link add wg0 type veth peer name wg0p"));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		make_nat(tables[i].rules[0]);
		if (tables[i].rules[1])
			add_nat(tables[i].rules[1]);
		find(&f);
		if (f.n != tables[i].recognised)
			fail_msg("%s: %srecognised", tables[i].rules[0], f.n ? "" : "not ");
		assert_true(shell("nft delete table inet nat"));
	}
}

/* What was shown has become something else. */
static void test_nat_changed(void **)
{
	static struct fix f;
	struct err err = {};
	size_t n;

	make_nat("ip saddr 100.64.0.0/12 masquerade");
	find(&f);
	assert_int_equal(f.n, 1);
	add_nat("ip saddr 10.8.0.0/24 masquerade");
	assert_int_equal(perform(&f.list[0], &n, &err), 0);
	assert_int_equal(n, 0);
	assert_true(shell("nft delete table inet nat"));
}

/* Nothing else could leave by the LAN: the masquerade of all is for the mesh. */
static void test_nat_words(void **)
{
	struct prefix range = netns_prefix("100.64.0.0/12");
	struct nft_mend_nat n = {
		.mesh = "mesh0", .lan = "lan0", .ranges = &range, .n_ranges = 1, .alone = true};

	assert_true(nft_mend_is_nat("oifname \"lan0\" masquerade", &n));
	assert_false(nft_mend_is_nat("masquerade", &n));
	assert_false(nft_mend_is_nat("oifname", &n));
	assert_false(nft_mend_is_nat("", &n));
	assert_false(nft_mend_is_nat("ip", &n));
	assert_false(nft_mend_is_nat("oifname \"lan0\" masquerade masquerade", &n));
	n.alone = false;
	assert_false(nft_mend_is_nat("oifname \"lan0\" masquerade", &n));
}

static void test_sysctl(void **)
{
	struct fix_step step = {.kind = FIX_SYSCTL,
		.sysctl = {.key = "ipv4/conf/lan0/rp_filter", .to = 2, .from = -1}};
	int value;

	assert_int_equal(sysctl_set(step.sysctl.key, 1), 0);
	expect(&step, 1);
	assert_int_equal(sysctl_get(step.sysctl.key, &value), 0);
	assert_int_equal(value, 2);
	expect(&step, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)
		KERNEL_TEST(test_route),
		KERNEL_TEST(test_rules),
		KERNEL_TEST(test_accept),
		KERNEL_TEST(test_accept_netdev),
		KERNEL_TEST(test_accept_iptables),
		KERNEL_TEST(test_limit),
		KERNEL_TEST(test_leftovers),
		KERNEL_TEST(test_nat_tables),
		KERNEL_TEST(test_nat_changed),
		KERNEL_TEST(test_nat_words),
		KERNEL_TEST(test_sysctl),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
