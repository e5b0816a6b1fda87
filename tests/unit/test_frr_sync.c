/* SPDX-License-Identifier: Apache-2.0 */
/* frr_sync over an FRR made of text: what it reads, when it writes, and how it goes away again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/frr_presence.h"
#include "frr_site.h"
#include <string.h>

static void test_without_bgp(void **state)
{
	struct frr_site *s = *state;

	frr_site_step(s);
	assert_int_equal(s->sync.state, FRR_OFF);
	frr_site_configure(s, world_masquerade);
	frr_site_present(s);
	frr_site_run(s, 100 * WORLD_SECOND);
	assert_int_equal(s->sync.state, FRR_OFF);
	assert_int_equal(s->reads + s->writes + s->saves, 0);
	assert_true(s->sync.settled);
}

static void test_comes_up(void **state)
{
	struct frr_site *s = *state;

	frr_site_configure(s, frr_site_bgp);
	assert_int_equal(s->sync.state, FRR_ABSENT);
	assert_true(s->sync.settled); /* nobody waits for what is not there */
	assert_true(frr_site_stands(s, COND_FRR_NOT_INSTALLED));
	frr_site_there(s, FRR_SOCKET_ZEBRA, 0);
	frr_site_run(s, 10 * WORLD_SECOND);
	assert_true(frr_site_stands(s, COND_BGP_DAEMON_DOWN));
	assert_int_equal(s->reads, 0);
	frr_site_present(s);
	frr_site_run(s, FRR_SETTLE_US - 1);
	assert_int_equal(s->reads, 0); /* others may be reading their configuration into it */
	frr_site_run(s, WORLD_SECOND / 2);
	assert_int_equal(s->reads, 2);
	assert_int_equal(s->writes, 1);
	assert_true(s->saved_before_write);
	assert_int_equal(s->saved.router, 65010);
	assert_true(s->sync.in_place && s->sync.settled);
	assert_true(s->sync.ops.n > 4);
	assert_false(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
	/* what stands is only looked at, in time less and less often */
	frr_site_run(s, 300 * WORLD_SECOND);
	assert_int_equal(s->writes, 1);
	assert_in_range(s->reads, 12, 60);
}

/* While everything is being removed nobody is a neighbour of ours; that is no leak for the
 * configuration that comes next. */
static void test_apply_overtakes_down(void **state)
{
	struct frr_site *s = *state;

	s->path = "{\"prefix\": \"100.64.0.0/12\", \"advertisedTo\": {\"10.0.1.1\": {}}}";
	frr_site_up(s);
	assert_false(frr_site_stands(s, COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR));
	s->deaf = true;
	frr_site_configure(s, world_masquerade);
	assert_int_equal(s->sync.view.show.n_leaks, 1);
	world_enter(&s->w, frr_site_bgp);
	world_run(&s->w, 0);
	frr_sync_kernel(&s->sync, s->w.now_us);
	assert_false(frr_site_stands(s, COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR));
}

/* Within five seconds of its being back everything stands again; nobody is blamed. */
static void test_restart(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	for (unsigned i = 0; i < 10; i++) {
		unsigned writes = s->writes;
		frr_site_set_ours(s, "");
		frr_site_there(s, 0, UINT64_MAX);
		frr_site_run(s, WORLD_SECOND);
		assert_true(frr_site_stands(s, COND_BGP_DAEMON_DOWN));
		frr_site_present(s);
		frr_site_run(s, FRR_SITE_SETTLE_US);
		assert_int_equal(s->writes, writes + 1);
		assert_true(s->sync.in_place);
	}
	assert_false(frr_site_stands(s, COND_STATE_CONTESTED));
	assert_int_equal(s->sync.memory.router, 65010);
}

static void test_ends_that_are_none(void **state)
{
	struct frr_site *s = *state;
	struct addr neighbor;
	unsigned reads;

	assert_int_equal(addr_parse("10.0.1.1", &neighbor), 0);
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Established\",\"bgpTimerUpMsec\":1000000}}";
	frr_site_up(s);
	frr_site_run(s, FRR_POLL_US);
	reads = s->reads;
	for (unsigned i = 0; i < 1200; i++) { /* ten a second */
		frr_sync_ended(&s->sync, &neighbor, s->w.now_us);
		frr_site_run(s, WORLD_SECOND / 10);
	}
	unsigned polls = (unsigned)(120 * WORLD_SECOND / FRR_POLL_US);
	assert_in_range(s->reads - reads, polls, polls + 5);
	/* one that is none, after a time without, is looked at at once */
	frr_site_run(s, 4 * FRR_POLL_US);
	frr_site_run(s, s->sync.due_us - s->w.now_us + WORLD_SECOND);
	reads = s->reads;
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Active\"}}";
	frr_site_run(s, 2 * WORLD_SECOND);
	assert_int_equal(s->reads, reads);
	frr_sync_ended(&s->sync, &neighbor, s->w.now_us);
	frr_site_run(s, WORLD_SECOND / 2);
	assert_int_equal(s->reads, reads + 1);
	assert_true(frr_site_stands(s, COND_BGP_SESSION_DOWN));
	/* where no session stands, it is no news at all */
	frr_site_run(s, FRR_POLL_US);
	reads = s->reads;
	frr_sync_ended(&s->sync, &neighbor, s->w.now_us);
	frr_site_run(s, WORLD_SECOND / 10);
	assert_int_equal(s->reads, reads);
}

/* Who waits for long looks seldom; one that came is looked at soon again. */
static void test_looks_soon_again(void **state)
{
	struct frr_site *s = *state;
	unsigned reads;

	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Active\"}}";
	frr_site_up(s);
	frr_site_run(s, 200 * FRR_POLL_MAX_US);
	reads = s->reads;
	frr_site_run(s, 10 * FRR_POLL_MAX_US);
	assert_in_range(s->reads - reads, 9, 11);
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Established\",\"bgpTimerUpMsec\":1000}}";
	frr_site_run(s, s->sync.due_us - s->w.now_us + 1);
	reads = s->reads;
	frr_site_run(s, 3 * FRR_POLL_MIN_US + FRR_POLL_MIN_US / 2);
	assert_in_range(s->reads - reads, 2, 4);
}

/* A reason of long ago is another fault's. */
static void test_stale_reason(void **state)
{
	static const struct {
		const char *session;
		enum condition_code code;
	} cases[] = {
		{"{\"10.0.1.1\":{\"bgpState\":\"Idle\",\"lastResetTimerMsecs\":5000,"
		 "\"lastResetDueTo\":\"BGP Notification received\","
		 "\"lastErrorCodeSubcode\":\"0202\","
		 "\"lastNotificationReason\":\"OPEN Message Error/Bad Peer AS\"}}",
			COND_BGP_WRONG_ASN},
		{"{\"10.0.1.1\":{\"bgpState\":\"Active\",\"lastResetTimerMsecs\":500000,"
		 "\"lastResetDueTo\":\"BGP Notification received\","
		 "\"lastErrorCodeSubcode\":\"0202\","
		 "\"lastNotificationReason\":\"OPEN Message Error/Bad Peer AS\"}}",
			COND_BGP_SESSION_DOWN},
		{"{\"10.0.1.1\":{\"bgpState\":\"Idle\",\"lastResetTimerMsecs\":1000,"
		 "\"lastResetDueTo\":\"No path to specified Neighbor\"}}",
			COND_BGP_NEIGHBOUR_UNREACHABLE},
		{"{\"10.0.1.1\":{\"bgpState\":\"Active\"}}", COND_BGP_SESSION_DOWN},
	};
	struct frr_site *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->session = cases[i].session;
		frr_site_configure(s, frr_site_bgp);
		frr_site_present(s);
		frr_site_run(s, 2 * FRR_WATCH_US);
		if (!frr_site_stands(s, cases[i].code))
			print_error("case %zu\n", i);
		assert_true(frr_site_stands(s, cases[i].code));
	}
	/* unless segments with a wrong signature come in, which FRR does not hear of */
	frr_sync_md5(&s->sync, &(struct frr_md5){.unexpected = 1}, s->w.now_us);
	assert_false(frr_site_stands(s, COND_BGP_AUTH_MISMATCH));
	frr_sync_md5(&s->sync, &(struct frr_md5){.unexpected = 2}, s->w.now_us);
	assert_true(frr_site_stands(s, COND_BGP_AUTH_MISMATCH));
	/* which is over once the session has stood */
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Established\"}}";
	frr_site_run(s, 2 * FRR_POLL_US);
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Active\"}}";
	frr_site_run(s, 2 * FRR_POLL_US);
	assert_true(frr_site_stands(s, COND_BGP_SESSION_DOWN));
	assert_false(frr_site_stands(s, COND_BGP_AUTH_MISMATCH));
}

static void test_removed_from_configuration(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	frr_site_configure(s, world_masquerade);
	frr_site_run(s, WORLD_SECOND);
	assert_string_equal(s->ours, "");
	assert_true(s->sync.removed);
	assert_int_equal(s->saved.router, 0);
	unsigned reads = s->reads;
	frr_site_run(s, 100 * WORLD_SECOND);
	assert_int_equal(s->reads, reads);
	/* FRR starts anew, and its own saved configuration has brought ours back */
	frr_site_set_ours(s, "ip route 100.64.0.0/12 CloudflareWARP tag 4294901867\n");
	frr_site_present(s);
	assert_false(s->sync.removed);
	frr_site_run(s, 2 * FRR_SETTLE_DOWN_US);
	assert_string_equal(s->ours, "");
	assert_int_equal(s->reads, reads + 2);
}

static void test_down(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	s->deaf = true;
	gateway_enter(&s->w.gateway, GATEWAY_DOWN, nullptr);
	world_run(&s->w, 0);
	frr_site_run(s, WORLD_SECOND / 2);
	assert_true(s->sync.settled && s->sync.removing);
	assert_true(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
	s->deaf = false;
	frr_site_run(s, 5 * WORLD_SECOND);
	assert_true(s->sync.removed);
	assert_false(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
	assert_string_equal(s->ours, "");
}

/* A configuration that cannot be read is no reason to take anything away. */
static void test_unconfigured(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	unsigned reads = s->reads;
	gateway_enter(&s->w.gateway, GATEWAY_UNCONFIGURED, nullptr);
	frr_site_run(s, 100 * WORLD_SECOND);
	assert_int_equal(s->reads, reads);
	assert_true(s->sync.memory.touched);
}

/* The interface is there and up, and the kernel has no route: the announcement goes, the static
 * stays. Without the interface FRR knows for itself. */
static void test_route_lost(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	s->writes = 0;
	s->w.gateway.seen.ours.n = 0;
	frr_site_run(s, FRR_ROUTE_GRACE_US / 2);
	assert_int_equal(s->writes, 0);
	frr_site_run(s, FRR_ROUTE_GRACE_US);
	assert_int_equal(s->writes, 1);
	assert_non_null(strstr(s->script, "no network 100.64.0.0/12"));
	assert_null(strstr(s->script, "no ip route"));
	assert_true(s->sync.in_place);
	gateway_mark(&s->w.gateway, DIRTY_ALL);
	world_run(&s->w, 0);
	frr_site_run(s, WORLD_SECOND);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "network 100.64.0.0/12"));
	s->w.gateway.seen.ours.n = 0;
	s->w.gateway.seen.links.n = 0;
	frr_site_run(s, 10 * WORLD_SECOND);
	assert_int_equal(s->writes, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_without_bgp, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_comes_up, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_apply_overtakes_down, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_restart, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_ends_that_are_none, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_looks_soon_again, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_stale_reason, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_removed_from_configuration, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_down, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_unconfigured, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_route_lost, frr_site_setup, frr_site_teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
