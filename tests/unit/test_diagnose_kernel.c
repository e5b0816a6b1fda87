/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A diagnosis from beginning to end, with an observer that says what a test wants it to: how long
 * it is asked for, and what is known when it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/diagnose.h"
#include "lib/api_trace.h"
#include "lib/json.h"
#include "nft_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char text[] = "mesh: {interface: mesh0}\n"
			   "lan: [{interface: lan0, networks: [10.0.1.0/24]}]\n";

/* What the observer does once it was asked. */
enum end { SAYS_NOTHING_MORE, DIES, TALKS_NONSENSE };

struct scene {
	sd_event *event;
	sd_varlink_server *server;
	enum end end;
	int64_t duration_ms;
	struct evidence e;
};

static void say(sd_varlink *link, const char *kind)
{
	autojson sd_json_variant *facts = nullptr;

	assert_true(sd_json_variant_append_arraybo(&facts, SD_JSON_BUILD_PAIR_STRING("kind", kind),
			    SD_JSON_BUILD_PAIR_STRING("origin", "real")) >= 0);
	assert_true(sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("facts", facts),
			    SD_JSON_BUILD_PAIR_BOOLEAN("done", false)) >= 0);
}

static int on_later(sd_event_source *, void *userdata)
{
	sd_varlink *link = userdata;

	(void)sd_varlink_flush(link);
	sd_varlink_close_unref(link);
	return 0;
}

static int on_observe(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	struct scene *s = userdata;

	s->duration_ms = sd_json_variant_integer(sd_json_variant_by_key(parameters, "durationMs"));
	say(link, "drop");
	if (s->end == TALKS_NONSENSE)
		say(link, "sysctl");
	if (s->end == DIES)
		assert_true(
			sd_event_add_defer(s->event, nullptr, on_later, sd_varlink_ref(link)) >= 0);
	return 0;
}

static void on_tell(void *, struct evidence *)
{
}

static void on_done(void *arg, struct evidence *e)
{
	struct scene *s = arg;

	s->e = *e;
	*e = (struct evidence){};
	(void)sd_event_exit(s->event, 0);
}

static void serve(struct scene *s, const char *path)
{
	assert_true(sd_event_new(&s->event) >= 0);
	assert_true(sd_varlink_server_new(&s->server, SD_VARLINK_SERVER_INHERIT_USERDATA) >= 0);
	sd_varlink_server_set_userdata(s->server, s);
	assert_true(sd_varlink_server_add_interface(s->server, &api_trace_interface) >= 0);
	assert_true(sd_varlink_server_bind_method(s->server, API_TRACE_OBSERVE, on_observe) >= 0);
	(void)unlink(path);
	assert_true(sd_varlink_server_listen_address(s->server, path, 0600) >= 0);
	assert_true(sd_varlink_server_attach_event(s->server, s->event, 0) >= 0);
}

static void run(struct scene *s, uint64_t limit_us)
{
	char path[64];
	struct config_diags diags = {};
	struct config *config;
	struct diagnosis *d;

	snprintf(path, sizeof(path), "/tmp/meshgw-trace-%d", getpid());
	serve(s, path);
	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, &diags), 0);
	config_diags_clear(&diags);
	struct diagnose_options o = {
		.flow = {.proto = IPPROTO_TCP, .target = netns_addr("10.0.1.50"), .port = 3000},
		.limit_us = limit_us,
		.config = config,
		.trace_socket = path,
		.probe_socket = "/nonexistent",
		.tell = on_tell,
		.done = on_done,
		.arg = s};
	assert_int_equal(diagnose_client(config, &o.flow, nullptr), 0);
	assert_int_equal(diagnose_start(s->event, &o, &d), 0);
	assert_int_equal(sd_event_loop(s->event), 0);
	config_free(config);
	sd_varlink_server_unref(s->server);
	sd_event_unref(s->event);
	(void)unlink(path);
}

static const char *missing(const struct evidence *e, enum fact_observer observer)
{
	size_t at = 0;

	for (const struct fact *f; (f = evidence_next(e, FACT_MISSING, &at));)
		if (f->missing.observer == observer)
			return f->missing.why;
	return nullptr;
}

static size_t drops(const struct evidence *e)
{
	size_t at = 0, n = 0;

	while (evidence_next(e, FACT_DROP, &at))
		n++;
	return n;
}

/* What it said before it failed is kept, and that it failed is told. */
static void test_observer_fails(void **)
{
	static const struct {
		const char *name;
		enum end end;
		const char *why; /* nullptr = nothing is missing */
	} cases[] = {
		{"goes on", SAYS_NOTHING_MORE, nullptr},
		{"dies", DIES, "Disconnected"},
		{"talks nonsense", TALKS_NONSENSE, "a fact of kind sysctl, unasked for"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene s = {.end = cases[i].end};
		print_message("%s\n", cases[i].name);
		run(&s, DIAGNOSE_LIMIT_MIN_US);
		const char *why = missing(&s.e, OBSERVER_TRACE);
		if (cases[i].why)
			assert_non_null(strstr(why ? why : "", cases[i].why));
		else
			assert_null(why);
		assert_int_equal(drops(&s.e), 1);
		assert_int_equal(s.duration_ms, DIAGNOSE_LIMIT_MIN_US / 1000);
		evidence_clear(&s.e);
	}
}

/* A limit beyond what the observer takes is its own. */
static void test_long_limit(void **)
{
	struct scene s = {};

	run(&s, DIAGNOSE_LIMIT_MAX_US);
	assert_int_equal(s.duration_ms, API_TRACE_DURATION_MAX_MS);
	assert_null(missing(&s.e, OBSERVER_TRACE));
	evidence_clear(&s.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_observer_fails, nft_world_setup, nft_world_teardown),
		cmocka_unit_test_setup_teardown(
			test_long_limit, nft_world_setup, nft_world_teardown),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
