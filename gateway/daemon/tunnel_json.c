/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_json.h"
#include "conf/authority.h"
#include "daemon/json_make.h"
#include <stdio.h>
#include <string.h>

#define DEFAULT_PATH "/.well-known/masque/ip/{target}/{ipproto}/" /* RFC 9484 section 3 */
#define DEFAULT_PROTOCOL "connect-ip"

constexpr size_t TEMPLATE_STRLEN = 640; /* a host and the path, or what value_template() takes */
constexpr uint16_t HTTPS_PORT = 443;

#define APPEND(array, ...)                                                    \
	do {                                                                  \
		if (sd_json_variant_append_arraybo((array), __VA_ARGS__) < 0) \
			out_of_memory();                                      \
	} while (0)

static sd_json_variant *networks(const struct config *config)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++)
			json_append_prefix(&v, &config->lans[i].networks[j].prefix);
	return v;
}

static sd_json_variant *ranges(const struct config *config)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < config->n_ranges; i++)
		json_append_prefix(&v, &config->ranges[i].prefix);
	return v;
}

static sd_json_variant *texts(const struct config_text *list, size_t n)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < n; i++)
		json_append_text(&v, list[i].text);
	return v;
}

static sd_json_variant *endpoints(const struct config_listen *list, size_t n)
{
	sd_json_variant *v = json_array();
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < n; i++)
		APPEND(&v, SD_JSON_BUILD_PAIR_STRING("address", addr_str(&list[i].address, text)),
			SD_JSON_BUILD_PAIR_UNSIGNED("port", list[i].port),
			SD_JSON_BUILD_PAIR_CONDITION(list[i].name != nullptr, "name",
				SD_JSON_BUILD_STRING(list[i].name)));
	return v;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static sd_json_variant *dialect(const struct config_dialect *d)
{
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *settings = json_array();

	for (size_t i = 0; i < d->n_settings; i++)
		if (sd_json_variant_append_arrayb(
			    &settings, SD_JSON_BUILD_ARRAY(SD_JSON_BUILD_UNSIGNED(d->settings[i]),
					       SD_JSON_BUILD_UNSIGNED(1))) < 0)
			out_of_memory();
	JSON_OBJECT(v,
		SD_JSON_BUILD_PAIR_STRING("protocol", d->protocol ? d->protocol : DEFAULT_PROTOCOL),
		SD_JSON_BUILD_PAIR_STRING("authority", or_empty(d->authority)),
		SD_JSON_BUILD_PAIR_STRING("path", or_empty(d->path)),
		SD_JSON_BUILD_PAIR_BOOLEAN(
			"ignoreMissingConnectProtocol", d->ignore_connect_protocol),
		SD_JSON_BUILD_PAIR_BOOLEAN("staticOnly", d->silent),
		SD_JSON_BUILD_PAIR_VARIANT("settings", settings));
	return v;
}

/* ---- connector ---- */

/* An edge by its names: of TLS, of requests, and what these are made of. */
struct edge_names {
	struct authority at;
	char authority[AUTHORITY_STRLEN];
	char template[TEMPLATE_STRLEN];
	const char *server;
};

/* The authority is the template's (RFC 9484 sections 3 and 4.4); without a template it is the first
 * edge's, by its name if it has one, in the default template. */
static void name_edge(const struct config_connector *c, struct edge_names *out)
{
	static const char scheme[] = "https://";
	const struct config_listen *edge = &c->edges[0];
	const char *begin = c->template ? c->template + strlen(scheme) : nullptr;

	*out = (struct edge_names){.at.port = edge->port == HTTPS_PORT ? 0 : edge->port};
	if (begin) {
		snprintf(out->template, TEMPLATE_STRLEN, "%s", c->template);
		snprintf(out->authority, AUTHORITY_STRLEN, "%.*s", (int)strcspn(begin, "/"), begin);
		(void)authority_parse(out->authority, &out->at); /* the reader has seen to it */
	} else {
		if (c->server_name) {
			snprintf(out->at.host, NAME_STRLEN, "%s", c->server_name);
		} else {
			out->at.address = edge->address;
			addr_str(&edge->address, out->at.host);
		}
		authority_str(&out->at, out->authority);
		snprintf(out->template, TEMPLATE_STRLEN, "%s%s" DEFAULT_PATH, scheme,
			out->authority);
	}
	out->server = c->server_name ? c->server_name : out->at.host;
}

static sd_json_variant *connector(const struct config *config)
{
	const struct config_connector *c = &config->tunnel.connector;
	struct edge_names names;
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *edges = endpoints(c->edges, c->n_edges),
				 *addresses = json_sources(c->addresses, c->n_addresses),
				 *routes = json_sources(c->routes, c->n_routes),
				 *advertise = c->n_advertise
						      ? json_sources(c->advertise, c->n_advertise)
						      : networks(config),
				 *take_addresses = c->n_accept_addresses
							   ? json_sources(c->accept_addresses,
								     c->n_accept_addresses)
							   : ranges(config),
				 *take_routes = c->n_accept_routes ? json_sources(c->accept_routes,
									     c->n_accept_routes)
								   : ranges(config),
				 *accept = nullptr;

	name_edge(c, &names);
	JSON_OBJECT(accept, SD_JSON_BUILD_PAIR_VARIANT("addresses", take_addresses),
		SD_JSON_BUILD_PAIR_VARIANT("routes", take_routes),
		SD_JSON_BUILD_PAIR_UNSIGNED("maxRoutes", c->max_routes));
	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_VARIANT("edges", edges),
		SD_JSON_BUILD_PAIR_STRING("serverName", names.server),
		SD_JSON_BUILD_PAIR_STRING("template", names.template),
		SD_JSON_BUILD_PAIR_STRING("authority", names.authority),
		SD_JSON_BUILD_PAIR_VARIANT("accept", accept),
		SD_JSON_BUILD_PAIR_VARIANT("addresses", addresses),
		SD_JSON_BUILD_PAIR_VARIANT("routes", routes),
		SD_JSON_BUILD_PAIR_VARIANT("advertise", advertise));
	return v;
}

/* ---- edge ---- */

static void append_node(const struct config_node *node, sd_json_variant **array)
{
	autojson sd_json_variant *replicas = json_array(),
				 *addresses = json_sources(node->addresses, node->n_addresses),
				 *routes = json_sources(node->routes, node->n_routes);

	for (size_t i = 0; i < node->n_replicas; i++) {
		autojson sd_json_variant *pins = texts(
			node->replicas[i].pins, node->replicas[i].n_pins);
		APPEND(&replicas, SD_JSON_BUILD_PAIR_STRING("name", node->replicas[i].name),
			SD_JSON_BUILD_PAIR_VARIANT("pins", pins));
	}
	APPEND(array, SD_JSON_BUILD_PAIR_STRING("name", node->name),
		SD_JSON_BUILD_PAIR_VARIANT("replicas", replicas),
		SD_JSON_BUILD_PAIR_VARIANT("addresses", addresses),
		SD_JSON_BUILD_PAIR_VARIANT("routes", routes),
		SD_JSON_BUILD_PAIR_STRING("promote", promotion_str(node->promotion)),
		SD_JSON_BUILD_PAIR_OBJECT("limits",
			SD_JSON_BUILD_PAIR_UNSIGNED("packets", node->packets),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", node->bytes)));
}

static sd_json_variant *edge(const struct config *config)
{
	const struct config_edge *e = &config->tunnel.edge;
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *addresses = json_sources(e->addresses, e->n_addresses),
				 *pool = json_sources(e->pool, e->n_pool), *nodes = json_array(),
				 *advertise = e->n_advertise
						      ? json_sources(e->advertise, e->n_advertise)
						      : networks(config),
				 *limits = nullptr;

	for (size_t i = 0; i < e->n_nodes; i++)
		append_node(&e->nodes[i], &nodes);
	JSON_OBJECT(limits, SD_JSON_BUILD_PAIR_UNSIGNED("connections", e->connections),
		SD_JSON_BUILD_PAIR_UNSIGNED("handshakesPerPrefix", e->handshakes),
		SD_JSON_BUILD_PAIR_UNSIGNED("unauthenticated", e->unauthenticated),
		SD_JSON_BUILD_PAIR_UNSIGNED("retryAbove", e->retry_above));
	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("template", DEFAULT_PATH),
		SD_JSON_BUILD_PAIR_VARIANT("addresses", addresses),
		SD_JSON_BUILD_PAIR_VARIANT("pool", pool),
		SD_JSON_BUILD_PAIR_VARIANT("nodes", nodes),
		SD_JSON_BUILD_PAIR_VARIANT("advertise", advertise),
		SD_JSON_BUILD_PAIR_VARIANT("limits", limits));
	return v;
}

/* ---- both ---- */

sd_json_variant *tunnel_json(const struct config *config, const struct tunnel_files *files)
{
	const struct config_tunnel *t = &config->tunnel;
	bool dials = t->role == TUNNEL_CONNECTOR;
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *key = json_secret(files->key),
				 *pins = texts(t->connector.pins, t->connector.n_pins),
				 *speaks = dialect(
					 dials ? &t->connector.dialect : &t->edge.dialect),
				 *role = dials ? connector(config) : edge(config);

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("role", tunnel_role_str(t->role)),
		SD_JSON_BUILD_PAIR_UNSIGNED("mtu", t->mtu),
		SD_JSON_BUILD_PAIR_UNSIGNED("keepaliveMs", t->keepalive_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("idleMs", t->idle_ms),
		SD_JSON_BUILD_PAIR_STRING("groups", t->groups),
		SD_JSON_BUILD_PAIR_STRING("certificate", or_empty(files->certificate)),
		SD_JSON_BUILD_PAIR_VARIANT("key", key),
		SD_JSON_BUILD_PAIR_STRING("ca", or_empty(files->ca)),
		SD_JSON_BUILD_PAIR_VARIANT("pins", pins),
		SD_JSON_BUILD_PAIR_VARIANT(dials ? "connector" : "edge", role),
		SD_JSON_BUILD_PAIR_VARIANT("dialect", speaks));
	sd_json_variant_sensitive(v);
	return v;
}
