/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule of injected packets, facts of strangers, and whose flow is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "diagnose/callers.h"
#include "diagnose/collect_flow.h"
#include "diagnose/diagnose.h"
#include "diagnose/injection.h"
#include "diagnose/told.h"
#include "lib/json.h"
#include "world.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct addr parse(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void test_schedule(void **)
{
	static const struct {
		uint8_t proto;
		uint16_t port;
		enum injection_kind kind;
		bool others; /* another port and an echo are asked as well */
	} cases[] = {
		{IPPROTO_TCP, 3000, INJECT_SYN, true},
		{IPPROTO_TCP, 51999, INJECT_SYN, true},
		{IPPROTO_UDP, 53, INJECT_UDP, true},
		{IPPROTO_ICMP, 0, INJECT_ECHO, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flow flow = {.proto = cases[i].proto, .port = cases[i].port};
		struct injections set;
		bool other = false, echo = false;
		injections_plan(&flow, UINT32_MAX - (uint32_t)i, &set);
		assert_int_equal(set.last_port - set.first_port + 1, set.n);
		assert_int_equal(set.list[0].probe, PROBE_INJECTED);
		assert_int_equal(set.list[0].kind, cases[i].kind);
		for (size_t j = 0; j < set.n; j++) {
			const struct injection *in = &set.list[j];
			assert_int_equal(in->source_port, set.first_port + j);
			assert_ptr_equal(injection_of_port(&set, in->source_port), in);
			assert_true(j == 0 || in->at_ms > in[-1].at_ms);
			other |= in->probe == PROBE_INJECTED_OTHER;
			echo |= in->probe == PROBE_INJECTED_ECHO;
			if (in->probe == PROBE_INJECTED)
				assert_int_equal(in->port, cases[i].port);
			if (in->probe == PROBE_INJECTED_OTHER)
				assert_int_not_equal(in->port, cases[i].port);
		}
		assert_int_equal(other, cases[i].others);
		assert_int_equal(echo, cases[i].others);
		assert_null(injection_of_port(&set, (uint16_t)(set.last_port + 1)));
	}
}

/* However close they begin, each has ports of its own. */
static void test_beside(void **)
{
	struct flow flow = {.proto = IPPROTO_TCP, .port = 80};
	struct injections all[DIAGNOSE_MAX];
	const struct injections *others[DIAGNOSE_MAX] = {};

	for (size_t i = 0; i < DIAGNOSE_MAX; i++) {
		injections_plan_beside(&flow, UINT32_MAX, others, i, &all[i]);
		others[i] = &all[i];
		for (size_t j = 0; j < i; j++)
			assert_true(all[i].last_port < all[j].first_port ||
				    all[j].last_port < all[i].first_port);
	}
}

/* Large packets are as large as the mesh interface takes, and of every flow. */
static void test_large(void **)
{
	static const struct {
		int64_t mtu;
		uint16_t size;
	} cases[] = {{1280, 1280}, {1420, 1420}, {9000, 1500}, {-1, 1280}};
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6};

	for (size_t i = 0; i < COUNT(protos); i++) {
		struct flow flow = {.proto = protos[i], .port = i < 2 ? 80 : 0};
		struct injections set;
		size_t large = 0;
		injections_plan(&flow, 1, &set);
		injections_fit(&set, cases[i].mtu);
		for (size_t j = 0; j < set.n; j++) {
			bool is = set.list[j].probe == PROBE_LARGE;
			large += is;
			assert_int_equal(set.list[j].size, is ? cases[i].size : 0);
			assert_true(!is || set.list[j].kind == INJECT_ECHO);
		}
		assert_true(large > 1);
	}
}

/* What is said to anybody, but for the ends of what was sent to end on its way. */
static void test_heard(void **)
{
	static const struct {
		const char *sender;
		int64_t type;
		bool own, heard;
	} errors[] = {
		{"10.0.1.1", 3, false, true},
		{"10.0.1.1", 11, false, false},
		{"10.0.1.5", 3, true, false},
		{"2001:db8:1::1", 1, false, true},
		{"2001:db8:1::1", 3, false, false},
	};
	struct evidence e = {};

	assert_false(callers_heard(&e));
	struct fact_call *call = &evidence_add(&e, FACT_CALL)->call;
	call->begun = true;
	assert_false(callers_heard(&e));
	call->answered = true;
	assert_true(callers_heard(&e));
	evidence_clear(&e);
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct fact_icmp *icmp = &evidence_add(&e, FACT_ICMP)->icmp;
		icmp->sender = parse(errors[i].sender);
		icmp->type = errors[i].type;
		icmp->own = errors[i].own;
		assert_int_equal(callers_heard(&e), errors[i].heard);
		evidence_clear(&e);
	}
}

/* A neighbour that was asked whether it is still there. */
static void test_link_answer(void **)
{
	static const struct {
		const char *state;
		enum fact_outcome outcome; /* OUTCOMES = nothing is known */
	} cases[] = {
		{"reachable", OUTCOME_ANSWERED},
		{"probe", OUTCOME_SILENT},
		{"failed", OUTCOME_SILENT},
		{"incomplete", OUTCOME_SILENT},
		{"permanent", OUTCOMES},
		{"none", OUTCOMES},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct evidence e = {};
		size_t at = 0;
		struct fact_neighbour *n = &evidence_add(&e, FACT_NEIGHBOUR)->neighbour;
		snprintf(n->state, sizeof(n->state), "%s", cases[i].state);
		collect_link_answer(&e);
		const struct fact *f = evidence_next(&e, FACT_PROBE, &at);
		assert_int_equal(f ? f->probe.outcome : OUTCOMES, cases[i].outcome);
		assert_true(!f || f->probe.probe == PROBE_LINK);
		evidence_clear(&e);
	}
}

/* Diagnoses that begin one after the other know their packets apart. */
static void test_blocks(void **)
{
	struct flow flow = {.proto = IPPROTO_TCP, .port = 80};
	struct injections a, b;

	for (uint32_t seed = 0; seed < 1000; seed++) {
		injections_plan(&flow, seed, &a);
		injections_plan(&flow, seed + 1, &b);
		assert_true(a.last_port < b.first_port || b.last_port < a.first_port);
		assert_true(a.first_port >= 1024 && a.last_port >= a.first_port);
	}
}

static void test_told(void **)
{
	static const struct {
		const char *json;
		bool taken;
	} cases[] = {
		{"[]", true},
		{"[{\"kind\":\"drop\",\"origin\":\"real\",\"reason\":\"NETFILTER_DROP\",\"count\":1}]",
			true},
		{"[{\"kind\":\"drop\",\"origin\":\"real\"},{\"kind\":\"sysctl\",\"key\":\"a\",\"value\":1}]",
			false},
		{"[{\"kind\":\"nonsense\"}]", false},
		{"[{\"kind\":\"drop\",\"origin\":\"real\",\"count\":\"one\"}]", false},
		{"[1]", false},
		{"{}", false},
		{"null", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		autojson sd_json_variant *v = nullptr;
		struct evidence e = {};
		struct err err = {};
		print_message("%s\n", cases[i].json);
		assert_true(sd_json_parse(cases[i].json, 0, &v, nullptr, nullptr) >= 0);
		int r = told_read(v, 1U << FACT_DROP, &e, &err);
		assert_int_equal(r == 0, cases[i].taken);
		assert_true(r == 0 || err.msg[0]);
		evidence_clear(&e);
	}
	assert_int_equal(told_read(nullptr, 0, nullptr, &(struct err){}), -EBADMSG);
}

static void test_too_much(void **)
{
	autojson sd_json_variant *list = nullptr;
	struct evidence e = {};

	for (size_t i = 0; i < TOLD_MAX + 1; i++) {
		if (i == TOLD_MAX)
			assert_int_equal(told_read(list, 1U << FACT_DROP, &e, &(struct err){}), 0);
		assert_true(sd_json_variant_append_arraybo(&list,
				    SD_JSON_BUILD_PAIR_STRING("kind", "drop"),
				    SD_JSON_BUILD_PAIR_STRING("origin", "real")) >= 0);
	}
	assert_int_equal(e.n, TOLD_MAX);
	assert_int_equal(told_read(list, 1U << FACT_DROP, &e, &(struct err){}), -EBADMSG);
	evidence_clear(&e);
}

static void test_client(void **)
{
	static const struct {
		const char *from, *client, *target;
		int error;
		const char *expected, *as;
	} cases[] = {
		{"", "", "10.0.1.50", 0, "100.79.255.254", "workers"},
		{"devices", "", "10.0.1.50", 0, "100.111.255.254", "devices"},
		{"", "", "2001:db8:1::50", 0, "2606:4700:cf1:5000:ffff:ffff:ffff:fffe", "workers"},
		{"sites", "", "10.0.1.50", EADDRNOTAVAIL, "", ""},
		{"", "100.64.7.7", "10.0.1.50", 0, "100.64.7.7", "address"},
		{"", "100.64.7.7", "2001:db8:1::50", EINVAL, "", ""},
	};
	struct config *config = world_config(
		"lan: [{interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}]\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[ADDR_STRLEN];
		struct err err = {};
		struct flow flow = {.target = parse(cases[i].target)};
		snprintf(flow.from, sizeof(flow.from), "%s", cases[i].from);
		if (cases[i].client[0])
			flow.client = parse(cases[i].client);
		assert_int_equal(diagnose_client(config, &flow, &err), -cases[i].error);
		if (cases[i].error) {
			assert_true(err.msg[0]);
			continue;
		}
		assert_string_equal(addr_str(&flow.client, text), cases[i].expected);
		assert_string_equal(flow.from, cases[i].as);
	}
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_link_answer),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_client),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
