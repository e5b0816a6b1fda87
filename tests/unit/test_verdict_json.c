/* SPDX-License-Identifier: Apache-2.0 */
/* The object that scripts read: its keys are an interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/own.h"
#include "verdict/verdict.h"
#include <stdio.h>
#include <string.h>

static void fill(struct evidence *e)
{
	struct err err;

	assert_int_equal(flow_parse("10.0.1.50:3000", &e->flow, &err), 0);
	assert_int_equal(addr_parse("100.79.255.254", &e->flow.client), 0);
	snprintf(e->flow.from, sizeof(e->flow.from), "workers");
	snprintf(e->id, sizeof(e->id), "d-1");
	snprintf(e->mesh, sizeof(e->mesh), "CloudflareWARP");
	snprintf(e->lan, sizeof(e->lan), "eth0");
	struct fact_config *config = &evidence_add(e, FACT_CONFIG)->config;
	config->up = true;
	config->range = (struct prefix){{AF_INET, {100, 64}}, 12};
	struct fact_trace *trace = &evidence_add(e, FACT_TRACE)->trace;
	trace->origin = ORIGIN_INJECTED;
	trace->to_target = true;
	snprintf(trace->family, sizeof(trace->family), "inet");
	snprintf(trace->table, sizeof(trace->table), "site");
	snprintf(trace->chain, sizeof(trace->chain), "guard");
	snprintf(trace->hook, sizeof(trace->hook), "forward");
	snprintf(trace->verdict, sizeof(trace->verdict), "policy drop");
}

static void set(struct verdict *v, const char *name, const char *value)
{
	struct verdict_attribute *a = &v->attributes[v->n_attributes++];

	snprintf(a->name, sizeof(a->name), "%s", name);
	snprintf(a->value, sizeof(a->value), "%s", value);
}

static void check_json(const struct verdict *v, const struct evidence *e, const char *want)
{
	autojson sd_json_variant *json = nullptr;
	autofree char *text = nullptr;

	assert_int_equal(verdict_to_json(v, e, &json), 0);
	assert_true(sd_json_variant_format(json, 0, &text) > 0);
	assert_string_equal(text, want);
}

static void test_cause(void **)
{
	struct evidence e = {};
	struct verdict v = {
		.code = CODE_FILTER_DROP_FORWARD,
		.confidence = CONFIDENCE_CERTAIN,
		.at = AT_GATEWAY,
		.summary = "The policy drops it",
		.evidence = {1},
		.n_evidence = 1,
		.consequences = {"The caller repeats its SYN"},
		.n_consequences = 1,
		.next = CODE_SERVICE_PORT_CLOSED,
		.next_summary = "Nothing listens",
		.wanted = {OBSERVER_DROPS},
		.n_wanted = 1,
	};

	fill(&e);
	set(&v, "family", "inet");
	set(&v, "table", "site");
	set(&v, "chain", "guard");
	check_json(&v, &e,
		"{\"id\":\"d-1\",\"code\":\"filter-drop-forward\",\"class\":\"node\","
		"\"confidence\":\"certain\",\"point\":\"gateway\",\"title\":\"A packet filter on "
		"this gateway drops the packet where it is forwarded.\",\"summary\":\"The policy "
		"drops it\",\"flow\":\"tcp 10.0.1.50:3000\",\"client\":\"100.79.255.254\","
		"\"from\":\"workers\",\"meshInterface\":\"CloudflareWARP\",\"lanInterface\":"
		"\"eth0\",\"candidates\":[],\"attributes\":{\"table\":\"inet site\",\"chain\":"
		"\"guard\"},\"evidence\":[{\"source\":\"nft-trace\",\"says\":\"a packet of "
		"the injected flow to the target met \\\"policy drop\\\" in table inet site, chain "
		"guard at hook forward\",\"command\":\"nft -a list chain inet site guard\"}],"
		"\"consequences\":[\"The caller repeats its SYN\"],\"next\":"
		"\"service-port-closed\",\"nextSummary\":\"Nothing listens\",\"bothCovered\":"
		"false,\"remedy\":{\"text\":\"Accept the flow in that chain, in the way of the "
		"program that owns it; without the port, the commands let all of the mesh range "
		"through.\",\"commands\":[\"nft add rule inet site guard iifname CloudflareWARP "
		"ip saddr 100.64.0.0/12 ip daddr 10.0.1.50 tcp dport 3000 accept\",\"nft add rule "
		"inet site guard iifname eth0 ip daddr 100.64.0.0/12 ct state "
		"established,related accept\"],\"applicable\":true},\"wanted\":[\"drops\"]}");
	evidence_clear(&e);
}

static void test_nothing(void **)
{
	struct evidence e = {};
	struct verdict v = {
		.code = CODE_INCONCLUSIVE,
		.confidence = CONFIDENCE_INCONCLUSIVE,
		.candidates = {CODE_UPSTREAM_FILTERS_RANGE, CODE_UPSTREAM_RETURN_ROUTE_MISSING},
		.n_candidates = 2,
		.evidence = {9}, /* of another record */
		.n_evidence = 1,
		.next = CODES,
	};

	check_json(&v, &e,
		"{\"id\":\"\",\"code\":\"inconclusive\",\"class\":\"undecided\",\"confidence\":"
		"\"inconclusive\",\"point\":\"nowhere\",\"title\":\"The evidence is not enough for "
		"one cause; the ones that are still possible are listed.\",\"summary\":\"\","
		"\"flow\":\"tcp \",\"client\":\"\",\"from\":\"\",\"meshInterface\":\"\","
		"\"lanInterface\":\"\",\"candidates\":[\"upstream-filters-range\","
		"\"upstream-return-route-missing\"],\"attributes\":{},\"evidence\":[],"
		"\"consequences\":[],\"next\":null,\"remedy\":{\"text\":\"See what was missing, "
		"and diagnose again while the flow fails.\",\"commands\":[],\"applicable\":false},"
		"\"wanted\":[]}");
}

static size_t listed(sd_json_variant *json, const char *key)
{
	return sd_json_variant_elements(sd_json_variant_by_key(json, key));
}

/* What several facts say in the same words is said once. */
static void test_repeated(void **)
{
	autojson sd_json_variant *json = nullptr;
	struct evidence e = {};
	struct verdict v = {
		.code = CODE_FILTER_DROP_FORWARD,
		.evidence = {1, 2, 0, 1},
		.n_evidence = 4,
		.consequences = {"a redirect", "the caller repeats", "a redirect"},
		.n_consequences = 3,
		.next = CODES,
	};

	fill(&e);
	struct fact_trace same = e.facts[1].trace;
	evidence_add(&e, FACT_TRACE)->trace = same;
	assert_int_equal(verdict_to_json(&v, &e, &json), 0);
	assert_int_equal(listed(json, "evidence"), 2);
	assert_int_equal(listed(json, "consequences"), 2);
	evidence_clear(&e);
}

static void test_names(void **)
{
	for (enum verdict_point at = 0; at < ATS; at++)
		assert_non_null(verdict_point_str(at));
	for (enum confidence c = 0; c < CONFIDENCES; c++)
		assert_non_null(confidence_str(c));
	for (enum code_class c = 0; c < CODE_CLASSES; c++)
		assert_non_null(code_class_str(c));
	for (enum fact_observer o = 0; o < OBSERVERS; o++)
		assert_non_null(fact_observer_str(o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cause),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
