/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/reply.h"
#include "cli/term.h"
#include "lib/json.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char whole[] =
	"{\"version\":\"1\",\"phase\":\"up\",\"downSince\":5,\"meshInterface\":\"tun0\","
	"\"ranges\":[{\"class\":\"workers\",\"prefix\":\"10.0.0.0/8\"}],"
	"\"networks\":[{\"prefix\":\"10.0.1.0/24\",\"interface\":\"eth0\",\"configured\":\"auto\","
	"\"effective\":\"route\"}],"
	"\"objects\":[{\"kind\":\"nft\",\"name\":\"n\",\"wanted\":\"w\",\"state\":\"failed\","
	"\"reason\":\"r\"}],"
	"\"conditions\":[{\"code\":\"c\",\"severity\":\"error\",\"subject\":\"s\",\"message\":\"m\","
	"\"since\":7,\"remedy\":\"r\",\"dependsOn\":\"d\"}],"
	"\"counters\":[{\"name\":\"n\",\"packets\":1,\"bytes\":18446744073709551615}],"
	"\"pending\":{\"remainingSeconds\":9},\"repairs\":3,"
	"\"flows\":[{\"target\":\"t\",\"code\":\"c\",\"confidence\":\"likely\",\"summary\":\"s\","
	"\"client\":\"a\",\"count\":1,\"firstSeen\":2,\"lastSeen\":3}]}";

static sd_json_variant *parse(const char *text)
{
	sd_json_variant *v = nullptr;

	assert_true(sd_json_parse(text, 0, &v, nullptr, nullptr) >= 0);
	return v;
}

static void test_whole(void **)
{
	autojson sd_json_variant *v = parse(whole);
	struct status s;

	assert_int_equal(status_read(v, &s), 0);
	const struct reply_condition *conditions = s.conditions.items;
	const struct reply_counter *counters = s.counters.items;
	assert_string_equal(s.phase, "up");
	assert_int_equal(s.down_since_us, 5);
	assert_int_equal(s.conditions.n, 1);
	assert_string_equal(conditions[0].depends_on, "d");
	assert_true(counters[0].bytes == UINT64_MAX);
	assert_true(s.pending.set);
	assert_int_equal(s.pending.remaining_s, 9);
	assert_int_equal(status_count_conditions(&s, "error"), 1);
	assert_int_equal(status_count_conditions(&s, "warning"), 0);
	assert_int_equal(status_count_objects(&s, "installed"), 0);
	assert_int_equal(status_count_networks(&s, "route"), 1);
	status_clear(&s);
}

/* What becomes of the reply without a field, and with null in its place. */
static void check_field(const char *name, bool optional)
{
	autojson sd_json_variant *v = parse(whole);
	char *without[] = {(char *)(uintptr_t)name, nullptr};
	struct status s;

	assert_true(sd_json_variant_filter(&v, without) >= 0);
	assert_int_equal(status_read(v, &s) == 0, optional);
	status_clear(&s);
	assert_true(sd_json_variant_set_field(&v, name, nullptr) >= 0);
	assert_int_equal(status_read(v, &s) == 0, optional);
	status_clear(&s);
}

static void test_fields(void **)
{
	static const struct {
		const char *name;
		bool optional;
	} fields[] = {
		{"version", false},
		{"phase", false},
		{"downSince", true},
		{"meshInterface", true},
		{"ranges", false},
		{"networks", false},
		{"objects", false},
		{"conditions", false},
		{"counters", false},
		{"pending", true},
		{"repairs", false},
		{"flows", true},
	};

	for (size_t i = 0; i < COUNT(fields); i++)
		check_field(fields[i].name, fields[i].optional);
}

/* Replaces the first occurrence of from. */
static char *replaced(const char *from, const char *to)
{
	static char text[sizeof(whole) + 64];
	const char *at = strstr(whole, from);

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
	return text;
}

static void test_types(void **)
{
	static const struct {
		const char *from, *to;
		bool good;
	} cases[] = {
		{"\"version\":\"1\"", "\"version\":1", false},
		{"\"downSince\":5", "\"downSince\":-5", false},
		{"\"downSince\":5", "\"downSince\":\"x\"", false},
		{"\"repairs\":3", "\"repairs\":3.5", false},
		{"\"repairs\":3", "\"repairs\":99999999999999999999", false},
		{"\"repairs\":3", "\"repairs\":3,\"repairs\":4", false},
		{"\"repairs\":3", "\"repairs\":3,\"ofTheFuture\":[{}]", true},
		{"\"class\":\"workers\",", "", false},
		{"\"class\":\"workers\"", "\"class\":\"workers\",\"new\":1", true},
		{"\"class\":\"workers\"", "\"class\":null", false},
		{"\"reason\":\"r\"", "\"reason\":null", true},
		{"\"reason\":\"r\"", "\"reason\":7", false},
		{"\"remedy\":\"r\",", "", true},
		{"\"pending\":{\"remainingSeconds\":9}", "\"pending\":{}", false},
		{"\"pending\":{\"remainingSeconds\":9}", "\"pending\":9", false},
		{"\"ranges\":[{", "\"ranges\":[[],{", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		autojson sd_json_variant *v = parse(replaced(cases[i].from, cases[i].to));
		struct status s;
		print_message("%s -> %s\n", cases[i].from, cases[i].to);
		assert_int_equal(status_read(v, &s) == 0, cases[i].good);
		status_clear(&s);
	}
}

#define NFT(changes)                                                                           \
	"{\"operations\":[{\"action\":\"a\",\"kind\":\"nft\",\"name\":\"n\",\"detail\":\"d\"," \
	"\"changes\":" changes "}]}"

static void test_changes(void **)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"{\"operations\":[]}", true},
		{"{\"operations\":[{\"action\":\"a\",\"kind\":\"k\",\"name\":\"n\",\"detail\":\"d\"}]}",
			true},
		{"{\"operations\":[{\"action\":\"a\",\"kind\":\"k\",\"name\":\"n\"}]}", false},
		{NFT("null"), true},
		{NFT("[]"), true},
		{NFT("[{\"action\":\"a\",\"kind\":\"k\",\"text\":\"t\",\"new\":1}]"), true},
		{NFT("[{\"action\":\"a\",\"kind\":\"k\"}]"), false},
		{NFT("[7]"), false},
		{NFT("{}"), false},
		{"{\"operations\":[],\"pending\":null}", true},
		{"{\"operations\":{}}", false},
		{"{}", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		autojson sd_json_variant *v = parse(cases[i].text);
		struct changes c;
		assert_int_equal(changes_read(v, &c) == 0, cases[i].good);
		changes_clear(&c);
	}
}

static void test_time_span(void **)
{
	static const struct {
		uint64_t s;
		const char *text;
	} cases[] = {
		{0, "0 s"},
		{59, "59 s"},
		{60, "1 min"},
		{3599, "59 min"},
		{3600, "1 h 0 min"},
		{86399, "23 h 59 min"},
		{86400, "1 d 0 h"},
		{UINT64_MAX / 1'000'000, "213503982 d 8 h"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(time_span(cases[i].s * 1'000'000).text, cases[i].text);
}

static void test_byte_count(void **)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{1 << 30, "1.0 GiB"},
		{UINT64_MAX, "16.0 EiB"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(byte_count(cases[i].bytes).text, cases[i].text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_time_span),
		cmocka_unit_test(test_byte_count),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
