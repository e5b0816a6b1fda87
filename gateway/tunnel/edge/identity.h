/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * identity: whose key is this?
 *
 * A sorted array of all keys. Of a key that is in the configuration twice the first place counts.
 */
#include "edge/nodes.h"

struct identity {
	uint8_t key[EDGE_KEY];
	size_t node, replica; /* in the configuration */
};

struct identities {
	struct identity *list;
	size_t n;
};

/* Replaces what is there. */
void identities_set(struct identities *ids, const struct edge_nodes *nodes);
void identities_clear(struct identities *ids);
/* nullptr: nobody's. */
const struct identity *identities_find(const struct identities *ids, const uint8_t key[EDGE_KEY]);
