/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a diagnosis (nft/diag.h): answers to injected packets are counted and go no further,
 * nothing else is touched, and nothing remains. What is written into mesh0 stands for an injected
 * packet: it enters by the same interface.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/netconf.h"
#include "nft/diag.h"
#include "nft_world.h"
#include "packet.h"
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint16_t PORT = 3000;
constexpr uint16_t MINE = 41000;

static const struct version {
	const char *client, *device, *service, *router, *nowhere;
	uint8_t icmp;
	uint16_t echo, echo_reply, unreachable;
} versions[] = {
	{"100.64.12.189", "100.96.0.10", "10.0.1.50", "10.0.1.1", "192.0.2.7", IPPROTO_ICMP, 8 << 8,
		0, 3 << 8 | 1},
	{"2606:4700:cf1:5000::bd", "2606:4700:cf1:1000::10", "2001:db8:1::50", "2001:db8:1::1",
		"2001:db8:f::7", IPPROTO_ICMPV6, 128 << 8, 129 << 8, 1 << 8 | 3},
};

struct diagnosis {
	const struct version *v;
	struct nft_diag *d;
	struct nft_answer answers[64];
	size_t n;
};

static struct nft_diag_ask ask_of(const struct version *v, uint8_t proto)
{
	struct nft_diag_ask ask = {
		.client = netns_addr(v->client),
		.target = netns_addr(v->service),
		.proto = proto,
		.port = PORT,
		.unused = true,
		.mine_first = MINE,
		.mine_last = MINE + 31,
		.ranges = nft_model("route")->ranges,
		.n_ranges = nft_model("route")->n_ranges,
		.mesh_interface = "mesh0",
	};
	return ask;
}

static struct nft_diag *open_diag(const struct nft_diag_ask *ask)
{
	struct nft_diag *d = nullptr;
	struct err err = {};

	if (nft_diag_open(ask, &d, &err) < 0)
		fail_msg("%s", err.msg);
	return d;
}

static struct diagnosis begin(const struct version *v, uint8_t proto)
{
	struct nft_diag_ask ask = ask_of(v, proto);

	return (struct diagnosis){.v = v, .d = open_diag(&ask)};
}

static size_t count(struct diagnosis *g)
{
	struct err err = {};
	int n = nft_diag_read(g->d, g->answers, COUNT(g->answers), &err);

	if (n < 0)
		fail_msg("%s", err.msg);
	g->n = (size_t)n;
	return g->n;
}

static const struct nft_answer *only(struct diagnosis *g, enum nft_answer_kind kind)
{
	assert_int_equal(count(g), 1);
	assert_int_equal(g->answers[0].kind, kind);
	return &g->answers[0];
}

static struct packet pass(int in, int out, const struct packet *p)
{
	struct packet got;

	packet_send(in, p);
	packet_expect(out, p, &got);
	return got;
}

/* Nothing for the client has gone into the tunnel: a packet for somebody else is the first. */
static void assert_kept(struct nft_world *w, const struct version *v)
{
	struct addr client = netns_addr(v->client);
	struct packet marker = packet_new(v->service, v->device, IPPROTO_UDP, 9, 9);

	packet_send(w->net->lan_fd, &marker);
	packet_expect_none_to(w->net->mesh_fd, &client, &marker);
}

/* From a router on the way, about a packet that it saw. */
static struct packet error_about(const struct version *v, const struct packet *about)
{
	struct packet e = packet_new(v->router, v->client, v->icmp, 0, v->unreachable);

	e.about = about;
	return e;
}

static void expect_answer(
	const struct nft_answer *a, const char *from, uint16_t port, const char *oif)
{
	struct addr addr = netns_addr(from);

	assert_int_equal(addr_cmp(&a->from, &addr), 0);
	assert_int_equal(a->mine, MINE + 1);
	assert_int_equal(a->port, port);
	assert_string_equal(a->oif, oif);
	assert_int_equal(a->packets, 1);
	assert_false(a->own);
}

/* The service is told to forget the connection. */
static void test_syn_ack(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct diagnosis g = begin(v, IPPROTO_TCP);
		struct packet syn = packet_new(v->client, v->service, IPPROTO_TCP, MINE + 1, PORT);
		struct packet answer = packet_reply(&syn), reset;

		assert_int_equal(count(&g), 0);
		pass(w->net->mesh_fd, w->net->lan_fd, &syn);
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->lan_fd, &syn, &reset);
		assert_int_equal(reset.tcp_flags, TH_RST);
		assert_int_equal(reset.seq, answer.ack);
		assert_kept(w, v);
		const struct nft_answer *a = only(&g, NFT_ANSWER_TCP);
		expect_answer(a, v->service, PORT, "mesh0");
		assert_int_equal(a->flags, TH_SYN | TH_ACK);
		packet_send(w->net->lan_fd, &answer);
		assert_kept(w, v);
		assert_int_equal(only(&g, NFT_ANSWER_TCP)->packets, 2);
		nft_diag_close(g.d);
	}
}

static void test_other_answers(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct packet syn = packet_new(v->client, v->service, IPPROTO_TCP, MINE + 1, PORT);
		struct packet rst = packet_reply(&syn);
		struct packet udp = packet_new(v->client, v->service, IPPROTO_UDP, MINE + 1, PORT);
		struct packet udp_answer = packet_reply(&udp);
		struct packet echo = packet_new(v->client, v->service, v->icmp, MINE + 1, v->echo);
		struct packet pong = packet_new(
			v->service, v->client, v->icmp, MINE + 1, v->echo_reply);
		const struct {
			struct packet out, back;
			enum nft_answer_kind kind;
			uint16_t port;
		} cases[] = {
			{syn, rst, NFT_ANSWER_TCP, PORT},
			{udp, udp_answer, NFT_ANSWER_UDP, PORT},
			{echo, pong, NFT_ANSWER_ECHO, 0},
			{syn, error_about(v, &syn), NFT_ANSWER_TCP_ERROR, PORT},
			{udp, error_about(v, &udp), NFT_ANSWER_UDP_ERROR, PORT},
			{echo, error_about(v, &echo), NFT_ANSWER_ECHO_ERROR, 0},
		};

		for (size_t i = 0; i < COUNT(cases); i++) {
			struct diagnosis g = begin(v, cases[i].out.proto);
			struct packet back = cases[i].back;

			if (cases[i].kind == NFT_ANSWER_TCP)
				back.tcp_flags = TH_RST | TH_ACK;
			pass(w->net->mesh_fd, w->net->lan_fd, &cases[i].out);
			packet_send(w->net->lan_fd, &back);
			assert_kept(w, v);
			const struct nft_answer *a = only(&g, cases[i].kind);
			bool error = cases[i].kind >= NFT_ANSWER_TCP_ERROR;
			expect_answer(a, error ? v->router : v->service, cases[i].port, "mesh0");
			if (cases[i].kind == NFT_ANSWER_TCP)
				assert_int_equal(a->flags, TH_RST | TH_ACK);
			if (error)
				assert_int_equal(a->type << 8 | a->code, v->unreachable);
			nft_diag_close(g.d);
		}
	}
}

/* return-route-missing: the answer would leave again by the LAN, and come back, and so on; and the
 * service would repeat it when the table is gone. */
static void test_astray(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct diagnosis g = begin(v, IPPROTO_TCP);
		struct route elsewhere = {.dst = netns_prefix(v->client), .oif = w->net->lan};
		struct packet syn = packet_new(v->client, v->service, IPPROTO_TCP, MINE + 1, PORT);
		struct packet answer = packet_reply(&syn), reset;
		struct packet marker = packet_new(v->device, v->service, IPPROTO_UDP, 9, 9);

		pass(w->net->mesh_fd, w->net->lan_fd, &syn);
		assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &elsewhere), 0);
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->lan_fd, &syn, &reset);
		assert_int_equal(reset.tcp_flags, TH_RST);
		packet_send(w->net->lan_fd, &answer);
		packet_send(w->net->mesh_fd, &marker);
		packet_expect_only(w->net->lan_fd, &answer, &marker);
		const struct nft_answer *a = only(&g, NFT_ANSWER_TCP);
		assert_string_equal(a->oif, "lan0");
		assert_int_equal(a->packets, 2);
		nft_diag_close(g.d);
	}
}

/* What this host says itself: here that it knows no way. */
static void test_own_words(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct diagnosis g = begin(v, IPPROTO_TCP);
		struct packet syn = packet_new(v->client, v->nowhere, IPPROTO_TCP, MINE + 1, PORT);

		packet_send(w->net->mesh_fd, &syn);
		assert_kept(w, v);
		const struct nft_answer *a = only(&g, NFT_ANSWER_TCP_ERROR);
		assert_true(a->own);
		assert_int_equal(a->type, v->icmp == IPPROTO_ICMP ? 3 : 1);
		assert_int_equal(a->code, 0);
		assert_int_equal(a->mine, MINE + 1);
		assert_string_equal(a->oif, "mesh0");
		nft_diag_close(g.d);
	}
}

/* How many connections wait for their third packet here (proc_net_tcp, state SYN_RECV)? */
static int half_open(const struct version *v)
{
	FILE *in = fopen(v->icmp == IPPROTO_ICMP ? "/proc/thread-self/net/tcp"
						 : "/proc/thread-self/net/tcp6",
		"re");
	char line[512], state[8];
	int n = 0;

	assert_non_null(in);
	while (fgets(line, sizeof(line), in))
		n += sscanf(line, "%*s %*s %*s %7s", state) == 1 && !strcmp(state, "03");
	fclose(in);
	return n;
}

static int listen_on(const char *address, uint8_t family)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	const struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&four
						      : (struct sockaddr *)&six;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		inet_pton(family, address,
			family == AF_INET ? (void *)&four.sin_addr : (void *)&six.sin6_addr),
		1);
	assert_int_equal(bind(fd, sa, family == AF_INET ? sizeof(four) : sizeof(six)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* The service is on this host: its answer is kept here, and it forgets the connection. */
static void test_own_service(void **state)
{
	static const char *const own[] = {"10.0.1.11", "2001:db8:1::11"};
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		const char *address = own[v - versions];
		int fd = listen_on(address, v->icmp == IPPROTO_ICMP ? AF_INET : AF_INET6);
		struct packet syn = packet_new(v->client, address, IPPROTO_TCP, MINE + 1, PORT);
		struct nft_diag_ask ask = ask_of(v, IPPROTO_TCP);
		struct packet got;

		packet_send(w->net->mesh_fd, &syn);
		struct packet answer = packet_reply(&syn);
		packet_expect(w->net->mesh_fd, &answer, &got);
		assert_int_equal(half_open(v), 1); /* as it is without a diagnosis */

		ask.target = netns_addr(address);
		struct diagnosis g = {.v = v, .d = open_diag(&ask)};
		syn.sport++;
		packet_send(w->net->mesh_fd, &syn);
		assert_kept(w, v);
		const struct nft_answer *a = only(&g, NFT_ANSWER_TCP);
		assert_true(a->own);
		assert_int_equal(a->flags, TH_SYN | TH_ACK);
		assert_int_equal(half_open(v), 1);
		nft_diag_close(g.d);
		close(fd);
	}
}

/* Others' flows, and those of the client itself from other ports or to other targets. */
static void test_bystanders(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct nft_diag_ask ask = ask_of(v, IPPROTO_TCP);
		struct packet flows[] = {
			packet_new(v->device, v->service, IPPROTO_TCP, MINE + 1, PORT),
			packet_new(v->client, v->service, IPPROTO_TCP, MINE + 32, PORT),
			packet_new(v->client, v->service, IPPROTO_TCP, MINE - 1, PORT),
			packet_new(v->client, v->service, IPPROTO_UDP, MINE + 1, PORT),
			packet_new(v->client, v->router, IPPROTO_TCP, MINE + 1, PORT),
		};

		ask.unused = false;
		struct diagnosis g = {.v = v, .d = open_diag(&ask)};
		for (size_t i = 0; i < COUNT(flows); i++) {
			struct packet answer = packet_reply(&flows[i]);
			struct packet error = error_about(v, &flows[i]);

			pass(w->net->mesh_fd, w->net->lan_fd, &flows[i]);
			pass(w->net->lan_fd, w->net->mesh_fd, &answer);
			error.to = flows[i].from;
			if (i < 4)
				pass(w->net->lan_fd, w->net->mesh_fd, &error);
		}
		assert_int_equal(count(&g), 0);
		nft_diag_close(g.d);
	}
}

static int entries(void)
{
	int n = -1;

	assert_int_equal(sysctl_get("netfilter/nf_conntrack_count", &n), 0);
	return n;
}

/* Conntrack sleeps on unless it may be asked; behind source NAT answers are known all the same. */
static void test_conntrack(void **state)
{
	struct nft_world *w = *state;
	const struct version *v = versions;
	struct packet syn = packet_new(v->client, v->service, IPPROTO_TCP, MINE + 1, PORT);
	struct diagnosis g = begin(v, IPPROTO_TCP);

	pass(w->net->mesh_fd, w->net->lan_fd, &syn);
	assert_int_equal(entries(), 0);
	nft_diag_close(g.d);

	struct nft_diag_ask ask = ask_of(v, IPPROTO_TCP);
	ask.with_ct = true;
	nft_world_replace(w, nft_model("masquerade"));
	g.d = open_diag(&ask);
	struct packet seen = pass(w->net->mesh_fd, w->net->lan_fd, &syn);
	struct packet answer = packet_reply(&seen), reset;
	assert_int_not_equal(addr_cmp(&seen.from, &syn.from), 0);
	packet_send(w->net->lan_fd, &answer);
	packet_expect(w->net->lan_fd, &syn, &reset);
	assert_int_equal(reset.tcp_flags, TH_RST);
	assert_kept(w, v);
	expect_answer(only(&g, NFT_ANSWER_TCP), v->service, PORT, "mesh0");
	nft_diag_close(g.d);
}

static bool is_there(unsigned n)
{
	char line[64];

	snprintf(line, sizeof(line), "list table inet " NFT_DIAG_TABLE "%u", n);
	return nft_world_tool(line);
}

static void test_names(void **state)
{
	(void)state;
	struct diagnosis a = begin(&versions[0], IPPROTO_TCP);
	struct diagnosis b = begin(&versions[1], IPPROTO_ICMPV6);

	assert_string_equal(nft_diag_table(a.d), NFT_DIAG_TABLE "1");
	assert_string_equal(nft_diag_table(b.d), NFT_DIAG_TABLE "2");
	assert_true(is_there(1) && is_there(2));
	/* Nobody else empties it. */
	assert_true(nft_world_tool("flush ruleset"));
	assert_true(is_there(1) && is_there(2));
	nft_diag_close(a.d);
	assert_true(!is_there(1) && is_there(2));
	a = begin(&versions[0], IPPROTO_UDP);
	assert_string_equal(nft_diag_table(a.d), NFT_DIAG_TABLE "1");
	nft_diag_close(a.d);
	nft_diag_close(b.d);
	assert_true(!is_there(1) && !is_there(2));
}

/* Nothing injected: it only traces. */
static void test_passive(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct nft_diag_ask ask = ask_of(v, IPPROTO_TCP);
		struct packet syn = packet_new(v->client, v->service, IPPROTO_TCP, MINE + 1, PORT);
		struct packet answer = packet_reply(&syn);

		ask.mine_first = ask.mine_last = 0;
		struct diagnosis g = {.v = v, .d = open_diag(&ask)};
		pass(w->net->mesh_fd, w->net->lan_fd, &syn);
		pass(w->net->lan_fd, w->net->mesh_fd, &answer);
		assert_int_equal(count(&g), 0);
		nft_diag_close(g.d);
	}
}

/* Without the interfaces it is the same but for what happens at them. */
static void test_without_interfaces(void **state)
{
	struct nft_world *w = *state;
	struct nft_diag_ask ask = ask_of(versions, IPPROTO_TCP);
	struct packet syn = packet_new(
		versions->client, versions->service, IPPROTO_TCP, MINE + 1, PORT);
	struct packet answer = packet_reply(&syn);

	snprintf(ask.lan_interface, sizeof(ask.lan_interface), "gone0");
	struct diagnosis g = {.v = versions, .d = open_diag(&ask)};
	pass(w->net->mesh_fd, w->net->lan_fd, &syn);
	packet_send(w->net->lan_fd, &answer);
	assert_kept(w, versions);
	expect_answer(only(&g, NFT_ANSWER_TCP), versions->service, PORT, "mesh0");
	nft_diag_close(g.d);
}

static void test_killed(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		begin(&versions[0], IPPROTO_TCP);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(is_there(1));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, nullptr, 0), child);
	assert_false(is_there(1));
	assert_true(nft_world_tool("list ruleset"));
	close(ready[0]);
	close(ready[1]);
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_syn_ack),
		KERNEL_TEST(test_other_answers),
		KERNEL_TEST(test_astray),
		KERNEL_TEST(test_own_words),
		KERNEL_TEST(test_own_service),
		KERNEL_TEST(test_bystanders),
		KERNEL_TEST(test_conntrack),
		KERNEL_TEST(test_names),
		KERNEL_TEST(test_passive),
		KERNEL_TEST(test_without_interfaces),
		KERNEL_TEST(test_killed),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
