/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications of a real kernel: what a watch tells of changes, and of what was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/link.h"
#include "net/netconf.h"
#include "net/watch.h"
#include "netns.h"
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a watch saw. */
struct seen {
	unsigned lost, messages, nft, nft_gen;
	uint16_t last_type;
	struct route route;
	struct netconf netconf;
	struct link link;
};

static void seen_message(enum watch_kind kind, const struct nlmsghdr *nlh, void *arg)
{
	struct seen *s = arg;
	s->messages++;
	s->lost += kind == WATCH_LOST;
	s->nft += kind == WATCH_NFT;
	s->nft_gen += kind == WATCH_NFT_GEN;
	if (kind != WATCH_ROUTE)
		return;
	s->last_type = nlh->nlmsg_type;
	(void)route_read(nlh, &s->route);
	(void)netconf_read(nlh, &s->netconf);
	(void)link_read(nlh, &s->link);
}

static unsigned watch_all(struct watch *w, struct seen *s)
{
	int r = watch_read(w, 1000, seen_message, s);
	assert_true(r >= 0);
	return (unsigned)r;
}

static struct watch *watch_new(int bus, int rcvbuf)
{
	struct watch *w = nullptr;
	struct err err = {};
	assert_int_equal(watch_open(bus, rcvbuf, &w, &err), 0);
	return w;
}

static struct route foreign_route(struct netns *n, unsigned i)
{
	struct route r = {
		.dst = netns_prefix("100.64.0.0/32"), .protocol = RTPROT_STATIC, .oif = n->mesh};
	r.dst.addr.b[2] = (uint8_t)(i >> 8);
	r.dst.addr.b[3] = (uint8_t)i;
	return r;
}

static void test_watch_sees_changes(void **state)
{
	struct netns *n = *state;
	struct watch *w = watch_new(NETLINK_ROUTE, 0);
	struct seen s = {};
	assert_int_equal(watch_all(w, &s), 0);

	struct route r = foreign_route(n, 1);
	assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	assert_int_equal(watch_all(w, &s), 1);
	assert_int_equal(s.last_type, RTM_NEWROUTE);
	assert_int_equal(prefix_cmp(&s.route.dst, &r.dst), 0);
	assert_int_equal(s.route.oif, n->mesh);

	/* An event of one setting tells that one only. */
	assert_int_equal(sysctl_set("ipv4/conf/mesh0/forwarding", 1), 0);
	assert_true(watch_all(w, &s) >= 1);
	assert_int_equal(s.netconf.ifindex, n->mesh);
	assert_int_equal(s.netconf.forwarding, 1);
	assert_int_equal(s.netconf.rp_filter, -1);

	netns_link_up("mesh0", false);
	assert_true(watch_all(w, &s) >= 1);
	assert_int_equal(s.link.ifindex, n->mesh);
	assert_false(s.link.flags & IFF_UP);
	assert_int_equal(s.lost, 0);
	watch_close(w);
}

static void add_routes(struct netns *n, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct route r = foreign_route(n, i);
		assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	}
}

static void test_watch_budget(void **state)
{
	struct netns *n = *state;
	struct watch *w = watch_new(NETLINK_ROUTE, 0);
	struct seen s = {};

	add_routes(n, 5);
	assert_int_equal(watch_read(w, 3, seen_message, &s), 3);
	assert_int_equal(s.messages, 3);
	/* The rest; and maybe an event of the kernel's own, such as the end of an address check. */
	assert_in_range(watch_read(w, 3, seen_message, &s), 2, 3);
	watch_close(w);
}

static void test_watch_tells_loss(void **state)
{
	struct netns *n = *state;
	struct watch *w = watch_new(NETLINK_ROUTE, 4096);
	struct seen s = {};

	add_routes(n, 200);
	struct pollfd p = {.fd = watch_fd(w), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 1);
	watch_all(w, &s);
	assert_int_equal(s.lost, 1);
	assert_true(s.messages < 200);

	/* And it goes on from there. */
	struct route r = foreign_route(n, 1000);
	s = (struct seen){};
	assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	assert_int_equal(watch_all(w, &s), 1);
	assert_int_equal(s.lost, 0);
	assert_int_equal(prefix_cmp(&s.route.dst, &r.dst), 0);
	watch_close(w);
}

/* What happens after a loss is lost without a word, as long as there is something to be read: who
 * has read everything anew meanwhile does not know of it. */
static void test_watch_tells_silent_loss(void **state)
{
	struct netns *n = *state;
	struct watch *w = watch_new(NETLINK_ROUTE, 4096);
	struct seen s = {};

	add_routes(n, 200);
	assert_int_equal(watch_read(w, 1, seen_message, &s), 1);
	assert_int_equal(s.lost, 1);
	struct route r = foreign_route(n, 1000);
	assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	s = (struct seen){};
	watch_all(w, &s);
	assert_int_not_equal(prefix_cmp(&s.route.dst, &r.dst), 0);
	assert_int_equal(s.lost, 1);
	s = (struct seen){};
	assert_int_equal(watch_all(w, &s), 0);
	assert_int_equal(s.lost, 0);
	watch_close(w);
}

static struct nlmsghdr *batch_mark(void *buf, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	return nlh;
}

/* "nft add table inet foreign" */
static void nft_table_add(struct nl_sock *nl)
{
	alignas(struct nlmsghdr) uint8_t batch[512];
	struct nl_message m;
	uint8_t *end = batch;
	end += batch_mark(end, NFNL_MSG_BATCH_BEGIN)->nlmsg_len;

	struct nlmsghdr *nlh = netns_netfilter(&m, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE,
		NLM_F_REQUEST | NLM_F_CREATE, NFPROTO_INET);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, "foreign");
	memcpy(end, nlh, nlh->nlmsg_len);
	end += nlh->nlmsg_len;
	end += batch_mark(end, NFNL_MSG_BATCH_END)->nlmsg_len;
	assert_true(mnl_socket_sendto(nl_mnl(nl), batch, (size_t)(end - batch)) > 0);
}

static void test_watch_sees_nftables(void **)
{
	struct nl_sock *nl = nullptr;
	struct seen s = {};
	assert_int_equal(nl_open(NETLINK_NETFILTER, &nl, nullptr), 0);
	struct watch *w = watch_new(NETLINK_NETFILTER, 0);

	nft_table_add(nl);
	assert_true(watch_all(w, &s) >= 1);
	assert_int_equal(s.nft, 1);
	assert_int_equal(s.nft_gen, 1);
	watch_close(w);
	nl_close(nl);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, netns_setup, netns_teardown)

int main(void)
{
	if (!netns_may())
		return NETNS_SKIP;
	const struct CMUnitTest tests[] = {
		TEST(test_watch_sees_changes),
		TEST(test_watch_budget),
		TEST(test_watch_tells_loss),
		TEST(test_watch_tells_silent_loss),
		TEST(test_watch_sees_nftables),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
