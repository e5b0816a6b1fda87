/* SPDX-License-Identifier: Apache-2.0 */
#include "share.h"

/* Who asks now and then is somebody, too. */
constexpr uint64_t SHARED_NS = 1'000'000'000;

static bool is_shared(const struct share *s, uint64_t now_ns)
{
	return now_ns < s->shared_until_ns;
}

void share_begin(struct share *s)
{
	s->turn++;
	s->reads = 0;
	s->bytes = 0;
}

bool share_may_read(const struct share *s, uint64_t now_ns)
{
	if (is_shared(s, now_ns))
		return s->reads < SHARE_READS_SHARED && s->bytes < SHARE_BYTES_SHARED;
	return s->reads < SHARE_READS && s->bytes < SHARE_BYTES;
}

void share_read(struct share *s, size_t bytes)
{
	s->reads++;
	s->bytes += bytes;
}

bool share_is_over(struct share *s, struct share_part *p, uint64_t now_ns)
{
	if (s->latest && s->latest != p)
		s->shared_until_ns = now_ns + SHARED_NS;
	s->latest = p;
	if (p->turn != s->turn)
		*p = (struct share_part){.turn = s->turn};
	return ++p->n > SHARE_OF_PEER && is_shared(s, now_ns);
}
