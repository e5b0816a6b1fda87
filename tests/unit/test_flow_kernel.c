/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows of the mesh through a real kernel: what connection tracking tells of those that come about
 * and of those that do not, and what is made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/config.h"
#include "daemon/flow_cause.h"
#include "diagnose/glance.h"
#include "net/netconf.h"
#include "nft_world.h"
#include "packet.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

constexpr uint64_t LATER = 10'000'000;

static const char *const clients[] = {"100.64.0.5", "2606:4700:cf1:5000::5"};
static const char *const services[] = {"10.0.1.50", "2001:db8:1::50"};

struct seen {
	struct flow_track *track;
	unsigned n[3], events;
	struct flow_failure last;
};

static void on_failed(const struct flow_failure *f, void *arg)
{
	struct seen *s = arg;
	s->n[f->end]++;
	s->last = *f;
}

static void on_event(enum ct_event what, const struct ct_entry *e, void *arg)
{
	struct seen *s = arg;
	s->events++;
	flow_track_event(s->track, what, e, 1, on_failed, s);
}

/* Until so many have come, at most two seconds. */
static void read_events(struct ct_events *c, struct seen *s, unsigned n)
{
	for (unsigned i = 0; i < 2000 && s->events < n; i++) {
		assert_true(ct_events_read(c, 100, on_event, s) >= 0);
		if (s->events < n)
			nanosleep(&(struct timespec){.tv_nsec = 1'000'000}, nullptr);
	}
	assert_true(s->events >= n);
}

static void track_flows(struct nft_world *w)
{
	struct nft_model model = *nft_model("route");
	model.track = true;
	nft_world_replace(w, &model);
}

static struct packet begin(struct nft_world *w, size_t family, uint16_t port)
{
	struct packet got,
		syn = packet_new(clients[family], services[family], IPPROTO_TCP, 40000, port);
	packet_send(w->net->mesh_fd, &syn);
	packet_expect(w->net->lan_fd, &syn, &got);
	return syn;
}

static void answer(struct nft_world *w, const struct packet *syn, uint8_t flags)
{
	struct packet p = packet_reply(syn);
	p.tcp_flags = flags;
	p.ack = 2;
	packet_send(w->net->lan_fd, &p);
}

static void complete(struct nft_world *w, const struct packet *syn)
{
	struct packet p = *syn;
	p.tcp_flags = TH_ACK;
	p.seq = p.ack = 2;
	p.mss = 0;
	packet_send(w->net->mesh_fd, &p);
}

/* A connection, made to this port. */
static struct packet come_about(struct nft_world *w, size_t family, uint16_t port)
{
	struct packet syn = begin(w, family, port);

	answer(w, &syn, TH_SYN | TH_ACK);
	complete(w, &syn);
	return syn;
}

/* One that comes about, one without an answer, one that is refused, one that gets stuck. */
static void test_flows(void **state)
{
	struct nft_world *w = *state;
	struct err err = {};

	track_flows(w);
	for (size_t family = 0; family < 2; family++) {
		struct seen s = {.track = flow_track_new()};
		struct ct_events *c = nullptr;
		assert_int_equal(ct_events_open(0, &c, &err), 0);
		(void)come_about(w, family, 3000);
		read_events(c, &s, 3);
		assert_int_equal(flow_track_count(s.track), 0);
		struct packet refused = begin(w, family, 3001);
		answer(w, &refused, TH_RST | TH_ACK);
		read_events(c, &s, 5);
		assert_int_equal(s.n[FLOW_REFUSED], 1);
		assert_int_equal(s.last.flow.to_port, 3001);
		(void)begin(w, family, 3002);
		read_events(c, &s, 6);
		flow_track_expire(s.track, LATER, on_failed, &s);
		assert_int_equal(s.n[FLOW_SILENT], 1);
		struct packet stuck = begin(w, family, 3003);
		answer(w, &stuck, TH_SYN | TH_ACK);
		read_events(c, &s, 8);
		flow_track_expire(s.track, LATER, on_failed, &s);
		assert_int_equal(s.n[FLOW_STUCK], 1);
		assert_int_equal(s.n[FLOW_REFUSED] + s.n[FLOW_SILENT], 2);
		assert_int_equal(flow_track_count(s.track), 0);
		ct_events_close(c);
		flow_track_free(s.track);
	}
}

/* An entry that a program deletes, as meshgwd does at a change of mode, is no refusal. */
static void test_deleted(void **state)
{
	struct nft_world *w = *state;
	struct prefix range = {.addr = netns_addr("100.64.0.0"), .len = 12};
	struct ct_scope scope = {.ranges = &range, .n_ranges = 1};
	struct seen s = {.track = flow_track_new()};
	struct ct_events *c = nullptr;
	struct nl_sock *nl = nullptr;
	struct err err = {};

	track_flows(w);
	assert_int_equal(nl_open(NETLINK_NETFILTER, &nl, &err), 0);
	assert_int_equal(ct_events_open(0, &c, &err), 0);
	(void)begin(w, 0, 3000);
	read_events(c, &s, 1);
	assert_int_equal(ct_delete(nl, &scope, CT_UNREPLIED, &err), 1);
	read_events(c, &s, 2);
	assert_int_equal(s.n[FLOW_REFUSED], 0);
	assert_int_equal(flow_track_count(s.track), 0);
	ct_events_close(c);
	nl_close(nl);
	flow_track_free(s.track);
}

static void end(struct nft_world *w, const struct packet *syn)
{
	struct packet there = *syn, back = packet_reply(syn);

	there.tcp_flags = back.tcp_flags = TH_FIN | TH_ACK;
	there.mss = back.mss = 0;
	there.seq = there.ack = back.seq = 2;
	back.ack = 3;
	packet_send(w->net->mesh_fd, &there);
	packet_send(w->net->lan_fd, &back);
	there.tcp_flags = TH_ACK;
	there.seq = there.ack = 3;
	packet_send(w->net->mesh_fd, &there);
}

/* Of a connection that was made, its making is heard, and no more. */
static void test_ends_are_not_heard(void **state)
{
	struct nft_world *w = *state;
	struct err err = {};

	track_flows(w);
	for (size_t family = 0; family < 2; family++) {
		struct seen s = {.track = flow_track_new()};
		struct ct_events *c = nullptr;
		assert_int_equal(ct_events_open(0, &c, &err), 0);
		struct packet fine = come_about(w, family, 3000);
		end(w, &fine);
		(void)begin(w, family, 3001);
		read_events(c, &s, 4);
		assert_int_equal(s.events, 4); /* three of its making, and the next one's first */
		assert_int_equal(flow_track_count(s.track), 1);
		ct_events_close(c);
		flow_track_free(s.track);
	}
}

/* Without a rule that asks for it nothing is tracked, and listening does not change that. */
static void test_untracked(void **state)
{
	struct nft_world *w = *state;
	struct seen s = {.track = flow_track_new()};
	struct ct_events *c = nullptr;
	struct err err = {};

	nft_world_replace(w, nft_model("route"));
	assert_int_equal(ct_events_open(0, &c, &err), 0);
	(void)begin(w, 0, 3000);
	assert_int_equal(ct_events_read(c, 100, on_event, &s), 0);
	assert_int_equal(s.events, 0);
	ct_events_close(c);
	flow_track_free(s.track);
}

/* More than the socket holds is lost, and the rest still heard. */
static void test_overrun(void **state)
{
	struct nft_world *w = *state;
	struct seen s = {.track = flow_track_new()};
	struct ct_events *c = nullptr;
	struct err err = {};

	track_flows(w);
	assert_int_equal(ct_events_open(2048, &c, &err), 0);
	for (uint16_t port = 1; port <= 200; port++)
		(void)begin(w, 0, port);
	while (ct_events_read(c, 100, on_event, &s) > 0)
		;
	assert_true(ct_events_overruns(c) > 0);
	assert_true(s.events > 0 && s.events < 200);
	unsigned before = s.events;
	(void)begin(w, 0, 1000);
	read_events(c, &s, before + 1);
	ct_events_close(c);
	flow_track_free(s.track);
}

static void decide(enum flow_end end, const char *mode, size_t family, struct verdict *v)
{
	static const char text[] = "mesh: {interface: mesh0}\n"
				   "lan: [{interface: lan0, networks: [10.0.1.0/24, "
				   "\"2001:db8:1::/64\"]}]\n";
	struct flow_failure f = {.flow = {.proto = IPPROTO_TCP,
					 .from = netns_addr(clients[family]),
					 .to = netns_addr(services[family]),
					 .from_port = 40000,
					 .to_port = 3000},
		.end = end};
	struct evidence e = {};
	struct config *config = nullptr;
	struct config_diags diags = {};

	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	e.flow = (struct flow){.proto = IPPROTO_TCP,
		.client = f.flow.from,
		.target = f.flow.to,
		.port = 3000,
		.from = "workers"};
	f.status = end == FLOW_SILENT ? 0 : IPS_SEEN_REPLY;
	f.status |= !strcmp(mode, "masquerade") ? IPS_SRC_NAT : 0;
	glance_collect(config, &e);
	flow_cause_tell(&f, false, &e);
	struct fact_config *known = &evidence_add(&e, FACT_CONFIG)->config;
	known->up = known->source_known = known->network_known = known->allowed = true;
	known->range = config->ranges[family].prefix;
	known->network = config->lans[0].networks[family].prefix;
	snprintf(known->mode, sizeof(known->mode), "%s", mode);
	verdict_decide(&e, v);
	evidence_clear(&e);
	config_diags_clear(&diags);
	config_free(config);
}

/* What a glance makes of it. */
static void test_causes(void **state)
{
	struct nft_world *w = *state;
	static struct verdict v;

	for (size_t family = 0; family < 2; family++) {
		decide(FLOW_REFUSED, "route", family, &v);
		assert_string_equal(code_str(v.code), "service-port-closed");
		assert_int_equal(v.confidence, CONFIDENCE_LIKELY);
		decide(FLOW_REFUSED, "masquerade", family, &v);
		assert_string_equal(code_str(v.code), "service-port-closed");
		assert_int_equal(v.confidence, CONFIDENCE_UNDETERMINED);
		decide(FLOW_SILENT, "route", family, &v);
		assert_string_equal(code_str(v.code), "upstream-silent");
		assert_int_equal(v.confidence, CONFIDENCE_UNDETERMINED);
	}
	for (size_t i = 0; i < nft_model("route")->n_ranges; i++) {
		struct route r = {.dst = nft_model("route")->ranges[i], .oif = w->net->mesh};
		assert_int_equal(netns_route(w->net, RTM_DELROUTE, 0, &r), 0);
	}
	for (size_t family = 0; family < 2; family++) {
		decide(FLOW_STUCK, "route", family, &v);
		assert_string_equal(code_str(v.code), "return-route-missing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)
		KERNEL_TEST(test_flows),
		KERNEL_TEST(test_deleted),
		KERNEL_TEST(test_ends_are_not_heard),
		KERNEL_TEST(test_untracked),
		KERNEL_TEST(test_overrun),
		KERNEL_TEST(test_causes),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
