/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"
#include "lib/marks.h"
#include "net/attr.h"
#include "net/nl.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t LINK_ATTRS = IFLA_IFALIAS + 1;

static const enum mnl_attr_data_type link_policy[LINK_ATTRS] = {
	[IFLA_IFNAME] = MNL_TYPE_NUL_STRING,
	[IFLA_MTU] = MNL_TYPE_U32,
	[IFLA_MASTER] = MNL_TYPE_U32,
	[IFLA_LINKINFO] = MNL_TYPE_NESTED,
	[IFLA_IFALIAS] = MNL_TYPE_NUL_STRING,
};

static const enum mnl_attr_data_type info_policy[IFLA_INFO_DATA + 1] = {
	[IFLA_INFO_KIND] = MNL_TYPE_STRING,
	[IFLA_INFO_DATA] = MNL_TYPE_NESTED,
};

static const enum mnl_attr_data_type vrf_policy[IFLA_VRF_TABLE + 1] = {
	[IFLA_VRF_TABLE] = MNL_TYPE_U32,
};

/* The end of a kind's name is not always told; longer ones than ours are cut. */
static int link_read_info(const struct nlattr *info, struct link *out)
{
	const struct nlattr *tb[IFLA_INFO_DATA + 1], *vrf[IFLA_VRF_TABLE + 1];

	if (!info)
		return 0;
	if (attr_parse_nested(info, info_policy, tb, IFLA_INFO_DATA + 1) < 0)
		return -EBADMSG;
	if (!tb[IFLA_INFO_KIND])
		return 0;
	size_t len = strnlen(mnl_attr_get_payload(tb[IFLA_INFO_KIND]),
		mnl_attr_get_payload_len(tb[IFLA_INFO_KIND]));
	memcpy(out->kind, mnl_attr_get_payload(tb[IFLA_INFO_KIND]),
		len < LINK_KIND_LEN ? len : LINK_KIND_LEN - 1);
	if (strcmp(out->kind, "vrf") != 0 || !tb[IFLA_INFO_DATA])
		return 0;
	if (attr_parse_nested(tb[IFLA_INFO_DATA], vrf_policy, vrf, IFLA_VRF_TABLE + 1) < 0)
		return -EBADMSG;
	out->vrf_table = attr_u32(vrf[IFLA_VRF_TABLE], 0);
	return 0;
}

int link_read(const struct nlmsghdr *nlh, struct link *out)
{
	const struct nlattr *tb[LINK_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct ifinfomsg), link_policy, tb, LINK_ATTRS) < 0)
		return -EBADMSG;
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	if (ifi->ifi_family != AF_UNSPEC || ifi->ifi_index <= 0)
		return -EBADMSG;

	struct link l = {
		.ifindex = ifi->ifi_index,
		.flags = ifi->ifi_flags,
		.mtu = attr_u32(tb[IFLA_MTU], 0),
		.master = attr_int(tb[IFLA_MASTER], 0),
		.ours = tb[IFLA_IFALIAS] &&
			strcmp(mnl_attr_get_str(tb[IFLA_IFALIAS]), MARK_LINK_ALIAS) == 0,
	};
	if (attr_ifname(tb[IFLA_IFNAME], l.name) < 0 || l.name[0] == '\0' ||
		link_read_info(tb[IFLA_LINKINFO], &l) < 0)
		return -EBADMSG;
	*out = l;
	return 0;
}

constexpr size_t IFADDR_ATTRS = IFA_PROTO + 1;

static const enum mnl_attr_data_type ifaddr_policy[IFADDR_ATTRS] = {
	[IFA_ADDRESS] = MNL_TYPE_BINARY,
	[IFA_LOCAL] = MNL_TYPE_BINARY,
	[IFA_FLAGS] = MNL_TYPE_U32,
	[IFA_PROTO] = MNL_TYPE_U8,
};

int ifaddr_read(const struct nlmsghdr *nlh, struct ifaddr_entry *out)
{
	const struct nlattr *tb[IFADDR_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct ifaddrmsg), ifaddr_policy, tb, IFADDR_ATTRS) < 0)
		return -EBADMSG;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	if (addr_bits(ifa->ifa_family) == 0 || ifa->ifa_prefixlen > addr_bits(ifa->ifa_family))
		return -EBADMSG;

	/* On a point-to-point link IFA_ADDRESS is the peer's, IFA_LOCAL ours; elsewhere IPv6 sends
	 * only IFA_ADDRESS (linux/if_addr.h). */
	const struct nlattr *local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	struct ifaddr_entry a = {
		.ifindex = (int)ifa->ifa_index,
		.prefix_len = ifa->ifa_prefixlen,
		.from_ra = attr_u8(tb[IFA_PROTO], IFAPROT_UNSPEC) == IFAPROT_KERNEL_RA,
		.tentative = attr_u32(tb[IFA_FLAGS], ifa->ifa_flags) & IFA_F_TENTATIVE,
	};
	if (!local || attr_addr(local, ifa->ifa_family, &a.address) < 0)
		return -EBADMSG;
	*out = a;
	return 0;
}

static int link_dump_read(const struct nlmsghdr *nlh, void *element, void *)
{
	return link_read(nlh, element);
}

static int link_compare(const void *a, const void *b)
{
	const struct link *x = a, *y = b;
	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int link_dump(struct nl_sock *s, struct link_set *out, struct err *err)
{
	struct nl_message m;
	struct ifinfomsg ifi = {};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

	struct nl_list found;
	int r = nl_dump_list(s, nlh, sizeof(struct link), link_dump_read, nullptr, &found, err);
	if (r < 0) {
		err_ctx(err, "links");
		return r;
	}
	link_set_clear(out);
	*out = (struct link_set){.list = found.list, .n = found.n};
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list), link_compare);
	return 0;
}

static int ifaddr_dump_read(const struct nlmsghdr *nlh, void *element, void *)
{
	/* Every family is asked, and MCTP and Phonet have addresses too. */
	return addr_bits(attr_family(nlh)) ? ifaddr_read(nlh, element) : 1;
}

int ifaddr_dump(struct nl_sock *s, struct ifaddr_set *out, struct err *err)
{
	struct nl_message m;
	struct ifaddrmsg ifa = {};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETADDR, 0, &ifa, sizeof(ifa));

	struct nl_list found;
	int r = nl_dump_list(
		s, nlh, sizeof(struct ifaddr_entry), ifaddr_dump_read, nullptr, &found, err);
	if (r < 0) {
		err_ctx(err, "addresses");
		return r;
	}
	ifaddr_set_clear(out);
	*out = (struct ifaddr_set){.list = found.list, .n = found.n};
	return 0;
}

void link_set_clear(struct link_set *set)
{
	free(set->list);
	*set = (struct link_set){};
}

void ifaddr_set_clear(struct ifaddr_set *set)
{
	free(set->list);
	*set = (struct ifaddr_set){};
}

const struct link *link_by_name(const struct link_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->list[i].name, name) == 0)
			return &set->list[i];
	}
	return nullptr;
}

const struct link *link_by_index(const struct link_set *set, int ifindex)
{
	struct link key = {.ifindex = ifindex};
	if (set->n == 0)
		return nullptr;
	return bsearch(&key, set->list, set->n, sizeof(*set->list), link_compare);
}

constexpr size_t STATS_ATTRS = IFLA_STATS64 + 1;

static const enum mnl_attr_data_type stats_policy[STATS_ATTRS] = {
	[IFLA_STATS64] = MNL_TYPE_BINARY,
};

static int stats_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[STATS_ATTRS];
	struct rtnl_link_stats64 all;
	constexpr size_t known = offsetof(struct rtnl_link_stats64, tx_dropped) + sizeof(uint64_t);

	if (attr_parse(nlh, sizeof(struct ifinfomsg), stats_policy, tb, STATS_ATTRS) < 0)
		return MNL_CB_ERROR;
	const struct nlattr *stats = tb[IFLA_STATS64];
	if (!stats || mnl_attr_get_payload_len(stats) < known)
		return MNL_CB_ERROR;
	memcpy(&all, mnl_attr_get_payload(stats), known);
	*(struct link_counters *)arg = (struct link_counters){
		.rx_packets = all.rx_packets,
		.tx_packets = all.tx_packets,
		.rx_errors = all.rx_errors,
		.tx_errors = all.tx_errors,
		.rx_dropped = all.rx_dropped,
		.tx_dropped = all.tx_dropped,
	};
	return MNL_CB_OK;
}

int link_counters_read(struct nl_sock *s, int ifindex, struct link_counters *out, struct err *err)
{
	struct nl_message m;
	struct ifinfomsg ifi = {.ifi_index = ifindex};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	int r = nl_query(s, nlh, stats_read, out, err);
	if (r < 0)
		err_ctx(err, "counters of interface %d", ifindex);
	return r;
}

int link_tx_read(struct nl_sock *s, int ifindex, struct link_tx *out, struct err *err)
{
	struct link_counters all;
	int r = link_counters_read(s, ifindex, &all, err);
	if (r == 0)
		*out = (struct link_tx){.sent = all.tx_packets, .dropped = all.tx_dropped};
	return r;
}
