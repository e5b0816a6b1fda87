/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bridge tells of itself: a line for each request, the pages of the admin listener, and
 * the questions that it has for meshgwd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answer/accesslog.h"
#include "answer/ask.h"
#include "answer/asked_about.h"
#include "answer/budget.h"
#include "answer/metrics.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(s) {(s), sizeof(s) - 1}

static const char *line_of(const struct accesslog_entry *e)
{
	static char out[ACCESSLOG_LINE + 1];
	autojson sd_json_variant *json = nullptr;
	size_t n = accesslog_line(e, out, ACCESSLOG_LINE);

	out[n] = '\0';
	if (strchr(out, '\n') || sd_json_parse(out, 0, &json, nullptr, nullptr) < 0)
		fail_msg("no line of JSON: %s", out);
	return out;
}

static void test_lines(void **)
{
	struct accesslog_entry e = {
		.realtime_us = 1795306233'123456,
		.request_id = "4bf92f3577b34da6a3ce929d0e0e4736",
		.peer_port = 4711,
		.minor = 1,
		.method = TEXT("GET"),
		.host = TEXT("service.internal"),
		.path = TEXT("/x"),
		.route = "service.internal/",
		.upstream = "http://10.0.1.50:3000",
		.status = 504,
		.code = "upstream-silent",
		.diagnosis = "01J2X",
		.bytes_in = 5,
		.bytes_out = 1 << 30,
		.retries = 1,
		.aborted = true,
		.head_us = 12,
		.connect_us = 3000000,
		.first_byte_us = ACCESSLOG_NEVER,
		.total_us = 3000100,
	};

	assert_int_equal(addr_parse("100.64.12.189", &e.peer), 0);
	assert_string_equal(line_of(&e),
		"{\"time\":\"2026-11-22T00:10:33.123456Z\","
		"\"request\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"peer\":\"100.64.12.189\","
		"\"peerPort\":4711,\"method\":\"GET\",\"host\":\"service.internal\",\"path\":\"/x\","
		"\"protocol\":\"HTTP/1.1\",\"route\":\"service.internal/\","
		"\"upstream\":\"http://10.0.1.50:3000\",\"status\":504,\"code\":\"upstream-silent\","
		"\"diagnosis\":\"01J2X\",\"bytesIn\":5,\"bytesOut\":1073741824,\"aborted\":true,"
		"\"retries\":1,\"headUs\":12,\"connectUs\":3000000,\"totalUs\":3000100}");
	assert_string_equal(line_of(&(struct accesslog_entry){.realtime_us = 1795306234'000007,
				    .status = 408,
				    .code = "head-too-slow",
				    .head_us = ACCESSLOG_NEVER,
				    .connect_us = ACCESSLOG_NEVER,
				    .first_byte_us = ACCESSLOG_NEVER,
				    .total_us = 10}),
		"{\"time\":\"2026-11-22T00:10:34.000007Z\",\"status\":408,"
		"\"code\":\"head-too-slow\",\"bytesIn\":0,\"bytesOut\":0,\"totalUs\":10}");
}

/* Of any bytes and any length there comes one line of JSON. */
static void test_lines_of_bytes(void **)
{
	static char bytes[100'000];
	const struct accesslog_text text = {bytes, sizeof(bytes)};
	uint64_t seed = 7;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		bytes[i] = (char)(seed >> 56);
	}
	for (size_t at = 0; at + 600 < sizeof(bytes); at += 1000) {
		const struct accesslog_text part = {bytes + at, at % 601};
		line_of(&(struct accesslog_entry){.method = {"G", 1}, .host = part, .path = part});
	}
	line_of(&(struct accesslog_entry){.method = text, .host = text, .path = text});
	/* The worst: every text has its full length, and every byte becomes six. */
	memset(bytes, 1, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = '\0';
	struct accesslog_entry e = {.realtime_us = UINT64_MAX,
		.peer_port = UINT16_MAX,
		.request_id = bytes,
		.method = text,
		.host = text,
		.path = text,
		.route = bytes,
		.upstream = bytes,
		.code = bytes,
		.fault = bytes,
		.diagnosis = bytes,
		.status = UINT32_MAX,
		.bytes_in = UINT64_MAX,
		.bytes_out = UINT64_MAX,
		.retries = UINT32_MAX,
		.reused = true,
		.aborted = true,
		.head_us = UINT64_MAX - 1,
		.connect_us = UINT64_MAX - 1,
		.first_byte_us = UINT64_MAX - 1,
		.total_us = UINT64_MAX - 1};
	assert_int_equal(addr_parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", &e.peer), 0);
	assert_non_null(strstr(line_of(&e), "...\""));
}

static const char gateway[] =
	"{\"version\":\"0.1.0\",\"phase\":\"up\",\"repairs\":7,"
	"\"conditions\":[{\"code\":\"bgp-session-down\",\"severity\":\"error\","
	"\"subject\":\"a\\\"b\\\\c\\nd\",\"message\":\"m\",\"since\":1}],"
	"\"networks\":[{\"prefix\":\"10.0.1.0/24\",\"interface\":\"eth0\",\"configured\":\"auto\","
	"\"effective\":\"route\"}],"
	"\"counters\":[{\"name\":\"masqueraded\",\"packets\":3,\"bytes\":180}],"
	"\"bgp\":{\"asn\":65010,\"neighbors\":[{\"address\":\"10.0.1.1\",\"state\":\"Active\","
	"\"announced\":4,\"accepted\":0}]},\"flows\":null}";

static struct metrics *some_metrics(void)
{
	struct metrics *m = metrics_new("0.1.0", 60);
	struct stats_thread thread = {.accepted = 10, .connections = 3};
	struct stats_route route = {.requests = {0, 0, 5, 0, 1, 0}, .bytes_in = 9};
	struct stats_upstream upstream = {.connections = 2, .healthy = 1};
	autojson sd_json_variant *status = nullptr;

	thread.answers[ANSWER_NO_ROUTE] = 4;
	stats_time(&route.total, 100);
	stats_time(&route.total, 101);
	stats_time(&route.total, 70'000'000);
	stats_time(&upstream.connect, 700);
	for (int i = 0; i < 2; i++) { /* two threads */
		metrics_add_thread(m, &thread);
		metrics_add_route(m, "service.internal", "/", &route);
		metrics_add_upstream(m, "http://10.0.1.50:3000", &upstream);
		upstream.healthy = 0;
	}
	metrics_add_route(m, "*", "/\"\\\n{}", &route);
	metrics_add_verdict(m, "return-route-missing", 2);
	metrics_add_verdict(m, "return-route-missing", 1);
	metrics_set_life(m, &(struct metrics_life){.loads = 3, .attached = true});
	assert_true(sd_json_parse(gateway, 0, &status, nullptr, nullptr) >= 0);
	metrics_set_gateway(m, status);
	return m;
}

static void test_metrics(void **)
{
	static const char *const lines[] = {
		"meshgw_bridge_info{version=\"0.1.0\"} 1\n",
		"# UNIT meshgw_bridge_uptime_seconds seconds\n",
		"\nmeshgw_bridge_uptime_seconds 60\n",
		"\nmeshgw_bridge_config_loads_total{result=\"taken\"} 3\n",
		"\nmeshgw_bridge_connections_accepted_total 20\n",
		"\nmeshgw_bridge_connections 6\n",
		"\nmeshgw_bridge_answers_total{code=\"no-route\"} 8\n",
		"\nmeshgw_bridge_verdicts_total{code=\"return-route-missing\"} 3\n",
		"\nmeshgw_bridge_requests_total{host=\"service.internal\",path=\"/\",status=\"2xx\"} "
		"10\n",
		"\nmeshgw_bridge_request_bytes_total{host=\"*\",path=\"/\\\"\\\\\\\\n{}\"} 9\n",
		"\nmeshgw_bridge_request_seconds_bucket{host=\"*\",path=\"/\\\"\\\\\\\\n{}\",le=\"0.0001"
		"\"} 1\n",
		"\nmeshgw_bridge_request_seconds_bucket{host=\"*\",path=\"/\\\"\\\\\\\\n{}\",le=\"60\"} "
		"2\n",
		"\nmeshgw_bridge_request_seconds_bucket{host=\"*\",path=\"/\\\"\\\\\\\\n{}\",le=\"+Inf\""
		"} 3\n",
		"\nmeshgw_bridge_request_seconds_sum{host=\"*\",path=\"/\\\"\\\\\\\\n{}\"} 70.000201\n",
		"\nmeshgw_bridge_upstream_healthy{upstream=\"http://10.0.1.50:3000\"} 0\n",
		"\nmeshgw_up 1\n",
		"\nmeshgw_repairs_total 7\n",
		"\nmeshgw_condition{code=\"bgp-session-down\",severity=\"error\",subject=\"a\\\"b\\\\c\\"
		"\\nd\"} 1\n",
		"\nmeshgw_network{prefix=\"10.0.1.0/24\",interface=\"eth0\",effective=\"route\"} 1\n",
		"\nmeshgw_packets_total{name=\"masqueraded\"} 3\n",
		"\nmeshgw_bgp_session{address=\"10.0.1.1\",state=\"Active\"} 1\n",
		"\nmeshgw_bgp_announced{address=\"10.0.1.1\"} 4\n",
	};
	struct metrics *m = some_metrics();
	size_t len;
	autofree char *text = metrics_text(m, &len);

	assert_int_equal(strlen(text), len);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("%s is not in\n%s", lines[i], text);
	assert_string_equal(text + len - 6, "# EOF\n");
	metrics_free(m);
	metrics_free(nullptr);
}

/* Each family is described once, before its samples, and all its samples follow; every label's
 * value is closed. */
static void test_metrics_are_well_formed(void **)
{
	struct metrics *m = some_metrics();
	size_t len;
	autofree char *text = metrics_text(m, &len);
	char family[128] = "", seen[8192] = " ";

	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = '\0';
		if (strcmp(line, "# EOF") == 0) {
			assert_int_equal(end[1], '\0');
			break;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			char key[130];
			assert_int_equal(sscanf(line + 7, "%127s", family), 1);
			snprintf(key, sizeof(key), " %s ", family);
			if (strstr(seen, key))
				fail_msg("%s is there twice", family);
			size_t used = strlen(seen);
			assert_true(used + strlen(key) < sizeof(seen));
			snprintf(seen + used, sizeof(seen) - used, "%s", key + 1);
			continue;
		}
		const char *name = strncmp(line, "# ", 2) == 0 ? line + 7 : line;
		if (strncmp(name, family, strlen(family)) != 0)
			fail_msg("%s is not of %s", line, family);
		int quotes = 0;
		for (const char *p = line; line[0] != '#' && *p; p++) {
			if (*p == '\\' && quotes % 2)
				p++;
			else if (*p == '"')
				quotes++;
			assert_true(*p >= ' ' && *p <= '~');
		}
		assert_int_equal(quotes % 2, 0);
	}
	metrics_free(m);
}

static sd_json_variant *at(sd_json_variant *v, const char *key)
{
	sd_json_variant *found = sd_json_variant_by_key(v, key);

	if (!found)
		fail_msg("no %s", key);
	return found;
}

static void test_status(void **)
{
	struct metrics *m = some_metrics();
	autojson sd_json_variant *v = nullptr, *w = nullptr;
	size_t len;
	autofree char *text = metrics_status(m, &len);

	assert_true(sd_json_parse(text, 0, &v, nullptr, nullptr) >= 0);
	sd_json_variant *bridge = at(v, "bridge");
	assert_int_equal(sd_json_variant_unsigned(at(bridge, "connections")), 6);
	sd_json_variant *route = sd_json_variant_by_index(at(bridge, "routes"), 0);
	assert_int_equal(sd_json_variant_unsigned(at(at(route, "requests"), "2xx")), 10);
	assert_int_equal(sd_json_variant_unsigned(at(at(bridge, "answers"), "no-route")), 8);
	assert_int_equal(sd_json_variant_unsigned(at(at(v, "gateway"), "repairs")), 7);
	metrics_set_gateway(m, nullptr);
	autofree char *without = metrics_status(m, &len);
	assert_true(sd_json_parse(without, 0, &w, nullptr, nullptr) >= 0);
	assert_true(sd_json_variant_is_null(at(w, "gateway")));
	metrics_free(m);
}

/* Somebody who waits, and what came of it. */
struct caller {
	struct ask_waiter w;
	int told;
	bool verdict;
	struct caller *forgets; /* when told */
};

static void caller_told(struct ask_waiter *w, sd_json_variant *verdict)
{
	struct caller *c = (struct caller *)((char *)w - offsetof(struct caller, w));

	c->told++;
	c->verdict = verdict;
	if (c->forgets)
		ask_forget(&c->forgets->w);
}

static enum ask_result asks(struct ask *a, const char *target, struct caller *c, uint64_t now)
{
	autojson sd_json_variant *verdict = nullptr;

	c->w.told = caller_told;
	enum ask_result r = ask_for(a, target, &c->w, now, 100, &verdict);
	assert_int_equal(r == ASK_KNOWN, verdict != nullptr);
	return r;
}

static void test_one_question_for_many(void **)
{
	struct ask *a = ask_new(4, 1000);
	struct caller callers[1000] = {};
	autojson sd_json_variant *verdict = nullptr;

	assert_true(sd_json_variant_new_string(&verdict, "v") >= 0);
	assert_true(ask_next(a) == UINT64_MAX);
	assert_int_equal(asks(a, "t", &callers[0], 10), ASK_BEGIN);
	for (size_t i = 1; i < COUNT(callers); i++)
		assert_int_equal(asks(a, "t", &callers[i], 10 + i / 100), ASK_WAIT);
	assert_int_equal(ask_next(a), 110);
	callers[5].forgets = &callers[6]; /* in the same round */
	ask_forget(&callers[7].w);
	ask_forget(&callers[7].w);
	ask_told(a, "other", verdict, 20);
	ask_told(a, "t", verdict, 20);
	for (size_t i = 0; i < COUNT(callers); i++) {
		assert_int_equal(callers[i].told, i != 6 && i != 7);
		assert_int_equal(callers[i].verdict, i != 6 && i != 7);
	}
	assert_true(ask_next(a) == UINT64_MAX);
	assert_int_equal(asks(a, "t", &callers[0], 1019), ASK_KNOWN);
	assert_int_equal(asks(a, "t", &callers[0], 1020), ASK_BEGIN);
	ask_free(a);
	assert_int_equal(callers[0].told, 2);
	assert_false(callers[0].verdict);
	ask_free(nullptr);
}

static void test_patience_and_failure(void **)
{
	struct ask *a = ask_new(4, 1000);
	struct caller first = {}, second = {}, other = {};
	autojson sd_json_variant *verdict = nullptr;

	assert_true(sd_json_variant_new_string(&verdict, "v") >= 0);
	assert_int_equal(asks(a, "t", &first, 0), ASK_BEGIN);
	assert_int_equal(asks(a, "u", &other, 10), ASK_BEGIN);
	assert_int_equal(asks(a, "t", &second, 50), ASK_WAIT);
	ask_expire(a, 99);
	assert_int_equal(first.told, 0);
	ask_expire(a, 110);
	assert_int_equal(first.told, 1);
	assert_int_equal(other.told, 1);
	assert_int_equal(second.told, 0);
	assert_int_equal(ask_next(a), 150);
	/* An answer that is late is one for those who come next. */
	ask_told(a, "u", verdict, 120);
	assert_int_equal(asks(a, "u", &other, 121), ASK_KNOWN);
	/* What failed is not asked again at once. */
	ask_told(a, "t", nullptr, 130);
	assert_int_equal(second.told, 1);
	assert_false(second.verdict);
	assert_int_equal(asks(a, "t", &first, 131), ASK_REFUSED);
	assert_int_equal(asks(a, "t", &first, 1130), ASK_BEGIN);
	ask_free(a);
}

static void test_bounded_targets(void **)
{
	struct ask *a = ask_new(2, 1000);
	struct caller callers[4] = {};
	autojson sd_json_variant *verdict = nullptr;

	assert_true(sd_json_variant_new_string(&verdict, "v") >= 0);
	assert_int_equal(asks(a, "a", &callers[0], 0), ASK_BEGIN);
	assert_int_equal(asks(a, "b", &callers[1], 0), ASK_BEGIN);
	assert_int_equal(asks(a, "c", &callers[2], 0), ASK_REFUSED); /* both are under way */
	ask_told(a, "b", verdict, 1);
	ask_told(a, "a", verdict, 2);
	assert_int_equal(asks(a, "c", &callers[2], 3), ASK_BEGIN); /* in the place of b */
	assert_int_equal(asks(a, "a", &callers[3], 3), ASK_KNOWN);
	assert_int_equal(asks(a, "b", &callers[1], 3), ASK_BEGIN); /* in the place of a */
	ask_free(a);
}

static void test_targets_asked_about(void **)
{
	static const struct {
		const char *query, *target; /* nullptr = none */
	} cases[] = {
		{"?target=10.0.1.50:3000", "10.0.1.50:3000"},
		{"?target=10.0.1.50%3A3000", "10.0.1.50:3000"},
		{"?a=b&target=10.0.1.50%3a3000&c", "10.0.1.50:3000"},
		{"?target=Service.Internal.:080", "service.internal:80"},
		{"?target=%5B2001:DB8:0::1%5D:80", "[2001:db8::1]:80"},
		{"?target=2001:db8::1", nullptr},
		{"?target=[2001:db8::1]", nullptr},
		{"?target=a", nullptr},
		{"?target=a:", nullptr},
		{"?target=a:0", nullptr},
		{"?target=a:65536", nullptr},
		{"?target=a:99999999999", nullptr},
		{"?target=a:8x", nullptr},
		{"?target=http://a:80", nullptr},
		{"?target=a:80/x", nullptr},
		{"?target=a%00:80", nullptr},
		{"?target=a%0d%0a:80", nullptr},
		{"?target=%zz:80", nullptr},
		{"?target=a:80%", nullptr},
		{"?target=a:80%3", nullptr},
		{"?target=", nullptr},
		{"?target=a:80&target=b:80", nullptr},
		{"?xtarget=a:80", nullptr},
		{"?", nullptr},
		{"", nullptr},
	};
	char out[ASKED_ABOUT_MAX], longest[ASKED_ABOUT_MAX + 32] = "?target=";

	for (size_t i = 0; i < COUNT(cases); i++) {
		int r = asked_about(cases[i].query, strlen(cases[i].query), out);
		if ((r == 0) != (cases[i].target != nullptr))
			fail_msg("%s: %d", cases[i].query, r);
		if (cases[i].target)
			assert_string_equal(out, cases[i].target);
	}
	for (size_t n = 8; n < sizeof(longest); n++) {
		longest[n] = n % 50 ? 'a' : '.';
		(void)asked_about(longest, n + 1, out);
	}
}

static void test_budgets(void **)
{
	struct budget *b = budget_new(3, 1000);
	struct addr a, c, d;
	unsigned taken = 0;

	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	assert_int_equal(addr_parse("2001:db8::2", &c), 0);
	assert_int_equal(addr_parse("100.64.0.1", &d), 0);
	for (int i = 0; i < 10; i++) /* of one /64 */
		taken += budget_take(b, i % 2 ? &a : &c, 5000);
	assert_int_equal(taken, 3);
	assert_true(budget_take(b, &d, 5000));
	assert_false(budget_take(b, &a, 5999));
	assert_true(budget_take(b, &a, 6000));
	assert_false(budget_take(b, &a, 6001));
	for (int i = 0; i < 10; i++)
		taken += budget_take(b, &a, 1'000'000);
	assert_int_equal(taken, 6);
	/* However many sources there are, each gets its first question. */
	for (uint32_t i = 0; i < 100'000; i++) {
		memcpy(d.b, &i, sizeof(i));
		assert_true(budget_take(b, &d, 2'000'000 + i * 1000));
	}
	budget_free(b);
	budget_free(nullptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_of_bytes),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_metrics_are_well_formed),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_one_question_for_many),
		cmocka_unit_test(test_patience_and_failure),
		cmocka_unit_test(test_bounded_targets),
		cmocka_unit_test(test_targets_asked_about),
		cmocka_unit_test(test_budgets),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
