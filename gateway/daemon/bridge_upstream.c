/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_upstream.h"
#include <stdio.h>
#include <string.h>

/* Of the same name; nullptr: the route has none. */
static const struct config_upstream *upstream_of(
	const struct config_route *route, const char *name, struct bridge_upstream_ask *out)
{
	for (size_t i = 0; i < route->n_upstreams; i++) {
		const struct config_upstream *up = &route->upstreams[i];
		struct authority at = {.address = up->address, .port = up->port};
		if (!up->host)
			continue;
		snprintf(at.host, sizeof(at.host), "%s", up->host);
		authority_str(&at, out->target);
		snprintf(out->name, sizeof(out->name), "%s://%s", upstream_scheme_str(up->scheme),
			out->target);
		if (strcmp(out->name, name) == 0)
			return up;
	}
	return nullptr;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Is it spoken to in one way, whichever route leads there? */
static bool is_alike(const struct config_route *a, const struct config_route *b)
{
	return same_text(a->tls.server_name, b->tls.server_name) &&
	       same_text(a->tls.ca_file, b->tls.ca_file) &&
	       same_text(a->tls.certificate_file, b->tls.certificate_file) &&
	       a->proxy_protocol == b->proxy_protocol;
}

static void add_route(struct bridge_upstream_ask *out, const struct bridge_secrets *secrets,
	const struct config_route *route)
{
	const char *path = route->health.path ? route->health.path : "/";
	bool authorities = route->tls.ca_file != nullptr;

	snprintf(out->url, sizeof(out->url), "%s%s", out->name, strlen(path) < 200 ? path : "/");
	out->tls = (struct probe_tls){.server_name = route->tls.server_name};
	if (authorities)
		out->tls.ca = bridge_secret(secrets, SECRET_TEXT_CERTIFICATE, route->tls.ca_file);
	if (authorities && !out->tls.ca)
		out->tls.untalkable = "its ca_file cannot be used";
	else if (route->tls.certificate_file)
		out->tls.untalkable = "it is spoken to with a certificate that only the bridge has";
	else if (route->proxy_protocol)
		out->tls.untalkable = "it is spoken to by the PROXY protocol";
}

bool bridge_upstream_find(const struct config *config, const struct bridge_secrets *secrets,
	const char *name, struct bridge_upstream_ask *out)
{
	const struct config_bridge *b = config ? &config->bridge : nullptr;
	const struct config_route *first = nullptr;

	*out = (struct bridge_upstream_ask){};
	for (size_t i = 0; b && b->configured && i < b->n_routes; i++) {
		const struct config_route *route = &b->routes[i];
		struct bridge_upstream_ask other = {};
		if (!upstream_of(route, name, first ? &other : out))
			continue;
		if (!first)
			add_route(out, secrets, route);
		else if (!is_alike(first, route))
			out->tls.untalkable = "routes speak to it in several ways";
		first = first ? first : route;
	}
	return first != nullptr;
}
