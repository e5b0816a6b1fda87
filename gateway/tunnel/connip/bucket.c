/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/bucket.h"

constexpr unsigned SHIFT = 20;
constexpr uint64_t SECOND_NS = 1'000'000'000;

static void bucket_refill(struct bucket *b, uint64_t now_ns)
{
	uint64_t full = b->burst << SHIFT;
	unsigned __int128 gained = 0;

	if (b->used)
		gained = ((unsigned __int128)(now_ns - b->updated_ns) * b->rate << SHIFT) /
			 SECOND_NS;
	else
		b->credit = full;
	/* What is less than the smallest unit must not be lost by asking often. */
	if (gained == 0 && b->used)
		return;
	b->credit = gained >= full - b->credit ? full : b->credit + (uint64_t)gained;
	b->updated_ns = now_ns;
	b->used = true;
}

bool bucket_take(struct bucket *b, uint64_t units, uint64_t now_ns)
{
	if (b->rate == 0)
		return true;
	bucket_refill(b, now_ns);
	if (units > b->credit >> SHIFT)
		return false;
	b->credit -= units << SHIFT;
	return true;
}
