/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What meshgwd lets the HTTP bridge ask: which targets, and one diagnosis for all who ask.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge_site.h"
#include "conf/authority.h"
#include "daemon/bridge_ask.h"
#include "daemon/diagnoses.h"
#include "lib/own.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TARGET(text) ",\"parameters\":{\"target\":\"" text "\"}"
#define TARGET_SOON(text) ",\"parameters\":{\"target\":\"" text "\",\"deadlineMs\":500}"

static void test_allowed(void **)
{
	static const struct {
		const char *target, *canonical; /* nullptr: not allowed */
	} cases[] = {
		{"10.0.1.50:3000", "10.0.1.50:3000"},
		{"10.0.1.50:80", "10.0.1.50:80"},
		{"APP.internal:443", "app.internal:443"},
		{"[2001:DB8:1::0:50]:3000", "[2001:db8:1::50]:3000"},
		{"10.0.1.51:22", "10.0.1.51:22"},
		{"10.0.1.50", nullptr},
		{"10.0.1.50:3001", nullptr},
		{"10.0.1.51:3000", nullptr},
		{"app.internal:80", nullptr},
		{"udp://10.0.1.50:3000", nullptr},
		{"http://10.0.1.50:3000", nullptr},
		{"10.0.1.50:3000/", nullptr},
		{" 10.0.1.50:3000", nullptr},
		{"", nullptr},
	};
	char canonical[AUTHORITY_STRLEN];
	struct config *config = world_config(SITE_LAN
		"bridge: {listen: [80], diagnose: {targets: [\"10.0.1.51:22\"]}, routes: [{host: a, "
		"upstream: [\"http://10.0.1.50:3000\", http://10.0.1.50, https://app.internal, "
		"\"http://[2001:db8:1::50]:3000\", unix:/run/x]}]}\n");
	struct config *without = world_config(SITE_LAN);

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool allowed = bridge_ask_is_allowed(config, cases[i].target, canonical);
		if (allowed != (cases[i].canonical != nullptr))
			fail_msg("%s", cases[i].target);
		if (allowed)
			assert_string_equal(canonical, cases[i].canonical);
		assert_false(bridge_ask_is_allowed(without, cases[i].target, canonical));
	}
	config_free(config);
	config_free(without);
}

/* One diagnosis for all who ask, and for those who ask soon after. */
static void test_questions(void **state)
{
	struct site *s = *state;
	autoclose int first = site_connect(s), second = site_connect(s), hasty = site_connect(s),
		      later = site_connect(s);

	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	client_call(first, "DiagnoseTarget", TARGET("10.0.1.51:80"));
	assert_non_null(strstr(site_hear(s, first, 5), "io.meshgw.Gateway.TargetNotAllowed"));
	client_call(first, "DiagnoseTarget",
		",\"parameters\":{\"target\":\"10.0.1.50:80\",\"deadlineMs\":1}");
	assert_non_null(strstr(site_hear(s, first, 5), "org.varlink.service.InvalidParameter"));

	client_call(first, "DiagnoseTarget", TARGET("10.0.1.50:80"));
	client_call(second, "DiagnoseTarget", TARGET("10.0.1.50:80"));
	client_call(hasty, "DiagnoseTarget", TARGET_SOON("10.0.1.50:80"));
	assert_non_null(strstr(site_hear(s, hasty, 5), "io.meshgw.Gateway.NoVerdict"));
	char id[128] = "";
	const char *text = strstr(site_hear(s, first, 20), "\"id\":\"");
	assert_non_null(text);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(text + 6, "\"") + 6, text);
	assert_non_null(strstr(site_hear(s, second, 20), id));
	client_call(later, "DiagnoseTarget", TARGET_SOON("10.0.1.50:80"));
	assert_non_null(strstr(site_hear(s, later, 20), id));
	/* An operator's last verdict is not replaced. */
	assert_null(diagnoses_verdict(s->context.diagnoses));
}

/* What is behind a key of a message, until a quotation mark. */
static void value_of(const char *text, const char *key, char out[static 64])
{
	const char *at = strstr(text, key);

	assert_non_null(at);
	at += strlen(key);
	snprintf(out, 64, "%.*s", (int)strcspn(at, "\""), at);
}

static void call_about(int fd, const char *target, unsigned port, const char *more)
{
	char parameters[160];

	snprintf(parameters, sizeof(parameters), ",\"parameters\":{\"target\":\"%s:%u\"%s}", target,
		port, more);
	client_call(fd, "DiagnoseTarget", parameters);
}

#define OWN ",\"from\":\"gateway\""

/* An upstream is dead and many ask at once: it is looked at once. Who asks about the same target
 * and may only look is told the same. */
static void test_own_question(void **state)
{
	struct site *s = *state;
	int clients[4];
	char id[64], code[64], other[64];
	unsigned dead;
	autoclose int taken = site_dead_port(&dead);

	site_configure(s, "{listen: [%u], routes: [{host: a, upstream: \"http://127.0.0.1:%u\"}]}",
		s->port, dead);
	for (size_t i = 0; i < COUNT(clients); i++)
		call_about(clients[i] = site_connect(s), "http://127.0.0.1", dead, OWN);
	for (size_t i = 0; i < COUNT(clients); i++) {
		const char *text = site_hear(s, clients[i], 20);
		value_of(text, "\"id\":\"", i ? other : id);
		value_of(text, "\"code\":\"", code);
		assert_string_equal(code, "service-port-closed");
		assert_string_equal(i ? other : id, id);
	}
	call_about(clients[0], "127.0.0.1", dead, "");
	value_of(site_hear(s, clients[0], 20), "\"id\":\"", other);
	assert_string_equal(other, id);

	/* Not every target is an upstream, and there are no other ways than these. */
	call_about(clients[0], "https://127.0.0.1", dead, OWN);
	assert_non_null(strstr(site_hear(s, clients[0], 5), "TargetNotAllowed"));
	call_about(clients[0], "127.0.0.1", dead, OWN);
	assert_non_null(strstr(site_hear(s, clients[0], 5), "TargetNotAllowed"));
	call_about(clients[0], "127.0.0.1", dead, ",\"from\":\"devices\"");
	assert_non_null(strstr(site_hear(s, clients[0], 5), "InvalidParameter"));
	for (size_t i = 0; i < COUNT(clients); i++)
		close(clients[i]);
}

/* Whoever goes is forgotten, and so is a question that nobody will hear of. */
static void test_question_of_one_who_goes(void **state)
{
	struct site *s = *state;
	autoclose int fd = site_connect(s);

	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	client_call(fd, "DiagnoseTarget", TARGET("10.0.1.50:80"));
	client_serve(s->event);
	close(fd_take(&fd));
	client_serve(s->event);
}

/* A call that wants no answer does not hold up the next one: the last one counts. */
static void test_questions_without_answers(void **state)
{
	struct site *s = *state;
	autoclose int fd = site_connect(s);

	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	for (unsigned i = 0; i < 3; i++)
		client_call(fd, "DiagnoseTarget", ",\"oneway\":true" TARGET("10.0.1.50:80"));
	client_serve(s->event);
	close(fd_take(&fd));
	client_serve(s->event);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		TEST(test_questions),
		TEST(test_own_question),
		TEST(test_question_of_one_who_goes),
		TEST(test_questions_without_answers),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
