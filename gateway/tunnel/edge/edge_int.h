/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * edge_int: the edge's own state, for edge.c (members and packets), active.c (who speaks for a
 * node), configure.c (another configuration) and status.c.
 */
#include "connip/bucket.h"
#include "edge/edge.h"
#include "edge/identity.h"
#include "edge/lease.h"
#include "edge/owners.h"
#include "edge/status.h"

constexpr size_t EDGE_NO_CHOICE = SIZE_MAX;

struct edge_member {
	struct edge *edge;
	size_t node, replica;
	uint8_t key[EDGE_KEY];
	void *owner;
	uint64_t joined;    /* counts members: an order without a clock */
	uint64_t silent_ns; /* since then it does not answer; 0 = it does */
};

struct edge_seat {
	struct edge_member *member; /* nullptr = offline */
	uint64_t since_ns;
};

/* What an edge knows of a node beside its configuration; its index is the same. */
struct edge_place {
	struct edge_seat *seats; /* one per replica */
	struct edge_member *active;
	size_t chosen; /* the last that was active; in a manual node it is waited for */
	uint64_t since_ns;
	enum edge_why why;
	unsigned changes;
	struct bucket packet_budget[2], byte_budget[2]; /* by enum edge_way */
	uint64_t packets[2], bytes[2], limited[2];
	uint64_t foreign; /* from an address of another node */
};

struct edge {
	const struct edge_nodes *nodes;
	const struct edge_events *events;
	void *user;
	struct edge_place *places;
	struct lease *leases;
	size_t without_address;
	struct identities identities;
	struct owners owners;
	uint64_t joined;
};

/* Makes m, which may be nullptr, the active one and tells so, unless it is. */
void active_set(
	struct edge *e, size_t node, struct edge_member *m, enum edge_why why, uint64_t now_ns);
/* Who is to be active when nobody is. */
struct edge_member *active_successor(const struct edge *e, size_t node);

/* What follows from the configuration alone: whose key, whose address. */
void configure_index(struct edge *e);
struct edge_place *configure_places(const struct edge_nodes *nodes);
void configure_free_places(struct edge_place *places, const struct edge_nodes *nodes);
