/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nodes: the edge's configuration: which nodes there are, and what is theirs.
 *
 * A node is a site: it has addresses in the mesh and networks behind it. One or more replicas carry
 * it, one at a time; each is known by its keys alone (SHA-256 of the SubjectPublicKeyInfo), of
 * which it has more than one while they are exchanged. A node without addresses gets one of each
 * family that the pool has. Plain data, borrowed from the configuration until the next one is in
 * force.
 */
#include "connip/policy.h"

constexpr size_t EDGE_KEY = 32;

struct edge_replica {
	const char *name;
	const uint8_t (*keys)[EDGE_KEY];
	size_t n_keys;
};

struct edge_node {
	const char *name;
	const struct edge_replica *replicas;
	size_t n_replicas;
	struct connip_prefixes addresses, routes;
	bool manual;             /* no replica takes over by itself */
	uint64_t packets, bytes; /* a second in each direction, 0 = no limit */
};

struct edge_nodes {
	const struct edge_node *list;
	size_t n;
	struct connip_prefixes pool;
	/* Addresses of the edge itself: never given away, and no node's, whatever its routes. */
	struct connip_prefixes own;
};
