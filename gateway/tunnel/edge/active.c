/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/edge_int.h"
#include <errno.h>
#include <string.h>

static bool is_better(const struct edge_member *m, const struct edge_member *than)
{
	if (!m->silent_ns != !than->silent_ns)
		return !m->silent_ns;
	return m->joined < than->joined;
}

/* The one that has been there longest, of those that answer if there are any. */
static struct edge_member *eldest(const struct edge *e, size_t node)
{
	const struct edge_place *p = &e->places[node];
	struct edge_member *found = nullptr;

	for (size_t i = 0; i < e->nodes->list[node].n_replicas; i++) {
		struct edge_member *m = p->seats[i].member;
		if (m && (!found || is_better(m, found)))
			found = m;
	}
	return found;
}

struct edge_member *active_successor(const struct edge *e, size_t node)
{
	const struct edge_place *p = &e->places[node];

	if (!e->nodes->list[node].manual || p->chosen == EDGE_NO_CHOICE)
		return eldest(e, node);
	return p->seats[p->chosen].member;
}

void active_set(
	struct edge *e, size_t node, struct edge_member *m, enum edge_why why, uint64_t now_ns)
{
	struct edge_place *p = &e->places[node];

	if (p->active == m)
		return;
	p->active = m;
	p->chosen = m ? m->replica : p->chosen;
	p->since_ns = now_ns;
	p->why = why;
	p->changes++;
	if (e->events->activated)
		e->events->activated(
			e->user, e->nodes->list[node].name, m ? m->owner : nullptr, why);
}

static int find_seat(const struct edge *e, const char *node, const char *replica, size_t at[2])
{
	for (size_t i = 0; i < e->nodes->n; i++) {
		const struct edge_node *n = &e->nodes->list[i];
		for (size_t k = 0; k < n->n_replicas; k++)
			if (strcmp(n->name, node) == 0 &&
				strcmp(n->replicas[k].name, replica) == 0) {
				at[0] = i;
				at[1] = k;
				return 0;
			}
	}
	return -ENOENT;
}

int edge_promote(struct edge *e, const char *node, const char *replica, uint64_t now_ns)
{
	size_t at[2] = {};
	int r = find_seat(e, node, replica, at);

	if (r < 0)
		return r;
	struct edge_place *p = &e->places[at[0]];
	struct edge_member *m = p->seats[at[1]].member;
	if (!m)
		return -ENOTCONN;
	if (p->active == m)
		return -EALREADY;
	active_set(e, at[0], m, EDGE_WHY_PROMOTED, now_ns);
	return 0;
}

void edge_member_silent(struct edge_member *m, bool silent, uint64_t now_ns)
{
	m->silent_ns = silent ? now_ns : 0;
}

bool edge_could_relieve(const struct edge_member *m)
{
	const struct edge_member *active = m->edge->places[m->node].active;

	return active && active != m && active->silent_ns && !m->edge->nodes->list[m->node].manual;
}

void edge_relieve(struct edge_member *m, uint64_t heard_ns, uint64_t now_ns)
{
	struct edge *e = m->edge;

	if (!m->silent_ns && edge_could_relieve(m) &&
		heard_ns > e->places[m->node].active->silent_ns)
		active_set(e, m->node, m, EDGE_WHY_SILENT, now_ns);
}
