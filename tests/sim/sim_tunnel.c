/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tunnel's logic as a whole, in virtual time: a connector that dials (redial), an edge with a
 * node and a pool (edge), CONNECT-IP between them (connip), over QUIC (quic), over a network that
 * loses, delays, reorders, duplicates, narrows, falls silent for minutes, and moves its ends.
 * Packets of both families go both ways all the time. Whatever happens, a packet arrives as it was
 * sent, once or never; the node has its old addresses soon after all is well again, and then every
 * packet arrives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connip_peer.h"
#include "edge/edge.h"
#include "lib/xmalloc.h"
#include "redial/redial.h"
#include "sim_end.h"

constexpr uint64_t STEP_NS = 10 * MS;

static struct sim {
	struct world *w;
	struct redial redial;
	struct quic_connection *open, *next; /* of the connector */
	struct sim_end *connector;           /* of `open` */
	struct sim_end *ends;
	struct edge *edge;
	struct edge_nodes nodes;
	uint8_t key[EDGE_KEY];   /* of the connector, as the edge saw it */
	struct sim_flow out, in; /* seen from the site */
	unsigned int opened;
	uint64_t delay_ns;
} sim;

static uint64_t sim_us(void)
{
	return sim.w->now / 1000;
}

/* The connector. */

static void follow(enum redial_order order)
{
	if (order & REDIAL_CLOSE_NEXT && sim.next) {
		quic_connection_close(sim.next, QUIC_H3_NO_ERROR, "not needed");
		sim.next = nullptr;
	}
	if (order & REDIAL_CLOSE_OPEN && sim.open) {
		quic_connection_close(sim.open, QUIC_H3_NO_ERROR, "superseded");
		sim.open = nullptr;
		sim.connector = nullptr;
	}
	if (order & REDIAL_DIAL) {
		world_dial(sim.w);
		sim.next = sim.w->client.connection;
	}
}

static void on_assigned(void *, const struct connip_assigned *what)
{
	for (size_t i = 0; i < what->n_accepted; i++) {
		const struct addr *a = &what->accepted[i].prefix.addr;
		char *from = sim.out.from[a->family == AF_INET6], text[ADDR_STRLEN];

		/* It is the one that it has always been. */
		addr_str(a, text);
		assert_true(*from == '\0' || strcmp(from, text) == 0);
		snprintf(from, sizeof(sim.out.from[0]), "%s", text);
		snprintf(sim.in.to[a->family == AF_INET6], sizeof(sim.in.to[0]), "%s", text);
	}
}

static const struct connip_events connector_events = {.assigned = on_assigned};

static void begin_connector(struct quic_stream *s)
{
	const struct prefix addresses[] = {pfx("100.96.0.0/12"), pfx("fd00:96::/32")};
	const struct prefix routes[] = {pfx("100.64.0.0/12"), pfx("fd00:64::/32")};
	const struct prefix lan[] = {pfx("10.0.1.0/24")};
	const struct prefix any[] = {pfx("0.0.0.0/32"), pfx("::/128")};
	const struct connip_prefixes advertise = {lan, 1};
	const struct connip_policy policy = {.accept_addresses = {addresses, 2},
		.accept_routes = {routes, 2},
		.probe = CONNIP_PROBE_WATCH};
	struct sim_end *e = sim_end_new(sim.w, s, CONNIP_CLIENT, &policy, &connector_events);

	e->out = &sim.out;
	e->in = &sim.in;
	e->next = sim.ends;
	sim.ends = sim.connector = e;
	connip_session_advertise(e->session, &advertise);
	connip_session_expect(e->session, any, 2, sim.w->now);
	sim_end_flush(e);
}

static void on_response(void *, struct quic_stream *s, const struct quic_response *response)
{
	enum redial_order order;

	assert_int_equal(response->status, 200);
	if (quic_stream_connection(s) != sim.next)
		return;
	order = redial_answered(&sim.redial, sim_us());
	follow(order);
	sim.open = sim.next;
	sim.next = nullptr;
	sim.opened++;
	begin_connector(s);
}

static enum redial_end end_of(enum quic_cause cause)
{
	if (cause == QUIC_CAUSE_RESET)
		return REDIAL_END_RESET;
	return cause == QUIC_CAUSE_HANDSHAKE || cause == QUIC_CAUSE_IDLE ? REDIAL_END_UNHEARD
									 : REDIAL_END_OTHER;
}

static void connector_closed(struct quic_connection *c, enum quic_cause cause)
{
	if (c == sim.open) {
		sim.open = nullptr;
		sim.connector = nullptr;
		redial_open_closed(&sim.redial, end_of(cause), sim_us());
	} else if (c == sim.next) {
		sim.next = nullptr;
		redial_next_closed(&sim.redial, end_of(cause), sim_us());
	}
}

/* The edge. */

static void assign(struct sim_end *e, const struct connip_address *asked, size_t n)
{
	struct connip_address list[8];

	connip_session_assign(e->session, list, edge_member_addresses(e->owner, asked, n, list, 8));
}

static void on_requested(void *user, const struct connip_address *list, size_t n)
{
	assign(user, list, n);
}

static const struct connip_events edge_side_events = {.requested = on_requested};

static void on_request(void *, struct quic_stream *s, const struct quic_request *)
{
	const struct prefix mesh[] = {pfx("100.64.0.0/12"), pfx("fd00:64::/32")};
	const struct connip_prefixes advertise = {mesh, 2};
	struct sim_end *e;

	assert_int_equal(quic_stream_respond(s, 200, nullptr, 0), 0);
	struct edge_member *m = edge_join(sim.edge, sim.key, s, sim.w->now);
	assert_non_null(m);
	const struct connip_prefixes lan = edge_member_node(m)->routes;
	const struct connip_policy policy = {.accept_routes = lan, .probe = CONNIP_PROBE_WATCH};
	e = sim_end_new(sim.w, s, CONNIP_PROXY, &policy, &edge_side_events);
	e->out = &sim.in;
	e->in = &sim.out;
	e->owner = m;
	e->next = sim.ends;
	sim.ends = e;
	assign(e, nullptr, 0);
	connip_session_advertise(e->session, &advertise);
	sim_end_flush(e);
}

/* The same replica came anew: the tunnel of before is dead. */
static void on_dismissed(void *, void *owner, enum edge_why why)
{
	struct sim_end *e = quic_stream_data(owner);

	assert_int_equal(why, EDGE_WHY_RENEWED);
	e->owner = nullptr;
	quic_connection_close(quic_stream_connection(owner), QUIC_H3_NO_ERROR, "renewed");
}

static const struct edge_events edge_events = {.dismissed = on_dismissed};

static struct sim_end *active_end(void)
{
	for (struct sim_end *e = sim.ends; e; e = e->next)
		if (e->owner && edge_member_is_active(e->owner))
			return e;
	return nullptr;
}

/* Both. */

static bool is_client(const void *user)
{
	return user == &sim.w->client;
}

static void on_established(void *user, struct quic_connection *c, const struct quic_peer *peer)
{
	if (!is_client(user))
		memcpy(sim.key, peer->key, sizeof(sim.key));
	else if (c == sim.next)
		redial_established(&sim.redial, sim_us());
}

static void on_closed(void *user, struct quic_connection *c, const struct quic_closed *why)
{
	if (is_client(user))
		connector_closed(c, why->cause);
}

static void on_silent(void *user, struct quic_connection *c, bool silent)
{
	if (is_client(user) && c == sim.open)
		follow(redial_silent(&sim.redial, silent, sim_us()));
}

static void on_moved(void *user, struct quic_connection *c, const struct quic_path *)
{
	if (is_client(user) && c == sim.open)
		follow(redial_moved(&sim.redial));
}

static void on_stranded(void *user, struct quic_connection *c)
{
	if (is_client(user) && c == sim.open)
		follow(redial_stranded(&sim.redial, sim_us()));
}

static void on_bytes(void *, struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	if (quic_stream_data(s))
		sim_end_bytes(quic_stream_data(s), bytes, n, false, sim.w->now);
}

static void on_writable(void *, struct quic_stream *s)
{
	if (quic_stream_data(s))
		sim_end_flush(quic_stream_data(s));
}

static void on_ended(void *user, struct quic_stream *s, enum quic_end, uint64_t)
{
	struct sim_end *e = quic_stream_data(s), **at = &sim.ends;

	if (!e)
		return;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (!is_client(user) && e->owner)
		edge_leave(e->owner, sim.w->now);
	if (e == sim.connector)
		sim.connector = nullptr;
	sim_end_free(e);
}

static void on_datagram(void *, struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	if (quic_stream_data(s))
		sim_end_datagram(quic_stream_data(s), bytes, n, sim.w->now);
}

static void on_datagram_max(void *, struct quic_stream *s, size_t)
{
	if (quic_stream_data(s))
		sim_end_max(quic_stream_data(s), sim.w->now);
}

static const struct quic_events events = {
	.established = on_established,
	.closed = on_closed,
	.moved = on_moved,
	.stranded = on_stranded,
	.silent = on_silent,
	.request = on_request,
	.response = on_response,
	.bytes = on_bytes,
	.writable = on_writable,
	.ended = on_ended,
	.datagram = on_datagram,
	.datagram_max = on_datagram_max,
};

/* Time. */

/* No path takes equally long twice: two samples of the round trip that are the same mean that
 * nothing was acknowledged in between (quic/deaf.h). */
static void step(void)
{
	sim.w->net.delay_ns = sim.delay_ns + world_random(sim.w) % 1000;
	world_run(sim.w, STEP_NS);
	for (struct sim_end *e = sim.ends; e; e = e->next)
		sim_end_expire(e, sim.w->now);
	follow(redial_expire(&sim.redial, sim_us()));
}

static void traffic(uint64_t ns)
{
	for (uint64_t end = sim.w->now + ns; sim.w->now < end;) {
		struct sim_end *edge_end = active_end();

		if (sim.connector)
			sim_end_send(sim.connector, sim.w);
		if (edge_end)
			sim_end_send(edge_end, sim.w);
		step();
	}
}

static uint32_t arrived(void)
{
	return sim.out.arrived < sim.in.arrived ? sim.out.arrived : sim.in.arrived;
}

/* Both ways carry again. */
static void recovers_within(uint64_t ns)
{
	uint64_t limit = sim.w->now + ns;

	for (uint32_t before = arrived(); arrived() < before + 10;) {
		if (sim.w->now > limit)
			fail_msg("not within %u ms", (unsigned int)(ns / MS));
		traffic(STEP_NS);
	}
}

static void nothing_is_lost(void)
{
	uint32_t out, in;
	unsigned int opened;

	traffic(4 * SECOND);
	opened = sim.opened;
	out = sim.out.sent - sim.out.arrived;
	in = sim.in.sent - sim.in.arrived;
	traffic(2 * SECOND);
	for (int i = 0; i < 20; i++)
		step();
	assert_int_equal(sim.opened, opened);
	assert_true(sim.out.sent - sim.out.arrived <= out);
	assert_true(sim.in.sent - sim.in.arrived <= in);
}

/* What happens. */

static void goes_well(void)
{
}

static void begin_edge(void)
{
	sim.edge = edge_new(&sim.nodes, &edge_events, nullptr);
	world_start_side(&sim.w->server);
}

/* Nothing of it is left but its key and its configuration. */
static void edge_restarts(void)
{
	world_stop_side(&sim.w->server);
	for (struct sim_end **at = &sim.ends; *at;) {
		struct sim_end *e = *at;

		if (e->in != &sim.out) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		sim_end_free(e);
	}
	edge_free(sim.edge);
	begin_edge();
}

static void network_is_dead(uint64_t seconds)
{
	sim.w->net.dead = true;
	traffic(seconds * SECOND);
	sim.w->net.dead = false;
}

static void dead_for_5_s(void)
{
	network_is_dead(5);
}

static void dead_for_30_s(void)
{
	network_is_dead(30);
}

static void dead_for_200_s(void)
{
	network_is_dead(200);
}

static void address_changes(void)
{
	struct quic_path path = {.remote = sim.w->server.address, .socket = 8};
	int r;

	sim.w->client.address.in.sin_addr.s_addr ^= htonl(1 << 8);
	path.local = sim.w->client.address;
	r = sim.open ? quic_connection_migrate(sim.open, &path, sim.w->now) : -1;
	follow(redial_moving(&sim.redial, r == 0, sim_us()));
}

static void address_changes_in_the_dark(void)
{
	sim.w->net.dead = true;
	address_changes();
	traffic(4 * SECOND);
	sim.w->net.dead = false;
}

static void nat_forgets(void)
{
	sim.w->nat = sim.w->client.address;
	sim.w->nat.in.sin_port = htons(61'000);
}

static void path_narrows(void)
{
	sim.w->net.mtu = 1380;
}

static const struct scenario {
	const char *name;
	struct world_net net;
	void (*happens)(void);
	uint64_t back_ns; /* so soon after it */
} scenarios[] = {
	{"clean", {.delay_ns = 10 * MS, .mtu = 1472}, goes_well, SECOND},
	{"1 % loss", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 10}, goes_well, SECOND},
	{"5 % loss", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 50}, goes_well, SECOND},
	{"20 % loss", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 200}, goes_well, 2 * SECOND},
	{"reordering", {.delay_ns = 5 * MS, .jitter_ns = 20 * MS, .mtu = 1472}, goes_well, SECOND},
	{"duplicates", {.delay_ns = 10 * MS, .mtu = 1472, .duplicate = 300}, goes_well, SECOND},
	{"far away", {.delay_ns = 250 * MS, .jitter_ns = 20 * MS, .mtu = 1472}, goes_well,
		2 * SECOND},
	{"narrower", {.delay_ns = 10 * MS, .mtu = 1472}, path_narrows, 5 * SECOND},
	{"edge restarts", {.delay_ns = 10 * MS, .mtu = 1472}, edge_restarts, SECOND},
	{"edge restarts, 5 % loss", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 50}, edge_restarts,
		4 * SECOND},
	{"dead for 5 s", {.delay_ns = 10 * MS, .mtu = 1472}, dead_for_5_s, 3 * SECOND},
	{"dead for 30 s", {.delay_ns = 10 * MS, .mtu = 1472}, dead_for_30_s, 3 * SECOND},
	{"dead for 200 s", {.delay_ns = 10 * MS, .mtu = 1472}, dead_for_200_s, 3 * SECOND},
	{"another address", {.delay_ns = 10 * MS, .mtu = 1472}, address_changes, SECOND},
	{"another address, 5 % loss", {.delay_ns = 10 * MS, .mtu = 1472, .loss = 50},
		address_changes, 4 * SECOND},
	{"another address, in the dark", {.delay_ns = 10 * MS, .mtu = 1472},
		address_changes_in_the_dark, 4 * SECOND},
	{"a NAT forgets", {.delay_ns = 10 * MS, .mtu = 1472}, nat_forgets, SECOND},
};

static void begin(const struct scenario *sc, uint64_t seed)
{
	struct world *w = sim.w;

	w->net = sc->net;
	w->net.seed = seed;
	sim.delay_ns = sc->net.delay_ns;
	w->client.events = w->server.events = &events;
	w->client.config.handshake_ns = 5 * SECOND;
	w->client.config.keep_alive_ns = 15 * SECOND;
	w->client.config.idle_ns = w->server.config.idle_ns = 60 * SECOND;
	snprintf(sim.out.to[0], sizeof(sim.out.to[0]), "100.64.0.1");
	snprintf(sim.out.to[1], sizeof(sim.out.to[1]), "fd00:64::1");
	snprintf(sim.in.from[0], sizeof(sim.in.from[0]), "100.64.7.7");
	snprintf(sim.in.from[1], sizeof(sim.in.from[1]), "fd00:64::7");
	world_start_side(&w->client);
	begin_edge();
	redial_init(&sim.redial, 1, seed, sim_us());
}

static void run(const struct scenario *sc, uint64_t seed)
{
	struct world *w = world_new();
	const struct prefix pool[] = {pfx("100.96.7.0/24"), pfx("fd00:96:7::/64")};
	const struct prefix lan[] = {pfx("10.0.1.0/24")};
	struct edge_replica replica = {.name = "gw1", .n_keys = 1};
	struct edge_node node = {
		.name = "site1", .replicas = &replica, .n_replicas = 1, .routes = {lan, 1}};

	print_message("%s, seed %u\n", sc->name, (unsigned int)seed);
	sim = (struct sim){.w = w, .nodes = {.list = &node, .n = 1, .pool = {pool, 2}}};
	replica.keys = (const uint8_t(*)[EDGE_KEY])w->client.identity.pin;
	begin(sc, seed);
	recovers_within(10 * SECOND);
	traffic(5 * SECOND);
	sc->happens();
	recovers_within(sc->back_ns);
	traffic(5 * SECOND);
	print_message("  %u tunnels, %u of %u and %u of %u packets\n", sim.opened, sim.out.arrived,
		sim.out.sent, sim.in.arrived, sim.in.sent);
	sim.delay_ns = 10 * MS;
	w->net = (struct world_net){.mtu = w->net.mtu, .seed = w->net.seed};
	nothing_is_lost();
	while (sim.ends) {
		struct sim_end *e = sim.ends;

		sim.ends = e->next;
		sim_end_free(e);
	}
	world_free(w);
	edge_free(sim.edge);
}

static void test_scenarios(void **)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			run(&scenarios[i], seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
