/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/pmtu.h"

/* RFC 9000 s14.1: what every path has to carry. */
constexpr size_t BASE = 1200;
/* Losses that make a black hole. Two packets a round is the least that congestion control sends. */
constexpr unsigned int ROUNDS = 3;
constexpr unsigned int LOSSES = 6;
constexpr unsigned int TRIES = 3;
constexpr uint64_t REST_NS = 60'000'000'000;

constexpr uint64_t PROBE = UINT64_C(1) << 31;
constexpr uint64_t SIZE = UINT64_C(0xffff);

static const size_t STEPS[] = {1232, 1272, 1320, 1352, 1380, 1406, 1444, 1452, 1472, 8952, 8972};

void quic_pmtu_reset(struct quic_pmtu *p)
{
	*p = (struct quic_pmtu){.limit = SIZE_MAX, .failed = SIZE_MAX, .round = p->round + 1};
}

/* The next size to try, or 0. */
static size_t next_step(const struct quic_pmtu *p, size_t path)
{
	size_t most = path < p->failed ? path : p->failed - 1;

	if (p->limit >= most)
		return 0;
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(*STEPS); i++)
		if (STEPS[i] > p->limit && STEPS[i] <= most)
			return STEPS[i];
	return path < p->failed ? path : 0;
}

size_t quic_pmtu_wants(struct quic_pmtu *p, size_t path, uint64_t now_ns)
{
	if (p->limit == SIZE_MAX || p->probe)
		return 0;
	if (p->rest_until_ns && now_ns >= p->rest_until_ns) {
		p->rest_until_ns = 0;
		p->failed = SIZE_MAX;
	}
	return next_step(p, path);
}

uint64_t quic_pmtu_mark(const struct quic_pmtu *p, size_t size, bool probe)
{
	return (uint64_t)p->round << 32 | (probe ? PROBE : 0) | (size & SIZE);
}

static bool current(const struct quic_pmtu *p, uint64_t mark)
{
	return mark >> 32 == p->round;
}

/* Of a time before the path changed, it tells nothing; otherwise it is the probe's fate. */
static bool take_probe(struct quic_pmtu *p, uint64_t mark)
{
	if (!(mark & PROBE) || (mark & SIZE) != p->probe)
		return false;
	p->probe = 0;
	return true;
}

bool quic_pmtu_acknowledged(struct quic_pmtu *p, uint64_t mark, size_t path)
{
	size_t size = mark & SIZE;

	if (size <= BASE)
		return false;
	p->rounds = 0;
	p->lost = 0;
	if (!take_probe(p, mark) || size <= p->limit)
		return false;
	p->tries = 0;
	p->limit = size >= path ? SIZE_MAX : size;
	return true;
}

static void fail_probe(struct quic_pmtu *p, size_t size, uint64_t now_ns)
{
	if (++p->tries < TRIES)
		return;
	p->tries = 0;
	p->failed = size;
	p->rest_until_ns = now_ns + REST_NS;
}

bool quic_pmtu_lost(struct quic_pmtu *p, uint64_t mark, uint64_t now_ns)
{
	size_t size = mark & SIZE;

	if (size <= BASE)
		return false;
	if (mark & PROBE) {
		if (take_probe(p, mark))
			fail_probe(p, size, now_ns);
		return false;
	}
	p->lost++;
	if (current(p, mark)) {
		p->round++;
		p->rounds++;
	}
	if (p->rounds < ROUNDS || p->lost < LOSSES || p->limit == BASE)
		return false;
	p->limit = BASE;
	p->failed = SIZE_MAX;
	p->rest_until_ns = 0;
	p->rounds = 0;
	p->lost = 0;
	return true;
}
