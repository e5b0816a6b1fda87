/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a route is added beside a foreign one of the same prefix, table and metric, seen on Linux
 * 6.18 and held by tests/unit/test_route_kernel.c:
 *
 *   IPv4, NLM_F_CREATE | NLM_F_EXCL: -EEXIST whoever owns the other one.
 *   IPv4, NLM_F_CREATE: ours goes in front, -EEXIST only if ours is there already, since the
 *     protocol number is part of what is compared (net/ipv4/fib_trie.c fib_table_insert,
 *     fib_semantics.c fib_find_info).
 *   IPv6, NLM_F_CREATE: routes with equal metrics stand in the order of their arrival, and of two
 *     device routes the first wins. Only routes with gateways become siblings of one multipath
 *     route. The comparison looks at the next hop alone, so a foreign route to the same device is
 *     -EEXIST too (net/ipv6/ip6_fib.c fib6_add_rt2node, rt6_duplicate_nexthop). NLM_F_EXCL turns
 *     every case into -EEXIST, NLM_F_APPEND changes nothing here.
 *
 * Both families compare metric and protocol of a delete request with the route's, and take 0 for
 * any (fib_table_delete, net/ipv6/route.c ip6_route_del).
 */
#include "net/route.h"
#include "net/attr.h"
#include "net/nl.h"
#include <assert.h>
#include <errno.h>
#include <linux/in_route.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t ROUTE_ATTRS = RTA_NH_ID + 1;

static const enum mnl_attr_data_type route_policy[ROUTE_ATTRS] = {
	[RTA_DST] = MNL_TYPE_BINARY,
	[RTA_SRC] = MNL_TYPE_BINARY,
	[RTA_OIF] = MNL_TYPE_U32,
	[RTA_GATEWAY] = MNL_TYPE_BINARY,
	[RTA_PRIORITY] = MNL_TYPE_U32,
	[RTA_PREFSRC] = MNL_TYPE_BINARY,
	[RTA_TABLE] = MNL_TYPE_U32,
	[RTA_VIA] = MNL_TYPE_BINARY,
	[RTA_PREF] = MNL_TYPE_U8,
	[RTA_NH_ID] = MNL_TYPE_U32,
};

/* RTA_VIA is a gateway of the other family: struct rtvia, family and address. */
static int route_read_via(const struct nlattr *a, struct addr *out)
{
	uint16_t family;
	size_t len = mnl_attr_get_payload_len(a);
	const uint8_t *via = mnl_attr_get_payload(a);

	if (len < sizeof(family))
		return -EBADMSG;
	memcpy(&family, via, sizeof(family));
	if (family != AF_INET && family != AF_INET6)
		return -EBADMSG;
	struct addr gateway = {.family = (uint8_t)family};
	if (len != sizeof(family) + addr_bytes(gateway.family))
		return -EBADMSG;
	memcpy(gateway.b, via + sizeof(family), addr_bytes(gateway.family));
	*out = gateway;
	return 0;
}

static int route_read_addrs(const struct nlattr *const *tb, uint8_t family, struct route *out)
{
	if (attr_addr(tb[RTA_DST], family, &out->dst.addr) < 0)
		return -EBADMSG;
	/* The default route has no RTA_DST. */
	if (!tb[RTA_DST] && out->dst.len != 0)
		return -EBADMSG;
	out->dst.addr.family = family;
	if (out->src.len && attr_addr(tb[RTA_SRC], family, &out->src.addr) < 0)
		return -EBADMSG;
	if (attr_addr(tb[RTA_PREFSRC], family, &out->prefsrc) < 0)
		return -EBADMSG;
	if (tb[RTA_VIA])
		return route_read_via(tb[RTA_VIA], &out->gateway);
	return attr_addr(tb[RTA_GATEWAY], family, &out->gateway);
}

int route_read(const struct nlmsghdr *nlh, struct route *out)
{
	const struct nlattr *tb[ROUTE_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct rtmsg), route_policy, tb, ROUTE_ATTRS) < 0)
		return -EBADMSG;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	uint8_t bits = (uint8_t)addr_bits(rtm->rtm_family);
	if (bits == 0 || rtm->rtm_dst_len > bits || rtm->rtm_src_len > bits)
		return -EBADMSG;

	/* An answer to a question has the question's source there. */
	bool entry = !(rtm->rtm_flags & RTM_F_CLONED);
	struct route r = {
		.dst.len = rtm->rtm_dst_len,
		.src.len = entry ? rtm->rtm_src_len : 0,
		.tos = entry ? rtm->rtm_tos : 0,
		.pref = attr_u8(tb[RTA_PREF], 0),
		.table = attr_u32(tb[RTA_TABLE], rtm->rtm_table),
		.metric = attr_u32(tb[RTA_PRIORITY], 0),
		.protocol = rtm->rtm_protocol,
		.type = rtm->rtm_type,
		.scope = rtm->rtm_scope,
		.nexthop_flags = rtm->rtm_flags & 0xff, /* the bits above are RTM_F_… */
		.oif = attr_int(tb[RTA_OIF], 0),
		.nexthop_id = attr_u32(tb[RTA_NH_ID], 0),
	};
	if (route_read_addrs(tb, rtm->rtm_family, &r) < 0)
		return -EBADMSG;
	*out = r;
	return 0;
}

void route_set_clear(struct route_set *set)
{
	free(set->list);
	*set = (struct route_set){};
}

#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))

int route_cmp(const struct route *a, const struct route *b)
{
	int c = prefix_cmp(&a->dst, &b->dst);
	if (c == 0)
		c = COMPARE(a->table, b->table);
	if (c == 0)
		c = COMPARE(a->metric, b->metric);
	if (c == 0)
		c = COMPARE(a->protocol, b->protocol);
	if (c == 0)
		c = COMPARE(a->oif, b->oif);
	return c;
}

static int route_compare(const void *a, const void *b)
{
	return route_cmp(a, b);
}

const char *route_str(const struct route *r, char *buf, size_t size)
{
	char dst[PREFIX_STRLEN];
	snprintf(buf, size, "%s dev %d proto %u metric %u table %u", prefix_str(&r->dst, dst),
		r->oif, r->protocol, r->metric, r->table);
	return buf;
}

struct route_choice {
	uint8_t family;
	bool (*keep)(const struct route *r, void *arg);
	void *arg;
};

static int route_dump_read(const struct nlmsghdr *nlh, void *element, void *arg)
{
	const struct route_choice *choice = arg;
	struct route *route = element;

	if (attr_family(nlh) != choice->family)
		return 1;
	int r = route_read(nlh, route);
	if (r < 0)
		return r;
	return choice->keep && !choice->keep(route, choice->arg);
}

int route_dump(struct nl_sock *s, const struct route_filter *filter,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err)
{
	struct nl_message m;
	struct rtmsg rtm = {.rtm_family = filter->family, .rtm_protocol = filter->protocol};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	if (filter->table)
		mnl_attr_put_u32(nlh, RTA_TABLE, filter->table);
	if (filter->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)filter->oif);

	struct nl_list found = {};
	struct route_choice choice = {.family = filter->family, .keep = keep, .arg = arg};
	int r = nl_dump_list(s, nlh, sizeof(struct route), route_dump_read, &choice, &found, err);
	/* "FIB table does not exist" */
	if (r < 0 && r != -ENOENT) {
		if (filter->table)
			err_ctx(err, "routes of table %u", filter->table);
		else
			err_ctx(err, "routes");
		return r;
	}
	route_set_clear(out);
	*out = (struct route_set){.list = found.list, .n = found.n};
	if (out->n && !filter->unsorted)
		qsort(out->list, out->n, sizeof(*out->list), route_compare);
	return 0;
}

/* Everything that tells our route from others is in the request: what is 0 there would mean
 * "any" to a delete. */
static struct nlmsghdr *route_begin(struct nl_message *m, uint16_t type, uint16_t flags,
	struct rtmsg rtm, const struct route *r)
{
	assert(r->table && r->metric && r->protocol);
	rtm.rtm_family = r->dst.addr.family;
	rtm.rtm_dst_len = r->dst.len;
	rtm.rtm_table = r->table <= UINT8_MAX ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	rtm.rtm_protocol = r->protocol;

	struct nlmsghdr *nlh = nl_begin(m, type, flags, &rtm, sizeof(rtm));
	attr_put_addr(nlh, RTA_DST, &r->dst.addr);
	mnl_attr_put_u32(nlh, RTA_TABLE, r->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)r->oif);
	return nlh;
}

static bool route_is(const struct route *r, void *wanted)
{
	return route_cmp(r, wanted) == 0;
}

/* IPv6 says -EEXIST for anybody's route to the device; is it this one? */
static int route_whose(struct nl_sock *s, const struct route *r, struct err *err)
{
	struct route wanted = *r;
	struct route_filter filter = {
		.family = r->dst.addr.family,
		.table = r->table,
		.protocol = r->protocol,
		.oif = r->oif,
	};
	struct route_set found = {};
	int res = route_dump(s, &filter, route_is, &wanted, &found, err);
	if (res < 0)
		return res;
	size_t n = found.n;
	route_set_clear(&found);
	if (n > 0)
		return err_set(err, EEXIST, "it is there already");
	return err_set(err, ENOTUNIQ, "another program's route of this metric is on the device");
}

static int route_fail(int r, const struct route *route, struct err *err)
{
	char text[ROUTE_STRLEN];
	err_ctx(err, "route %s", route_str(route, text, sizeof(text)));
	return r;
}

int route_add(struct nl_sock *s, const struct route *r, struct err *err)
{
	assert(r->oif > 0);
	struct nl_message m;
	struct rtmsg rtm = {.rtm_type = RTN_UNICAST, .rtm_scope = RT_SCOPE_LINK};
	struct nlmsghdr *nlh = route_begin(&m, RTM_NEWROUTE, NLM_F_CREATE, rtm, r);

	int res = nl_request(s, nlh, err);
	if (res == -EEXIST && r->dst.addr.family == AF_INET6)
		res = route_whose(s, r, err);
	return res < 0 ? route_fail(res, r, err) : 0;
}

int route_del(struct nl_sock *s, const struct route *r, struct err *err)
{
	struct nl_message m;
	/* RT_SCOPE_NOWHERE: of any scope. */
	struct rtmsg rtm = {.rtm_scope = RT_SCOPE_NOWHERE};
	struct nlmsghdr *nlh = route_begin(&m, RTM_DELROUTE, 0, rtm, r);

	int res = nl_request(s, nlh, err);
	return res < 0 ? route_fail(res, r, err) : 0;
}

static bool route_is_same(const struct route *r, void *arg)
{
	const struct route *wanted = arg;
	return route_cmp(r, wanted) == 0 && r->type == wanted->type && r->tos == wanted->tos &&
	       !addr_cmp(&r->gateway, &wanted->gateway);
}

/* A 0 in a delete means "any": so it is looked first whether the one that is meant is there, and
 * said again what the dump said. Of two that differ in what is 0 here, the kernel takes the first;
 * for a metric that is the right one, since it sorts by it. */
int route_del_foreign(struct nl_sock *s, const struct route *r, struct err *err)
{
	struct route wanted = *r;
	struct route_filter filter = {
		.family = r->dst.addr.family, .table = r->table, .protocol = r->protocol};
	struct route_set found = {};
	int res = route_dump(s, &filter, route_is_same, &wanted, &found, err);
	size_t n = found.n;
	if (n)
		wanted = found.list[0];
	route_set_clear(&found);
	if (res < 0)
		return res;
	if (n == 0)
		return route_fail(-ESRCH, r, err);

	struct nl_message m;
	struct rtmsg rtm = {.rtm_family = wanted.dst.addr.family,
		.rtm_dst_len = wanted.dst.len,
		.rtm_tos = wanted.tos,
		.rtm_protocol = wanted.protocol,
		.rtm_scope = RT_SCOPE_NOWHERE,
		.rtm_type = wanted.type};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_DELROUTE, 0, &rtm, sizeof(rtm));
	attr_put_addr(nlh, RTA_DST, &wanted.dst.addr);
	mnl_attr_put_u32(nlh, RTA_TABLE, wanted.table);
	if (wanted.metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, wanted.metric);
	if (wanted.oif && wanted.type == RTN_UNICAST)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)wanted.oif);
	if (wanted.gateway.family == wanted.dst.addr.family)
		attr_put_addr(nlh, RTA_GATEWAY, &wanted.gateway);
	res = nl_request(s, nlh, err);
	return res < 0 ? route_fail(res, r, err) : 0;
}

static struct nlmsghdr *route_question_begin(struct nl_message *m, const struct route_question *q)
{
	uint8_t bits = (uint8_t)addr_bits(q->dst.family);
	struct rtmsg rtm = {
		.rtm_family = q->dst.family,
		.rtm_dst_len = bits,
		.rtm_src_len = q->src.family ? bits : 0,
		.rtm_flags = q->fib_match ? RTM_F_FIB_MATCH : 0,
	};
	/* IPv6 always tells the table, and refuses the flag. */
	if (q->dst.family == AF_INET)
		rtm.rtm_flags |= RTM_F_LOOKUP_TABLE;

	struct nlmsghdr *nlh = nl_begin(m, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
	attr_put_addr(nlh, RTA_DST, &q->dst);
	if (q->src.family)
		attr_put_addr(nlh, RTA_SRC, &q->src);
	if (q->iif)
		mnl_attr_put_u32(nlh, RTA_IIF, (uint32_t)q->iif);
	if (q->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)q->oif);
	if (q->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, q->mark);
	if (q->proto)
		mnl_attr_put_u8(nlh, RTA_IP_PROTO, q->proto);
	if (q->sport)
		mnl_attr_put_u16(nlh, RTA_SPORT, htons(q->sport));
	if (q->dport)
		mnl_attr_put_u16(nlh, RTA_DPORT, htons(q->dport));
	return nlh;
}

static int route_answer_read(const struct nlmsghdr *nlh, void *arg)
{
	struct route_answer *answer = arg;
	int r = route_read(nlh, &answer->route);
	if (r < 0) {
		errno = -r;
		return MNL_CB_ERROR;
	}
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	answer->redirect = rtm->rtm_flags & RTCF_DOREDIRECT;
	return MNL_CB_OK;
}

/* IPv4 answers with the error that a route of this type means, IPv6 with the route
 * (net/ipv4/fib_semantics.c, fib_props). */
static int route_type_error(uint8_t type)
{
	static const int errors[RTN_MAX + 1] = {
		[RTN_BLACKHOLE] = EINVAL,
		[RTN_UNREACHABLE] = EHOSTUNREACH,
		[RTN_PROHIBIT] = EACCES,
	};
	return type <= RTN_MAX ? errors[type] : 0;
}

static bool route_error_is_answer(int code)
{
	static const int answers[] = {ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EXDEV};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (code == answers[i])
			return true;
	}
	return false;
}

int route_ask(struct nl_sock *s, const struct route_question *q, struct route_answer *answer,
	struct err *err)
{
	assert(addr_bits(q->dst.family));
	assert(q->src.family == AF_UNSPEC || q->src.family == q->dst.family);
	struct nl_message m;
	struct nlmsghdr *nlh = route_question_begin(&m, q);

	struct route_answer got = {};
	struct err refused = {};
	int r = nl_query(s, nlh, route_answer_read, &got, &refused);
	if (r < 0 && !route_error_is_answer(-r))
		return err_set(err, -r, "route lookup: %s", refused.msg);
	got.error = r < 0 ? -r : route_type_error(got.route.type);
	*answer = got;
	return 0;
}
