/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/own.h"
#include "verdict/evidence.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_add_and_next(void **)
{
	struct evidence e = {};
	size_t at = 0;

	for (int64_t i = 0; i < 500; i++) {
		evidence_add(&e, FACT_COUNTER)->counter.value = i;
		assert_int_equal(evidence_add(&e, FACT_LOOKUP)->lookup.rule_priority, -1);
	}
	for (int64_t i = 0; i < 500; i++)
		assert_int_equal(evidence_next(&e, FACT_COUNTER, &at)->counter.value, i);
	assert_null(evidence_next(&e, FACT_COUNTER, &at));
	at = 0;
	assert_null(evidence_next(&e, FACT_BGP, &at));
	evidence_clear(&e);
	assert_int_equal(e.n, 0);
}

static void test_bounded(void **)
{
	struct evidence e = {.flow.proto = IPPROTO_TCP};

	for (size_t i = 0; i < EVIDENCE_FACTS_MAX + 100; i++)
		evidence_add(&e, FACT_SYSCTL)->sysctl.value = (int64_t)i;
	assert_int_equal(e.n, EVIDENCE_FACTS_MAX);
	assert_int_equal(e.facts[EVIDENCE_FACTS_MAX - 1].sysctl.value, EVIDENCE_FACTS_MAX - 1);

	autojson sd_json_variant *v = nullptr;
	struct evidence again = {};
	struct err err = {};
	assert_int_equal(evidence_to_json(&e, &v), 0);
	assert_int_equal(evidence_from_json(v, &again, &err), 0);
	assert_int_equal(again.n, EVIDENCE_FACTS_MAX);
	evidence_clear(&e);
	evidence_clear(&again);
}

static int read_text(const char *text, struct evidence *out, struct err *err)
{
	autojson sd_json_variant *v = nullptr;

	assert_int_equal(sd_json_parse(text, 0, &v, nullptr, nullptr), 0);
	return evidence_from_json(v, out, err);
}

static void test_round_trip(void **)
{
	static const char text[] =
		"{\"version\":1,\"id\":\"d-1\",\"atUs\":18446744073709551615,\"tookUs\":3,"
		"\"meshInterface\":\"CloudflareWARP\",\"lanInterface\":\"eth0\",\"passive\":true,"
		"\"changed\":false,\"flow\":{\"protocol\":\"icmpv6\",\"client\":\"2001:db8::1\","
		"\"from\":\"workers\",\"target\":\"2001:db8::2\",\"port\":65535,"
		"\"scheme\":\"https\",\"host\":\"a.example\",\"path\":\"/\"},"
		"\"facts\":[{\"kind\":\"sysctl\",\"key\":\"net.ipv4.ip_forward\",\"value\":0},"
		"{\"kind\":\"missing\",\"observer\":\"drops\",\"why\":\"no BPF\"}]}";
	struct evidence e = {};
	struct err err = {};

	if (read_text(text, &e, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(e.flow.proto, IPPROTO_ICMPV6);
	assert_int_equal(e.at_us, UINT64_MAX);
	assert_int_equal(e.n, 2);
	autojson sd_json_variant *v = nullptr;
	autofree char *again = nullptr;
	assert_int_equal(evidence_to_json(&e, &v), 0);
	assert_true(sd_json_variant_format(v, 0, &again) > 0);
	assert_string_equal(again, text);
	evidence_clear(&e);
}

static void test_refused(void **)
{
#define HEAD "{\"version\":1,\"flow\":{\"protocol\":\"tcp\",\"scheme\":\"none\""
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"[]", "this is no record of a diagnosis"},
		{"{}", "this is no record of a diagnosis"},
		{"{\"version\":\"1\"}", "this is no record of a diagnosis"},
		{"{\"version\":2}", "version 2 of the record, 1 is known"},
		{"{\"version\":1}", "flow: missing"},
		{"{\"version\":1,\"flow\":[]}", "flow: no object"},
		{"{\"version\":1,\"flow\":{}}", "flow: protocol: missing"},
		{HEAD "}}", "facts: no list"},
		{HEAD "},\"facts\":{}}", "facts: no list"},
		{HEAD "},\"facts\":[{\"kind\":\"bgp\"},1]}", "facts: 1: a fact of no known kind"},
		{HEAD ",\"port\":65536},\"facts\":[]}", "flow: port: no number, or too large"},
		{HEAD ",\"port\":-1},\"facts\":[]}", "flow: port: no number, or too large"},
		{HEAD "},\"atUs\":-1,\"facts\":[]}", "atUs: no number, or too large"},
		{"{\"version\":1,\"flow\":{\"protocol\":\"sctp\",\"scheme\":\"none\"},"
		 "\"facts\":[]}",
			"flow: protocol: no such name"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct evidence e = {};
		struct err err = {};
		assert_true(read_text(cases[i].text, &e, &err) < 0);
		assert_string_equal(err.msg, cases[i].want);
		assert_null(e.facts);
	}
}

/* What could not be read again is not written. */
static void test_no_record_without_a_name(void **)
{
	struct evidence e = {.flow.proto = 200};
	sd_json_variant *v = nullptr;

	assert_int_equal(evidence_to_json(&e, &v), -EINVAL);
	assert_null(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_next),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_record_without_a_name),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
