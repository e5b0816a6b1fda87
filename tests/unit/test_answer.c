/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that wait for FRR: not before an attempt has come to its end, and then with what became
 * of it. FRR's side is a machine whose runs of vtysh the test ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/answer.h"
#include "daemon/clock.h"
#include "gateway_client.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "world.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CALL(method, parameters) \
	"{\"method\":\"io.meshgw.Gateway." method "\",\"parameters\":{" parameters "}}"
#define BGP ", bgp: {asn: 65010, neighbors: [{address: 10.0.1.1, remote_as: external}]}"
#define CONTENT(more) "\"content\":\"{lan: [{interface: eth0, networks: [10.0.1.0/24]}]" more "}\""

struct site {
	struct world w;
	struct conditions conditions;
	struct frr_sync frr;
	struct server_context context;
	struct server *server;
	sd_event *event;
	int client;
	bool absent;
};

/* What the loop does after a method. */
static void on_changed(void *arg)
{
	struct site *s = arg;
	struct frr_there there = {
		.installed = !s->absent, .sockets = s->absent ? 0 : ~0U, .age_us = UINT64_MAX};

	world_run(&s->w, 0);
	frr_sync_presence(&s->frr, &there, false, s->w.now_us);
	frr_sync_kernel(&s->frr, s->w.now_us);
}

static int save(void *, const struct frr_memory *, struct err *)
{
	return 0;
}

static int setup(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct err err = {};

	world_init(&s->w, world_host);
	frr_sync_init(&s->frr, &s->w.gateway, save, s);
	s->context = (struct server_context){.reload = &s->w.reload,
		.frr = &s->frr,
		.conditions = &s->conditions,
		.changed = on_changed,
		.arg = s};
	assert_true(sd_event_new(&s->event) >= 0);
	assert_int_equal(server_new(s->event, s->w.dir, &s->context, &s->server, &err), 0);
	s->client = client_connect(s->server, SERVER_CONTROL);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	close(s->client);
	client_serve(s->event);
	server_free(s->server);
	sd_event_unref(s->event);
	frr_sync_clear(&s->frr);
	world_clear(&s->w);
	free(s);
	return 0;
}

static void serve(struct site *s, char answer[static 65536])
{
	client_read(s->event, s->client, answer, 65536);
}

static void ask(struct site *s, const char *message, char answer[static 65536])
{
	size_t len = strlen(message) + 1;

	assert_int_equal(send(s->client, message, len, MSG_NOSIGNAL), len);
	serve(s, answer);
}

/* Ends the run of vtysh that is wanted next, as one that hung. */
static void hang(struct site *s)
{
	struct vtysh_request q;
	char nothing[] = "";
	struct vtysh_result result = {.error = ETIME, .out = nothing, .err = nothing};

	world_run(&s->w, WORLD_SECOND);
	assert_true(frr_sync_next(&s->frr, s->w.now_us, &q));
	frr_sync_done(&s->frr, &result, s->w.now_us);
	answers_step(s->context.answers);
}

static void test_without_bgp(void **state)
{
	struct site *s = *state;
	char answer[65536];

	ask(s, CALL("Apply", CONTENT("")), answer);
	assert_non_null(strstr(answer, "\"operations\":[{"));
	assert_null(strstr(answer, "conditions"));
	ask(s, CALL("Down", ""), answer);
	assert_non_null(strstr(answer, "\"operations\":[{"));
}

static void test_absent(void **state)
{
	struct site *s = *state;
	char answer[65536];

	s->absent = true;
	ask(s, CALL("Apply", CONTENT(BGP)), answer);
	assert_non_null(strstr(answer, "\"operations\":[{"));
	assert_non_null(strstr(answer, "frr-not-installed"));
}

static void test_waits(void **state)
{
	struct site *s = *state;
	char answer[65536];

	ask(s, CALL("Apply", CONTENT(BGP)), answer);
	assert_string_equal(answer, "");
	answers_step(s->context.answers);
	serve(s, answer);
	assert_string_equal(answer, "");
	hang(s);
	serve(s, answer);
	/* the kernel's part stands */
	assert_non_null(strstr(answer, "\"operations\":[{"));
	assert_non_null(strstr(answer, "frr-not-answering"));
	assert_null(strstr(answer, "error\":"));
}

/* What FRR still holds is not taken down, and says so. */
static void test_down_waits(void **state)
{
	struct site *s = *state;
	char answer[65536];

	s->frr.memory.touched = true;
	ask(s, CALL("Apply", CONTENT(BGP)), answer);
	hang(s);
	serve(s, answer);
	ask(s, CALL("Down", ""), answer);
	assert_string_equal(answer, "");
	hang(s);
	serve(s, answer);
	assert_non_null(strstr(answer, "DownIncomplete"));
	assert_non_null(strstr(answer, "FRRouting"));
}

/* A client that goes before its answer takes nothing along. */
static void test_client_goes(void **state)
{
	struct site *s = *state;
	char answer[65536];

	ask(s, CALL("Apply", CONTENT(BGP)), answer);
	close(s->client);
	serve(s, answer);
	hang(s);
	s->client = client_connect(s->server, SERVER_CONTROL);
	ask(s, CALL("GetStatus", ""), answer);
	assert_non_null(strstr(answer, "\"bgp\":{\"asn\":65010"));
}

/* The daemon ends while somebody waits. */
static void test_ends_without_an_answer(void **state)
{
	struct site *s = *state;
	char answer[65536];

	ask(s, CALL("Apply", CONTENT(BGP)), answer);
	assert_string_equal(answer, "");
	server_free(s->server); /* a daemon that ends meanwhile */
	struct err err = {};
	assert_int_equal(server_new(s->event, s->w.dir, &s->context, &s->server, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_without_bgp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_down_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_without_an_answer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
