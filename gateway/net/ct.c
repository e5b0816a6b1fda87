/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ct.h"
#include "lib/marks.h"
#include "net/attr.h"
#include "net/nl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

constexpr size_t CT_ATTRS = CTA_STATUS_MASK + 1;

static const enum mnl_attr_data_type ct_policy[CT_ATTRS] = {
	[CTA_TUPLE_ORIG] = MNL_TYPE_NESTED,
	[CTA_TUPLE_REPLY] = MNL_TYPE_NESTED,
	[CTA_STATUS] = MNL_TYPE_U32,
	[CTA_PROTOINFO] = MNL_TYPE_NESTED,
	[CTA_TIMEOUT] = MNL_TYPE_U32,
	[CTA_MARK] = MNL_TYPE_U32,
	[CTA_ID] = MNL_TYPE_U32,
	[CTA_ZONE] = MNL_TYPE_U16,
};

static const enum mnl_attr_data_type ct_tuple_policy[CTA_TUPLE_PROTO + 1] = {
	[CTA_TUPLE_IP] = MNL_TYPE_NESTED,
	[CTA_TUPLE_PROTO] = MNL_TYPE_NESTED,
};

static const enum mnl_attr_data_type ct_ip_policy[CTA_IP_V6_DST + 1] = {
	[CTA_IP_V4_SRC] = MNL_TYPE_BINARY,
	[CTA_IP_V4_DST] = MNL_TYPE_BINARY,
	[CTA_IP_V6_SRC] = MNL_TYPE_BINARY,
	[CTA_IP_V6_DST] = MNL_TYPE_BINARY,
};

static const enum mnl_attr_data_type ct_proto_policy[CTA_PROTO_ICMPV6_ID + 1] = {
	[CTA_PROTO_NUM] = MNL_TYPE_U8,
	[CTA_PROTO_SRC_PORT] = MNL_TYPE_U16,
	[CTA_PROTO_DST_PORT] = MNL_TYPE_U16,
	[CTA_PROTO_ICMP_ID] = MNL_TYPE_U16,
	[CTA_PROTO_ICMPV6_ID] = MNL_TYPE_U16,
};

static int ct_read_addresses(const struct nlattr *ip, uint8_t family, struct ct_flow *out)
{
	const struct nlattr *tb[CTA_IP_V6_DST + 1];
	bool v4 = family == AF_INET;

	if (attr_parse_nested(ip, ct_ip_policy, tb, CTA_IP_V6_DST + 1) < 0)
		return -EBADMSG;
	const struct nlattr *from = tb[v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC];
	const struct nlattr *to = tb[v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST];
	if (!from || !to || attr_addr(from, family, &out->from) < 0)
		return -EBADMSG;
	return attr_addr(to, family, &out->to);
}

/* Protocols that have no ports have other numbers there (ICMP) or nothing. */
static int ct_read_ports(const struct nlattr *proto, struct ct_flow *out, uint16_t *icmp_id)
{
	const struct nlattr *tb[CTA_PROTO_ICMPV6_ID + 1];

	if (attr_parse_nested(proto, ct_proto_policy, tb, CTA_PROTO_ICMPV6_ID + 1) < 0)
		return -EBADMSG;
	const struct nlattr *id = tb[CTA_PROTO_ICMP_ID] ? tb[CTA_PROTO_ICMP_ID]
							: tb[CTA_PROTO_ICMPV6_ID];
	out->proto = attr_u8(tb[CTA_PROTO_NUM], 0);
	out->from_port = ntohs(attr_u16(tb[CTA_PROTO_SRC_PORT], 0));
	out->to_port = ntohs(attr_u16(tb[CTA_PROTO_DST_PORT], 0));
	*icmp_id = ntohs(attr_u16(id, 0));
	return 0;
}

static int ct_read_flow(
	const struct nlattr *tuple, uint8_t family, struct ct_flow *out, uint16_t *icmp_id)
{
	const struct nlattr *tb[CTA_TUPLE_PROTO + 1];

	if (attr_parse_nested(tuple, ct_tuple_policy, tb, CTA_TUPLE_PROTO + 1) < 0 ||
		!tb[CTA_TUPLE_IP] || !tb[CTA_TUPLE_PROTO])
		return -EBADMSG;
	int r = ct_read_addresses(tb[CTA_TUPLE_IP], family, out);
	return r < 0 ? r : ct_read_ports(tb[CTA_TUPLE_PROTO], out, icmp_id);
}

static int ct_read_tcp_state(const struct nlattr *info, uint8_t *out)
{
	static const enum mnl_attr_data_type policy[CTA_PROTOINFO_TCP + 1] = {
		[CTA_PROTOINFO_TCP] = MNL_TYPE_NESTED,
	};
	static const enum mnl_attr_data_type tcp_policy[CTA_PROTOINFO_TCP_STATE + 1] = {
		[CTA_PROTOINFO_TCP_STATE] = MNL_TYPE_U8,
	};
	const struct nlattr *tb[CTA_PROTOINFO_TCP + 1], *tcp[CTA_PROTOINFO_TCP_STATE + 1];

	if (!info)
		return 0;
	if (attr_parse_nested(info, policy, tb, CTA_PROTOINFO_TCP + 1) < 0)
		return -EBADMSG;
	if (!tb[CTA_PROTOINFO_TCP])
		return 0;
	if (attr_parse_nested(tb[CTA_PROTOINFO_TCP], tcp_policy, tcp, CTA_PROTOINFO_TCP_STATE + 1) <
		0)
		return -EBADMSG;
	*out = attr_u8(tcp[CTA_PROTOINFO_TCP_STATE], 0);
	return 0;
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
		.state = {attr_be32(tb[CTA_STATUS], 0), attr_be32(tb[CTA_MARK], 0)},
		.tuple = tb[CTA_TUPLE_ORIG],
		.zone = tb[CTA_ZONE],
		.id = tb[CTA_ID],
		.timeout_s = attr_be32(tb[CTA_TIMEOUT], 0),
	};
	uint16_t reply_id; /* the same */
	if (ct_read_flow(e.tuple, nfg->nfgen_family, &e.flow, &e.icmp_id) < 0)
		return -EBADMSG;
	if (tb[CTA_TUPLE_REPLY] &&
		ct_read_flow(tb[CTA_TUPLE_REPLY], nfg->nfgen_family, &e.reply, &reply_id) < 0)
		return -EBADMSG;
	if (ct_read_tcp_state(tb[CTA_PROTOINFO], &e.tcp_state) < 0)
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
static int ct_delete_entry(struct nl_sock *s, const struct ct_entry *e, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = ct_begin(&m, IPCTNL_MSG_CT_DELETE, 0, e->flow.from.family);

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

/* A dump, and what becomes of the entries that it is about. */
struct ct_sweep {
	const struct ct_scope *scope;
	unsigned kinds;
	int found;
	struct nl_sock *deleter; /* delete them, or … */
	struct ct_flow *out;     /* … list them */
	size_t max;
	struct err why; /* what stopped it */
};

static bool ct_within(const struct prefix *list, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix_contains_addr(&list[i], a))
			return true;
	}
	return false;
}

static bool ct_between(const struct ct_scope *s, const struct addr *mesh, const struct addr *other)
{
	return ct_within(s->ranges, s->n_ranges, mesh) &&
	       (s->n_networks == 0 || ct_within(s->networks, s->n_networks, other)) &&
	       !ct_within(s->except, s->n_except, other);
}

static bool ct_is_datagram(uint8_t proto)
{
	return proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE || proto == IPPROTO_ICMP ||
	       proto == IPPROTO_ICMPV6;
}

bool ct_concerns(const struct ct_scope *scope, unsigned kinds, const struct ct_flow *flow,
	const struct ct_state *state)
{
	unsigned of_mesh = 0, to_mesh = 0;

	if ((state->mark & MARK_PROBE_MASK) == MARK_PROBE)
		return false;
	if (!(state->status & IPS_SEEN_REPLY))
		of_mesh |= CT_UNREPLIED;
	if (ct_is_datagram(flow->proto)) {
		of_mesh |= CT_DATAGRAMS;
		to_mesh |= CT_DATAGRAMS_TO_MESH;
	}
	return ((kinds & of_mesh) && ct_between(scope, &flow->from, &flow->to)) ||
	       ((kinds & to_mesh) && ct_between(scope, &flow->to, &flow->from));
}

/* 1 = counts, 0 = it was gone already, or -errno. */
static int ct_take(struct ct_sweep *sweep, const struct ct_entry *e)
{
	if (sweep->deleter)
		return ct_delete_entry(sweep->deleter, e, &sweep->why);
	if ((size_t)sweep->found < sweep->max)
		sweep->out[sweep->found] = e->flow;
	return 1;
}

static int ct_sweep_message(const struct nlmsghdr *nlh, void *arg)
{
	struct ct_sweep *sweep = arg;
	struct ct_entry e;

	/* Conntrack knows entries of other families (bridge). */
	if (addr_bits(attr_family(nlh)) == 0)
		return MNL_CB_OK;
	int r = ct_read(nlh, &e);
	if (r == 0 && ct_concerns(sweep->scope, sweep->kinds, &e.flow, &e.state))
		r = ct_take(sweep, &e);
	if (r < 0) {
		errno = -r;
		return MNL_CB_ERROR;
	}
	sweep->found += r;
	return MNL_CB_OK;
}

/* What was deleted stays so; a list begins anew. */
static void ct_sweep_restart(void *arg)
{
	struct ct_sweep *sweep = arg;

	if (!sweep->deleter)
		sweep->found = 0;
}

static int ct_sweep_run(struct nl_sock *s, struct ct_sweep *sweep, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = ct_begin(&m, IPCTNL_MSG_CT_GET, 0, AF_UNSPEC);

	/* The kernel leaves out what saw a reply (since 5.15; older ones ignore the filter). */
	if (sweep->kinds == CT_UNREPLIED) {
		mnl_attr_put_u32(nlh, CTA_STATUS, 0);
		mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(IPS_SEEN_REPLY));
	}
	int r = nl_dump(s, nlh, ct_sweep_message, ct_sweep_restart, sweep, err);

	/* A kernel without the subsystem (net/netfilter/nfnetlink.c, nfnetlink_rcv_msg). */
	if (r == -EINVAL && sweep->why.code == 0)
		return 0;
	if (r < 0)
		return err_set(err, -r, "conntrack: %s",
			sweep->why.code ? sweep->why.msg
			: err           ? err->msg
					: "");
	return sweep->found;
}

int ct_delete(struct nl_sock *s, const struct ct_scope *scope, unsigned kinds, struct err *err)
{
	struct ct_sweep sweep = {.scope = scope, .kinds = kinds};
	int r = nl_open(NETLINK_NETFILTER, &sweep.deleter, err);
	if (r < 0)
		return r;
	r = ct_sweep_run(s, &sweep, err);
	nl_close(sweep.deleter);
	return r;
}

int ct_list(struct nl_sock *s, const struct ct_scope *scope, unsigned kinds, struct ct_flow *out,
	size_t max, struct err *err)
{
	struct ct_sweep sweep = {.scope = scope, .kinds = kinds, .out = out, .max = max};
	return ct_sweep_run(s, &sweep, err);
}

static void ct_put_tuple(struct nlmsghdr *nlh, const struct ct_flow *f)
{
	bool v4 = f->from.family == AF_INET;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);

	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	attr_put_addr(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, &f->from);
	attr_put_addr(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, &f->to);
	mnl_attr_nest_end(nlh, ip);

	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, f->proto);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(f->from_port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(f->to_port));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, tuple);
}

static int ct_lookup_message(const struct nlmsghdr *nlh, void *arg)
{
	struct ct_entry e;

	if (ct_read(nlh, &e) < 0) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	*(struct ct_state *)arg = e.state;
	return MNL_CB_OK;
}

int ct_lookup(struct nl_sock *s, const struct ct_flow *flow, struct ct_state *out, struct err *err)
{
	struct nl_message m;
	/* The answer calls itself one of several, and nothing but the acknowledgement ends them
	 * (nf_conntrack_netlink.c, ctnetlink_fill_info). */
	struct nlmsghdr *nlh = ct_begin(&m, IPCTNL_MSG_CT_GET, NLM_F_ACK, flow->from.family);

	ct_put_tuple(nlh, flow);
	int r = nl_query(s, nlh, ct_lookup_message, out, err);
	if (r < 0)
		(void)err_ctx(err, "conntrack");
	return r;
}

/* ---- all flows to a target ---- */

/* Which parts of a tuple a dump filters by (net/netfilter/nf_internals.h). */
constexpr uint32_t CT_BY_DESTINATION = 1 << 1;
constexpr uint32_t CT_BY_PROTO = 1 << 3;
constexpr uint32_t CT_BY_DESTINATION_PORT = 1 << 5;

struct ct_visit {
	struct ct_flow to; /* its to, to_port and proto */
	void (*visit)(const struct ct_entry *e, void *arg);
	void *arg;
};

static int ct_visit_message(const struct nlmsghdr *nlh, void *arg)
{
	const struct ct_visit *v = arg;
	struct ct_entry e;

	if (addr_bits(attr_family(nlh)) == 0)
		return MNL_CB_OK;
	if (ct_read(nlh, &e) < 0) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (e.flow.proto == v->to.proto && addr_cmp(&e.flow.to, &v->to.to) == 0 &&
		(v->to.to_port == 0 || e.flow.to_port == v->to.to_port))
		v->visit(&e, v->arg);
	return MNL_CB_OK;
}

/* Filtered by the kernel (since 5.8), or all of the family. By an IPv6 address it filters the wrong
 * way round: 6.18 leaves out exactly what matches (ctnetlink_filter_match_tuple). */
static int ct_visit_dump(struct nl_sock *s, struct ct_visit *v, bool filtered, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = ct_begin(&m, IPCTNL_MSG_CT_GET, 0, v->to.to.family);

	if (filtered) {
		uint32_t by = CT_BY_PROTO;
		by |= v->to.to.family == AF_INET ? CT_BY_DESTINATION : 0;
		by |= v->to.to_port ? CT_BY_DESTINATION_PORT : 0;
		ct_put_tuple(nlh, &v->to);
		struct nlattr *filter = mnl_attr_nest_start(nlh, CTA_FILTER);
		mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS, by);
		mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS, 0);
		mnl_attr_nest_end(nlh, filter);
	}
	return nl_dump(s, nlh, ct_visit_message, nullptr, v, err);
}

int ct_visit_to(struct nl_sock *s, uint8_t proto, const struct addr *to, uint16_t port,
	void (*visit)(const struct ct_entry *e, void *arg), void *arg, struct err *err)
{
	struct ct_visit v = {
		.to = {.proto = proto, .from.family = to->family, .to = *to, .to_port = port},
		.visit = visit,
		.arg = arg,
	};
	int r = ct_visit_dump(s, &v, true, err);
	if (r == -EOPNOTSUPP || r == -EINVAL)
		r = ct_visit_dump(s, &v, false, err);
	if (r == -EINVAL)
		return 0; /* see ct_sweep_run() */
	if (r < 0)
		err_ctx(err, "conntrack");
	return r;
}

const char *ct_tcp_state_str(uint8_t tcp_state)
{
	static const char *const names[] = {
		[TCP_CONNTRACK_NONE] = "",
		[TCP_CONNTRACK_SYN_SENT] = "SYN_SENT",
		[TCP_CONNTRACK_SYN_RECV] = "SYN_RECV",
		[TCP_CONNTRACK_ESTABLISHED] = "ESTABLISHED",
		[TCP_CONNTRACK_FIN_WAIT] = "FIN_WAIT",
		[TCP_CONNTRACK_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_CONNTRACK_LAST_ACK] = "LAST_ACK",
		[TCP_CONNTRACK_TIME_WAIT] = "TIME_WAIT",
		[TCP_CONNTRACK_CLOSE] = "CLOSE",
		[TCP_CONNTRACK_SYN_SENT2] = "SYN_SENT2",
	};
	return tcp_state < sizeof(names) / sizeof(names[0]) ? names[tcp_state] : "";
}
