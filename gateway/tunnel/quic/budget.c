/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/budget.h"

#include <stdlib.h>

#include "lib/xmalloc.h"

/* 4096 sets of 4: 384 KiB. More prefixes than 16,384 at the same time push each other out. */
constexpr size_t SETS = 4096;
constexpr size_t WAYS = 4;
constexpr uint64_t SECOND_NS = 1'000'000'000;

struct entry {
	uint64_t prefix; /* 0 = free */
	struct quic_bucket bucket;
};

struct quic_budget {
	unsigned int rate;
	unsigned int burst;
	uint64_t key;
	struct entry sets[SETS][WAYS];
};

struct quic_budget *quic_budget_new(unsigned int rate, unsigned int burst, uint64_t key)
{
	struct quic_budget *b = xcalloc(1, sizeof(*b));

	b->rate = rate;
	b->burst = burst;
	b->key = key;
	return b;
}

void quic_budget_free(struct quic_budget *b)
{
	free(b);
}

/* Of the unused time only what the burst allows is kept, so a bucket that was never used, or not
 * for long, is full. */
bool quic_bucket_take(struct quic_bucket *b, unsigned int rate, unsigned int burst, uint64_t now_ns)
{
	uint64_t price = SECOND_NS / rate;
	uint64_t most = price * burst;
	uint64_t elapsed = now_ns > b->last_ns ? now_ns - b->last_ns : 0;
	bool fresh = b->last_ns == 0 || elapsed >= most;

	b->credit_ns = fresh || b->credit_ns + elapsed > most ? most : b->credit_ns + elapsed;
	b->last_ns = now_ns > b->last_ns ? now_ns : b->last_ns;
	if (b->credit_ns < price)
		return false;
	b->credit_ns -= price;
	return true;
}

/* The first 56 bits of an IPv6 address or 24 of an IPv4 address, told apart by the top byte. */
static uint64_t prefix_of(const union quic_address *a)
{
	const uint8_t *in6 = a->in6.sin6_addr.s6_addr;
	uint64_t prefix = 0;

	if (a->sa.sa_family == AF_INET)
		return UINT64_C(4) << 56 | ntohl(a->in.sin_addr.s_addr) >> 8;
	for (int i = 0; i < 7; i++)
		prefix = prefix << 8 | in6[i];
	return UINT64_C(6) << 56 | prefix;
}

/* The finaliser of MurmurHash3, keyed. */
static size_t set_of(uint64_t prefix, uint64_t key)
{
	uint64_t h = prefix ^ key;

	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)((h ^ h >> 33) % SETS);
}

bool quic_budget_take(struct quic_budget *b, const union quic_address *source, uint64_t now_ns)
{
	uint64_t prefix = prefix_of(source);
	struct entry *set = b->sets[set_of(prefix, b->key)];
	struct entry *place = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].prefix == prefix)
			return quic_bucket_take(&set[i].bucket, b->rate, b->burst, now_ns);
		if (set[i].bucket.last_ns < place->bucket.last_ns)
			place = &set[i];
	}
	*place = (struct entry){.prefix = prefix};
	return quic_bucket_take(&place->bucket, b->rate, b->burst, now_ns);
}
