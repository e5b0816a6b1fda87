/* SPDX-License-Identifier: Apache-2.0 */
/* Networks with more hosts than one round asks: the verdict is about all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "proof/prove.h"
#include <stdlib.h>

constexpr uint64_t MS = 1'000;
constexpr uint64_t SECOND = 1'000'000;
constexpr uint64_t HOUR = 3600 * SECOND;
constexpr unsigned HOSTS = 150;

enum truth { ROUTED, LAN_ONLY, DEAD };

/* Host i is 10.0.2.i, with services that were learned, and does what `hosts` says. */
struct site {
	struct config_network network;
	struct config_lan lan;
	struct config config;
	struct prove prove;
	struct prove_network *n;
	enum truth hosts[HOSTS];
	unsigned n_hosts;
	uint64_t now;
};

static struct addr address(unsigned host)
{
	return (struct addr){.family = AF_INET, .b = {10, 0, 2, (uint8_t)host}};
}

static void configure(struct site *s)
{
	prove_configure(&s->prove, &s->config);
	if (!s->prove.networks)
		abort();
	s->n = &s->prove.networks[0];
}

static void site_init(struct site *s, unsigned max_witnesses)
{
	*s = (struct site){.now = 1000 * SECOND};
	assert_int_equal(prefix_parse("10.0.2.0/24", &s->network.prefix), 0);
	s->network.return_path = RETURN_PATH_AUTO;
	s->network.learn_witnesses = true;
	s->lan = (struct config_lan){.interface = "eth0", .networks = &s->network, .n_networks = 1};
	s->config = (struct config){.lans = &s->lan,
		.n_lans = 1,
		.probe = {.interval_us = 10 * SECOND,
			.after_event_us = SECOND,
			.timeout_us = 200 * MS,
			.lost_rounds = 2,
			.lost_of = 3,
			.proven_rounds = 3,
			.proven_hold_us = 30 * SECOND,
			.max_witnesses = max_witnesses}};
	configure(s);
}

static void learn(struct site *s, unsigned host, uint16_t port)
{
	struct addr a = address(host);
	prove_learn(&s->prove, s->n, &a, port);
}

static void add(struct site *s, unsigned count, enum truth truth)
{
	for (; count; count--) {
		s->hosts[s->n_hosts] = truth;
		learn(s, s->n_hosts++, 80);
	}
}

static struct probe_pair answer(enum truth truth)
{
	static const struct probe_pair answers[] = {[ROUTED] = {PROBE_COMPLETED, PROBE_COMPLETED},
		[LAN_ONLY] = {PROBE_COMPLETED, PROBE_SILENT},
		[DEAD] = {PROBE_SILENT, PROBE_SILENT}};
	return answers[truth];
}

static void site_round(struct site *s)
{
	uint64_t due = prove_due_us(&s->prove);
	assert_true(due != PROVE_NEVER);
	if (due > s->now)
		s->now = due;
	prove_begin(&s->prove, s->n, s->now);
	for (size_t i = 0; i < s->n->witnesses.n; i++) {
		struct witness *w = &s->n->witnesses.list[i];
		w->asking = answer(s->hosts[w->address.b[3]]);
	}
	s->now += s->prove.probe.timeout_us;
	prove_end(&s->prove, s->n, s->now);
}

static void site_run(struct site *s, uint64_t duration_us)
{
	for (uint64_t end = s->now + duration_us; s->now < end;)
		site_round(s);
}

static bool masqueraded_alone(const struct site *s, unsigned host)
{
	struct addr a = address(host);
	return witness_host_excepted(&s->n->witnesses, &a);
}

static unsigned count_alone(const struct site *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->n_hosts; i++)
		n += masqueraded_alone(s, i);
	return n;
}

static const unsigned places[] = {1, 2, 3, 5, 8};

/* Somebody made a route by hand on one host. It does not speak for those that admit only the LAN,
 * however few of them are asked together, and whenever it is asked. */
static void test_one_speaks_for_itself(void **)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned lan_only = 2; lan_only <= 4 * places[i] - 1; lan_only++)
			for (unsigned third = 0; third < 3; third++) {
				unsigned position = third * lan_only / 2;
				struct site s;
				site_init(&s, places[i]);
				add(&s, position, LAN_ONLY);
				add(&s, 1, ROUTED);
				add(&s, lan_only - position, LAN_ONLY);
				for (unsigned k = 0; k < 200; k++) {
					site_round(&s);
					assert_false(s.n->route);
				}
				assert_int_equal(s.n->known.yes, 1);
				assert_int_equal(s.n->known.no, lan_only);
				assert_int_equal(s.n->verdict, PROVE_BAD);
				assert_int_equal(count_alone(&s), 0);
				prove_clear(&s.prove);
			}
}

/* Where most show who calls the network is routed, and exactly the others are exceptions, from the
 * switch on and for long. */
static void test_the_few_are_exceptions(void **)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned few = 0; few <= 2 * places[i]; few++) {
			struct site s;
			site_init(&s, places[i]);
			add(&s, few, LAN_ONLY);
			add(&s, 4 * places[i] - few, ROUTED);
			while (!s.n->route) {
				assert_true(s.now < 1090 * SECOND);
				site_round(&s);
			}
			assert_int_equal(count_alone(&s), few);
			for (unsigned k = 0; k < 400; k++) {
				site_round(&s);
				assert_true(s.n->route);
				assert_int_equal(count_alone(&s), few);
			}
			assert_false(few && !masqueraded_alone(&s, 0));
			assert_int_equal(s.n->known.no, few);
			assert_int_equal(s.n->known.yes, s.n_hosts - few);
			prove_clear(&s.prove);
		}
}

static void site_proven(struct site *s, unsigned max_witnesses, unsigned hosts)
{
	site_init(s, max_witnesses);
	add(s, hosts, ROUTED);
	while (!s->n->route) {
		assert_true(s->now < 1090 * SECOND);
		site_round(s);
	}
	site_run(s, 100 * SECOND);
	assert_true(s->n->route);
}

static unsigned rounds_until_lost(struct site *s)
{
	uint64_t before = s->n->rounds;
	while (s->n->route) {
		assert_true(s->n->rounds < before + 1000);
		site_round(s);
	}
	return (unsigned)(s->n->rounds - before);
}

/* Where the way back ends for all, the first rounds show it, however many still stand for yes. */
static void test_loss_of_all(void **)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned n = 1; n <= 4 * places[i]; n++) {
			struct site s;
			site_proven(&s, places[i], n);
			for (unsigned k = 0; k < n; k++)
				s.hosts[k] = LAN_ONLY;
			prove_hurry(&s.prove, s.now);
			uint64_t then = s.now;
			assert_int_equal(rounds_until_lost(&s), 2);
			assert_true(s.now == then + 2 * s.prove.probe.timeout_us);
			assert_int_equal(count_alone(&s), 0);
			prove_clear(&s.prove);
		}
}

/* So it is with a majority where all are asked; else the others have to be asked first. */
static void test_loss_of_most(void **)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned n = 3; n <= 4 * places[i]; n++) {
			struct site s;
			site_proven(&s, places[i], n);
			for (unsigned k = 0; k <= n / 2; k++)
				s.hosts[k] = LAN_ONLY;
			unsigned lost = rounds_until_lost(&s);
			if (n <= places[i])
				assert_int_equal(lost, 2);
			else
				assert_true(lost <= 2 * n / places[i] + 3);
			assert_int_equal(s.n->verdict, PROVE_BAD);
			site_run(&s, 600 * SECOND);
			assert_false(s.n->route);
			assert_int_equal(s.n->known.no, n / 2 + 1);
			assert_int_equal(s.n->known.yes, n - n / 2 - 1);
			prove_clear(&s.prove);
		}
}

/* Every one of many was asked before the network switches, and no round waits for its time when
 * answers begin to come. */
static void test_proof_asks_everybody(void **)
{
	struct site s;
	char why[PROVE_WHY_LEN];
	site_init(&s, 8);
	add(&s, 32, ROUTED);
	site_round(&s);
	assert_int_equal(s.n->verdict, PROVE_OPEN);
	assert_string_equal(prove_why(&s.prove, s.n, why),
		"8 of 8 hosts answer the mesh range, 24 were not asked yet");
	while (!s.n->route)
		site_round(&s);
	assert_true(s.now <= 1010 * SECOND);

	for (unsigned i = 0; i < 32; i++)
		s.hosts[i] = LAN_ONLY;
	site_run(&s, 200 * SECOND);
	assert_false(s.n->route);
	assert_int_equal(s.n->known.no, 32);
	for (unsigned i = 0; i < 32; i++)
		s.hosts[i] = ROUTED;
	uint64_t then = s.now;
	while (!s.n->route)
		site_round(&s);
	assert_true(s.now < then + 25 * SECOND);
	prove_clear(&s.prove);
}

/* Exceptions stay what they are when those who answered are switched off; a new no beside them is
 * something else. */
static void test_exceptions_alone(void **)
{
	struct site s;
	site_init(&s, 8);
	add(&s, 3, LAN_ONLY);
	add(&s, 4, ROUTED);
	site_run(&s, 60 * SECOND);
	assert_true(s.n->route);
	assert_int_equal(count_alone(&s), 3);
	s.hosts[3] = s.hosts[4] = DEAD;
	site_run(&s, 600 * SECOND);
	assert_true(s.n->route && s.n->verdict == PROVE_GOOD);
	s.hosts[5] = s.hosts[6] = DEAD;
	site_run(&s, 600 * SECOND);
	assert_true(s.n->route && s.n->verdict == PROVE_SILENT);
	s.hosts[6] = ROUTED;
	site_run(&s, 60 * SECOND);
	assert_int_equal(s.n->known.yes, 1);
	assert_int_equal(s.n->known.no, 3);
	assert_int_equal(s.n->known.excepted, 3);
	assert_true(s.n->route && s.n->verdict == PROVE_GOOD);

	s.hosts[5] = LAN_ONLY;
	site_run(&s, 30 * SECOND);
	assert_false(s.n->route);
	prove_clear(&s.prove);
}

/* A host with many services is one host. */
static void test_services_of_a_host(void **)
{
	struct site s;
	site_init(&s, 8);
	add(&s, 1, ROUTED);
	add(&s, 1, LAN_ONLY);
	for (uint16_t port = 1; port < 4; port++)
		learn(&s, 1, port);
	site_run(&s, 60 * SECOND);
	assert_int_equal(s.n->witnesses.n, 5);
	assert_int_equal(s.n->known.yes, 1);
	assert_int_equal(s.n->known.no, 1);
	assert_true(s.n->route && masqueraded_alone(&s, 1) && !masqueraded_alone(&s, 0));
	prove_clear(&s.prove);
}

/* A round that could not ask leaves what is known as it was. */
static void test_what_could_not_be_asked(void **)
{
	struct site s;
	site_init(&s, 8);
	add(&s, 2, ROUTED);
	add(&s, 1, LAN_ONLY);
	site_run(&s, 60 * SECOND);
	assert_true(s.n->route);
	for (unsigned i = 0; i < 5; i++) {
		prove_begin(&s.prove, s.n, ++s.now);
		prove_end(&s.prove, s.n, s.now);
		assert_true(s.n->route && s.n->verdict == PROVE_NOTHING);
	}
	site_round(&s);
	assert_int_equal(s.n->verdict, PROVE_GOOD);
	prove_clear(&s.prove);
}

/* Those who are off have their turns, and still others are asked in each round. */
static void test_loss_beside_the_dead(void **)
{
	struct site s;
	site_proven(&s, 8, 32);
	for (unsigned i = 0; i < 29; i++)
		s.hosts[i] = DEAD;
	site_run(&s, 600 * SECOND);
	assert_int_equal(s.n->verdict, PROVE_GOOD);
	for (unsigned i = 29; i < 32; i++)
		s.hosts[i] = LAN_ONLY;
	assert_int_equal(rounds_until_lost(&s), 2);
	prove_clear(&s.prove);
}

/* More hosts than are kept, of which flows reach now these and now those, and some are off. Places
 * become free for others by that; exceptions keep theirs, and are still the fewer. */
static void test_exceptions_do_not_pile_up(void **)
{
	struct site s;
	site_init(&s, 8);
	s.n_hosts = 140;
	for (unsigned i = 0; i < s.n_hosts; i++)
		s.hosts[i] = i % 7 < 2 ? LAN_ONLY : ROUTED; /* 40 and 100 */
	unsigned host = 0;
	bool ever = false;
	for (unsigned k = 0; k < 4000; k++) {
		for (unsigned i = 0; i < s.n_hosts; i++)
			if (s.hosts[i] != LAN_ONLY)
				s.hosts[i] = (i + k / 100) % 5 ? ROUTED : DEAD;
		for (unsigned i = 0; i < 5; i++) {
			host = (host + 37) % s.n_hosts;
			if (s.hosts[host] != DEAD)
				learn(&s, host, 80);
		}
		site_round(&s);
		assert_true(s.n->route || !ever);
		ever |= s.n->route;
	}
	assert_true(ever);
	assert_int_equal(count_alone(&s), 40);
	assert_true(s.n->known.yes > s.n->known.no);
	prove_clear(&s.prove);
}

/* An exception whose host is gone for good does not stay for ever; one that the configuration names
 * does, and a host that comes back is an exception again. */
static void test_exception_expires(void **)
{
	struct config_witness named = {.address = address(0), .port = 80};
	struct site s;
	site_init(&s, 8);
	s.network.witnesses = &named;
	s.network.n_witnesses = 1;
	configure(&s);
	add(&s, 2, LAN_ONLY);
	add(&s, 4, ROUTED);
	site_run(&s, 60 * SECOND);
	assert_true(s.n->route && masqueraded_alone(&s, 0) && masqueraded_alone(&s, 1));

	s.hosts[0] = s.hosts[1] = DEAD;
	site_run(&s, 23 * HOUR);
	assert_true(masqueraded_alone(&s, 0) && masqueraded_alone(&s, 1));
	s.hosts[1] = LAN_ONLY; /* it only slept */
	site_run(&s, 60 * SECOND);
	s.hosts[1] = DEAD;
	site_run(&s, 23 * HOUR);
	assert_true(masqueraded_alone(&s, 1));
	site_run(&s, 2 * HOUR);
	assert_true(masqueraded_alone(&s, 0) && !masqueraded_alone(&s, 1));
	assert_true(s.n->route);

	s.hosts[1] = LAN_ONLY;
	site_run(&s, 60 * SECOND);
	assert_true(masqueraded_alone(&s, 1) && s.n->route);
	prove_clear(&s.prove);
}

/* Rounds for so long; no host that admits only the LAN, and is awake, is ever shown the mesh. */
static void site_run_unbroken(struct site *s, uint64_t duration_us)
{
	for (uint64_t end = s->now + duration_us; s->now < end;) {
		for (unsigned i = 0; i < s->n_hosts && s->n->route; i++)
			assert_true(s->hosts[i] != LAN_ONLY || masqueraded_alone(s, i));
		site_round(s);
	}
}

static void set_all(struct site *s, unsigned count, enum truth truth)
{
	for (unsigned i = 0; i < count; i++)
		s->hosts[i] = truth;
}

/* Those that kept the network masqueraded are off at night, and then the one that is left shows who
 * calls. In the morning they are reached as before. */
static void test_sleepers(void **)
{
	for (unsigned n = 2; n <= 30; n++) {
		struct site s;
		site_init(&s, 8);
		add(&s, n, LAN_ONLY);
		add(&s, 1, ROUTED);
		site_run(&s, 600 * SECOND);
		assert_false(s.n->route);
		for (unsigned day = 0; day < 3; day++) {
			set_all(&s, n, DEAD);
			site_run(&s, 8 * HOUR);
			assert_true(s.n->route);
			set_all(&s, n, LAN_ONLY);
			site_run_unbroken(&s, HOUR);
		}
		prove_clear(&s.prove);
	}
}

/* What was said while nobody answered the mesh is held against nobody, asleep or not. */
static void test_sleepers_of_a_loss(void **)
{
	struct site s;
	site_init(&s, 8);
	add(&s, 6, LAN_ONLY);
	site_run(&s, 60 * SECOND);
	set_all(&s, 3, DEAD);
	site_run(&s, 60 * SECOND);
	for (unsigned i = 3; i < 6; i++)
		s.hosts[i] = ROUTED;
	site_run(&s, 60 * SECOND);
	assert_true(s.n->route);
	assert_int_equal(count_alone(&s), 0);
	prove_clear(&s.prove);
}

/* When the whole site is off for long, that is no news of those that are masqueraded alone. */
static void test_outage_ends_no_exception(void **)
{
	struct site s;
	site_init(&s, 8);
	add(&s, 3, LAN_ONLY);
	add(&s, 5, ROUTED);
	site_run(&s, 60 * SECOND);
	assert_int_equal(count_alone(&s), 3);
	set_all(&s, 8, DEAD);
	site_run(&s, 48 * HOUR);
	assert_true(s.n->route);
	assert_int_equal(count_alone(&s), 3);
	for (unsigned i = 3; i < 8; i++)
		s.hosts[i] = ROUTED;
	site_run(&s, 600 * SECOND); /* some take longer to start */
	set_all(&s, 3, LAN_ONLY);
	site_run_unbroken(&s, HOUR);

	set_all(&s, 3, DEAD);
	site_run(&s, 25 * HOUR);
	assert_int_equal(count_alone(&s), 0);
	prove_clear(&s.prove);
}

/* One whose exception has ended is not forgotten for others: while its network is routed no flow
 * would make it known again. */
static void test_retired_is_known(void **)
{
	struct site s;
	site_init(&s, 2);
	add(&s, 1, LAN_ONLY);
	add(&s, 7, ROUTED);
	site_run(&s, 60 * SECOND);
	s.hosts[0] = DEAD;
	site_run(&s, 25 * HOUR);
	assert_false(masqueraded_alone(&s, 0));
	add(&s, 20, ROUTED);
	site_run(&s, 600 * SECOND);
	assert_int_equal(s.n->witnesses.n, 9);
	s.hosts[0] = LAN_ONLY;
	site_run(&s, 120 * SECOND);
	assert_true(masqueraded_alone(&s, 0) && s.n->route);
	prove_clear(&s.prove);
}

/* After a restart nothing is known but the exceptions. */
static void site_adopted(struct site *s, unsigned exceptions)
{
	site_init(s, 8);
	prove_adopt(s->n, true);
	for (unsigned i = 0; i < exceptions; i++) {
		struct addr host = address(i);
		prove_adopt_exception(s->n, &host);
	}
	add(s, exceptions, LAN_ONLY);
}

/* As long as others were not asked yet, a new no beside exceptions is no majority. */
static void test_adopted_stays(void **)
{
	struct site s;
	site_adopted(&s, 20);
	add(&s, 1, LAN_ONLY);
	add(&s, 30, ROUTED);
	site_round(&s);
	assert_int_equal(s.n->verdict, PROVE_OPEN);
	assert_int_equal(prove_due_us(&s.prove), s.now);
	for (unsigned k = 0; k < 400; k++) {
		site_round(&s);
		assert_true(s.n->route);
	}
	assert_int_equal(count_alone(&s), 21);
	assert_int_equal(s.n->known.yes, 30);
	prove_clear(&s.prove);
}

/* And the loss of a proof that this process has not made is noticed without a pause. */
static void test_adopted_is_lost(void **)
{
	for (unsigned hosts = 1; hosts <= 32; hosts++) {
		struct site s;
		site_adopted(&s, 2);
		add(&s, hosts, LAN_ONLY);
		assert_true(rounds_until_lost(&s) <= 2 + hosts / 8);
		assert_true(s.now <= 1002 * SECOND);
		prove_clear(&s.prove);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_speaks_for_itself),
		cmocka_unit_test(test_the_few_are_exceptions),
		cmocka_unit_test(test_loss_of_all),
		cmocka_unit_test(test_loss_of_most),
		cmocka_unit_test(test_proof_asks_everybody),
		cmocka_unit_test(test_exceptions_alone),
		cmocka_unit_test(test_services_of_a_host),
		cmocka_unit_test(test_what_could_not_be_asked),
		cmocka_unit_test(test_loss_beside_the_dead),
		cmocka_unit_test(test_exceptions_do_not_pile_up),
		cmocka_unit_test(test_exception_expires),
		cmocka_unit_test(test_sleepers),
		cmocka_unit_test(test_sleepers_of_a_loss),
		cmocka_unit_test(test_outage_ends_no_exception),
		cmocka_unit_test(test_retired_is_known),
		cmocka_unit_test(test_adopted_stays),
		cmocka_unit_test(test_adopted_is_lost),
	};
	log_set_level(LOG_ERR);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
