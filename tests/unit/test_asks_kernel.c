/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a diagnosis sends by sockets (diagnose/asks.h), on a real kernel: mesh0 and lan0 are TUN
 * devices, at whose other ends the test is the mesh and the LAN.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/asks.h"
#include "nft/diag.h"
#include "nft_world.h"
#include "packet.h"
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint16_t PORT = 3000;

static const struct version {
	const char *client, *device, *service, *router;
	uint8_t icmp;
	uint16_t expired;
} versions[] = {
	{"100.64.12.189", "100.96.0.10", "10.0.1.50", "10.0.1.1", IPPROTO_ICMP, 11 << 8},
	{"2606:4700:cf1:5000::bd", "2606:4700:cf1:1000::10", "2001:db8:1::50", "2001:db8:1::1",
		IPPROTO_ICMPV6, 3 << 8},
};

static struct flow flow_of(const struct version *v, uint8_t proto)
{
	return (struct flow){.proto = proto,
		.client = netns_addr(v->client),
		.target = netns_addr(v->service),
		.port = PORT,
		.from = "workers"};
}

static struct nft_diag *open_diag(const struct flow *flow, const struct injections *set)
{
	const struct nft_diag_ask ask = {.client = flow->client,
		.target = flow->target,
		.proto = flow->proto,
		.port = flow->port,
		.unused = true,
		.mine_first = set->first_port,
		.mine_last = set->last_port,
		.mesh_interface = "mesh0",
		.lan_interface = "lan0"};
	struct nft_diag *d = nullptr;
	struct err err = {};

	if (nft_diag_open(&ask, &d, &err) < 0)
		fail_msg("%s", err.msg);
	return d;
}

static uint64_t packets_of(struct nft_diag *d, uint16_t mine, enum nft_answer_kind kind)
{
	struct nft_answer list[16];
	int n = nft_diag_read(d, list, COUNT(list), nullptr);

	for (int i = 0; i < n; i++)
		if (list[i].mine == mine && list[i].kind == kind)
			return list[i].packets;
	return 0;
}

/* Only what begins the flow is sent by sockets, and known by its port. */
static void test_range(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct flow flow = flow_of(v, IPPROTO_TCP);
		struct injections set;
		struct asks asks = {.flow = &flow, .interface = "lan0"};
		struct packet syn, marker;

		injections_plan(&flow, 7, &set);
		struct nft_diag *d = open_diag(&flow, &set);
		injections_from_sockets(&set);
		assert_true(set.n > 0 && set.n < INJECTIONS_MAX);
		for (size_t i = 0; i < set.n; i++)
			assert_int_equal(set.list[i].probe, PROBE_RANGE);
		asks_range(&asks, &set);
		asks_check(&asks, 0);
		assert_int_equal(asks.range_sent, 1);
		marker = packet_new(
			v->client, v->service, IPPROTO_TCP, set.list[0].source_port, PORT);
		packet_expect(w->net->lan_fd, &marker, &syn);
		assert_int_equal(addr_cmp(&syn.from, &flow.client), 0);
		assert_int_equal(syn.sport, set.list[0].source_port);
		assert_int_equal(syn.tcp_flags, TH_SYN);
		/* At once, as on a path through one kernel; and no socket takes it. */
		struct packet answer = packet_reply(&syn), reset;
		packet_send(w->net->lan_fd, &answer);
		packet_expect(w->net->lan_fd, &marker, &reset);
		assert_int_equal(reset.tcp_flags, TH_RST);
		assert_int_equal(packets_of(d, set.list[0].source_port, NFT_ANSWER_TCP), 1);
		asks_check(&asks, 10'000'000);
		assert_int_equal(asks.range_sent, (1U << set.n) - 1);
		asks_clear(&asks);
		nft_diag_close(d);
	}
}

static void test_range_datagram(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct flow flow = flow_of(v, IPPROTO_UDP);
		struct injections set;
		struct packet got;

		injections_plan(&flow, 7, &set);
		struct nft_diag *d = open_diag(&flow, &set);
		struct packet like = packet_new(
			v->client, v->service, IPPROTO_UDP, set.list[0].source_port, PORT);
		assert_int_equal(range_probe_send(&flow, &set.list[0], "lan0"), 0);
		packet_expect(w->net->lan_fd, &like, &got);
		assert_int_equal(got.sport, set.list[0].source_port);
		struct packet answer = packet_reply(&like);
		struct packet last = packet_new(v->service, v->device, IPPROTO_UDP, 9, 9);
		packet_send(w->net->lan_fd, &answer);
		packet_send(w->net->lan_fd, &last);
		packet_expect_none_to(w->net->mesh_fd, &flow.client, &last);
		assert_int_equal(packets_of(d, set.list[0].source_port, NFT_ANSWER_UDP), 1);
		nft_diag_close(d);
	}
}

/* Three connections that end on their way; the one that ended says where. */
static void test_hops(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct flow flow = flow_of(v, IPPROTO_TCP);
		struct asks asks = {.flow = &flow, .interface = "lan0"};
		struct evidence e = {};
		struct packet syn, like = packet_new(v->client, v->service, IPPROTO_TCP, 1,
					   injection_other_port(&flow));
		size_t at = 0, hops = 0;

		asks_hops(&asks, 0);
		assert_int_equal(asks.n, ASKS_HOPS);
		packet_expect(w->net->lan_fd, &like, &syn);
		struct packet own = syn;
		struct packet error = packet_new(v->router, v->service, v->icmp, 0, v->expired);
		error.to = own.from;
		error.about = &own;
		packet_send(w->net->lan_fd, &error);
		for (unsigned i = 0; i < 100 && hops == 0; i++) {
			evidence_clear(&e);
			at = 0;
			asks_check(&asks, 1000);
			asks_tell(&asks, &e);
			for (const struct fact *f; (f = evidence_next(&e, FACT_PROBE, &at));)
				hops += f->probe.outcome == OUTCOME_ERROR;
		}
		assert_int_equal(hops, 1);
		at = 0;
		int64_t ttl = 0;
		for (const struct fact *f; (f = evidence_next(&e, FACT_PROBE, &at));) {
			assert_int_equal(f->probe.probe, PROBE_OWN_HOP);
			assert_int_equal(f->probe.ttl, ++ttl);
			if (f->probe.outcome != OUTCOME_ERROR)
				continue;
			struct addr router = netns_addr(v->router);
			assert_int_equal(addr_cmp(&f->probe.sender, &router), 0);
			assert_int_equal(f->probe.icmp_type, v->expired >> 8);
		}
		evidence_clear(&e);
		asks_clear(&asks);
	}
}

/* A closed port is the target's own word; whoever else speaks, or says something else, filters. */
static void test_refusals(void **state)
{
	static const struct {
		bool six, router;
		uint8_t type, code;
		enum fact_outcome outcome;
	} cases[] = {
		{false, false, 3, 3, OUTCOME_REFUSED},
		{false, false, 3, 2, OUTCOME_REFUSED},
		{false, false, 3, 13, OUTCOME_ERROR},
		{false, true, 3, 3, OUTCOME_ERROR},
		{true, false, 1, 4, OUTCOME_REFUSED},
		{true, false, 1, 1, OUTCOME_ERROR},
		{true, true, 1, 4, OUTCOME_ERROR},
	};
	struct nft_world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct version *v = &versions[cases[i].six];
		struct own_target target = {.probe = PROBE_OWN,
			.proto = IPPROTO_UDP,
			.address = netns_addr(v->service),
			.port = PORT,
			.interface = "lan0"};
		struct evidence e = {};
		struct packet out, like = packet_new(v->client, v->service, IPPROTO_UDP, 1, PORT);
		struct own_probe *p = own_probe_new(&target, 0);
		size_t at = 0;

		packet_expect(w->net->lan_fd, &like, &out);
		struct packet error = packet_new(cases[i].router ? v->router : v->service,
			v->service, v->icmp, 0, (uint16_t)(cases[i].type << 8 | cases[i].code));
		error.to = out.from;
		error.about = &out;
		packet_send(w->net->lan_fd, &error);
		own_probe_check(p, 1000);
		own_probe_tell(p, &e);
		const struct fact *f = evidence_next(&e, FACT_PROBE, &at);
		print_message("%d/%d\n", cases[i].type, cases[i].code);
		assert_int_equal(f->probe.outcome, cases[i].outcome);
		assert_int_equal(f->probe.icmp_code, cases[i].code);
		own_probe_free(p);
		evidence_clear(&e);
	}
}

/* A BGP session would take it for its neighbour's. */
static void test_bgp(void **)
{
	struct flow flow = flow_of(&versions[0], IPPROTO_TCP);
	struct asks asks;

	flow.port = 179;
	asks_begin(&asks, &flow, "lan0", 0);
	for (size_t i = 0; i < asks.n; i++) {
		struct evidence e = {};
		size_t at = 0;
		own_probe_tell(asks.own[i], &e);
		const struct fact *f = evidence_next(&e, FACT_PROBE, &at);
		assert_true(!f || f->probe.port != 179);
		evidence_clear(&e);
	}
	size_t n = asks.n;
	asks_hops(&asks, 0);
	assert_int_equal(asks.n, n);
	asks_clear(&asks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_range, nft_world_setup, nft_world_teardown),
		cmocka_unit_test_setup_teardown(
			test_range_datagram, nft_world_setup, nft_world_teardown),
		cmocka_unit_test_setup_teardown(test_hops, nft_world_setup, nft_world_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, nft_world_setup, nft_world_teardown),
		cmocka_unit_test_setup_teardown(test_bgp, nft_world_setup, nft_world_teardown),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
