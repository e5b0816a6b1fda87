/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sightings into facts: whose a packet is, what counts as one fact, and that nothing grows without
 * bound. Packets are written by trace/build.c and bent here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "trace/calls.h"
#include "trace/gather.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CLIENT "100.64.12.189"
#define WORKER "100.64.0.7"
#define GATEWAY "10.0.1.11"
#define TARGET "10.0.1.50"
#define ROUTER "10.0.1.1"

constexpr uint16_t INJECTED = 40000;
constexpr uint16_t ECHO = 40001;
constexpr uint16_t CLOSED = 40002;
constexpr uint16_t HOP = 40003;

static struct addr addr_of(const char *text)
{
	struct addr a = {};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A SYN to TARGET:3000; beside it an echo, a SYN to port 9, and one that ends at the next hop. */
static struct request make_request(void)
{
	struct request r = {.family = AF_INET,
		.proto = IPPROTO_TCP,
		.client = addr_of(CLIENT),
		.target = addr_of(TARGET),
		.own = addr_of(GATEWAY),
		.port = 3000,
		.ports = {.n = 1, .list = {45000}},
		.ranges = {.n = 1, .list = {{.addr = addr_of("100.64.0.0"), .len = 12}}},
		.mesh = "mesh0",
		.lans = {.n = 1, .list = {"lan0"}}};

	r.inject.n = 4;
	r.inject.list[0].packet = (struct build){.kind = BUILD_SYN,
		.from = r.client,
		.to = r.target,
		.sport = INJECTED,
		.dport = 3000,
		.ttl = 64};
	r.inject.list[2].packet = r.inject.list[3].packet = r.inject.list[0].packet;
	r.inject.list[2].packet.sport = CLOSED;
	r.inject.list[2].packet.dport = 9;
	r.inject.list[3].packet.sport = HOP;
	r.inject.list[3].packet.ttl = 2;
	r.inject.list[1].packet = (struct build){
		.kind = BUILD_ECHO, .from = r.client, .to = r.target, .sport = ECHO, .dport = 1};
	return r;
}

struct bytes {
	uint8_t data[BUILD_MAX];
	size_t len;
};

static struct bytes bytes_of(
	enum build_kind kind, const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	uint8_t frame[BUILD_MAX];
	struct bytes b = {};
	const struct build build = {.kind = kind,
		.from = addr_of(from),
		.to = addr_of(to),
		.sport = sport,
		.dport = dport,
		.seq = 77,
		.ttl = 64};

	b.len = build_packet(&build, frame) - BUILD_ETHERNET;
	memcpy(b.data, frame + BUILD_ETHERNET, b.len);
	return b;
}

static struct bytes syn(const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	return bytes_of(BUILD_SYN, from, sport, to, dport);
}

/* What a router says about it. */
static struct bytes error_about(
	const struct bytes *about, const char *from, uint8_t type, uint8_t code)
{
	struct bytes b = bytes_of(BUILD_ECHO, from, 0, CLIENT, 0);

	b.data[20] = type;
	b.data[21] = code;
	memset(b.data + 24, 0, 4);
	b.data[26] = 5; /* an MTU of 1280, where that is told */
	memcpy(b.data + 28, about->data, 28);
	b.len = 56;
	return b;
}

static void see(struct gather *g, const struct bytes *b, bool mesh, bool outgoing)
{
	gather_packet(g, &(struct sighting){.data = b->data,
				 .len = b->len,
				 .outgoing = outgoing,
				 .interface = mesh ? "mesh0" : "lan0",
				 .mesh = mesh});
}

/* All facts but those about calls, as a client reads them; *calls, which may be nullptr, is how
 * many of these there are. */
static size_t all_facts_of(
	struct gather *g, struct fact out[static API_TRACE_FACTS_MAX], size_t *calls)
{
	autojson sd_json_variant *v = nullptr;
	size_t n = 0;

	assert_true(gather_facts(g, &v) >= 0);
	assert_false(gather_is_changed(g));
	size_t all = sd_json_variant_elements(v);
	assert_true(all <= API_TRACE_FACTS_MAX);
	for (size_t i = 0; i < all; i++) {
		struct fact f;
		assert_int_equal(fact_from_json(sd_json_variant_by_index(v, i), &f, nullptr), 0);
		if (f.kind != FACT_CALL)
			out[n++] = f;
	}
	if (calls)
		*calls = all - n;
	return n;
}

static size_t facts_of(struct gather *g, struct fact out[static API_TRACE_FACTS_MAX])
{
	return all_facts_of(g, out, nullptr);
}

static const struct {
	const char *name, *from, *to;
	uint16_t sport, dport;
	enum build_kind kind;
	bool known, to_target;
	enum fact_origin origin;
} cases[] = {
	{"injected", CLIENT, TARGET, INJECTED, 3000, BUILD_SYN, true, true, ORIGIN_INJECTED},
	{"its answer", TARGET, CLIENT, 3000, INJECTED, BUILD_SYN, true, false, ORIGIN_INJECTED},
	{"behind source NAT", GATEWAY, TARGET, INJECTED, 3000, BUILD_SYN, true, true,
		ORIGIN_INJECTED},
	{"behind another's NAT", "192.0.2.1", TARGET, INJECTED, 3000, BUILD_SYN, true, true,
		ORIGIN_INJECTED},
	{"to another target", CLIENT, "10.9.9.9", INJECTED, 80, BUILD_SYN, true, true,
		ORIGIN_INJECTED},
	{"sent by the daemon for the client", CLIENT, TARGET, 45000, 3000, BUILD_SYN, true, true,
		ORIGIN_INJECTED},
	{"the client's own", CLIENT, TARGET, 50000, 3000, BUILD_SYN, true, true, ORIGIN_REAL},
	{"a Worker's", WORKER, TARGET, 50001, 3000, BUILD_SYN, true, true, ORIGIN_REAL},
	{"a Worker's, with our port", WORKER, TARGET, INJECTED, 3000, BUILD_SYN, true, true,
		ORIGIN_REAL},
	{"a Worker's answer", TARGET, WORKER, 3000, 50001, BUILD_SYN, true, false, ORIGIN_REAL},
	{"the gateway's", GATEWAY, TARGET, 50002, 3000, BUILD_SYN, true, true, ORIGIN_OWN},
	{"injected echo", CLIENT, TARGET, ECHO, 1, BUILD_ECHO, true, true, ORIGIN_ASIDE},
	{"to another port", CLIENT, TARGET, CLOSED, 9, BUILD_SYN, true, true, ORIGIN_ASIDE},
	{"its answer", TARGET, CLIENT, 9, CLOSED, BUILD_SYN, true, false, ORIGIN_ASIDE},
	{"with a small TTL", CLIENT, TARGET, HOP, 3000, BUILD_SYN, true, true, ORIGIN_ASIDE},
	{"another's echo", WORKER, TARGET, 7, 1, BUILD_ECHO, false, false, ORIGIN_REAL},
	{"another port", WORKER, TARGET, 50001, 443, BUILD_SYN, false, false, ORIGIN_REAL},
	{"another target", WORKER, "10.0.1.51", 50001, 3000, BUILD_SYN, false, false, ORIGIN_REAL},
	{"of no range", "10.0.1.77", TARGET, 50001, 3000, BUILD_SYN, true, true, ORIGIN_FOREIGN},
	{"answer to no range", TARGET, "10.0.1.77", 3000, 50001, BUILD_SYN, false, false,
		ORIGIN_FOREIGN},
	{"another protocol", WORKER, TARGET, 50001, 3000, BUILD_UDP, false, false, ORIGIN_REAL},
};

static void test_whose(void **)
{
	struct request r = make_request();
	struct fact facts[API_TRACE_FACTS_MAX];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gather *g = gather_new(&r);
		struct bytes b = bytes_of(
			cases[i].kind, cases[i].from, cases[i].sport, cases[i].to, cases[i].dport);
		print_message("%s\n", cases[i].name);
		see(g, &b, true, false);
		assert_int_equal(gather_is_changed(g), cases[i].known);
		size_t calls;
		assert_int_equal(all_facts_of(g, facts, &calls), cases[i].known);
		assert_int_equal(calls, cases[i].known && cases[i].origin == ORIGIN_REAL);
		if (cases[i].known) {
			assert_int_equal(facts[0].packet.origin, cases[i].origin);
			assert_int_equal(facts[0].packet.to_target, cases[i].to_target);
			assert_int_equal(facts[0].packet.point, POINT_TUN_IN);
		}
		gather_free(g);
	}
}

/* A large echo is no echo of the flow. */
static void test_large(void **)
{
	struct request r = make_request();
	struct fact facts[API_TRACE_FACTS_MAX];

	r.proto = IPPROTO_ICMP;
	r.port = 0;
	r.inject.n = 2;
	r.inject.list[0].packet = (struct build){
		.kind = BUILD_ECHO, .from = r.client, .to = r.target, .sport = ECHO, .ttl = 64};
	r.inject.list[1].packet = r.inject.list[0].packet;
	r.inject.list[1].packet.sport = ECHO + 1;
	r.inject.list[1].packet.size = 1280;
	struct gather *g = gather_new(&r);
	struct bytes small = bytes_of(BUILD_ECHO, CLIENT, ECHO, TARGET, 1);
	struct bytes large = bytes_of(BUILD_ECHO, CLIENT, ECHO + 1, TARGET, 1);
	see(g, &small, true, false);
	see(g, &large, true, false);
	assert_int_equal(facts_of(g, facts), 2);
	assert_int_equal(facts[0].packet.origin, ORIGIN_INJECTED);
	assert_int_equal(facts[1].packet.origin, ORIGIN_ASIDE);
	gather_free(g);
}

/* A flow of the mesh behind source NAT has the gateway's address, and the port it came with. */
static void test_masqueraded(void **)
{
	struct request r = make_request();
	struct gather *g = gather_new(&r);
	struct fact facts[API_TRACE_FACTS_MAX];
	struct bytes before = syn(WORKER, 50001, TARGET, 3000);
	struct bytes behind = syn(GATEWAY, 50001, TARGET, 3000);
	struct bytes own = syn(GATEWAY, 50002, TARGET, 3000);

	see(g, &before, true, false);
	see(g, &behind, false, true);
	see(g, &own, false, true);
	assert_int_equal(facts_of(g, facts), 3);
	assert_int_equal(facts[1].packet.origin, ORIGIN_REAL);
	assert_int_equal(facts[1].packet.point, POINT_LAN_OUT);
	assert_int_equal(facts[2].packet.origin, ORIGIN_OWN);
	gather_free(g);
}

/* By the LAN its neighbours call the target as they like. */
static void test_foreign(void **)
{
	struct request r = make_request();
	struct gather *g = gather_new(&r);
	struct bytes b = syn("10.0.1.77", 50001, TARGET, 3000);

	see(g, &b, false, false);
	see(g, &b, false, true);
	see(g, &b, true, true);
	gather_drop(g, &(struct dropped){.data = b.data,
			       .len = b.len,
			       .reason = "IP_INHDR",
			       .function = "ip_forward",
			       .interface = "lan0"});
	assert_false(gather_is_changed(g));
	gather_free(g);
}

static void test_counts(void **)
{
	struct request r = make_request();
	struct gather *g = gather_new(&r);
	struct fact facts[API_TRACE_FACTS_MAX];
	struct bytes b = syn(CLIENT, INJECTED, TARGET, 3000);

	see(g, &b, true, false);
	see(g, &b, true, false);
	b.data[8] = 9;   /* TTL, with its checksum no longer right */
	b.data[27] ^= 1; /* sequence number, likewise */
	see(g, &b, true, false);
	assert_int_equal(facts_of(g, facts), 2);
	assert_true(facts[0].packet.count == 2 && facts[0].packet.distinct == 1);
	assert_true(facts[0].packet.ttl_min == 64 && facts[0].packet.ttl_max == 64);
	assert_false(facts[0].packet.bad_ip_checksum || facts[0].packet.bad_l4_checksum);
	assert_true(facts[1].packet.count == 1 && facts[1].packet.distinct == 1);
	assert_true(facts[1].packet.bad_ip_checksum && facts[1].packet.bad_l4_checksum);

	/* What a network card will write, or has judged, is not judged here. */
	struct sighting s = {.data = b.data, .len = b.len, .interface = "lan0", .unfinished = true};
	gather_packet(g, &s);
	s = (struct sighting){.data = b.data, .len = b.len, .interface = "lan1", .verified = true};
	gather_packet(g, &s);
	assert_int_equal(facts_of(g, facts), 4);
	assert_false(facts[2].packet.bad_l4_checksum || facts[3].packet.bad_l4_checksum);
	gather_free(g);
}

static void test_icmp(void **)
{
	struct request r = make_request();
	struct gather *g = gather_new(&r);
	struct fact facts[API_TRACE_FACTS_MAX];
	struct bytes there = syn(CLIENT, INJECTED, TARGET, 3000);
	struct bytes back = syn(TARGET, 3000, CLIENT, INJECTED);
	struct bytes other = syn(WORKER, 50001, TARGET, 443);
	struct bytes big = error_about(&there, ROUTER, 3, 4);
	struct bytes redirect = error_about(&back, ROUTER, 5, 1);
	struct bytes ours = error_about(&there, GATEWAY, 11, 0);
	struct bytes foreign = error_about(&other, ROUTER, 3, 4);

	see(g, &big, false, false);
	see(g, &big, false, false);
	see(g, &redirect, false, false);
	see(g, &ours, true, true);
	see(g, &foreign, false, false);
	assert_int_equal(facts_of(g, facts), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(facts[i].kind, FACT_ICMP);
		assert_int_equal(facts[i].icmp.origin, ORIGIN_INJECTED);
	}
	assert_true(facts[0].icmp.count == 2 && facts[0].icmp.mtu == 1280);
	assert_true(facts[0].icmp.about_target_direction && !facts[0].icmp.own);
	assert_true(facts[1].icmp.type == 5 && facts[1].icmp.mtu == -1);
	assert_false(facts[1].icmp.about_target_direction);
	assert_true(facts[2].icmp.own && facts[2].icmp.point == POINT_TUN_OUT);
	gather_free(g);
}

static void drop(struct gather *g, const struct bytes *b, const char *reason, const char *function)
{
	gather_drop(g, &(struct dropped){.data = b->data,
			       .len = b->len,
			       .reason = reason,
			       .function = function,
			       .interface = "mesh0"});
}

static void test_drops(void **)
{
	struct request r = make_request();
	struct gather *g = gather_new(&r);
	struct fact facts[API_TRACE_FACTS_MAX];
	struct bytes ours = syn(CLIENT, INJECTED, TARGET, 3000);
	struct bytes other = syn(WORKER, 50001, TARGET, 443);

	drop(g, &ours, "NETFILTER_DROP", "nft_do_chain");
	drop(g, &ours, "NETFILTER_DROP", "nft_do_chain");
	drop(g, &ours, "NETFILTER_DROP", "nf_hook_slow");
	drop(g, &other, "NETFILTER_DROP", "nft_do_chain");
	assert_int_equal(facts_of(g, facts), 2);
	assert_true(facts[0].drop.count == 2 && facts[0].drop.to_target);
	assert_int_equal(facts[0].drop.length, 44);
	assert_string_equal(facts[1].drop.function, "nf_hook_slow");
	gather_free(g);
}

/* Whatever comes, there is room to say that there was too much. */
static void test_bounds(void **)
{
	struct request r = make_request();
	struct gather *g = gather_new(&r);
	struct fact facts[API_TRACE_FACTS_MAX];
	struct bytes b = syn(CLIENT, INJECTED, TARGET, 3000);
	size_t missing = 0;

	for (unsigned i = 0; i < 1000; i++) {
		char interface[IFNAMSIZ];
		snprintf(interface, sizeof(interface), "lan%u", i);
		gather_packet(g,
			&(struct sighting){.data = b.data, .len = b.len, .interface = interface});
	}
	for (uint16_t i = 0; i < 100; i++) {
		struct bytes real = syn(WORKER, (uint16_t)(50000 + i), TARGET, 3000);
		see(g, &real, true, false);
	}
	drop(g, &b, "NETFILTER_DROP", "nft_do_chain");
	gather_missing(g, OBSERVER_INJECTION, "no");
	gather_missing(g, OBSERVER_INJECTION, "no");
	size_t calls, n = all_facts_of(g, facts, &calls);
	assert_true(calls > 0 && calls <= CALLS_TOLD);
	for (size_t i = 0; i < n; i++)
		missing += facts[i].kind == FACT_MISSING;
	assert_int_equal(missing, 3);
	gather_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_masqueraded),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_drops),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
