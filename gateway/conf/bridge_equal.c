/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bridge_equal.h"
#include "conf/part_equal.h"

static bool upstreams_equal(
	const struct config_upstream *a, const struct config_upstream *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].scheme != b[i].scheme || a[i].port != b[i].port ||
			!text_equal(a[i].host, b[i].host) || !text_equal(a[i].path, b[i].path))
			return false;
	return true;
}

static bool headers_equal(const struct config_headers *a, const struct config_headers *b)
{
	if (a->n_set != b->n_set || a->n_remove != b->n_remove)
		return false;
	for (size_t i = 0; i < a->n_set; i++)
		if (!text_equal(a->set[i].name, b->set[i].name) ||
			!text_equal(a->set[i].value, b->set[i].value))
			return false;
	return texts_equal(a->remove, a->n_remove, b->remove, b->n_remove);
}

static bool tls_equal(const struct config_bridge_tls *a, const struct config_bridge_tls *b)
{
	return text_equal(a->server_name, b->server_name) && text_equal(a->ca_file, b->ca_file) &&
	       text_equal(a->certificate_file, b->certificate_file) &&
	       text_equal(a->key_file, b->key_file);
}

/* Times, which say nothing where there are no checks. */
static bool health_equal(const struct config_bridge_health *a, const struct config_bridge_health *b)
{
	if (!a->path || !b->path)
		return a->path == b->path;
	return text_equal(a->path, b->path) && a->interval_ms == b->interval_ms &&
	       a->timeout_ms == b->timeout_ms && a->failures == b->failures &&
	       a->successes == b->successes;
}

static bool numbers_equal(const struct config_route *a, const struct config_route *b)
{
	return a->strip_prefix == b->strip_prefix && a->max_body == b->max_body &&
	       a->retries == b->retries && a->max_connections == b->max_connections &&
	       a->proxy_protocol == b->proxy_protocol && a->connect_ms == b->connect_ms &&
	       a->first_byte_ms == b->first_byte_ms && a->idle_ms == b->idle_ms &&
	       a->total_ms == b->total_ms && a->tunnel_ms == b->tunnel_ms;
}

bool bridge_route_equal(const struct config_route *a, const struct config_route *b)
{
	return text_equal(a->host, b->host) && text_equal(a->path, b->path) &&
	       numbers_equal(a, b) && text_equal(a->host_header, b->host_header) &&
	       a->n_upstreams == b->n_upstreams &&
	       upstreams_equal(a->upstreams, b->upstreams, a->n_upstreams) &&
	       sources_equal(a->sources.list, a->sources.n, b->sources.list, b->sources.n) &&
	       texts_equal(a->token_files, a->n_token_files, b->token_files, b->n_token_files) &&
	       headers_equal(&a->request, &b->request) &&
	       headers_equal(&a->response, &b->response) && tls_equal(&a->tls, &b->tls) &&
	       health_equal(&a->health, &b->health);
}

static bool settings_equal(const struct config_bridge *a, const struct config_bridge *b)
{
	return a->threads == b->threads && a->reveal == b->reveal &&
	       text_equal(a->admin, b->admin) && a->connections == b->connections &&
	       a->per_source == b->per_source && a->head_bytes == b->head_bytes &&
	       a->head_ms == b->head_ms && a->idle_ms == b->idle_ms && a->drain_ms == b->drain_ms;
}

bool bridge_equal(const struct config_bridge *a, const struct config_bridge *b)
{
	if (a->configured != b->configured || !settings_equal(a, b) || a->n_routes != b->n_routes ||
		!listens_equal(a->listen, a->n_listen, b->listen, b->n_listen) ||
		!texts_equal(a->targets, a->n_targets, b->targets, b->n_targets) ||
		!texts_equal(a->token_files, a->n_token_files, b->token_files, b->n_token_files) ||
		!sources_equal(a->upstream_networks, a->n_upstream_networks, b->upstream_networks,
			b->n_upstream_networks))
		return false;
	for (size_t i = 0; i < a->n_routes; i++)
		if (!bridge_route_equal(&a->routes[i], &b->routes[i]))
			return false;
	return true;
}
