/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/injection.h"
#include "lib/marks.h"
#include <assert.h>

/* Unprivileged, and outside of what Linux gives to connections by itself (32768 to 60999). */
constexpr uint16_t FIRST_PORT = 61000;
static_assert(FIRST_PORT & MARK_PROBE_PORT_BIT); /* and so have all of them */
constexpr uint32_t BLOCKS = 4096 / INJECTIONS_MAX;
constexpr uint8_t TTL = 64;
/* Nothing listens there, as a rule; if something does, it is an answer all the same. */
constexpr uint16_t OTHER_PORT = 51999;

static const struct step {
	enum fact_probe_name probe;
	uint32_t at_ms;
	uint8_t ttl;
	bool echo, other;
} steps[] = {
	{PROBE_INJECTED, 0, TTL, false, false},
	{PROBE_INJECTED_OTHER, 30, TTL, false, true},
	{PROBE_INJECTED_ECHO, 60, TTL, true, false},
	{PROBE_INJECTED, 350, TTL, false, false},
	{PROBE_INJECTED_OTHER, 400, TTL, false, true},
	{PROBE_LARGE, 450, TTL, true, false},
	{PROBE_HOP, 550, 2, false, false},
	{PROBE_HOP, 580, 3, false, false},
	{PROBE_HOP, 610, 4, false, false},
	{PROBE_INJECTED, 800, TTL, false, false},
	{PROBE_LARGE, 900, TTL, true, false},
};
static_assert(sizeof(steps) / sizeof(steps[0]) <= INJECTIONS_MAX);

static enum injection_kind kind_of(const struct flow *flow, bool echo)
{
	if (echo || flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6)
		return INJECT_ECHO;
	return flow->proto == IPPROTO_UDP ? INJECT_UDP : INJECT_SYN;
}

uint16_t injection_other_port(const struct flow *flow)
{
	return flow->port == OTHER_PORT ? OTHER_PORT + 1 : OTHER_PORT;
}

void injections_plan(const struct flow *flow, uint32_t seed, struct injections *out)
{
	bool icmp = kind_of(flow, false) == INJECT_ECHO;

	uint16_t first = (uint16_t)(FIRST_PORT + seed % BLOCKS * INJECTIONS_MAX);

	*out = (struct injections){.first_port = first};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct step *s = &steps[i];
		if (icmp && (s->other || (s->echo && s->probe != PROBE_LARGE)))
			continue;
		enum injection_kind kind = kind_of(flow, s->echo);
		uint16_t port = s->other ? injection_other_port(flow) : flow->port;
		out->list[out->n] = (struct injection){.probe = s->probe,
			.kind = kind,
			.source_port = (uint16_t)(first + out->n),
			.port = kind == INJECT_ECHO ? 0 : port,
			.ttl = s->ttl,
			.at_ms = s->at_ms};
		out->n++;
	}
	out->last_port = (uint16_t)(first + out->n - 1);
}

static bool is_apart(const struct injections *a, const struct injections *b)
{
	return a->last_port < b->first_port || b->last_port < a->first_port;
}

void injections_plan_beside(const struct flow *flow, uint32_t seed,
	const struct injections *const others[], size_t n, struct injections *out)
{
	bool free;

	assert(n < BLOCKS);
	do {
		free = true;
		injections_plan(flow, seed++, out);
		for (size_t i = 0; i < n; i++)
			free &= is_apart(out, others[i]);
	} while (!free);
}

/* Every link of IPv6 takes that (RFC 8200 section 5), and so does Cloudflare's tunnel. */
constexpr uint16_t SIZE = 1280;

void injections_fit(struct injections *set, int64_t mtu)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].probe == PROBE_LARGE)
			set->list[i].size = mtu <= 0                   ? SIZE
					    : mtu < INJECTION_SIZE_MAX ? (uint16_t)mtu
								       : INJECTION_SIZE_MAX;
}

void injections_from_sockets(struct injections *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (set->list[i].probe != PROBE_INJECTED || set->list[i].kind == INJECT_ECHO)
			continue;
		set->list[n] = set->list[i];
		set->list[n++].probe = PROBE_RANGE;
	}
	set->n = n;
}

const struct injection *injection_of_port(const struct injections *set, uint16_t source_port)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].source_port == source_port)
			return &set->list[i];
	return nullptr;
}

const char *injection_kind_str(enum injection_kind kind)
{
	static const char *const names[INJECT_KINDS] = {"syn", "udp", "echo"};
	return names[kind];
}
