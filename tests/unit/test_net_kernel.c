/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, addresses, rules, interface settings, notifications and conntrack of a real kernel, and
 * what nl.c makes of its answers. Routes: test_route_kernel.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/marks.h"
#include "net/ct.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/rule.h"
#include "net/watch.h"
#include "netns.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_to(const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(3000)};
	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0 || sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
		fail_msg("cannot send to %s", address);
	close(fd);
}

static void test_links(void **state)
{
	struct netns *n = *state;
	struct link_set set = {};

	assert_int_equal(link_dump(n->nl, &set, nullptr), 0);
	const struct link *mesh = link_by_name(&set, "mesh0");
	assert_non_null(mesh);
	assert_int_equal(mesh->ifindex, n->mesh);
	assert_int_equal(mesh->mtu, 1500);
	assert_true(mesh->flags & IFF_UP);
	assert_ptr_equal(link_by_index(&set, n->mesh), mesh);
	assert_non_null(link_by_name(&set, "lo"));
	assert_null(link_by_name(&set, "mesh"));
	assert_null(link_by_index(&set, 4711));
	for (size_t i = 1; i < set.n; i++)
		assert_true(set.list[i - 1].ifindex < set.list[i].ifindex);

	netns_link_up("mesh0", false);
	assert_int_equal(link_dump(n->nl, &set, nullptr), 0);
	assert_false(link_by_name(&set, "mesh0")->flags & IFF_UP);
	link_set_clear(&set);
}

/* Nobody reads the device: its ring fills, then every packet is a drop. */
static void test_link_tx(void **state)
{
	struct netns *n = *state;
	struct link_tx tx = {.sent = 4711, .dropped = 4711};
	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/12");
	assert_int_equal(link_tx_read(n->nl, n->mesh, &tx, nullptr), 0);
	assert_int_equal(tx.sent, 0);
	assert_int_equal(tx.dropped, 0);

	for (unsigned i = 0; i < 2000; i++)
		send_to("100.96.0.10");
	assert_int_equal(link_tx_read(n->nl, n->mesh, &tx, nullptr), 0);
	assert_int_equal(tx.sent, 0); /* nobody reads the TUN */
	assert_in_range(tx.dropped, 1, 2000);
	assert_int_equal(link_tx_read(n->nl, 4711, &tx, nullptr), -ENODEV);
}

static const struct ifaddr_entry *address_of(const struct ifaddr_set *set, const char *text)
{
	struct addr a = netns_addr(text);
	for (size_t i = 0; i < set->n; i++) {
		if (addr_cmp(&set->list[i].address, &a) == 0)
			return &set->list[i];
	}
	return nullptr;
}

static void test_addresses(void **state)
{
	struct netns *n = *state;
	struct ifaddr_set set = {};

	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/32");
	netns_address(n, RTM_NEWADDR, n->lan, "2001:db8:1::11/64");
	assert_int_equal(ifaddr_dump(n->nl, &set, nullptr), 0);
	const struct ifaddr_entry *a = address_of(&set, "100.96.0.18");
	assert_non_null(a);
	assert_int_equal(a->ifindex, n->mesh);
	assert_int_equal(a->prefix_len, 32);
	a = address_of(&set, "2001:db8:1::11");
	assert_non_null(a);
	assert_int_equal(a->ifindex, n->lan);
	assert_int_equal(a->prefix_len, 64);
	assert_false(a->from_ra);

	netns_address(n, RTM_DELADDR, n->mesh, "100.96.0.18/32");
	assert_int_equal(ifaddr_dump(n->nl, &set, nullptr), 0);
	assert_null(address_of(&set, "100.96.0.18"));
	ifaddr_set_clear(&set);
}

/* The rule as WARP makes it stands before main, by the kernel's choice. */
static void test_rules(void **state)
{
	struct netns *n = *state;
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		struct rule_set set = {};
		netns_rule(n, families[i], 0x100cf, 65743);
		assert_int_equal(rule_dump(n->nl, families[i], &set, nullptr), 0);
		assert_true(set.n >= 3);
		assert_int_equal(set.list[0].priority, 0);
		assert_int_equal(set.list[0].table, RT_TABLE_LOCAL);
		const struct rule *warp = &set.list[1];
		assert_int_equal(warp->family, families[i]);
		assert_int_equal(warp->priority, 32765);
		assert_int_equal(warp->table, 65743);
		assert_int_equal(warp->fwmark, 0x100cf);
		assert_int_equal(warp->fwmask, UINT32_MAX);
		assert_int_equal(warp->action, FR_ACT_TO_TBL);
		assert_true(warp->invert);
		assert_int_equal(set.list[2].table, RT_TABLE_MAIN);
		assert_false(set.list[2].invert);
		rule_set_clear(&set);
	}
}

static void test_netconf(void **state)
{
	struct netns *n = *state;
	struct netconf_set set = {};

	assert_int_equal(sysctl_set("ipv4/conf/mesh0/forwarding", 1), 0);
	assert_int_equal(sysctl_set("ipv4/conf/mesh0/rp_filter", 2), 0);
	assert_int_equal(sysctl_set("ipv4/conf/all/rp_filter", 1), 0);
	assert_int_equal(netconf_dump(n->nl, AF_INET, &set, nullptr), 0);
	const struct netconf *mesh = netconf_find(&set, AF_INET, n->mesh);
	assert_non_null(mesh);
	assert_int_equal(mesh->forwarding, 1);
	assert_int_equal(mesh->rp_filter, 2);
	assert_int_equal(netconf_find(&set, AF_INET, n->lan)->forwarding, 0);
	assert_int_equal(netconf_find(&set, AF_INET, NETCONFA_IFINDEX_ALL)->rp_filter, 1);
	assert_non_null(netconf_find(&set, AF_INET, NETCONFA_IFINDEX_DEFAULT));
	assert_null(netconf_find(&set, AF_INET6, n->mesh));

	assert_int_equal(sysctl_set("ipv6/conf/lan0/forwarding", 1), 0);
	assert_int_equal(netconf_dump(n->nl, AF_INET6, &set, nullptr), 0);
	assert_int_equal(netconf_find(&set, AF_INET6, n->lan)->forwarding, 1);
	assert_int_equal(netconf_find(&set, AF_INET6, n->mesh)->forwarding, 0);
	netconf_set_clear(&set);
}

static void test_sysctl(void **)
{
	int value = -1;
	assert_int_equal(sysctl_set("ipv6/conf/lan0/accept_ra", 2), 0);
	assert_int_equal(sysctl_get("ipv6/conf/lan0/accept_ra", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(sysctl_set("ipv4/conf/none/forwarding", 1), -ENOENT);
	assert_int_equal(sysctl_set("ipv4/ip_default_ttl", 70000), -EINVAL);
}

/* A dump under which the table changes `changes` times. */
struct churn {
	struct netns *n;
	unsigned changes, restarts;
	size_t seen;
	bool changed; /* since the last restart */
};

static int churn_message(const struct nlmsghdr *, void *arg)
{
	struct churn *c = arg;
	c->seen++;
	if (c->changed || c->changes == 0)
		return MNL_CB_OK;
	char text[32];
	c->changes--;
	c->changed = true;
	snprintf(text, sizeof(text), "127.9.9.%u/32", c->changes);
	netns_address(c->n, RTM_NEWADDR, 1, text);
	return MNL_CB_OK;
}

static void churn_restart(void *arg)
{
	struct churn *c = arg;
	c->restarts++;
	c->seen = 0;
	c->changed = false;
}

static int churn_dump(struct churn *c, struct err *err)
{
	struct nl_message m;
	struct ifaddrmsg ifa = {.ifa_family = AF_INET};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	return nl_dump(c->n->nl, nlh, churn_message, churn_restart, c, err);
}

static void test_interrupted_dump_is_repeated(void **state)
{
	struct netns *n = *state;
	/* Far more than fits into the kernel's first datagram. */
	constexpr unsigned ADDRESSES = 1000;
	for (unsigned i = 0; i < ADDRESSES; i++) {
		char text[32];
		snprintf(text, sizeof(text), "127.1.%u.%u/32", i / 256, i % 256);
		netns_address(n, RTM_NEWADDR, 1, text);
	}

	struct err err = {};
	struct churn calm = {.n = n};
	assert_int_equal(churn_dump(&calm, &err), 0);
	assert_int_equal(calm.restarts, 0);

	struct churn twice = {.n = n, .changes = 2};
	assert_int_equal(churn_dump(&twice, &err), 0);
	assert_int_equal(twice.restarts, 2);
	assert_int_equal(twice.seen, calm.seen + 2);

	struct churn always = {.n = n, .changes = 100};
	assert_int_equal(churn_dump(&always, &err), -EAGAIN);
	assert_int_equal(always.restarts, NL_DUMP_RETRIES);

	/* The socket is still good. */
	struct link_set set = {};
	assert_int_equal(link_dump(n->nl, &set, &err), 0);
	link_set_clear(&set);
}

static int refuse(const struct nlmsghdr *, void *arg)
{
	unsigned *calls = arg;
	(*calls)++;
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

static void test_failed_callback_leaves_socket_usable(void **state)
{
	struct netns *n = *state;
	struct err err = {};
	unsigned calls = 0;
	struct nl_message m;
	struct ifinfomsg ifi = {};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));

	assert_int_equal(nl_dump(n->nl, nlh, refuse, nullptr, &calls, &err), -EBADMSG);
	assert_int_equal(calls, 1);
	assert_int_equal(err.code, EBADMSG);
	struct link_set set = {};
	assert_int_equal(link_dump(n->nl, &set, &err), 0);
	link_set_clear(&set);
}

/* Strict checking: a dump header with something in it that no filter uses is refused, in words. */
static void test_kernels_own_words(void **state)
{
	struct netns *n = *state;
	struct err err = {};
	unsigned calls = 0;
	struct nl_message m;
	struct ifinfomsg ifi = {.ifi_flags = IFF_UP};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));

	assert_int_equal(nl_dump(n->nl, nlh, refuse, nullptr, &calls, &err), -EINVAL);
	assert_int_equal(calls, 0);
	assert_non_null(strstr(err.msg, "Invalid argument ("));
	assert_non_null(strstr(err.msg, "dump request"));
}

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

static void test_watch_budget(void **state)
{
	struct netns *n = *state;
	struct watch *w = watch_new(NETLINK_ROUTE, 0);
	struct seen s = {};

	for (unsigned i = 0; i < 5; i++) {
		struct route r = foreign_route(n, i);
		assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	}
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

	for (unsigned i = 0; i < 200; i++) {
		struct route r = foreign_route(n, i);
		assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	}
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

static struct nlmsghdr *netfilter_begin(
	struct nl_message *m, unsigned subsystem, unsigned type, uint16_t flags, uint8_t family)
{
	struct nfgenmsg nfg = {.nfgen_family = family, .version = NFNETLINK_V0};
	return nl_begin(m, (uint16_t)(subsystem << 8 | type), flags, &nfg, sizeof(nfg));
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

	struct nlmsghdr *nlh = netfilter_begin(&m, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE,
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
	struct nlmsghdr *nlh = netfilter_begin(&m, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW,
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
	struct nlmsghdr *nlh = netfilter_begin(
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
	send_to("127.0.0.1");
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
		TEST(test_links),
		TEST(test_link_tx),
		TEST(test_addresses),
		TEST(test_rules),
		TEST(test_netconf),
		TEST(test_sysctl),
		TEST(test_interrupted_dump_is_repeated),
		TEST(test_failed_callback_leaves_socket_usable),
		TEST(test_kernels_own_words),
		TEST(test_watch_sees_changes),
		TEST(test_watch_budget),
		TEST(test_watch_tells_loss),
		TEST(test_watch_sees_nftables),
		TEST(test_ct_delete_unreplied),
		TEST(test_ct_delete_datagrams),
		TEST(test_ct_lookup),
		TEST(test_ct_list),
		TEST(test_ct_visit),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
