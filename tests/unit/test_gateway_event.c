/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each notification makes doubtful: which marks it leaves, and what is forgotten of our
 * routes. The kernel itself does not change in here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/gateway_int.h"
#include "lib/marks.h"
#include "rtevent.h"
#include "world.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr unsigned RUNNING = IFF_UP | IFF_LOWER_UP;
constexpr unsigned LOOK = DIRTY_PASS | DIRTY_LINKS;
constexpr unsigned ROUTES = 4; /* ours, two of each family */

static void start(struct world *w)
{
	world_init(w, world_host);
	world_enter(w, world_masquerade);
	assert_int_equal(world_run(w, WORLD_SECOND), 0);
	assert_int_equal(w->gateway.seen.ours.n, ROUTES);
	assert_int_equal(w->gateway.dirty, 0);
}

static void tell(struct world *w, const struct nlmsghdr *nlh)
{
	gateway_event(&w->gateway, WATCH_ROUTE, nlh);
}

/* ---- links ---- */

static void test_links(void **)
{
	static const struct {
		const char *name;
		uint16_t type;
		int ifindex;
		const char *link;
		unsigned flags;
		unsigned dirty;
		size_t known; /* of our routes, afterwards */
	} cases[] = {
		{"tunnel up", RTM_NEWLINK, WORLD_MESH, "CloudflareWARP", RUNNING, LOOK, 0},
		{"tunnel down", RTM_NEWLINK, WORLD_MESH, "CloudflareWARP", 0, LOOK, 0},
		{"tunnel gone", RTM_DELLINK, WORLD_MESH, "CloudflareWARP", 0, LOOK, 0},
		{"tunnel anew", RTM_NEWLINK, 44, "CloudflareWARP", RUNNING, LOOK, ROUTES},
		{"tunnel renamed", RTM_NEWLINK, WORLD_MESH, "tun7", RUNNING, LOOK, 0},
		{"LAN down", RTM_NEWLINK, WORLD_LAN, "eth0", 0, LOOK, ROUTES},
		{"LAN renamed", RTM_NEWLINK, WORLD_LAN, "lan0", RUNNING, LOOK, ROUTES},
		{"becomes the LAN", RTM_NEWLINK, 9, "eth0", RUNNING, LOOK, ROUTES},
		{"somebody's", RTM_NEWLINK, 9, "docker0", RUNNING, 0, ROUTES},
		{"somebody's gone", RTM_DELLINK, 9, "docker0", 0, 0, ROUTES},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct nl_message m;

		print_message("%s\n", cases[i].name);
		start(&w);
		tell(&w, rtevent_link(&m, cases[i].type, cases[i].ifindex, cases[i].link,
				 cases[i].flags));
		assert_int_equal(w.gateway.dirty, cases[i].dirty);
		assert_int_equal(w.gateway.seen.ours.n, cases[i].known);
		world_clear(&w);
	}
}

/* Routes go with their interface, in silence. */
static void test_others_link(void **)
{
	static const char *const roads[] = {"route 100.64.7.7/32 dev 9 proto 4 metric 0",
		"rule 5270 table 52\nroute 100.64.7.7/32 dev 9 proto 3 metric 0 table 52"};

	for (size_t i = 0; i < COUNT(roads); i++) {
		struct world w;
		struct nl_message m;

		start(&w);
		assert_int_equal(dummy_load(w.kernel, roads[i]), 0);
		gateway_mark(&w.gateway, DIRTY_ALL);
		world_run(&w, WORLD_SECOND);
		tell(&w, rtevent_link(&m, RTM_DELLINK, 9, "tailscale0", 0));
		assert_int_equal(w.gateway.dirty, DIRTY_CHECK | DIRTY_TABLES);
		world_clear(&w);
	}
}

/* ---- addresses ---- */

static void test_addresses(void **)
{
	static const struct {
		uint16_t type;
		int ifindex;
		const char *prefix;
		unsigned dirty;
		size_t known;
	} cases[] = {
		{RTM_NEWADDR, WORLD_MESH, "100.96.0.18/32", LOOK, ROUTES},
		{RTM_DELADDR, WORLD_MESH, "100.96.0.18/32", LOOK, ROUTES / 2},
		{RTM_DELADDR, WORLD_LAN, "10.0.1.11/24", LOOK, ROUTES},
		{RTM_NEWADDR, WORLD_LAN, "10.0.1.12/24", LOOK, ROUTES},
		{RTM_NEWADDR, 9, "172.17.0.1/16", 0, ROUTES},
		{RTM_DELADDR, 9, "172.17.0.1/16", 0, ROUTES},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct nl_message m;

		start(&w);
		tell(&w, rtevent_address(&m, cases[i].type, cases[i].ifindex, cases[i].prefix));
		assert_int_equal(w.gateway.dirty, cases[i].dirty);
		assert_int_equal(w.gateway.seen.ours.n, cases[i].known);
		world_clear(&w);
	}
}

/* An IPv6 address that goes takes no IPv6 route along silently, but looking is free. */
static void test_address6(void **)
{
	struct world w;
	struct nl_message m;

	start(&w);
	tell(&w, rtevent_address(&m, RTM_DELADDR, WORLD_MESH, "2001:db8::1/64"));
	assert_int_equal(w.gateway.dirty, LOOK);
	for (size_t i = 0; i < w.gateway.seen.ours.n; i++)
		assert_int_equal(w.gateway.seen.ours.list[i].dst.addr.family, AF_INET6);
	world_clear(&w);
}

/* ---- routes ---- */

static void test_routes(void **)
{
	constexpr uint8_t OURS = MARK_RTPROT;
	constexpr uint32_t METRIC = MARK_METRIC;
	static const struct {
		const char *name;
		uint16_t type, flags;
		const char *dst;
		uint32_t table, metric;
		uint8_t protocol;
		int oif;
		unsigned dirty;
		size_t ours, foreign; /* known afterwards */
	} cases[] = {
		/* Echoes of our own writes cause no work. */
		{"ours added", RTM_NEWROUTE, 0, "100.64.0.0/12", 254, METRIC, OURS, WORLD_MESH, 0,
			ROUTES, 0},
		{"ours deleted", RTM_DELROUTE, 0, "100.64.0.0/12", 254, METRIC, OURS, WORLD_MESH,
			DIRTY_PASS, ROUTES - 1, 0},
		{"ours unknown", RTM_NEWROUTE, 0, "100.77.0.0/16", 254, METRIC, OURS, WORLD_MESH,
			DIRTY_PASS, ROUTES + 1, 0},
		{"ours deleted, unknown", RTM_DELROUTE, 0, "100.77.0.0/16", 254, METRIC, OURS,
			WORLD_MESH, 0, ROUTES, 0},
		{"same number in another table", RTM_NEWROUTE, 0, "100.64.0.0/12", 99, METRIC, OURS,
			WORLD_MESH, DIRTY_CHECK | DIRTY_TABLES, ROUTES, 0},
		/* Others', inside the ranges. */
		{"FRR's", RTM_NEWROUTE, 0, "100.64.0.0/12", 254, 20, RTPROT_ZEBRA, WORLD_MESH,
			DIRTY_PASS | DIRTY_CHECK, ROUTES, 1},
		{"thief's", RTM_NEWROUTE, NLM_F_REPLACE, "100.64.0.0/12", 254, METRIC, RTPROT_BOOT,
			WORLD_LAN, DIRTY_PASS | DIRTY_CHECK, ROUTES - 1, 1},
		{"host route", RTM_NEWROUTE, 0, "100.64.1.1/32", 254, 0, RTPROT_STATIC, WORLD_LAN,
			DIRTY_PASS | DIRTY_CHECK, ROUTES, 1},
		{"IPv6", RTM_NEWROUTE, 0, "2606:4700:cf1:5000::/96", 254, 0, RTPROT_STATIC,
			WORLD_LAN, DIRTY_PASS | DIRTY_CHECK, ROUTES, 1},
		{"goes", RTM_DELROUTE, 0, "100.64.0.0/12", 254, 20, RTPROT_ZEBRA, WORLD_MESH,
			DIRTY_PASS | DIRTY_CHECK, ROUTES - 1, 0},
		{"in WARP's table", RTM_NEWROUTE, 0, "100.96.0.0/12", 65743, 0, RTPROT_STATIC,
			WORLD_MESH, DIRTY_CHECK | DIRTY_TABLES, ROUTES, 0},
		{"Tailscale's host", RTM_NEWROUTE, 0, "100.101.102.103/32", 52, 0, RTPROT_BOOT, 9,
			DIRTY_CHECK | DIRTY_TABLES | DIRTY_LINKS, ROUTES, 0},
		{"around a range, in another table", RTM_NEWROUTE, 0, "100.64.0.0/10", 52, 0,
			RTPROT_BOOT, 9, DIRTY_CHECK | DIRTY_TABLES | DIRTY_LINKS, ROUTES, 0},
		{"an address of this host", RTM_NEWROUTE, 0, "100.64.1.1/32", RT_TABLE_LOCAL, 0,
			RTPROT_KERNEL, 9, DIRTY_CHECK | DIRTY_LINKS, ROUTES, 0},
		/* Others', elsewhere. */
		{"default route", RTM_NEWROUTE, NLM_F_REPLACE, "0.0.0.0/0", 254, 0, RTPROT_DHCP,
			WORLD_LAN, DIRTY_CHECK, ROUTES, 0},
		{"LAN", RTM_DELROUTE, 0, "10.0.1.0/24", 254, 0, RTPROT_KERNEL, WORLD_LAN,
			DIRTY_CHECK, ROUTES, 0},
		{"around the LAN", RTM_NEWROUTE, 0, "10.0.0.0/8", 65743, 0, RTPROT_STATIC,
			WORLD_MESH, DIRTY_CHECK, ROUTES, 0},
		{"full feed", RTM_NEWROUTE, 0, "192.0.2.0/24", 254, 20, RTPROT_BGP, WORLD_LAN, 0,
			ROUTES, 0},
		{"around a range", RTM_NEWROUTE, 0, "100.64.0.0/10", 254, 0, RTPROT_STATIC,
			WORLD_LAN, 0, ROUTES, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct nl_message m;
		struct route r = {.table = cases[i].table,
			.metric = cases[i].metric,
			.protocol = cases[i].protocol,
			.type = RTN_UNICAST,
			.oif = cases[i].oif};

		print_message("%s\n", cases[i].name);
		assert_int_equal(prefix_parse(cases[i].dst, &r.dst), 0);
		start(&w);
		tell(&w, rtevent_route(&m, cases[i].type, cases[i].flags, &r));
		assert_int_equal(w.gateway.dirty, cases[i].dirty);
		assert_int_equal(w.gateway.seen.ours.n, cases[i].ours);
		assert_int_equal(w.gateway.seen.foreign.n, cases[i].foreign);
		world_clear(&w);
	}
}

/* A feed of others' routes inside a range is shown up to a bound. */
static void test_many_foreign(void **)
{
	struct world w;
	struct nl_message m;

	start(&w);
	for (unsigned i = 0; i < 10 * FOREIGN_MAX; i++) {
		struct route r = {
			.dst = {.addr = {AF_INET, {100, 64, (uint8_t)(i / 256), (uint8_t)i}},
				.len = 32},
			.table = MARK_RT_TABLE,
			.protocol = RTPROT_BGP,
			.type = RTN_UNICAST,
			.oif = WORLD_LAN};
		tell(&w, rtevent_route(&m, RTM_NEWROUTE, 0, &r));
		tell(&w, rtevent_route(&m, RTM_NEWROUTE, 0, &r)); /* known is known */
	}
	assert_int_equal(w.gateway.seen.foreign.n, FOREIGN_MAX);
	world_clear(&w);
}

/* ---- rules, settings, nftables ---- */

static void test_rules(void **)
{
	struct world w;
	struct nl_message m;

	start(&w);
	tell(&w, rtevent_rule(&m, RTM_NEWRULE));
	assert_int_equal(w.gateway.dirty, DIRTY_CHECK | DIRTY_TABLES);
	w.gateway.dirty = 0;
	tell(&w, rtevent_rule(&m, RTM_DELRULE));
	assert_int_equal(w.gateway.dirty, DIRTY_CHECK | DIRTY_TABLES);
	world_clear(&w);
}

static void test_netconf(void **)
{
	static const struct {
		uint8_t family;
		int ifindex;
		unsigned dirty;
	} cases[] = {
		{AF_INET, WORLD_LAN, LOOK},
		{AF_INET, WORLD_MESH, LOOK},
		{AF_INET6, WORLD_MESH, LOOK},
		{AF_INET, NETCONFA_IFINDEX_ALL, LOOK},
		{AF_INET6, NETCONFA_IFINDEX_ALL, LOOK},
		{AF_INET, 9, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct nl_message m;

		start(&w);
		tell(&w, rtevent_netconf(&m, cases[i].family, cases[i].ifindex));
		assert_int_equal(w.gateway.dirty, cases[i].dirty);
		world_clear(&w);
	}
}

/* Nobody else can change a table that we own: their transactions are no reason to look. */
static void test_nft(void **)
{
	struct world w;
	struct nl_message m;

	start(&w);
	gateway_event(&w.gateway, WATCH_NFT_GEN, nullptr);
	gateway_event(&w.gateway, WATCH_NFT,
		rtevent_nft_rule(&m, NFPROTO_INET, MARK_NFT_TABLE, "forward"));
	assert_int_equal(w.gateway.dirty, 0);
	w.kernel->base.nft_owned = false;
	gateway_event(&w.gateway, WATCH_NFT_GEN, nullptr);
	assert_int_equal(w.gateway.dirty, DIRTY_PASS | DIRTY_NFT);
	world_clear(&w);
}

/* Of others' rules only those count that a packet of the mesh can meet. */
static void test_input(void **)
{
	static const struct {
		uint8_t family;
		const char *table, *chain;
		unsigned dirty;
	} cases[] = {
		{NFPROTO_IPV4, "filter", "ts-input", DIRTY_PASS | DIRTY_INPUT},
		{NFPROTO_IPV4, "filter", "INPUT", DIRTY_PASS | DIRTY_INPUT},
		{NFPROTO_IPV6, "filter", "ts-input", DIRTY_PASS | DIRTY_INPUT},
		{NFPROTO_INET, "filter", "ts-input", 0},
		{NFPROTO_IPV4, "filter", "FORWARD", 0},
		{NFPROTO_IPV4, "filter", "DOCKER-USER", 0},
		{NFPROTO_IPV4, "nat", "ts-input", 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct nl_message m;

		start(&w);
		gateway_event(&w.gateway, WATCH_NFT,
			rtevent_nft_rule(&m, cases[i].family, cases[i].table, cases[i].chain));
		assert_int_equal(w.gateway.dirty, cases[i].dirty);
		world_clear(&w);
	}
}

static void test_lost(void **)
{
	struct world w;

	start(&w);
	gateway_event(&w.gateway, WATCH_LOST, nullptr);
	assert_int_equal(w.gateway.dirty, DIRTY_ALL);
	assert_int_equal(w.gateway.lost, 1);
	world_clear(&w);
}

/* ---- what must not be believed ---- */

/* Every message cut at every length, and of every type: no mark without a whole message. */
static void test_cut(void **)
{
	struct world w;
	struct nl_message whole, cut;
	struct route r = {.table = MARK_RT_TABLE,
		.metric = MARK_METRIC,
		.protocol = MARK_RTPROT,
		.type = RTN_UNICAST,
		.oif = WORLD_MESH};

	start(&w);
	assert_int_equal(prefix_parse("100.64.0.0/12", &r.dst), 0);
	const struct nlmsghdr *nlh = rtevent_route(&whole, RTM_DELROUTE, 0, &r);
	for (uint32_t len = sizeof(*nlh); len < nlh->nlmsg_len; len++) {
		memcpy(&cut, &whole, sizeof(cut));
		((struct nlmsghdr *)cut.bytes)->nlmsg_len = len;
		for (int type = RTM_BASE; type < RTM_MAX; type++) {
			((struct nlmsghdr *)cut.bytes)->nlmsg_type = (uint16_t)type;
			tell(&w, (const struct nlmsghdr *)cut.bytes);
		}
	}
	assert_int_equal(w.gateway.dirty & DIRTY_LINKS, 0);
	world_clear(&w);
}

/* Without a configuration there is nothing to look at. */
static void test_unconfigured(void **)
{
	struct world w;
	struct nl_message m;

	world_init(&w, world_host);
	gateway_enter(&w.gateway, GATEWAY_DOWN, nullptr);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	tell(&w, rtevent_link(&m, RTM_NEWLINK, WORLD_MESH, "CloudflareWARP", 0));
	tell(&w, rtevent_rule(&m, RTM_NEWRULE));
	gateway_event(&w.gateway, WATCH_NFT,
		rtevent_nft_rule(&m, NFPROTO_INET, MARK_NFT_TABLE, "forward"));
	assert_int_equal(w.gateway.dirty, 0);
	world_clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_others_link),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_address6),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_many_foreign),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_netconf),
		cmocka_unit_test(test_nft),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_unconfigured),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
