/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frr_sync over the kernel in memory and an FRR made of text: what it reads, when it writes, and
 * what it says when FRR does not do as it is told. Time is the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/frr_conditions.h"
#include "daemon/frr_presence.h"
#include "frr/render.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "world.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char with_bgp[] =
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
	"return_path: masquerade\n"
	"bgp: {asn: 65010, neighbors: [{address: 10.0.1.1, remote_as: external}]}\n";

constexpr unsigned ALL_SOCKETS = FRR_SOCKET_ZEBRA | FRR_SOCKET_MGMTD | FRR_SOCKET_STATICD |
				 FRR_SOCKET_BGPD | FRR_SOCKET_BFDD;
static const char all_daemons[] = " mgmtd zebra bgpd staticd bfdd";
static const char foreign[] = "frr version 10.3\nfrr defaults traditional\nhostname gw1\n!\n"
			      "ip route 192.0.2.0/24 Null0\n!\n";

/* ---- an FRR made of text ---- */

struct site {
	struct world w;
	struct frr_sync sync;
	char *ours;          /* what of ours runs, "" = nothing */
	const char *daemons; /* that answer */
	const char *garbage; /* printed instead of everything, nullptr = nothing */
	int error;           /* of each run */
	bool bgpd_lost;      /* bgpd alone knows nothing of ours any more */
	const char *cut_at;  /* what of the next script is taken before vtysh ends */
	bool deaf;           /* takes scripts without a word, and loses them */
	const char *session; /* JSON about the neighbour */
	const char *path;    /* the same about a range */
	unsigned reads, writes, saves;
	bool saved_before_write;
	char script[8192]; /* the last one */
	struct frr_memory saved;
	int save_error;
};

static int save(void *arg, const struct frr_memory *memory, struct err *err)
{
	struct site *s = arg;

	if (s->save_error)
		return err_set(err, s->save_error, "no space");
	s->saved = *memory;
	s->saves++;
	return 0;
}

static void set_ours(struct site *s, const char *text)
{
	free(s->ours);
	s->ours = xstrdup(text);
}

/* What of ours stands in FRR once it took a script: the same objects as in a complete frr.conf. */
static void take_script(struct site *s)
{
	struct frr_built built;
	struct frr_script script = {};

	s->bgpd_lost = false;
	if (!s->sync.config) {
		set_ours(s, "");
		return;
	}
	frr_model_build(s->sync.config, s->sync.routes.announce, &s->sync.secrets, nullptr, &built);
	frr_render(&built.model, true, &script);
	autofree char *text = frr_script_text(&script, true, nullptr);
	set_ours(s, text);
	frr_script_clear(&script);
	frr_built_clear(&built);
}

static void print_config(FILE *f, const char *ours)
{
	fprintf(f, "Building configuration...\n\nCurrent configuration:\n!\n%s%send\n", foreign,
		ours);
}

/* vtysh echoes each line behind its prompt. */
static void answer_line(struct site *s, const char *line, FILE *f)
{
	fprintf(f, "gw1# %s\n", line);
	if (!strcmp(line, "show daemons"))
		fprintf(f, "%s\n", s->daemons);
	else if (!strcmp(line, "show running-config bgpd"))
		print_config(f, s->bgpd_lost ? "" : s->ours);
	else if (!strncmp(line, "show running-config", 19))
		print_config(f, s->ours);
	else if (s->path && !strcmp(line, "show bgp ipv4 unicast 100.64.0.0/12 json"))
		fprintf(f, "%s\n", s->path);
	else if (!strcmp(line, "show bgp neighbors 10.0.1.1 json"))
		fprintf(f, "%s\n", s->session);
	else
		fputs("{}\n", f);
}

static char *answer_lines(struct site *s, const char *script)
{
	autofree char *copy = xstrdup(script);
	char *out = nullptr, *rest = copy;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(f);
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			answer_line(s, line, f);
	fputs("gw1# \n", f);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void write_script(struct site *s, const char *script)
{
	s->writes++;
	s->saved_before_write = s->saved.touched;
	snprintf(s->script, sizeof(s->script), "%s", script);
	if (s->cut_at)
		set_ours(s, s->cut_at);
	else if (!s->deaf && !s->error)
		take_script(s);
}

static void answer(struct site *s, const struct vtysh_request *q)
{
	autofree char *out = nullptr;
	char nothing[] = "";
	bool writes = s->sync.state == FRR_WRITING;

	assert_int_equal(strlen(q->script), q->script_len);
	if (writes)
		write_script(s, q->script);
	else
		s->reads++;
	if (s->error || writes)
		out = xstrdup("");
	else
		out = s->garbage ? xstrdup(s->garbage) : answer_lines(s, q->script);
	int error = writes && s->cut_at ? ETIME : s->error;
	if (writes)
		s->cut_at = nullptr;
	struct vtysh_result result = {
		.error = error, .out = out, .err = nothing, .n_out = strlen(out)};
	frr_sync_done(&s->sync, &result, s->w.now_us);
}

/* What the loop would do now. */
static void step(struct site *s)
{
	struct vtysh_request q;

	frr_sync_kernel(&s->sync, s->w.now_us);
	while (frr_sync_next(&s->sync, s->w.now_us, &q))
		answer(s, &q);
}

/* So much time, each moment at which something is due. */
static void run(struct site *s, uint64_t duration_us)
{
	uint64_t end = s->w.now_us + duration_us;

	step(s);
	for (;;) {
		uint64_t wake = frr_sync_wake(&s->sync);
		if (!wake || wake > end)
			break;
		if (wake > s->w.now_us)
			s->w.now_us = wake;
		step(s);
	}
	s->w.now_us = end;
}

static void there(struct site *s, unsigned sockets, uint64_t age_us)
{
	struct frr_there t = {.installed = true, .sockets = sockets, .age_us = age_us};
	frr_sync_presence(&s->sync, &t, true, s->w.now_us);
}

/* FRR has just come. */
static void present(struct site *s)
{
	there(s, ALL_SOCKETS, 0);
}

/* Time enough for it, and for what follows. */
constexpr uint64_t SETTLE_US = FRR_SETTLE_US + WORLD_SECOND / 2;

static void configure(struct site *s, const char *text)
{
	world_enter(&s->w, text);
	world_run(&s->w, 0);
	step(s);
}

static bool stands(struct site *s, enum condition_code code)
{
	struct conditions found = {};
	bool any = false;

	frr_conditions_collect(&s->sync, &found);
	for (size_t i = 0; i < found.n; i++)
		any |= found.list[i].code == code;
	conditions_clear(&found);
	return any;
}

static int setup(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	world_init(&s->w, world_host);
	frr_sync_init(&s->sync, &s->w.gateway, save, s);
	s->daemons = all_daemons;
	s->session = "{}";
	set_ours(s, "");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	frr_sync_clear(&s->sync);
	world_clear(&s->w);
	free(s->ours);
	free(s);
	return 0;
}

/* ---- tests ---- */

static void test_without_bgp(void **state)
{
	struct site *s = *state;

	step(s);
	assert_int_equal(s->sync.state, FRR_OFF);
	configure(s, world_masquerade);
	present(s);
	run(s, 100 * WORLD_SECOND);
	assert_int_equal(s->sync.state, FRR_OFF);
	assert_int_equal(s->reads + s->writes + s->saves, 0);
	assert_true(s->sync.settled);
}

static void up(struct site *s)
{
	configure(s, with_bgp);
	present(s);
	run(s, SETTLE_US);
	assert_true(s->sync.in_place);
}

static void test_comes_up(void **state)
{
	struct site *s = *state;

	configure(s, with_bgp);
	assert_int_equal(s->sync.state, FRR_ABSENT);
	assert_true(s->sync.settled); /* nobody waits for what is not there */
	assert_true(stands(s, COND_FRR_NOT_INSTALLED));
	there(s, FRR_SOCKET_ZEBRA, 0);
	run(s, 10 * WORLD_SECOND);
	assert_true(stands(s, COND_BGP_DAEMON_DOWN));
	assert_int_equal(s->reads, 0);
	present(s);
	run(s, FRR_SETTLE_US - 1);
	assert_int_equal(s->reads, 0); /* others may be reading their configuration into it */
	run(s, WORLD_SECOND / 2);
	assert_int_equal(s->reads, 2);
	assert_int_equal(s->writes, 1);
	assert_true(s->saved_before_write);
	assert_int_equal(s->saved.router, 65010);
	assert_true(s->sync.in_place && s->sync.settled);
	assert_true(s->sync.ops.n > 4);
	assert_false(stands(s, COND_FRR_NOT_IN_PLACE));
	/* what stands is only looked at, in time less and less often */
	run(s, 300 * WORLD_SECOND);
	assert_int_equal(s->writes, 1);
	assert_in_range(s->reads, 12, 60);
}

/* vtysh without mgmtd: nothing said, nothing done. */
static void test_deaf(void **state)
{
	struct site *s = *state;

	s->deaf = true;
	configure(s, with_bgp);
	present(s);
	run(s, SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_true(s->sync.settled);
	assert_true(stands(s, COND_FRR_NOT_IN_PLACE));
	run(s, 60 * WORLD_SECOND);
	assert_in_range(s->writes, 4, 8);
	s->deaf = false;
	run(s, 2 * FRR_RETRY_MAX_US);
	assert_true(s->sync.in_place);
	assert_false(stands(s, COND_FRR_NOT_IN_PLACE));
}

/* vtysh ends behind the first statement of the neighbour, which nothing marks as ours yet. */
static void cut_off(struct site *s)
{
	s->cut_at = "router bgp 65010\n neighbor 10.0.1.1 remote-as external\n"
		    " address-family ipv4 unicast\n"
		    "  no neighbor 10.0.1.1 activate\nexit\n";
	configure(s, with_bgp);
	present(s);
	run(s, SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_int_equal(s->saved.n_begun, 1);
	assert_false(stands(s, COND_FRR_NEIGHBOR_FOREIGN));
}

static void test_cut_off(void **state)
{
	struct site *s = *state;

	cut_off(s);
	run(s, 2 * WORLD_SECOND);
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
	struct site *s = *state;

	cut_off(s);
	configure(s, other);
	run(s, 2 * WORLD_SECOND);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "no neighbor 10.0.1.1\n"));
	assert_true(s->sync.in_place);
	assert_int_equal(s->saved.n_begun, 0);
}

/* The process ends, too; the next one knows from the disk what was begun. */
static void test_cut_off_with_the_daemon(void **state)
{
	struct site *s = *state;

	cut_off(s);
	frr_sync_clear(&s->sync);
	frr_sync_init(&s->sync, &s->w.gateway, save, s);
	s->sync.memory = s->sync.kept = s->saved;
	present(s);
	run(s, SETTLE_US);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "neighbor 10.0.1.1 description meshgw"));
	assert_true(s->sync.in_place);
}

/* While everything is being removed nobody is a neighbour of ours; that is no leak for the
 * configuration that comes next. */
static void test_apply_overtakes_down(void **state)
{
	struct site *s = *state;

	s->path = "{\"prefix\": \"100.64.0.0/12\", \"advertisedTo\": {\"10.0.1.1\": {}}}";
	up(s);
	assert_false(stands(s, COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR));
	s->deaf = true;
	configure(s, world_masquerade);
	assert_int_equal(s->sync.view.show.n_leaks, 1);
	world_enter(&s->w, with_bgp);
	world_run(&s->w, 0);
	frr_sync_kernel(&s->sync, s->w.now_us);
	assert_false(stands(s, COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR));
}

/* The same where no script of ours was cut off: another's. */
static void test_bare_neighbor_of_others(void **state)
{
	struct site *s = *state;

	s->deaf = true;
	set_ours(s, "router bgp 65010\n neighbor 10.0.1.1 remote-as external\nexit\n");
	configure(s, with_bgp);
	present(s);
	run(s, SETTLE_US);
	assert_true(stands(s, COND_FRR_NEIGHBOR_FOREIGN));
	assert_null(strstr(s->script, "neighbor 10.0.1.1"));
}

static bool says(struct site *s, enum condition_code code, const char *words)
{
	struct conditions found = {};
	bool any = false;

	frr_conditions_collect(&s->sync, &found);
	for (size_t i = 0; i < found.n; i++)
		any |= found.list[i].code == code && strstr(found.list[i].message, words);
	conditions_clear(&found);
	return any;
}

/* A neighbour that has come by somebody's listen range; FRR takes no statement about it. */
static void test_listen_range(void **state)
{
	struct site *s = *state;

	s->session = "{\"10.0.1.1\": {\"peerSubnetRangeGroup\": \"10.0.1.0/24\", "
		     "\"bgpState\": \"Established\", \"bgpTimerUpMsec\": 60000}}";
	s->deaf = true;
	configure(s, with_bgp);
	present(s);
	run(s, SETTLE_US);
	assert_int_equal(s->writes, 1);
	assert_null(strstr(s->script, "neighbor 10.0.1.1"));
	assert_true(says(s, COND_FRR_NEIGHBOR_FOREIGN, "meshgw.yaml:3:41"));
	assert_true(says(s, COND_FRR_NEIGHBOR_FOREIGN, "listen range 10.0.1.0/24"));
	assert_true(says(s, COND_FRR_NEIGHBOR_FOREIGN, "remove the listen range"));
	assert_false(stands(s, COND_FRR_CONFIG_REJECTED));
	s->session = "{}";
	s->deaf = false;
	run(s, 2 * FRR_RETRY_MAX_US);
	assert_true(s->sync.in_place);
	assert_false(stands(s, COND_FRR_NEIGHBOR_FOREIGN));
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
	struct site *s = *state;

	configure(s, with_bgp);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->garbage = cases[i].garbage;
		s->error = cases[i].error;
		s->reads = s->writes = 0;
		present(s);
		run(s, 60 * WORLD_SECOND);
		assert_true(s->sync.settled);
		assert_true(stands(s, cases[i].code));
		assert_int_equal(s->writes, 0);
		assert_in_range(s->reads, 4, 8);
	}
	s->garbage = nullptr;
	s->error = 0;
	present(s);
	run(s, SETTLE_US);
	assert_true(s->sync.in_place);
}

/* What the daemon would take is left out, the rest is written. */
static void test_daemon_missing(void **state)
{
	struct site *s = *state;

	s->daemons = " zebra bgpd staticd";
	configure(s, with_bgp);
	present(s);
	run(s, 5 * WORLD_SECOND);
	assert_true(s->writes > 0);
	assert_null(strstr(s->script, "ip route"));
	assert_non_null(strstr(s->script, "network 100.64.0.0/12"));
	assert_true(stands(s, COND_BGP_DAEMON_DOWN));
	s->daemons = all_daemons;
	set_ours(s, "");
	present(s);
	run(s, SETTLE_US);
	assert_non_null(strstr(s->script, "ip route 100.64.0.0/12"));
	assert_true(s->sync.in_place);
	assert_false(stands(s, COND_BGP_DAEMON_DOWN));
}

/* Within five seconds of its being back everything stands again; nobody is blamed. */
static void test_restart(void **state)
{
	struct site *s = *state;

	up(s);
	for (unsigned i = 0; i < 10; i++) {
		unsigned writes = s->writes;
		set_ours(s, "");
		there(s, 0, UINT64_MAX);
		run(s, WORLD_SECOND);
		assert_true(stands(s, COND_BGP_DAEMON_DOWN));
		present(s);
		run(s, SETTLE_US);
		assert_int_equal(s->writes, writes + 1);
		assert_true(s->sync.in_place);
	}
	assert_false(stands(s, COND_STATE_CONTESTED));
	assert_int_equal(s->sync.memory.router, 65010);
}

/* What others still show of our policies is worth nothing to a bgpd that started anew. */
static void test_bgpd_lost(void **state)
{
	struct site *s = *state;

	up(s);
	s->bgpd_lost = true;
	present(s);
	run(s, SETTLE_US);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "route-map MESHGW-NETWORK permit 10"));
	assert_non_null(strstr(s->script, "prefix-list MESHGW-RANGES"));
	assert_true(s->sync.in_place);
}

/* Somebody else's `router bgp` came with FRR's own configuration: it is not ours any more. */
static void test_router_of_others(void **state)
{
	struct site *s = *state;

	up(s);
	set_ours(s, "router bgp 65010\nexit\n!\n");
	present(s);
	run(s, SETTLE_US);
	assert_true(s->sync.in_place);
	assert_int_equal(s->sync.memory.router, 0);
}

static void test_contested(void **state)
{
	struct site *s = *state;

	up(s);
	for (unsigned i = 0; i < 20; i++) {
		set_ours(s, "");
		frr_sync_poke(&s->sync, s->w.now_us);
		run(s, WORLD_SECOND);
	}
	assert_true(stands(s, COND_STATE_CONTESTED));
	assert_in_range(s->writes, FRR_FIGHT_REPAIRS, FRR_FIGHT_REPAIRS + 3);
	unsigned writes = s->writes;
	run(s, FRR_FIGHT_PAUSE_US);
	assert_int_equal(s->writes, writes + 1); /* it is mended, once in a while */
	run(s, 2 * FRR_FIGHT_US);
	assert_false(stands(s, COND_STATE_CONTESTED));
}

static void test_ends_that_are_none(void **state)
{
	struct site *s = *state;
	struct addr neighbor;
	unsigned reads;

	assert_int_equal(addr_parse("10.0.1.1", &neighbor), 0);
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Established\",\"bgpTimerUpMsec\":1000000}}";
	up(s);
	run(s, FRR_POLL_US);
	reads = s->reads;
	for (unsigned i = 0; i < 1200; i++) { /* ten a second */
		frr_sync_ended(&s->sync, &neighbor, s->w.now_us);
		run(s, WORLD_SECOND / 10);
	}
	unsigned polls = (unsigned)(120 * WORLD_SECOND / FRR_POLL_US);
	assert_in_range(s->reads - reads, polls, polls + 5);
	/* one that is none, after a time without, is looked at at once */
	run(s, 4 * FRR_POLL_US);
	run(s, s->sync.due_us - s->w.now_us + WORLD_SECOND);
	reads = s->reads;
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Active\"}}";
	run(s, 2 * WORLD_SECOND);
	assert_int_equal(s->reads, reads);
	frr_sync_ended(&s->sync, &neighbor, s->w.now_us);
	run(s, WORLD_SECOND / 2);
	assert_int_equal(s->reads, reads + 1);
	assert_true(stands(s, COND_BGP_SESSION_DOWN));
	/* where no session stands, it is no news at all */
	run(s, FRR_POLL_US);
	reads = s->reads;
	frr_sync_ended(&s->sync, &neighbor, s->w.now_us);
	run(s, WORLD_SECOND / 10);
	assert_int_equal(s->reads, reads);
}

/* Who waits for long looks seldom; one that came is looked at soon again. */
static void test_looks_soon_again(void **state)
{
	struct site *s = *state;
	unsigned reads;

	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Active\"}}";
	up(s);
	run(s, 200 * FRR_POLL_MAX_US);
	reads = s->reads;
	run(s, 10 * FRR_POLL_MAX_US);
	assert_in_range(s->reads - reads, 9, 11);
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Established\",\"bgpTimerUpMsec\":1000}}";
	run(s, s->sync.due_us - s->w.now_us + 1);
	reads = s->reads;
	run(s, 3 * FRR_POLL_MIN_US + FRR_POLL_MIN_US / 2);
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
	struct site *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->session = cases[i].session;
		configure(s, with_bgp);
		present(s);
		run(s, 2 * FRR_WATCH_US);
		if (!stands(s, cases[i].code))
			print_error("case %zu\n", i);
		assert_true(stands(s, cases[i].code));
	}
	/* unless segments with a wrong signature come in, which FRR does not hear of */
	frr_sync_md5(&s->sync, &(struct frr_md5){.unexpected = 1}, s->w.now_us);
	assert_false(stands(s, COND_BGP_AUTH_MISMATCH));
	frr_sync_md5(&s->sync, &(struct frr_md5){.unexpected = 2}, s->w.now_us);
	assert_true(stands(s, COND_BGP_AUTH_MISMATCH));
	/* which is over once the session has stood */
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Established\"}}";
	run(s, 2 * FRR_POLL_US);
	s->session = "{\"10.0.1.1\":{\"bgpState\":\"Active\"}}";
	run(s, 2 * FRR_POLL_US);
	assert_true(stands(s, COND_BGP_SESSION_DOWN));
	assert_false(stands(s, COND_BGP_AUTH_MISMATCH));
}

static void test_removed_from_configuration(void **state)
{
	struct site *s = *state;

	up(s);
	configure(s, world_masquerade);
	run(s, WORLD_SECOND);
	assert_string_equal(s->ours, "");
	assert_true(s->sync.removed);
	assert_int_equal(s->saved.router, 0);
	unsigned reads = s->reads;
	run(s, 100 * WORLD_SECOND);
	assert_int_equal(s->reads, reads);
	/* FRR starts anew, and its own saved configuration has brought ours back */
	set_ours(s, "ip route 100.64.0.0/12 CloudflareWARP tag 4294901867\n");
	present(s);
	assert_false(s->sync.removed);
	run(s, 2 * FRR_SETTLE_DOWN_US);
	assert_string_equal(s->ours, "");
	assert_int_equal(s->reads, reads + 2);
}

static void test_down(void **state)
{
	struct site *s = *state;

	up(s);
	s->deaf = true;
	gateway_enter(&s->w.gateway, GATEWAY_DOWN, nullptr);
	world_run(&s->w, 0);
	run(s, WORLD_SECOND / 2);
	assert_true(s->sync.settled && s->sync.removing);
	assert_true(stands(s, COND_FRR_NOT_IN_PLACE));
	s->deaf = false;
	run(s, 5 * WORLD_SECOND);
	assert_true(s->sync.removed);
	assert_false(stands(s, COND_FRR_NOT_IN_PLACE));
	assert_string_equal(s->ours, "");
}

/* A configuration that cannot be read is no reason to take anything away. */
static void test_unconfigured(void **state)
{
	struct site *s = *state;

	up(s);
	unsigned reads = s->reads;
	gateway_enter(&s->w.gateway, GATEWAY_UNCONFIGURED, nullptr);
	run(s, 100 * WORLD_SECOND);
	assert_int_equal(s->reads, reads);
	assert_true(s->sync.memory.touched);
}

/* What is not on disk is not written: after a crash nobody would know whose it is. */
static void test_disk_full(void **state)
{
	struct site *s = *state;

	s->save_error = ENOSPC;
	configure(s, with_bgp);
	present(s);
	run(s, SETTLE_US);
	assert_int_equal(s->writes, 0);
	assert_true(stands(s, COND_FRR_NOT_IN_PLACE));
	s->save_error = 0;
	run(s, 5 * WORLD_SECOND);
	assert_true(s->sync.in_place);
}

/* The interface is there and up, and the kernel has no route: the announcement goes, the static
 * stays. Without the interface FRR knows for itself. */
static void test_route_lost(void **state)
{
	struct site *s = *state;

	up(s);
	s->writes = 0;
	s->w.gateway.seen.ours.n = 0;
	run(s, FRR_ROUTE_GRACE_US / 2);
	assert_int_equal(s->writes, 0);
	run(s, FRR_ROUTE_GRACE_US);
	assert_int_equal(s->writes, 1);
	assert_non_null(strstr(s->script, "no network 100.64.0.0/12"));
	assert_null(strstr(s->script, "no ip route"));
	assert_true(s->sync.in_place);
	gateway_mark(&s->w.gateway, DIRTY_ALL);
	world_run(&s->w, 0);
	run(s, WORLD_SECOND);
	assert_int_equal(s->writes, 2);
	assert_non_null(strstr(s->script, "network 100.64.0.0/12"));
	s->w.gateway.seen.ours.n = 0;
	s->w.gateway.seen.links.n = 0;
	run(s, 10 * WORLD_SECOND);
	assert_int_equal(s->writes, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_without_bgp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deaf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply_overtakes_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_off_and_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_off_with_the_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bare_neighbor_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_does_not_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_daemon_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bgpd_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_router_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looks_soon_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed_from_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unconfigured, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_route_lost, setup, teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
