/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip_peer.h"
#include "edge/status.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint64_t SECOND_NS = 1'000'000'000;

/* A key per letter; a replica is known by its letters. */
static const uint8_t (*keys_of(const char *letters))[EDGE_KEY]
{
	static uint8_t keys[26][EDGE_KEY];

	for (size_t i = 0; i < 26; i++)
		memset(keys[i], 'a' + (int)i, EDGE_KEY);
	return (const uint8_t(*)[EDGE_KEY]) & keys[letters[0] - 'a'];
}

static const uint8_t *key_of(char letter)
{
	return *keys_of((const char[]){letter, '\0'});
}

/* Two sites: one of two replicas, with addresses of its own; one of one replica, of the pool. */
struct world {
	struct edge_replica replicas1[3], replicas2[1];
	struct edge_node nodes[3];
	struct prefix own1[2], routes1[2], routes2[1], pool[2], self[1];
	struct edge_nodes config;
	struct edge *e;
	char log[1024];
};

static void say(
	struct world *w, const char *what, const char *node, const char *owner, enum edge_why why)
{
	size_t n = strlen(w->log);

	snprintf(w->log + n, sizeof(w->log) - n, "%s%s%s=%s:%s ", what, node ? " " : "",
		node ? node : "", owner ? owner : "-", edge_why_str(why));
}

static void on_dismissed(void *user, void *owner, enum edge_why why)
{
	say(user, "dismissed", nullptr, owner, why);
}

static void on_activated(void *user, const char *node, void *owner, enum edge_why why)
{
	say(user, "active", node, owner, why);
}

static const struct edge_events events = {.dismissed = on_dismissed, .activated = on_activated};

static void world_config(struct world *w)
{
	w->replicas1[0] = (struct edge_replica){"gw1", keys_of("a"), 1};
	w->replicas1[1] = (struct edge_replica){"gw2", keys_of("b"), 1};
	w->replicas1[2] = (struct edge_replica){"gw9", keys_of("e"), 1}; /* some have it, too */
	w->replicas2[0] = (struct edge_replica){"gw3", keys_of("c"), 2}; /* c and d */
	w->own1[0] = pfx("100.96.0.18");
	w->own1[1] = pfx("2001:db8:96::18");
	w->routes1[0] = pfx("10.0.0.0/16");
	w->routes1[1] = pfx("2001:db8:1::/64");
	w->routes2[0] = pfx("10.0.2.0/24");
	w->pool[0] = pfx("100.96.0.0/24");
	w->pool[1] = pfx("2001:db8:96::/64");
	w->self[0] = pfx("100.96.0.1");
	w->nodes[0] = (struct edge_node){.name = "site1",
		.replicas = w->replicas1,
		.n_replicas = 2,
		.addresses = {w->own1, 2},
		.routes = {w->routes1, 2}};
	w->nodes[1] = (struct edge_node){.name = "site2",
		.replicas = w->replicas2,
		.n_replicas = 1,
		.routes = {w->routes2, 1}};
	w->config = (struct edge_nodes){
		.list = w->nodes, .n = 2, .pool = {w->pool, 2}, .own = {w->self, 1}};
}

static void world_init(struct world *w, bool manual)
{
	*w = (struct world){};
	world_config(w);
	w->nodes[0].manual = manual;
	w->e = edge_new(&w->config, &events, w);
}

static struct edge_member *join(struct world *w, char letter, const char *owner)
{
	static char owners[16][8];
	static size_t n;
	char *copy = owners[n++ % COUNT(owners)];

	snprintf(copy, sizeof(owners[0]), "%s", owner);
	return edge_join(w->e, key_of(letter), copy, 0);
}

static void expect_log(struct world *w, const char *log)
{
	assert_string_equal(w->log, log);
	w->log[0] = '\0';
}

static const char *find(const struct world *w, const char *text)
{
	struct prefix p = pfx(text);
	bool known;
	const char *owner = edge_find(w->e, p.addr.family, number_of_addr(&p.addr), &known);

	return owner ? owner : known ? "away" : "nobody";
}

/* Who is who is the key alone; RFC 9484 11: only authenticated users. */
static void test_identity(void **)
{
	struct world w;

	world_init(&w, false);
	assert_null(join(&w, 'x', "x"));
	struct edge_member *m = join(&w, 'd', "d");
	assert_string_equal(edge_member_node(m)->name, "site2");
	assert_string_equal(edge_member_replica(m)->name, "gw3");
	assert_true(edge_member_is_active(m));
	expect_log(&w, "active site2=d:first ");
	edge_free(w.e);
}

/* The longest prefix decides, and one that is away is away. */
static void test_find(void **)
{
	struct world w;

	world_init(&w, false);
	assert_string_equal(find(&w, "10.0.1.50"), "away");
	struct edge_member *a = join(&w, 'a', "a");
	assert_string_equal(find(&w, "10.0.1.50"), "a");
	assert_string_equal(find(&w, "10.0.2.60"), "away"); /* site2's, inside site1's */
	(void)join(&w, 'c', "c");
	assert_string_equal(find(&w, "10.0.2.60"), "c");
	assert_string_equal(find(&w, "10.0.2.0"), "c");
	assert_string_equal(find(&w, "10.0.2.255"), "c");
	assert_string_equal(find(&w, "10.0.3.0"), "a");
	assert_string_equal(find(&w, "10.0.1.255"), "a");
	assert_string_equal(find(&w, "10.1.0.0"), "nobody");
	assert_string_equal(find(&w, "100.96.0.18"), "a");
	assert_string_equal(find(&w, "2001:db8:1::50"), "a");
	assert_string_equal(find(&w, "2001:db8:2::1"), "nobody");
	edge_leave(a, 1);
	assert_string_equal(find(&w, "10.0.1.50"), "away");
	edge_free(w.e);
}

/* BCP 38 between nodes: nobody sends from what is another's; its own is its own in any replica. */
static void test_foreign(void **)
{
	static const struct {
		const char *from;
		bool foreign[3]; /* for a, b (site1) and c (site2) */
	} cases[] = {
		{"100.96.0.18", {false, false, true}}, {"10.0.1.50", {false, false, true}},
		{"10.0.2.60", {true, true, false}}, {"2001:db8:1::50", {false, false, true}},
		{"192.0.2.1", {false, false, false}}, /* nobody's: the session's matter */
	};
	struct world w;

	world_init(&w, false);
	struct edge_member *members[] = {
		join(&w, 'a', "a"), join(&w, 'b', "b"), join(&w, 'c', "c")};
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < COUNT(members); k++) {
			struct prefix p = pfx(cases[i].from);
			assert_int_equal(
				edge_is_foreign(members[k], p.addr.family, number_of_addr(&p.addr)),
				cases[i].foreign[k]);
		}
	for (size_t i = 0; i < 2; i++) {
		struct edge_node_status s;
		edge_node_status(w.e, i, &s);
		assert_int_equal(s.foreign, i == 0 ? 2 : 3);
	}
	edge_free(w.e);
}

/* Active and passive, automatic: the passive one takes over, and keeps it. */
static void test_automatic(void **)
{
	struct world w;

	world_init(&w, false);
	struct edge_member *a = join(&w, 'a', "a"), *b = join(&w, 'b', "b");
	expect_log(&w, "active site1=a:first ");
	assert_false(edge_member_is_active(b));
	edge_leave(a, 5);
	expect_log(&w, "active site1=b:lost ");
	assert_string_equal(find(&w, "10.0.1.50"), "b");
	a = join(&w, 'a', "a2");
	expect_log(&w, "");
	assert_int_equal(edge_promote(w.e, "site1", "gw1", 6), 0);
	expect_log(&w, "active site1=a2:promoted ");
	assert_string_equal(find(&w, "10.0.1.50"), "a2");
	edge_leave(b, 7);
	expect_log(&w, "");
	edge_leave(a, 8);
	expect_log(&w, "active site1=-:lost ");
	(void)join(&w, 'b', "b2");
	expect_log(&w, "active site1=b2:first ");
	edge_free(w.e);
}

/* Manual: the chosen one is waited for, until another one is chosen. */
static void test_manual(void **)
{
	struct world w;

	world_init(&w, true);
	struct edge_member *a = join(&w, 'a', "a"), *b = join(&w, 'b', "b");
	expect_log(&w, "active site1=a:first ");
	edge_leave(a, 1);
	expect_log(&w, "active site1=-:lost ");
	assert_string_equal(find(&w, "10.0.1.50"), "away");
	a = join(&w, 'a', "a2");
	expect_log(&w, "active site1=a2:first ");
	edge_leave(a, 2);
	expect_log(&w, "active site1=-:lost ");
	assert_int_equal(edge_promote(w.e, "site1", "gw2", 3), 0);
	expect_log(&w, "active site1=b:promoted ");
	(void)join(&w, 'a', "a3");
	edge_leave(b, 4);
	expect_log(&w, "active site1=-:lost ");
	(void)join(&w, 'b', "b2");
	expect_log(&w, "active site1=b2:first ");
	edge_free(w.e);
}

/* Who does not answer is relieved by the first that was heard since, if the node is automatic; and
 * who is known to be silent comes last. */
static void test_silent(void **)
{
	struct world w;

	world_init(&w, false);
	struct edge_member *a = join(&w, 'a', "a"), *b = join(&w, 'b', "b");
	w.log[0] = '\0';
	edge_relieve(b, 9, 9);
	edge_member_silent(a, true, 10);
	assert_false(edge_could_relieve(a));
	assert_true(edge_could_relieve(b));
	edge_relieve(b, 10, 11);
	expect_log(&w, "");
	edge_relieve(b, 12, 12);
	expect_log(&w, "active site1=b:silent ");
	edge_member_silent(b, true, 13);
	edge_member_silent(a, false, 14);
	edge_relieve(a, 14, 14);
	expect_log(&w, "active site1=a:silent ");
	edge_leave(a, 15);
	(void)join(&w, 'a', "a2");
	expect_log(&w, "active site1=b:lost ");
	edge_leave(b, 16);
	expect_log(&w, "active site1=a2:lost ");
	edge_free(w.e);

	world_init(&w, true);
	a = join(&w, 'a', "a");
	b = join(&w, 'b', "b");
	edge_member_silent(a, true, 10);
	assert_false(edge_could_relieve(b));
	edge_relieve(b, 12, 12);
	expect_log(&w, "active site1=a:first ");
	edge_free(w.e);
}

/* Who comes after one that left answers if anybody does; among those who do not, whoever is heard
 * first goes on, and nobody else. */
static void test_silent_successor(void **)
{
	struct world w = {};

	world_config(&w);
	w.nodes[0].n_replicas = 3;
	w.e = edge_new(&w.config, &events, &w);
	struct edge_member *a = join(&w, 'a', "a"), *b = join(&w, 'b', "b"),
			   *c = join(&w, 'e', "c");
	w.log[0] = '\0';
	edge_member_silent(b, true, 10);
	edge_leave(a, 11);
	expect_log(&w, "active site1=c:lost ");
	a = join(&w, 'a', "a2");
	edge_member_silent(a, true, 20);
	edge_leave(c, 21);
	expect_log(&w, "active site1=b:lost ");
	edge_relieve(a, 15, 22); /* before it fell silent */
	expect_log(&w, "");
	edge_member_silent(a, false, 23);
	edge_relieve(a, 23, 23);
	expect_log(&w, "active site1=a2:silent ");
	assert_int_equal(edge_promote(w.e, "site1", "gw2", 24), 0);
	assert_true(edge_could_relieve(a));
	edge_free(w.e);
}

static void test_promote_refused(void **)
{
	struct world w;

	world_init(&w, false);
	(void)join(&w, 'a', "a");
	assert_int_equal(edge_promote(w.e, "site9", "gw1", 0), -ENOENT);
	assert_int_equal(edge_promote(w.e, "site1", "gw3", 0), -ENOENT);
	assert_int_equal(edge_promote(w.e, "site1", "gw2", 0), -ENOTCONN);
	assert_int_equal(edge_promote(w.e, "site1", "gw1", 0), -EALREADY);
	expect_log(&w, "active site1=a:first ");
	edge_free(w.e);
}

/* The edge's own address is its own inside of any node's networks. */
static void test_own_address(void **)
{
	struct prefix wide = pfx("100.96.0.0/12");
	struct world w;

	world_init(&w, false);
	w.nodes[0].routes = (struct connip_prefixes){&wide, 1};
	edge_configure(w.e, &w.config, 0);
	struct edge_member *m = join(&w, 'a', "a");
	number self = number_of_addr(&w.self[0].addr);
	assert_string_equal(find(&w, "100.96.0.2"), "a");
	assert_string_equal(find(&w, "100.96.0.1"), "nobody");
	assert_false(edge_is_foreign(m, AF_INET, self + 1));
	assert_true(edge_is_foreign(m, AF_INET, self));
	edge_free(w.e);
}

/* A replica that died and came back is not kept waiting for its own corpse. */
static void test_renewed(void **)
{
	struct world w;

	world_init(&w, false);
	(void)join(&w, 'a', "a");
	(void)join(&w, 'b', "b");
	w.log[0] = '\0';
	struct edge_member *a = join(&w, 'a', "a2");
	expect_log(&w, "active site1=a2:renewed dismissed=a:renewed ");
	assert_true(edge_member_is_active(a));
	(void)join(&w, 'b', "b2");
	expect_log(&w, "dismissed=b:renewed ");
	edge_free(w.e);
}

static const char *address_of(const struct world *w, size_t node, char buf[static 128])
{
	struct edge_node_status s;
	char v4[ADDR_STRLEN], v6[ADDR_STRLEN];

	edge_node_status(w->e, node, &s);
	snprintf(buf, 128, "%s %s", addr_str(&s.lease.v4, v4), addr_str(&s.lease.v6, v6));
	return buf;
}

/* A pool address is the node's: after a restart, with another key, whoever came before. */
static void test_lease(void **)
{
	struct world w, next = {};
	char first[128], again[128];

	world_init(&w, false);
	assert_string_equal(address_of(&w, 0, first), "none none"); /* has its own */
	address_of(&w, 1, first);
	assert_null(strstr(first, "none"));
	edge_free(w.e);

	world_init(&w, false);
	world_config(&next);
	next.nodes[2] = next.nodes[1];
	next.nodes[2].name = "site3";
	next.nodes[2].replicas = &(struct edge_replica){"gw4", keys_of("z"), 1};
	next.config.n = 3;
	edge_configure(w.e, &next.config, 0);
	assert_string_equal(address_of(&w, 1, again), first);
	assert_string_not_equal(address_of(&w, 2, again), first);
	edge_free(w.e);
}

/* A pool is used up to its last address, and never beyond; none is given twice. */
static void test_pool_exhausted(void **)
{
	static struct edge_node nodes[20];
	static char names[20][8];
	struct prefix pool = pfx("100.96.0.0/28"), self = pfx("100.96.0.1"),
		      taken = pfx("100.96.0.5");
	struct edge_nodes config = {
		.list = nodes, .n = COUNT(nodes), .pool = {&pool, 1}, .own = {&self, 1}};
	bool used[16] = {[0] = true, [1] = true, [5] = true, [15] = true};
	size_t served = 0;

	for (size_t i = 0; i < COUNT(nodes); i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		nodes[i] = (struct edge_node){.name = names[i]};
	}
	nodes[3].addresses = (struct connip_prefixes){&taken, 1};
	struct edge *e = edge_new(&config, &events, nullptr);
	for (size_t i = 0; i < COUNT(nodes); i++) {
		struct edge_node_status s;
		edge_node_status(e, i, &s);
		if (s.lease.v4.family == AF_UNSPEC)
			continue;
		assert_int_not_equal(i, 3);
		assert_false(used[s.lease.v4.b[3]]);
		used[s.lease.v4.b[3]] = true;
		served++;
	}
	assert_int_equal(served, 12);
	assert_int_equal(edge_without_address(e), COUNT(nodes) - 1 - 12);
	edge_free(e);
}

/* As many nodes as a configuration may have, twice as many as the pool has addresses: each address
 * is looked for among all others, and that takes no time. */
static void test_pool_of_many(void **)
{
	constexpr size_t NODES = 4096;
	constexpr size_t ADDRESSES = 2048 - 2;
	struct prefix pool = pfx("100.96.0.0/21");
	struct edge_node *nodes = calloc(NODES, sizeof(*nodes));
	char(*names)[16] = calloc(NODES, sizeof(*names));
	bool *used = calloc(2048, sizeof(*used));
	struct edge_nodes config = {.list = nodes, .n = NODES, .pool = {&pool, 1}};
	size_t served = 0;

	for (size_t i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof(names[i]), "site%zu", i);
		nodes[i].name = names[i];
	}
	struct edge *e = edge_new(&config, &events, nullptr);
	for (size_t i = 0; i < NODES; i++) {
		struct edge_node_status s;
		edge_node_status(e, i, &s);
		if (s.lease.v4.family == AF_UNSPEC)
			continue;
		bool *seen = &used[(s.lease.v4.b[2] % 8) * 256 + s.lease.v4.b[3]];
		assert_false(*seen);
		*seen = true;
		served++;
	}
	assert_int_equal(served, ADDRESSES);
	assert_int_equal(edge_without_address(e), NODES - ADDRESSES);
	edge_free(e);
	free(nodes);
	free(names);
	free(used);
}

/* RFC 9484 4.7.1, 4.7.2: the whole list; each request has its own answer, what it asked for first.
 */
static void test_addresses(void **)
{
	struct connip_address asked[] = {{1, pfx("0.0.0.0/32")}, {2, pfx("100.96.0.18")},
		{3, pfx("::/128")}, {4, pfx("0.0.0.0/32")}};
	struct connip_address out[8];
	struct world w;

	world_init(&w, false);
	struct edge_member *m = join(&w, 'a', "a");
	assert_int_equal(edge_member_addresses(m, nullptr, 0, out, 8), 2);
	assert_int_equal(out[0].request, 0);
	assert_int_equal(edge_member_addresses(m, asked, COUNT(asked), out, 8), 2);
	assert_int_equal(out[0].request, 2);
	assert_int_equal(out[1].request, 3);
	assert_int_equal(edge_member_addresses(m, asked, 1, out, 1), 1);
	assert_int_equal(out[0].request, 1);
	struct edge_member *c = join(&w, 'c', "c");
	assert_int_equal(edge_member_addresses(c, asked, COUNT(asked), out, 8), 2);
	assert_int_equal(out[0].request, 1);
	assert_int_equal(out[1].request, 3);
	edge_free(w.e);
}

/* Packets and bytes a second, each way by itself, for a node and not for its tunnels. */
static void test_limits(void **)
{
	struct world w;
	size_t passed = 0;

	w = (struct world){};
	world_config(&w);
	w.nodes[0].packets = 1000;
	w.nodes[1].bytes = 10'000'000;
	w.e = edge_new(&w.config, &events, &w);
	struct edge_member *a = join(&w, 'a', "a"), *b = join(&w, 'b', "b"),
			   *c = join(&w, 'c', "c");
	for (uint64_t ms = 0; ms < 1000; ms++)
		for (int i = 0; i < 10; i++)
			passed += edge_admit(i % 2 ? a : b, EDGE_FROM_NODE, 100, ms * 1'000'000);
	assert_in_range(passed, 256 + 990, 256 + 1000);
	assert_true(edge_admit(a, EDGE_TO_NODE, 100, SECOND_NS));
	passed = 0;
	for (uint64_t ms = 0; ms < 1000; ms++)
		for (int i = 0; i < 100; i++)
			passed += edge_admit(c, EDGE_TO_NODE, 1000, ms * 1'000'000);
	assert_in_range(passed, 10'000 + 400, 10'000 + 1049); /* and the burst of 1 MB */
	struct edge_node_status s;
	edge_node_status(w.e, 1, &s);
	assert_int_equal(s.packets[EDGE_TO_NODE], passed);
	assert_int_equal(s.bytes[EDGE_TO_NODE], passed * 1000);
	assert_int_equal(s.limited[EDGE_TO_NODE], 100'000 - passed);
	edge_free(w.e);
}

/* Another configuration: who stays stays as he is, who is not in it any more has to go. */
static void test_configure(void **)
{
	struct world w, next = {};

	world_init(&w, false);
	(void)join(&w, 'a', "a");
	struct edge_member *b = join(&w, 'b', "b"), *c = join(&w, 'c', "c");
	w.log[0] = '\0';

	/* The nodes in another order, gw1 gone, gw3 without its first key, a new network. */
	world_config(&next);
	next.nodes[2] = next.nodes[0];
	next.nodes[0] = next.nodes[1];
	next.nodes[1] = next.nodes[2];
	next.nodes[1].replicas = &next.replicas1[1];
	next.nodes[1].n_replicas = 1;
	next.routes2[0] = pfx("10.7.0.0/16");
	edge_configure(w.e, &next.config, 9);
	expect_log(&w, "active site1=b:removed dismissed=a:removed ");
	assert_string_equal(find(&w, "10.0.2.60"), "b");
	assert_string_equal(find(&w, "10.7.0.1"), "c");
	assert_string_equal(edge_member_node(c)->name, "site2");
	edge_leave(b, 10);
	expect_log(&w, "active site1=-:lost ");

	next.replicas2[0] = (struct edge_replica){"gw3", keys_of("d"), 1};
	edge_configure(w.e, &next.config, 11);
	expect_log(&w, "active site2=-:removed dismissed=c:removed ");
	edge_free(w.e);
}

static void test_status(void **)
{
	struct edge_node_status n;
	struct edge_replica_status r;
	struct world w;

	world_init(&w, true);
	struct edge_member *a = edge_join(w.e, key_of('a'), &w, 5 * SECOND_NS);
	(void)edge_join(w.e, key_of('b'), &w, 6 * SECOND_NS);
	edge_node_status(w.e, 0, &n);
	assert_string_equal(n.active, "gw1");
	assert_int_equal(n.since_ns, 5 * SECOND_NS);
	assert_int_equal(n.changes, 1);
	edge_replica_status(w.e, 0, 0, &r);
	assert_string_equal(edge_state_str(r.state), "active");
	edge_replica_status(w.e, 0, 1, &r);
	assert_string_equal(edge_state_str(r.state), "passive");
	assert_int_equal(r.since_ns, 6 * SECOND_NS);
	edge_leave(a, 7 * SECOND_NS);
	edge_replica_status(w.e, 0, 0, &r);
	assert_string_equal(edge_state_str(r.state), "offline");
	assert_int_equal(r.since_ns, 7 * SECOND_NS);
	edge_node_status(w.e, 0, &n);
	assert_null(n.active);
	assert_string_equal(edge_why_str(n.why), "lost");
	edge_free(w.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_automatic),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_silent_successor),
		cmocka_unit_test(test_promote_refused),
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_pool_exhausted),
		cmocka_unit_test(test_pool_of_many),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_configure),
		cmocka_unit_test(test_status),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
