/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_policy.h"
#include "daemon/observed.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

static void refuse(struct tunnel_verdict *v, bool route, const struct prefix *p, const char *reason)
{
	if (v->n_refused < TUNNEL_REFUSED_MAX)
		v->refused[v->n_refused] = (struct tunnel_refusal){route, *p, reason};
	v->n_refused++;
}

static bool is_inside(const struct config_source *list, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_contains(&list[i].prefix, p))
			return true;
	return false;
}

static bool is_named(const struct config_source *list, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_cmp(&list[i].prefix, p) == 0)
			return true;
	return false;
}

static bool is_in_ranges(const struct config *config, const struct prefix *p)
{
	for (size_t i = 0; i < config->n_ranges; i++)
		if (prefix_contains(&config->ranges[i].prefix, p))
			return true;
	return false;
}

static bool meets_lan(const struct config *config, const struct prefix *p)
{
	for (size_t i = 0; i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++)
			if (prefix_overlaps(&config->lans[i].networks[j].prefix, p))
				return true;
	return false;
}

static bool meets_edge(const struct config *config, const struct prefix *p)
{
	const struct config_connector *connector = &config->tunnel.connector;

	for (size_t i = 0; i < connector->n_edges; i++)
		if (prefix_contains_addr(p, &connector->edges[i].address))
			return true;
	return false;
}

/* To be routed among others to the mesh takes nothing from a single address. */
static bool meets_near(const struct tunnel_near *near, const struct prefix *p)
{
	for (size_t i = 0; i < near->n; i++) {
		const struct prefix *network = &near->list[i];
		bool single = network->len == addr_bits(network->addr.family);
		if (single ? prefix_contains(network, p) : prefix_overlaps(network, p))
			return true;
	}
	return false;
}

struct judge {
	const struct config *config;
	const struct tunnel_near *near;
	const struct config_source *accept;
	size_t n_accept;
};

/* nullptr: it is accepted. */
static const char *fault_of(const struct judge *j, const struct prefix *p)
{
	const struct config *config = j->config;

	if (p->len == 0)
		return is_named(j->accept, j->n_accept, p)
			       ? nullptr
			       : "a default route is taken only if connector.accept names it";
	if (meets_edge(config, p))
		return "it covers the edge itself";
	if (meets_lan(config, p))
		return "it overlaps a network of lan";
	if (!is_in_ranges(config, p))
		return "it lies outside of mesh.ranges";
	if (meets_near(j->near, p))
		return "it overlaps a network of another interface of this host";
	if (j->n_accept > 0 && !is_inside(j->accept, j->n_accept, p))
		return "it lies outside of what connector.accept names";
	return nullptr;
}

static void judge_addresses(const struct config *config, const struct tunnel_near *near,
	const struct tunnel_proposal *proposal, struct tunnel_verdict *v)
{
	const struct config_connector *connector = &config->tunnel.connector;
	const struct judge judge = {
		config, near, connector->accept_addresses, connector->n_accept_addresses};

	for (size_t i = 0; i < connector->n_addresses; i++)
		v->addresses[v->n_addresses++] = connector->addresses[i].prefix;
	for (size_t i = 0; i < proposal->n_addresses; i++) {
		const struct prefix *p = &proposal->addresses[i];
		const char *fault = p->len != addr_bits(p->addr.family) ? "it is no single address"
									: fault_of(&judge, p);
		if (!fault && v->n_addresses == TUNNEL_ADDRESSES_MAX)
			fault = "there are too many";
		if (fault)
			refuse(v, false, p, fault);
		else
			v->addresses[v->n_addresses++] = *p;
	}
}

static void judge_routes(const struct config *config, const struct tunnel_near *near,
	const struct tunnel_proposal *proposal, struct tunnel_verdict *v)
{
	const struct config_connector *connector = &config->tunnel.connector;
	const struct judge judge = {
		config, near, connector->accept_routes, connector->n_accept_routes};
	size_t max = connector->max_routes;

	v->routes = xcalloc(
		proposal->n_routes < max ? proposal->n_routes : max, sizeof(*v->routes));
	for (size_t i = 0; i < proposal->n_routes; i++) {
		const struct prefix *p = &proposal->routes[i];
		const char *fault = fault_of(&judge, p);
		if (!fault && v->n_routes == max)
			fault = "there are more than connector.accept.max_routes";
		if (fault)
			refuse(v, true, p, fault);
		else
			v->routes[v->n_routes++] = *p;
	}
}

static bool prefixes_equal(const struct prefix *a, size_t n_a, const struct prefix *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && i < n_b; i++)
		if (prefix_cmp(&a[i], &b[i]) != 0)
			return false;
	return n_a == n_b;
}

static bool touches_ranges(const struct config *config, const struct prefix *p)
{
	for (size_t i = 0; i < config->n_ranges; i++)
		if (prefix_overlaps(&config->ranges[i].prefix, p))
			return true;
	return false;
}

bool tunnel_near_update(struct tunnel_near *near, const struct config *config,
	const struct ifaddr_set *seen, int mesh)
{
	struct tunnel_near now = {xcalloc(seen->n, sizeof(*now.list)), 0};

	for (size_t i = 0; i < seen->n; i++) {
		struct prefix network = observed_network(&seen->list[i]);
		if (seen->list[i].ifindex != mesh && touches_ranges(config, &network))
			now.list[now.n++] = network;
	}
	bool same = prefixes_equal(now.list, now.n, near->list, near->n);
	tunnel_near_clear(near);
	*near = now;
	return !same;
}

void tunnel_near_clear(struct tunnel_near *near)
{
	free(near->list);
	*near = (struct tunnel_near){};
}

void tunnel_judge(const struct config *config, const struct tunnel_near *near,
	const struct tunnel_proposal *proposal, struct tunnel_verdict *out)
{
	tunnel_verdict_clear(out);
	judge_addresses(config, near, proposal, out);
	judge_routes(config, near, proposal, out);
}

void tunnel_judge_edge(const struct config *config, struct tunnel_verdict *out)
{
	const struct config_edge *edge = &config->tunnel.edge;

	tunnel_verdict_clear(out);
	for (size_t i = 0; i < edge->n_addresses; i++)
		out->addresses[out->n_addresses++] = edge->addresses[i].prefix;
}

void tunnel_verdict_clear(struct tunnel_verdict *v)
{
	free(v->routes);
	*v = (struct tunnel_verdict){};
}

bool tunnel_verdict_equal(const struct tunnel_verdict *a, const struct tunnel_verdict *b)
{
	return prefixes_equal(a->addresses, a->n_addresses, b->addresses, b->n_addresses) &&
	       prefixes_equal(a->routes, a->n_routes, b->routes, b->n_routes) &&
	       a->n_refused == b->n_refused;
}
