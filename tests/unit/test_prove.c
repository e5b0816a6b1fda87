/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers of a network's witnesses prove, and when they are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "prove_scene.h"
#include <stdio.h>
#include <string.h>

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
	scene_prove(&s, "cc cc");
	scene_round(&s, "cc cs");
	assert_int_equal(prove_due_us(&s.prove), s.now);
	scene_round(&s, "cc ss");
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	scene_round(&s, "cc ss");
	assert_int_equal(prove_due_us(&s.prove), s.now + 10 * SECOND);
	assert_false(scene_excepted(&s, 1));
	scene_round(&s, "cc cs");
	assert_true(scene_excepted(&s, 1));
	prove_clear(&s.prove);
}

/* After a loss proof needs its rounds and the hold, and is looked for at the moment that ends it.
 */
static void test_hold(void **)
{
	struct scene s;
	scene_init(&s, 1);
	scene_prove(&s, "cc");
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
	scene_prove(&s, "cc");
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
	scene_prove(&s, "cc");

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
	assert_false(scene_excepted(&s, 1));
	scene_round(&s, "cc cs");
	scene_round(&s, "cc cs");
	assert_true(s.n->route && scene_excepted(&s, 1) && !scene_excepted(&s, 0));
	struct addr host = scene_address("10.0.2.2"), other = scene_address("10.0.2.1");
	assert_true(witness_host_excepted(&s.n->witnesses, &host));
	assert_false(witness_host_excepted(&s.n->witnesses, &other));

	/* One that joins in the last round before the switch as well. */
	struct scene t;
	scene_init(&t, 2);
	scene_round(&t, "cc cc");
	scene_round(&t, "cc cc");
	scene_round(&t, "cc cs");
	assert_true(t.n->route && scene_excepted(&t, 1));
	assert_int_equal(t.change, PROVE_TO_ROUTE);
	prove_clear(&t.prove);
	prove_clear(&s.prove);
}

static void test_exception_life(void **)
{
	struct scene s;
	scene_init(&s, 2);
	scene_prove(&s, "cc cc");
	scene_round(&s, "cc cs");
	assert_false(scene_excepted(&s, 1));
	assert_int_equal(prove_due_us(&s.prove), s.now); /* confirmed at once */
	scene_round(&s, "cc cr");
	assert_true(scene_excepted(&s, 1));
	assert_int_equal(s.change, PROVE_HOSTS);
	uint64_t since = s.now;

	/* It does not count any more: not as a loss, and not as silence. */
	scene_round(&s, "cs cs");
	assert_true(s.n->verdict == PROVE_BAD);
	scene_round(&s, "cc cs");
	scene_round(&s, "ss cs");
	assert_true(s.n->verdict == PROVE_SILENT && s.n->route);

	/* It ends when the host answers again, three times and after the hold. */
	while (scene_excepted(&s, 1)) {
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
	scene_prove(&s, "cc cs");
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
	scene_prove(&s, "cc cc cc");
	for (unsigned i = 0; i < 5; i++)
		scene_round(&s, "cs cs cs");
	assert_false(s.n->route);
	scene_round(&s, "cc cs cc"); /* a packet of one was lost on the way back */
	scene_round(&s, "cc cc cc");
	while (!s.n->route)
		scene_round(&s, "cc cc cc");
	for (size_t i = 0; i < 3; i++)
		assert_false(scene_excepted(&s, i));
	prove_clear(&s.prove);
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
	scene_prove(&s, "cc");
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
		cmocka_unit_test(test_why),
	};
	log_set_level(LOG_ERR);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
