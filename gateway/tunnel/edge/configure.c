/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/edge_int.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

/* A tenth of a second, and what a few super-packets need in any case. */
constexpr uint64_t BURST_PACKETS = 256;
constexpr uint64_t BURST_BYTES = 1 << 19;
constexpr uint64_t RATE_MAX = 1ULL << 39; /* of bucket.h, and of any network */

static void set_budget(struct bucket *b, uint64_t rate, uint64_t least)
{
	rate = rate < RATE_MAX ? rate : RATE_MAX;
	*b = (struct bucket){.rate = rate, .burst = rate / 10 > least ? rate / 10 : least};
}

struct edge_place *configure_places(const struct edge_nodes *nodes)
{
	struct edge_place *places = xcalloc(nodes->n, sizeof(*places));

	for (size_t i = 0; i < nodes->n; i++) {
		const struct edge_node *node = &nodes->list[i];
		places[i].seats = xcalloc(node->n_replicas, sizeof(*places[i].seats));
		places[i].chosen = EDGE_NO_CHOICE;
		for (size_t way = 0; way < 2; way++) {
			set_budget(&places[i].packet_budget[way], node->packets, BURST_PACKETS);
			set_budget(&places[i].byte_budget[way], node->bytes, BURST_BYTES);
		}
	}
	return places;
}

void configure_free_places(struct edge_place *places, const struct edge_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++)
		free(places[i].seats);
	free(places);
}

static void add(struct owned *list, size_t *n, const struct prefix *p, size_t node)
{
	list[(*n)++] = (struct owned){*p, node};
}

static void index_owners(struct edge *e)
{
	size_t most = e->nodes->own.n, n = 0;

	for (size_t i = 0; i < e->nodes->n; i++)
		most += e->nodes->list[i].addresses.n + e->nodes->list[i].routes.n + 2;
	struct owned *list = xcalloc(most, sizeof(*list));
	for (size_t k = 0; k < e->nodes->own.n; k++)
		add(list, &n, &e->nodes->own.list[k], OWNERS_EDGE);
	for (size_t i = 0; i < e->nodes->n; i++) {
		const struct edge_node *node = &e->nodes->list[i];
		const struct lease *l = &e->leases[i];
		struct prefix v4 = prefix_of(&l->v4), v6 = prefix_of(&l->v6);
		if (l->v4.family)
			add(list, &n, &v4, i);
		if (l->v6.family)
			add(list, &n, &v6, i);
		for (size_t k = 0; k < node->addresses.n; k++)
			add(list, &n, &node->addresses.list[k], i);
		for (size_t k = 0; k < node->routes.n; k++)
			add(list, &n, &node->routes.list[k], i);
	}
	owners_set(&e->owners, list, n);
	free(list);
}

void configure_index(struct edge *e)
{
	identities_set(&e->identities, e->nodes);
	e->without_address = lease_all(e->nodes, e->leases);
	index_owners(e);
}

/* A node of the former configuration, by its name. */
static size_t find_node(const struct edge_nodes *nodes, const char *name)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (strcmp(nodes->list[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

static size_t find_replica(const struct edge_node *node, const char *name)
{
	for (size_t i = 0; i < node->n_replicas; i++)
		if (strcmp(node->replicas[i].name, name) == 0)
			return i;
	return EDGE_NO_CHOICE;
}

/* What a node keeps: its past, its choice, its address; limits begin anew. */
static void keep_place(struct edge_place *p, const struct edge_place *old, size_t chosen)
{
	p->active = old->active;
	p->chosen = chosen;
	p->since_ns = old->since_ns;
	p->why = old->why;
	p->changes = old->changes;
	memcpy(p->packets, old->packets, sizeof(p->packets));
	memcpy(p->bytes, old->bytes, sizeof(p->bytes));
	memcpy(p->limited, old->limited, sizeof(p->limited));
	p->foreign = old->foreign;
}

/* The former state beside the new one. */
struct change {
	struct edge *e;
	const struct edge_nodes *old_nodes;
	struct edge_place *old;
	struct edge_member **gone;
	size_t n_gone;
};

/* Finds a member its seat; false: it has none any more. */
static bool reseat(struct change *c, struct edge_member *m, uint64_t since_ns)
{
	struct edge *e = c->e;
	const struct identity *id = identities_find(&e->identities, m->key);

	if (!id || strcmp(e->nodes->list[id->node].name, c->old_nodes->list[m->node].name) != 0)
		return false;
	struct edge_seat *seat = &e->places[id->node].seats[id->replica];
	if (seat->member)
		return false;
	m->node = id->node;
	m->replica = id->replica;
	*seat = (struct edge_seat){m, since_ns};
	return true;
}

static void move_members(struct change *c)
{
	for (size_t i = 0; i < c->old_nodes->n; i++)
		for (size_t k = 0; k < c->old_nodes->list[i].n_replicas; k++) {
			const struct edge_seat *seat = &c->old[i].seats[k];
			struct edge_member *m = seat->member;
			if (!m || reseat(c, m, seat->since_ns))
				continue;
			c->gone = xreallocarray(
				c->gone, c->n_gone + 1, sizeof(struct edge_member *));
			c->gone[c->n_gone++] = m;
		}
}

static void move_node(struct change *c, size_t i, struct lease *old_leases)
{
	struct edge *e = c->e;
	const struct edge_node *node = &e->nodes->list[i];
	size_t from = find_node(c->old_nodes, node->name);

	if (from == SIZE_MAX)
		return;
	const struct edge_place *old = &c->old[from];
	size_t chosen = old->chosen;
	if (chosen != EDGE_NO_CHOICE)
		chosen = find_replica(node, c->old_nodes->list[from].replicas[chosen].name);
	keep_place(&e->places[i], old, chosen);
	e->leases[i] = old_leases[from];
}

/* Is the active member still one of the node's? */
static bool has_seat(const struct edge *e, size_t node, const struct edge_member *m)
{
	for (size_t k = 0; k < e->nodes->list[node].n_replicas; k++)
		if (e->places[node].seats[k].member == m)
			return true;
	return false;
}

static void settle(struct edge *e, uint64_t now_ns)
{
	for (size_t i = 0; i < e->nodes->n; i++) {
		struct edge_place *p = &e->places[i];
		bool lost = p->active && !has_seat(e, i, p->active);
		if (lost || !p->active)
			active_set(e, i, active_successor(e, i),
				lost ? EDGE_WHY_REMOVED : EDGE_WHY_FIRST, now_ns);
	}
}

void edge_configure(struct edge *e, const struct edge_nodes *nodes, uint64_t now_ns)
{
	struct change c = {.e = e, .old_nodes = e->nodes, .old = e->places};
	struct lease *old_leases = e->leases;

	e->nodes = nodes;
	e->places = configure_places(nodes);
	e->leases = xcalloc(nodes->n, sizeof(*e->leases));
	for (size_t i = 0; i < nodes->n; i++)
		move_node(&c, i, old_leases);
	configure_index(e);
	move_members(&c);
	settle(e, now_ns);
	for (size_t i = 0; i < c.n_gone; i++) {
		if (e->events->dismissed)
			e->events->dismissed(e->user, c.gone[i]->owner, EDGE_WHY_REMOVED);
		free(c.gone[i]);
	}
	free(c.gone);
	configure_free_places(c.old, c.old_nodes);
	free(old_leases);
}
