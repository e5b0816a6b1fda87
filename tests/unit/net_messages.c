/* SPDX-License-Identifier: Apache-2.0 */
#include "net_messages.h"
#include "lib/marks.h"
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

const uint8_t v4[4] = {100, 64, 0, 1};
const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

const uint8_t packet4[20] = {0x45, [12] = 10, 0, 1, 1, [16] = 10, 0, 1, 11};
const uint8_t packet6[40] = {0x60, [8] = 0x20, [23] = 1, [24] = 0x20, [39] = 2};

void put_link(struct nl_message *m)
{
	struct ifinfomsg ifi = {.ifi_index = 7, .ifi_flags = IFF_UP};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "CloudflareWARP");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1280);
}

void put_address(struct nl_message *m)
{
	static const uint8_t peer[4] = {10, 0, 0, 1};
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(peer), peer);
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(v4), v4);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_PERMANENT);
}

void put_address6(struct nl_message *m)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 7};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(v6), v6);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_MANAGETEMPADDR);
	mnl_attr_put_u8(nlh, IFA_PROTO, IFAPROT_KERNEL_RA);
}

void put_route(struct nl_message *m)
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

void put_route_via(struct nl_message *m)
{
	uint8_t via[2 + sizeof(v6)];
	uint16_t family = AF_INET6;
	memcpy(via, &family, sizeof(family));
	memcpy(via + 2, v6, sizeof(v6));
	struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN};
	struct nlmsghdr *nlh = nl_begin(m, RTM_DELROUTE, 0, &rtm, sizeof(rtm));
	mnl_attr_put(nlh, RTA_VIA, sizeof(via), via);
}

void put_rule(struct nl_message *m)
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

void put_narrow_rule(struct nl_message *m)
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

void put_netconf(struct nl_message *m)
{
	struct netconfmsg ncm = {.ncm_family = AF_INET};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWNETCONF, 0, &ncm, sizeof(ncm));
	mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	mnl_attr_put_u32(nlh, NETCONFA_FORWARDING, 1);
}

void put_ct(struct nl_message *m)
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

void put_nflog_packet(struct nl_message *m, uint8_t hook, const void *packet, size_t size)
{
	struct nfgenmsg nfg = {.nfgen_family = AF_INET};
	struct nfulnl_msg_packet_hdr header = {.hw_protocol = htons(0x0800), .hook = hook};
	struct nlmsghdr *nlh = nl_begin(
		m, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, 0, &nfg, sizeof(nfg));
	mnl_attr_put(nlh, NFULA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put(nlh, NFULA_PAYLOAD, size, packet);
}

void put_nflog(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_IN, packet4, sizeof(packet4));
}

void put_nflog6(struct nl_message *m)
{
	put_nflog_packet(m, NF_INET_LOCAL_OUT, packet6, sizeof(packet6));
}
