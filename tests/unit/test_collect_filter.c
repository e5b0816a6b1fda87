/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What filters said and what came back, as facts: outcomes by what a diagnosis counted, and chains
 * and traces of a real kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/collect.h"
#include "diagnose/collect_answer.h"
#include "diagnose/collect_filter.h"
#include "lib/marks.h"
#include "net/nl.h"
#include "nft/diag.h"
#include "nft_world.h"
#include "packet.h"
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CLIENT "100.64.0.7"
#define SERVICE "10.0.1.50"
#define ROUTER "10.0.1.1"

constexpr uint16_t PORT = 3000;

static struct evidence evidence_of(uint8_t proto)
{
	struct evidence e = {
		.flow = {.proto = proto,
			.client = netns_addr(CLIENT),
			.target = netns_addr(SERVICE),
			.port = PORT},
		.mesh = "mesh0",
		.lan = "lan0",
	};
	return e;
}

static const struct fact_probe *probe_of(const struct evidence *e, enum fact_probe_name name)
{
	size_t at = 0;

	for (const struct fact *f; (f = evidence_next(e, FACT_PROBE, &at));)
		if (f->probe.probe == name)
			return &f->probe;
	fail_msg("no probe %d", name);
}

static size_t count(const struct evidence *e, enum fact_kind kind)
{
	size_t at = 0, n = 0;

	while (evidence_next(e, kind, &at))
		n++;
	return n;
}

/* ---- outcomes ---- */

enum { ANY_SYN_ACK = TH_SYN | TH_ACK, A_RST = TH_RST | TH_ACK };

static struct nft_answer answer(
	enum nft_answer_kind kind, uint16_t mine, const char *from, const char *oif)
{
	struct nft_answer a = {.kind = kind, .mine = mine, .from = netns_addr(from), .packets = 1};

	snprintf(a.oif, sizeof(a.oif), "%s", oif);
	return a;
}

static void test_outcomes(void **state)
{
	static const struct {
		enum nft_answer_kind kind;
		const char *from, *oif;
		uint8_t flags, type, code;
		bool own, own_target;
		enum fact_outcome want;
		size_t packets, errors;
	} cases[] = {
		{NFT_ANSWER_TCP, SERVICE, "mesh0", ANY_SYN_ACK, .want = OUTCOME_ANSWERED,
			.packets = 1},
		{NFT_ANSWER_TCP, SERVICE, "mesh0", A_RST, .want = OUTCOME_REFUSED, .packets = 1},
		{NFT_ANSWER_TCP, SERVICE, "lan0", ANY_SYN_ACK, .want = OUTCOME_ASTRAY,
			.packets = 1},
		{NFT_ANSWER_TCP_ERROR, ROUTER, "mesh0", .type = 3, .code = 1, .want = OUTCOME_ERROR,
			.errors = 1},
		{NFT_ANSWER_TCP_ERROR, ROUTER, "mesh0", .type = 3, .code = 3, .want = OUTCOME_ERROR,
			.errors = 1},
		{NFT_ANSWER_TCP_ERROR, SERVICE, "mesh0", .type = 3, .code = 3,
			.want = OUTCOME_REFUSED, .errors = 1},
		{NFT_ANSWER_TCP_ERROR, "10.0.1.11", "mesh0", .type = 3, .code = 13, .own = true,
			.want = OUTCOME_LOCAL, .errors = 1},
		/* A filter of this host speaks in the service's name … */
		{NFT_ANSWER_TCP, SERVICE, "mesh0", A_RST, .own = true, .want = OUTCOME_LOCAL},
		/* … or it is the service. */
		{NFT_ANSWER_TCP, SERVICE, "mesh0", A_RST, .own = true, .own_target = true,
			.want = OUTCOME_REFUSED, .packets = 1},
		/* Of another protocol than was spoken. */
		{NFT_ANSWER_UDP, SERVICE, "mesh0", .want = OUTCOME_SILENT},
		{NFT_ANSWER_ECHO_ERROR, ROUTER, "mesh0", .type = 3, .want = OUTCOME_SILENT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct evidence e = evidence_of(IPPROTO_TCP);
		struct injections set;
		injections_plan(&e.flow, (uint32_t)i, &set);
		struct collect_sent sent = {&set, 1};
		struct nft_answer a = answer(
			cases[i].kind, set.list[0].source_port, cases[i].from, cases[i].oif);

		a.flags = cases[i].flags;
		a.type = cases[i].type;
		a.code = cases[i].code;
		a.own = cases[i].own;
		collect_answers(&sent, &a, 1, cases[i].own_target, &e);
		assert_int_equal(count(&e, FACT_PROBE), 1);
		const struct fact_probe *p = probe_of(&e, PROBE_INJECTED);
		bool answered = cases[i].want == OUTCOME_ANSWERED ||
				cases[i].want == OUTCOME_REFUSED;
		assert_int_equal(p->outcome, cases[i].want);
		assert_int_equal(p->sent, 1);
		assert_int_equal(p->answered, answered);
		assert_int_equal(count(&e, FACT_PACKET), cases[i].packets);
		assert_int_equal(count(&e, FACT_ICMP), cases[i].errors);
		evidence_clear(&e);
	}
}

/* A tunnel that got the packet back refuses it in anybody's name. */
static void test_errors_of_the_tunnel(void **state)
{
	static const struct {
		enum fact_question question;
		int64_t error;
		const char *oif;
		enum fact_point want;
	} cases[] = {
		{ASK_FORWARD, 0, "lan0", POINT_LAN_IN},
		{ASK_FORWARD, 0, "mesh0", POINT_TUN_IN},
		{ASK_FORWARD, 101, "mesh0", POINT_LAN_IN},
		{ASK_REVERSE, 0, "mesh0", POINT_LAN_IN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct evidence e = evidence_of(IPPROTO_TCP);
		struct injections set;
		struct fact_lookup *l = &evidence_add(&e, FACT_LOOKUP)->lookup;
		l->question = cases[i].question;
		l->error = cases[i].error;
		snprintf(l->oif, sizeof(l->oif), "%s", cases[i].oif);
		injections_plan(&e.flow, 0, &set);
		struct nft_answer a = answer(
			NFT_ANSWER_TCP_ERROR, set.list[0].source_port, SERVICE, "mesh0");
		a.type = 3;
		a.code = 13;
		collect_answers(&(struct collect_sent){&set, 1}, &a, 1, false, &e);
		size_t at = 0;
		const struct fact *f = evidence_next(&e, FACT_ICMP, &at);
		assert_non_null(f);
		assert_int_equal(f->icmp.point, cases[i].want);
		evidence_clear(&e);
	}
}

/* All attempts of one kind are one probe; the best outcome counts; what was not sent is not told.
 */
static void test_attempts(void **state)
{
	struct evidence e = evidence_of(IPPROTO_TCP);
	struct injections set;
	struct nft_answer list[3];

	(void)state;
	injections_plan(&e.flow, 7, &set);
	const struct injection *first = &set.list[0], *last = first;
	uint32_t sent = 0;
	for (size_t i = 0; i < set.n; i++) {
		if (set.list[i].probe == PROBE_INJECTED)
			last = &set.list[i];
		if (set.list[i].probe != PROBE_INJECTED_ECHO)
			sent |= 1U << i;
	}
	list[0] = answer(NFT_ANSWER_TCP_ERROR, first->source_port, ROUTER, "mesh0");
	list[0].type = 3;
	list[1] = answer(NFT_ANSWER_TCP, last->source_port, SERVICE, "mesh0");
	list[1].flags = ANY_SYN_ACK;
	list[1].packets = 3;
	list[2] = answer(NFT_ANSWER_TCP, 1, SERVICE, "mesh0"); /* not ours */
	collect_answers(&(struct collect_sent){&set, sent}, list, 3, false, &e);

	const struct fact_probe *p = probe_of(&e, PROBE_INJECTED);
	assert_int_equal(p->outcome, OUTCOME_ANSWERED);
	assert_true(p->sent > 1);
	assert_int_equal(p->answered, 1);
	assert_int_equal(p->port, PORT);
	assert_int_equal(p->ttl, -1);
	assert_int_equal(p->sender.family, AF_UNSPEC);
	assert_int_equal(probe_of(&e, PROBE_INJECTED_OTHER)->outcome, OUTCOME_SILENT);
	assert_true(probe_of(&e, PROBE_HOP)->ttl > 0);
	size_t at = 0, hops = 0;
	for (const struct fact *f; (f = evidence_next(&e, FACT_PROBE, &at));) {
		assert_int_not_equal(f->probe.probe, PROBE_INJECTED_ECHO);
		hops += f->probe.probe == PROBE_HOP;
	}
	assert_true(hops > 1);
	at = 0;
	const struct fact *f = evidence_next(&e, FACT_PACKET, &at);
	assert_int_equal(f->packet.count, 3);
	assert_int_equal(f->packet.packet, PACKET_SYN_ACK);
	assert_int_equal(f->packet.point, POINT_TUN_OUT);
	assert_false(f->packet.to_target);
	assert_null(evidence_next(&e, FACT_PACKET, &at));
	evidence_clear(&e);
}

/* Two facts about drops by rules: what ended here is taken from both together, once. */
static void test_forget(void **state)
{
	static const struct {
		const char *function;
		bool to_target;
		int64_t before, left;
	} cases[] = {
		{"nft_do_chain", false, 2, 0},
		{"nft_do_chain", false, 4, 3},
		{"nft_do_chain", true, 2, 2},
		{"nf_hook_slow", false, 2, 2},
	};
	struct evidence e = evidence_of(IPPROTO_TCP);
	struct injections set;
	int64_t left = 0;
	size_t at = 0;

	(void)state;
	injections_plan(&e.flow, 7, &set);
	struct nft_answer a = answer(NFT_ANSWER_TCP, set.list[0].source_port, SERVICE, "mesh0");
	a.packets = 3;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fact_drop *f = &evidence_add(&e, FACT_DROP)->drop;
		f->origin = ORIGIN_INJECTED;
		f->to_target = cases[i].to_target;
		f->count = cases[i].before;
		snprintf(f->reason, sizeof(f->reason), "NETFILTER_DROP");
		snprintf(f->function, sizeof(f->function), "%s", cases[i].function);
		left += cases[i].left;
	}
	collect_forget_ended(&set, &a, 1, &e);
	assert_int_equal(count(&e, FACT_DROP), 3);
	for (const struct fact *f; (f = evidence_next(&e, FACT_DROP, &at));)
		left -= f->drop.count;
	assert_int_equal(left, 0);
	evidence_clear(&e);
}

/* ---- a real kernel ---- */

static const char text[] = "mesh:\n"
			   "  interface: mesh0\n"
			   "  ranges:\n"
			   "    workers: [100.64.0.0/12]\n"
			   "lan:\n"
			   "  - interface: lan0\n"
			   "    networks: [10.0.1.0/24]\n";

struct world {
	struct nft_world *w;
	struct config *config;
	struct evidence e;
	struct collect_scope scope;
	struct injections set;
	struct nft_trace *trace;
	struct nft_diag *diag;
	struct nft_ways ways;
	struct nft_ruleset rules;
};

static void begin(struct world *g, void *nft_world)
{
	struct config_diags diags = {};
	struct err err = {};

	*g = (struct world){.w = nft_world, .e = evidence_of(IPPROTO_TCP)};
	assert_int_equal(config_parse(text, sizeof(text) - 1, &g->config, &diags), 0);
	config_diags_clear(&diags);
	injections_plan(&g->e.flow, 1, &g->set);
	struct nft_diag_ask ask = {
		.client = g->e.flow.client,
		.target = g->e.flow.target,
		.proto = IPPROTO_TCP,
		.port = PORT,
		.unused = true,
		.mine_first = g->set.first_port,
		.mine_last = g->set.last_port,
		.ranges = &g->config->ranges[0].prefix,
		.n_ranges = 1,
		.mesh_interface = "mesh0",
	};
	if (collect_scope_init(&g->scope, g->w->net->nl, g->config, &g->e.flow, &err) < 0 ||
		nft_trace_open(&g->trace, &err) < 0 || nft_diag_open(&ask, &g->diag, &err) < 0)
		fail_msg("%s", err.msg);
}

static void end(struct world *g)
{
	nft_trace_close(g->trace);
	nft_diag_close(g->diag);
	nft_ways_clear(&g->ways);
	nft_ruleset_clear(&g->rules);
	collect_scope_clear(&g->scope);
	evidence_clear(&g->e);
	config_free(g->config);
}

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* Until the kernel has told of so many packets that were dropped. */
static void await_drops(struct world *g, size_t n)
{
	struct pollfd fd = {.fd = nft_trace_fd(g->trace), .events = POLLIN};

	for (size_t seen = 0; seen < n;) {
		assert_int_equal(poll(&fd, 1, 2000), 1);
		assert_true(nft_trace_read(g->trace, 100, nft_ways_add, &g->ways) >= 0);
		seen = 0;
		for (size_t i = 0; i < g->ways.n; i++)
			seen += g->ways.list[i].fate == NFT_FATE_DROPPED;
	}
}

static const struct fact_chain *chain_of(const struct evidence *e, const char *chain)
{
	size_t at = 0;

	for (const struct fact *f; (f = evidence_next(e, FACT_CHAIN, &at));)
		if (!strcmp(f->chain.chain, chain))
			return &f->chain;
	fail_msg("no chain %s", chain);
}

static void test_trace(void **state)
{
	struct nft_world *w = *state;
	struct world g;
	struct packet syn, real = packet_new("100.64.9.9", SERVICE, IPPROTO_TCP, 4711, PORT);
	size_t at = 0, n = 0;

	shell("iptables -P FORWARD DROP; iptables -N ufw-before-forward;"
	      "iptables -A FORWARD -j ufw-before-forward;"
	      "iptables -A ufw-before-forward -s 100.64.0.7 -p tcp -j REJECT;"
	      "iptables -t nat -A POSTROUTING -o lan0 -j MASQUERADE");
	begin(&g, w);
	for (size_t i = 0; i < g.set.n; i++) {
		if (g.set.list[i].probe != PROBE_INJECTED || n == 2)
			continue;
		n++;
		syn = packet_new(CLIENT, SERVICE, IPPROTO_TCP, g.set.list[i].source_port, PORT);
		packet_send(w->net->mesh_fd, &syn);
	}
	packet_send(w->net->mesh_fd, &real);
	await_drops(&g, 3);
	collect_chains(&g.scope, w->nl, &g.rules, &g.e);
	collect_traces(&g.scope, w->nl, &g.rules, &g.set, &g.ways, &g.e);

	const struct fact_chain *c = chain_of(&g.e, "FORWARD");
	assert_string_equal(c->family, "ip");
	assert_string_equal(c->policy, "drop");
	assert_string_equal(c->by, "ufw");
	assert_false(c->nat_source);
	assert_true(chain_of(&g.e, "POSTROUTING")->nat_source);
	for (const struct fact *f; (f = evidence_next(&g.e, FACT_CHAIN, &at));)
		assert_null(strstr(f->chain.table, NFT_DIAG_TABLE));

	assert_int_equal(count(&g.e, FACT_TRACE), 2);
	at = 0;
	for (const struct fact *f; (f = evidence_next(&g.e, FACT_TRACE, &at));) {
		const struct fact_trace *t = &f->trace;
		bool injected = t->origin == ORIGIN_INJECTED;
		assert_true(t->to_target);
		assert_string_equal(t->hook, "forward");
		assert_int_equal(t->priority, 0);
		assert_string_equal(t->by, "ufw");
		assert_string_equal(t->chain, injected ? "ufw-before-forward" : "FORWARD");
		assert_string_equal(t->verdict, injected ? "reject" : "policy drop");
		assert_int_equal(t->handle > 0, injected);
		assert_int_equal(strstr(t->rule, "xt target REJECT") != nullptr, injected);
		assert_int_equal(t->origin, injected ? ORIGIN_INJECTED : ORIGIN_REAL);
	}
	end(&g);
}

/* Answers: counted as such, and what passed everybody is told as accepted. */
static void test_arrival(void **state)
{
	struct nft_world *w = *state;
	struct world g;
	struct nft_answer list[16];
	struct err err = {};
	struct packet got;

	shell("nft add table inet f; nft 'add chain inet f fw { type filter hook forward priority "
	      "0; }'");
	begin(&g, w);
	struct packet syn = packet_new(
		CLIENT, SERVICE, IPPROTO_TCP, g.set.list[0].source_port, PORT);
	struct packet back = packet_reply(&syn);
	packet_send(w->net->mesh_fd, &syn);
	packet_expect(w->net->lan_fd, &syn, &got);
	packet_send(w->net->lan_fd, &back);
	packet_expect(w->net->lan_fd, &syn, &got); /* the RST */
	int n = nft_diag_read(g.diag, list, COUNT(list), &err);
	assert_int_equal(n, 1);
	assert_true(nft_trace_read(g.trace, 1000, nft_ways_add, &g.ways) > 0);
	collect_chains(&g.scope, w->nl, &g.rules, &g.e);
	collect_traces(&g.scope, w->nl, &g.rules, &g.set, &g.ways, &g.e);
	collect_answers(&(struct collect_sent){&g.set, 1}, list, (size_t)n, false, &g.e);
	assert_int_equal(probe_of(&g.e, PROBE_INJECTED)->outcome, OUTCOME_ANSWERED);
	assert_int_equal(count(&g.e, FACT_TRACE), 2);
	size_t at = 0;
	for (const struct fact *f; (f = evidence_next(&g.e, FACT_TRACE, &at));) {
		assert_int_equal(f->trace.origin, ORIGIN_INJECTED);
		assert_string_equal(f->trace.verdict, "accept");
		assert_string_equal(f->trace.hook, "forward");
		assert_int_equal(f->trace.handle, -1);
	}
	end(&g);
}

/* Packets of others that anybody traces say nothing about the flow. */
static void test_strangers(void **state)
{
	static const struct {
		const char *from, *to;
		uint8_t proto;
		uint16_t sport, dport;
		bool local;
		enum fact_origin want; /* ORIGINS = no fact */
		bool to_target, forwarded, probe;
	} cases[] = {
		/* One of meshgw's probes of the way back. */
		{SERVICE, CLIENT, IPPROTO_TCP, PORT, 4711, false, ORIGINS, false, true, true},
		/* Answers behind source NAT. */
		{SERVICE, "10.0.1.11", IPPROTO_TCP, PORT, 4711, false, ORIGIN_REAL, false, true,
			false},
		{"100.64.9.9", SERVICE, IPPROTO_TCP, 4711, PORT, false, ORIGIN_REAL, true, false,
			false},
		{SERVICE, "100.64.9.9", IPPROTO_TCP, PORT, 4711, false, ORIGIN_REAL, false, false,
			false},
		{SERVICE, "10.0.1.11", IPPROTO_TCP, PORT, 4711, false, ORIGIN_OWN, false, false,
			false},
		{"10.0.1.11", SERVICE, IPPROTO_TCP, 4711, PORT, true, ORIGIN_OWN, true, false,
			false},
		{ROUTER, CLIENT, IPPROTO_ICMP, 0, 0, false, ORIGIN_ASIDE, false, false, false},
		{"100.64.9.9", SERVICE, IPPROTO_TCP, 4711, 22, false, ORIGINS, true, false, false},
		{"100.64.9.9", SERVICE, IPPROTO_UDP, 4711, PORT, false, ORIGINS, true, false,
			false},
		{SERVICE, "100.64.9.9", IPPROTO_TCP, 22, 4711, false, ORIGINS, false, false, false},
		{"10.0.1.77", "10.0.1.78", IPPROTO_TCP, 4711, PORT, false, ORIGINS, false, false,
			false},
		{ROUTER, "10.0.1.78", IPPROTO_ICMP, 0, 0, false, ORIGINS, false, false, false},
	};
	struct nft_world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nft_way way = {
			.packet = {.from = netns_addr(cases[i].from),
				.to = netns_addr(cases[i].to),
				.proto = cases[i].proto,
				.sport = cases[i].sport,
				.dport = cases[i].dport},
			.last = {.table = "t", .chain = "c", .type = NFT_STEP_POLICY},
			.fate = NFT_FATE_DROPPED,
			.local = cases[i].local,
		};
		struct nft_base_chain base = {.table = "t", .chain = "c", .hook = "prerouting"};
		struct nft_ways ways = {.list = &way, .n = 1};
		const struct nft_ruleset rules = {.chains = &base, .n = 1};
		struct world g;

		way.base = way.last;
		if (cases[i].probe) {
			snprintf(way.last.table, sizeof(way.last.table), MARK_NFT_TABLE);
			snprintf(way.last.chain, sizeof(way.last.chain), "probe_end");
		}
		if (cases[i].forwarded)
			snprintf(base.hook, sizeof(base.hook), "forward");
		base.by = "";
		begin(&g, w);
		collect_traces(&g.scope, w->nl, &rules, &g.set, &ways, &g.e);
		assert_int_equal(g.e.n, cases[i].want != ORIGINS);
		if (g.e.n) {
			assert_int_equal(g.e.facts[0].trace.origin, cases[i].want);
			assert_int_equal(g.e.facts[0].trace.to_target, cases[i].to_target);
		}
		end(&g);
	}
}

/* Others write while it runs: what packets of the mesh may meet counts, and this diagnosis' own
 * table does not. */
static void test_changed(void **)
{
	static const struct {
		const char *name, *command;
		bool changed;
	} cases[] = {
		{"nothing", "true", false},
		{"a filter of input",
			"nft add chain inet t i '{ type filter hook input priority 0; }'", false},
		{"a set", "nft 'add set inet t s { type mark; }; add element inet t s { 7 }'",
			false},
		{"a filter", "nft add chain inet t f '{ type filter hook forward priority 0; }'",
			true},
		{"its policy", "nft chain inet t f '{ policy drop; }'", true},
		{"a blackhole", "ip route add blackhole " SERVICE, true},
	};
	struct config_diags diags = {};
	struct config *config;

	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	config_diags_clear(&diags);
	shell("nft add table inet t");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct evidence e = evidence_of(IPPROTO_TCP);
		struct injections set;
		print_message("%s\n", cases[i].name);
		injections_plan(&e.flow, (uint32_t)i, &set);
		const struct collect_options options = {.config = config, .injections = &set};
		struct collect *c = collect_begin(&options, &e);
		shell(cases[i].command);
		collect_end(c, 0, &e);
		assert_int_equal(e.changed, cases[i].changed);
		collect_free(c);
		evidence_clear(&e);
	}
	config_free(config);
}

static bool asks_conntrack(void)
{
	return nft_world_tool("list chain inet " NFT_DIAG_TABLE "1 enter_ct");
}

/* Entries outlive the last rule that asked for them. One of a flow that was translated stands in
 * the way of what now comes back untranslated, as soon as conntrack is awake again: the diagnosis
 * must not wake it. */
static void test_conntrack_sleeps_on(void **state)
{
	struct nft_world *w = *state;
	struct config_diags diags = {};
	struct config *config;
	struct injections set;
	struct packet got, live = packet_new(SERVICE, CLIENT, IPPROTO_TCP, PORT, 40000);
	struct packet syn = packet_new(CLIENT, SERVICE, IPPROTO_TCP, 40000, PORT);
	const struct packet there = {.to = syn.to, .proto = IPPROTO_TCP, .dport = PORT};

	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	shell("nft 'add table ip nat; "
	      "add chain ip nat post { type nat hook postrouting priority 100; }; "
	      "add rule ip nat post masquerade'");
	packet_send(w->net->mesh_fd, &syn);
	packet_expect(w->net->lan_fd, &there, &got);
	assert_int_not_equal(addr_cmp(&got.from, &syn.from), 0);
	live.tcp_flags = TH_ACK;
	for (int translated = 1; translated >= 0; translated--) {
		struct evidence e = evidence_of(IPPROTO_TCP);
		injections_plan(&e.flow, 7, &set);
		const struct collect_options options = {.config = config, .injections = &set};
		struct collect *c = collect_begin(&options, &e);
		assert_int_equal(asks_conntrack(), translated);
		if (translated) {
			shell("nft delete table ip nat");
		} else {
			packet_send(w->net->lan_fd, &live);
			packet_expect(w->net->mesh_fd, &live, &got);
		}
		collect_end(c, 0, &e);
		collect_free(c);
		evidence_clear(&e);
	}
	config_free(config);
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_errors_of_the_tunnel),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_forget),
		KERNEL_TEST(test_trace),
		KERNEL_TEST(test_arrival),
		KERNEL_TEST(test_strangers),
		KERNEL_TEST(test_changed),
		KERNEL_TEST(test_conntrack_sleeps_on),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
