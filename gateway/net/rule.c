/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rule.h"
#include "lib/ip.h"
#include "net/attr.h"
#include "net/nl.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

constexpr size_t RULE_ATTRS = FRA_DSCP + 1;

static const enum mnl_attr_data_type rule_policy[RULE_ATTRS] = {
	[FRA_PRIORITY] = MNL_TYPE_U32,
	[FRA_TABLE] = MNL_TYPE_U32,
	[FRA_FWMARK] = MNL_TYPE_U32,
	[FRA_FWMASK] = MNL_TYPE_U32,
	[FRA_IIFNAME] = MNL_TYPE_NUL_STRING,
	[FRA_OIFNAME] = MNL_TYPE_NUL_STRING,
	[FRA_TUN_ID] = MNL_TYPE_BINARY,
	[FRA_L3MDEV] = MNL_TYPE_BINARY,
	[FRA_UID_RANGE] = MNL_TYPE_BINARY,
	[FRA_IP_PROTO] = MNL_TYPE_BINARY,
	[FRA_SPORT_RANGE] = MNL_TYPE_BINARY,
	[FRA_DPORT_RANGE] = MNL_TYPE_BINARY,
	[FRA_DSCP] = MNL_TYPE_BINARY,
};

static bool is_narrow(const struct fib_rule_hdr *frh, const struct nlattr *const *tb)
{
	static const uint16_t narrowing[] = {FRA_TUN_ID, FRA_L3MDEV, FRA_UID_RANGE, FRA_IP_PROTO,
		FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_DSCP};
	bool narrow = frh->src_len || frh->dst_len || frh->tos;
	for (size_t i = 0; i < sizeof(narrowing) / sizeof(narrowing[0]); i++)
		narrow |= tb[narrowing[i]] != nullptr;
	return narrow;
}

int rule_read(const struct nlmsghdr *nlh, struct rule *out)
{
	const struct nlattr *tb[RULE_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWRULE && nlh->nlmsg_type != RTM_DELRULE)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct fib_rule_hdr), rule_policy, tb, RULE_ATTRS) < 0)
		return -EBADMSG;
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	if (addr_bits(frh->family) == 0)
		return -EBADMSG;

	struct rule rule = {
		.family = frh->family,
		.priority = attr_u32(tb[FRA_PRIORITY], 0),
		.table = attr_u32(tb[FRA_TABLE], frh->table),
		.fwmark = attr_u32(tb[FRA_FWMARK], 0),
		.fwmask = attr_u32(tb[FRA_FWMASK], 0),
		.invert = frh->flags & FIB_RULE_INVERT,
		.action = frh->action,
		.narrow = is_narrow(frh, tb),
	};
	if (attr_ifname(tb[FRA_IIFNAME], rule.iif) < 0 ||
		attr_ifname(tb[FRA_OIFNAME], rule.oif) < 0)
		return -EBADMSG;
	*out = rule;
	return 0;
}

static int rule_dump_read(const struct nlmsghdr *nlh, void *element, void *arg)
{
	const uint8_t *family = arg;
	return attr_family(nlh) == *family ? rule_read(nlh, element) : 1;
}

int rule_dump(struct nl_sock *s, uint8_t family, struct rule_set *out, struct err *err)
{
	struct nl_message m;
	struct fib_rule_hdr frh = {.family = family};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETRULE, 0, &frh, sizeof(frh));

	struct nl_list found;
	int r = nl_dump_list(s, nlh, sizeof(struct rule), rule_dump_read, &family, &found, err);
	if (r < 0) {
		err_ctx(err, "routing rules");
		return r;
	}
	rule_set_clear(out);
	*out = (struct rule_set){.list = found.list, .n = found.n};
	return 0;
}

void rule_set_clear(struct rule_set *set)
{
	free(set->list);
	*set = (struct rule_set){};
}
