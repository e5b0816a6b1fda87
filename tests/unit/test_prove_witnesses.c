/* SPDX-License-Identifier: Apache-2.0 */
/* Who is a witness: by its own word, a router, what was learned, configured, or known before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "prove_scene.h"

static void test_neighbor(void **)
{
	static const struct {
		const char *answers;
		bool accept, route;
	} cases[] = {
		{"cc", false, false},
		{"cc", true, true},
		{"rr", true, true},
		{"cs", true, false},
		{"ss", true, false},
	};
	struct addr router = scene_address("10.0.1.1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		scene_init(&s, 0);
		s.prove.probe.accept_neighbor = cases[i].accept;
		prove_set_neighbors(s.n, &router, 1);
		prove_set_routers(s.n, nullptr, 0);
		assert_int_equal(s.n->witnesses.n, 1);
		assert_int_equal(s.n->witnesses.list[0].port, 179);
		for (unsigned k = 0; k < 4; k++)
			scene_round(&s, cases[i].answers);
		assert_int_equal(s.n->route, cases[i].route);
		prove_set_neighbors(s.n, nullptr, 0);
		assert_int_equal(s.n->witnesses.n, 0);
		prove_clear(&s.prove);
	}
}

/* A service overrules the router in both directions: a router that keeps state answers for itself
 * and drops the services' answers; one that protects its port 179 does the contrary. */
static void test_service_overrules_router(void **)
{
	struct addr router = scene_address("10.0.1.1");
	for (unsigned accept = 0; accept < 2; accept++) {
		struct scene s;
		scene_init(&s, 1);
		s.prove.probe.accept_neighbor = accept;
		prove_set_neighbors(s.n, &router, 1);
		prove_set_routers(s.n, nullptr, 0);
		for (unsigned i = 0; i < 4; i++)
			scene_round(&s, "cs cc");
		assert_false(s.n->route || scene_excepted(&s, 0));
		for (unsigned i = 0; i < 4; i++)
			scene_round(&s, "cc cs");
		assert_true(s.n->route && !scene_excepted(&s, 1));
		/* The service falls silent: the router's no alone takes nothing back. */
		for (unsigned i = 0; i < 4; i++)
			scene_round(&s, "ss cs");
		assert_int_equal(s.n->route, !accept);
		prove_clear(&s.prove);
	}
}

/* A neighbour is left in peace while others give better proof; and what its session says stands for
 * an answer to the own address, for which it is never asked. */
static void test_neighbor_in_peace(void **)
{
	struct scene s;
	struct prove_session session = {.neighbor = scene_address("10.0.1.1"), .sent4 = true};
	scene_init(&s, 1);
	prove_set_neighbors(s.n, &session.neighbor, 1);
	prove_set_routers(s.n, nullptr, 0);
	prove_set_sessions(&s.prove, &session, 1, s.now);
	prove_begin(&s.prove, s.n, s.now);
	assert_true(s.n->witnesses.list[1].asked);
	assert_int_equal(s.n->witnesses.list[1].asking.own, PROBE_SESSION);
	s.n->witnesses.list[0].asking = (struct probe_pair){PROBE_COMPLETED, PROBE_COMPLETED};
	s.n->witnesses.list[1].asking.range = PROBE_SILENT;
	prove_end(&s.prove, s.n, s.now);
	assert_int_equal(s.n->tally.weak_no, 1);
	prove_begin(&s.prove, s.n, s.now);
	assert_false(s.n->witnesses.list[1].asked);
	prove_clear(&s.prove);
}

/* A service on the site router is no witness either. */
static void test_router_is_weak(void **)
{
	struct scene s;
	scene_init(&s, 1);
	struct addr routers[] = {scene_address("10.0.2.9"), scene_address("10.0.2.1")};
	prove_set_routers(s.n, routers, 2);
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cc");
	assert_false(s.n->route);
	assert_int_equal(s.n->verdict, PROVE_WEAK);
	prove_set_routers(s.n, routers, 1);
	scene_prove(&s, "cc");
	prove_clear(&s.prove);
}

static void test_learning(void **)
{
	struct scene s;
	scene_init(&s, 1);
	struct addr a = scene_address("10.0.2.50");
	prove_learn(&s.prove, s.n, &a, 443);
	prove_learn(&s.prove, s.n, &a, 443);
	assert_int_equal(s.n->witnesses.n, 2);
	assert_int_equal(s.n->witnesses.list[1].origin, WITNESS_LEARNED);
	for (uint16_t port = 1; port <= 50; port++)
		prove_learn(&s.prove, s.n, &a, port);
	assert_int_equal(s.n->witnesses.n, 5); /* one host is not all */
	s.n->witnesses.list[4].silences = 3;
	prove_learn(&s.prove, s.n, &a, 51);
	assert_true(s.n->witnesses.n == 5 && s.n->witnesses.list[4].port == 51);
	for (unsigned i = 0; i < 50; i++) {
		struct addr other = scene_address("10.0.2.100");
		other.b[3] += (uint8_t)i;
		prove_learn(&s.prove, s.n, &other, 80);
	}
	assert_int_equal(s.n->witnesses.n, 33); /* the configured one and 4 rounds' worth */

	/* At most so many are asked, what the configuration names among them. */
	prove_begin(&s.prove, s.n, s.now);
	unsigned asked = 0;
	for (size_t i = 0; i < s.n->witnesses.n; i++)
		asked += s.n->witnesses.list[i].asked;
	assert_int_equal(asked, 8);
	assert_true(s.n->witnesses.list[0].asked);
	prove_end(&s.prove, s.n, s.now);
	for (unsigned i = 0; i < 4; i++) {
		prove_begin(&s.prove, s.n, ++s.now);
		prove_end(&s.prove, s.n, s.now);
	}
	for (size_t i = 0; i < s.n->witnesses.n; i++)
		assert_true(s.n->witnesses.list[i].asked_us); /* all had their turn */

	/* One that is silent gives way; the others stay. */
	s.n->witnesses.list[3].silences = 3;
	uint16_t gone = s.n->witnesses.list[3].port;
	prove_learn(&s.prove, s.n, &a, 8080);
	assert_int_equal(s.n->witnesses.n, 33);
	assert_null(witness_find(&s.n->witnesses, &a, gone));
	assert_non_null(witness_find(&s.n->witnesses, &a, 8080));

	/* `witness: none` forgets what was learned. */
	s.networks[0].learn_witnesses = false;
	scene_configure(&s);
	assert_int_equal(s.n->witnesses.n, 1);
	prove_learn(&s.prove, s.n, &a, 443);
	assert_int_equal(s.n->witnesses.n, 1);
	prove_clear(&s.prove);
}

/* A host to which the configuration gives a mode is no exception of ours, and no speaker. */
static void test_configured_hosts(void **)
{
	struct scene s;
	scene_init(&s, 0);
	s.hosts[0] = (struct config_host){
		.address = scene_address("10.0.2.50"), .return_path = RETURN_PATH_MASQUERADE};
	s.hosts[1] = (struct config_host){
		.address = scene_address("10.0.2.51"), .return_path = RETURN_PATH_ROUTE};
	s.networks[0].n_hosts = 2;
	scene_configure(&s);
	struct addr other = scene_address("10.0.2.52");
	prove_learn(&s.prove, s.n, &s.hosts[0].address, 443);
	assert_int_equal(s.n->witnesses.n, 0);
	prove_learn(&s.prove, s.n, &s.hosts[1].address, 443);
	prove_suspect(s.n, &s.hosts[1].address, 443, s.now);
	assert_int_equal(s.n->witnesses.n, 0);
	prove_learn(&s.prove, s.n, &other, 443);
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cs");
	assert_false(s.n->route);

	/* Also where the configuration names it as a witness. */
	s.witnesses[0] = (struct config_witness){.address = s.hosts[1].address, .port = 443};
	s.networks[0].n_witnesses = 1;
	scene_configure(&s);
	assert_int_equal(s.n->witnesses.n, 2);
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cs cc");
	assert_false(s.n->route || scene_excepted(&s, 0) || scene_excepted(&s, 1));
	scene_round(&s, "cc cs");
	assert_int_equal(s.n->known.yes + s.n->known.no, 1);
	prove_clear(&s.prove);
}

/* A flow that stays without an answer is evidence, and the probe its confirmation: one is enough,
 * and it comes at once. A host that answers nobody is none. */
static void test_suspects(void **)
{
	struct scene s;
	scene_init(&s, 1);
	struct addr a = scene_address("10.0.2.60"), dead = scene_address("10.0.2.61");
	scene_prove(&s, "cc");
	prove_suspect(s.n, &a, 443, s.now);
	prove_suspect(s.n, &dead, 443, s.now);
	assert_int_equal(prove_due_us(&s.prove), s.now);
	scene_round(&s, "cc cs ss");
	assert_true(scene_excepted(&s, 1) && !scene_excepted(&s, 2) && s.n->route);
	assert_int_equal(s.change, PROVE_HOSTS);
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	prove_suspect(s.n, &a, 443, s.now);
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	prove_clear(&s.prove);
}

/* The restart of the daemon is no loss: what the table says goes on until rounds say otherwise. */
static void test_adoption(void **)
{
	struct scene s;
	scene_init(&s, 1);
	struct addr host = scene_address("10.0.2.60");
	prove_adopt(s.n, true);
	prove_adopt_exception(s.n, &host);
	prove_adopt_exception(s.n, &host);
	assert_true(s.n->route && s.n->adopted);
	assert_int_equal(s.n->witnesses.n, 2);
	for (unsigned i = 0; i < 5; i++) {
		scene_round(&s, "ss");
		assert_true(s.n->route && s.n->adopted);
	}
	scene_round(&s, "cc");
	assert_true(s.n->route && !s.n->adopted);
	prove_learn(&s.prove, s.n, &host, 443); /* its port */
	assert_int_equal(s.n->witnesses.n, 2);
	for (unsigned i = 0; i < 3; i++)
		scene_round(&s, "cc cc");
	assert_false(scene_excepted(&s, 1));

	struct scene t;
	scene_init(&t, 1);
	prove_adopt(t.n, true);
	scene_round(&t, "cs");
	scene_round(&t, "cs");
	assert_false(t.n->route || t.n->adopted);
	prove_clear(&t.prove);
	prove_clear(&s.prove);
}

/* Another configuration keeps what is known of a network that stays in mode auto. */
static void test_reconfigure(void **)
{
	struct scene s;
	scene_init(&s, 2);
	scene_prove(&s, "cc cs");
	s.networks[1] = s.networks[0];
	s.networks[1].prefix = scene_network("10.0.3.0/24");
	s.networks[1].n_witnesses = 0;
	s.lan.n_networks = 2;
	scene_configure(&s);
	assert_int_equal(s.prove.n, 2);
	assert_true(s.n->route && scene_excepted(&s, 1));
	assert_false(s.prove.networks[1].route);
	assert_int_equal(prove_due_us(&s.prove), 0);
	assert_ptr_equal(prove_find(&s.prove, "eth0", &s.networks[1].prefix), &s.prove.networks[1]);
	assert_null(prove_find(&s.prove, "eth1", &s.networks[1].prefix));

	s.networks[0].return_path = RETURN_PATH_MASQUERADE;
	prove_configure(&s.prove, &s.config);
	assert_int_equal(s.prove.n, 1);
	s.networks[0].return_path = RETURN_PATH_AUTO;
	prove_configure(&s.prove, &s.config);
	assert_false(s.prove.networks[0].route);
	prove_configure(&s.prove, nullptr);
	assert_int_equal(s.prove.n, 0);
	assert_int_equal(prove_due_us(&s.prove), PROVE_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbor),
		cmocka_unit_test(test_service_overrules_router),
		cmocka_unit_test(test_neighbor_in_peace),
		cmocka_unit_test(test_router_is_weak),
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_configured_hosts),
		cmocka_unit_test(test_suspects),
		cmocka_unit_test(test_adoption),
		cmocka_unit_test(test_reconfigure),
	};
	log_set_level(LOG_ERR);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
