/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * status: the edge as plain values, for people and programs.
 *
 * Everything is borrowed until the edge changes.
 */
#include "edge/edge.h"
#include "edge/lease.h"

enum edge_state { EDGE_OFFLINE, EDGE_PASSIVE, EDGE_ACTIVE, EDGE_STATES };
const char *edge_state_str(enum edge_state state);

struct edge_node_status {
	const struct edge_node *config;
	const char *active;                        /* a replica's name, nullptr = none */
	uint64_t since_ns;                         /* of the latest change of who is active */
	enum edge_why why;                         /* of that change */
	unsigned changes;                          /* since start */
	struct lease lease;                        /* addresses of the pool */
	uint64_t packets[2], bytes[2], limited[2]; /* by enum edge_way */
	uint64_t foreign;                          /* dropped: another node's source */
};

struct edge_replica_status {
	const struct edge_replica *config;
	enum edge_state state;
	uint64_t since_ns; /* when it joined, or left; 0 = never was there */
};

void edge_node_status(const struct edge *e, size_t node, struct edge_node_status *out);
void edge_replica_status(
	const struct edge *e, size_t node, size_t replica, struct edge_replica_status *out);
/* Nodes for which the pool had no address. */
size_t edge_without_address(const struct edge *e);
