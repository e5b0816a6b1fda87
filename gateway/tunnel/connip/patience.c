/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/patience.h"

/* Path MTU discovery is over after so long, whatever it found. */
constexpr uint64_t SETTLE_NS = 3'000'000'000;
/* So much sooner it may be so for the peer; and for so long an acknowledgement may be under way. */
constexpr uint64_t APART_NS = 1'000'000'000;

void patience_init(struct patience *p, size_t wanted, uint64_t now_ns)
{
	*p = (struct patience){.wanted = wanted, .due_ns = now_ns + SETTLE_NS};
}

static enum patience_word believe(struct patience *p)
{
	p->due_ns = UINT64_MAX;
	p->settled = true;
	return PATIENCE_SETTLED;
}

enum patience_word patience_size(struct patience *p, size_t size, uint64_t now_ns)
{
	/* Another path begins with what every path carries, and may carry as much soon. */
	if (size < p->size && patience_believes(p))
		p->due_ns = now_ns + SETTLE_NS;
	p->size = size;
	if (size >= p->wanted || patience_believes(p))
		return believe(p);
	return p->settled ? PATIENCE_NOTHING : PATIENCE_UNSETTLED;
}

enum patience_word patience_expire(struct patience *p, uint64_t unacked_ns, uint64_t now_ns)
{
	if (now_ns < p->due_ns)
		return PATIENCE_NOTHING;
	if (unacked_ns < APART_NS)
		return believe(p);
	/* Where nothing is acknowledged nothing is known of what gets through. */
	p->due_ns = now_ns + SETTLE_NS;
	return PATIENCE_NOTHING;
}

bool patience_believes(const struct patience *p)
{
	return p->due_ns == UINT64_MAX;
}

bool patience_ends_soon(const struct patience *p, uint64_t now_ns)
{
	return patience_believes(p) || now_ns + APART_NS >= p->due_ns;
}
