/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * edge: who is connected, who speaks for a node, and what each may send.
 *
 *              joins, nobody is active                 leaves
 *   offline ───────────────────────────▶ ACTIVE ──────────────────▶ offline
 *      │                                  │  ▲
 *      │ joins                  another   │  │ promoted, or the active one left
 *      └───────────────────▶ PASSIVE ◀────┘  │ (by itself unless the node is `manual`),
 *                               └────────────┘ or does not answer, and this one does
 *
 * A member is a replica's tunnel. Of a node's members at most one is active: packets to the node go
 * to it, and to it alone. The passive ones may send, because flows that began before a change still
 * have their way back through them. Nobody is replaced by who comes later, except by the same
 * replica: a new tunnel of it means that the old one is dead, however alive it looks from here.
 *
 * In a node with manual promotion the active replica is the one that was promoted, or the first
 * that ever came; it is waited for when it is away.
 *
 * Pure: no sockets, no clock (now_ns as in connip/session.h), no names resolved, no tunnels closed:
 * the owner of a member is told what happens to it. It does not judge packets beyond their
 * addresses and number; connip/session.h does, before.
 */
#include "connip/address.h"
#include "connip/number.h"
#include "edge/nodes.h"

struct edge;
struct edge_member;

/* Why the active member of a node is another one. */
enum edge_why {
	EDGE_WHY_NONE,
	EDGE_WHY_FIRST,    /* nobody was there */
	EDGE_WHY_LOST,     /* the one before left */
	EDGE_WHY_PROMOTED, /* edge_promote() */
	EDGE_WHY_RENEWED,  /* the same replica, in a new tunnel */
	EDGE_WHY_REMOVED,  /* the configuration has no such replica any more */
	EDGE_WHY_SILENT,   /* the one before does not answer */
	EDGE_WHY_MAX
};
const char *edge_why_str(enum edge_why why);

struct edge_events {
	/* Of a member that counts no longer: its replica came anew, or its key is nobody's now. Its
	 * tunnel is to be closed; edge_leave() has been done. */
	void (*dismissed)(void *user, void *owner, enum edge_why why);
	/* A node has another active member, or none (nullptr). */
	void (*activated)(void *user, const char *node, void *owner, enum edge_why why);
};

/* The configuration and the events are borrowed. */
[[nodiscard]] struct edge *edge_new(
	const struct edge_nodes *nodes, const struct edge_events *events, void *user);
void edge_free(struct edge *e); /* nullptr is allowed; members go with it */
/* Another configuration. Nodes and replicas are the same if their names are; members stay, unless
 * their key is not there any more. The former one may be released afterwards. */
void edge_configure(struct edge *e, const struct edge_nodes *nodes, uint64_t now_ns);

/* Whose key it is; nullptr: nobody's. */
const struct edge_node *edge_identify(
	const struct edge *e, const uint8_t key[EDGE_KEY], const struct edge_replica **replica);
/* A tunnel of whoever has this key. nullptr: nobody's. Events may come before it returns. */
[[nodiscard]] struct edge_member *edge_join(
	struct edge *e, const uint8_t key[EDGE_KEY], void *owner, uint64_t now_ns);
void edge_leave(struct edge_member *m, uint64_t now_ns);
/* -ENOENT: no such node or replica; -ENOTCONN: it is not connected; -EALREADY. */
[[nodiscard]] int edge_promote(
	struct edge *e, const char *node, const char *replica, uint64_t now_ns);

/* It does not answer, or does again. */
void edge_member_silent(struct edge_member *m, bool silent, uint64_t now_ns);
/* Would it do for an active one that does not answer? It does if it answers, and was heard
 * since. A path that carries nobody's packets is no reason for a change. */
bool edge_could_relieve(const struct edge_member *m);
void edge_relieve(struct edge_member *m, uint64_t heard_ns, uint64_t now_ns);

void *edge_member_owner(const struct edge_member *m);
const struct edge_node *edge_member_node(const struct edge_member *m);
const struct edge_replica *edge_member_replica(const struct edge_member *m);
bool edge_member_is_active(const struct edge_member *m);

/* The node's addresses as a list for connip_session_assign(), at most `cap`; each answers one of
 * the requests, the address that was asked for before any other of its family. */
size_t edge_member_addresses(const struct edge_member *m, const struct connip_address *asked,
	size_t n_asked, struct connip_address *out, size_t cap);

/* Where a packet for this address goes. *known: some node's, be it away. */
void *edge_find(const struct edge *e, uint8_t family, number to, bool *known);
/* Is the source another node's, or the edge's? Then that is counted. (BCP 38, between nodes; what
 * is nobody's the session has judged.) */
bool edge_is_foreign(struct edge_member *m, uint8_t family, number from);

enum edge_way { EDGE_FROM_NODE, EDGE_TO_NODE };
/* Counts a packet of the member's node, and says whether the node's limits let it pass. */
[[nodiscard]] bool edge_admit(
	struct edge_member *m, enum edge_way way, size_t bytes, uint64_t now_ns);
