/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is collected about a flow on a real kernel: the facts of a machine in order, and how each
 * thing that can be wrong with it shows in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/collect_counter.h"
#include "diagnose/collect_flow.h"
#include "diagnose/collect_link.h"
#include "diagnose/collect_lookup.h"
#include "diagnose/collect_node.h"
#include "lib/xmalloc.h"
#include "net/netconf.h"
#include "netns.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A gateway that works: lan0 10.0.1.11/24 with IPv6, ranges led into mesh0. */
struct world {
	struct netns *n;
	struct config *config;
	struct flow flow;
	struct collect_scope scope;
	struct collect_way way;
	struct evidence e;
};

static const char text[] = "mesh:\n"
			   "  interface: mesh0\n"
			   "  ranges:\n"
			   "    workers: [100.64.0.0/12, 2001:db8:5::/64]\n"
			   "lan:\n"
			   "  - interface: lan0\n"
			   "    networks: [10.0.1.0/24, 2001:db8:1::/64]\n"
			   "bgp:\n"
			   "  asn: 65010\n"
			   "  neighbors:\n"
			   "    - address: 10.0.1.1\n"
			   "      remote_as: 65001\n"
			   "    - address: 2001:db8:1::1\n"
			   "      remote_as: 65001\n";

static void route(struct world *w, const char *dst, uint32_t table, uint8_t type, int oif)
{
	struct route r = {
		.dst = netns_prefix(dst),
		.table = table,
		.type = type,
		.oif = oif,
		.protocol = RTPROT_STATIC,
	};
	assert_int_equal(netns_route(w->n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
}

static void sysctl(const char *key, int value)
{
	assert_int_equal(sysctl_set(key, value), 0);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct config_diags diags = {};
	void *netns;

	netns_setup(&netns);
	w->n = netns;
	if (config_parse(text, sizeof(text) - 1, &w->config, &diags) < 0)
		fail_msg("%s: %s", diags.list[0].path, diags.list[0].message);
	config_diags_clear(&diags);
	w->flow = (struct flow){
		.proto = IPPROTO_TCP,
		.client = netns_addr("100.64.0.7"),
		.target = netns_addr("10.0.1.50"),
		.port = 3000,
	};
	sysctl("ipv4/ip_forward", 1);
	sysctl("ipv6/conf/all/forwarding", 1);
	netns_address(w->n, RTM_NEWADDR, w->n->lan, "10.0.1.11/24");
	netns_address(w->n, RTM_NEWADDR, w->n->lan, "2001:db8:1::11/64");
	netns_address(w->n, RTM_NEWADDR, w->n->mesh, "100.96.0.18/32");
	for (size_t i = 0; i < w->config->n_ranges; i++) {
		char prefix[PREFIX_STRLEN];
		prefix_str(&w->config->ranges[i].prefix, prefix);
		route(w, prefix, RT_TABLE_MAIN, RTN_UNICAST, w->n->mesh);
	}
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *netns = w->n;
	evidence_clear(&w->e);
	collect_scope_clear(&w->scope);
	config_free(w->config);
	free(w);
	return netns_teardown(&netns);
}

static void collect(struct world *w)
{
	struct err err = {};
	evidence_clear(&w->e);
	collect_scope_clear(&w->scope);
	if (collect_scope_init(&w->scope, w->n->nl, w->config, &w->flow, &err) < 0)
		fail_msg("%s", err.msg);
	collect_links(&w->scope, &w->e);
	collect_lookups(&w->scope, w->n->nl, &w->e, &w->way);
	collect_sysctls(&w->scope, &w->e);
	collect_neighbour(&w->scope, w->n->nl, &w->way, nullptr, &w->e);
	size_t at = 0;
	const struct fact *missing = evidence_next(&w->e, FACT_MISSING, &at);
	if (missing)
		fail_msg("missing: %s", missing->missing.why);
}

static const struct fact_lookup *lookup_of(
	struct world *w, enum fact_question question, int64_t mark)
{
	const struct fact *f;
	for (size_t at = 0; (f = evidence_next(&w->e, FACT_LOOKUP, &at));)
		if (f->lookup.question == question && f->lookup.mark == mark)
			return &f->lookup;
	fail_msg("question %d was not asked", question);
	abort();
}

static const struct fact_link *link_of(struct world *w, enum fact_role role)
{
	const struct fact *f;
	for (size_t at = 0; (f = evidence_next(&w->e, FACT_LINK, &at));)
		if (f->link.role == role)
			return &f->link;
	return nullptr;
}

static const struct fact_link *the_link(struct world *w, enum fact_role role)
{
	static const struct fact_link none;
	const struct fact_link *l = link_of(w, role);

	assert_non_null(l);
	return l ? l : &none;
}

static int64_t sysctl_of(struct world *w, const char *key)
{
	const struct fact *f;
	for (size_t at = 0; (f = evidence_next(&w->e, FACT_SYSCTL, &at));)
		if (!strcmp(f->sysctl.key, key))
			return f->sysctl.value;
	fail_msg("no sysctl %s", key);
	abort();
}

static void assert_prefix(const struct prefix *have, const char *want)
{
	char buf[PREFIX_STRLEN];
	assert_string_equal(have->addr.family ? prefix_str(have, buf) : "", want);
}

static void test_in_order(void **state)
{
	struct world *w = *state;
	collect(w);

	const struct fact_lookup *l = lookup_of(w, ASK_FORWARD, 0);
	assert_int_equal(l->error, 0);
	assert_string_equal(l->iif, "mesh0");
	assert_string_equal(l->oif, "lan0");
	assert_string_equal(l->type, "unicast");
	assert_true(l->entry);
	assert_prefix(&l->match, "10.0.1.0/24");
	assert_int_equal(l->table, RT_TABLE_MAIN);
	assert_string_equal(l->protocol_name, "kernel");
	assert_int_equal(l->rule_priority, 32766);
	assert_string_equal(l->rule, "32766: from all lookup main");
	assert_false(l->redirect);

	l = lookup_of(w, ASK_REVERSE, 0);
	assert_string_equal(l->iif, "lan0");
	assert_string_equal(l->oif, "mesh0");
	assert_prefix(&l->match, "100.64.0.0/12");
	assert_string_equal(l->protocol_name, "static");
	assert_false(l->hides_mesh_route);
	assert_string_equal(lookup_of(w, ASK_REVERSE_BARE, 0)->oif, "mesh0");
	assert_string_equal(lookup_of(w, ASK_NEIGHBOUR, 0)->oif, "lan0");

	struct addr own = netns_addr("10.0.1.11");
	assert_int_equal(addr_cmp(&w->way.own, &own), 0);
	assert_int_equal(addr_cmp(&w->way.next_hop, &w->flow.target), 0);
	assert_string_equal(w->way.egress, "lan0");
	assert_true(the_link(w, ROLE_LAN)->exists && the_link(w, ROLE_LAN)->has_address);
	assert_string_equal(the_link(w, ROLE_MESH)->kind, "tun");
	assert_int_equal(the_link(w, ROLE_MESH)->mtu, 1500);
	assert_null(link_of(w, ROLE_EGRESS));
	assert_int_equal(sysctl_of(w, "net.ipv4.conf.mesh0.forwarding"), 1);
	assert_int_equal(sysctl_of(w, "net.ipv4.conf.lan0.rp_filter"), 0);
}

static void test_ipv6(void **state)
{
	struct world *w = *state;
	w->flow.client = netns_addr("2001:db8:5::7");
	w->flow.target = netns_addr("2001:db8:1::50");
	collect(w);
	const struct fact_lookup *l = lookup_of(w, ASK_FORWARD, 0);
	assert_string_equal(l->oif, "lan0");
	assert_prefix(&l->match, "2001:db8:1::/64");
	l = lookup_of(w, ASK_REVERSE, 0);
	assert_string_equal(l->oif, "mesh0");
	assert_prefix(&l->match, "2001:db8:5::/64");
	assert_int_equal(l->rule_priority, 32766);
	assert_int_equal(sysctl_of(w, "net.ipv6.conf.mesh0.disable_ipv6"), 0);

	route(w, "2001:db8:1::50/128", RT_TABLE_MAIN, RTN_PROHIBIT, 0);
	collect(w);
	l = lookup_of(w, ASK_FORWARD, 0);
	assert_int_equal(l->error, EACCES);
	assert_string_equal(l->type, "prohibit");
	assert_prefix(&l->match, "2001:db8:1::50/128");
}

/* EHOSTUNREACH and EINVAL have two causes each, and the entry tells them apart. */
static void test_refusals(void **state)
{
	struct world *w = *state;

	sysctl("ipv4/conf/mesh0/forwarding", 0);
	collect(w);
	const struct fact_lookup *l = lookup_of(w, ASK_FORWARD, 0);
	assert_int_equal(l->error, EHOSTUNREACH);
	assert_true(l->entry);
	assert_string_equal(l->type, "unicast");
	assert_prefix(&l->match, "10.0.1.0/24");
	assert_int_equal(lookup_of(w, ASK_FORWARD_BARE, 0)->error, 0);
	assert_string_equal(w->way.egress, "lan0");
	assert_int_equal(sysctl_of(w, "net.ipv4.conf.mesh0.forwarding"), 0);
	sysctl("ipv4/conf/mesh0/forwarding", 1);

	sysctl("ipv4/conf/mesh0/rp_filter", 1);
	route(w, "100.64.0.7/32", RT_TABLE_MAIN, RTN_UNICAST, w->n->lan);
	collect(w);
	l = lookup_of(w, ASK_FORWARD, 0);
	assert_true(l->error == EINVAL || l->error == EXDEV);
	assert_string_equal(l->type, "unicast");
	sysctl("ipv4/conf/mesh0/rp_filter", 0);

	static const struct {
		uint8_t type;
		int error;
		const char *name;
	} types[] = {
		{RTN_BLACKHOLE, EINVAL, "blackhole"},
		{RTN_UNREACHABLE, EHOSTUNREACH, "unreachable"},
		{RTN_PROHIBIT, EACCES, "prohibit"},
	};
	for (size_t i = 0; i < 3; i++) {
		struct route r = {.dst = netns_prefix("10.0.1.48/29"),
			.type = types[i].type,
			.protocol = RTPROT_BOOT};
		uint16_t flags = NLM_F_CREATE | NLM_F_REPLACE;
		assert_int_equal(netns_route(w->n, RTM_NEWROUTE, flags, &r), 0);
		collect(w);
		l = lookup_of(w, ASK_FORWARD, 0);
		assert_int_equal(l->error, types[i].error);
		assert_true(l->entry);
		assert_string_equal(l->type, types[i].name);
		assert_prefix(&l->match, "10.0.1.48/29");
		assert_string_equal(l->protocol_name, "boot");
		assert_int_equal(l->rule_priority, 32766);
	}
}

static void add_iif_rule(struct world *w, const char *iif, uint32_t table)
{
	struct nl_message m;
	struct fib_rule_hdr frh = {.family = AF_INET, .action = FR_ACT_TO_TBL};
	struct nlmsghdr *nlh = nl_begin(
		&m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &frh, sizeof(frh));
	mnl_attr_put_strz(nlh, FRA_IIFNAME, iif);
	mnl_attr_put_u32(nlh, FRA_TABLE, table);
	assert_int_equal(nl_request(w->n->other, nlh, nullptr), 0);
}

/* WARP's table takes the LAN, and another the answers. */
static void test_rules(void **state)
{
	struct world *w = *state;
	route(w, "10.0.0.0/8", 65743, RTN_UNICAST, w->n->mesh);
	netns_rule(w->n, AF_INET, 0x100cf, 65743);
	collect(w);
	const struct fact_lookup *l = lookup_of(w, ASK_FORWARD, 0);
	assert_string_equal(l->oif, "mesh0");
	assert_true(l->redirect);
	assert_int_equal(l->table, 65743);
	assert_int_equal(l->rule_priority, 32765);
	assert_string_equal(l->rule, "32765: not from all fwmark 0x100cf lookup 65743");
	assert_prefix(&l->match, "10.0.0.0/8");
	assert_string_equal(lookup_of(w, ASK_FORWARD_BARE, 0x100cf)->oif, "lan0");
	assert_string_equal(w->way.egress, "mesh0");

	/* Only what this host sends itself is taken. */
	route(w, "10.0.1.0/24", 100, RTN_UNICAST, w->n->lan);
	add_iif_rule(w, "mesh0", 100);
	collect(w);
	struct addr own = netns_addr("10.0.1.11");
	assert_string_equal(lookup_of(w, ASK_FORWARD, 0)->oif, "lan0");
	assert_string_equal(
		lookup_of(w, ASK_FORWARD, 0)->rule, "32764: from all iif mesh0 lookup 100");
	assert_string_equal(lookup_of(w, ASK_FORWARD_BARE, 0)->oif, "mesh0");
	assert_string_equal(w->way.egress, "lan0");
	assert_int_equal(addr_cmp(&w->way.own, &own), 0);

	route(w, "100.64.0.0/10", 65743, RTN_UNICAST, w->n->lan);
	collect(w);
	l = lookup_of(w, ASK_REVERSE, 0);
	assert_string_equal(l->oif, "lan0");
	assert_int_equal(l->table, 65743);
	assert_true(l->hides_mesh_route);
}

static void test_answers_astray(void **state)
{
	struct world *w = *state;
	int other, fd = netns_tun("tailscale0", &other);
	route(w, "100.64.0.0/24", RT_TABLE_MAIN, RTN_UNICAST, other);
	collect(w);
	const struct fact_lookup *l = lookup_of(w, ASK_REVERSE, 0);
	assert_string_equal(l->oif, "tailscale0");
	assert_true(l->hides_mesh_route);
	assert_prefix(&l->match, "100.64.0.0/24");
	assert_string_equal(the_link(w, ROLE_OTHER)->interface, "tailscale0");
	close(fd);
}

static void test_interfaces_gone(void **state)
{
	struct world *w = *state;
	close(w->n->mesh_fd);
	w->n->mesh_fd = -1;
	collect(w);
	assert_false(the_link(w, ROLE_MESH)->exists);
	const struct fact *f;
	for (size_t at = 0; (f = evidence_next(&w->e, FACT_LOOKUP, &at));)
		assert_int_not_equal(f->lookup.question, ASK_FORWARD);
	assert_int_equal(lookup_of(w, ASK_REVERSE, 0)->error, ENETUNREACH);

	netns_link_up("lan0", false);
	collect(w);
	assert_true(the_link(w, ROLE_LAN)->exists);
	assert_false(the_link(w, ROLE_LAN)->up);
	assert_int_equal(lookup_of(w, ASK_FORWARD_BARE, 0)->error, ENETUNREACH);
	assert_int_equal(w->way.oif, 0);
}

static void test_gateway(void **state)
{
	struct world *w = *state;
	struct route r = {.dst = netns_prefix("10.9.0.0/16"),
		.gateway = netns_addr("10.0.1.1"),
		.oif = w->n->lan,
		.protocol = RTPROT_BGP};
	assert_int_equal(netns_route(w->n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	w->flow.target = netns_addr("10.9.0.5");
	collect(w);
	const struct fact_lookup *l = lookup_of(w, ASK_FORWARD, 0);
	assert_int_equal(addr_cmp(&l->gateway, &r.gateway), 0);
	assert_string_equal(l->protocol_name, "bgp");
	l = lookup_of(w, ASK_GATEWAY, 0);
	assert_int_equal(addr_cmp(&l->to, &r.gateway), 0);
	assert_int_equal(l->rule_priority, 32766);
	size_t at = 0;
	const struct fact *n = evidence_next(&w->e, FACT_NEIGHBOUR, &at);
	assert_int_equal(addr_cmp(&n->neighbour.address, &r.gateway), 0);
	/* No network of the configuration: the way leads by an interface that it does not name. */
	assert_string_equal(the_link(w, ROLE_EGRESS)->interface, "lan0");
	assert_null(link_of(w, ROLE_LAN));
}

/* What changed, by the kernel's answers alone. */
static bool is_same_again(struct world *w, const char *dst, uint8_t type)
{
	struct evidence again = {};
	size_t at = 0, at_again = 0;
	bool same = true;

	collect(w);
	if (dst)
		route(w, dst, RT_TABLE_MAIN, type, type == RTN_UNICAST ? w->n->lan : 0);
	collect_answers_again(&w->scope, w->n->nl, &again);
	for (const struct fact *a; (a = evidence_next(&w->e, FACT_LOOKUP, &at));) {
		const struct fact *b = evidence_next(&again, FACT_LOOKUP, &at_again);
		assert_non_null(b);
		same &= collect_same_answer(&a->lookup, &b->lookup);
	}
	assert_null(evidence_next(&again, FACT_LOOKUP, &at_again));
	evidence_clear(&again);
	return same;
}

static void test_again(void **state)
{
	static const struct {
		const char *name, *dst;
		uint8_t type;
		bool same, six;
	} cases[] = {
		{"nothing", nullptr, 0, true, false},
		{"a route elsewhere", "10.77.0.0/16", RTN_BLACKHOLE, true, false},
		{"a better route of the same way", "10.0.1.48/28", RTN_UNICAST, false, false},
		{"a blackhole", "10.0.1.50/32", RTN_BLACKHOLE, false, false},
		{"it is still there", nullptr, 0, true, false},
		{"IPv6", nullptr, 0, true, true},
		{"IPv6, a blackhole", "2001:db8:1::50/128", RTN_BLACKHOLE, false, true},
		{"IPv6, it is still there", nullptr, 0, true, true},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		if (cases[i].six) {
			w->flow.client = netns_addr("2606:4700:cf1:5000::bd");
			w->flow.target = netns_addr("2001:db8:1::50");
		}
		assert_int_equal(is_same_again(w, cases[i].dst, cases[i].type), cases[i].same);
	}
}

static void test_own_target(void **state)
{
	struct world *w = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(3000)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 3), 0);
	w->flow.target = netns_addr("10.0.1.11");
	collect(w);
	collect_socket(&w->scope, &w->e);

	assert_string_equal(lookup_of(w, ASK_FORWARD, 0)->type, "local");
	assert_int_equal(lookup_of(w, ASK_FORWARD, 0)->table, RT_TABLE_LOCAL);
	size_t at = 0;
	const struct fact *f = evidence_next(&w->e, FACT_SOCKET, &at);
	assert_true(f->socket.listening && f->socket.loopback_only);
	assert_false(f->socket.reachable);
	close(fd);
}

static const struct fact_counter *counter_of(struct world *w, const char *name)
{
	const struct fact *f;
	for (size_t at = 0; (f = evidence_next(&w->e, FACT_COUNTER, &at));)
		if (!strcmp(f->counter.name, name))
			return &f->counter;
	fail_msg("no counter %s", name);
	abort();
}

/* A packet of the mesh that may not be forwarded. */
static void test_counters(void **state)
{
	struct world *w = *state;
	static const uint8_t packet[] = {0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0x0b, 0x58, 100, 64, 0,
		7, 10, 0, 1, 50, 0, 9, 0, 9, 0, 8, 0, 0};
	struct counter_set before = {}, after = {};
	collect(w);
	sysctl("ipv4/conf/mesh0/forwarding", 0);
	const char *egress = w->way.egress;
	assert_int_equal(collect_counters_read(&w->scope, w->n->nl, egress, &before, nullptr), 0);
	assert_int_equal(write(w->n->mesh_fd, packet, sizeof(packet)), sizeof(packet));
	assert_int_equal(collect_counters_read(&w->scope, w->n->nl, egress, &after, nullptr), 0);
	collect_counters(&before, &after, &w->e);
	assert_int_equal(counter_of(w, "IpInAddrErrors")->delta, 1);
	assert_int_equal(counter_of(w, "IpInHdrErrors")->delta, 0);
	assert_int_equal(counter_of(w, "mesh0.rx_packets")->delta, 1);
	assert_int_equal(counter_of(w, "lan0.tx_packets")->delta, 0);
	assert_int_equal(counter_of(w, "nf_conntrack_max")->delta, 0);
	assert_true(counter_of(w, "nf_conntrack_max")->value > 0);
	counter_set_clear(&before);
	counter_set_clear(&after);
}

/* ---- connection tracking ---- */

static void put_tuple(struct nlmsghdr *nlh, uint16_t type, const char *from, uint16_t from_port,
	const char *to, uint16_t to_port)
{
	struct addr src = netns_addr(from), dst = netns_addr(to);
	struct nlattr *tuple = mnl_attr_nest_start(nlh, type);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, CTA_IP_V4_SRC, 4, src.b);
	mnl_attr_put(nlh, CTA_IP_V4_DST, 4, dst.b);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, tuple);
}

/* An entry of a TCP flow to 10.0.1.50:3000; answers are expected at `seen_as`. */
static void ct_add(struct nl_sock *nl, const char *from, uint16_t port, const char *seen_as,
	uint8_t state, uint32_t status)
{
	struct nl_message m;
	struct nfgenmsg nfg = {.nfgen_family = AF_INET, .version = NFNETLINK_V0};
	struct nlmsghdr *nlh = nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
		NLM_F_CREATE | NLM_F_EXCL, &nfg, sizeof(nfg));
	put_tuple(nlh, CTA_TUPLE_ORIG, from, port, "10.0.1.50", 3000);
	put_tuple(nlh, CTA_TUPLE_REPLY, "10.0.1.50", 3000, seen_as, port);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(status | IPS_CONFIRMED));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(120));
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
	struct err err = {};
	if (nl_request(nl, nlh, &err) < 0)
		fail_msg("conntrack entry of %s: %s", from, err.msg);
}

static void test_conntrack(void **state)
{
	struct world *w = *state;
	const struct collect_ports own = {50000, 50009};
	struct nl_sock *nl = nullptr;
	struct addr gateway = netns_addr("10.0.1.11"), client = netns_addr("100.64.0.7");
	assert_int_equal(nl_open(NETLINK_NETFILTER, &nl, nullptr), 0);
	collect(w);
	collect_conntrack(&w->scope, nl, &own, &w->e);
	size_t at = 0;
	assert_null(evidence_next(&w->e, FACT_CONNTRACK, &at));

	ct_add(nl, "100.64.9.9", 40001, "100.64.9.9", TCP_CONNTRACK_SYN_SENT, 0);
	ct_add(nl, "10.0.1.99", 40002, "10.0.1.99", TCP_CONNTRACK_ESTABLISHED, IPS_SEEN_REPLY);
	ct_add(nl, "100.64.0.7", 50003, "10.0.1.11", TCP_CONNTRACK_SYN_RECV,
		IPS_SEEN_REPLY | IPS_SRC_NAT | IPS_SRC_NAT_DONE);
	collect_conntrack(&w->scope, nl, &own, &w->e);
	at = 0;
	const struct fact *real = evidence_next(&w->e, FACT_CONNTRACK, &at);
	const struct fact *ours = evidence_next(&w->e, FACT_CONNTRACK, &at);
	assert_null(evidence_next(&w->e, FACT_CONNTRACK, &at));
	assert_int_equal(real->conntrack.origin, ORIGIN_REAL);
	assert_false(real->conntrack.seen_reply);
	assert_string_equal(real->conntrack.state, "SYN_SENT");
	assert_int_equal(ours->conntrack.origin, ORIGIN_INJECTED);
	assert_true(ours->conntrack.seen_reply);
	assert_int_equal(addr_cmp(&ours->conntrack.reply_to, &gateway), 0);
	assert_int_not_equal(addr_cmp(&ours->conntrack.reply_to, &client), 0);
	nl_close(nl);
}

static size_t callers_entries(struct world *w, struct nl_sock *nl)
{
	size_t n = 0, at = 0;

	evidence_clear(&w->e);
	collect_conntrack(&w->scope, nl, &(const struct collect_ports){}, &w->e);
	for (const struct fact *f; (f = evidence_next(&w->e, FACT_CONNTRACK, &at));)
		n += f->conntrack.origin == ORIGIN_REAL;
	return n;
}

/* What an earlier diagnosis left is nobody's call, but for who is asked about by that address. */
static void test_earlier_diagnosis(void **state)
{
	struct world *w = *state;
	struct nl_sock *nl = nullptr;

	assert_int_equal(nl_open(NETLINK_NETFILTER, &nl, nullptr), 0);
	collect(w);
	ct_add(nl, "100.79.255.254", 40001, "100.79.255.254", TCP_CONNTRACK_SYN_SENT, 0);
	ct_add(nl, "100.79.255.254", 40002, "10.0.1.11", TCP_CONNTRACK_SYN_RECV,
		IPS_SEEN_REPLY | IPS_SRC_NAT | IPS_SRC_NAT_DONE);
	assert_int_equal(callers_entries(w, nl), 0);
	w->flow.client = netns_addr("100.79.255.254");
	snprintf(w->flow.from, sizeof(w->flow.from), "workers");
	assert_int_equal(callers_entries(w, nl), 0);
	snprintf(w->flow.from, sizeof(w->flow.from), "address");
	assert_int_equal(callers_entries(w, nl), 2);
	nl_close(nl);
}

/* A connection that is over does not take the place of one that goes on. */
static void test_entries_over(void **state)
{
	struct world *w = *state;
	struct nl_sock *nl = nullptr;
	size_t at = 0;

	assert_int_equal(nl_open(NETLINK_NETFILTER, &nl, nullptr), 0);
	collect(w);
	ct_add(nl, "100.64.9.9", 40001, "100.64.9.9", TCP_CONNTRACK_TIME_WAIT, IPS_SEEN_REPLY);
	ct_add(nl, "100.64.9.9", 40002, "100.64.9.9", TCP_CONNTRACK_SYN_RECV, IPS_SEEN_REPLY);
	assert_int_equal(callers_entries(w, nl), 2);
	assert_string_equal(evidence_next(&w->e, FACT_CONNTRACK, &at)->conntrack.state, "SYN_RECV");
	assert_string_equal(
		evidence_next(&w->e, FACT_CONNTRACK, &at)->conntrack.state, "TIME_WAIT");
	nl_close(nl);
}

/* ---- without a target ---- */

static void test_node(void **state)
{
	struct world *w = *state;
	collect_node(w->n->nl, w->config, &w->e);
	const struct fact *f;
	unsigned n[ASKS] = {};
	for (size_t at = 0; (f = evidence_next(&w->e, FACT_LOOKUP, &at));) {
		const struct fact_lookup *l = &f->lookup;
		char says[FACT_SAYS_LEN];
		n[l->question]++;
		if (l->error)
			fail_msg("%s", fact_says(f, says));
		assert_int_equal(l->rule_priority, 32766);
		bool to_mesh = l->question == ASK_REVERSE || l->question == ASK_REVERSE_BARE;
		assert_string_equal(l->oif, to_mesh ? "mesh0" : "lan0");
	}
	assert_int_equal(n[ASK_ADDRESS], 2);
	assert_int_equal(n[ASK_REVERSE], w->config->n_ranges);
	assert_int_equal(n[ASK_REVERSE_BARE], w->config->n_ranges);
	assert_int_equal(n[ASK_NEIGHBOUR], 2);
	assert_true(the_link(w, ROLE_MESH)->exists && the_link(w, ROLE_LAN)->exists);
	assert_int_equal(sysctl_of(w, "net.ipv6.conf.lan0.accept_ra"), 1);
	assert_int_equal(sysctl_of(w, "net.ipv4.conf.lan0.forwarding"), 1);
	assert_int_equal(counter_of(w, "IpInAddrErrors")->delta, 0);
	size_t at = 0;
	assert_null(evidence_next(&w->e, FACT_MISSING, &at));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	if (!netns_may())
		return NETNS_SKIP;
	const struct CMUnitTest tests[] = {
		TEST(test_in_order),
		TEST(test_ipv6),
		TEST(test_refusals),
		TEST(test_rules),
		TEST(test_again),
		TEST(test_answers_astray),
		TEST(test_interfaces_gone),
		TEST(test_gateway),
		TEST(test_own_target),
		TEST(test_counters),
		TEST(test_conntrack),
		TEST(test_earlier_diagnosis),
		TEST(test_entries_over),
		TEST(test_node),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
