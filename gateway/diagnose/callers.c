/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/callers.h"
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

/* Longer than a round trip to a caller, shorter than what a sender takes to repeat. */
constexpr int64_t LATE_US = 200'000;

static bool waits(const struct fact_call *c, const struct flow *flow, int64_t now_us)
{
	bool late = c->open > 0 && now_us - c->progress_us >= LATE_US;

	if (late || flow->proto != IPPROTO_TCP)
		return late || !c->answered;
	if (c->ended || !c->begun)
		return false;
	return !c->acknowledged || (c->asked > 0 && c->replied == 0);
}

bool callers_are_new(const struct evidence *facts, const struct flow *flow, int64_t now_us)
{
	int64_t first = now_us;
	bool any = false;
	size_t at = 0;

	for (const struct fact *f; (f = evidence_next(facts, FACT_CALL, &at));) {
		if (!waits(&f->call, flow, now_us))
			continue;
		any = true;
		if (f->call.first_us < first)
			first = f->call.first_us;
	}
	return any && now_us - first < CALLERS_WATCHED_US;
}

static bool is_end_of_hops(const struct fact_icmp *i)
{
	bool six = i->sender.family == AF_INET6;
	return i->type == (six ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED);
}

bool callers_heard(const struct evidence *facts)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct fact *f = &facts->facts[i];
		if (f->kind == FACT_CALL && (f->call.answered || f->call.refused))
			return true;
		if (f->kind == FACT_ICMP && !f->icmp.own && !is_end_of_hops(&f->icmp))
			return true;
	}
	return false;
}
