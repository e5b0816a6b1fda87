/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes of the way back through table inet meshgw, in a real kernel: what is seen of their
 * answers, and that nothing of them enters the tunnel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/marks.h"
#include "net/netconf.h"
#include "net/nflog.h"
#include "net/probe.h"
#include "nft/learned.h"
#include "nft_world.h"
#include "packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WORKER "100.64.12.189"
#define DEVICE "100.96.0.10"
#define DEVICE6 "2606:4700:cf1:1000::10"
#define SERVICE "10.0.1.50"
#define SERVICE6 "2001:db8:1::50"
#define GATEWAY "10.0.1.11"
#define GATEWAY6 "2001:db8:1::11"

constexpr uint16_t PORT = 3000;
constexpr uint16_t PROHIBITED = 3 << 8 | 13;
constexpr uint16_t PROHIBITED6 = 1 << 8 | 1;
constexpr uint32_t SEEN = MARK_PROBE_ANSWERED | MARK_PROBE_ASTRAY | MARK_PROBE_REFUSED |
			  MARK_PROBE_DIVERTED;

static const char *const services[] = {SERVICE, SERVICE6};
static const char *const gateways[] = {GATEWAY, GATEWAY6};
static const char *const devices[] = {DEVICE, DEVICE6};

static struct addr source_of(bool six)
{
	return nft_model("auto")->probe_sources[six];
}

/* A model with two LAN interfaces; the second one is a TUN device of the test. */
static struct nft_model two_lans(void)
{
	static const char lans[][IFNAMSIZ] = {"lan0", "lan1"};
	struct nft_model m = *nft_model("auto");

	m.lan_interfaces = lans;
	m.n_lan_interfaces = COUNT(lans);
	return m;
}

static struct probe send_probe(struct addr source, const char *to)
{
	struct probe_target t = {
		.source = source, .address = netns_addr(to), .port = PORT, .interface = "lan0"};
	static uint32_t seed = 7;
	struct probe p = {};
	struct err err = {};

	if (probe_send(&t, &seed, &p, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static struct packet to_service(const char *service)
{
	return (struct packet){.to = netns_addr(service), .proto = IPPROTO_TCP, .dport = PORT};
}

/* A probe from the mesh; *syn is what the service gets. */
static struct probe ask(struct nft_world *w, bool six, struct packet *syn)
{
	struct probe p = send_probe(source_of(six), services[six]);
	struct packet want = to_service(services[six]);

	assert_int_equal(p.fd, -1);
	packet_expect(w->net->lan_fd, &want, syn);
	assert_int_equal(syn->tcp_flags, TH_SYN);
	assert_int_equal(addr_cmp(&syn->from, &p.flow.from), 0);
	assert_int_equal(syn->sport, p.flow.from_port);
	return p;
}

static struct ct_state look(struct nft_world *w, const struct probe *p)
{
	struct ct_state st = {};
	struct err err = {};

	if (ct_lookup(w->nl, &p->flow, &st, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(st.mark & MARK_PROBE_MASK, MARK_PROBE);
	assert_int_equal((st.mark & MARK_PROBE_LAN_MASK) >> MARK_PROBE_LAN_SHIFT, 1);
	return st;
}

/* Nothing has entered the tunnel but what is sent now. */
static void assert_kept(struct nft_world *w, bool six)
{
	struct packet marker = packet_new(services[six], devices[six], IPPROTO_UDP, 5, 6);
	struct addr source = source_of(six);

	packet_send(w->net->lan_fd, &marker);
	packet_expect_none_to(w->net->mesh_fd, &source, &marker);
}

static void expect_rst(struct nft_world *w, bool six)
{
	struct packet want = to_service(services[six]), got;

	packet_expect(w->net->lan_fd, &want, &got);
	assert_true(got.tcp_flags & TH_RST);
}

static struct packet icmp_error(bool six, const char *from, const struct packet *about)
{
	struct packet p = packet_new(from, services[six], six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 0,
		six ? PROHIBITED6 : PROHIBITED);

	p.to = about->from;
	p.about = about;
	return p;
}

static void test_answer(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		struct packet syn, answer;
		struct probe p = ask(w, six, &syn);

		struct ct_state st = look(w, &p);
		assert_int_equal(st.mark & SEEN, 0);
		assert_int_equal(st.status & IPS_SEEN_REPLY, 0);

		answer = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		expect_rst(w, six);
		st = look(w, &p);
		assert_int_equal(st.mark & SEEN, MARK_PROBE_ANSWERED);
		assert_true(st.status & IPS_SEEN_REPLY);
		assert_false(st.status & IPS_SRC_NAT);
		assert_kept(w, six);
	}
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_TO_MESH), 2); /* the markers */
}

static struct sockaddr_in inet_address(const char *text, uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &sa.sin_addr), 1);
	return sa;
}

/* An answer may be faster than close(2), on a virtual link always: then there is a socket yet. */
static void test_answer_before_close(void **state)
{
	static const uint16_t sport = 2000;
	struct nft_world *w = *state;
	struct addr source = source_of(false);
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(sport)};
	struct sockaddr_in to = inet_address(SERVICE, PORT);
	struct probe p = {.flow = {IPPROTO_TCP, source, netns_addr(SERVICE),
				  sport ^ MARK_PROBE_PORT_BIT, PORT}};
	struct packet syn, want = to_service(SERVICE);
	int on = 1, mark = (int)MARK_PROBE;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	nft_world_replace(w, nft_model("auto"));
	memcpy(&from.sin_addr, source.b, sizeof(from.sin_addr));
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lan0", 4), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	packet_expect(w->net->lan_fd, &want, &syn);
	struct packet answer = packet_reply(&syn);
	packet_send(w->net->lan_fd, &answer);
	expect_rst(w, false);
	assert_int_equal(look(w, &p).mark & SEEN, MARK_PROBE_ANSWERED);
	close(fd);
}

static bool was_reset(struct nft_world *w, const struct probe *p)
{
	struct err err = {};
	int r = nft_learned_reset(w->nl, &p->flow.from, p->flow.from_port, &err);

	if (r < 0)
		fail_msg("%s", err.msg);
	return r;
}

/* Conntrack forgets the flow, but not before the segment has been recognised by it. */
static void test_rst(void **state)
{
	struct nft_world *w = *state;
	struct ct_state st;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		struct packet syn, answer;
		struct probe p = ask(w, six, &syn);

		answer = packet_reply(&syn);
		answer.tcp_flags = TH_RST | TH_ACK;
		packet_send(w->net->lan_fd, &answer);
		assert_kept(w, six);
		assert_int_equal(ct_lookup(w->nl, &p.flow, &st, nullptr), -ENOENT);
		assert_true(was_reset(w, &p));
		p.flow.from_port++;
		assert_false(was_reset(w, &p));
	}
}

/* From a router on the way, which speaks of the packet that it saw. */
static void test_icmp_error(void **state)
{
	static const char *const routers[] = {"10.0.1.1", "2001:db8:1::1"};
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		struct packet syn;
		struct probe p = ask(w, six, &syn);
		struct packet error = icmp_error(six, routers[six], &syn);

		packet_send(w->net->lan_fd, &error);
		assert_kept(w, six);
		assert_int_equal(look(w, &p).mark & SEEN, MARK_PROBE_ANSWERED | MARK_PROBE_REFUSED);
	}
}

/* What else the service says about a probe is not for the mesh either, nor what it repeats when the
 * kernel has forgotten the flow. */
static void test_late_answers(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		struct packet syn, answer;
		struct probe p = ask(w, six, &syn);

		answer = packet_reply(&syn);
		answer.ack += 1000;
		packet_send(w->net->lan_fd, &answer);
		assert_kept(w, six);
		assert_int_equal(look(w, &p).mark & SEEN, 0);

		answer.sport++;
		packet_send(w->net->lan_fd, &answer);
		struct packet error = icmp_error(six, services[six], &syn);
		syn.sport++;
		packet_send(w->net->lan_fd, &error);
		assert_kept(w, six);
		assert_int_equal(look(w, &p).mark & SEEN, 0);
	}
}

static int other_lan(struct nft_world *w, int rp_filter)
{
	int ifindex, fd = netns_tun("lan1", &ifindex);

	netns_address(w->net, RTM_NEWADDR, ifindex, "10.0.7.11/24");
	netns_address(w->net, RTM_NEWADDR, ifindex, "2001:db8:7::11/64");
	assert_int_equal(sysctl_set("ipv4/conf/lan1/rp_filter", rp_filter), 0);
	return fd;
}

/* The answer comes by the second LAN. Without rp_filter it would even reach the tunnel; with it the
 * kernel drops it before anything but conntrack has seen it. */
static void test_wrong_lan(void **state)
{
	static const struct {
		bool six;
		int rp_filter;
		uint32_t seen;
	} cases[] = {
		{false, 0, MARK_PROBE_ASTRAY},
		{false, 1, 0},
		{true, 0, MARK_PROBE_ASTRAY},
	};
	struct nft_world *w = *state;
	struct nft_model m = two_lans();

	nft_world_replace(w, &m);
	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd = other_lan(w, cases[i].rp_filter);
		struct packet syn, answer;
		struct probe p = ask(w, cases[i].six, &syn);

		answer = packet_reply(&syn);
		packet_send(fd, &answer);
		assert_kept(w, cases[i].six);
		if (cases[i].seen)
			expect_rst(w, cases[i].six);
		struct ct_state st = look(w, &p);
		assert_int_equal(st.mark & SEEN, cases[i].seen);
		assert_true(st.status & IPS_SEEN_REPLY);
		close(fd);
	}
}

/* Somebody else has a better route to the range: the answer would go there. */
static void test_diverted(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		struct addr source = source_of(six);
		struct route r = {.dst = prefix_of(&source), .oif = w->net->lan};
		struct packet syn, answer;
		struct probe p = ask(w, six, &syn);

		assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
		answer = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		assert_kept(w, six);
		assert_int_equal(look(w, &p).mark & SEEN, MARK_PROBE_DIVERTED);
	}
}

/* Nobody's source NAT gets at a probe: not ours, which masquerades its destination, nor that of
 * somebody who masquerades all that leaves by the LAN. */
static void test_source_stays(void **state)
{
	struct nft_world *w = *state;

	assert_true(
		nft_world_tool("table inet nat { chain postrouting { type nat hook "
			       "postrouting priority srcnat; oifname \"lan0\" masquerade; }; }"));
	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		struct packet syn;
		struct probe p = ask(w, six, &syn);

		assert_false(look(w, &p).status & IPS_SRC_NAT);
	}
	assert_int_equal(nft_world_packets(w, NFT_COUNTER_MASQUERADED), 0);
}

/* As Cloudflare's client does when the LAN is not excluded: its output chain refuses. No entry says
 * that the probe did not leave; and what the chain says stays here. */
static void test_filtered_output(void **state)
{
	static const char *const refusals[] = {"reject with tcp reset", "reject", "drop"};
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (size_t i = 0; i < 2 * COUNT(refusals); i++) {
		char table[256];
		bool six = i % 2;
		struct ct_state st;

		snprintf(table, sizeof(table),
			"table inet cloudflare-warp { chain output { type filter hook output "
			"priority filter; oifname \"lan0\" meta l4proto tcp %s; }; }",
			refusals[i / 2]);
		assert_true(nft_world_tool(table));
		struct probe p = send_probe(source_of(six), services[six]);
		assert_int_equal(ct_lookup(w->nl, &p.flow, &st, nullptr), -ENOENT);
		assert_false(was_reset(w, &p));
		assert_kept(w, six);
		p = send_probe((struct addr){}, services[six]);
		assert_int_equal(ct_lookup(w->nl, &p.flow, &st, nullptr), -ENOENT);
		assert_false(was_reset(w, &p));
		struct pollfd refused = {.fd = p.fd, .events = POLLOUT};
		if (i / 2 == 0 && poll(&refused, 1, 2000) == 1)
			assert_int_equal(probe_check(&p), -ECONNREFUSED);
		assert_false(was_reset(w, &p)); /* not by the service */
		probe_close(&p);
		assert_true(nft_world_tool("delete table inet cloudflare-warp"));
	}
}

/* Ports come round again: what an earlier probe saw does not count for the next one. */
static void test_ports_again(void **state)
{
	struct nft_world *w = *state;
	struct packet syn, answer, want = to_service(SERVICE);
	struct probe_target t = {.source = source_of(false),
		.address = netns_addr(SERVICE),
		.port = PORT,
		.interface = "lan0"};
	struct probe p = {};
	struct err err = {};

	nft_world_replace(w, nft_model("auto"));
	for (int i = 0; i < 2; i++) {
		uint32_t seed = 99;
		assert_int_equal(probe_send(&t, &seed, &p, &err), 0);
		assert_int_equal(seed, 100);
		packet_expect(w->net->lan_fd, &want, &syn);
		assert_int_equal(look(w, &p).mark & SEEN, 0);
		answer = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		expect_rst(w, false);
		if (i == 0)
			assert_int_equal(look(w, &p).mark & SEEN, MARK_PROBE_ANSWERED);
	}
}

static void finish_own(struct nft_world *w, bool six, uint8_t flags, int result)
{
	struct packet syn, got, want = to_service(services[six]);
	struct probe p = send_probe((struct addr){}, services[six]);
	struct addr gateway = netns_addr(gateways[six]);

	assert_int_equal(probe_check(&p), -EINPROGRESS);
	packet_expect(w->net->lan_fd, &want, &syn);
	assert_int_equal(addr_cmp(&syn.from, &gateway), 0);
	assert_int_equal(addr_cmp(&p.flow.from, &gateway), 0);
	assert_int_equal(p.flow.from_port, syn.sport);

	struct packet answer = packet_reply(&syn);
	answer.tcp_flags = flags;
	packet_send(w->net->lan_fd, &answer);
	struct pollfd ready = {.fd = p.fd, .events = POLLOUT};
	assert_int_equal(poll(&ready, 1, 2000), 1);
	assert_int_equal(probe_check(&p), result);
	assert_int_equal(was_reset(w, &p), result == -ECONNREFUSED);
	probe_close(&p);
	probe_close(&p);
	if (result == 1) {
		do
			packet_expect(w->net->lan_fd, &want, &got);
		while (!(got.tcp_flags & TH_RST));
	}
}

static void test_own_address(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		finish_own(w, six, TH_SYN | TH_ACK, 1);
		finish_own(w, six, TH_RST | TH_ACK, -ECONNREFUSED);
	}
}

/* A host that nobody answers for: this host says so itself, which is no word of the other. */
static void test_dead_neighbor(void **)
{
	static const char link[] =
		"ip link set lo up && ip link add dead0 type veth peer name dead1 && "
		"ip link set dead1 up && ip address add 10.0.7.1/24 dev dead0 && "
		"ip link set dead0 up && sysctl -qw net.ipv4.neigh.dead0.retrans_time_ms=20";
	struct probe_target t = {
		.address = netns_addr("10.0.7.2"), .port = PORT, .interface = "dead0"};
	struct probe p = {};
	uint32_t seed = 0;

	assert_int_equal(system(link), 0);
	assert_int_equal(probe_send(&t, &seed, &p, nullptr), 0);
	struct pollfd ready = {.fd = p.fd, .events = POLLOUT};
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(probe_check(&p), -EHOSTDOWN);
	probe_close(&p);
}

static void test_probe_errors(void **)
{
	struct probe_target t = {.source = source_of(false),
		.address = netns_addr("192.0.2.1"),
		.port = PORT,
		.interface = "lan0"};
	struct probe p = {};
	struct err err = {};
	uint32_t seed = 0;

	netns_link_up("lan0", false);
	assert_int_equal(probe_send(&t, &seed, &p, &err), -ENETUNREACH);
	memcpy(t.interface, "lan9", 5);
	assert_int_equal(probe_send(&t, &seed, &p, &err), -ENODEV);
	assert_string_equal(err.msg, "probe: lan9: No such device");
}

/* Flows of the mesh are what they were: the probe's chains touch nothing that has not its mark. */
static void test_real_flows_pass(void **state)
{
	struct nft_world *w = *state;
	struct packet syn, got;

	nft_world_replace(w, nft_model("auto"));
	for (int six = 0; six < 2; six++) {
		syn = packet_new(devices[six], services[six], IPPROTO_TCP, 40000, PORT);
		packet_send(w->net->mesh_fd, &syn);
		packet_expect(w->net->lan_fd, &syn, &got);
		struct packet answer = packet_reply(&got), back = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->mesh_fd, &back, &got);
		assert_int_equal(got.tcp_flags, TH_SYN | TH_ACK);
	}
	/* Even to the source of probes, whose address may yet be somebody's. */
	syn = packet_new(SERVICE, DEVICE, IPPROTO_TCP, 40000, PORT);
	syn.to = source_of(false);
	packet_send(w->net->lan_fd, &syn);
	packet_expect(w->net->mesh_fd, &syn, &got);
}

static size_t witnesses(struct nft_world *w, struct nft_witness *out, size_t max)
{
	struct err err = {};
	int n = nft_learned_witnesses(w->nl, out, max, &err);

	if (n < 0)
		fail_msg("%s", err.msg);
	return (size_t)n;
}

static void answer_mesh(struct nft_world *w, const char *from, const char *service, uint16_t port)
{
	struct packet got, syn = packet_new(from, service, IPPROTO_TCP, 40000, port);

	packet_send(w->net->mesh_fd, &syn);
	packet_expect(w->net->lan_fd, &syn, &got);
	struct packet answer = packet_reply(&got), back = packet_reply(&syn);
	packet_send(w->net->lan_fd, &answer);
	packet_expect(w->net->mesh_fd, &back, &got);
}

static void test_witnesses(void **state)
{
	struct nft_world *w = *state;
	struct nft_model m = *nft_model("auto");
	struct nft_witness list[4] = {};
	struct route remote = {.dst = netns_prefix("172.16.0.0/16"), .oif = w->net->lan};
	const struct prefix networks[] = {
		m.networks[0], m.networks[1], netns_prefix("172.16.0.0/16")};

	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &remote), 0);
	assert_int_equal(witnesses(w, list, 4), 0);
	m.networks = networks;
	m.n_networks = COUNT(networks);
	nft_world_replace(w, &m);
	struct nft_state before = nft_world_read(w);

	answer_mesh(w, DEVICE, SERVICE, PORT);
	answer_mesh(w, DEVICE6, SERVICE6, 443);
	answer_mesh(w, WORKER, SERVICE, PORT);
	/* Where nothing shall be remembered, and a probe, which is no flow of the mesh. */
	answer_mesh(w, DEVICE, "172.16.0.9", PORT);
	struct packet syn, stray;
	(void)ask(w, false, &syn);
	stray = packet_reply(&syn);
	packet_send(w->net->lan_fd, &stray);
	expect_rst(w, false);
	/* Nor what answers nobody. */
	stray = packet_new("10.0.1.99", DEVICE, IPPROTO_TCP, 7, 7);
	stray.tcp_flags = TH_SYN | TH_ACK;
	packet_send(w->net->lan_fd, &stray);
	assert_kept(w, false);

	assert_int_equal(witnesses(w, nullptr, 0), 2);
	assert_int_equal(witnesses(w, list, 4), 2);
	for (int six = 0; six < 2; six++) {
		struct addr service = netns_addr(services[six]);
		assert_int_equal(addr_cmp(&list[six].address, &service), 0);
		assert_int_equal(list[six].port, six ? 443 : PORT);
		assert_true(list[six].age_us < 60 * 1000000);
	}
	struct nft_state after = nft_world_read(w);
	assert_int_equal(after.digest, before.digest);
	assert_int_equal(after.n_elements, before.n_elements);
}

/* More services than are remembered: the first ones stay, and nothing breaks. */
static void test_witnesses_are_bounded(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("auto"));
	for (uint16_t port = 1; port <= NFT_WITNESSES + 8; port++)
		answer_mesh(w, DEVICE, SERVICE, port);
	size_t n = witnesses(w, nullptr, 0);
	assert_in_range(n, NFT_WITNESSES / 2, NFT_WITNESSES);
}

static int probe_as_daemon(struct nft_world *w)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct only[2] = {
		{.effective = 1U << CAP_NET_ADMIN, .permitted = 1U << CAP_NET_ADMIN}};
	struct nflog *log = nullptr;
	struct probe p = {};
	uint32_t seed = 0;
	struct ct_state st;

	if (syscall(SYS_capset, &header, only) < 0)
		return 1;
	for (int six = 0; six < 2; six++) {
		struct probe_target t = {.source = source_of(six),
			.address = netns_addr(services[six]),
			.port = PORT,
			.interface = "lan0"};
		if (probe_send(&t, &seed, &p, nullptr) < 0)
			return 2;
		if (ct_lookup(w->nl, &p.flow, &st, nullptr) < 0)
			return 3;
	}
	if (nflog_open(MARK_NFLOG_GROUP, &log, nullptr) < 0)
		return 4;
	nflog_close(log);
	return 0;
}

/* Nothing but CAP_NET_ADMIN is needed. */
static void test_capability(void **state)
{
	struct nft_world *w = *state;
	int status = 0;

	nft_world_replace(w, nft_model("auto"));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(probe_as_daemon(w));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_answer),
		KERNEL_TEST(test_answer_before_close),
		KERNEL_TEST(test_rst),
		KERNEL_TEST(test_icmp_error),
		KERNEL_TEST(test_late_answers),
		KERNEL_TEST(test_wrong_lan),
		KERNEL_TEST(test_diverted),
		KERNEL_TEST(test_source_stays),
		KERNEL_TEST(test_filtered_output),
		KERNEL_TEST(test_ports_again),
		KERNEL_TEST(test_own_address),
		KERNEL_TEST(test_dead_neighbor),
		KERNEL_TEST(test_probe_errors),
		KERNEL_TEST(test_real_flows_pass),
		KERNEL_TEST(test_witnesses),
		KERNEL_TEST(test_witnesses_are_bounded),
		KERNEL_TEST(test_capability),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
