/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/sources.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t BUCKETS = 1024;

struct source {
	struct source *next;
	struct addr addr;
	unsigned n;
};

struct sources {
	pthread_mutex_t lock;
	unsigned all;
	struct source *buckets[BUCKETS];
};

struct sources *sources_new(void)
{
	struct sources *s = xcalloc(1, sizeof(*s));
	pthread_mutex_init(&s->lock, nullptr);
	return s;
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	assert(s->all == 0);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* FNV-1a. A caller who makes one bucket long has as many addresses. */
static struct source **bucket_of(struct sources *s, const struct addr *a)
{
	uint32_t hash = 2166136261;
	for (size_t i = 0; i < sizeof(a->b); i++)
		hash = (hash ^ a->b[i]) * 16777619;
	return &s->buckets[hash % BUCKETS];
}

static struct source **find(struct sources *s, const struct addr *a)
{
	struct source **slot = bucket_of(s, a);
	while (*slot && addr_cmp(&(*slot)->addr, a) != 0)
		slot = &(*slot)->next;
	return slot;
}

static enum source_answer enter(
	struct sources *s, const struct addr *a, unsigned per_source, unsigned all)
{
	struct source **slot = find(s, a);

	if (s->all >= all)
		return SOURCE_ALL_FULL;
	if (*slot && (*slot)->n >= per_source)
		return SOURCE_FULL;
	if (!*slot) {
		*slot = xcalloc(1, sizeof(**slot));
		(*slot)->addr = *a;
	}
	(*slot)->n++;
	s->all++;
	return SOURCE_TAKEN;
}

enum source_answer sources_enter(
	struct sources *s, const struct addr *a, unsigned per_source, unsigned all)
{
	pthread_mutex_lock(&s->lock);
	enum source_answer answer = enter(s, a, per_source, all);
	pthread_mutex_unlock(&s->lock);
	return answer;
}

void sources_leave(struct sources *s, const struct addr *a)
{
	pthread_mutex_lock(&s->lock);
	struct source **slot = find(s, a);
	assert(*slot && s->all > 0);
	s->all--;
	if (--(*slot)->n == 0) {
		struct source *gone = *slot;
		*slot = gone->next;
		free(gone);
	}
	pthread_mutex_unlock(&s->lock);
}
