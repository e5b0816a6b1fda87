/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that this host begins itself (diagnose/outgoing.h), on a real kernel: the test is
 * the LAN at the other end of lan0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/outgoing.h"
#include "nft_world.h"
#include "packet.h"
#include "verdict/verdict.h"
#include <linux/rtnetlink.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint16_t PORT = 3000;
constexpr uint64_t LIMIT_US = 4'000'000;

static const char text[] = "mesh: {interface: mesh0}\n"
			   "lan: [{interface: lan0, networks: [10.0.1.0/24]}]\n";

/* What the target says to a SYN for the port that is meant, and to all else. */
enum says { NOTHING, TAKES, REFUSES, PROHIBITS };

struct scene {
	sd_event *event;
	int lan;
	enum says port, rest;
	struct evidence e;
};

static void say(const struct scene *s, const struct packet *heard, enum says what)
{
	struct packet answer = packet_reply(heard);

	if (what == NOTHING)
		return;
	answer.ack = heard->seq + 1;
	if (what == REFUSES)
		answer.tcp_flags = TH_RST | TH_ACK;
	if (what == PROHIBITS)
		answer = (struct packet){.from = netns_addr("10.0.1.1"),
			.to = heard->from,
			.proto = IPPROTO_ICMP,
			.dport = ICMP_DEST_UNREACH << 8 | ICMP_PKT_FILTERED,
			.about = heard};
	packet_send(s->lan, &answer);
}

static int on_packet(sd_event_source *, int, uint32_t, void *userdata)
{
	const struct scene *s = userdata;
	struct packet heard;

	while (packet_come(s->lan, &heard))
		if (heard.proto == IPPROTO_TCP && heard.tcp_flags == TH_SYN)
			say(s, &heard, heard.dport == PORT ? s->port : s->rest);
	return 0;
}

static void on_tell(void *, struct evidence *)
{
}

static void on_done(void *arg, struct evidence *e)
{
	struct scene *s = arg;

	s->e = *e;
	*e = (struct evidence){};
	(void)sd_event_exit(s->event, 0);
}

static void look(struct scene *s, struct verdict *out)
{
	struct config_diags diags = {};
	struct config *config;
	struct outgoing *o;

	assert_true(sd_event_new(&s->event) >= 0);
	assert_true(sd_event_add_io(s->event, nullptr, s->lan, EPOLLIN, on_packet, s) >= 0);
	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	config_diags_clear(&diags);
	struct diagnose_options options = {.flow = {.proto = IPPROTO_TCP,
						   .target = netns_addr("10.0.1.50"),
						   .port = PORT,
						   .from = FLOW_FROM_GATEWAY},
		.limit_us = LIMIT_US,
		.config = config,
		.probe_socket = "/nonexistent",
		.tell = on_tell,
		.done = on_done,
		.arg = s};
	assert_int_equal(outgoing_start(s->event, &options, &o), 0);
	assert_int_equal(sd_event_loop(s->event), 0);
	sd_event_unref(s->event);
	config_free(config);
	verdict_decide(&s->e, out);
}

#define CHAIN(hook, rule)                                                                        \
	"add table inet site; add chain inet site c { type filter hook " hook " priority 0; }; " \
	"add rule inet site c " rule

static const struct {
	const char *name;
	enum says port, rest;
	const char *filter; /* of somebody here */
	enum code code;
	enum confidence confidence;
} cases[] = {
	{"well", TAKES, REFUSES, nullptr, CODE_HEALTHY, CONFIDENCE_CERTAIN},
	{"closed", REFUSES, REFUSES, nullptr, CODE_SERVICE_PORT_CLOSED, CONFIDENCE_CERTAIN},
	{"a router prohibits it", PROHIBITS, NOTHING, nullptr, CODE_UPSTREAM_ADMIN_PROHIBITED,
		CONFIDENCE_CERTAIN},
	{"its firewall drops", NOTHING, REFUSES, nullptr, CODE_SERVICE_SILENT_DROP,
		CONFIDENCE_UNDETERMINED},
	{"silence", NOTHING, NOTHING, nullptr, CODE_UPSTREAM_SILENT, CONFIDENCE_UNDETERMINED},
	{"dropped on the way out", TAKES, REFUSES, CHAIN("output", "tcp dport 3000 drop"),
		CODE_FILTER_DROP_OUTPUT, CONFIDENCE_CERTAIN},
	{"refused on the way out", TAKES, REFUSES,
		CHAIN("output", "tcp dport 3000 reject with tcp reset"), CODE_FILTER_DROP_OUTPUT,
		CONFIDENCE_CERTAIN},
	{"dropped late", TAKES, REFUSES, CHAIN("postrouting", "tcp dport 3000 drop"),
		CODE_FILTER_DROP_POSTROUTING, CONFIDENCE_CERTAIN},
	{"answers are dropped", TAKES, REFUSES, CHAIN("input", "tcp sport 3000 drop"),
		CODE_FILTER_DROP_INPUT, CONFIDENCE_CERTAIN},
};

static void test_causes(void **state)
{
	struct nft_world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene s = {
			.lan = w->net->lan_fd, .port = cases[i].port, .rest = cases[i].rest};
		struct verdict v;

		print_message("%s\n", cases[i].name);
		assert_true(!cases[i].filter || nft_world_tool(cases[i].filter));
		look(&s, &v);
		if (cases[i].filter)
			assert_true(nft_world_tool("delete table inet site"));
		assert_string_equal(code_str(v.code), code_str(cases[i].code));
		assert_int_equal(v.confidence, cases[i].confidence);
		/* The address is this host's own, and nothing of the diagnosis remains. */
		assert_int_equal(addr_cmp(&s.e.flow.client, &(struct addr){}) != 0, true);
		assert_false(nft_world_tool("list table inet meshgw_diag_1"));
		evidence_clear(&s.e);
	}
}

static void test_routes(void **state)
{
	struct nft_world *w = *state;
	struct route r = {.dst = netns_prefix("10.0.1.50/32"), .type = RTN_BLACKHOLE};
	struct scene s = {.lan = w->net->lan_fd, .port = TAKES, .rest = REFUSES};
	struct verdict v;

	assert_int_equal(netns_route(w->net, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	look(&s, &v);
	assert_string_equal(code_str(v.code), "route-blackhole");
	assert_int_equal(s.e.flow.client.family, AF_UNSPEC);
	evidence_clear(&s.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_causes, nft_world_setup, nft_world_teardown),
		cmocka_unit_test_setup_teardown(test_routes, nft_world_setup, nft_world_teardown),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
