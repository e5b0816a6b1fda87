/* SPDX-License-Identifier: Apache-2.0 */
/* Conntrack entries of a real kernel: which are deleted, looked up, listed and visited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/marks.h"
#include "net/ct.h"
#include "netns.h"
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void put_ct_tuple(struct nlmsghdr *nlh, uint16_t type, const struct addr *from,
	const struct addr *to, uint8_t protocol, uint16_t from_port, uint16_t to_port)
{
	bool v6 = from->family == AF_INET6;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, type);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, addr_bytes(from->family), from->b);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, addr_bytes(to->family), to->b);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, tuple);
}

struct flow {
	const char *from, *to;
	uint16_t port;
	uint16_t zone;
	uint32_t mark;
	bool replied, tcp;
};

static void ct_add(struct nl_sock *nl, const struct flow *f)
{
	struct nl_message m;
	struct addr from = netns_addr(f->from), to = netns_addr(f->to);
	struct nlmsghdr *nlh = netns_netfilter(&m, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW,
		NLM_F_CREATE | NLM_F_EXCL, from.family);
	uint8_t protocol = f->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	put_ct_tuple(nlh, CTA_TUPLE_ORIG, &from, &to, protocol, f->port, 3000);
	put_ct_tuple(nlh, CTA_TUPLE_REPLY, &to, &from, protocol, 3000, f->port);
	uint32_t status = IPS_CONFIRMED | (f->replied ? IPS_SEEN_REPLY : 0);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(status));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(600));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(f->mark));
	if (f->zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(f->zone));
	struct err err = {};
	if (nl_request(nl, nlh, &err) < 0)
		fail_msg("conntrack entry %s: %s", f->from, err.msg);
}

/* The sources of all entries, one bit per flow of the list. */
struct ct_seen {
	const struct flow *flows;
	size_t n;
	unsigned found, others;
};

static int ct_seen_message(const struct nlmsghdr *nlh, void *arg)
{
	struct ct_seen *s = arg;
	struct ct_entry e;
	assert_int_equal(ct_read(nlh, &e), 0);
	for (size_t i = 0; i < s->n; i++) {
		struct addr from = netns_addr(s->flows[i].from);
		if (addr_cmp(&from, &e.flow.from) == 0) {
			s->found |= 1U << i;
			assert_int_equal(!!(e.state.status & IPS_SEEN_REPLY), s->flows[i].replied);
			return MNL_CB_OK;
		}
	}
	s->others++;
	return MNL_CB_OK;
}

static void ct_look(struct nl_sock *nl, struct ct_seen *s)
{
	struct nl_message m;
	struct nlmsghdr *nlh = netns_netfilter(
		&m, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, 0, AF_UNSPEC);
	assert_int_equal(nl_dump(nl, nlh, ct_seen_message, nullptr, s, nullptr), 0);
}

static void ct_open(struct nl_sock **nl, const struct flow *flows, size_t n)
{
	struct err err = {};
	assert_int_equal(nl_open(NETLINK_NETFILTER, nl, &err), 0);
	for (size_t i = 0; i < n; i++)
		ct_add(*nl, &flows[i]);
}

/* Which of the flows are there, one bit each. */
static unsigned ct_left(struct nl_sock *nl, const struct flow *flows, size_t n)
{
	struct ct_seen seen = {.flows = flows, .n = n};
	ct_look(nl, &seen);
	return seen.found;
}

static void test_ct_delete_unreplied(void **)
{
	static const struct flow flows[] = {
		{.from = "100.64.12.189", .to = "10.0.1.50", .port = 40001},
		{.from = "100.64.12.190", .to = "10.0.1.50", .port = 40002, .replied = true},
		{.from = "10.0.1.50", .to = "100.64.12.191", .port = 40003},
		{.from = "2001:db8:5::bd", .to = "2001:db8:1::50", .port = 40004},
		{.from = "2001:db8:5::be", .to = "2001:db8:1::50", .port = 40005, .replied = true},
		{.from = "100.64.12.192", .to = "10.0.1.50", .port = 40006, .zone = 7},
		{.from = "100.80.0.1", .to = "10.0.1.50", .port = 40007},
		{.from = "100.64.12.193", .to = "10.0.1.50", .port = 40008, .mark = MARK_PROBE},
	};
	const struct prefix ranges[] = {
		netns_prefix("100.64.0.0/12"), netns_prefix("2001:db8:5::/64")};
	const struct ct_scope scope = {.ranges = ranges, .n_ranges = 2}, nobody = {};
	struct nl_sock *nl = nullptr;
	struct err err = {};

	ct_open(&nl, flows, 0);
	assert_int_equal(ct_delete(nl, &scope, CT_UNREPLIED, &err), 0);
	for (size_t i = 0; i < 8; i++)
		ct_add(nl, &flows[i]);
	assert_int_equal(ct_delete(nl, &nobody, CT_UNREPLIED, &err), 0);
	assert_int_equal(ct_left(nl, flows, 8), 0xff);
	assert_int_equal(ct_list(nl, &scope, CT_UNREPLIED, nullptr, 0, &err), 3);

	assert_int_equal(ct_delete(nl, &scope, CT_UNREPLIED, &err), 3);
	assert_int_equal(ct_left(nl, flows, 8), 1 << 1 | 1 << 2 | 1 << 4 | 1 << 6 | 1 << 7);
	assert_int_equal(ct_delete(nl, &scope, CT_UNREPLIED, &err), 0);
	assert_int_equal(ct_list(nl, &scope, CT_UNREPLIED, nullptr, 0, &err), 0);

	/* Over the loopback: this would make an entry if anything tracked. */
	struct ct_seen seen = {.flows = flows, .n = 8};
	netns_send_to("127.0.0.1");
	ct_look(nl, &seen);
	assert_int_equal(seen.others, 0);
	nl_close(nl);
}

/* Live TCP is never deleted, whatever is asked for. */
static void test_ct_delete_datagrams(void **)
{
	static const struct flow flows[] = {
		{.from = "100.64.0.1", .to = "10.0.1.50", .port = 1, .replied = true},
		{.from = "100.64.0.2", .to = "10.0.2.60", .port = 2, .replied = true},
		{.from = "100.64.0.3", .to = "10.0.1.77", .port = 3, .replied = true},
		{.from = "100.64.0.4", .to = "10.0.1.50", .port = 4, .replied = true, .tcp = true},
		{.from = "100.64.0.5", .to = "10.0.1.50", .port = 5, .tcp = true},
		{.from = "10.0.1.50", .to = "100.64.0.6", .port = 6, .replied = true},
		{.from = "10.0.1.51", .to = "100.64.0.6", .port = 7, .replied = true, .tcp = true},
		{.from = "10.0.2.60", .to = "100.64.0.6", .port = 8, .replied = true},
	};
	const struct prefix ranges[] = {netns_prefix("100.64.0.0/12")};
	const struct prefix networks[] = {netns_prefix("10.0.1.0/24")};
	const struct prefix except[] = {netns_prefix("10.0.1.77")};
	const struct ct_scope scope = {ranges, 1, networks, 1, except, 1};
	struct nl_sock *nl = nullptr;
	struct err err = {};

	ct_open(&nl, flows, 8);
	assert_int_equal(ct_delete(nl, &scope, CT_DATAGRAMS, &err), 1);
	assert_int_equal(ct_left(nl, flows, 8), 0xfe);
	assert_int_equal(ct_delete(nl, &scope, CT_DATAGRAMS_TO_MESH, &err), 1);
	assert_int_equal(ct_left(nl, flows, 8), 0xfe & ~(1 << 5));
	unsigned all = CT_UNREPLIED | CT_DATAGRAMS | CT_DATAGRAMS_TO_MESH;
	assert_int_equal(ct_delete(nl, &scope, all, &err), 1);
	assert_int_equal(ct_left(nl, flows, 8), 0xfe & ~(1 << 5 | 1 << 4));
	nl_close(nl);
}

static void test_ct_lookup(void **)
{
	static const struct flow flows[] = {
		{.from = "100.64.0.1", .to = "10.0.1.50", .port = 1, .mark = 0x4d000410},
		{.from = "2001:db8:5::bd", .to = "2001:db8:1::50", .port = 2, .replied = true},
	};
	struct nl_sock *nl = nullptr;
	struct ct_state st = {};
	struct err err = {};

	ct_open(&nl, flows, 2);
	for (size_t i = 0; i < 2; i++) {
		struct ct_flow f = {
			.proto = IPPROTO_UDP,
			.from = netns_addr(flows[i].from),
			.to = netns_addr(flows[i].to),
			.from_port = flows[i].port,
			.to_port = 3000,
		};
		assert_int_equal(ct_lookup(nl, &f, &st, &err), 0);
		assert_int_equal(st.mark, flows[i].mark);
		assert_int_equal(!!(st.status & IPS_SEEN_REPLY), flows[i].replied);
		f.from_port++;
		assert_int_equal(ct_lookup(nl, &f, &st, &err), -ENOENT);
	}
	nl_close(nl);
}

/* What there is beyond the room for it is counted. */
static void test_ct_list(void **)
{
	static const struct flow flows[] = {
		{.from = "100.64.0.1", .to = "10.0.1.50", .port = 1, .tcp = true},
		{.from = "100.64.0.2", .to = "10.0.1.50", .port = 2, .tcp = true},
		{.from = "100.64.0.3", .to = "10.0.1.50", .port = 3, .tcp = true},
	};
	const struct prefix ranges[] = {netns_prefix("100.64.0.0/12")};
	const struct ct_scope scope = {.ranges = ranges, .n_ranges = 1};
	struct addr service = netns_addr("10.0.1.50");
	struct nl_sock *nl = nullptr;
	struct ct_flow out[2] = {};
	struct err err = {};

	ct_open(&nl, flows, 3);
	assert_int_equal(ct_list(nl, &scope, CT_UNREPLIED, out, 2, &err), 3);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(addr_cmp(&out[i].to, &service), 0);
		assert_int_equal(out[i].to_port, 3000);
		assert_int_equal(out[i].proto, IPPROTO_TCP);
	}
	nl_close(nl);
}

struct visited {
	unsigned n;
	struct ct_flow last, last_reply;
};

static void visit(const struct ct_entry *e, void *arg)
{
	struct visited *v = arg;
	v->n++;
	v->last = e->flow;
	v->last_reply = e->reply;
	assert_in_range(e->timeout_s, 1, 600);
}

static void test_ct_visit(void **)
{
	static const struct flow flows[] = {
		{.from = "100.64.0.1", .to = "10.0.1.50", .port = 1},
		{.from = "100.64.0.2", .to = "10.0.1.50", .port = 2, .mark = MARK_PROBE},
		{.from = "100.64.0.3", .to = "10.0.1.51", .port = 3},
		{.from = "100.64.0.4", .to = "10.0.1.50", .port = 4, .tcp = true},
		{.from = "2001:db8:5::bd", .to = "2001:db8:1::50", .port = 5},
	};
	static const struct {
		const char *to;
		uint8_t proto;
		uint16_t port;
		unsigned n;
	} cases[] = {
		{"10.0.1.50", IPPROTO_UDP, 3000, 2},
		{"10.0.1.50", IPPROTO_UDP, 3001, 0},
		{"10.0.1.50", IPPROTO_UDP, 0, 2},
		{"10.0.1.50", IPPROTO_TCP, 3000, 1},
		{"10.0.1.52", IPPROTO_TCP, 3000, 0},
		{"2001:db8:1::50", IPPROTO_UDP, 3000, 1},
	};
	struct nl_sock *nl = nullptr;
	struct err err = {};

	ct_open(&nl, flows, 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr to = netns_addr(cases[i].to);
		struct visited v = {};
		int r = ct_visit_to(nl, cases[i].proto, &to, cases[i].port, visit, &v, &err);
		assert_int_equal(r, 0);
		assert_int_equal(v.n, cases[i].n);
		if (v.n == 0)
			continue;
		assert_int_equal(addr_cmp(&v.last.to, &to), 0);
		assert_int_equal(addr_cmp(&v.last_reply.from, &to), 0);
		assert_int_equal(v.last_reply.to_port, v.last.from_port);
	}
	nl_close(nl);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, netns_setup, netns_teardown)

int main(void)
{
	if (!netns_may())
		return NETNS_SKIP;
	const struct CMUnitTest tests[] = {
		TEST(test_ct_delete_unreplied),
		TEST(test_ct_delete_datagrams),
		TEST(test_ct_lookup),
		TEST(test_ct_list),
		TEST(test_ct_visit),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
