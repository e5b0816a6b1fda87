/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read from netlink messages, and what is refused. No kernel is asked.
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
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t v4[] = {100, 64, 0, 1};
static const uint8_t v6[] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static struct addr A(const char *text) {
	struct addr a = {};
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* All readers behind one signature; the result is dropped. */
static int
read_any(const struct nlmsghdr *nlh)
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

static void put_link(struct nl_message *m)
{
	struct ifinfomsg ifi = {.ifi_index = 7, .ifi_flags = IFF_UP};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "CloudflareWARP");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1280);
}

static void put_address(struct nl_message *m)
{
	static const uint8_t peer[4] = {10, 0, 0, 1};
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(peer), peer);
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(v4), v4);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_PERMANENT);
}

static void put_address6(struct nl_message *m)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(v6), v6);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_MANAGETEMPADDR);
	mnl_attr_put_u8(nlh, IFA_PROTO, IFAPROT_KERNEL_RA);
}

static void put_route(struct nl_message *m)
{
	struct rtmsg rtm = {
		.rtm_family = AF_INET,
		.rtm_dst_len = 12,
		.rtm_table = RT_TABLE_COMPAT,
		.rtm_protocol = 107,
		.rtm_scope = RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = RTM_F_CLONED | RTNH_F_LINKDOWN,
	};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	mnl_attr_put(nlh, RTA_DST, 4, (const uint8_t[]){100, 64, 0, 0});
	mnl_attr_put_u32(nlh, RTA_TABLE, 65743);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, 0xFE000000);
	mnl_attr_put_u32(nlh, RTA_OIF, 7);
	mnl_attr_put(nlh, RTA_PREFSRC, sizeof(v4), v4);
	mnl_attr_put_u32(nlh, RTA_NH_ID, 42);
}

static void put_route_via(struct nl_message *m)
{
	uint8_t via[2 + sizeof(v6)];
	uint16_t family = AF_INET6;
	memcpy(via, &family, sizeof(family));
	memcpy(via + 2, v6, sizeof(v6));
	struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN};
	struct nlmsghdr *nlh = nl_begin(m, RTM_DELROUTE, 0, &rtm, sizeof(rtm));
	mnl_attr_put(nlh, RTA_VIA, sizeof(via), via);
}

static void put_rule(struct nl_message *m)
{
	struct fib_rule_hdr frh = {
		.family = AF_INET6, .action = FR_ACT_TO_TBL, .flags = FIB_RULE_INVERT};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWRULE, 0, &frh, sizeof(frh));
	mnl_attr_put_u32(nlh, FRA_PRIORITY, 5207);
	mnl_attr_put_u32(nlh, FRA_TABLE, 65743);
	mnl_attr_put_u32(nlh, FRA_FWMARK, 0x100cf);
	mnl_attr_put_u32(nlh, FRA_FWMASK, UINT32_MAX);
	mnl_attr_put_strz(nlh, FRA_IIFNAME, "lo");
}

static void put_narrow_rule(struct nl_message *m)
{
	struct fib_rule_hdr frh = {
		.family = AF_INET, .action = FR_ACT_TO_TBL, .src_len = 12, .dst_len = 32};
	struct fib_rule_port_range ports = {3000, 3009};
	struct fib_rule_uid_range users = {1000, 1001};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWRULE, 0, &frh, sizeof(frh));
	mnl_attr_put(nlh, FRA_SRC, 4, (const uint8_t[]){100, 64, 0, 0});
	mnl_attr_put(nlh, FRA_DST, sizeof(v4), v4);
	mnl_attr_put_u32(nlh, FRA_TABLE, RT_TABLE_MAIN);
	mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, 0);
	mnl_attr_put_u32(nlh, FRA_SUPPRESS_IFGROUP, UINT32_MAX);
	mnl_attr_put_u8(nlh, FRA_IP_PROTO, IPPROTO_TCP);
	mnl_attr_put(nlh, FRA_DPORT_RANGE, sizeof(ports), &ports);
	mnl_attr_put(nlh, FRA_UID_RANGE, sizeof(users), &users);
}

static void put_netconf(struct nl_message *m)
{
	struct netconfmsg ncm = {.ncm_family = AF_INET};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWNETCONF, 0, &ncm, sizeof(ncm));
	mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	mnl_attr_put_u32(nlh, NETCONFA_FORWARDING, 1);
}

static void put_ct(struct nl_message *m)
{
	struct nfgenmsg nfg = {.nfgen_family = AF_INET};
	struct nlmsghdr *nlh = nl_begin(
		m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, &nfg, sizeof(nfg));
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, CTA_IP_V4_SRC, sizeof(v4), v4);
	mnl_attr_put(nlh, CTA_IP_V4_DST, sizeof(v4), v4);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(40000));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(3000));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, tuple);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_CONFIRMED | IPS_SEEN_REPLY));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(MARK_PROBE));
	mnl_attr_put_u16(nlh, CTA_ZONE, htons(7));
	mnl_attr_put_u32(nlh, CTA_ID, 0xabcdef);
}

/* A packet that came by hook `hook`. */
static void put_nflog_packet(struct nl_message *m, uint8_t hook, const void *packet, size_t size)
{
	struct nfgenmsg nfg = {.nfgen_family = AF_INET};
	struct nfulnl_msg_packet_hdr header = {.hw_protocol = htons(0x0800), .hook = hook};
	struct nlmsghdr *nlh = nl_begin(
		m, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, 0, &nfg, sizeof(nfg));
	mnl_attr_put(nlh, NFULA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put(nlh, NFULA_PAYLOAD, size, packet);
}

static const uint8_t packet4[20] = {0x45, [12] = 10, 0, 1, 1, [16] = 10, 0, 1, 11};
static const uint8_t packet6[40] = {0x60, [8] = 0x20, [23] = 1, [24] = 0x20, [39] = 2};

static void put_nflog(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_IN, packet4, sizeof(packet4));
}

static void put_nflog6(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_OUT, packet6, sizeof(packet6));
}

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

static const struct nlmsghdr *header_of(const struct nl_message *m)
{
	return (const struct nlmsghdr *)m->bytes;
}

static void test_link(void **)
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
		cmocka_unit_test(test_each_message_has_one_reader),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lying_attribute_lengths),
		cmocka_unit_test(test_datagram),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_writes_nothing),
		cmocka_unit_test(test_route_order),
		cmocka_unit_test(test_sysctl_keys),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
