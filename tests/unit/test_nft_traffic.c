/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What table inet meshgw does to packets: written into mesh0 or lan0 of a namespace, they come
 * out at the other one changed, or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/ct.h"
#include "net/netconf.h"
#include "nft_world.h"
#include "packet.h"
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WORKER "100.64.12.189"
#define WORKER6 "2606:4700:cf1:5000::bd"
#define DEVICE "100.96.0.10"
#define DEVICE6 "2606:4700:cf1:1000::10"
#define SERVICE "10.0.1.50"
#define SERVICE6 "2001:db8:1::50"

constexpr uint16_t PORT = 3000;
/* ICMP types and codes as packet.h puts them: echo, port unreachable, prohibited. */
constexpr uint16_t ECHO = 8 << 8;
constexpr uint16_t ECHO6 = 128 << 8;
constexpr uint16_t UNREACHABLE = 3 << 8 | 3;
constexpr uint16_t UNREACHABLE6 = 1 << 8 | 4;
constexpr uint16_t PROHIBITED = 3 << 8 | 13;
constexpr uint16_t PROHIBITED6 = 1 << 8 | 1;

static struct packet syn(const char *from, const char *to, uint16_t dport)
{
	return packet_new(from, to, IPPROTO_TCP, 40000, dport);
}

static struct packet udp(const char *from, const char *to, uint16_t sport, uint16_t dport)
{
	return packet_new(from, to, IPPROTO_UDP, sport, dport);
}

/* In at one side, out at the other. */
static struct packet pass(int in, int out, const struct packet *p)
{
	struct packet got;

	packet_send(in, p);
	packet_expect(out, p, &got);
	return got;
}

static int entries(void)
{
	int n = -1;

	assert_int_equal(sysctl_get("netfilter/nf_conntrack_count", &n), 0);
	return n;
}

static void test_mss_clamp(void **state)
{
	static const struct {
		const char *from, *to;
		int mtu; /* of the tunnel */
		uint16_t mss, want;
	} cases[] = {
		{WORKER, SERVICE, 1280, 1460, 1240},
		{WORKER6, SERVICE6, 1280, 1440, 1220},
		{SERVICE, DEVICE, 1280, 1460, 1240},
		{SERVICE6, DEVICE6, 1280, 1440, 1220},
		/* never raised */
		{WORKER, SERVICE, 1280, 536, 536},
		{WORKER6, SERVICE6, 1280, 1219, 1219},
		{SERVICE, DEVICE, 1280, 1240, 1240},
		{SERVICE6, DEVICE6, 1280, 536, 536},
		/* follows the tunnel */
		{WORKER, SERVICE, 1400, 1460, 1360},
		{WORKER6, SERVICE6, 1400, 1440, 1340},
		{SERVICE, DEVICE, 1400, 1460, 1360},
		{SERVICE6, DEVICE6, 1400, 1440, 1340},
		/* a tunnel wider than the LAN */
		{WORKER, SERVICE, 9000, 8960, 1460},
		{SERVICE6, DEVICE6, 9000, 8940, 1440},
	};
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("route"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool from_lan = strcmp(cases[i].from, SERVICE) == 0 ||
				strcmp(cases[i].from, SERVICE6) == 0;
		int in = from_lan ? w->net->lan_fd : w->net->mesh_fd;
		int out = from_lan ? w->net->mesh_fd : w->net->lan_fd;
		struct packet p = syn(cases[i].from, cases[i].to, PORT);

		nft_world_mtu("mesh0", cases[i].mtu);
		p.mss = cases[i].mss;
		assert_int_equal(pass(in, out, &p).mss, cases[i].want);
		p.tcp_flags |= TH_ACK;
		assert_int_equal(pass(in, out, &p).mss, cases[i].want);
	}
	/* Only SYNs carry the option; anything else is left alone, as is a SYN without it. */
	nft_world_mtu("mesh0", 1280);
	struct packet p = syn(WORKER, SERVICE, PORT);
	p.tcp_flags = TH_ACK;
	assert_int_equal(pass(w->net->mesh_fd, w->net->lan_fd, &p).mss, 1460);
	p.tcp_flags = TH_SYN;
	p.mss = 0;
	assert_int_equal(pass(w->net->mesh_fd, w->net->lan_fd, &p).mss, 0);
}

static void test_counters(void **state)
{
	struct nft_world *w = *state;
	struct packet out = udp(WORKER, SERVICE, 1, PORT), back = packet_reply(&out);

	nft_world_replace(w, nft_model("route"));
	for (unsigned i = 0; i < 3; i++)
		pass(w->net->mesh_fd, w->net->lan_fd, &out);
	pass(w->net->lan_fd, w->net->mesh_fd, &back);
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_FROM_MESH), 3);
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_TO_MESH), 1);
}

/* From one mesh address to another: counted once, though it goes back again. */
static void test_counters_of_a_hairpin(void **state)
{
	struct nft_world *w = *state;
	struct packet p = udp(WORKER, DEVICE, 1, PORT);

	nft_world_replace(w, nft_model("route"));
	pass(w->net->mesh_fd, w->net->mesh_fd, &p);
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_FROM_MESH), 1);
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_TO_MESH), 0);
}

static void test_spoof(void **state)
{
	static const struct {
		const char *from, *to, *marker;
	} cases[] = {
		{WORKER, DEVICE, SERVICE},
		{WORKER6, DEVICE6, SERVICE6},
	};
	static const char *const own[] = {"10.0.1.11", "2001:db8:1::11"};
	struct nft_world *w = *state;
	uint64_t spoofed = 0;

	nft_world_replace(w, nft_model("route"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet bad = udp(cases[i].from, cases[i].to, 1, 7);
		struct packet good = udp(cases[i].marker, cases[i].to, 1, 8);

		packet_send(w->net->lan_fd, &bad);
		packet_send(w->net->lan_fd, &good);
		packet_expect_only(w->net->mesh_fd, &bad, &good);
		assert_int_equal(nft_world_packets(w, NFT_COUNTER_SPOOFED), ++spoofed);

		/* To the gateway itself; a marker behind it tells when it has been looked at. */
		bad = udp(cases[i].from, own[i], 1, 7);
		packet_send(w->net->lan_fd, &bad);
		pass(w->net->lan_fd, w->net->mesh_fd, &good);
		assert_int_equal(nft_world_packets(w, NFT_COUNTER_SPOOFED), ++spoofed);

		/* The same packet out of the tunnel is what the tunnel is for. */
		struct packet real = udp(cases[i].from, cases[i].marker, 1, 7);
		pass(w->net->mesh_fd, w->net->lan_fd, &real);
		assert_int_equal(nft_world_packets(w, NFT_COUNTER_SPOOFED), spoofed);
	}
}

/* What the tunnel's own routes lead into the tunnel, but no mesh range holds: Cloudflare's underlay
 * when the client sends everything but a few networks into the tunnel. */
static void test_foreign_source_is_no_spoof(void **state)
{
	static const char *const from[] = {"203.0.113.9", "2001:db8:f::9"};
	static const char *const to[] = {WORKER, WORKER6};
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("route"));
	for (size_t i = 0; i < COUNT(from); i++) {
		struct route r = {.dst = netns_prefix(from[i]), .oif = w->net->mesh};
		struct packet p = udp(from[i], to[i], 1, 7);

		assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
		pass(w->net->lan_fd, w->net->mesh_fd, &p);
	}
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_SPOOFED), 0);
}

/* Tailscale behind the LAN: a host route inside a range that leads there. */
static void test_foreign_route_is_no_spoof(void **state)
{
	static const char *const from[] = {"100.100.1.2", "2606:4700:cf1:1000::7"};
	static const char *const to[] = {WORKER, WORKER6};
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("route"));
	for (size_t i = 0; i < COUNT(from); i++) {
		struct route r = {.dst = netns_prefix(from[i]), .oif = w->net->lan};
		struct packet p = udp(from[i], to[i], 1, 7);

		assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
		pass(w->net->lan_fd, w->net->mesh_fd, &p);
	}
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_SPOOFED), 0);
}

/* Mode route, no allow list: packets pass and conntrack sleeps. The other models wake it. */
static void test_conntrack(void **state)
{
	struct nft_world *w = *state;

	for (size_t i = 0; i < NFT_MODELS; i++) {
		const struct nft_model *m = &nft_models()[i].model;
		struct packet p = syn(WORKER, SERVICE, PORT);
		struct packet known = udp(SERVICE, DEVICE, (uint16_t)(5000 + i), 1);

		/* Old entries of a flow would be seen again without its hooks. */
		p.sport = (uint16_t)(50000 + i);
		nft_world_replace(w, m);
		packet_send(w->net->mesh_fd, &p);
		pass(w->net->lan_fd, w->net->mesh_fd, &known);
		if (m->nat || m->allow_list)
			assert_true(entries() > 0);
		else
			assert_int_equal(entries(), 0);
	}
}

/* A packet of the mesh and whether nft_model("allow") lets it through. */
static const struct {
	const char *from, *to;
	uint8_t proto;
	uint16_t dport;
	bool allowed;
} judged[] = {
	/* exact */
	{WORKER, SERVICE, IPPROTO_TCP, 3000, true},
	{WORKER, SERVICE, IPPROTO_TCP, 3001, false},
	{WORKER, SERVICE, IPPROTO_UDP, 3000, false},
	{WORKER, "10.0.1.51", IPPROTO_TCP, 3000, false},
	{WORKER, "10.0.1.51", IPPROTO_UDP, 53, true},
	{DEVICE, SERVICE, IPPROTO_TCP, 3000, false},
	{DEVICE, SERVICE, IPPROTO_TCP, 22, true},
	{WORKER6, SERVICE6, IPPROTO_TCP, 3000, true},
	{WORKER6, SERVICE6, IPPROTO_TCP, 3001, false},
	{DEVICE6, SERVICE6, IPPROTO_TCP, 3000, false},
	/* ICMP, whose "port" is its checksum */
	{DEVICE, "10.0.1.77", IPPROTO_ICMP, ECHO, true},
	{WORKER, "10.0.1.77", IPPROTO_ICMP, ECHO, false},
	{DEVICE, "10.0.2.77", IPPROTO_ICMP, ECHO, false},
	{WORKER6, SERVICE6, IPPROTO_ICMPV6, ECHO6, true},
	{DEVICE6, SERVICE6, IPPROTO_ICMPV6, ECHO6, false},
	/* ranges, where two boxes cross */
	{"100.96.7.1", "10.0.9.9", IPPROTO_TCP, 80, true},
	{"100.96.7.1", "10.0.9.9", IPPROTO_TCP, 91, false},
	{"100.96.8.1", "10.0.9.9", IPPROTO_TCP, 80, false},
	{"100.96.8.1", "10.0.2.9", IPPROTO_TCP, 84, false},
	{"100.96.8.1", "10.0.2.9", IPPROTO_TCP, 85, true},
	{"100.96.8.1", "10.0.2.9", IPPROTO_TCP, 100, true},
	{"100.96.7.1", "10.0.2.9", IPPROTO_TCP, 81, true},
	{"100.96.7.1", "10.0.2.9", IPPROTO_TCP, 95, true},
	{"100.96.7.1", "10.0.2.9", IPPROTO_TCP, 101, false},
	/* any protocol */
	{"100.96.0.10", "10.0.2.60", IPPROTO_ICMP, ECHO, true},
	{"100.96.0.10", "10.0.2.60", IPPROTO_UDP, 9, true},
	{"100.96.0.11", "10.0.2.60", IPPROTO_UDP, 9, false},
	/* no mesh source at all */
	{"192.0.2.1", SERVICE, IPPROTO_TCP, 3000, false},
	/* neither to a network nor allowed */
	{WORKER, DEVICE, IPPROTO_UDP, 9, false},
	{"192.0.2.1", "198.51.100.7", IPPROTO_UDP, 9, false},
};

/* A refused flow hears so at once: RFC 1812 5.2.7.1, RFC 4443 3.1. Of ICMP errors the kernel
 * sends few a second to one destination (icmp(7), icmp_ratelimit), so that is switched off. */
static void expect_refusal(struct nft_world *w, const struct packet *p)
{
	bool v6 = p->from.family == AF_INET6;
	struct packet got, want = {
				   .to = p->from,
				   .proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				   .dport = v6 ? PROHIBITED6 : PROHIBITED,
			   };

	packet_expect(w->net->mesh_fd, &want, &got);
}

static void no_icmp_limit(void)
{
	assert_int_equal(sysctl_set("ipv4/icmp_ratelimit", 0), 0);
	assert_int_equal(sysctl_set("ipv6/icmp/ratelimit", 0), 0);
}

/* Without an allow list the mesh reaches the networks, and nothing else that the host has a route
 * to. */
static void test_bounds(void **state)
{
	static const struct {
		const char *from, *to;
		bool passes;
	} cases[] = {
		{WORKER, SERVICE, true},
		{WORKER6, SERVICE6, true},
		{WORKER, "192.0.2.7", false},
		{DEVICE, "192.0.2.7", false},
		{WORKER6, "fd00:7::7", false},
		/* no mesh source: somebody else's business */
		{"198.51.100.7", "192.0.2.7", true},
	};
	struct nft_world *w = *state;
	struct route elsewhere = {.dst = netns_prefix("192.0.2.0/24"), .oif = w->net->lan};
	struct route elsewhere6 = {.dst = netns_prefix("fd00:7::/64"), .oif = w->net->lan};
	uint64_t denied = 0;

	no_icmp_limit();
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &elsewhere), 0);
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &elsewhere6), 0);
	nft_world_replace(w, nft_model("route"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p = syn(cases[i].from, cases[i].to, PORT);

		if (cases[i].passes) {
			pass(w->net->mesh_fd, w->net->lan_fd, &p);
		} else {
			packet_send(w->net->mesh_fd, &p);
			expect_refusal(w, &p);
			denied++;
		}
		assert_int_equal(nft_world_packets(w, NFT_COUNTER_DENIED), denied);
	}
}

/* As few prefixes are compared and many looked up, whole bytes and parts of them. */
static void test_bounds_of_all_lengths(void **state)
{
	static const struct {
		const char *in, *beside, *inside, *outside; /* the network, one before it */
	} cases[] = {
		{"10.0.1.0/24", "10.0.9.0/24", SERVICE, "10.0.2.50"},
		{"10.0.1.48/29", "10.0.1.40/29", SERVICE, "10.0.1.56"},
		{"10.0.1.50/32", "10.0.1.48/32", SERVICE, "10.0.1.51"},
		{"10.0.0.0/15", "10.8.0.0/15", SERVICE, "10.2.0.1"},
		{"2001:db8:1::/64", "2001:db8:9::/64", SERVICE6, "2001:db8:2::50"},
		{"2001:db8:1::40/122", "2001:db8:1::/122", SERVICE6, "2001:db8:1::80"},
		{"2001:db8:1::50/128", "2001:db8:1::4f/128", SERVICE6, "2001:db8:1::51"},
	};
	constexpr size_t many = 12;
	struct nft_world *w = *state;
	struct route remote = {.dst = netns_prefix("10.0.0.0/8"), .oif = w->net->lan};
	struct route remote6 = {.dst = netns_prefix("2001:db8::/32"), .oif = w->net->lan};

	no_icmp_limit();
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &remote), 0);
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &remote6), 0);
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		bool six = strchr(cases[i / 2].in, ':');
		struct nft_model m = *nft_model("route");
		struct prefix networks[many];
		const char *from = six ? WORKER6 : WORKER;
		struct packet in = syn(from, cases[i / 2].inside, PORT);
		struct packet out = syn(from, cases[i / 2].outside, PORT);

		networks[0] = netns_prefix(cases[i / 2].beside);
		networks[1] = netns_prefix(cases[i / 2].in);
		for (size_t j = 2; j < many; j++) {
			char text[PREFIX_STRLEN];
			snprintf(text, sizeof(text), six ? "fd00:%zu::/48" : "172.16.%zu.0/24", j);
			networks[j] = netns_prefix(text);
		}
		m.networks = networks;
		m.n_networks = i % 2 ? many : 2;
		nft_world_replace(w, &m);
		pass(w->net->mesh_fd, w->net->lan_fd, &in);
		packet_send(w->net->mesh_fd, &out);
		expect_refusal(w, &out);
	}
}

/* A family without a network of its own reaches nothing. */
static void test_bounds_without_networks(void **state)
{
	struct nft_world *w = *state;
	struct nft_model m = *nft_model("route");
	struct packet p = syn(WORKER6, SERVICE6, PORT);

	no_icmp_limit();
	m.n_networks = 1;
	nft_world_replace(w, &m);
	packet_send(w->net->mesh_fd, &p);
	expect_refusal(w, &p);
}

static void test_allow(void **state)
{
	struct nft_world *w = *state;
	struct route remote = {.dst = netns_prefix("10.0.0.0/8"), .oif = w->net->lan};
	struct route nowhere = {.dst = netns_prefix("192.0.2.0/24"), .oif = w->net->mesh};
	struct route uplink = {.dst = netns_prefix("198.51.100.0/24"), .oif = w->net->lan};
	uint64_t denied = 0;

	no_icmp_limit();
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &uplink), 0);
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &remote), 0);
	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &nowhere), 0);
	nft_world_replace(w, nft_model("allow"));
	for (size_t i = 0; i < COUNT(judged); i++) {
		struct packet got, p = packet_new(judged[i].from, judged[i].to, judged[i].proto,
					   (uint16_t)(1000 + i), judged[i].dport);

		packet_send(w->net->mesh_fd, &p);
		if (judged[i].allowed) {
			packet_expect(w->net->lan_fd, &p, &got);
		} else {
			expect_refusal(w, &p);
			denied++;
		}
		if (nft_world_packets(w, NFT_COUNTER_DENIED) != denied)
			fail_msg("%s to %s port %u", judged[i].from, judged[i].to, judged[i].dport);
	}
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_FROM_MESH), COUNT(judged));
}

/* Flows whose beginning conntrack has not seen, since nothing tracked them before or somebody
 * flushed its entries, go on with nothing allowed; a new one still cannot begin. */
static void test_flows_under_way(void **state)
{
	struct nft_world *w = *state;
	struct nft_model m = *nft_model("allow");
	struct packet data = syn(WORKER, SERVICE, PORT), reply = syn(DEVICE, SERVICE, 40000);
	struct packet begin = syn(WORKER, SERVICE, PORT + 1);

	no_icmp_limit();
	m.n_allow = 0;
	nft_world_replace(w, &m);
	data.tcp_flags = TH_ACK | TH_PUSH;
	pass(w->net->mesh_fd, w->net->lan_fd, &data);
	reply.tcp_flags = TH_SYN | TH_ACK;
	pass(w->net->mesh_fd, w->net->lan_fd, &reply);
	packet_send(w->net->mesh_fd, &begin);
	expect_refusal(w, &begin);
	/* Nor under the cover of a packet that passed. */
	begin = syn(WORKER, SERVICE, PORT);
	packet_send(w->net->mesh_fd, &begin);
	expect_refusal(w, &begin);
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_DENIED), 2);
}

/* Flows that the LAN begins get their answers, and errors about them, with nothing allowed. */
static void test_flows_of_the_lan(void **state)
{
	static const struct {
		const char *from, *to;
		uint8_t icmp;
		uint16_t error;
	} cases[] = {
		{SERVICE, DEVICE, IPPROTO_ICMP, UNREACHABLE},
		{SERVICE6, DEVICE6, IPPROTO_ICMPV6, UNREACHABLE6},
	};
	struct nft_world *w = *state;
	struct nft_model m = *nft_model("allow");

	m.n_allow = 0;
	nft_world_replace(w, &m);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p = syn(cases[i].from, cases[i].to, 22), back = packet_reply(&p);
		struct packet q = udp(cases[i].from, cases[i].to, 9, 9);
		struct packet error = packet_new(
			cases[i].to, cases[i].from, cases[i].icmp, 0, cases[i].error);

		pass(w->net->lan_fd, w->net->mesh_fd, &p);
		pass(w->net->mesh_fd, w->net->lan_fd, &back);
		pass(w->net->lan_fd, w->net->mesh_fd, &q);
		error.about = &q;
		pass(w->net->mesh_fd, w->net->lan_fd, &error);
	}
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_DENIED), 0);
}

static const char *const lan_addresses[] = {"10.0.1.11", "2001:db8:1::11"};

static bool is_masqueraded(const struct packet *got)
{
	struct addr gateway = netns_addr(lan_addresses[got->from.family == AF_INET6]);

	return addr_cmp(&got->from, &gateway) == 0;
}

static void test_masquerade(void **state)
{
	static const struct {
		const char *from, *to;
		bool masqueraded;
	} cases[] = {
		{WORKER, SERVICE, true},
		{DEVICE, "10.0.2.60", true},
		{WORKER, "10.0.3.1", false},   /* in no network of the model */
		{WORKER, "10.9.0.7", true},    /* but this host is an exception */
		{WORKER, "10.0.1.77", false},  /* and this one, the other way */
		{"192.0.2.1", SERVICE, false}, /* no mesh source */
		{WORKER6, SERVICE6, true},
		{WORKER6, "2001:db8:1::77", false},
		{WORKER6, "2001:db8:9::7", true},
		{WORKER6, "2001:db8:3::1", false},
	};
	struct nft_world *w = *state;
	struct route remote[] = {
		{.dst = netns_prefix("10.0.0.0/8"), .oif = w->net->lan},
		{.dst = netns_prefix("2001:db8::/32"), .oif = w->net->lan},
	};
	uint64_t n = 0;

	for (size_t i = 0; i < COUNT(remote); i++)
		assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &remote[i]), 0);
	nft_world_replace(w, nft_model("masquerade"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p = syn(cases[i].from, cases[i].to, PORT);
		struct packet got = pass(w->net->mesh_fd, w->net->lan_fd, &p);

		if (is_masqueraded(&got) != cases[i].masqueraded)
			fail_msg("%s to %s", cases[i].from, cases[i].to);
		n += cases[i].masqueraded;
		assert_int_equal(nft_world_packets(w, NFT_COUNTER_MASQUERADED), n);
	}
}

/* The answer finds its way back to the mesh address. */
static void test_masquerade_reply(void **state)
{
	static const char *const from[] = {WORKER, WORKER6};
	static const char *const to[] = {SERVICE, SERVICE6};
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("masquerade"));
	for (size_t i = 0; i < COUNT(from); i++) {
		struct packet p = syn(from[i], to[i], PORT);
		struct packet seen = pass(w->net->mesh_fd, w->net->lan_fd, &p);
		struct packet answer = packet_reply(&seen), want = packet_reply(&p), got;

		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->mesh_fd, &want, &got);
		assert_int_equal(addr_cmp(&got.from, &p.to), 0);
		assert_int_equal(got.dport, p.sport);
	}
}

/* A mesh source that came by the LAN, by somebody's own route, and leaves by the LAN: not ours. */
static void test_masquerade_of_the_mesh_only(void **state)
{
	struct nft_world *w = *state;
	struct route r = {.dst = netns_prefix("100.100.1.2"), .oif = w->net->lan};
	struct packet p = syn("100.100.1.2", SERVICE, PORT);

	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	nft_world_replace(w, nft_model("masquerade"));
	struct packet got = pass(w->net->lan_fd, w->net->lan_fd, &p);
	assert_false(is_masqueraded(&got));
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_MASQUERADED), 0);
}

static void test_switch_of_a_host(void **state)
{
	struct nft_world *w = *state;
	const struct addr host = netns_addr(SERVICE);
	const struct nft_model *plain = nft_model("masquerade");
	struct nft_model route = *plain, both = *plain;
	struct err err = {};

	route.route_hosts = both.route_hosts = both.masquerade_hosts = &host;
	route.n_route_hosts = both.n_route_hosts = both.n_masquerade_hosts = 1;
	const struct {
		const struct nft_model *model;
		bool masqueraded;
	} steps[] = {{&route, false}, {plain, true}, {&both, false}, {plain, true}};

	nft_world_replace(w, plain);
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct packet p = syn(WORKER, SERVICE, PORT);

		p.sport = (uint16_t)(30000 + i); /* only new flows are switched */
		assert_int_equal(nft_set_modes(w->conn, steps[i].model, &err), 0);
		struct packet got = pass(w->net->mesh_fd, w->net->lan_fd, &p);
		assert_int_equal(is_masqueraded(&got), steps[i].masqueraded);
	}
}

/* What a flow began with stays with it across a switch, whichever way; what never saw an answer can
 * be made to begin anew. */
static void test_switch_keeps_flows(void **state)
{
	static const char *const from[] = {WORKER, WORKER6};
	static const char *const to[] = {SERVICE, SERVICE6};
	const struct nft_model *masquerade = nft_model("masquerade");
	struct nft_world *w = *state;
	struct nft_model route = *masquerade;
	const struct ct_scope scope = {.ranges = route.ranges, .n_ranges = route.n_ranges};
	struct err err = {};

	route.n_masquerade_networks = 0;
	for (size_t i = 0; i < 2 * COUNT(from); i++) {
		const struct nft_model *before = i % 2 ? &route : masquerade;
		struct packet live = syn(from[i / 2], to[i / 2], PORT), stuck = live;
		struct packet live_back = packet_reply(&live), got;

		live.sport = live_back.dport = (uint16_t)(20000 + i);
		stuck.sport = (uint16_t)(21000 + i);
		nft_world_replace(w, before);
		struct packet seen = pass(w->net->mesh_fd, w->net->lan_fd, &live);
		assert_int_equal(is_masqueraded(&seen), before == masquerade);
		struct packet answer = packet_reply(&seen);
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->mesh_fd, &live_back, &got);
		got = pass(w->net->mesh_fd, w->net->lan_fd, &stuck);
		assert_int_equal(is_masqueraded(&got), before == masquerade);

		const struct nft_model *after = i % 2 ? masquerade : &route;
		assert_int_equal(nft_set_modes(w->conn, after, &err), 0);
		live.tcp_flags = TH_ACK;
		live.mss = 0;
		live.seq = live.ack = 2;
		got = pass(w->net->mesh_fd, w->net->lan_fd, &live);
		assert_int_equal(is_masqueraded(&got), before == masquerade);
		answer.tcp_flags = TH_ACK;
		answer.seq = answer.ack = 2;
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->mesh_fd, &live_back, &got);

		got = pass(w->net->mesh_fd, w->net->lan_fd, &stuck);
		assert_int_equal(is_masqueraded(&got), before == masquerade);
		assert_int_equal(ct_delete(w->nl, &scope, CT_UNREPLIED, &err), 1);
		got = pass(w->net->mesh_fd, w->net->lan_fd, &stuck);
		assert_int_equal(is_masqueraded(&got), after == masquerade);
		assert_int_equal(ct_delete(w->nl, &scope, CT_UNREPLIED, &err), 1);
	}
}

/* A flow keeps its mapping when the table is replaced. */
static void test_replacement_keeps_flows(void **state)
{
	static const char *const models[] = {"masquerade", "all", "masquerade"};
	struct nft_world *w = *state;
	struct packet p = syn(WORKER, SERVICE, PORT);

	nft_world_replace(w, nft_model("masquerade"));
	for (size_t i = 0; i < COUNT(models); i++) {
		struct packet seen = pass(w->net->mesh_fd, w->net->lan_fd, &p);
		struct packet answer = packet_reply(&seen), want = packet_reply(&p), got;

		assert_true(is_masqueraded(&seen));
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->mesh_fd, &want, &got);
		p.tcp_flags = TH_ACK;
		p.mss = 0;
		nft_world_replace(w, nft_model(models[i]));
	}
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_mss_clamp),
		KERNEL_TEST(test_counters),
		KERNEL_TEST(test_counters_of_a_hairpin),
		KERNEL_TEST(test_spoof),
		KERNEL_TEST(test_foreign_source_is_no_spoof),
		KERNEL_TEST(test_foreign_route_is_no_spoof),
		KERNEL_TEST(test_conntrack),
		KERNEL_TEST(test_bounds),
		KERNEL_TEST(test_bounds_of_all_lengths),
		KERNEL_TEST(test_bounds_without_networks),
		KERNEL_TEST(test_allow),
		KERNEL_TEST(test_flows_under_way),
		KERNEL_TEST(test_flows_of_the_lan),
		KERNEL_TEST(test_masquerade),
		KERNEL_TEST(test_masquerade_reply),
		KERNEL_TEST(test_masquerade_of_the_mesh_only),
		KERNEL_TEST(test_switch_of_a_host),
		KERNEL_TEST(test_switch_keeps_flows),
		KERNEL_TEST(test_replacement_keeps_flows),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
