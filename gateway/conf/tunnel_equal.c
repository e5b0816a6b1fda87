/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/tunnel_equal.h"
#include "conf/part_equal.h"

static bool dialect_equal(const struct config_dialect *a, const struct config_dialect *b)
{
	for (size_t i = 0; i < a->n_settings && i < b->n_settings; i++)
		if (a->settings[i] != b->settings[i])
			return false;
	return text_equal(a->protocol, b->protocol) && text_equal(a->authority, b->authority) &&
	       text_equal(a->path, b->path) &&
	       a->ignore_connect_protocol == b->ignore_connect_protocol && a->silent == b->silent &&
	       a->n_settings == b->n_settings;
}

static bool connector_equal(const struct config_connector *a, const struct config_connector *b)
{
	return listens_equal(a->edges, a->n_edges, b->edges, b->n_edges) &&
	       text_equal(a->server_name, b->server_name) && text_equal(a->template, b->template) &&
	       texts_equal(a->pins, a->n_pins, b->pins, b->n_pins) &&
	       text_equal(a->ca_file, b->ca_file) &&
	       sources_equal(a->accept_addresses, a->n_accept_addresses, b->accept_addresses,
		       b->n_accept_addresses) &&
	       sources_equal(a->accept_routes, a->n_accept_routes, b->accept_routes,
		       b->n_accept_routes) &&
	       a->max_routes == b->max_routes &&
	       sources_equal(a->addresses, a->n_addresses, b->addresses, b->n_addresses) &&
	       sources_equal(a->routes, a->n_routes, b->routes, b->n_routes) &&
	       sources_equal(a->advertise, a->n_advertise, b->advertise, b->n_advertise) &&
	       dialect_equal(&a->dialect, &b->dialect);
}

static bool replica_equal(const struct config_replica *a, const struct config_replica *b)
{
	return text_equal(a->name, b->name) && texts_equal(a->pins, a->n_pins, b->pins, b->n_pins);
}

bool tunnel_node_equal(const struct config_node *a, const struct config_node *b)
{
	for (size_t i = 0; i < a->n_replicas && i < b->n_replicas; i++)
		if (!replica_equal(&a->replicas[i], &b->replicas[i]))
			return false;
	return text_equal(a->name, b->name) && a->n_replicas == b->n_replicas &&
	       sources_equal(a->addresses, a->n_addresses, b->addresses, b->n_addresses) &&
	       sources_equal(a->routes, a->n_routes, b->routes, b->n_routes) &&
	       a->promotion == b->promotion && a->packets == b->packets && a->bytes == b->bytes;
}

static bool edge_equal(const struct config_edge *a, const struct config_edge *b)
{
	for (size_t i = 0; i < a->n_nodes && i < b->n_nodes; i++)
		if (!tunnel_node_equal(&a->nodes[i], &b->nodes[i]))
			return false;
	return a->n_nodes == b->n_nodes &&
	       listens_equal(a->listen, a->n_listen, b->listen, b->n_listen) &&
	       sources_equal(a->addresses, a->n_addresses, b->addresses, b->n_addresses) &&
	       sources_equal(a->pool, a->n_pool, b->pool, b->n_pool) &&
	       sources_equal(a->advertise, a->n_advertise, b->advertise, b->n_advertise) &&
	       a->connections == b->connections && a->handshakes == b->handshakes &&
	       a->unauthenticated == b->unauthenticated && a->retry_above == b->retry_above &&
	       dialect_equal(&a->dialect, &b->dialect);
}

bool tunnel_equal(const struct config_tunnel *a, const struct config_tunnel *b)
{
	return a->configured == b->configured && a->role == b->role &&
	       text_equal(a->certificate_file, b->certificate_file) &&
	       text_equal(a->key_file, b->key_file) && text_equal(a->groups, b->groups) &&
	       a->mtu == b->mtu && a->keepalive_ms == b->keepalive_ms && a->idle_ms == b->idle_ms &&
	       connector_equal(&a->connector, &b->connector) && edge_equal(&a->edge, &b->edge);
}
