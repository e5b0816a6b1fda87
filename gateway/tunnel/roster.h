/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * roster: the configuration's nodes as the room edge wants them. It points into the configuration.
 */
#include "config.h"
#include "edge/nodes.h"

struct roster {
	struct edge_nodes nodes;
	struct edge_node *list;
	struct edge_replica *replicas; /* of all of them */
	struct prefix_list advertise;  /* what they are told to send here */
};

struct connip_prefixes roster_prefixes(const struct prefix_list *l);
/* On the heap: the room edge borrows it until the next one is in force. */
struct roster *roster_new(const struct tunnel_edge *config);
void roster_free(struct roster *r); /* nullptr is allowed */
/* who: "NODE/REPLICA" */
bool roster_knows(const struct roster *r, const char *who);
