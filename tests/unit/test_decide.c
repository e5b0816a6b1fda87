/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide_stories.h"
#include "evidence_build.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct stories *const books[] = {&stories_gateway, &stories_filter, &stories_lan,
	&stories_beyond, &stories_service, &stories_decoys, &stories_callers, &stories_outgoing,
	&stories_tunnel};

static void begin(const struct story *s, struct evidence *e)
{
	evidence_healthy(e, s->six ? AF_INET6 : AF_INET);
	if (s->proto)
		e->flow.proto = s->proto;
	e->flow.scheme = s->scheme;
	e->passive = s->passive;
	e->changed = s->changed;
	e->took_us = s->took_us;
	if (s->outgoing) {
		snprintf(e->flow.from, sizeof(e->flow.from), "%s", FLOW_FROM_GATEWAY);
		e->flow.client = (struct addr){};
	}
	if (s->client)
		assert_int_equal(addr_parse(s->client, &e->flow.client), 0);
	if (s->target)
		assert_int_equal(addr_parse(s->target, &e->flow.target), 0);
	evidence_change(e, s->facts);
}

static void for_all(void (*fn)(const struct story *s, const struct evidence *e))
{
	for (size_t i = 0; i < sizeof(books) / sizeof(books[0]); i++)
		for (size_t j = 0; j < books[i]->n; j++) {
			const struct story *s = &books[i]->list[j];
			struct evidence e;
			begin(s, &e);
			fn(s, &e);
			evidence_clear(&e);
		}
}

static unsigned failures;

[[gnu::format(printf, 2, 3)]] static void complain(const struct story *s, const char *fmt, ...)
{
	va_list ap;
	failures++;
	print_error("%s: ", s->name);
	va_start(ap, fmt);
	vprint_error(fmt, ap);
	va_end(ap);
	print_error("\n");
}

static bool may_be(const struct verdict *v, enum code code)
{
	for (size_t i = 0; i < v->n_candidates; i++)
		if (v->candidates[i] == code)
			return true;
	return v->code == code;
}

static void check_attribute(const struct story *s, const struct verdict *v)
{
	char name[32] = "";
	const char *equals = s->attribute ? strchr(s->attribute, '=') : nullptr;
	if (!equals)
		return;
	memcpy(name, s->attribute, (size_t)(equals - s->attribute));
	const char *value = verdict_attribute(v, name);
	if (!value || strcmp(value, equals + 1) != 0)
		complain(s, "%s is %s", s->attribute, value ? value : "not there");
}

static void check(const struct story *s, const struct evidence *e)
{
	struct verdict v;
	enum code next = s->next ? s->next : CODES;

	verdict_decide(e, &v);
	if (v.code != s->code || v.confidence != s->confidence)
		complain(s, "%s %s, not %s %s", code_str(v.code), confidence_str(v.confidence),
			code_str(s->code), confidence_str(s->confidence));
	if (v.next != next)
		complain(s, "next is %s, not %s", v.next == CODES ? "none" : code_str(v.next),
			next == CODES ? "none" : code_str(next));
	if (s->candidate && !may_be(&v, s->candidate))
		complain(s, "%s is no candidate", code_str(s->candidate));
	if (v.both_covered != s->covered)
		complain(s, "both covered: %d", v.both_covered);
	if (!v.n_evidence && v.code < CODE_HEALTHY)
		complain(s, "no evidence");
	if ((v.confidence >= CONFIDENCE_UNDETERMINED) != (v.n_candidates > 0))
		complain(s, "%zu candidates", v.n_candidates);
	check_attribute(s, &v);
}

static void test_stories(void **state)
{
	(void)state;
	failures = 0;
	for_all(check);
	assert_int_equal(failures, 0);
}

static bool same(const struct evidence *a, const struct verdict *x, const struct evidence *b,
	const struct verdict *y)
{
	if (x->code != y->code || x->confidence != y->confidence || x->at != y->at ||
		x->next != y->next || x->n_attributes != y->n_attributes ||
		x->n_candidates != y->n_candidates || x->n_evidence != y->n_evidence ||
		x->n_consequences != y->n_consequences || strcmp(x->summary, y->summary) != 0)
		return false;
	for (size_t i = 0; i < x->n_attributes; i++)
		if (strcmp(x->attributes[i].value, y->attributes[i].value) != 0)
			return false;
	for (size_t i = 0; i < x->n_evidence; i++)
		if (a->facts[x->evidence[i]].kind != b->facts[y->evidence[i]].kind)
			return false;
	for (size_t i = 0; i < x->n_consequences; i++)
		if (strcmp(x->consequences[i], y->consequences[i]) != 0)
			return false;
	return !memcmp(x->candidates, y->candidates, sizeof(x->candidates));
}

static void check_order(const struct story *s, const struct evidence *e)
{
	struct verdict first, v;
	verdict_decide(e, &first);
	for (unsigned seed = 1; seed < 6; seed++) {
		struct evidence other;
		evidence_copy(e, &other);
		evidence_shuffle(&other, seed);
		verdict_decide(&other, &v);
		if (!same(e, &first, &other, &v))
			complain(s, "another verdict in another order");
		evidence_clear(&other);
	}
}

static void test_order(void **state)
{
	(void)state;
	failures = 0;
	for_all(check_order);
	assert_int_equal(failures, 0);
}

/* A cause of BGP's is why the site has no way back, one of the own tunnel's why it has no edge,
 * cannot begin, or has nobody to read its queue: said less exactly it is that. */
static bool is_true(const struct story *s, enum code code)
{
	if (code == s->code || (s->next && code == s->next))
		return true;
	if (s->code < CODE_TUNNEL_NO_INGRESS &&
		(code == CODE_TUNNEL_DISCONNECTED || code == CODE_TUNNEL_PEER_SILENT))
		return true;
	if (s->code > CODE_TUNNEL_NOT_ATTACHED && s->code < CODE_TUNNEL_NOT_BEGUN &&
		code == CODE_TUNNEL_NOT_BEGUN)
		return true;
	if (s->code == CODE_TUNNEL_NOT_ATTACHED && code == CODE_TUNNEL_QUEUE_FULL)
		return true;
	if (s->code == CODE_TUNNEL_NO_INTERFACE && code == CODE_TUNNEL_INTERFACE_MISSING)
		return true;
	return s->code >= CODE_BGP_DAEMON_DOWN && s->code <= CODE_BGP_ADVERTISED_NOT_USED &&
	       code == CODE_UPSTREAM_RETURN_ROUTE_MISSING;
}

static bool contains_truth(const struct story *s, const struct verdict *v)
{
	for (size_t i = 0; i < v->n_candidates; i++)
		if (is_true(s, v->candidates[i]))
			return true;
	return is_true(s, v->code);
}

static bool still_right(const struct story *s, const struct verdict *v)
{
	if (is_true(s, v->code))
		return true;
	if (v->code == CODE_HEALTHY)
		return s->only_real;
	if (v->confidence == CONFIDENCE_INCONCLUSIVE ||
		(s->only_real && v->confidence == CONFIDENCE_UNDETERMINED))
		return true;
	return v->confidence == CONFIDENCE_UNDETERMINED && contains_truth(s, v);
}

static void check_without(const struct story *s, const struct evidence *e, const char *what)
{
	struct verdict v;
	char says[FACT_SAYS_LEN];
	verdict_decide(e, &v);
	if (!still_right(s, &v))
		complain(s, "without %s: %s %s, not %s", what, code_str(v.code),
			confidence_str(v.confidence), code_str(s->code));
	(void)says;
}

static void check_mutations(const struct story *s, const struct evidence *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct evidence less;
		char what[64];
		snprintf(what, sizeof(what), "fact %zu (%s)", i, fact_kind_str(e->facts[i].kind));
		evidence_copy(e, &less);
		evidence_remove(&less, i);
		check_without(s, &less, what);
		evidence_clear(&less);
	}
}

static void test_mutations(void **state)
{
	(void)state;
	failures = 0;
	for_all(check_mutations);
	assert_int_equal(failures, 0);
}

/* What is missing when an observer is: and the evidence says so. */
static const struct {
	enum fact_observer observer;
	unsigned kinds;
	bool injected;
} observers[] = {
	{OBSERVER_TRACE, 1U << FACT_PACKET | 1U << FACT_ICMP | 1U << FACT_DROP, true},
	{OBSERVER_DROPS, 1U << FACT_DROP, false},
	{OBSERVER_PACKETS, 1U << FACT_PACKET | 1U << FACT_ICMP, false},
	{OBSERVER_NFT_TRACE, 1U << FACT_TRACE, false},
	{OBSERVER_RULESET, 1U << FACT_CHAIN, false},
	{OBSERVER_ROUTES, 1U << FACT_LOOKUP, false},
	{OBSERVER_CONNTRACK, 1U << FACT_CONNTRACK, false},
	{OBSERVER_COUNTERS, 1U << FACT_COUNTER, false},
	{OBSERVER_FRR, 1U << FACT_BGP | 1U << FACT_BGP_NEIGHBOUR | 1U << FACT_BGP_PREFIX, false},
	{OBSERVER_PROBES, 1U << FACT_PROBE, false},
	{OBSERVER_L7, 1U << FACT_L7, false},
};

static bool of_observer(const struct fact *f, size_t o)
{
	bool injected = (f->kind == FACT_PROBE && (f->probe.probe == PROBE_INJECTED ||
							  f->probe.probe == PROBE_INJECTED_OTHER ||
							  f->probe.probe == PROBE_INJECTED_ECHO)) ||
			(f->kind == FACT_TRACE && f->trace.origin == ORIGIN_INJECTED);
	return (observers[o].kinds >> f->kind & 1) || (observers[o].injected && injected);
}

static void check_observers(const struct story *s, const struct evidence *e)
{
	for (size_t o = 0; o < sizeof(observers) / sizeof(observers[0]); o++) {
		struct evidence less;
		evidence_copy(e, &less);
		for (size_t i = 0; i < less.n;)
			if (of_observer(&less.facts[i], o))
				evidence_remove(&less, i);
			else
				i++;
		struct fact *f = evidence_add(&less, FACT_MISSING);
		f->missing.observer = observers[o].observer;
		char what[64];
		snprintf(what, sizeof(what), "observer %u", observers[o].observer);
		check_without(s, &less, what);
		evidence_clear(&less);
	}
}

static void test_observers(void **state)
{
	(void)state;
	failures = 0;
	for_all(check_observers);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_observers),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
