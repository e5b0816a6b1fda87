/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that the tunnel asks meshgwd for: what is asked at all, how often, and what is answered.
 * Somebody who answers by the name stands in meshgw-probe's place. What takes TUNNEL_NAMES_US takes
 * as long as a test wants (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/clock.h"
#include "daemon/tunnel_names.h"
#include "lib/json.h"
#include "tunnel_site.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NO_FACTS "\"facts\":[]"
#define FACT(outcome, text)                                                    \
	"\"facts\":[{\"kind\":\"l7\",\"source\":\"observed\",\"ask\":\"dns\"," \
	"\"outcome\":\"" outcome "\",\"text\":\"" text "\"}]"

int __real_sd_event_add_time_relative(sd_event *e, sd_event_source **out, clockid_t clock,
	uint64_t us, uint64_t accuracy_us, sd_event_time_handler_t handler, void *userdata);
int __wrap_sd_event_add_time_relative(sd_event *e, sd_event_source **out, clockid_t clock,
	uint64_t us, uint64_t accuracy_us, sd_event_time_handler_t handler, void *userdata);

static uint64_t patience_us;

int __wrap_sd_event_add_time_relative(sd_event *e, sd_event_source **out, clockid_t clock,
	uint64_t us, uint64_t accuracy_us, sd_event_time_handler_t handler, void *userdata)
{
	return __real_sd_event_add_time_relative(e, out, clock,
		us == TUNNEL_NAMES_US ? patience_us : us, accuracy_us, handler, userdata);
}

/* In meshgw-probe's place. */
static struct {
	sd_varlink_server *server;
	sd_varlink *silent[TUNNEL_NAMES_AT_ONCE + 1]; /* who waits */
	size_t n_silent;
	unsigned questions;
} probe;

static const struct {
	const char *name, *reply;
} replies[] = {
	{"both.test", "{\"addresses\":[\"10.0.1.7\",\"fd00:64::7\"]," NO_FACTS "}"},
	{"none.test", "{\"addresses\":[]," FACT("name", "no such name") "}"},
	{"broken.test", "{\"addresses\":[]," FACT("resolver", "try again") "}"},
	{"odd.test", "{\"addresses\":[]," NO_FACTS "}"},
	{"mad.test", "{\"addresses\":[\"10.0.1.7\"],\"facts\":7}"},
};

static int on_resolve(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *)
{
	const char *name = sd_json_variant_string(sd_json_variant_by_key(parameters, "name"));
	autojson sd_json_variant *v = nullptr;

	probe.questions++;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (strcmp(replies[i].name, name) == 0) {
			assert_true(sd_json_parse(replies[i].reply, 0, &v, nullptr, nullptr) >= 0);
			return sd_varlink_reply(link, v);
		}
	assert_true(probe.n_silent <= TUNNEL_NAMES_AT_ONCE);
	probe.silent[probe.n_silent++] = sd_varlink_ref(link);
	return 0;
}

static void start_probe(struct site *s)
{
	memset(&probe, 0, sizeof(probe));
	patience_us = 60 * WORLD_SECOND;
	assert_true(sd_varlink_server_new(&probe.server, 0) >= 0);
	assert_true(sd_varlink_server_bind_method(
			    probe.server, "io.meshgw.Probe.Resolve", on_resolve) >= 0);
	assert_true(sd_varlink_server_listen_address(probe.server, s->probe_path, 0600) >= 0);
	assert_true(sd_varlink_server_attach_event(probe.server, s->event, 0) >= 0);
}

static void end_probe(void)
{
	for (size_t i = 0; i < probe.n_silent; i++)
		sd_varlink_unref(probe.silent[i]);
	sd_varlink_server_unref(probe.server);
}

static void call(int fd, const char *name)
{
	char text[512];

	snprintf(text, sizeof(text), ",\"parameters\":{\"name\":\"%s\"}", name);
	client_call(fd, "TunnelResolve", text);
}

static void ask(struct site *s, const char *name, struct client_reply *r)
{
	call(s->client, name);
	assert_true(site_receive(s, r));
}

static size_t count(const struct client_reply *r)
{
	return sd_json_variant_elements(sd_json_variant_by_key(r->parameters, "addresses"));
}

#define L10 "aaaaaaaaaa"
#define L60 L10 L10 L10 L10 L10 L10

static void test_hosts(void **)
{
	static const struct {
		const char *name;
		bool is;
	} cases[] = {
		{"host", true},
		{"host.example", true},
		{"host.example.", true},
		{"a-b.c_d.e1", true},
		{"3.de", true},
		{"0x.de", true},
		{"ff", true},
		{"xn--bcher-kva.example", true},
		{L60 "aaa.example", true},
		{L60 "aaaa.example", false},
		{L60 "." L60 "." L60 "." L60 "." L10, false},
		{"", false},
		{".", false},
		{".host", false},
		{"host..", false},
		{"a..b", false},
		{"-a.b", false},
		{"a-.b", false},
		{"127.1", false},
		{"2130706433", false},
		{"10.0.1.7", false},
		{"10.0.1.7.", false},
		{"0x7f.0x1", false},
		{"a.0X7F", false},
		{"a.0x", false},
		{"fd00::7", false},
		{"a b", false},
		{"a%20b", false},
		{"a/b", false},
		{"a\nb", false},
		{"b\xc3\xbc"
		 "cher.example",
			false},
		{"a!b", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (tunnel_name_is_host(cases[i].name) != cases[i].is)
			fail_msg("%s", cases[i].name);
}

static void test_answers(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		const char *reason, *message;
	} cases[] = {
		{"none.test", 0, "no-address", "no such name"},
		{"broken.test", 0, "failed", "try again"},
		{"odd.test", 0, "failed", "meshgw-probe does not answer"},
		{"mad.test", 0, "failed", "meshgw-probe does not answer"},
	};
	struct site *s = *state;
	struct client_reply r = {};

	start_probe(s);
	site_configure(s, SITE_EDGE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(s, cases[i].name, &r);
		assert_string_equal(r.error, "");
		assert_int_equal(count(&r), cases[i].n);
		assert_string_equal(client_text(r.parameters, "reason"), cases[i].reason);
		assert_string_equal(client_text(r.parameters, "message"), cases[i].message);
	}
	ask(s, "both.test", &r);
	assert_int_equal(count(&r), 2);
	sd_json_variant *list = sd_json_variant_by_key(r.parameters, "addresses");
	assert_string_equal(
		sd_json_variant_string(sd_json_variant_by_index(list, 1)), "fd00:64::7");
	assert_null(sd_json_variant_by_key(r.parameters, "reason"));
	client_reply_clear(&r);
	end_probe();
}

/* What is no name, or not for the tunnel, is asked of nobody. */
static void test_refused(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	start_probe(s);
	ask(s, "both.test", &r);
	assert_string_equal(r.error, "io.meshgw.Gateway.NotConfigured");
	site_configure(s, SITE_CONNECTOR(""));
	ask(s, "both.test", &r);
	assert_string_equal(r.error, "io.meshgw.Gateway.NotConfigured");
	site_configure(s, SITE_EDGE);
	ask(s, "127.1", &r);
	assert_string_equal(r.error, "org.varlink.service.InvalidParameter");
	site_call(s, "TunnelResolve", "");
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "org.varlink.service.InvalidParameter");
	site_call(s, "TunnelResolve", ",\"oneway\":true,\"parameters\":{\"name\":\"both.test\"}");
	assert_false(site_receive(s, &r));
	for (enum server_socket which = SERVER_STATUS; which <= SERVER_CONTROL; which++) {
		int before = site_become(s, which);
		ask(s, "both.test", &r);
		assert_string_equal(r.error, "org.varlink.service.MethodNotFound");
		close(s->client);
		s->client = before;
	}
	assert_int_equal(probe.questions, 0);
	client_reply_clear(&r);
	end_probe();
}

static void test_nobody(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_EDGE);
	ask(s, "both.test", &r);
	assert_string_equal(client_text(r.parameters, "reason"), "failed");
	client_reply_clear(&r);
}

/* No more than so many at a time; whose asker goes is forgotten, and what is late told so. */
static void test_at_once(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	int fds[TUNNEL_NAMES_AT_ONCE];

	start_probe(s);
	site_configure(s, SITE_EDGE);
	for (size_t i = 0; i < TUNNEL_NAMES_AT_ONCE; i++) {
		fds[i] = client_connect(s->server, SERVER_TUNNEL);
		call(fds[i], "silent.test");
	}
	client_serve(s->event);
	ask(s, "both.test", &r);
	assert_string_equal(client_text(r.parameters, "reason"), "busy");
	close(fds[0]);
	client_serve(s->event);
	ask(s, "both.test", &r);
	assert_int_equal(count(&r), 2);
	patience_us = 50'000;
	call(s->client, "silent.test");
	uint64_t deadline = clock_monotonic_us() + 10 * WORLD_SECOND;
	while (!site_receive(s, &r) && clock_monotonic_us() < deadline)
		(void)sd_event_run(s->event, 10'000);
	assert_string_equal(client_text(r.parameters, "reason"), "late");
	for (size_t i = 1; i < TUNNEL_NAMES_AT_ONCE; i++)
		close(fds[i]);
	client_serve(s->event);
	/* Too late for those that are gone. */
	for (size_t i = 0; i < probe.n_silent; i++)
		(void)sd_varlink_error(probe.silent[i], "io.meshgw.Probe.No", nullptr);
	client_serve(s->event);
	assert_int_equal(probe.questions, TUNNEL_NAMES_AT_ONCE + 2);
	client_reply_clear(&r);
	end_probe();
}

static void test_too_often(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	unsigned answered = 0;
	uint64_t began_us = clock_monotonic_us(), times = TUNNEL_NAMES_BURST + 10;

	start_probe(s);
	site_configure(s, SITE_EDGE);
	for (uint64_t i = 0; i < times; i++) {
		ask(s, "both.test", &r);
		answered += count(&r) == 2;
	}
	uint64_t more = (clock_monotonic_us() - began_us) / TUNNEL_NAMES_GAP_US + 1;
	assert_true(answered >= TUNNEL_NAMES_BURST);
	assert_true(answered <= TUNNEL_NAMES_BURST + more);
	assert_int_equal(probe.questions, answered);
	client_reply_clear(&r);
	end_probe();
}

/* With questions open. */
static void test_end(void **state)
{
	struct site *s = *state;

	start_probe(s);
	site_configure(s, SITE_EDGE);
	call(s->client, "silent.test");
	client_serve(s->event);
	assert_int_equal(probe.n_silent, 1);
	end_probe();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		TEST(test_answers),
		TEST(test_refused),
		TEST(test_nobody),
		TEST(test_at_once),
		TEST(test_too_often),
		TEST(test_end),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
