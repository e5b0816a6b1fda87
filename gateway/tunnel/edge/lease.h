/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * lease: addresses of the pool for nodes that have none of their own.
 *
 * A node's place in the pool follows from its name, so it gets the same address again after a
 * restart, with a new key and by whichever replica; only where two names meet does the later one
 * move on to the next free address. What a node has it keeps over a change of the configuration, as
 * long as it is in the pool and nobody else's.
 *
 * Not given away: a subnet's first and, in IPv4, last address, addresses of the edge, and what the
 * configuration gives to nodes.
 */
#include "edge/nodes.h"

/* One per node, in the order of the configuration; AF_UNSPEC: none. */
struct lease {
	struct addr v4, v6;
};

/*
 * Fills the leases of all nodes. What is in them already is kept if it may be; a node with
 * addresses of its own in a family gets none of that family. Returns how many nodes found the pool
 * exhausted.
 */
size_t lease_all(const struct edge_nodes *nodes, struct lease *leases);
