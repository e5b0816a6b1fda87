/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_call.h"

/* A sender repeats at once a loss that it notices, and after 200 ms and 400 ms more one that it
 * does not (RFC 6298 with Linux' least time-out); then it is no single packet. */
constexpr int64_t LATE_US = 550'000;

/* Of the range that is meant, or the very caller. */
static bool is_meant(const struct view *v, const struct fact_call *c)
{
	const struct prefix *range = v->config ? &v->config->config.range : nullptr;

	return !range || range->addr.family == AF_UNSPEC ||
	       prefix_contains_addr(range, &c->source) || !addr_cmp(&v->e->flow.client, &c->source);
}

static bool is_late(const struct fact_call *c)
{
	return c->told_again > 0 && c->last_us - c->progress_us >= LATE_US;
}

static bool is_heard_of(const struct fact_call *c)
{
	return c->begun || c->asked > 0 || c->acknowledged;
}

/* Longer than a round trip, as far as the end of watching is known. */
constexpr int64_t SOON_US = 400'000;

static bool waits_long(const struct view *v, const struct fact_call *c)
{
	return !v->e->took_us || (int64_t)v->e->took_us - c->last_us >= SOON_US;
}

enum call_state call_state_of(const struct view *v, const struct fact_call *c)
{
	if (!is_heard_of(c) && (c->ended || !is_late(c)))
		return CALL_NEW;
	if (c->ended || c->refused)
		return c->asked > 0 && !c->replied ? CALL_LEFT : CALL_WELL;
	if (!v->tcp)
		return c->answered ? CALL_WELL : c->asked_again > 1 ? CALL_SILENT : CALL_NEW;
	if (!c->answered)
		return c->asked_again > 0 ? CALL_SILENT : CALL_NEW;
	if (c->begun && !c->acknowledged)
		return c->asked_again > 0 ? CALL_DEAF : CALL_NEW;
	if (c->open > 0 && is_late(c))
		return c->acknowledged || c->open >= CALL_LARGE ? CALL_STUCK : CALL_DEAF;
	if (!c->asked || c->replied)
		return CALL_WELL;
	if (c->asked_again > 0 && c->told_again > 0)
		return CALL_UNSERVED;
	return waits_long(v, c) ? CALL_WAITING : CALL_NEW;
}

const struct fact *call_next(const struct view *v, enum call_state state, size_t *at)
{
	for (const struct fact *f; (f = view_next(v, FACT_CALL, at));)
		if (is_meant(v, &f->call) && call_state_of(v, &f->call) == state)
			return f;
	return nullptr;
}

const struct fact *call_in(const struct view *v, enum call_state state)
{
	size_t at = 0;
	return call_next(v, state, &at);
}

size_t call_count(const struct view *v, enum call_state state)
{
	size_t at = 0, n = 0;
	while (call_next(v, state, &at))
		n++;
	return n;
}

const struct fact *calls_known(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CALL, &at));)
		if (is_meant(v, &f->call))
			return f;
	return nullptr;
}

const struct fact *call_heard_of(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CALL, &at));)
		if (is_meant(v, &f->call) && is_heard_of(&f->call))
			return f;
	return nullptr;
}

const struct fact *call_hears(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CALL, &at));)
		if (is_meant(v, &f->call) && f->call.acknowledged)
			return f;
	return nullptr;
}

size_t calls_unheard(const struct view *v)
{
	size_t at = 0, n = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CALL, &at));)
		n += v->tcp && is_meant(v, &f->call) && f->call.answered && !f->call.acknowledged;
	return n;
}

const struct fact *call_took(const struct view *v, int64_t bytes)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CALL, &at));)
		if (is_meant(v, &f->call) && f->call.answered &&
			f->call.replied - f->call.open >= bytes &&
			(f->call.acknowledged || !v->tcp))
			return f;
	return nullptr;
}

/* So many segments are sent before the first has to be acknowledged (RFC 6928). */
constexpr int64_t WINDOW = 10;

const struct fact *call_gave(const struct view *v, int64_t bytes)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CALL, &at));)
		if (is_meant(v, &f->call) &&
			(f->call.asked > WINDOW * bytes ||
				(f->call.asked >= bytes && f->call.replied > 0)))
			return f;
	return nullptr;
}

bool calls_suffer(const struct view *v)
{
	static const enum call_state states[] = {
		CALL_SILENT, CALL_DEAF, CALL_STUCK, CALL_UNSERVED, CALL_WAITING};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (call_in(v, states[i]))
			return true;
	return false;
}

bool calls_are_others(const struct view *v)
{
	size_t at = 0;
	return !calls_known(v) && view_next(v, FACT_CALL, &at);
}
