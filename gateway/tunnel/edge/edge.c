/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/edge.h"
#include "edge/edge_int.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct edge *edge_new(const struct edge_nodes *nodes, const struct edge_events *events, void *user)
{
	struct edge *e = xcalloc(1, sizeof(*e));

	e->nodes = nodes;
	e->events = events;
	e->user = user;
	e->places = configure_places(nodes);
	e->leases = xcalloc(nodes->n, sizeof(*e->leases));
	configure_index(e);
	return e;
}

void edge_free(struct edge *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->nodes->n; i++)
		for (size_t k = 0; k < e->nodes->list[i].n_replicas; k++)
			free(e->places[i].seats[k].member);
	configure_free_places(e->places, e->nodes);
	identities_clear(&e->identities);
	owners_clear(&e->owners);
	free(e->leases);
	free(e);
}

const struct edge_node *edge_identify(
	const struct edge *e, const uint8_t key[EDGE_KEY], const struct edge_replica **replica)
{
	const struct identity *id = identities_find(&e->identities, key);

	if (!id)
		return nullptr;
	*replica = &e->nodes->list[id->node].replicas[id->replica];
	return &e->nodes->list[id->node];
}

static void dismiss(struct edge *e, struct edge_member *m, enum edge_why why)
{
	if (e->events->dismissed)
		e->events->dismissed(e->user, m->owner, why);
	free(m);
}

struct edge_member *edge_join(
	struct edge *e, const uint8_t key[EDGE_KEY], void *owner, uint64_t now_ns)
{
	const struct identity *id = identities_find(&e->identities, key);

	if (!id)
		return nullptr;

	struct edge_place *p = &e->places[id->node];
	struct edge_seat *seat = &p->seats[id->replica];
	struct edge_member *m = xcalloc(1, sizeof(*m)), *before = seat->member;
	*m = (struct edge_member){.edge = e,
		.node = id->node,
		.replica = id->replica,
		.owner = owner,
		.joined = ++e->joined};
	memcpy(m->key, key, EDGE_KEY);
	*seat = (struct edge_seat){m, now_ns};
	if (before && before == p->active)
		active_set(e, m->node, m, EDGE_WHY_RENEWED, now_ns);
	else if (!p->active)
		active_set(e, m->node, active_successor(e, m->node), EDGE_WHY_FIRST, now_ns);
	if (before)
		dismiss(e, before, EDGE_WHY_RENEWED);
	return m;
}

void edge_leave(struct edge_member *m, uint64_t now_ns)
{
	struct edge *e = m->edge;
	struct edge_place *p = &e->places[m->node];

	p->seats[m->replica] = (struct edge_seat){nullptr, now_ns};
	if (p->active == m)
		active_set(e, m->node, active_successor(e, m->node), EDGE_WHY_LOST, now_ns);
	free(m);
}

void *edge_member_owner(const struct edge_member *m)
{
	return m->owner;
}

const struct edge_node *edge_member_node(const struct edge_member *m)
{
	return &m->edge->nodes->list[m->node];
}

const struct edge_replica *edge_member_replica(const struct edge_member *m)
{
	return &edge_member_node(m)->replicas[m->replica];
}

bool edge_member_is_active(const struct edge_member *m)
{
	return m->edge->places[m->node].active == m;
}

/* Packets. */

void *edge_find(const struct edge *e, uint8_t family, number to, bool *known)
{
	size_t node = owners_find(&e->owners, family, to);

	*known = node != OWNERS_NOBODY && node != OWNERS_EDGE;
	const struct edge_member *m = *known ? e->places[node].active : nullptr;
	return m ? m->owner : nullptr;
}

bool edge_is_foreign(struct edge_member *m, uint8_t family, number from)
{
	size_t node = owners_find(&m->edge->owners, family, from);
	bool foreign = node != OWNERS_NOBODY && node != m->node;

	m->edge->places[m->node].foreign += foreign;
	return foreign;
}

bool edge_admit(struct edge_member *m, enum edge_way way, size_t bytes, uint64_t now_ns)
{
	struct edge_place *p = &m->edge->places[m->node];

	if (!bucket_take(&p->packet_budget[way], 1, now_ns) ||
		!bucket_take(&p->byte_budget[way], bytes, now_ns)) {
		p->limited[way]++;
		return false;
	}
	p->packets[way]++;
	p->bytes[way] += bytes;
	return true;
}

/* Addresses. */

struct answer {
	struct connip_address *list;
	size_t n, cap;
};

static void put(struct answer *a, const struct prefix *p)
{
	if (a->n < a->cap)
		a->list[a->n++] = (struct connip_address){.prefix = *p};
}

/* The address that is asked for if it is there and nobody's answer yet; else the first of its
 * family that is. */
static struct connip_address *best(const struct answer *a, const struct connip_address *asked)
{
	struct connip_address *found = nullptr;

	for (size_t i = 0; i < a->n; i++) {
		struct connip_address *is = &a->list[i];
		if (is->request || is->prefix.addr.family != asked->prefix.addr.family)
			continue;
		if (prefix_cmp(&is->prefix, &asked->prefix) == 0)
			return is;
		if (!found)
			found = is;
	}
	return found;
}

static bool is_answered(const struct answer *a, uint64_t request)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].request == request)
			return true;
	return false;
}

/* Those who ask for an address that is there come before those who take any. */
static void answer_requests(
	const struct answer *a, const struct connip_address *asked, size_t n, bool exactly)
{
	for (size_t i = 0; i < n; i++) {
		struct connip_address *is = best(a, &asked[i]);
		if (is && !is_answered(a, asked[i].request) &&
			exactly == (prefix_cmp(&is->prefix, &asked[i].prefix) == 0))
			is->request = asked[i].request;
	}
}

size_t edge_member_addresses(const struct edge_member *m, const struct connip_address *asked,
	size_t n_asked, struct connip_address *out, size_t cap)
{
	const struct connip_prefixes *own = &edge_member_node(m)->addresses;
	const struct lease *l = &m->edge->leases[m->node];
	struct prefix v4 = prefix_of(&l->v4), v6 = prefix_of(&l->v6);
	struct answer a = {.list = out, .cap = cap};

	for (size_t i = 0; i < own->n; i++)
		put(&a, &own->list[i]);
	if (l->v4.family)
		put(&a, &v4);
	if (l->v6.family)
		put(&a, &v6);
	answer_requests(&a, asked, n_asked, true);
	answer_requests(&a, asked, n_asked, false);
	return a.n;
}
