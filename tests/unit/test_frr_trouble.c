/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frr_sync and an FRR that does not do as it is told: scripts that are lost or cut off, daemons
 * that are missing or forget, others' statements where ours would be; and what is said of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frr_site.h"
#include <errno.h>
#include <string.h>

/* vtysh without mgmtd: nothing said, nothing done. */
static void test_deaf(void **state)
{
	struct frr_site *s = *state;

	s->deaf = true;
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_true(s->sync.settled);
	assert_true(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
	frr_site_run(s, 60 * WORLD_SECOND);
	assert_in_range(s->writes, 4, 8);
	s->deaf = false;
	frr_site_run(s, 2 * FRR_RETRY_MAX_US);
	assert_true(s->sync.in_place);
	assert_false(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
}

/* mgmtd is locked, or has just lost a daemon: no line is to blame, and all of them wait. */
static void test_locked(void **state)
{
	static const struct {
		const char *answer, *said;
	} cases[] = {
		{"% command failed, could not lock running DS", "could not lock running DS"},
		{"% command failed, could not lock candidate DS", "could not lock candidate DS"},
		{"% Configuration failed.\n\nBackend daemon disconnected while processing commit!",
			"failed. Backend daemon disconnected"},
	};
	struct frr_site *s = *state;

	frr_site_configure(s, frr_site_bgp);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->refuses = cases[i].answer;
		s->writes = 0;
		frr_site_set_ours(s, "");
		frr_site_present(s);
		frr_site_run(s, 60 * WORLD_SECOND);
		assert_in_range(s->writes, 4, 8);
		assert_true(s->sync.settled);
		assert_true(frr_site_says(s, COND_FRR_CONFIG_LOCKED, cases[i].said));
		assert_false(frr_site_stands(s, COND_FRR_CONFIG_REJECTED));
		assert_false(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
		s->refuses = nullptr;
		frr_site_run(s, FRR_RETRY_MAX_US);
		assert_true(s->sync.in_place);
		assert_false(frr_site_stands(s, COND_FRR_CONFIG_LOCKED));
	}
	s->refuses = "% Malformed address";
	frr_site_set_ours(s, "");
	frr_site_present(s);
	frr_site_run(s, 2 * WORLD_SECOND);
	assert_true(frr_site_stands(s, COND_FRR_CONFIG_REJECTED));
	assert_false(frr_site_stands(s, COND_FRR_CONFIG_LOCKED));
}

/* mgmtd waits for the daemon that it lost, and vtysh for mgmtd. */
static void test_commit_does_not_end(void **state)
{
	struct frr_site *s = *state;

	s->cut_at = "";
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_true(frr_site_says(s, COND_FRR_CONFIG_LOCKED, "vtysh does not end"));
	assert_false(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
	frr_site_run(s, 2 * WORLD_SECOND);
	assert_true(s->sync.in_place);
	assert_false(frr_site_stands(s, COND_FRR_CONFIG_LOCKED));
}

/* vtysh ends behind the first statement of the neighbour, which nothing marks as ours yet. */
static void cut_off(struct frr_site *s)
{
	s->cut_at = "router bgp 65010\n neighbor 10.0.1.1 remote-as external\n"
		    " address-family ipv4 unicast\n"
		    "  no neighbor 10.0.1.1 activate\nexit\n";
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_int_equal(s->saved.n_begun, 1);
	assert_false(frr_site_stands(s, COND_FRR_NEIGHBOR_FOREIGN));
}

static void test_cut_off(void **state)
{
	struct frr_site *s = *state;

	cut_off(s);
	frr_site_run(s, 2 * WORLD_SECOND);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "neighbor 10.0.1.1 description meshgw"));
	assert_true(s->sync.in_place);
}

/* The next script is of a configuration that has another neighbour. */
static void test_cut_off_and_removed(void **state)
{
	static const char other[] =
		"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
		"return_path: masquerade\n"
		"bgp: {asn: 65010, neighbors: [{address: 10.0.1.2, remote_as: external}]}\n";
	struct frr_site *s = *state;

	cut_off(s);
	frr_site_configure(s, other);
	frr_site_run(s, 2 * WORLD_SECOND);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "no neighbor 10.0.1.1\n"));
	assert_true(s->sync.in_place);
	assert_int_equal(s->saved.n_begun, 0);
}

/* The process ends, too; the next one knows from the disk what was begun. */
static void test_cut_off_with_the_daemon(void **state)
{
	struct frr_site *s = *state;

	cut_off(s);
	frr_sync_clear(&s->sync);
	frr_sync_init(&s->sync, &s->w.gateway, frr_site_save, s);
	s->sync.memory = s->sync.kept = s->saved;
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "neighbor 10.0.1.1 description meshgw"));
	assert_true(s->sync.in_place);
}

/* The same where no script of ours was cut off: another's. */
static void test_bare_neighbor_of_others(void **state)
{
	struct frr_site *s = *state;

	s->deaf = true;
	frr_site_set_ours(s, "router bgp 65010\n neighbor 10.0.1.1 remote-as external\nexit\n");
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_true(frr_site_stands(s, COND_FRR_NEIGHBOR_FOREIGN));
	assert_null(strstr(s->script, "neighbor 10.0.1.1"));
}

/* A neighbour that has come by somebody's listen range; FRR takes no statement about it. */
static void test_listen_range(void **state)
{
	struct frr_site *s = *state;

	s->session = "{\"10.0.1.1\": {\"peerSubnetRangeGroup\": \"10.0.1.0/24\", "
		     "\"bgpState\": \"Established\", \"bgpTimerUpMsec\": 60000}}";
	s->deaf = true;
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_null(strstr(s->script, "neighbor 10.0.1.1"));
	assert_true(frr_site_says(s, COND_FRR_NEIGHBOR_FOREIGN, "meshgw.yaml:3:41"));
	assert_true(frr_site_says(s, COND_FRR_NEIGHBOR_FOREIGN, "listen range 10.0.1.0/24"));
	assert_true(frr_site_says(s, COND_FRR_NEIGHBOR_FOREIGN, "remove the listen range"));
	assert_false(frr_site_stands(s, COND_FRR_CONFIG_REJECTED));
	s->session = "{}";
	s->deaf = false;
	frr_site_run(s, 2 * FRR_RETRY_MAX_US);
	assert_true(s->sync.in_place);
	assert_false(frr_site_stands(s, COND_FRR_NEIGHBOR_FOREIGN));
	assert_non_null(strstr(s->script, "neighbor 10.0.1.1 remote-as external"));
}

static void test_does_not_answer(void **state)
{
	static const struct {
		const char *garbage;
		int error;
		enum condition_code code;
	} cases[] = {
		{"", 0, COND_FRR_NOT_ANSWERING},
		{"\xff\xfe{{{", 0, COND_FRR_NOT_ANSWERING},
		{"gw1# show daemons\n zebra bgpd", 0, COND_FRR_NOT_ANSWERING},
		{"gw1# show daemons\n zebra\ngw1# show running-config\nframe\n", 0,
			COND_FRR_NOT_ANSWERING},
		{"Exiting: failed to connect to any daemons.\n", 0, COND_BGP_DAEMON_DOWN},
		{nullptr, ETIME, COND_FRR_NOT_ANSWERING},
		{nullptr, EMSGSIZE, COND_FRR_NOT_ANSWERING},
		{nullptr, ENOENT, COND_FRR_NOT_INSTALLED},
	};
	struct frr_site *s = *state;

	frr_site_configure(s, frr_site_bgp);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->garbage = cases[i].garbage;
		s->error = cases[i].error;
		s->reads = s->writes = 0;
		frr_site_present(s);
		frr_site_run(s, 60 * WORLD_SECOND);
		assert_true(s->sync.settled);
		assert_true(frr_site_stands(s, cases[i].code));
		assert_int_equal(s->writes, 0);
		assert_in_range(s->reads, 4, 8);
	}
	s->garbage = nullptr;
	s->error = 0;
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_true(s->sync.in_place);
}

/* What the daemon would take is left out, the rest is written. */
static void test_daemon_missing(void **state)
{
	struct frr_site *s = *state;

	s->daemons = " zebra bgpd staticd";
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, 5 * WORLD_SECOND);
	assert_true(s->writes > 0);
	assert_null(strstr(s->script, "ip route"));
	assert_non_null(strstr(s->script, "network 100.64.0.0/12"));
	assert_true(frr_site_stands(s, COND_BGP_DAEMON_DOWN));
	s->daemons = frr_site_daemons;
	frr_site_set_ours(s, "");
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_non_null(strstr(s->script, "ip route 100.64.0.0/12"));
	assert_true(s->sync.in_place);
	assert_false(frr_site_stands(s, COND_BGP_DAEMON_DOWN));
}

/* What others still show of our policies is worth nothing to a bgpd that started anew. */
static void test_bgpd_lost(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	s->bgpd_lost = true;
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "route-map MESHGW-NETWORK permit 10"));
	assert_non_null(strstr(s->script, "prefix-list MESHGW-RANGES"));
	assert_true(s->sync.in_place);
}

/* Somebody else's `router bgp` came with FRR's own configuration: it is not ours any more. */
static void test_router_of_others(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	frr_site_set_ours(s, "router bgp 65010\nexit\n!\n");
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_true(s->sync.in_place);
	assert_int_equal(s->sync.memory.router, 0);
}

static void test_contested(void **state)
{
	struct frr_site *s = *state;

	frr_site_up(s);
	for (unsigned i = 0; i < 20; i++) {
		frr_site_set_ours(s, "");
		frr_sync_poke(&s->sync, s->w.now_us);
		frr_site_run(s, WORLD_SECOND);
	}
	assert_true(frr_site_stands(s, COND_STATE_CONTESTED));
	assert_in_range(s->writes, FRR_FIGHT_REPAIRS, FRR_FIGHT_REPAIRS + 3);
	unsigned writes = s->writes;
	frr_site_run(s, FRR_FIGHT_PAUSE_US);
	assert_int_equal(s->writes, writes + 1); /* it is mended, once in a while */
	frr_site_run(s, 2 * FRR_FIGHT_US);
	assert_false(frr_site_stands(s, COND_STATE_CONTESTED));
}

/* What is not on disk is not written: after a crash nobody would know whose it is. */
static void test_disk_full(void **state)
{
	struct frr_site *s = *state;

	s->save_error = ENOSPC;
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_int_equal(s->writes, 0);
	assert_true(frr_site_stands(s, COND_FRR_NOT_IN_PLACE));
	s->save_error = 0;
	frr_site_run(s, 5 * WORLD_SECOND);
	assert_true(s->sync.in_place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_deaf, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_locked, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_commit_does_not_end, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_cut_off, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_cut_off_and_removed, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_cut_off_with_the_daemon, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_listen_range, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_bare_neighbor_of_others, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_does_not_answer, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_daemon_missing, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_bgpd_lost, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(
			test_router_of_others, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_contested, frr_site_setup, frr_site_teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, frr_site_setup, frr_site_teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
