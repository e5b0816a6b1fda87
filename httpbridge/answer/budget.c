/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/budget.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

constexpr size_t SETS = 256;
constexpr size_t WAYS = 4;

/* Instead of tokens: until when the source has spent in advance. */
struct spender {
	struct addr source;
	uint64_t until_us;
};

struct budget {
	uint64_t interval_us, most_us;
	struct spender table[SETS][WAYS];
};

struct budget *budget_new(unsigned burst, uint64_t interval_us)
{
	struct budget *b = xcalloc(1, sizeof(*b));

	b->interval_us = interval_us;
	b->most_us = burst * interval_us;
	return b;
}

void budget_free(struct budget *b)
{
	free(b);
}

static struct addr key_of(const struct addr *source)
{
	struct addr key = *source;

	if (key.family == AF_INET6)
		memset(key.b + 8, 0, 8);
	return key;
}

/* FNV-1a: who collides on purpose shares four places with himself. */
static size_t set_of(const struct addr *key)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < sizeof(key->b); i++)
		h = (h ^ key->b[i]) * 16777619;
	return (h ^ h >> 16) % SETS;
}

/* Its own place, or that of whoever has spent the least. */
static struct spender *spender_of(struct budget *b, const struct addr *key)
{
	struct spender *set = b->table[set_of(key)], *least = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (addr_cmp(&set[i].source, key) == 0)
			return &set[i];
		if (set[i].until_us < least->until_us)
			least = &set[i];
	}
	*least = (struct spender){.source = *key};
	return least;
}

bool budget_take(struct budget *b, const struct addr *source, uint64_t now_us)
{
	const struct addr key = key_of(source);
	struct spender *s = spender_of(b, &key);

	if (s->until_us < now_us)
		s->until_us = now_us;
	if (s->until_us + b->interval_us > now_us + b->most_us)
		return false;
	s->until_us += b->interval_us;
	return true;
}
