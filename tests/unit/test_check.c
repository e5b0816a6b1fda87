/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel is asked about a path, and what is made of its answers. Every errno that a
 * lookup can give is tried in both directions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/check.h"
#include "world.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A kernel that only answers one question, and remembers what it was asked. */
struct oracle {
	struct kernel base;
	struct route_question asked[64];
	size_t n;
	int failure;                          /* of the question itself */
	struct route_answer forward, reverse; /* into the LAN, back into the tunnel */
};

static int answer(
	struct kernel *k, const struct route_question *q, struct route_answer *out, struct err *)
{
	struct oracle *o = (struct oracle *)k;

	assert_true(o->n < COUNT(o->asked));
	o->asked[o->n++] = *q;
	if (o->failure)
		return -o->failure;
	*out = q->iif == WORLD_MESH ? o->forward : o->reverse;
	return 0;
}

static const struct kernel_ops oracle_ops = {.route_ask = answer};

static struct oracle oracle_new(void)
{
	struct route to_lan = {.oif = WORLD_LAN, .type = RTN_UNICAST, .table = 254};
	struct route to_mesh = {.oif = WORLD_MESH, .type = RTN_UNICAST, .table = 254};

	return (struct oracle){.base.ops = &oracle_ops,
		.forward = {.route = to_lan},
		.reverse = {.route = to_mesh}};
}

static struct link links[] = {
	{.ifindex = WORLD_LAN, .name = "eth0", .flags = IFF_UP | IFF_LOWER_UP, .mtu = 1500},
	{.ifindex = WORLD_MESH,
		.name = "CloudflareWARP",
		.flags = IFF_UP | IFF_LOWER_UP,
		.mtu = 1280},
};

static void run(struct oracle *o, const char *yaml, struct observed *seen, struct check_result *out)
{
	struct config *config = world_config(yaml);

	*out = (struct check_result){};
	seen->links = (struct link_set){.list = links, .n = COUNT(links)};
	check_run(&o->base, config, seen, out);
	config_free(config);
}

#define ONE_NETWORK(range, network)                             \
	"mesh: {ranges: {workers: [" range "], devices: []}}\n" \
	"lan: [{interface: eth0, networks: [" network "]}]\n"

/* ---- the questions ---- */

static void test_sample(void **)
{
	static const struct {
		const char *yaml, *own, *inside, *outside;
	} cases[] = {
		{ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), nullptr, "100.79.255.254",
			"10.0.1.254"},
		{ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), "10.0.1.254", "100.79.255.254",
			"10.0.1.253"},
		{ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), "100.79.255.254", "100.79.255.253",
			"10.0.1.254"},
		{ONE_NETWORK("100.64.0.0/31", "10.0.1.0/31"), nullptr, "100.64.0.1", "10.0.1.1"},
		{ONE_NETWORK("100.64.0.9/32", "10.0.1.7/32"), nullptr, "100.64.0.9", "10.0.1.7"},
		{ONE_NETWORK("100.64.0.9/32", "10.0.1.7/32"), "10.0.1.7", "100.64.0.9", "10.0.1.7"},
		{ONE_NETWORK("100.64.0.0/30", "10.0.1.0/30"), "10.0.1.2", "100.64.0.2", "10.0.1.1"},
		{ONE_NETWORK("\"2606:4700:cf1:5000::/64\"", "\"2001:db8:1::/64\""), nullptr,
			"2606:4700:cf1:5000:ffff:ffff:ffff:fffe",
			"2001:db8:1:0:ffff:ffff:ffff:fffe"},
		{ONE_NETWORK("\"2606:4700:cf1:5000::/64\"", "\"2001:db8:1::8/128\""), nullptr,
			"2606:4700:cf1:5000:ffff:ffff:ffff:fffe", "2001:db8:1::8"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct oracle o = oracle_new();
		struct ifaddr_entry own = {.ifindex = WORLD_LAN};
		struct observed seen = {};
		struct check_result result;
		char text[ADDR_STRLEN];

		if (cases[i].own) {
			assert_int_equal(addr_parse(cases[i].own, &own.address), 0);
			own.prefix_len = (uint8_t)addr_bits(own.address.family);
			seen.addresses = (struct ifaddr_set){.list = &own, .n = 1};
		}
		run(&o, cases[i].yaml, &seen, &result);
		assert_int_equal(o.n, 2);
		assert_string_equal(addr_str(&o.asked[0].src, text), cases[i].inside);
		assert_string_equal(addr_str(&o.asked[0].dst, text), cases[i].outside);
		assert_int_equal(o.asked[0].iif, WORLD_MESH);
		assert_string_equal(addr_str(&o.asked[1].src, text), cases[i].outside);
		assert_string_equal(addr_str(&o.asked[1].dst, text), cases[i].inside);
		assert_int_equal(o.asked[1].iif, WORLD_LAN);
		assert_int_equal(result.found.n, 0);
		check_clear(&result);
	}
}

/* Each range with the first network, each network with the first range: not their product. */
static void test_count(void **)
{
	struct oracle o = oracle_new();
	struct observed seen = {};
	struct check_result result;

	run(&o,
		"mesh: {ranges: {workers: [100.64.0.0/12, \"2606:4700:cf1:5000::/64\"], "
		"devices: [100.96.0.0/12], sites: [10.9.0.0/16, 10.8.0.0/16]}}\n"
		"lan: [{interface: eth0, networks: [10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24, "
		"\"2001:db8:1::/64\"]}]\n",
		&seen, &result);
	/* IPv4: 3 networks and the 3 other ranges; IPv6: 1. Two questions each. */
	assert_int_equal(o.n, 2 * (3 + 3 + 1));
	check_clear(&result);
}

static void test_interfaces(void **)
{
	static const unsigned flags[] = {0, IFF_UP, IFF_UP | IFF_LOWER_UP};

	for (size_t i = 0; i < COUNT(flags); i++)
		for (size_t j = 0; j < COUNT(flags); j++) {
			struct oracle o = oracle_new();
			struct observed seen = {};
			struct check_result result;
			links[0].flags = flags[i];
			links[1].flags = flags[j];
			run(&o, ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), &seen, &result);
			assert_int_equal(o.n, flags[i] & flags[j] & IFF_UP ? 2 : 0);
			check_clear(&result);
		}
}

static void test_no_answer(void **)
{
	struct oracle o = oracle_new();
	struct observed seen = {};
	struct check_result result;

	o.failure = ENOBUFS;
	run(&o, ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), &seen, &result);
	assert_int_equal(result.error, ENOBUFS);
	assert_int_equal(result.found.n, 0);
	check_clear(&result);
}

/* ---- the answers ---- */

/* forwarding of the interface that the packet enters by, rp_filter of "all" and of it. */
struct settings {
	int forwarding, all, own;
};

static void set(struct netconf list[3], struct settings s)
{
	list[0] = (struct netconf){AF_INET, NETCONFA_IFINDEX_ALL, 0, s.all};
	list[1] = (struct netconf){AF_INET, WORLD_LAN, s.forwarding, s.own};
	list[2] = (struct netconf){AF_INET, WORLD_MESH, s.forwarding, s.own};
}

static void test_errors(void **)
{
	static const struct {
		int error;
		struct settings settings;
		enum condition_code code;
		const char *forward, *reverse; /* subject */
		bool strict;                   /* rp_filter of the tunnel is to blame */
	} cases[] = {
		{EINVAL, {1, 0, 0}, COND_ROUTE_REFUSED, "10.0.1.0/24", "100.64.0.0/12", false},
		{EINVAL, {1, 0, 2}, COND_ROUTE_REFUSED, "10.0.1.0/24", "100.64.0.0/12", false},
		{EINVAL, {1, 2, 1}, COND_ROUTE_REFUSED, "10.0.1.0/24", "100.64.0.0/12", false},
		{EINVAL, {1, 0, 1}, COND_RP_FILTER_STRICT, "CloudflareWARP", "eth0", true},
		{EINVAL, {1, 1, 0}, COND_RP_FILTER_STRICT, "CloudflareWARP", "eth0", true},
		{EXDEV, {1, 1, 1}, COND_RP_FILTER_STRICT, "CloudflareWARP", "eth0", true},
		{EHOSTUNREACH, {0, 0, 0}, COND_FORWARDING_DISABLED, "CloudflareWARP", "eth0",
			false},
		{EHOSTUNREACH, {1, 0, 0}, COND_ROUTE_REFUSED, "10.0.1.0/24", "100.64.0.0/12",
			false},
		{ENETUNREACH, {1, 0, 0}, COND_NO_ROUTE_TO_DESTINATION, "10.0.1.0/24",
			"100.64.0.0/12", false},
		{EACCES, {1, 0, 0}, COND_ROUTE_REFUSED, "10.0.1.0/24", "100.64.0.0/12", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (int back = 0; back < 2; back++) {
			struct oracle o = oracle_new();
			struct netconf list[3];
			struct observed seen = {.netconfs = {.list = list, .n = 3}};
			struct check_result result;
			const char *subject = back ? cases[i].reverse : cases[i].forward;

			set(list, cases[i].settings);
			(back ? &o.reverse : &o.forward)->error = cases[i].error;
			run(&o, ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), &seen, &result);
			assert_int_equal(result.found.n, 1);
			assert_int_equal(result.found.list[0].code, cases[i].code);
			assert_string_equal(result.found.list[0].subject, subject);
			/* Only where the tunnel's packets enter does loosening help. */
			assert_int_equal(result.n_strict, cases[i].strict && !back);
			if (result.n_strict)
				assert_int_equal(result.strict[0], WORLD_MESH);
			check_clear(&result);
		}
}

static void test_routes(void **)
{
	const struct {
		bool back;
		struct route route;
		bool ours;                /* our return route is there */
		enum condition_code code; /* COND_CODES: nothing is wrong */
	} cases[] = {
		{false, {.oif = WORLD_LAN, .type = RTN_UNICAST, .table = 254}, true, COND_CODES},
		{false, {.oif = 9, .type = RTN_UNICAST, .table = 254}, true,
			COND_ROUTE_WRONG_EGRESS},
		{false, {.oif = WORLD_MESH, .type = RTN_UNICAST, .table = 65743}, true,
			COND_WARP_TABLE_CAPTURES_LAN},
		{false, {.oif = 1, .type = RTN_LOCAL, .table = 255}, true, COND_CODES},
		{true, {.oif = WORLD_MESH, .type = RTN_UNICAST, .table = 65743}, true, COND_CODES},
		{true, {.oif = WORLD_LAN, .type = RTN_UNICAST, .table = 254}, true,
			COND_RETURN_ROUTE_SHADOWED},
		{true, {.oif = WORLD_LAN, .type = RTN_UNICAST, .table = 254}, false,
			COND_RETURN_ROUTE_MISSING},
		{true, {.oif = WORLD_LAN, .type = RTN_UNICAST, .table = 52}, true,
			COND_POLICY_RULE_CAPTURES_RETURN},
		{true, {.oif = 1, .type = RTN_LOCAL, .table = 255}, true, COND_CODES},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct oracle o = oracle_new();
		struct route ours = {.oif = WORLD_MESH};
		struct observed seen = {.ours = {.list = &ours, .n = cases[i].ours}};
		struct check_result result;

		assert_int_equal(prefix_parse("100.64.0.0/12", &ours.dst), 0);
		(cases[i].back ? &o.reverse : &o.forward)->route = cases[i].route;
		run(&o, ONE_NETWORK("100.64.0.0/12", "10.0.1.0/24"), &seen, &result);
		assert_int_equal(result.found.n, cases[i].code != COND_CODES);
		if (result.found.n)
			assert_int_equal(result.found.list[0].code, cases[i].code);
		check_clear(&result);
	}
}

/* ---- what no lookup shows ---- */

static struct ifaddr_entry address(int ifindex, const char *text)
{
	struct ifaddr_entry a = {.ifindex = ifindex};
	struct prefix p;
	int r = prefix_parse(text, &p);
	assert_true(r == 0 || r == -EDOM);
	char *slash = strchr(text, '/'), only[ADDR_STRLEN] = {};
	memcpy(only, text, (size_t)(slash - text));
	assert_int_equal(addr_parse(only, &a.address), 0);
	a.prefix_len = p.len;
	return a;
}

#define RANGES(list)                                           \
	"mesh: {ranges: {workers: [" list "], devices: []}}\n" \
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"

static void test_own_networks(void **)
{
	static const struct {
		const char *yaml;
		int ifindex;
		const char *own;
		const char *subject; /* nullptr: nothing is wrong */
	} cases[] = {
		{RANGES("198.51.100.0/25"), WORLD_LAN, "198.51.100.11/24", "198.51.100.0/24"},
		{RANGES("198.51.100.0/24"), WORLD_LAN, "198.51.100.11/24", "198.51.100.0/24"},
		{RANGES("198.51.0.0/16"), WORLD_LAN, "198.51.100.11/23", "198.51.100.0/23"},
		{RANGES("198.51.101.0/24"), WORLD_LAN, "198.51.100.11/24", nullptr},
		{RANGES("198.51.100.0/25"), WORLD_LAN, "198.51.100.129/25", nullptr},
		{RANGES("\"2001:db8:1::/64\""), WORLD_LAN, "2001:db8:1::b/64", "2001:db8:1::/64"},
		{RANGES("\"2001:db8:1::/64\""), WORLD_LAN, "2001:db8:2::b/64", nullptr},
		{RANGES("100.64.0.0/12"), WORLD_LAN, "100.64.9.9/32", nullptr}, /* Tailscale */
		{RANGES("100.64.0.0/12"), WORLD_MESH, "100.64.9.9/12", nullptr},
		{RANGES("100.64.0.0/12"), 9, "100.64.9.9/12", nullptr}, /* which is gone */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct oracle o = oracle_new();
		struct ifaddr_entry own = address(cases[i].ifindex, cases[i].own);
		struct observed seen = {.addresses = {.list = &own, .n = 1}};
		struct check_result result;

		run(&o, cases[i].yaml, &seen, &result);
		assert_int_equal(result.found.n, cases[i].subject ? 1 : 0);
		if (result.found.n) {
			assert_int_equal(result.found.list[0].code, COND_RANGE_OVERLAPS_LAN);
			assert_string_equal(result.found.list[0].subject, cases[i].subject);
		}
		check_clear(&result);
	}
}

/* Somebody's route for a whole range: a lookup tells whether it is in front. */
static void test_whole_range(void **)
{
	static const struct {
		const char *range;
		uint32_t metric, ours; /* of theirs, by the LAN, and of our own route */
		bool found;
	} cases[] = {
		{"100.64.0.0/12", 50, 1000, false}, /* behind a rule, perhaps */
		{"100.64.0.0/12", 50, 1000, true},
		{"2606:4700:cf1:5000::/64", 50, 1000, true},
		{"2606:4700:cf1:5000::/64", 5000, 1000, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct oracle o = oracle_new();
		struct route theirs = {.oif = WORLD_LAN, .metric = cases[i].metric};
		struct route ours = {.oif = WORLD_MESH, .metric = cases[i].ours};
		struct observed seen = {
			.foreign = {.list = &theirs, .n = 1}, .ours = {.list = &ours, .n = 1}};
		struct check_result result;
		char yaml[256];

		assert_int_equal(prefix_parse(cases[i].range, &theirs.dst), 0);
		ours.dst = theirs.dst;
		theirs.type = RTN_UNICAST;
		if (cases[i].found)
			o.reverse.route = (struct route){
				.oif = WORLD_LAN, .type = RTN_UNICAST, .table = 254};
		snprintf(yaml, sizeof(yaml), RANGES("\"%s\""), cases[i].range);
		run(&o, yaml, &seen, &result);
		assert_int_equal(result.found.n, cases[i].found);
		if (cases[i].found)
			assert_int_equal(result.found.list[0].code, COND_RETURN_ROUTE_SHADOWED);
		check_clear(&result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample), cmocka_unit_test(test_count),
		cmocka_unit_test(test_no_answer), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_routes), cmocka_unit_test(test_own_networks),
		cmocka_unit_test(test_whole_range),
		cmocka_unit_test(test_interfaces), /* changes the links */
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
