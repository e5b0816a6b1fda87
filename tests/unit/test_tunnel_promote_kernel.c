/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EdgePromote: what is refused without asking the tunnel, the wish that it is told, and who hears
 * of its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tunnel_site.h"
#include <stdio.h>
#include <unistd.h>

static void promote(struct site *s, const char *node, const char *replica)
{
	char text[160];

	snprintf(text, sizeof(text), ",\"parameters\":{\"node\":\"%s\",\"replica\":\"%s\"}", node,
		replica);
	site_call(s, "EdgePromote", text);
}

static void assert_refused(struct site *s, const char *reason)
{
	struct client_reply r = {};

	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "io.meshgw.Gateway.NotPromoted");
	assert_string_equal(client_text(r.parameters, "reason"), reason);
	client_reply_clear(&r);
}

/* As the tunnel, which has just been told the wish. */
static uint64_t hear_wish(struct site *s)
{
	struct client_reply r = {};

	assert_true(site_receive(s, &r));
	sd_json_variant *wish = sd_json_variant_by_key(r.parameters, "promote");
	assert_non_null(wish);
	assert_string_equal(client_text(wish, "node"), "n");
	assert_string_equal(client_text(wish, "replica"), "r");
	uint64_t id = sd_json_variant_unsigned(sd_json_variant_by_key(wish, "id"));
	client_reply_clear(&r);
	return id;
}

static void report_promoted(struct site *s, uint64_t id, const char *result)
{
	char text[96];

	snprintf(text, sizeof(text), ",\"promoted\":{\"id\":%lu,\"result\":\"%s\"}",
		(unsigned long)id, result);
	site_report(s,
		"\"peers\":[],\"edge\":{\"nodes\":[{\"name\":\"n\",\"leases\":[],"
		"\"replicas\":[],\"active\":\"q\"}]}",
		text);
}

/* What is wrong without asking the tunnel. */
static void test_promote_refused(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	int tunnel = site_become(s, SERVER_CONTROL);

	site_configure(s, SITE_CONNECTOR(""));
	promote(s, "n", "r");
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "io.meshgw.Gateway.NotEdge");
	client_reply_clear(&r);
	site_configure(s, SITE_EDGE);
	promote(s, "m", "r");
	assert_refused(s, "unknown-node");
	promote(s, "n", "q");
	assert_refused(s, "unknown-replica");
	promote(s, "n", "r");
	assert_refused(s, "no-tunnel");
	close(tunnel);
}

/* The tunnel is told, and its answer is the caller's. */
static void test_promote(void **state)
{
	static const char *const results[][2] = {
		{"active", "active"}, {"offline", "offline"}, {"?", "unknown"}};
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_EDGE);
	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	int tunnel = site_become(s, SERVER_CONTROL), operator= s->client;
	uint64_t last = 0;
	int reporter;

	for (size_t i = 0; i <= 3; i++) {
		s->client = operator;
		promote(s, "n", "r");
		assert_false(site_receive(s, &r)); /* nobody has said anything yet */
		s->client = tunnel;
		uint64_t id = hear_wish(s);
		assert_true(id > last);
		(void)site_become(s, SERVER_TUNNEL);
		reporter = s->client;
		report_promoted(s, last, "done"); /* to a wish that is not this one */
		report_promoted(s, id, i < 3 ? results[i][0] : "done");
		close(reporter);
		s->client = operator;
		if (i < 3)
			assert_refused(s, results[i][1]);
		last = id;
	}
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "");
	assert_string_equal(client_text(r.parameters, "active"), "r");
	assert_string_equal(client_text(r.parameters, "before"), "q");
	close(tunnel);
	client_reply_clear(&r);
}

/* One at a time; the tunnel goes, the caller goes. */
static void test_promote_abandoned(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_EDGE);
	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	int tunnel = site_become(s, SERVER_CONTROL);
	promote(s, "n", "r");
	assert_false(site_receive(s, &r));
	int first = site_become(s, SERVER_CONTROL);
	promote(s, "n", "r");
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "io.meshgw.Gateway.Busy");
	close(first);
	client_serve(s->event);
	promote(s, "n", "r");
	assert_false(site_receive(s, &r));
	close(tunnel);
	assert_refused(s, "no-tunnel");
	client_reply_clear(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_promote_refused),
		TEST(test_promote),
		TEST(test_promote_abandoned),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
