/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "proof/prove.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr uint64_t MS = 1'000;
constexpr uint64_t SECOND = 1'000'000;

/* One network with up to four witnesses 10.0.2.1 … 10.0.2.4, port 80, and a clock. */
struct scene {
	struct config_witness witnesses[4];
	struct config_host hosts[2];
	struct config_network networks[2];
	struct config_lan lan;
	struct config config;
	struct prove prove;
	struct prove_network *n;
	uint64_t now;
	unsigned change;
};

static struct addr address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix network(const char *text)
{
	struct prefix p;
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void scene_init(struct scene *s, size_t n_witnesses)
{
	static const char *const names[] = {"10.0.2.1", "10.0.2.2", "10.0.2.3", "10.0.2.4"};
	*s = (struct scene){.now = 1000 * SECOND};
	for (size_t i = 0; i < n_witnesses; i++)
		s->witnesses[i] = (struct config_witness){.address = address(names[i]), .port = 80};
	s->networks[0] = (struct config_network){.prefix = network("10.0.2.0/24"),
		.return_path = RETURN_PATH_AUTO,
		.witnesses = s->witnesses,
		.n_witnesses = n_witnesses,
		.hosts = s->hosts,
		.learn_witnesses = true};
	s->lan = (struct config_lan){.interface = "eth0", .networks = s->networks, .n_networks = 1};
	s->config = (struct config){.lans = &s->lan, .n_lans = 1};
	s->config.probe = (struct config_probe){.interval_us = 10 * SECOND,
		.after_event_us = SECOND,
		.timeout_us = 200 * MS,
		.lost_rounds = 2,
		.lost_of = 3,
		.proven_rounds = 3,
		.proven_hold_us = 30 * SECOND,
		.max_witnesses = 8};
	prove_configure(&s->prove, &s->config);
	if (!s->prove.networks)
		abort();
	s->n = &s->prove.networks[0];
}

static enum probe_result result(char c)
{
	static const char letters[] = "-crRsafx";
	const char *at = strchr(letters, c);
	assert_true(c && at);
	return (enum probe_result)(at - letters);
}

/* The next round when it is due. answers: two letters a witness, in their order: to the own address
 * and to the range. */
static void scene_round(struct scene *s, const char *answers)
{
	uint64_t due = prove_due_us(&s->prove);
	assert_true(due != PROVE_NEVER);
	if (due > s->now)
		s->now = due;
	prove_begin(&s->prove, s->n, s->now);
	for (size_t i = 0; answers[0] && answers[1] && i < s->n->witnesses.n; i++) {
		s->n->witnesses.list[i].asking = (struct probe_pair){
			result(answers[0]), result(answers[1])};
		answers += 2;
		answers += *answers == ' ';
	}
	if (s->n->witnesses.n)
		s->now += s->prove.probe.timeout_us;
	s->change = prove_end(&s->prove, s->n, s->now);
}

static bool excepted(const struct scene *s, size_t i)
{
	return s->n->witnesses.list[i].excepted;
}

/* Rounds, separated by bars, and the mode after each of them. */
struct story {
	const char *what;
	size_t witnesses;
	const char *rounds;
	const char *modes;
	bool accept_neighbor;
};

static const struct story stories[] = {
	{"three in a row prove", 1, "cc|cc|cc", "mmr", false},
	{"in a row means in a row", 1, "cc|cc|cs|cc|cc|cc", "mmmmmr", false},
	{"silence breaks the row", 1, "cc|cc|ss|cc|cc|cc", "mmmmmr", false},
	{"what could not be asked does not", 1, "cc|cc|cf|xx|cc", "mmmmr", false},
	{"nothing proves nothing", 1, "ss|ss|ss|cs|cs|cs", "mmmmmm", false},
	{"a refusal proves the way back", 1, "rr|rr|rr", "mmr", false},
	{"so it does to one that refuses only the gateway", 1, "rc|sc|fc", "mmr", false},
	{"a refusal of the range alone is a filter", 1, "cr|cr|cr|cr", "mmmm", false},
	{"a router's word is weak", 1, "RR|RR|RR|RR", "mmmm", false},
	{"a router's word is no refusal by the host", 1, "cR|cR|cR", "mmm", false},
	{"an answer elsewhere proves nothing", 1, "ca|ca|ca|ca", "mmmm", false},
	{"one lost round is none", 1, "cc|cc|cc|cs|cc|cc|cs|cc", "mmrrrrrr", false},
	{"two in a row are a loss", 1, "cc|cc|cc|cs|cs", "mmrrm", false},
	{"two of three are a loss", 1, "cc|cc|cc|cs|cc|cs", "mmrrrm", false},
	{"two of four are not", 1, "cc|cc|cc|cs|cc|cc|cs", "mmrrrrr", false},
	{"astray is a loss", 1, "cc|cc|cc|ca|ca", "mmrrm", false},
	{"a filter that appears is a loss", 1, "cc|cc|cc|cr|cR", "mmrrm", false},
	{"all silent changes nothing", 1, "cc|cc|cc|ss|ss|ss|ss", "mmrrrrr", false},
	{"silence between does not forgive", 1, "cc|cc|cc|cs|ss|ss|cs", "mmrrrrm", false},
	{"a local filter changes nothing", 1, "cc|cc|cc|cf|ff|fs|fa|sf", "mmrrrrrr", false},
	{"what failed changes nothing", 1, "cc|cc|cc|xx|xs|cx|--", "mmrrrrr", false},
	{"a dead witness does not speak", 2, "cc ss|cc ss|cc ss|cc ss|ss cc", "mmrrr", false},
	{"nor does it keep a loss", 2, "cc cc|cc cc|cc cc|ss cs|ss cs", "mmrrm", false},
	{"some that lose are exceptions", 3, "cc cc cc|cc cc cc|cc cc cc|cs cc cc|cs cc cc",
		"mmrrr", false},
	{"so is half of them", 2, "cc cc|cc cc|cc cc|cc cs|cc cs", "mmrrr", false},
	{"most of them are a loss", 3, "cc cc cc|cc cc cc|cc cc cc|cs cs cc|cs cs cc", "mmrrm",
		false},
	{"and prove nothing", 3, "cc cs cs|cc cs cs|cc cs cs|cc cs cs", "mmmm", false},
	{"then it is lost", 3, "cc cc cc|cc cc cc|cc cc cc|cs cs cs|cs cs ss", "mmrrm", false},
	{"a router behind an unreachable host", 1, "cc|cc|cc|Rs|Rs|RR|RR", "mmrrrrr", false},
};

static void run_story(const struct story *t)
{
	struct scene s;
	char rounds[256];
	char *save = nullptr;
	size_t i = 0;

	scene_init(&s, t->witnesses);
	s.prove.probe.accept_neighbor = t->accept_neighbor;
	snprintf(rounds, sizeof(rounds), "%s", t->rounds);
	for (char *r = strtok_r(rounds, "|", &save); r; r = strtok_r(nullptr, "|", &save)) {
		bool before = s.n->route;
		scene_round(&s, r);
		if (s.n->route != (t->modes[i] == 'r'))
			fail_msg("%s: wrong after round %zu (%s)", t->what, i + 1, r);
		unsigned want = before == s.n->route ? 0
				: s.n->route         ? PROVE_TO_ROUTE
						     : PROVE_TO_MASQUERADE;
		assert_int_equal(s.change & ~(unsigned)PROVE_HOSTS, want);
		i++;
	}
	assert_int_equal(i, strlen(t->modes));
	prove_clear(&s.prove);
}

static void test_stories(void **)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		run_story(&stories[i]);
}

static void prove_it(struct scene *s, const char *answers)
{
	for (unsigned i = 0; i < s->prove.probe.proven_rounds; i++)
		scene_round(s, answers);
	assert_true(s->n->route);
}

/* Rounds follow each other without a pause while a loss is confirmed, at the pace of events while
 * a first proof is, and at the interval otherwise. */
static void test_pace(void **)
{
	struct scene s;
	scene_init(&s, 1);
	assert_true(prove_due_us(&s.prove) <= s.now);
	scene_round(&s, "cs");
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	scene_round(&s, "cc");
	assert_int_equal(prove_due_us(&s.prove), s.now + SECOND);
	scene_round(&s, "cc");
	assert_int_equal(prove_due_us(&s.prove), s.now + SECOND);
	scene_round(&s, "cc");
	assert_true(s.n->route);
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);

	uint64_t lost = s.now = prove_due_us(&s.prove);
	scene_round(&s, "cs");
	assert_int_equal(prove_due_us(&s.prove), s.now);
	scene_round(&s, "cs");
	assert_false(s.n->route);
	assert_true(s.now - lost == 400 * MS);
	prove_clear(&s.prove);
}

/* A host that says no is asked again at once; one that then falls silent is not, again and again.
 */
static void test_pace_of_doubt(void **)
{
	struct scene s;
	scene_init(&s, 2);
	prove_it(&s, "cc cc");
	scene_round(&s, "cc cs");
	assert_int_equal(prove_due_us(&s.prove), s.now);
	scene_round(&s, "cc ss");
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	scene_round(&s, "cc ss");
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	assert_false(excepted(&s, 1));
	scene_round(&s, "cc cs");
	assert_true(excepted(&s, 1));
	prove_clear(&s.prove);
}

/* After a loss proof needs its rounds and the hold, and is looked for at the moment that ends it.
 */
static void test_hold(void **)
{
	struct scene s;
	scene_init(&s, 1);
	prove_it(&s, "cc");
	scene_round(&s, "cs");
	scene_round(&s, "cs");
	assert_false(s.n->route);
	uint64_t lost = s.now;
	assert_int_equal(s.n->lost_us, lost);
	while (!s.n->route) {
		assert_true(s.now < lost + 40 * SECOND);
		scene_round(&s, "cc");
	}
	assert_true(s.now >= lost + 30 * SECOND && s.now <= lost + 31 * SECOND);
	prove_clear(&s.prove);
}

/* However the path flaps, no more than one way and back in each hold. */
static void test_flapping(void **)
{
	struct scene s;
	scene_init(&s, 1);
	unsigned switches = 0;
	uint64_t begin = s.now;
	for (unsigned i = 0; s.now < begin + 3600 * SECOND; i++) {
		bool before = s.n->route;
		scene_round(&s, (s.now / (7 * SECOND)) % 2 ? "cc" : "cs");
		switches += before != s.n->route;
		assert_true(i < 100'000);
	}
	assert_true(switches <= 2 * 3600 / 30 + 1);
	prove_clear(&s.prove);
}

static void test_events(void **)
{
	struct scene s;
	scene_init(&s, 1);
	prove_it(&s, "cc");
	uint64_t now = s.now;
	prove_event(&s.prove, now);
	assert_int_equal(prove_due_us(&s.prove), now + SECOND);
	prove_event(&s.prove, now + 500 * MS); /* does not put it off */
	assert_int_equal(prove_due_us(&s.prove), now + SECOND);
	prove_hurry(&s.prove, now + 600 * MS);
	assert_int_equal(prove_due_us(&s.prove), now + 600 * MS);

	/* What ends a session may take its routes away only a little later. */
	scene_round(&s, "cc");
	assert_int_equal(prove_due_us(&s.prove), s.now + 200 * MS);
	assert_false(prove_hurry(&s.prove, s.now));
	scene_round(&s, "cc");
	scene_round(&s, "cs");
	scene_round(&s, "cs");
	assert_false(s.n->route);
	prove_clear(&s.prove);
	scene_init(&s, 1);
	prove_it(&s, "cc");

	/* One that comes while a round is under way asks for another. */
	prove_begin(&s.prove, s.n, s.now);
	assert_int_equal(prove_due_us(&s.prove), PROVE_NEVER);
	prove_hurry(&s.prove, s.now + 1);
	assert_int_equal(prove_due_us(&s.prove), PROVE_NEVER);
	s.n->witnesses.list[0].asking = (struct probe_pair){PROBE_COMPLETED, PROBE_COMPLETED};
	prove_end(&s.prove, s.n, s.now + 200 * MS);
	assert_int_equal(prove_due_us(&s.prove), s.now + 1);
	prove_clear(&s.prove);
}

/* A host that admits only the LAN is masqueraded alone, already when the network switches. */
static void test_exception_at_switch(void **)
{
	struct scene s;
	scene_init(&s, 2);
	scene_round(&s, "cc cs");
	assert_false(excepted(&s, 1));
	scene_round(&s, "cc cs");
	scene_round(&s, "cc cs");
	assert_true(s.n->route && excepted(&s, 1) && !excepted(&s, 0));
	struct addr host = address("10.0.2.2"), other = address("10.0.2.1");
	assert_true(witness_host_excepted(&s.n->witnesses, &host));
	assert_false(witness_host_excepted(&s.n->witnesses, &other));

	/* One that joins in the last round before the switch as well. */
	struct scene t;
	scene_init(&t, 2);
	scene_round(&t, "cc cc");
	scene_round(&t, "cc cc");
	scene_round(&t, "cc cs");
	assert_true(t.n->route && excepted(&t, 1));
	assert_int_equal(t.change, PROVE_TO_ROUTE);
	prove_clear(&t.prove);
	prove_clear(&s.prove);
}

static void test_exception_life(void **)
{
	struct scene s;
	scene_init(&s, 2);
	prove_it(&s, "cc cc");
	scene_round(&s, "cc cs");
	assert_false(excepted(&s, 1));
	assert_int_equal(prove_due_us(&s.prove), s.now); /* confirmed at once */
	scene_round(&s, "cc cr");
	assert_true(excepted(&s, 1));
	assert_int_equal(s.change, PROVE_HOSTS);
	uint64_t since = s.now;

	/* It does not count any more: not as a loss, and not as silence. */
	scene_round(&s, "cs cs");
	assert_true(s.n->verdict == PROVE_BAD);
	scene_round(&s, "cc cs");
	scene_round(&s, "ss cs");
	assert_true(s.n->verdict == PROVE_SILENT && s.n->route);

	/* It ends when the host answers again, three times and after the hold. */
	while (excepted(&s, 1)) {
		assert_true(s.now < since + 120 * SECOND);
		scene_round(&s, "cc cc");
		assert_true(s.n->route);
	}
	assert_true(s.now >= since + 30 * SECOND);
	assert_int_equal(s.change, PROVE_HOSTS);
	prove_clear(&s.prove);
}

/* Where everybody is an exception, the last of them speak for the network after all. */
static void test_only_exceptions(void **)
{
	struct scene s;
	scene_init(&s, 2);
	prove_it(&s, "cc cs");
	s.n->witnesses.list[0] = s.n->witnesses.list[1];
	s.n->witnesses.n = 1;
	scene_round(&s, "cs");
	scene_round(&s, "cs");
	assert_false(s.n->route);
	prove_clear(&s.prove);
}

/* A loss of all makes exceptions of nobody, also not after it is over. */
static void test_loss_is_nobodys(void **)
{
	struct scene s;
	scene_init(&s, 3);
	prove_it(&s, "cc cc cc");
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cs cs cs");
	assert_false(s.n->route);
	scene_round(&s, "cc cs cc"); /* a packet of one was lost on the way back */
	scene_round(&s, "cc cc cc");
	while (!s.n->route)
		scene_round(&s, "cc cc cc");
	for (size_t i = 0; i < 3; i++)
		assert_false(excepted(&s, i));
	prove_clear(&s.prove);
}

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
	struct addr router = address("10.0.1.1");
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
	struct addr router = address("10.0.1.1");
	for (unsigned accept = 0; accept < 2; accept++) {
		struct scene s;
		scene_init(&s, 1);
		s.prove.probe.accept_neighbor = accept;
		prove_set_neighbors(s.n, &router, 1);
		prove_set_routers(s.n, nullptr, 0);
		for (unsigned i = 0; i < 4; i++)
			scene_round(&s, "cs cc");
		assert_false(s.n->route || excepted(&s, 0));
		for (unsigned i = 0; i < 4; i++)
			scene_round(&s, "cc cs");
		assert_true(s.n->route && !excepted(&s, 1));
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
	struct prove_session session = {.neighbor = address("10.0.1.1"), .sent4 = true};
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
	struct addr routers[] = {address("10.0.2.9"), address("10.0.2.1")};
	prove_set_routers(s.n, routers, 2);
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cc");
	assert_false(s.n->route);
	assert_int_equal(s.n->verdict, PROVE_WEAK);
	prove_set_routers(s.n, routers, 1);
	prove_it(&s, "cc");
	prove_clear(&s.prove);
}

static void test_learning(void **)
{
	struct scene s;
	scene_init(&s, 1);
	struct addr a = address("10.0.2.50");
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
		struct addr other = address("10.0.2.100");
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
	prove_configure(&s.prove, &s.config);
	if (!s.prove.networks)
		abort();
	s.n = &s.prove.networks[0];
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
		.address = address("10.0.2.50"), .return_path = RETURN_PATH_MASQUERADE};
	s.hosts[1] = (struct config_host){
		.address = address("10.0.2.51"), .return_path = RETURN_PATH_ROUTE};
	s.networks[0].n_hosts = 2;
	prove_configure(&s.prove, &s.config);
	if (!s.prove.networks)
		abort();
	s.n = &s.prove.networks[0];
	struct addr other = address("10.0.2.52");
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
	prove_configure(&s.prove, &s.config);
	if (!s.prove.networks)
		abort();
	s.n = &s.prove.networks[0];
	assert_int_equal(s.n->witnesses.n, 2);
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cs cc");
	assert_false(s.n->route || excepted(&s, 0) || excepted(&s, 1));
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
	struct addr a = address("10.0.2.60"), dead = address("10.0.2.61");
	prove_it(&s, "cc");
	prove_suspect(s.n, &a, 443, s.now);
	prove_suspect(s.n, &dead, 443, s.now);
	assert_int_equal(prove_due_us(&s.prove), s.now);
	scene_round(&s, "cc cs ss");
	assert_true(excepted(&s, 1) && !excepted(&s, 2) && s.n->route);
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
	struct addr host = address("10.0.2.60");
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
	assert_false(excepted(&s, 1));

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
	prove_it(&s, "cc cs");
	s.networks[1] = s.networks[0];
	s.networks[1].prefix = network("10.0.3.0/24");
	s.networks[1].n_witnesses = 0;
	s.lan.n_networks = 2;
	prove_configure(&s.prove, &s.config);
	assert_int_equal(s.prove.n, 2);
	if (!s.prove.networks)
		abort();
	s.n = &s.prove.networks[0];
	assert_true(s.n->route && excepted(&s, 1));
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

/* Every verdict has its words. */
static void test_why(void **)
{
	static const struct {
		size_t witnesses;
		const char *answers, *why;
	} cases[] = {
		{0, "", "no witness is known"},
		{1, "xx", "no witness could be asked"},
		{2, "cs ca",
			"2 of 2 hosts answer the gateway and not the mesh range by this interface"},
		{2, "cs ss", "1 of 1 hosts answer the gateway and not the mesh range"},
		{3, "cc cs cs", "2 of 3 hosts answer the gateway and not the mesh range"},
		{1, "ss", "no witness answers, neither the gateway nor the mesh range"},
		{1, "ff", "probes from the mesh range do not leave this host"},
		{1, "RR",
			"only the site's router answers the mesh range, which does not speak for "
			"its hosts"},
		{1, "cc", "answered in 1 of 3 rounds in a row"},
	};
	char buf[PROVE_WHY_LEN];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		scene_init(&s, cases[i].witnesses);
		assert_string_equal(prove_why(&s.prove, s.n, buf), "nobody was asked yet");
		scene_round(&s, cases[i].answers);
		assert_string_equal(prove_why(&s.prove, s.n, buf), cases[i].why);
		prove_clear(&s.prove);
	}
	struct scene s;
	scene_init(&s, 1);
	prove_it(&s, "cc");
	assert_string_equal(prove_why(&s.prove, s.n, buf), "1 of 1 hosts answer the mesh range");
	scene_round(&s, "cs");
	scene_round(&s, "cs");
	for (unsigned i = 0; i < 3; i++)
		scene_round(&s, "cc");
	assert_non_null(
		strstr(prove_why(&s.prove, s.n, buf), "the proof was lost less than 30 s ago"));
	prove_clear(&s.prove);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_pace_of_doubt),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_exception_at_switch),
		cmocka_unit_test(test_exception_life),
		cmocka_unit_test(test_only_exceptions),
		cmocka_unit_test(test_loss_is_nobodys),
		cmocka_unit_test(test_neighbor),
		cmocka_unit_test(test_service_overrules_router),
		cmocka_unit_test(test_neighbor_in_peace),
		cmocka_unit_test(test_router_is_weak),
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_configured_hosts),
		cmocka_unit_test(test_suspects),
		cmocka_unit_test(test_adoption),
		cmocka_unit_test(test_reconfigure),
		cmocka_unit_test(test_why),
	};
	log_set_level(LOG_ERR);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
