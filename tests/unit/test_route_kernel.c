/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes in a real kernel: what route.c claims about adding and deleting beside foreign routes,
 * and about the answers of a lookup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/marks.h"
#include "net/netconf.h"
#include "net/route.h"
#include "netns.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

constexpr uint8_t FOREIGN = RTPROT_STATIC;
constexpr uint32_t WARP_TABLE = 65743;

static const struct family {
	uint8_t family;
	const char *range, *inside;  /* a mesh range and an address in it */
	const char *lan, *neighbour; /* an address with its prefix, and a gateway in it */
} families[] = {
	{AF_INET, "100.64.0.0/12", "100.64.12.189", "10.0.1.11/24", "10.0.1.1"},
	{AF_INET6, "2001:db8:5::/64", "2001:db8:5::bd", "2001:db8:1::11/64", "2001:db8:1::1"},
};
static const struct family *const families_end = families + 2;

static struct route ours(const struct family *f, int oif)
{
	return (struct route){
		.dst = netns_prefix(f->range),
		.table = MARK_RT_TABLE,
		.metric = MARK_METRIC,
		.protocol = MARK_RTPROT,
		.oif = oif,
	};
}

static struct route foreign(const struct family *f, int oif)
{
	struct route r = ours(f, oif);
	r.protocol = FOREIGN;
	return r;
}

static void foreign_add(struct netns *n, const struct route *r)
{
	assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, r), 0);
}

static bool in_range(const struct route *r, void *range)
{
	return prefix_cmp(&r->dst, range) == 0;
}

/* How many routes of this protocol and device the table has for the family's range. */
static size_t count(struct netns *n, const struct family *f, uint8_t protocol, int oif)
{
	struct prefix range = netns_prefix(f->range);
	struct route_filter filter = {f->family, MARK_RT_TABLE, protocol, oif, false};
	struct route_set set = {};
	struct err err = {};

	assert_int_equal(route_dump(n->nl, &filter, in_range, &range, &set, &err), 0);
	size_t found = set.n;
	route_set_clear(&set);
	return found;
}

/* Whose route takes a packet to the range: its protocol number. */
static uint8_t winner(struct netns *n, const struct family *f, int *oif)
{
	struct route_question q = {.dst = netns_addr(f->inside), .fib_match = true};
	struct route_answer answer;
	struct err err = {};

	assert_int_equal(route_ask(n->nl, &q, &answer, &err), 0);
	assert_int_equal(answer.error, 0);
	if (oif)
		*oif = answer.route.oif;
	return answer.route.protocol;
}

static int add(struct netns *n, const struct route *r)
{
	struct err err = {};
	int res = route_add(n->nl, r, &err);
	assert_int_equal(err.code, -res);
	return res;
}

static int del(struct netns *n, const struct route *r)
{
	struct err err = {};
	int res = route_del(n->nl, r, &err);
	assert_int_equal(err.code, -res);
	return res;
}

/* The device has no address in this test. */
static void test_add_and_delete(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route r = ours(f, n->mesh);
		assert_int_equal(add(n, &r), 0);
		assert_int_equal(add(n, &r), -EEXIST);

		struct route_filter filter = {f->family, MARK_RT_TABLE, MARK_RTPROT, 0, false};
		struct route_set set = {};
		assert_int_equal(route_dump(n->nl, &filter, nullptr, nullptr, &set, nullptr), 0);
		assert_int_equal(set.n, 1);
		assert_int_equal(route_cmp(&set.list[0], &r), 0);
		assert_int_equal(set.list[0].type, RTN_UNICAST);
		assert_int_equal(set.list[0].gateway.family, AF_UNSPEC);
		route_set_clear(&set);

		int oif;
		assert_int_equal(winner(n, f, &oif), MARK_RTPROT);
		assert_int_equal(oif, n->mesh);
		assert_int_equal(del(n, &r), 0);
		assert_int_equal(del(n, &r), -ESRCH);
		assert_int_equal(count(n, f, 0, 0), 0);
	}
}

static void test_delete_needs_every_mark(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route r = ours(f, n->mesh);
		struct route other_protocol = foreign(f, n->mesh), other_metric = r,
			     other_table = r, other_device = r;
		other_metric.metric = MARK_METRIC - 1;
		other_table.table = WARP_TABLE;
		other_device.oif = n->lan;
		const struct route *others[] = {
			&other_protocol, &other_metric, &other_table, &other_device};

		for (size_t i = 0; i < 4; i++) {
			foreign_add(n, others[i]);
			assert_int_equal(del(n, &r), -ESRCH);
			assert_int_equal(netns_route(n, RTM_DELROUTE, 0, others[i]), 0);
		}
	}
}

static void test_foreign_twin_on_other_device(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route theirs = foreign(f, n->lan), r = ours(f, n->mesh);
		foreign_add(n, &theirs);
		assert_int_equal(add(n, &r), 0);
		assert_int_equal(count(n, f, MARK_RTPROT, n->mesh), 1);
		assert_int_equal(count(n, f, FOREIGN, n->lan), 1);
		assert_int_equal(
			winner(n, f, nullptr), f->family == AF_INET ? MARK_RTPROT : FOREIGN);
		assert_int_equal(add(n, &r), -EEXIST);

		assert_int_equal(del(n, &r), 0);
		assert_int_equal(count(n, f, MARK_RTPROT, 0), 0);
		assert_int_equal(count(n, f, FOREIGN, n->lan), 1);
		assert_int_equal(del(n, &r), -ESRCH);
		assert_int_equal(count(n, f, FOREIGN, n->lan), 1);
	}
}

static void test_foreign_twin_on_our_device(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route theirs = foreign(f, n->mesh), r = ours(f, n->mesh);
		foreign_add(n, &theirs);
		assert_int_equal(add(n, &r), f->family == AF_INET ? 0 : -ENOTUNIQ);
		assert_int_equal(
			winner(n, f, nullptr), f->family == AF_INET ? MARK_RTPROT : FOREIGN);

		assert_int_equal(del(n, &r), f->family == AF_INET ? 0 : -ESRCH);
		assert_int_equal(count(n, f, FOREIGN, n->mesh), 1);
		assert_int_equal(netns_route(n, RTM_DELROUTE, 0, &theirs), 0);
		assert_int_equal(add(n, &r), 0);
	}
}

/* A gateway makes IPv6 routes siblings of one multipath route: ours must not become one. */
static void test_foreign_twin_by_gateway(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route theirs = foreign(f, n->lan), r = ours(f, n->mesh);
		theirs.gateway = netns_addr(f->neighbour);
		netns_address(n, RTM_NEWADDR, n->lan, f->lan);
		foreign_add(n, &theirs);
		assert_int_equal(add(n, &r), 0);
		assert_int_equal(count(n, f, MARK_RTPROT, n->mesh), 1);
		assert_int_equal(count(n, f, FOREIGN, n->lan), 1);
		assert_int_equal(del(n, &r), 0);
		assert_int_equal(count(n, f, 0, 0), 1);
	}
}

static void test_foreign_twin_comes_later(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route theirs = foreign(f, n->lan), r = ours(f, n->mesh);
		assert_int_equal(add(n, &r), 0);
		foreign_add(n, &theirs);
		assert_int_equal(add(n, &r), -EEXIST);
		assert_int_equal(
			winner(n, f, nullptr), f->family == AF_INET ? FOREIGN : MARK_RTPROT);
	}
}

static void test_link_down_or_gone(void **state)
{
	struct netns *n = *state;
	netns_link_up("mesh0", false);

	for (const struct family *f = families; f < families_end; f++) {
		struct route r = ours(f, n->mesh);
		struct err err = {};
		assert_int_equal(route_add(n->nl, &r, &err), -ENETDOWN);
		/* "route 100.64.0.0/12 …: Network is down (Device for nexthop is not up)" */
		assert_non_null(strstr(err.msg, f->range));
		assert_non_null(strstr(err.msg, "Network is down ("));

		r.oif = 4711;
		assert_int_equal(route_add(n->nl, &r, &err), -ENODEV);
	}
}

static void test_dump_filter(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route r = ours(f, n->mesh), theirs = foreign(f, n->lan), warp = theirs;
		warp.table = WARP_TABLE;
		assert_int_equal(add(n, &r), 0);
		foreign_add(n, &theirs);
		foreign_add(n, &warp);
		assert_int_equal(count(n, f, 0, 0), 2);
		assert_int_equal(count(n, f, MARK_RTPROT, 0), 1);
		assert_int_equal(count(n, f, 0, n->lan), 1);
		assert_int_equal(count(n, f, MARK_RTPROT, n->lan), 0);

		struct route_set set = {};
		struct route_filter filter = {.family = f->family, .table = WARP_TABLE};
		assert_int_equal(route_dump(n->nl, &filter, nullptr, nullptr, &set, nullptr), 0);
		assert_int_equal(set.n, 1);
		assert_int_equal(set.list[0].table, WARP_TABLE);
		filter.table = 4711; /* there is no such table */
		assert_int_equal(route_dump(n->nl, &filter, nullptr, nullptr, &set, nullptr), 0);
		assert_int_equal(set.n, 0);
		route_set_clear(&set);
	}
}

static void test_default_and_special_routes_are_read(void **state)
{
	struct netns *n = *state;
	static const uint8_t types[] = {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_UNICAST};

	for (const struct family *f = families; f < families_end; f++) {
		netns_address(n, RTM_NEWADDR, n->lan, f->lan);
		for (size_t i = 0; i < 4; i++) {
			bool unicast = types[i] == RTN_UNICAST;
			struct route r = {
				.dst.addr.family = f->family,
				.metric = 100,
				.protocol = FOREIGN,
				.type = types[i],
				.oif = unicast ? n->lan : 0,
				.gateway = unicast ? netns_addr(f->neighbour) : (struct addr){},
			};
			foreign_add(n, &r);
			struct route_filter filter = {f->family, MARK_RT_TABLE, FOREIGN, 0, false};
			struct route_set set = {};
			assert_int_equal(
				route_dump(n->nl, &filter, nullptr, nullptr, &set, nullptr), 0);
			assert_int_equal(set.n, 1);
			assert_int_equal(set.list[0].dst.len, 0);
			assert_int_equal(set.list[0].type, types[i]);
			assert_int_equal(addr_cmp(&set.list[0].gateway, &r.gateway), 0);
			route_set_clear(&set);
			assert_int_equal(netns_route(n, RTM_DELROUTE, 0, &r), 0);
		}
	}
}

static int ask_error(struct netns *n, const struct route_question *q)
{
	struct route_answer answer;
	struct err err = {};
	assert_int_equal(route_ask(n->nl, q, &answer, &err), 0);
	return answer.error;
}

static void test_ask_errors(void **state)
{
	struct netns *n = *state;
	static const struct {
		uint8_t type;
		int error;
	} cases[] = {
		{RTN_BLACKHOLE, EINVAL},
		{RTN_UNREACHABLE, EHOSTUNREACH},
		{RTN_PROHIBIT, EACCES},
	};

	for (const struct family *f = families; f < families_end; f++) {
		struct route_question q = {.dst = netns_addr(f->inside)};
		for (int fib_match = 0; fib_match < 2; fib_match++) {
			q.fib_match = fib_match;
			assert_int_equal(ask_error(n, &q), ENETUNREACH);
			for (size_t i = 0; i < 3; i++) {
				struct route r = foreign(f, 0);
				r.type = cases[i].type;
				foreign_add(n, &r);
				assert_int_equal(ask_error(n, &q), cases[i].error);
				assert_int_equal(netns_route(n, RTM_DELROUTE, 0, &r), 0);
			}
		}
		q.iif = 4711;
		struct route_answer answer;
		assert_int_equal(route_ask(n->nl, &q, &answer, nullptr), -ENODEV);
	}
}

/* Table and device of the answer follow WARP's rule: its own packets (by mark) pass it by. */
static void test_ask_by_mark(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		struct route warp = foreign(f, n->mesh), in_main = foreign(f, n->lan);
		warp.table = WARP_TABLE;
		foreign_add(n, &warp);
		foreign_add(n, &in_main);
		netns_rule(n, f->family, 0x100cf, WARP_TABLE);

		struct route_question q = {.dst = netns_addr(f->inside)};
		struct route_answer answer;
		assert_int_equal(route_ask(n->nl, &q, &answer, nullptr), 0);
		assert_int_equal(answer.route.table, WARP_TABLE);
		assert_int_equal(answer.route.oif, n->mesh);
		q.mark = 0x100cf;
		assert_int_equal(route_ask(n->nl, &q, &answer, nullptr), 0);
		assert_int_equal(answer.route.table, RT_TABLE_MAIN);
		assert_int_equal(answer.route.oif, n->lan);
	}
}

static void forwarding_on(const struct family *f)
{
	const char *keys[] = {"ipv4/conf/mesh0/forwarding", "ipv6/conf/all/forwarding"};
	assert_int_equal(sysctl_set(keys[f->family == AF_INET6], 1), 0);
}

/* A Worker's packet to the LAN, forwarded in the tunnel's direction of arrival. */
static void test_ask_forwarded(void **state)
{
	struct netns *n = *state;

	for (const struct family *f = families; f < families_end; f++) {
		netns_address(n, RTM_NEWADDR, n->lan, f->lan);
		forwarding_on(f);
		struct route r = ours(f, n->mesh);
		assert_int_equal(add(n, &r), 0);

		struct route_question q = {
			.src = netns_addr(f->inside),
			.dst = netns_addr(f->neighbour),
			.iif = n->mesh,
		};
		struct route_answer answer;
		assert_int_equal(route_ask(n->nl, &q, &answer, nullptr), 0);
		assert_int_equal(answer.error, 0);
		assert_int_equal(answer.route.oif, n->lan);
		assert_int_equal(answer.route.table, RT_TABLE_MAIN);
	}
}

static void test_ask_shows_rp_filter(void **state)
{
	struct netns *n = *state;
	const struct family *f = &families[0];
	struct route_question q = {
		.src = netns_addr(f->inside),
		.dst = netns_addr(f->neighbour),
		.iif = n->mesh,
	};
	struct route elsewhere = foreign(f, n->lan);

	netns_address(n, RTM_NEWADDR, n->lan, f->lan);
	forwarding_on(f);
	foreign_add(n, &elsewhere);
	assert_int_equal(sysctl_set("ipv4/conf/mesh0/rp_filter", 2), 0);
	/* On a device without an address loose is as good as strict (fib_frontend.c, no_addr). */
	assert_int_not_equal(ask_error(n, &q), 0);
	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/32");
	assert_int_equal(ask_error(n, &q), 0);
	assert_int_equal(sysctl_set("ipv4/conf/mesh0/rp_filter", 1), 0);
	int strict = ask_error(n, &q);
	assert_true(strict == EINVAL || strict == EXDEV);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, netns_setup, netns_teardown)

int main(void)
{
	if (!netns_may())
		return NETNS_SKIP;
	const struct CMUnitTest tests[] = {
		TEST(test_add_and_delete),
		TEST(test_delete_needs_every_mark),
		TEST(test_foreign_twin_on_other_device),
		TEST(test_foreign_twin_on_our_device),
		TEST(test_foreign_twin_by_gateway),
		TEST(test_foreign_twin_comes_later),
		TEST(test_link_down_or_gone),
		TEST(test_dump_filter),
		TEST(test_default_and_special_routes_are_read),
		TEST(test_ask_errors),
		TEST(test_ask_by_mark),
		TEST(test_ask_forwarded),
		TEST(test_ask_shows_rp_filter),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
