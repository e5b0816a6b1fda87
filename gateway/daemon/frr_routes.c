/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_routes.h"
#include "lib/xmalloc.h"
#include <linux/if.h>
#include <stdlib.h>

static const struct link *carrying_link(const struct gateway *g)
{
	const struct link *l = link_by_name(&g->seen.links, g->config->mesh_interface);
	return l && l->flags & IFF_UP && l->flags & IFF_LOWER_UP ? l : nullptr;
}

/* The lowest metric of those that lead there, or of those that lead elsewhere. */
static uint64_t best_metric(
	const struct route_set *set, const struct prefix *p, int oif, bool there)
{
	uint64_t best = UINT64_MAX;
	for (size_t i = 0; i < set->n; i++) {
		const struct route *r = &set->list[i];
		if ((r->oif == oif) == there && r->metric < best && !prefix_cmp(&r->dst, p))
			best = r->metric;
	}
	return best;
}

/* The kernel has a route of this prefix into the tunnel, and none in front of it. */
static bool is_usable(const struct gateway *g, const struct prefix *p)
{
	const struct link *l = carrying_link(g);
	if (!l)
		return false;
	uint64_t ours = best_metric(&g->seen.ours, p, l->ifindex, true);
	uint64_t same = best_metric(&g->seen.foreign, p, l->ifindex, true);
	uint64_t other = best_metric(&g->seen.foreign, p, l->ifindex, false);
	uint64_t best = ours < same ? ours : same;
	return best != UINT64_MAX && best <= other;
}

static void look_at(struct frr_routes *r, size_t i, bool usable, bool patient, uint64_t now_us)
{
	r->usable[i] = usable;
	if (usable)
		r->lost_us[i] = 0;
	else if (!r->lost_us[i])
		r->lost_us[i] = now_us;
	bool waits = r->announce[i] && now_us < r->lost_us[i] + FRR_ROUTE_GRACE_US;
	r->announce[i] = usable || patient || waits;
	if (waits && !usable && !patient)
		r->next_us = r->lost_us[i] + FRR_ROUTE_GRACE_US;
}

static void resize(struct frr_routes *routes, size_t n)
{
	if (routes->n == n)
		return;
	frr_routes_clear(routes);
	routes->usable = xcalloc(n, sizeof(*routes->usable));
	routes->announce = xcalloc(n, sizeof(*routes->announce));
	routes->lost_us = xcalloc(n, sizeof(*routes->lost_us));
	routes->n = n;
	for (size_t i = 0; i < n; i++)
		routes->announce[i] = true;
}

bool frr_routes_look(
	struct frr_routes *routes, const struct gateway *g, bool import_check, uint64_t now_us)
{
	const struct config *c = g->config;
	/* Without an interface there is no route that FRR could believe in. */
	bool patient = import_check && !link_by_name(&g->seen.links, c->mesh_interface);
	bool changed = false;
	resize(routes, c->n_ranges);
	routes->next_us = 0;
	for (size_t i = 0; i < routes->n; i++) {
		bool before = routes->announce[i];
		look_at(routes, i, is_usable(g, &c->ranges[i].prefix), patient, now_us);
		changed |= routes->announce[i] != before;
	}
	return changed;
}

void frr_routes_clear(struct frr_routes *routes)
{
	free(routes->usable);
	free(routes->announce);
	free(routes->lost_us);
	*routes = (struct frr_routes){};
}
