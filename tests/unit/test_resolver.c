/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tunnel asks meshgwd for: addresses of names. Somebody who answers by the name stands in
 * meshgwd's place, on the same loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "folder.h"
#include "lib/json.h"
#include "resolver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>
#include <time.h>
#include <unistd.h>

constexpr uint64_t LONG_US = 60'000'000;
constexpr uint64_t SHORT_US = 30'000;
constexpr size_t SILENT_MAX = 8;

struct stage {
	sd_event *event;
	sd_varlink_server *server;
	struct resolver *resolver;
	sd_varlink *silent[SILENT_MAX]; /* who waits for an answer */
	size_t n_silent;
};

/* What came of a question. */
struct heard {
	unsigned times;
	struct resolver_answer answer;
	char why[64], first[PREFIX_STRLEN], last[PREFIX_STRLEN];
	struct resolver_question *cancels; /* another one, when this is answered */
};

static void on_done(void *arg, const struct resolver_answer *answer)
{
	struct heard *h = arg;

	h->times++;
	h->answer = *answer;
	snprintf(h->why, sizeof(h->why), "%s", answer->why ? answer->why : "");
	if (answer->n) {
		prefix_str(&answer->list[0], h->first);
		prefix_str(&answer->list[answer->n - 1], h->last);
	}
	resolver_cancel(h->cancels);
}

static const struct {
	const char *name, *reply;
} replies[] = {
	{"both.test", "{\"addresses\":[\"10.0.1.7\",\"fd00:64::7\"]}"},
	{"odd.test", "{\"addresses\":[7,\"x\",\"10.0.1.7/32\",\"10.0.1.8\"]}"},
	{"none.test", "{\"addresses\":[],\"reason\":\"no-address\",\"message\":\"no such name\"}"},
	{"late.test", "{\"addresses\":[],\"reason\":\"late\",\"message\":\"too late\"}"},
	{"nothing.test", "{}"},
	{"many.test", "{\"addresses\":[\"10.0.1.1\",\"10.0.1.2\",\"10.0.1.3\",\"10.0.1.4\","
		      "\"10.0.1.5\",\"10.0.1.6\",\"10.0.1.7\",\"10.0.1.8\",\"10.0.1.9\","
		      "\"10.0.1.10\",\"10.0.1.11\",\"10.0.1.12\",\"10.0.1.13\",\"10.0.1.14\","
		      "\"10.0.1.15\",\"10.0.1.16\",\"10.0.1.17\"]}"},
};

static int reply_to(sd_varlink *link, const char *name)
{
	autojson sd_json_variant *v = nullptr;

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (strcmp(replies[i].name, name) == 0) {
			assert_true(sd_json_parse(replies[i].reply, 0, &v, nullptr, nullptr) >= 0);
			return sd_varlink_reply(link, v);
		}
	return sd_varlink_error_invalid_parameter_name(link, "name");
}

static int on_resolve(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	struct stage *s = userdata;
	const char *name = sd_json_variant_string(sd_json_variant_by_key(parameters, "name"));

	if (strcmp(name, "silent.test") != 0)
		return reply_to(link, name);
	assert_true(s->n_silent < SILENT_MAX);
	s->silent[s->n_silent++] = sd_varlink_ref(link);
	return 0;
}

static void start_server(struct stage *s, const char *path, const char *method)
{
	assert_true(sd_varlink_server_new(&s->server, SD_VARLINK_SERVER_INHERIT_USERDATA) >= 0);
	sd_varlink_server_set_userdata(s->server, s);
	assert_true(sd_varlink_server_bind_method(s->server, method, on_resolve) >= 0);
	assert_true(sd_varlink_server_listen_address(s->server, path, 0600) >= 0);
	assert_true(sd_varlink_server_attach_event(s->server, s->event, 0) >= 0);
}

/* method: that somebody knows, nullptr = there is nobody. */
static void stage_start(
	struct stage *s, const struct folder *f, const char *method, uint64_t limit_us)
{
	*s = (struct stage){};
	assert_true(sd_event_new(&s->event) >= 0);
	if (method)
		start_server(s, f->path, method);
	s->resolver = resolver_new(s->event, f->path, limit_us);
}

/* Whatever else there is to do now. */
static void run_idle(struct stage *s)
{
	while (sd_event_run(s->event, 0) > 0)
		;
}

static void stage_end(struct stage *s, const struct folder *f)
{
	resolver_free(s->resolver);
	run_idle(s); /* the server's ends of its connections */
	for (size_t i = 0; i < s->n_silent; i++)
		sd_varlink_unref(s->silent[i]);
	sd_varlink_server_unref(s->server);
	sd_event_unref(s->event);
	(void)unlink(f->path);
}

static void wait_heard(struct stage *s, const struct heard *h)
{
	time_t deadline = time(nullptr) + 10;

	while (!h->times && time(nullptr) < deadline)
		(void)sd_event_run(s->event, 100'000);
	assert_int_equal(h->times, 1);
}

static void wait_silent(struct stage *s, size_t n)
{
	time_t deadline = time(nullptr) + 10;

	while (s->n_silent < n && time(nullptr) < deadline)
		(void)sd_event_run(s->event, 100'000);
	assert_int_equal(s->n_silent, n);
}

#define METHOD "io.meshgw.Gateway.TunnelResolve"

static struct heard ask(struct stage *s, const char *name)
{
	struct heard h = {};

	assert_non_null(resolver_ask(s->resolver, name, on_done, &h));
	assert_int_equal(h.times, 0);
	wait_heard(s, &h);
	return h;
}

static void test_answers(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		bool late;
		const char *why, *first, *last;
	} cases[] = {
		{"both.test", 2, false, "", "10.0.1.7/32", "fd00:64::7/128"},
		{"odd.test", 1, false, "", "10.0.1.8/32", "10.0.1.8/32"},
		{"many.test", RESOLVER_ADDRESSES_MAX, false, "", "10.0.1.1/32", "10.0.1.16/32"},
		{"none.test", 0, false, "no such name", "", ""},
		{"late.test", 0, true, "too late", "", ""},
		{"nothing.test", 0, false, "", "", ""},
		{"bad.test", 0, false, "it is no name of a host", "", ""},
	};
	struct stage s;

	stage_start(&s, *state, METHOD, LONG_US);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heard h = ask(&s, cases[i].name);
		assert_int_equal(h.answer.n, cases[i].n);
		assert_int_equal(h.answer.late, cases[i].late);
		assert_string_equal(h.why, cases[i].why);
		assert_string_equal(h.first, cases[i].first);
		assert_string_equal(h.last, cases[i].last);
	}
	stage_end(&s, *state);
}

/* An older meshgwd does not know the call; and there may be none. */
static void test_nobody(void **state)
{
	struct stage s;

	stage_start(&s, *state, "io.meshgw.Gateway.TunnelReport", LONG_US);
	struct heard h = ask(&s, "both.test");
	assert_true(h.answer.n == 0 && !h.answer.late);
	assert_string_equal(h.why, "names are not resolved here");
	stage_end(&s, *state);

	stage_start(&s, *state, nullptr, LONG_US);
	h = ask(&s, "both.test");
	assert_true(h.answer.n == 0 && !h.answer.late);
	assert_string_equal(h.why, "nobody resolves names now");
	stage_end(&s, *state);
}

static void test_goes(void **state)
{
	struct stage s;
	struct heard h = {};

	stage_start(&s, *state, METHOD, LONG_US);
	assert_non_null(resolver_ask(s.resolver, "silent.test", on_done, &h));
	wait_silent(&s, 1);
	assert_true(sd_varlink_close(s.silent[0]) >= 0);
	wait_heard(&s, &h);
	assert_true(h.answer.n == 0 && !h.answer.late);
	stage_end(&s, *state);
}

static void test_late(void **state)
{
	struct stage s;

	stage_start(&s, *state, METHOD, SHORT_US);
	struct heard h = ask(&s, "silent.test");
	assert_true(h.answer.n == 0 && h.answer.late);
	assert_string_equal(h.why, "no answer in time");
	stage_end(&s, *state);
}

/* So many are under way, so many wait, and then none is taken; who is cancelled makes place. */
static void test_bounds(void **state)
{
	struct stage s;
	struct heard h[RESOLVER_MAX + 1] = {};
	struct resolver_question *q[RESOLVER_MAX];

	stage_start(&s, *state, METHOD, LONG_US);
	for (size_t i = 0; i < RESOLVER_MAX; i++) {
		q[i] = resolver_ask(s.resolver, i < RESOLVER_AT_ONCE ? "silent.test" : "both.test",
			on_done, &h[i]);
		assert_non_null(q[i]);
	}
	assert_null(resolver_ask(s.resolver, "both.test", on_done, &h[RESOLVER_MAX]));
	wait_silent(&s, RESOLVER_AT_ONCE);
	run_idle(&s);
	assert_int_equal(h[RESOLVER_AT_ONCE].times, 0);

	resolver_cancel(q[RESOLVER_AT_ONCE + 1]); /* waits */
	resolver_cancel(q[0]);                    /* is under way */
	wait_heard(&s, &h[RESOLVER_MAX - 1]);
	for (size_t i = RESOLVER_AT_ONCE; i < RESOLVER_MAX; i++)
		assert_int_equal(h[i].times, i != RESOLVER_AT_ONCE + 1);
	for (size_t i = 0; i < RESOLVER_AT_ONCE; i++)
		assert_int_equal(h[i].times, 0);
	stage_end(&s, *state);
}

/* Who waits has no more time for that. */
static void test_late_in_the_queue(void **state)
{
	struct stage s;
	struct heard h[RESOLVER_AT_ONCE + 1] = {};

	stage_start(&s, *state, METHOD, SHORT_US);
	for (size_t i = 0; i < RESOLVER_AT_ONCE + 1; i++)
		assert_non_null(resolver_ask(s.resolver, "silent.test", on_done, &h[i]));
	for (size_t i = 0; i < RESOLVER_AT_ONCE + 1; i++) {
		wait_heard(&s, &h[i]);
		assert_true(h[i].answer.late);
	}
	stage_end(&s, *state);
}

/* An answer may end what another one waits for; and all may end with questions open. */
static void test_cancel_in_an_answer(void **state)
{
	struct stage s;
	struct heard first = {}, other = {}, open = {};

	stage_start(&s, *state, METHOD, LONG_US);
	first.cancels = resolver_ask(s.resolver, "silent.test", on_done, &other);
	assert_non_null(first.cancels);
	assert_non_null(resolver_ask(s.resolver, "both.test", on_done, &first));
	assert_non_null(resolver_ask(s.resolver, "silent.test", on_done, &open));
	wait_heard(&s, &first);
	run_idle(&s);
	assert_int_equal(other.times, 0);
	stage_end(&s, *state);
	assert_int_equal(open.times, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_nobody),
		TEST(test_goes),
		TEST(test_late),
		TEST(test_bounds),
		TEST(test_late_in_the_queue),
		TEST(test_cancel_in_an_answer),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
