/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, addresses, rules and interface settings of a real kernel, and what nl.c makes of its
 * answers. Routes: test_route_kernel.c; notifications: test_watch_kernel.c; conntrack:
 * test_ct_kernel.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/link.h"
#include "net/netconf.h"
#include "net/rule.h"
#include "netns.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void test_links(void **state)
{
	struct netns *n = *state;
	struct link_set set = {};

	assert_int_equal(link_dump(n->nl, &set, nullptr), 0);
	const struct link *mesh = link_by_name(&set, "mesh0");
	assert_non_null(mesh);
	assert_int_equal(mesh->ifindex, n->mesh);
	assert_int_equal(mesh->mtu, 1500);
	assert_true(mesh->flags & IFF_UP);
	assert_ptr_equal(link_by_index(&set, n->mesh), mesh);
	assert_non_null(link_by_name(&set, "lo"));
	assert_null(link_by_name(&set, "mesh"));
	assert_null(link_by_index(&set, 4711));
	for (size_t i = 1; i < set.n; i++)
		assert_true(set.list[i - 1].ifindex < set.list[i].ifindex);

	netns_link_up("mesh0", false);
	assert_int_equal(link_dump(n->nl, &set, nullptr), 0);
	assert_false(link_by_name(&set, "mesh0")->flags & IFF_UP);
	link_set_clear(&set);
}

/* Nobody reads the device: its ring fills, then every packet is a drop. */
static void test_link_tx(void **state)
{
	struct netns *n = *state;
	struct link_tx tx = {.sent = 4711, .dropped = 4711};
	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/12");
	assert_int_equal(link_tx_read(n->nl, n->mesh, &tx, nullptr), 0);
	assert_int_equal(tx.sent, 0);
	assert_int_equal(tx.dropped, 0);

	for (unsigned i = 0; i < 2000; i++)
		netns_send_to("100.96.0.10");
	assert_int_equal(link_tx_read(n->nl, n->mesh, &tx, nullptr), 0);
	assert_int_equal(tx.sent, 0); /* nobody reads the TUN */
	assert_in_range(tx.dropped, 1, 2000);
	assert_int_equal(link_tx_read(n->nl, 4711, &tx, nullptr), -ENODEV);
}

static const struct ifaddr_entry *address_of(const struct ifaddr_set *set, const char *text)
{
	struct addr a = netns_addr(text);
	for (size_t i = 0; i < set->n; i++) {
		if (addr_cmp(&set->list[i].address, &a) == 0)
			return &set->list[i];
	}
	return nullptr;
}

static const struct ifaddr_entry *the_address(const struct ifaddr_set *set, const char *text)
{
	static const struct ifaddr_entry none;
	const struct ifaddr_entry *a = address_of(set, text);

	assert_non_null(a);
	return a ? a : &none;
}

static void test_addresses(void **state)
{
	struct netns *n = *state;
	struct ifaddr_set set = {};

	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/32");
	netns_address(n, RTM_NEWADDR, n->lan, "2001:db8:1::11/64");
	assert_int_equal(ifaddr_dump(n->nl, &set, nullptr), 0);
	const struct ifaddr_entry *a = the_address(&set, "100.96.0.18");
	assert_int_equal(a->ifindex, n->mesh);
	assert_int_equal(a->prefix_len, 32);
	a = the_address(&set, "2001:db8:1::11");
	assert_int_equal(a->ifindex, n->lan);
	assert_int_equal(a->prefix_len, 64);
	assert_false(a->from_ra);

	netns_address(n, RTM_DELADDR, n->mesh, "100.96.0.18/32");
	assert_int_equal(ifaddr_dump(n->nl, &set, nullptr), 0);
	assert_null(address_of(&set, "100.96.0.18"));
	ifaddr_set_clear(&set);
}

/* The rule as WARP makes it stands before main, by the kernel's choice. */
static void test_rules(void **state)
{
	struct netns *n = *state;
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		struct rule_set set = {};
		netns_rule(n, families[i], 0x100cf, 65743);
		assert_int_equal(rule_dump(n->nl, families[i], &set, nullptr), 0);
		assert_true(set.n >= 3);
		assert_int_equal(set.list[0].priority, 0);
		assert_int_equal(set.list[0].table, RT_TABLE_LOCAL);
		const struct rule *warp = &set.list[1];
		assert_int_equal(warp->family, families[i]);
		assert_int_equal(warp->priority, 32765);
		assert_int_equal(warp->table, 65743);
		assert_int_equal(warp->fwmark, 0x100cf);
		assert_int_equal(warp->fwmask, UINT32_MAX);
		assert_int_equal(warp->action, FR_ACT_TO_TBL);
		assert_true(warp->invert);
		assert_int_equal(set.list[2].table, RT_TABLE_MAIN);
		assert_false(set.list[2].invert);
		rule_set_clear(&set);
	}
}

static void test_netconf(void **state)
{
	struct netns *n = *state;
	struct netconf_set set = {};

	assert_int_equal(sysctl_set("ipv4/conf/mesh0/forwarding", 1), 0);
	assert_int_equal(sysctl_set("ipv4/conf/mesh0/rp_filter", 2), 0);
	assert_int_equal(sysctl_set("ipv4/conf/all/rp_filter", 1), 0);
	assert_int_equal(netconf_dump(n->nl, AF_INET, &set, nullptr), 0);
	const struct netconf *mesh = netconf_find(&set, AF_INET, n->mesh);
	assert_non_null(mesh);
	assert_int_equal(mesh->forwarding, 1);
	assert_int_equal(mesh->rp_filter, 2);
	assert_int_equal(netconf_find(&set, AF_INET, n->lan)->forwarding, 0);
	assert_int_equal(netconf_find(&set, AF_INET, NETCONFA_IFINDEX_ALL)->rp_filter, 1);
	assert_non_null(netconf_find(&set, AF_INET, NETCONFA_IFINDEX_DEFAULT));
	assert_null(netconf_find(&set, AF_INET6, n->mesh));

	assert_int_equal(sysctl_set("ipv6/conf/lan0/forwarding", 1), 0);
	assert_int_equal(netconf_dump(n->nl, AF_INET6, &set, nullptr), 0);
	assert_int_equal(netconf_find(&set, AF_INET6, n->lan)->forwarding, 1);
	assert_int_equal(netconf_find(&set, AF_INET6, n->mesh)->forwarding, 0);
	netconf_set_clear(&set);
}

static void test_sysctl(void **)
{
	int value = -1;
	assert_int_equal(sysctl_set("ipv6/conf/lan0/accept_ra", 2), 0);
	assert_int_equal(sysctl_get("ipv6/conf/lan0/accept_ra", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(sysctl_set("ipv4/conf/none/forwarding", 1), -ENOENT);
	assert_int_equal(sysctl_set("ipv4/ip_default_ttl", 70000), -EINVAL);
}

/* A dump under which the table changes `changes` times. */
struct churn {
	struct netns *n;
	unsigned changes, restarts;
	size_t seen;
	bool changed; /* since the last restart */
};

static int churn_message(const struct nlmsghdr *, void *arg)
{
	struct churn *c = arg;
	c->seen++;
	if (c->changed || c->changes == 0)
		return MNL_CB_OK;
	char text[32];
	c->changes--;
	c->changed = true;
	snprintf(text, sizeof(text), "127.9.9.%u/32", c->changes);
	netns_address(c->n, RTM_NEWADDR, 1, text);
	return MNL_CB_OK;
}

static void churn_restart(void *arg)
{
	struct churn *c = arg;
	c->restarts++;
	c->seen = 0;
	c->changed = false;
}

static int churn_dump(struct churn *c, struct err *err)
{
	struct nl_message m;
	struct ifaddrmsg ifa = {.ifa_family = AF_INET};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	return nl_dump(c->n->nl, nlh, churn_message, churn_restart, c, err);
}

static void test_interrupted_dump_is_repeated(void **state)
{
	struct netns *n = *state;
	/* Far more than fits into the kernel's first datagram. */
	constexpr unsigned ADDRESSES = 1000;
	for (unsigned i = 0; i < ADDRESSES; i++) {
		char text[32];
		snprintf(text, sizeof(text), "127.1.%u.%u/32", i / 256, i % 256);
		netns_address(n, RTM_NEWADDR, 1, text);
	}

	struct err err = {};
	struct churn calm = {.n = n};
	assert_int_equal(churn_dump(&calm, &err), 0);
	assert_int_equal(calm.restarts, 0);

	struct churn twice = {.n = n, .changes = 2};
	assert_int_equal(churn_dump(&twice, &err), 0);
	assert_int_equal(twice.restarts, 2);
	assert_int_equal(twice.seen, calm.seen + 2);

	struct churn always = {.n = n, .changes = 100};
	assert_int_equal(churn_dump(&always, &err), -EAGAIN);
	assert_int_equal(always.restarts, NL_DUMP_RETRIES);

	/* The socket is still good. */
	struct link_set set = {};
	assert_int_equal(link_dump(n->nl, &set, &err), 0);
	link_set_clear(&set);
}

static int refuse(const struct nlmsghdr *, void *arg)
{
	unsigned *calls = arg;
	(*calls)++;
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

static void test_failed_callback_leaves_socket_usable(void **state)
{
	struct netns *n = *state;
	struct err err = {};
	unsigned calls = 0;
	struct nl_message m;
	struct ifinfomsg ifi = {};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));

	assert_int_equal(nl_dump(n->nl, nlh, refuse, nullptr, &calls, &err), -EBADMSG);
	assert_int_equal(calls, 1);
	assert_int_equal(err.code, EBADMSG);
	struct link_set set = {};
	assert_int_equal(link_dump(n->nl, &set, &err), 0);
	link_set_clear(&set);
}

/* Strict checking: a dump header with something in it that no filter uses is refused, in words. */
static void test_kernels_own_words(void **state)
{
	struct netns *n = *state;
	struct err err = {};
	unsigned calls = 0;
	struct nl_message m;
	struct ifinfomsg ifi = {.ifi_flags = IFF_UP};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));

	assert_int_equal(nl_dump(n->nl, nlh, refuse, nullptr, &calls, &err), -EINVAL);
	assert_int_equal(calls, 0);
	assert_non_null(strstr(err.msg, "Invalid argument ("));
	assert_non_null(strstr(err.msg, "dump request"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, netns_setup, netns_teardown)

int main(void)
{
	if (!netns_may())
		return NETNS_SKIP;
	const struct CMUnitTest tests[] = {
		TEST(test_links),
		TEST(test_link_tx),
		TEST(test_addresses),
		TEST(test_rules),
		TEST(test_netconf),
		TEST(test_sysctl),
		TEST(test_interrupted_dump_is_repeated),
		TEST(test_failed_callback_leaves_socket_usable),
		TEST(test_kernels_own_words),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
