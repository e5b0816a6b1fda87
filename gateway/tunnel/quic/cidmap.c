/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/cidmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"

constexpr size_t BUCKETS = 4096;

struct quic_cid_entry {
	struct quic_cid_entry *next;    /* of the bucket */
	struct quic_cid_entry *sibling; /* of the owner */
	struct quic_connection *owner;
	size_t n;
	uint8_t id[QUIC_CID_MAX];
};

struct quic_cidmap {
	uint64_t key[2];
	struct quic_cid_entry *buckets[BUCKETS];
};

struct quic_cidmap *quic_cidmap_new(const uint64_t key[static 2])
{
	struct quic_cidmap *m = xcalloc(1, sizeof(*m));

	memcpy(m->key, key, sizeof(m->key));
	return m;
}

void quic_cidmap_free(struct quic_cidmap *m)
{
	free(m);
}

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 of the ID, padded with zeros to 24 bytes and its length in the last one. */
static size_t bucket_of(const struct quic_cidmap *m, const uint8_t *id, size_t n)
{
	uint64_t words[3] = {};
	uint64_t v[4] = {
		m->key[0] ^ UINT64_C(0x736f6d6570736575),
		m->key[1] ^ UINT64_C(0x646f72616e646f6d),
		m->key[0] ^ UINT64_C(0x6c7967656e657261),
		m->key[1] ^ UINT64_C(0x7465646279746573),
	};

	memcpy(words, id, n);
	words[2] |= (uint64_t)n << 56;
	for (size_t i = 0; i < 3; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (size_t)((v[0] ^ v[1] ^ v[2] ^ v[3]) % BUCKETS);
}

static bool is(const struct quic_cid_entry *entry, const uint8_t *id, size_t n)
{
	return entry->n == n && memcmp(entry->id, id, n) == 0;
}

struct quic_connection *quic_cidmap_find(const struct quic_cidmap *m, const uint8_t *id, size_t n)
{
	if (n > QUIC_CID_MAX)
		return nullptr;
	for (struct quic_cid_entry *e = m->buckets[bucket_of(m, id, n)]; e; e = e->next)
		if (is(e, id, n))
			return e->owner;
	return nullptr;
}

bool quic_cidmap_add(struct quic_cidmap *m, struct quic_cid_list *list,
	struct quic_connection *owner, const uint8_t *id, size_t n)
{
	struct quic_cid_entry *entry;
	struct quic_cid_entry **bucket;

	assert(n <= QUIC_CID_MAX);
	if (quic_cidmap_find(m, id, n))
		return false;
	bucket = &m->buckets[bucket_of(m, id, n)];
	entry = xcalloc(1, sizeof(*entry));
	*entry = (struct quic_cid_entry){
		.next = *bucket, .sibling = list->first, .owner = owner, .n = n};
	memcpy(entry->id, id, n);
	*bucket = entry;
	list->first = entry;
	return true;
}

/* The entry is not on its owner's list any more. */
static void drop(struct quic_cidmap *m, struct quic_cid_entry *entry)
{
	struct quic_cid_entry **at = &m->buckets[bucket_of(m, entry->id, entry->n)];

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	free(entry);
}

void quic_cidmap_remove(
	struct quic_cidmap *m, struct quic_cid_list *list, const uint8_t *id, size_t n)
{
	for (struct quic_cid_entry **at = &list->first; *at; at = &(*at)->sibling) {
		struct quic_cid_entry *entry = *at;

		if (!is(entry, id, n))
			continue;
		*at = entry->sibling;
		drop(m, entry);
		return;
	}
}

void quic_cidmap_clear(struct quic_cidmap *m, struct quic_cid_list *list)
{
	while (list->first) {
		struct quic_cid_entry *entry = list->first;

		list->first = entry->sibling;
		drop(m, entry);
	}
}
