/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ct.h"
#include "net/attr.h"
#include "net/nl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

constexpr size_t CT_ATTRS = CTA_STATUS_MASK + 1;

static const enum mnl_attr_data_type ct_policy[CT_ATTRS] = {
	[CTA_TUPLE_ORIG] = MNL_TYPE_NESTED,
	[CTA_STATUS] = MNL_TYPE_U32,
	[CTA_ID] = MNL_TYPE_U32,
	[CTA_ZONE] = MNL_TYPE_U16,
};

static const enum mnl_attr_data_type ct_tuple_policy[CTA_TUPLE_IP + 1] = {
	[CTA_TUPLE_IP] = MNL_TYPE_NESTED,
};

static const enum mnl_attr_data_type ct_ip_policy[CTA_IP_V6_SRC + 1] = {
	[CTA_IP_V4_SRC] = MNL_TYPE_BINARY,
	[CTA_IP_V6_SRC] = MNL_TYPE_BINARY,
};

static int ct_read_source(const struct nlattr *tuple, uint8_t family, struct addr *out)
{
	const struct nlattr *in_tuple[CTA_TUPLE_IP + 1], *in_ip[CTA_IP_V6_SRC + 1];

	if (attr_parse_nested(tuple, ct_tuple_policy, in_tuple, CTA_TUPLE_IP + 1) < 0 ||
		!in_tuple[CTA_TUPLE_IP])
		return -EBADMSG;
	if (attr_parse_nested(in_tuple[CTA_TUPLE_IP], ct_ip_policy, in_ip, CTA_IP_V6_SRC + 1) < 0)
		return -EBADMSG;
	const struct nlattr *source = in_ip[family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC];
	return source ? attr_addr(source, family, out) : -EBADMSG;
}

int ct_read(const struct nlmsghdr *nlh, struct ct_entry *out)
{
	const struct nlattr *tb[CT_ATTRS];

	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_CTNETLINK)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct nfgenmsg), ct_policy, tb, CT_ATTRS) < 0)
		return -EBADMSG;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	if (addr_bits(nfg->nfgen_family) == 0 || !tb[CTA_TUPLE_ORIG])
		return -EBADMSG;

	struct ct_entry e = {
		.status = attr_be32(tb[CTA_STATUS], 0),
		.tuple = tb[CTA_TUPLE_ORIG],
		.zone = tb[CTA_ZONE],
		.id = tb[CTA_ID],
	};
	if (ct_read_source(e.tuple, nfg->nfgen_family, &e.source) < 0)
		return -EBADMSG;
	*out = e;
	return 0;
}

static struct nlmsghdr *ct_begin(
	struct nl_message *m, unsigned type, uint16_t flags, uint8_t family)
{
	struct nfgenmsg nfg = {.nfgen_family = family, .version = NFNETLINK_V0};
	return nl_begin(m, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), flags, &nfg, sizeof(nfg));
}

static void ct_put(struct nlmsghdr *nlh, const struct nlattr *a)
{
	if (a)
		mnl_attr_put(
			nlh, a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

/* The tuple names the entry (a delete without one means all entries), the id makes sure that it
 * is not a later one with the same tuple. 1, or 0 when it is gone or in hardware, or -errno. */
static int ct_delete(struct nl_sock *s, const struct ct_entry *e, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = ct_begin(&m, IPCTNL_MSG_CT_DELETE, 0, e->source.family);

	/* An IPv6 tuple with all its parts has 88 bytes; what is far beyond is none of ours. */
	if (mnl_attr_get_payload_len(e->tuple) > sizeof(m.bytes) / 2)
		return err_set(err, EBADMSG, "conntrack tuple of odd size");
	ct_put(nlh, e->tuple);
	ct_put(nlh, e->zone);
	ct_put(nlh, e->id);
	int r = nl_request(s, nlh, err);
	if (r == -ENOENT || r == -EBUSY)
		return 0;
	return r < 0 ? r : 1;
}

struct ct_sweep {
	struct nl_sock *deleter;
	const struct prefix *ranges;
	size_t n_ranges;
	int deleted;
	struct err why; /* what stopped it */
};

static bool ct_concerns(const struct ct_sweep *sweep, const struct ct_entry *e)
{
	if (e->status & IPS_SEEN_REPLY)
		return false;
	for (size_t i = 0; i < sweep->n_ranges; i++) {
		if (prefix_contains_addr(&sweep->ranges[i], &e->source))
			return true;
	}
	return false;
}

static int ct_sweep_message(const struct nlmsghdr *nlh, void *arg)
{
	struct ct_sweep *sweep = arg;
	struct ct_entry e;

	/* Conntrack knows entries of other families (bridge). */
	if (addr_bits(attr_family(nlh)) == 0)
		return MNL_CB_OK;
	int r = ct_read(nlh, &e);
	if (r == 0 && ct_concerns(sweep, &e))
		r = ct_delete(sweep->deleter, &e, &sweep->why);
	if (r < 0) {
		errno = -r;
		return MNL_CB_ERROR;
	}
	sweep->deleted += r;
	return MNL_CB_OK;
}

int ct_delete_unreplied(struct nl_sock *s, const struct prefix *ranges, size_t n, struct err *err)
{
	struct ct_sweep sweep = {.ranges = ranges, .n_ranges = n};
	int r = nl_open(NETLINK_NETFILTER, &sweep.deleter, err);
	if (r < 0)
		return r;

	/* The kernel leaves out what saw a reply (since 5.15; older ones ignore the filter). */
	struct nl_message m;
	struct nlmsghdr *nlh = ct_begin(&m, IPCTNL_MSG_CT_GET, 0, AF_UNSPEC);
	mnl_attr_put_u32(nlh, CTA_STATUS, 0);
	mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(IPS_SEEN_REPLY));
	r = nl_dump(s, nlh, ct_sweep_message, nullptr, &sweep, err);
	nl_close(sweep.deleter);

	/* A kernel without the subsystem (net/netfilter/nfnetlink.c, nfnetlink_rcv_msg). */
	if (r == -EINVAL && sweep.why.code == 0)
		return 0;
	if (r < 0)
		return err_set(err, -r, "conntrack: %s",
			sweep.why.code ? sweep.why.msg
			: err          ? err->msg
				       : "");
	return sweep.deleted;
}
