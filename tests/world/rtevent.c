/* SPDX-License-Identifier: Apache-2.0 */
#include "rtevent.h"
#include <assert.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

static void put_address(struct nlmsghdr *nlh, uint16_t type, const struct addr *a)
{
	mnl_attr_put(nlh, type, addr_bytes(a->family), a->b);
}

const struct nlmsghdr *rtevent_link(
	struct nl_message *m, uint16_t type, int ifindex, const char *name, unsigned flags)
{
	struct ifinfomsg ifi = {.ifi_index = ifindex, .ifi_flags = flags};
	struct nlmsghdr *nlh = nl_begin(m, type, 0, &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, 1280);
	return nlh;
}

const struct nlmsghdr *rtevent_address(
	struct nl_message *m, uint16_t type, int ifindex, const char *prefix)
{
	struct prefix p;
	int r = prefix_parse(prefix, &p);
	assert(r != -EINVAL); /* an address has host bits */
	struct ifaddrmsg ifa = {.ifa_family = p.addr.family,
		.ifa_prefixlen = p.len,
		.ifa_index = (uint32_t)ifindex};
	struct nlmsghdr *nlh = nl_begin(m, type, 0, &ifa, sizeof(ifa));
	put_address(nlh, IFA_ADDRESS, &p.addr);
	return nlh;
}

const struct nlmsghdr *rtevent_route(
	struct nl_message *m, uint16_t type, uint16_t flags, const struct route *r)
{
	struct rtmsg rtm = {.rtm_family = r->dst.addr.family,
		.rtm_dst_len = r->dst.len,
		.rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_COMPAT,
		.rtm_protocol = r->protocol,
		.rtm_type = r->type};
	struct nlmsghdr *nlh = nl_begin(m, type, flags, &rtm, sizeof(rtm));
	if (r->dst.len)
		put_address(nlh, RTA_DST, &r->dst.addr);
	mnl_attr_put_u32(nlh, RTA_TABLE, r->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)r->oif);
	return nlh;
}

const struct nlmsghdr *rtevent_rule(struct nl_message *m, uint16_t type)
{
	struct fib_rule_hdr frh = {.family = AF_INET, .action = FR_ACT_TO_TBL};
	struct nlmsghdr *nlh = nl_begin(m, type, 0, &frh, sizeof(frh));
	mnl_attr_put_u32(nlh, FRA_PRIORITY, 5209);
	mnl_attr_put_u32(nlh, FRA_TABLE, 65743);
	return nlh;
}

const struct nlmsghdr *rtevent_nft_rule(
	struct nl_message *m, uint8_t family, const char *table, const char *chain)
{
	struct nfgenmsg nfg = {.nfgen_family = family};
	struct nlmsghdr *nlh = nl_begin(
		m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE, 0, &nfg, sizeof(nfg));
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	return nlh;
}

const struct nlmsghdr *rtevent_netconf(struct nl_message *m, uint8_t family, int ifindex)
{
	struct netconfmsg ncm = {.ncm_family = family};
	struct nlmsghdr *nlh = nl_begin(m, RTM_NEWNETCONF, 0, &ncm, sizeof(ncm));
	mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t)ifindex);
	mnl_attr_put_u32(nlh, NETCONFA_FORWARDING, 0);
	return nlh;
}
