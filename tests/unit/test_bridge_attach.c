/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge's line to meshgwd, against a varlink server that says what a test wants:
 * configurations and sockets that are taken or refused, a meshgwd that goes and comes back,
 * questions that are answered, refused, too late or too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attach/attach.h"
#include "lib/api.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-varlink.h>

constexpr uint64_t DEADLINE_US = 10'000'000;

static const char good[] = "{\"routes\":[{\"host\":\"a\",\"upstreams\":[{\"scheme\":\"http\","
			   "\"host\":\"10.0.1.50\",\"port\":80}]}]}";

/* meshgwd, as a test wants it. */
struct world {
	sd_event *event;
	sd_varlink_server *server;
	char dir[32], socket[64];
	const char *bridge;    /* what it says; nullptr = null */
	const char *listeners; /* likewise */
	int fds[4];            /* that it pushes */
	size_t n_fds;
	sd_varlink *attached; /* who waits for more */
	sd_varlink *asked;    /* who waits for an answer */
	bool mute;            /* to questions */
	/* What the bridge got. */
	struct attach *attach;
	unsigned served, refused, told, told_nothing;
	size_t n_sockets;
	bool nothing; /* to serve */
	char why[240];
};

static int fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int listening(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static sd_json_variant *json_of(const char *text)
{
	sd_json_variant *v = nullptr;

	if (sd_json_parse(text, 0, &v, nullptr, nullptr) < 0)
		fail_msg("no JSON: %s", text);
	return v;
}

static void say(struct world *w, sd_varlink *link, bool more)
{
	autojson sd_json_variant *bridge = json_of(w->bridge ? w->bridge : "null");
	autojson sd_json_variant *list = json_of(w->listeners);
	autojson sd_json_variant *reply = nullptr;

	for (size_t i = 0; i < w->n_fds; i++)
		assert_int_equal(sd_varlink_push_dup_fd(link, w->fds[i]), (int)i);
	assert_true(sd_json_buildo(&reply, SD_JSON_BUILD_PAIR_UNSIGNED("generation", 1),
			    SD_JSON_BUILD_PAIR_VARIANT("bridge", bridge),
			    SD_JSON_BUILD_PAIR_VARIANT("listeners", list)) >= 0);
	assert_true((more ? sd_varlink_notify(link, reply) : sd_varlink_reply(link, reply)) >= 0);
}

static int on_attach(
	sd_varlink *link, sd_json_variant *, sd_varlink_method_flags_t flags, void *userdata)
{
	struct world *w = userdata;

	assert_true(flags & SD_VARLINK_METHOD_MORE);
	w->attached = sd_varlink_ref(link);
	say(w, link, true);
	return 0;
}

static int on_diagnose(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	struct world *w = userdata;
	sd_json_variant *target = sd_json_variant_by_key(parameters, "target");
	autojson sd_json_variant *verdict = json_of("{\"code\":\"upstream-silent\"}");

	if (w->mute) { /* no reply, for now */
		sd_varlink_unref(w->asked);
		w->asked = sd_varlink_ref(link);
		return 1;
	}
	if (strcmp(sd_json_variant_string(target), "10.0.1.50:80") != 0)
		return sd_varlink_error(link, API_ERROR_TARGET_NOT_ALLOWED, nullptr);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("verdict", verdict));
}

static int on_status(sd_varlink *link, sd_json_variant *, sd_varlink_method_flags_t, void *)
{
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("phase", "up"));
}

static int on_connect(sd_varlink_server *, sd_varlink *link, void *)
{
	return sd_varlink_set_allow_fd_passing_output(link, true);
}

static void server_start(struct world *w)
{
	unlink(w->socket);
	assert_true(sd_varlink_server_new(&w->server, SD_VARLINK_SERVER_INHERIT_USERDATA) >= 0);
	sd_varlink_server_set_userdata(w->server, w);
	assert_true(sd_varlink_server_bind_method_many(w->server, API_INTERFACE ".BridgeAttach",
			    on_attach, API_INTERFACE ".DiagnoseTarget", on_diagnose,
			    API_INTERFACE ".GetStatus", on_status) >= 0);
	assert_true(sd_varlink_server_bind_connect(w->server, on_connect) >= 0);
	assert_true(sd_varlink_server_listen_address(w->server, w->socket, 0600) >= 0);
	assert_true(sd_varlink_server_attach_event(w->server, w->event, 0) >= 0);
}

static void server_stop(struct world *w)
{
	sd_varlink_close_unref(w->attached);
	sd_varlink_close_unref(w->asked);
	w->attached = w->asked = nullptr;
	sd_varlink_server_unref(w->server);
	w->server = nullptr;
	unlink(w->socket);
}

static void serve(void *arg, const struct bridge_config *take_config, const int *take_fds, size_t n)
{
	struct world *w = arg;

	w->served++;
	w->nothing = !take_config;
	w->n_sockets = n;
	for (size_t i = 0; i < n; i++)
		close(take_fds[i]);
	bridge_config_unref(take_config);
}

static void refused(void *arg, const struct err *why)
{
	struct world *w = arg;

	w->refused++;
	snprintf(w->why, sizeof(w->why), "%s", why->msg);
}

static void done(void *arg, sd_json_variant *reply)
{
	struct world *w = arg;

	w->told++;
	w->told_nothing += !reply;
	if (reply && sd_json_variant_by_key(reply, "code"))
		assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(reply, "code")),
			"upstream-silent");
	if (!reply && w->attach) /* who asks again from within is answered, or not at all */
		(void)attach_status(w->attach, 100, done, w);
}

/* Until it is so, with a deadline. */
#define UNTIL(w, condition)                                                                \
	do {                                                                               \
		uint64_t until;                                                            \
		assert_true(sd_event_now((w)->event, CLOCK_MONOTONIC, &until) >= 0);       \
		until += DEADLINE_US;                                                      \
		while (!(condition)) {                                                     \
			uint64_t now;                                                      \
			assert_true(sd_event_run((w)->event, 100'000) >= 0);               \
			assert_true(sd_event_now((w)->event, CLOCK_MONOTONIC, &now) >= 0); \
			if (now > until)                                                   \
				fail_msg("never: %s", #condition);                         \
		}                                                                          \
	} while (0)

static const struct attach_events events = {.serve = serve, .refused = refused};

static int setup(void **state)
{
	static struct world world;
	struct world *w = &world;

	*w = (struct world){.bridge = good, .listeners = "[]", .dir = "/tmp/meshgw-attach-XXXXXX"};
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->socket, sizeof(w->socket), "%.31s/bridge", w->dir);
	assert_true(sd_event_new(&w->event) >= 0);
	log_set_level(LOG_CRIT);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	w->attach = nullptr;
	for (size_t i = 0; i < w->n_fds; i++)
		close(w->fds[i]);
	server_stop(w);
	rmdir(w->dir);
	sd_event_unref(w->event);
	return 0;
}

static void test_serves_what_it_is_told(void **state)
{
	struct world *w = *state;

	w->fds[0] = listening();
	w->fds[1] = listening();
	w->n_fds = 2;
	w->listeners = "[{\"address\":\"100.96.0.18\",\"port\":80,\"fd\":1},"
		       "{\"address\":\"100.96.0.19\",\"port\":80,\"reason\":\"not here\"},"
		       "{\"address\":\"::1\",\"port\":80,\"fd\":0}]";
	server_start(w);
	struct attach *a = attach_new(w->event, w->socket, &events, w);
	assert_false(attach_stands(a));
	UNTIL(w, w->served == 1);
	assert_int_equal(w->n_sockets, 2);
	assert_true(attach_stands(a));

	w->bridge = nullptr;
	w->listeners = "[]";
	say(w, w->attached, true);
	UNTIL(w, w->served == 2);
	assert_true(w->nothing);
	assert_int_equal(w->n_sockets, 0);
	assert_int_equal(w->refused, 0);
	attach_free(a);
	attach_free(nullptr);
}

static void test_refuses_as_a_whole(void **state)
{
	static const struct {
		const char *bridge, *listeners, *why;
	} cases[] = {
		{"{\"routes\":7}", "[]", "bridge.routes: not an array"},
		{"[]", "[]", "bridge: not an object"},
		{good, "null", "no list of listeners"},
		{good, "[{\"fd\":2}]", "a listener's descriptor is not there"},
		{good, "[{\"fd\":0},{\"fd\":0}]", "a listener's descriptor is not there"},
		{good, "[{\"fd\":-1}]", "a listener's fd is no number of a descriptor"},
		{good, "[{\"fd\":999}]", "a listener's fd is no number of a descriptor"},
		{good, "[{\"fd\":0},{\"fd\":1}]", "a listener's descriptor does not listen"},
	};
	struct world *w = *state;

	w->fds[0] = listening();
	w->fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	w->n_fds = 2;
	w->listeners = "[{\"fd\":0}]";
	server_start(w);
	struct attach *a = attach_new(w->event, w->socket, &events, w);
	UNTIL(w, w->served == 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w->bridge = cases[i].bridge;
		w->listeners = cases[i].listeners;
		say(w, w->attached, true);
		UNTIL(w, w->refused == i + 1);
		assert_string_equal(w->why, cases[i].why);
		assert_true(attach_stands(a));
	}
	assert_int_equal(w->served, 1);
	attach_free(a);
}

/* Of what is refused no descriptor stays open. */
static void test_leaks_no_descriptors(void **state)
{
	struct world *w = *state;
	int before = 0;

	w->fds[0] = listening();
	w->fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	w->n_fds = 2;
	w->listeners = "[{\"fd\":0},{\"fd\":1}]";
	server_start(w);
	struct attach *a = attach_new(w->event, w->socket, &events, w);
	for (unsigned i = 1; i < 50; i++) {
		UNTIL(w, w->refused == i);
		if (i == 5)
			before = fds_open();
		assert_true(i <= 5 || fds_open() == before);
		say(w, w->attached, true);
	}
	attach_free(a);
}

static void test_comes_back(void **state)
{
	struct world *w = *state;
	struct attach *a = attach_new(w->event, w->socket, &events, w);

	assert_true(sd_event_run(w->event, 0) >= 0);
	server_start(w);
	UNTIL(w, w->served == 1);
	for (unsigned i = 2; i < 5; i++) {
		server_stop(w);
		UNTIL(w, !attach_stands(a));
		server_start(w);
		UNTIL(w, w->served == i);
	}
	/* meshgwd says that this was all. */
	say(w, w->attached, false);
	UNTIL(w, w->served == 6);
	assert_true(attach_stands(a));
	attach_free(a);
}

static void test_questions(void **state)
{
	struct world *w = *state;

	server_start(w);
	struct attach *a = attach_new(w->event, w->socket, &events, w);
	assert_int_equal(attach_diagnose(a, "10.0.1.50:80", true, 1000, done, w), 0);
	assert_int_equal(attach_status(a, 1000, done, w), 0);
	UNTIL(w, w->told == 2);
	assert_int_equal(w->told_nothing, 0);
	assert_int_equal(attach_diagnose(a, "10.9.9.9:80", false, 1000, done, w), 0);
	UNTIL(w, w->told == 3);
	assert_int_equal(w->told_nothing, 1);

	w->mute = true;
	assert_int_equal(attach_diagnose(a, "10.0.1.50:80", false, 1, done, w), 0);
	UNTIL(w, w->told == 4); /* too late */
	assert_int_equal(w->told_nothing, 2);
	for (size_t i = 0; i < ATTACH_QUESTIONS_MAX; i++)
		assert_int_equal(attach_diagnose(a, "10.0.1.50:80", false, 60'000, done, w), 0);
	assert_int_equal(attach_diagnose(a, "10.0.1.50:80", false, 60'000, done, w), -EBUSY);
	w->attach = a;
	attach_free(a);
	assert_int_equal(w->told, 4 + ATTACH_QUESTIONS_MAX);
	assert_int_equal(w->told_nothing, 2 + ATTACH_QUESTIONS_MAX);
}

static void test_questions_without_meshgwd(void **state)
{
	struct world *w = *state;
	struct attach *a = attach_new(w->event, w->socket, &events, w);

	assert_true(attach_diagnose(a, "10.0.1.50:80", false, 1000, done, w) < 0);
	assert_int_equal(w->told, 0);
	server_start(w);
	w->mute = true;
	assert_int_equal(attach_diagnose(a, "10.0.1.50:80", false, 60'000, done, w), 0);
	UNTIL(w, w->served == 1 && w->asked);
	w->mute = false;
	server_stop(w);
	UNTIL(w, w->told == 1); /* lost with it */
	assert_int_equal(w->told_nothing, 1);
	attach_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serves_what_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_as_a_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaks_no_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions_without_meshgwd, setup, teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
