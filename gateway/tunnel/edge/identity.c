/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/identity.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

void identities_clear(struct identities *ids)
{
	free(ids->list);
	*ids = (struct identities){};
}

static int compare(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int order = memcmp(x->key, y->key, EDGE_KEY);

	if (order == 0)
		order = (x->node > y->node) - (x->node < y->node);
	return order ? order : (x->replica > y->replica) - (x->replica < y->replica);
}

static size_t count(const struct edge_nodes *nodes)
{
	size_t n = 0;

	for (size_t i = 0; i < nodes->n; i++)
		for (size_t k = 0; k < nodes->list[i].n_replicas; k++)
			n += nodes->list[i].replicas[k].n_keys;
	return n;
}

static void add(struct identities *ids, const struct edge_replica *r, size_t node, size_t replica)
{
	for (size_t i = 0; i < r->n_keys; i++) {
		struct identity *id = &ids->list[ids->n++];
		memcpy(id->key, r->keys[i], EDGE_KEY);
		id->node = node;
		id->replica = replica;
	}
}

void identities_set(struct identities *ids, const struct edge_nodes *nodes)
{
	identities_clear(ids);
	ids->list = xcalloc(count(nodes), sizeof(*ids->list));
	for (size_t i = 0; i < nodes->n; i++)
		for (size_t k = 0; k < nodes->list[i].n_replicas; k++)
			add(ids, &nodes->list[i].replicas[k], i, k);
	qsort(ids->list, ids->n, sizeof(*ids->list), compare);
}

const struct identity *identities_find(const struct identities *ids, const uint8_t key[EDGE_KEY])
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(ids->list[middle].key, key, EDGE_KEY) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < ids->n && memcmp(ids->list[low].key, key, EDGE_KEY) == 0;
	return found ? &ids->list[low] : nullptr;
}
