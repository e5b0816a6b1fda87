/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which flows fail, from events of connection tracking in virtual time, and what is kept of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/flow_cause.h"
#include "daemon/flow_store.h"
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdlib.h>
#include <string.h>

constexpr uint64_t SECOND = 1'000'000;
constexpr uint64_t START = 1000 * SECOND;

struct seen {
	unsigned n[3];
	struct flow_failure last;
};

static void on_failed(const struct flow_failure *f, void *arg)
{
	struct seen *s = arg;
	s->n[f->end]++;
	s->last = *f;
}

static struct addr address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct ct_entry entry(uint8_t proto, uint16_t from_port, uint16_t to_port)
{
	return (struct ct_entry){.flow = {.proto = proto,
					 .from = address("100.64.0.5"),
					 .to = address("10.0.1.50"),
					 .from_port = from_port,
					 .to_port = to_port},
		.tcp_state = proto == IPPROTO_TCP ? TCP_CONNTRACK_SYN_SENT : 0};
}

/* ---- events ---- */

/* One step: n new, u update, d destroyed, x deleted by a program; then the state and whether an
 * answer was seen (+), or assured (*); "." = a second passes; l events are lost. */
static const struct {
	const char *events;
	uint8_t proto;
	int end; /* -1 = no failure */
} stories[] = {
	{"ns us+ ue* .......", IPPROTO_TCP, -1},
	{"ns ur+ ue+ ue* uf* uc* d", IPPROTO_TCP, -1},
	{"ns ......", IPPROTO_TCP, FLOW_SILENT},
	{"ns . us . ur+ ue* .....", IPPROTO_TCP, -1}, /* one SYN was lost */
	{"ns ur+ .....", IPPROTO_TCP, FLOW_STUCK},
	{"ns ds", IPPROTO_TCP, FLOW_REFUSED},
	{"ns dc", IPPROTO_TCP, FLOW_REFUSED},
	{"ns xs .....", IPPROTO_TCP, -1},             /* conntrack -F */
	{"ns xs ns .....", IPPROTO_TCP, FLOW_SILENT}, /* and the SYN is repeated */
	{"ns l ur+ ue+ .....", IPPROTO_TCP, -1},      /* an answer was lost */
	{"ns l .....", IPPROTO_TCP, -1},
	{"ns l ns .....", IPPROTO_TCP, FLOW_SILENT},
	{"ns ur+ uc+ dc+", IPPROTO_TCP, -1}, /* a port scan */
	{"ne* .....", IPPROTO_TCP, -1},      /* picked up in its middle */
	{"ue* ue* de*", IPPROTO_TCP, -1},
	{"us ......", IPPROTO_TCP, -1}, /* its beginning was not heard */
	{"n- u-+ ......", IPPROTO_UDP, -1},
	{"n- ......", IPPROTO_UDP, FLOW_SILENT},
	{"n- .... u-+ ...", IPPROTO_UDP, -1},
	{"n- d-", IPPROTO_UDP, -1},
	{"n- ....", IPPROTO_ICMP, FLOW_SILENT},
	{"n- u-+ d-+", IPPROTO_ICMP, -1},
};

static uint8_t tcp_state(char c)
{
	switch (c) {
	case 's':
		return TCP_CONNTRACK_SYN_SENT;
	case 'r':
		return TCP_CONNTRACK_SYN_RECV;
	case 'e':
		return TCP_CONNTRACK_ESTABLISHED;
	case 'f':
		return TCP_CONNTRACK_FIN_WAIT;
	case 'c':
		return TCP_CONNTRACK_CLOSE;
	default:
		return 0;
	}
}

static void play(struct flow_track *t, const char *events, struct ct_entry e, struct seen *s)
{
	static const char kinds[] = "nudx"; /* enum ct_event */
	uint64_t now = START;

	for (const char *p = events; *p; p++) {
		if (*p == '.') {
			now += SECOND;
			flow_track_expire(t, now, on_failed, s);
		}
		if (*p == 'l')
			flow_track_forget(t);
		const char *kind = strchr(kinds, *p);
		if (!kind)
			continue;
		enum ct_event what = (enum ct_event)(kind - kinds);
		e.tcp_state = tcp_state((char)(p[1] ? *++p : '-'));
		if (p[0] && p[1] == '+')
			e.state.status |= IPS_SEEN_REPLY;
		if (p[0] && p[1] == '*')
			e.state.status |= IPS_SEEN_REPLY | IPS_ASSURED;
		flow_track_event(t, what, &e, now, on_failed, s);
	}
}

static void test_stories(void **)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct flow_track *t = flow_track_new();
		struct seen s = {};
		play(t, stories[i].events, entry(stories[i].proto, 4000, 3000), &s);
		for (int end = 0; end < 3; end++)
			if (s.n[end] != (stories[i].end == end))
				fail_msg("%s: %u of end %d", stories[i].events, s.n[end], end);
		assert_int_equal(flow_track_count(t), 0);
		flow_track_free(t);
	}
}

/* However many flows there are, the table does not grow, and each is judged once or counted. */
static void test_crowd(void **)
{
	struct flow_track *t = flow_track_new();
	struct seen s = {};

	for (uint32_t i = 0; i < 200'000; i++) {
		struct ct_entry e = entry(
			IPPROTO_TCP, (uint16_t)(1024 + i % 50'000), (uint16_t)(1 + i / 50'000));
		flow_track_event(t, CT_NEW, &e, START + i, on_failed, &s);
		assert_true(flow_track_count(t) <= FLOW_ROWS * FLOW_WAYS);
	}
	size_t left = flow_track_count(t);
	assert_true(left > FLOW_ROWS * FLOW_WAYS / 2); /* the hash spreads them */
	flow_track_expire(t, START + 10 * SECOND, on_failed, &s);
	assert_int_equal(flow_track_count(t), 0);
	assert_int_equal(s.n[FLOW_SILENT], left);
	assert_int_equal(s.n[FLOW_SILENT] + flow_track_crowded(t), 200'000);
	flow_track_free(t);
}

/* ---- rows ---- */

static struct flow_failure failure(uint16_t port, enum flow_end end)
{
	return (struct flow_failure){.flow = entry(IPPROTO_TCP, 4000, port).flow, .end = end};
}

static size_t shown(const struct flow_store *s)
{
	size_t n = 0;
	for (size_t i = 0; i < FLOW_STORE_ROWS; i++)
		n += flow_row_is_shown(&s->rows[i]);
	return n;
}

static struct flow_row *decide(
	struct flow_store *s, enum code code, enum confidence confidence, uint64_t now, bool is_new)
{
	static struct verdict v;
	struct flow_row *row = flow_store_next(s);

	v = (struct verdict){.code = code, .confidence = confidence, .next = CODES};
	assert_non_null(row);
	assert_int_equal(flow_store_decide(s, row, &v, now, &row), is_new);
	return row;
}

static void test_rows(void **)
{
	struct flow_store *s = calloc(1, sizeof(*s));
	struct flow_failure f = failure(3000, FLOW_SILENT);
	uint64_t now = START;

	for (unsigned i = 0; i < 5; i++)
		flow_store_add(s, &f, now, 7 + i);
	assert_int_equal(shown(s), 0); /* nobody knows why yet */
	struct flow_row *row = decide(s, CODE_RETURN_ROUTE_MISSING, CONFIDENCE_LIKELY, now, true);
	assert_int_equal(row->count, 5);
	assert_int_equal(row->first_us, 7);
	assert_int_equal(row->last_us, 11);
	assert_int_equal(shown(s), 1);
	flow_store_add(s, &f, now + SECOND, 20);
	assert_null(flow_store_next(s)); /* the cause holds for a while */
	flow_store_add(s, &f, now + FLOW_CAUSE_US, 30);
	decide(s, CODE_RETURN_ROUTE_MISSING, CONFIDENCE_LIKELY, now + FLOW_CAUSE_US, false);
	assert_int_equal(row->count, 7);

	/* The cause is another now, and later the first again. */
	flow_store_add(s, &f, now + 2 * FLOW_CAUSE_US, 40);
	struct flow_row *other = decide(
		s, CODE_SERVICE_SILENT_DROP, CONFIDENCE_LIKELY, now + 2 * FLOW_CAUSE_US, true);
	assert_ptr_not_equal(other, row);
	assert_int_equal(row->count, 7);
	assert_int_equal(other->count, 1);
	flow_store_add(s, &f, now + 2 * FLOW_CAUSE_US, 41);
	assert_int_equal(other->count, 2);
	flow_store_add(s, &f, now + 3 * FLOW_CAUSE_US, 42);
	assert_ptr_equal(decide(s, CODE_RETURN_ROUTE_MISSING, CONFIDENCE_LIKELY,
				 now + 3 * FLOW_CAUSE_US, false),
		row);
	assert_int_equal(row->count, 8);
	assert_int_equal(shown(s), 2);
	free(s);
}

/* Silence that nobody need mind makes no row. */
static void test_dull(void **)
{
	struct flow_store *s = calloc(1, sizeof(*s));
	struct flow_failure f = failure(514, FLOW_SILENT);

	f.flow.proto = IPPROTO_UDP;
	flow_store_add(s, &f, START, 1);
	decide(s, CODE_UPSTREAM_SILENT, CONFIDENCE_UNDETERMINED, START, false);
	f.flow.to_port = 53;
	flow_store_add(s, &f, START, 1);
	decide(s, CODE_RETURN_ROUTE_MISSING, CONFIDENCE_LIKELY, START, true);
	f = failure(80, FLOW_SILENT);
	flow_store_add(s, &f, START, 1);
	decide(s, CODE_UPSTREAM_SILENT, CONFIDENCE_UNDETERMINED, START, true);
	f = failure(81, FLOW_SILENT);
	flow_store_add(s, &f, START, 1);
	decide(s, CODE_HEALTHY, CONFIDENCE_LIKELY, START, false);
	assert_int_equal(shown(s), 2);
	free(s);
}

/* The ports of a scan do not push out what fails all the time. */
static void test_scan(void **)
{
	struct flow_store *s = calloc(1, sizeof(*s));
	struct flow_failure all_the_time = failure(65000, FLOW_SILENT);
	size_t used = 0;

	flow_store_add(s, &all_the_time, START, 1);
	decide(s, CODE_UPSTREAM_SILENT, CONFIDENCE_UNDETERMINED, START, true);
	for (uint16_t port = 1; port <= 10'000; port++) {
		struct flow_failure f = failure(port, FLOW_REFUSED);
		flow_store_add(s, &f, START + port, port);
		if (port % 100 == 0)
			flow_store_add(s, &all_the_time, START + port, port);
	}
	for (size_t i = 0; i < FLOW_STORE_ROWS; i++)
		used += s->rows[i].used;
	assert_int_equal(used, FLOW_STORE_ROWS);
	assert_int_equal(s->evicted, 10'001 - FLOW_STORE_ROWS);
	assert_int_equal(shown(s), 1);
	/* What begins to fail now need not wait for all of them. */
	struct flow_failure new = failure(3000, FLOW_SILENT);
	flow_store_add(s, &new, START + 20'000, 20'000);
	all_the_time.flow.to_port = 3001;
	for (unsigned i = 0; i < 3; i++)
		flow_store_add(s, &all_the_time, START + 19'000, 19'000);
	static const uint16_t next[] = {3001, 3000, 10'000, 9'999};
	for (size_t i = 0; i < 4; i++) {
		struct flow_row *row = decide(
			s, CODE_UPSTREAM_SILENT, CONFIDENCE_UNDETERMINED, START + 20'000, true);
		assert_int_equal(row->port, next[i]);
	}
	free(s);
}

/* ---- facts ---- */

static void test_facts(void **)
{
	struct evidence e = {.flow = {.proto = IPPROTO_TCP}};
	struct flow_failure f = failure(3000, FLOW_STUCK);
	size_t at = 0, n = 0;

	f.status = IPS_SEEN_REPLY | IPS_SRC_NAT;
	f.tcp_state = TCP_CONNTRACK_SYN_RECV;
	flow_cause_tell(&f, false, &e);
	const struct fact *c = evidence_next(&e, FACT_CONNTRACK, &at);
	assert_true(c->conntrack.seen_reply && c->conntrack.source_nat && !c->conntrack.assured);
	assert_string_equal(c->conntrack.state, "SYN_RECV");
	at = 0;
	for (const struct fact *p; (p = evidence_next(&e, FACT_PACKET, &at)); n++)
		assert_int_equal(p->packet.origin, ORIGIN_REAL);
	assert_int_equal(n, 3);
	evidence_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_dull),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_facts),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
