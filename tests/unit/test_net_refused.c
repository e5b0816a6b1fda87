/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no netlink message may do to its readers: to be taken for another's, to be read beyond its
 * end, to be believed when it lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* All readers behind one signature; the result is dropped. */
static int read_any(const struct nlmsghdr *nlh)
{
	union {
		struct link link;
		struct ifaddr_entry address;
		struct route route;
		struct rule rule;
		struct netconf netconf;
		struct ct_entry ct;
		struct addr neighbor;
	} out;
	int good = 0;

	good += link_read(nlh, &out.link) == 0;
	good += ifaddr_read(nlh, &out.address) == 0;
	good += route_read(nlh, &out.route) == 0;
	good += rule_read(nlh, &out.rule) == 0;
	good += netconf_read(nlh, &out.netconf) == 0;
	good += ct_read(nlh, &out.ct) == 0;
	good += nflog_parse(nlh, &out.neighbor) == 0;
	return good;
}

/* One valid message for each reader. */
static void (*const valid[])(struct nl_message *m) = {
	put_link,
	put_address,
	put_address6,
	put_route,
	put_route_via,
	put_rule,
	put_narrow_rule,
	put_netconf,
	put_ct,
	put_nflog,
	put_nflog6,
};

static void test_each_message_has_one_reader(void **)
{
	for (size_t i = 0; i < COUNT(valid); i++) {
		struct nl_message m;
		valid[i](&m);
		assert_int_equal(read_any(header_of(&m)), 1);
	}
}

/* Cut at every byte, in memory that ends there: nothing beyond is read (AddressSanitizer sees
 * it), and whoever accepts it has got by without the rest. */
static void test_truncated(void **)
{
	for (size_t i = 0; i < COUNT(valid); i++) {
		struct nl_message m;
		valid[i](&m);
		uint32_t whole = header_of(&m)->nlmsg_len;
		for (uint32_t len = sizeof(struct nlmsghdr); len < whole; len++) {
			struct nlmsghdr *cut = malloc(len);
			assert_non_null(cut);
			memcpy(cut, m.bytes, len);
			cut->nlmsg_len = len;
			assert_true(read_any(cut) <= 1);
			free(cut);
		}
	}
}

/* Every attribute length that 16 bits can hold and that stays readable as a header. */
static void test_lying_attribute_lengths(void **)
{
	for (size_t i = 0; i < COUNT(valid); i++) {
		struct nl_message m;
		valid[i](&m);
		uint32_t whole = header_of(&m)->nlmsg_len;
		for (uint32_t at = sizeof(struct nlmsghdr); at + 2 <= whole; at += 2) {
			struct nlmsghdr *lie = malloc(whole);
			assert_non_null(lie);
			for (unsigned len = 0; len < 256; len++) {
				uint16_t value = (uint16_t)(len < 128 ? len : UINT16_MAX - len);
				memcpy(lie, m.bytes, whole);
				memcpy((uint8_t *)lie + at, &value, sizeof(value));
				assert_true(read_any(lie) <= 1);
			}
			free(lie);
		}
	}
}

/* A datagram of two messages, the first of which says that it has `len` bytes. */
static unsigned messages_in(uint32_t len)
{
	struct {
		struct nlmsghdr first, second;
	} two = {{.nlmsg_len = len}, {.nlmsg_len = sizeof(struct nlmsghdr)}};
	struct nl_datagram d = {.at = &two, .left = sizeof(two)};
	unsigned n = 0;
	while (nl_next(&d))
		n++;
	return n;
}

static void test_datagram(void **)
{
	assert_int_equal(messages_in(0), 0);
	assert_int_equal(messages_in(sizeof(struct nlmsghdr) - 1), 0);
	assert_int_equal(messages_in(sizeof(struct nlmsghdr)), 2);
	assert_int_equal(messages_in(2 * sizeof(struct nlmsghdr) - 1), 1);
	assert_int_equal(messages_in(2 * sizeof(struct nlmsghdr)), 1);
	assert_int_equal(messages_in(2 * sizeof(struct nlmsghdr) + 1), 0);
	assert_int_equal(messages_in(0x80000000), 0);
	assert_int_equal(messages_in(UINT32_MAX), 0);
}

static void bad_link_bridge_port(struct nl_message *m)
{
	put_link(m);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(header_of(m));
	ifi->ifi_family = AF_BRIDGE;
}

static void bad_link_without_name(struct nl_message *m)
{
	struct ifinfomsg ifi = {.ifi_index = 7};
	nl_begin(m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
}

static void bad_link_long_name(struct nl_message *m)
{
	struct ifinfomsg ifi = {.ifi_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "sixteen-letters-");
}

static void bad_link_name_without_end(struct nl_message *m)
{
	struct ifinfomsg ifi = {.ifi_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	mnl_attr_put_str(nlh, IFLA_IFNAME, "eth0");
}

static void bad_link_short_mtu(struct nl_message *m)
{
	put_link(m);
	mnl_attr_put_u16((struct nlmsghdr *)m->bytes, IFLA_MTU, 1280);
}

static void bad_address_of_other_size(struct nl_message *m)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(v6), v6);
}

static void bad_address_prefix_len(struct nl_message *m)
{
	put_address(m);
	struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(header_of(m));
	ifa->ifa_prefixlen = 33;
}

static void bad_address_none(struct nl_message *m)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_index = 7};
	nl_begin(m, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
}

static void bad_route_dst_len(struct nl_message *m)
{
	put_route(m);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(header_of(m));
	rtm->rtm_dst_len = 33;
}

static void bad_route_without_dst(struct nl_message *m)
{
	struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_dst_len = 12};
	nl_begin(m, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
}

static void bad_route_family(struct nl_message *m)
{
	put_route(m);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(header_of(m));
	rtm->rtm_family = RTNL_FAMILY_IPMR;
}

static void bad_route_via_family(struct nl_message *m)
{
	struct rtmsg rtm = {.rtm_family = AF_INET};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	mnl_attr_put(nlh, RTA_VIA, 6, (const uint8_t[6]){AF_UNIX});
}

static void bad_rule_family(struct nl_message *m)
{
	put_rule(m);
	struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(header_of(m));
	frh->family = AF_UNSPEC;
}

static void bad_netconf_without_index(struct nl_message *m)
{
	struct netconfmsg ncm = {.ncm_family = AF_INET};
	nl_begin(m, RTM_NEWNETCONF, 0, &ncm, sizeof(ncm));
}

static void bad_ct_without_tuple(struct nl_message *m)
{
	struct nfgenmsg nfg = {.nfgen_family = AF_INET};
	nl_begin(m, NFNL_SUBSYS_CTNETLINK << 8, 0, &nfg, sizeof(nfg));
}

static void bad_ct_other_family_inside(struct nl_message *m)
{
	put_ct(m);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(header_of(m));
	nfg->nfgen_family = AF_INET6;
}

static void bad_nflog_short(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_IN, packet4, 15);
}

static void bad_nflog_short6(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_OUT, packet6, 39);
}

static void bad_nflog_empty(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_IN, packet4, 0);
}

static void bad_nflog_version(struct nl_message *m)
{
	static const uint8_t packet[40] = {0x50};
	put_nflog_packet(m, NF_INET_LOCAL_IN, packet, sizeof(packet));
}

static void test_refused(void **)
{
	static void (*const bad[])(struct nl_message *m) = {
		bad_link_bridge_port,
		bad_link_without_name,
		bad_link_long_name,
		bad_link_name_without_end,
		bad_link_short_mtu,
		bad_address_of_other_size,
		bad_address_prefix_len,
		bad_address_none,
		bad_route_dst_len,
		bad_route_without_dst,
		bad_route_family,
		bad_route_via_family,
		bad_rule_family,
		bad_netconf_without_index,
		bad_ct_without_tuple,
		bad_ct_other_family_inside,
		bad_nflog_short,
		bad_nflog_short6,
		bad_nflog_empty,
		bad_nflog_version,
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct nl_message m;
		bad[i](&m);
		if (read_any(header_of(&m)) != 0)
			fail_msg("bad message %zu was accepted", i);
	}
}

/* What the failure leaves alone. */
static void test_refused_writes_nothing(void **)
{
	struct nl_message m;
	struct link l = {.ifindex = 4711};
	bad_link_long_name(&m);
	assert_int_equal(link_read(header_of(&m), &l), -EBADMSG);
	assert_int_equal(l.ifindex, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_message_has_one_reader),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lying_attribute_lengths),
		cmocka_unit_test(test_datagram),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_writes_nothing),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
