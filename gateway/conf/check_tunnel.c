/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check_tunnel.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/duration.h"
#include "conf/schema.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tunnel_check {
	const struct config_tunnel *tunnel;
	const struct cover *networks, *ranges;
	struct diag_list *diags;
};

/* ---- Prefixes ---- */

static void check_inside(const struct tunnel_check *c, const struct cover *cover, const char *where,
	const struct config_source *list, size_t n, const char *path)
{
	char prefix[PREFIX_STRLEN];

	for (size_t i = 0; i < n; i++)
		if (cover->complete && list[i].prefix.addr.family != AF_UNSPEC &&
			!cover_has(cover, &list[i].prefix))
			diag_add(c->diags, list[i].mark, path, "%s is not inside %s",
				prefix_str(&list[i].prefix, prefix), where);
}

static void check_in_ranges(
	const struct tunnel_check *c, const struct config_source *list, size_t n, const char *path)
{
	check_inside(c, c->ranges, "a range of mesh.ranges, which is what is led into the tunnel",
		list, n, path);
}

/* Ends of the tunnel. */
static void check_endpoints(
	const struct tunnel_check *c, const struct config_listen *list, size_t n, const char *path)
{
	char address[ADDR_STRLEN];

	for (size_t i = 0; i < n; i++) {
		struct prefix host = prefix_of(&list[i].address);
		if (list[i].port == 0)
			continue;
		addr_str(&list[i].address, address);
		if (cover_has(c->ranges, &host))
			diag_add(c->diags, list[i].mark, path,
				"%s lies in mesh.ranges, so the tunnel would lead into itself",
				address);
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_ENDPOINTS */
			if (list[j].port != list[i].port ||
				addr_cmp(&list[j].address, &list[i].address) != 0)
				continue;
			diag_add(c->diags, list[i].mark, path,
				"%s with port %u stands here already, at %u:%u; remove one",
				address, list[i].port, list[j].mark.line, list[j].mark.column);
			break;
		}
	}
}

/* ---- What may stand once in all nodes ---- */

struct once {
	const char *text;
	struct config_mark mark;
	size_t node, replica;
};

static int cmp_once(const void *x, const void *y)
{
	const struct once *a = x, *b = y;
	int order = strcmp(a->text, b->text);

	if (order)
		return order;
	if (a->mark.line != b->mark.line)
		return a->mark.line < b->mark.line ? -1 : 1;
	return (a->mark.column > b->mark.column) - (a->mark.column < b->mark.column);
}

static void check_once(
	const struct tunnel_check *c, struct once *list, size_t n, const char *path_format)
{
	char path[128];

	qsort(list, n, sizeof(*list), cmp_once);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(list[i].text, list[i - 1].text) != 0)
			continue;
		snprintf(path, sizeof(path), "tunnel.edge.nodes[%zu]%s", list[i].node, path_format);
		diag_add(c->diags, list[i].mark, path,
			"%s stands here already, at %u:%u; remove one", list[i].text,
			list[i - 1].mark.line, list[i - 1].mark.column);
	}
}

static void check_names(const struct tunnel_check *c)
{
	const struct config_edge *edge = &c->tunnel->edge;
	autofree struct once *names = xcalloc(edge->n_nodes, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; i < edge->n_nodes; i++)
		if (edge->nodes[i].name)
			names[n++] = (struct once){edge->nodes[i].name, edge->nodes[i].mark, i, 0};
	check_once(c, names, n, ".name");
}

static void check_replica_names(const struct tunnel_check *c, size_t i)
{
	const struct config_node *node = &c->tunnel->edge.nodes[i];
	autofree struct once *names = xcalloc(node->n_replicas, sizeof(*names));
	size_t n = 0;

	for (size_t j = 0; j < node->n_replicas; j++)
		if (node->replicas[j].name)
			names[n++] = (struct once){
				node->replicas[j].name, node->replicas[j].mark, i, j};
	check_once(c, names, n, ".replicas");
}

static size_t count_pins(const struct config_edge *edge)
{
	size_t n = 0;

	for (size_t i = 0; i < edge->n_nodes; i++)
		for (size_t j = 0; j < edge->nodes[i].n_replicas; j++)
			n += edge->nodes[i].replicas[j].n_pins;
	return n;
}

/* A pin is an identity: it belongs to one replica. */
static void check_pins(const struct tunnel_check *c)
{
	const struct config_edge *edge = &c->tunnel->edge;
	autofree struct once *pins = xcalloc(count_pins(edge), sizeof(*pins));
	size_t n = 0;

	for (size_t i = 0; i < edge->n_nodes; i++)
		for (size_t j = 0; j < edge->nodes[i].n_replicas; j++) {
			const struct config_replica *replica = &edge->nodes[i].replicas[j];
			for (size_t k = 0; k < replica->n_pins; k++)
				if (replica->pins[k].text)
					pins[n++] = (struct once){
						replica->pins[k].text, replica->pins[k].mark, i, j};
		}
	check_once(c, pins, n, ".replicas");
}

/* ---- Addresses and routes of nodes and of the edge: one owner each; a route inside another's is
 * fine ---- */

constexpr size_t OF_EDGE = SIZE_MAX;

struct owned {
	struct prefix prefix;
	struct config_mark mark;
	size_t node;
};

static int cmp_owned(const void *x, const void *y)
{
	const struct owned *a = x, *b = y;
	int order = prefix_cmp(&a->prefix, &b->prefix);

	if (order)
		return order;
	return (a->mark.line > b->mark.line) - (a->mark.line < b->mark.line);
}

static void add_owned(struct owned *list, size_t *n, const struct config_source *sources,
	size_t count, size_t node)
{
	for (size_t i = 0; i < count; i++)
		if (sources[i].prefix.addr.family != AF_UNSPEC)
			list[(*n)++] = (struct owned){sources[i].prefix, sources[i].mark, node};
}

static void check_owners(const struct tunnel_check *c)
{
	const struct config_edge *edge = &c->tunnel->edge;
	size_t max = 0, n = 0;
	char path[64], prefix[PREFIX_STRLEN];

	for (size_t i = 0; i < edge->n_nodes; i++)
		max += edge->nodes[i].n_addresses + edge->nodes[i].n_routes;
	max += edge->n_addresses;
	autofree struct owned *list = xcalloc(max, sizeof(*list));
	for (size_t i = 0; i < edge->n_nodes; i++) {
		const struct config_node *node = &edge->nodes[i];
		add_owned(list, &n, node->addresses, node->n_addresses, i);
		add_owned(list, &n, node->routes, node->n_routes, i);
	}
	add_owned(list, &n, edge->addresses, edge->n_addresses, OF_EDGE);
	qsort(list, n, sizeof(*list), cmp_owned);
	for (size_t i = 1; i < n; i++) {
		if (prefix_cmp(&list[i - 1].prefix, &list[i].prefix) != 0)
			continue;
		if (list[i].node == OF_EDGE)
			snprintf(path, sizeof(path), "tunnel.edge.addresses");
		else
			snprintf(path, sizeof(path), "tunnel.edge.nodes[%zu]", list[i].node);
		diag_add(c->diags, list[i].mark, path,
			"%s stands here already, at %u:%u; remove one",
			prefix_str(&list[i].prefix, prefix), list[i - 1].mark.line,
			list[i - 1].mark.column);
	}
}

/* ---- Roles ---- */

static void check_node(const struct tunnel_check *c, size_t i)
{
	const struct config_node *node = &c->tunnel->edge.nodes[i];
	char path[64];

	snprintf(path, sizeof(path), "tunnel.edge.nodes[%zu].addresses", i);
	check_in_ranges(c, node->addresses, node->n_addresses, path);
	snprintf(path, sizeof(path), "tunnel.edge.nodes[%zu].routes", i);
	check_in_ranges(c, node->routes, node->n_routes, path);
	check_replica_names(c, i);
}

/* What is departed from is what nodes do. */
static void check_edge_dialect(const struct tunnel_check *c)
{
	const struct config_edge *edge = &c->tunnel->edge;
	const struct config_dialect *dialect = &edge->dialect;

	if (dialect->authority)
		diag_add(c->diags, edge->dialect_mark, "tunnel.edge.dialect.authority",
			"an edge takes every authority; remove this");
	if (dialect->ignore_connect_protocol)
		diag_add(c->diags, edge->dialect_mark,
			"tunnel.edge.dialect.ignore_connect_protocol",
			"only a connector waits for that; remove this");
	for (size_t i = 0; dialect->silent && i < edge->n_nodes; i++)
		if (edge->nodes[i].n_addresses == 0)
			diag_add(c->diags, edge->nodes[i].mark, "tunnel.edge.dialect.silent",
				"nothing is told to nodes; name addresses of this one");
}

static void check_edge(const struct tunnel_check *c)
{
	const struct config_edge *edge = &c->tunnel->edge;

	check_endpoints(c, edge->listen, edge->n_listen, "tunnel.edge.listen");
	check_in_ranges(c, edge->addresses, edge->n_addresses, "tunnel.edge.addresses");
	check_in_ranges(c, edge->pool, edge->n_pool, "tunnel.edge.pool");
	for (size_t i = 0; i < edge->n_nodes; i++)
		check_node(c, i);
	check_names(c);
	check_pins(c);
	check_owners(c);
	check_edge_dialect(c);
}

/* A default route lies in no range; who names it wants it. */
static void check_accept_routes(const struct tunnel_check *c)
{
	const struct config_connector *connector = &c->tunnel->connector;

	for (size_t i = 0; i < connector->n_accept_routes; i++)
		if (connector->accept_routes[i].prefix.len > 0)
			check_in_ranges(c, &connector->accept_routes[i], 1,
				"tunnel.connector.accept.routes");
}

static void check_edge_names(const struct tunnel_check *c)
{
	const struct config_connector *connector = &c->tunnel->connector;
	const struct config_listen *edges = connector->edges;

	for (size_t i = 1; i < connector->n_edges; i++)
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_ENDPOINTS */
			if (!edges[i].name || !edges[j].name ||
				strcmp(edges[i].name, edges[j].name) != 0)
				continue;
			diag_add(c->diags, edges[i].mark, "tunnel.connector.edges",
				"the name %s stands here already, at %u:%u; change one",
				edges[i].name, edges[j].mark.line, edges[j].mark.column);
			break;
		}
}

static void check_connector(const struct tunnel_check *c)
{
	const struct config_connector *connector = &c->tunnel->connector;

	if (connector->peer_mark.line && connector->n_pins == 0 && !connector->ca_file)
		diag_add(c->diags, connector->peer_mark, "tunnel.connector.peer",
			"nothing here tells the edge from an impostor; add pins or ca_file");
	check_endpoints(c, connector->edges, connector->n_edges, "tunnel.connector.edges");
	check_edge_names(c);
	check_in_ranges(c, connector->accept_addresses, connector->n_accept_addresses,
		"tunnel.connector.accept.addresses");
	check_accept_routes(c);
	check_in_ranges(c, connector->routes, connector->n_routes, "tunnel.connector.routes");
	if (connector->dialect.silent && (!connector->n_addresses || !connector->n_routes))
		diag_add(c->diags, connector->mark, "tunnel.connector.dialect.silent",
			"the edge tells nothing; name addresses and routes of tunnel.connector");
	check_in_ranges(
		c, connector->addresses, connector->n_addresses, "tunnel.connector.addresses");
	check_inside(c, c->networks, "a network of lan", connector->advertise,
		connector->n_advertise, "tunnel.connector.advertise");
}

static void check_times(const struct tunnel_check *c)
{
	const struct config_tunnel *t = c->tunnel;
	char keepalive[DURATION_STRLEN], idle[DURATION_STRLEN];

	if (t->keepalive_ms == DURATION_UNSET || t->idle_ms == DURATION_UNSET ||
		t->keepalive_ms < t->idle_ms)
		return;
	bool own = t->keepalive_mark.line != 0;
	diag_add(c->diags, own ? t->keepalive_mark : t->idle_mark,
		own ? "tunnel.keepalive" : "tunnel.idle",
		"a tunnel that is idle for %s is given up before the %s of keepalive pass",
		duration_str(t->idle_ms * USEC_PER_MS, idle),
		duration_str(t->keepalive_ms * USEC_PER_MS, keepalive));
}

void check_tunnel(const struct draft *draft, const struct cover *networks,
	const struct cover *ranges, struct diag_list *diags)
{
	const struct config_tunnel *tunnel = &draft->config.tunnel;
	struct tunnel_check c = {tunnel, networks, ranges, diags};
	bool connector = tunnel->connector.mark.line, edge = tunnel->edge.mark.line;

	if (!tunnel->configured)
		return;
	if (connector && edge)
		diag_add(diags, tunnel->edge.mark, "tunnel.edge",
			"connector stands here already, at %u:%u; a host has one of the two roles",
			tunnel->connector.mark.line, tunnel->connector.mark.column);
	if (!connector && !edge)
		diag_add(diags, tunnel->mark, "tunnel",
			"no role here; add connector, which dials an edge, or edge");
	check_times(&c);
	if (connector)
		check_connector(&c);
	if (edge)
		check_edge(&c);
}
