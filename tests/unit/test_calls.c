/* SPDX-License-Identifier: Apache-2.0 */
/* Flows of the mesh kept apart: what each has come to, by a script of packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/callers.h"
#include "trace/calls.h"
#include <netinet/tcp.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint16_t PORT = 50001;
constexpr uint32_t THERE = 0xfffffff0; /* first numbers; one goes around */
constexpr uint32_t BACK = 5000;

static struct addr addr_of(const char *text)
{
	struct addr a = {};
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* seq, ack: behind the first numbers. */
struct step {
	bool to_target;
	uint8_t flags;
	uint32_t seq, ack, payload;
};

static void see(struct calls *c, const struct step *s, uint16_t port, uint64_t at_us)
{
	struct packet p = {.proto = IPPROTO_TCP,
		.has_l4 = true,
		.from = addr_of("100.64.0.7"),
		.to = addr_of("10.0.1.50"),
		.sport = port,
		.dport = 3000,
		.tcp_flags = s->flags,
		.seq = (s->to_target ? THERE : BACK) + s->seq,
		.ack = (s->to_target ? BACK : THERE) + s->ack,
		.payload = s->payload};

	if (!s->to_target) {
		struct addr from = p.from;
		p.from = p.to;
		p.to = from;
		p.sport = 3000;
		p.dport = port;
	}
	calls_see(c, &p, s->to_target, at_us);
}

#define SYN_ {true, TH_SYN, 0, 0, 0}
#define SYN_ACK_ {false, TH_SYN | TH_ACK, 0, 1, 0}
#define ACK_ {true, TH_ACK, 1, 1, 0}
#define REQUEST_ {true, TH_ACK | TH_PUSH, 1, 1, 95}
#define REPLY_ {false, TH_ACK | TH_PUSH, 1, 96, 1200}
#define ACKED_ {true, TH_ACK, 96, 1201, 0}

/* One packet each 10 ms. waits: of the first second, while nothing more comes. */
static const struct {
	const char *name;
	struct step steps[10];
	struct fact_call expected;
	bool waits;
} cases[] = {
	{"asks", {SYN_, SYN_}, {.begun = true, .asked_again = 1}, true},
	{"is answered and asks again", {SYN_, SYN_ACK_, SYN_, SYN_ACK_},
		{.begun = true, .answered = true, .open = 1, .asked_again = 1, .told_again = 1},
		true},
	{"goes on", {SYN_, SYN_ACK_, ACK_}, {.begun = true, .answered = true, .acknowledged = true},
		false},
	{"waits for a reply", {SYN_, SYN_ACK_, ACK_, REQUEST_, REQUEST_},
		{.begun = true,
			.answered = true,
			.acknowledged = true,
			.asked = 95,
			.asked_again = 1},
		true},
	{"has its reply", {SYN_, SYN_ACK_, ACK_, REQUEST_, REPLY_, ACKED_},
		{.begun = true,
			.answered = true,
			.acknowledged = true,
			.asked = 95,
			.replied = 1200},
		false},
	{"does not get its reply", {SYN_, SYN_ACK_, ACK_, REQUEST_, REPLY_, REPLY_, REPLY_},
		{.begun = true,
			.answered = true,
			.acknowledged = true,
			.asked = 95,
			.replied = 1200,
			.open = 1200,
			.told_again = 2},
		true},
	{"does not get the end of its reply",
		{SYN_, SYN_ACK_, ACK_, REQUEST_, REPLY_, {false, TH_ACK | TH_FIN, 1201, 96, 0}},
		{.begun = true,
			.answered = true,
			.acknowledged = true,
			.asked = 95,
			.replied = 1200,
			.open = 1201,
			.ended = true},
		true},
	{"is refused", {SYN_, {false, TH_RST | TH_ACK, 0, 1, 0}},
		{.begun = true, .refused = true, .ended = true}, false},
	{"resets", {SYN_, SYN_ACK_, {true, TH_RST, 1, 1, 0}},
		{.begun = true, .answered = true, .ended = true}, false},
	{"began earlier and keeps alive", {ACK_, {true, TH_ACK, 0, 1, 1}, {false, TH_ACK, 1, 1, 0}},
		{}, false},
	{"began earlier and gets nothing", {REPLY_, REPLY_},
		{.answered = true, .replied = 1200, .open = 1200, .told_again = 1}, true},
	{"missed a part", {SYN_, SYN_ACK_, ACK_, REPLY_, {true, TH_ACK, 1, 9000, 0}},
		{.begun = true, .answered = true, .acknowledged = true, .replied = 1200}, false},
	{"begins again from the same port",
		{SYN_, {false, TH_RST, 0, 1, 0}, {true, TH_SYN, 77, 0, 0}}, {.begun = true}, true},
};

static void test_one(void **)
{
	const struct flow flow = {.proto = IPPROTO_TCP};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct calls c = {};
		struct evidence e = {};
		const struct fact_call *told[CALLS_TOLD];
		print_message("%s\n", cases[i].name);
		for (size_t j = 0; cases[i].steps[j].flags; j++)
			see(&c, &cases[i].steps[j], PORT, j * 10'000);
		assert_int_equal(calls_told(&c, told), 1);
		struct fact_call *f = &evidence_add(&e, FACT_CALL)->call;
		*f = *told[0];
		assert_true(callers_are_new(&e, &flow, 500'000) == cases[i].waits);
		assert_false(callers_are_new(&e, &flow, 2'000'000));
		assert_int_equal(f->port, PORT);
		f->source = (struct addr){};
		f->port = f->first_us = f->last_us = f->progress_us = 0;
		assert_memory_equal(f, &cases[i].expected, sizeof(*f));
		evidence_clear(&e);
	}
}

/* One that goes on does not hide one that hangs, however many there are. */
static void test_apart(void **)
{
	static const struct step well[] = {SYN_, SYN_ACK_, ACK_}, hangs[] = {SYN_, SYN_ACK_};
	const struct fact_call *told[CALLS_TOLD];
	struct calls c = {};
	size_t open = 0;

	for (uint16_t i = 0; i < 3 * CALLS_MAX; i++)
		for (size_t j = 0; j < COUNT(well); j++)
			see(&c, &well[j], (uint16_t)(1000 + i), i);
	for (size_t j = 0; j < COUNT(hangs); j++)
		see(&c, &hangs[j], PORT, 1000);
	size_t n = calls_told(&c, told);
	assert_int_equal(n, CALLS_TOLD);
	assert_int_equal(told[0]->port, PORT);
	for (size_t i = 0; i < n; i++)
		open += told[i]->open > 0;
	assert_int_equal(open, 1);

	/* What hangs makes no room for others. */
	c = (struct calls){};
	for (uint16_t i = 0; i < CALLS_MAX + 1; i++)
		see(&c, &hangs[0], (uint16_t)(1000 + i), i);
	n = calls_told(&c, told);
	assert_true(n < CALLS_TOLD && c.n == CALLS_MAX && told[0]->port == 1000);
}

static void test_datagrams(void **)
{
	const struct flow flow = {.proto = IPPROTO_UDP};
	const struct fact_call *told[CALLS_TOLD];
	struct packet p = {.proto = IPPROTO_UDP,
		.has_l4 = true,
		.from = addr_of("100.64.0.7"),
		.to = addr_of("10.0.1.50"),
		.sport = PORT,
		.dport = 53,
		.payload = 5};
	struct packet answer = p;
	struct calls c = {};
	struct evidence e = {};

	answer.from = p.to;
	answer.to = p.from;
	answer.sport = p.dport;
	answer.dport = p.sport;
	calls_see(&c, &p, true, 0);
	assert_int_equal(calls_told(&c, told), 1);
	assert_true(told[0]->begun && !told[0]->answered && told[0]->asked == 5);
	evidence_add(&e, FACT_CALL)->call = *told[0];
	assert_true(callers_are_new(&e, &flow, 500'000));
	calls_see(&c, &answer, false, 10);
	assert_true(told[0]->answered && told[0]->replied == 5 && told[0]->open == 0);
	e.facts[0].call = *told[0];
	assert_false(callers_are_new(&e, &flow, 500'000));
	evidence_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_datagrams),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
