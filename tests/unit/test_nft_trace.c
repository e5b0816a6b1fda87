/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rule ended a packet: real rules of nft(8), iptables-nft and iptables-legacy, real packets,
 * and what the trace tells of them (nft/trace.h, nft/way.h, nft/rule.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nft/diag.h"
#include "nft/rule.h"
#include "nft/way.h"
#include "nft_world.h"
#include "packet.h"
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint16_t PORT = 3000;
constexpr uint16_t MINE = 41000;
constexpr int DEADLINE_MS = 2000;

static const struct version {
	const char *client, *device, *service;
	uint8_t icmp;
	uint16_t unreachable;
} versions[] = {
	{"100.64.12.189", "100.96.0.10", "10.0.1.50", IPPROTO_ICMP, 3 << 8 | 1},
	{"2606:4700:cf1:5000::bd", "2606:4700:cf1:1000::10", "2001:db8:1::50", IPPROTO_ICMPV6,
		1 << 8 | 3},
};

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

struct world {
	struct nft_world *w;
	struct nft_diag *d;
	struct nft_trace *t;
	struct nft_ways ways;
};

static struct world begin(struct nft_world *w, const struct version *v)
{
	struct world g = {.w = w};
	struct nft_diag_ask ask = {
		.client = netns_addr(v->client),
		.target = netns_addr(v->service),
		.proto = IPPROTO_TCP,
		.port = PORT,
		.unused = true,
		.mine_first = MINE,
		.mine_last = MINE + 31,
		.ranges = nft_model("route")->ranges,
		.n_ranges = nft_model("route")->n_ranges,
		.mesh_interface = "mesh0",
		.lan_interface = "lan0",
	};
	struct err err = {};

	if (nft_trace_open(&g.t, &err) < 0 || nft_diag_open(&ask, &g.d, &err) < 0)
		fail_msg("%s", err.msg);
	return g;
}

static void end(struct world *g)
{
	nft_ways_clear(&g->ways);
	nft_diag_close(g->d);
	nft_trace_close(g->t);
}

/* The latest packet with these ends; waits for what the kernel says of it. */
static const struct nft_way *find_way(struct world *g, const struct packet *p, enum nft_fate fate)
{
	struct pollfd fd = {.fd = nft_trace_fd(g->t), .events = POLLIN};

	for (;;) {
		assert_true(nft_trace_read(g->t, 100, nft_ways_add, &g->ways) >= 0);
		assert_false(g->ways.lost);
		for (size_t i = g->ways.n; i-- > 0;) {
			const struct nft_way *way = &g->ways.list[i];
			if (!addr_cmp(&way->packet.from, &p->from) &&
				way->packet.proto == p->proto && way->packet.sport == p->sport &&
				way->fate == fate)
				return way;
		}
		if (poll(&fd, 1, DEADLINE_MS) <= 0)
			fail_msg("no such step came; %zu packets", g->ways.n);
	}
}

static struct nft_rule rule_of(struct world *g, const struct nft_step *s)
{
	struct nft_rule r;
	struct err err = {};

	if (nft_rule_find(g->w->nl, s->family, s->table, s->chain, s->handle, &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

static struct packet syn_of(const struct version *v, uint16_t port)
{
	return packet_new(v->client, v->service, IPPROTO_TCP, port, PORT);
}

enum { TO = 1, BACK = 2, REJECTS = 4, FIB = 8, INVALID = 16, POLICY = 32, ONLY4 = 64, ONLY6 = 128 };

/* The SYN (TO), or the SYN-ACK after it (BACK), ends at the rule with these words. */
static const struct blame {
	const char *rules, *base, *chain, *words;
	int what;
} blames[] = {
	{"nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority 0; }';"
	 "nft add rule inet f fw counter; nft add rule inet f fw tcp dport 3000 drop",
		"fw", "fw", "tcp dport 3000 drop", TO},
	{"nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority 0; "
	 "policy drop; }'; nft add rule inet f fw tcp dport 22 accept",
		"fw", "fw", nullptr, TO | POLICY},
	{"nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority 0; }';"
	 "nft add chain inet f deep; nft add rule inet f fw jump deep;"
	 "nft add rule inet f deep reject with icmpx admin-prohibited",
		"fw", "deep", "reject with icmpx admin-prohibited", TO | REJECTS},
	{"nft add table inet f; nft 'add chain inet f pre { type filter hook prerouting priority raw; "
	 "}'; nft add rule inet f pre fib saddr . iif oif missing drop",
		"pre", "pre", "fib saddr . iif oif missing drop", BACK | FIB},
	{"nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority 0; }';"
	 "nft add rule inet f fw ct state invalid drop",
		"fw", "fw", "ct state invalid drop", BACK | INVALID},
	{"nft add table inet f; nft 'add chain inet f post { type filter hook postrouting priority 0; "
	 "}'; nft add rule inet f post oifname lan0 drop",
		"post", "post", "oifname \"lan0\" drop", TO},
	/* Before and behind everybody but the diagnosis. */
	{"nft add table netdev x; nft 'add chain netdev x in { type filter hook ingress device mesh0 "
	 "priority -500; }'; nft add rule netdev x in tcp dport 3000 drop",
		"in", "in", "tcp dport 3000 drop", TO},
	{"nft add table netdev x; nft 'add chain netdev x in { type filter hook ingress device lan0 "
	 "priority 0; policy drop; }'",
		"in", "in", nullptr, BACK | POLICY},
	{"nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority 10000; "
	 "}'; nft add rule inet f fw tcp sport 3000 drop",
		"fw", "fw", "tcp sport 3000 drop", BACK},
	{"iptables -t raw -A PREROUTING -d 10.0.1.50 ! -i docker0 -j DROP", "PREROUTING",
		"PREROUTING", "ip daddr 10.0.1.50 iifname != \"docker0\" drop", TO | ONLY4},
	{"iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER",
		"FORWARD", "FORWARD", nullptr, TO | ONLY4 | POLICY},
	{"ip6tables -N ufw6-reject-forward; ip6tables -A FORWARD -j ufw6-reject-forward;"
	 "ip6tables -A ufw6-reject-forward -j REJECT",
		"FORWARD", "ufw6-reject-forward", "xt target REJECT", TO | ONLY6 | REJECTS},
	{"iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP", "FORWARD", "FORWARD",
		"ct state invalid drop", BACK | INVALID | ONLY4},
};

/* The way back to the service leads into the tunnel. */
static void cause(struct world *g, const struct version *v, const struct blame *b)
{
	if (!(b->what & FIB))
		return;
	struct route r = {.dst = netns_prefix(v->service), .oif = g->w->net->mesh};
	assert_int_equal(netns_route(g->w->net, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
}

static void check_blame(struct world *g, const struct blame *b, const struct nft_way *way)
{
	assert_string_equal(way->base.chain, b->base);
	assert_string_equal(way->last.chain, b->chain);
	assert_int_equal(way->last.type == NFT_STEP_POLICY, !!(b->what & POLICY));
	assert_int_equal(way->last.verdict, NF_DROP);
	if (b->what & POLICY)
		return;
	struct nft_rule r = rule_of(g, &way->last);
	assert_string_equal(r.text, b->words);
	assert_int_equal(r.handle, way->last.handle);
	assert_int_equal(r.rejects, !!(b->what & REJECTS));
	assert_int_equal(r.fib, !!(b->what & FIB));
	assert_int_equal(r.ct_invalid, !!(b->what & INVALID));
}

static void blame(struct nft_world *w, const struct version *v, const struct blame *b)
{
	struct world g = begin(w, v);
	struct packet syn = syn_of(v, MINE + 1), answer = packet_reply(&syn), got;

	if (b->what & TO) {
		shell(b->rules);
		packet_send(w->net->mesh_fd, &syn);
		check_blame(&g, b, find_way(&g, &syn, NFT_FATE_DROPPED));
	} else {
		/* Nobody saw its SYN, where it shall be invalid. */
		if (!(b->what & INVALID)) {
			packet_send(w->net->mesh_fd, &syn);
			packet_expect(w->net->lan_fd, &syn, &got);
		}
		shell(b->rules);
		cause(&g, v, b);
		packet_send(w->net->lan_fd, &answer);
		const struct nft_way *way = find_way(&g, &answer, NFT_FATE_DROPPED);
		check_blame(&g, b, way);
		assert_int_equal(way->packet.tcp_flags, TH_SYN | TH_ACK);
		assert_int_equal(way->packet.dport, MINE + 1);
		assert_int_equal(way->base.iif, w->net->lan);
	}
	end(&g);
}

static void test_blame(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(blames); i++) {
		const struct blame *b = &blames[i / 2];
		void *w = nullptr;

		if (b->what & (i % 2 ? ONLY4 : ONLY6))
			continue;
		assert_int_equal(nft_world_setup(&w), 0);
		blame(w, &versions[i % 2], b);
		nft_world_teardown(&w);
	}
}

/* What passed everybody is known by it, in both directions, and what became of it as well. */
static void test_arrival(void **state)
{
	struct nft_world *w = *state;

	shell("nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority 0; }'");
	for (const struct version *v = versions; v < versions + 2; v++) {
		struct world g = begin(w, v);
		struct packet syn = syn_of(v, MINE + 2), answer = packet_reply(&syn), got;

		packet_send(w->net->mesh_fd, &syn);
		packet_expect(w->net->lan_fd, &syn, &got);
		const struct nft_way *way = find_way(&g, &syn, NFT_FATE_ACCEPTED);
		assert_string_equal(way->last.chain, "fw");
		assert_int_equal(way->base.oif, w->net->lan);
		packet_send(w->net->lan_fd, &answer);
		way = find_way(&g, &answer, NFT_FATE_ARRIVED);
		assert_string_equal(way->last.chain, "fw");
		assert_int_equal(way->base.oif, w->net->mesh);
		end(&g);
	}
}

/* Repeated packets may get the same number; each is a packet. */
static void test_repeated(void **state)
{
	struct nft_world *w = *state;
	struct world g = begin(w, versions);
	struct packet syn = syn_of(versions, MINE), got;

	for (size_t i = 0; i < 5; i++) {
		packet_send(w->net->mesh_fd, &syn);
		packet_expect(w->net->lan_fd, &syn, &got);
	}
	find_way(&g, &syn, NFT_FATE_ACCEPTED);
	assert_int_equal(g.ways.n, 5);
	end(&g);
}

/* Real flows are traced, a few of them; others' are not. */
static void test_real(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct world g = begin(w, v);
		struct packet real = packet_new(v->device, v->service, IPPROTO_TCP, 777, PORT);
		struct packet other = packet_new(v->device, v->service, IPPROTO_TCP, 778, 22);
		struct packet got;

		packet_send(w->net->mesh_fd, &other);
		packet_send(w->net->mesh_fd, &real);
		packet_expect(w->net->lan_fd, &real, &got);
		find_way(&g, &real, NFT_FATE_ACCEPTED);
		assert_int_equal(g.ways.n, 1);
		for (uint16_t i = 0; i < 200; i++) {
			real.sport = (uint16_t)(10000 + i);
			packet_send(w->net->mesh_fd, &real);
			packet_expect(w->net->lan_fd, &real, &got);
		}
		assert_true(nft_trace_read(g.t, 1000, nft_ways_add, &g.ways) > 0);
		assert_in_range(g.ways.n, 2, 60);
		assert_false(g.ways.lost);
		end(&g);
	}
}

/* nft shows nothing of iptables-legacy: a packet that everybody accepted does not leave. */
static void test_legacy(void **state)
{
	struct nft_world *w = *state;
	struct world g = begin(w, versions);
	struct packet syn = syn_of(versions, MINE);
	struct packet marker = packet_new(versions->device, versions->service, IPPROTO_UDP, 9, 9);

	if (system("iptables-legacy -A FORWARD -p tcp -j DROP 2>/dev/null") != 0) {
		end(&g);
		skip();
	}
	shell("nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority -1; }'");
	packet_send(w->net->mesh_fd, &syn);
	packet_send(w->net->mesh_fd, &marker);
	packet_expect_only(w->net->lan_fd, &syn, &marker);
	assert_string_equal(find_way(&g, &syn, NFT_FATE_ACCEPTED)->base.chain, "fw");
	end(&g);
}

static void test_bounds(void **state)
{
	struct nft_ways ways = {};
	struct nft_step step = {.enters = true, .table = "t", .chain = "c"};

	(void)state;
	for (step.id = 0; step.id < 2 * NFT_WAYS; step.id++)
		nft_ways_add(&step, &ways);
	assert_int_equal(ways.n, NFT_WAYS);
	assert_true(ways.lost);
	nft_ways_clear(&ways);
	nft_ways_add(nullptr, &ways);
	assert_true(ways.lost && ways.n == 0);
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blame),
		KERNEL_TEST(test_arrival),
		KERNEL_TEST(test_repeated),
		KERNEL_TEST(test_real),
		KERNEL_TEST(test_legacy),
		cmocka_unit_test(test_bounds),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
