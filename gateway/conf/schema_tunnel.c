/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_tunnel.h"
#include "conf/defaults.h"
#include "conf/schema_table.h"
#include "conf/value.h"
#include "conf/value_bridge.h"
#include "conf/value_number.h"
#include "conf/value_tunnel.h"

/* ---- Lists that both roles have ---- */

const struct list schema_pin_list = {
	.size = sizeof(struct config_text),
	.max = CONFIG_MAX_PINS,
	.what = "pins",
	.if_empty = "name at least one, or leave the key out",
	.element = {.type = TEXT,
		.expects = "a pin like sha256/BASE64",
		.read = value_pin,
		AT(struct config_text, text),
		MARK(struct config_text, mark)},
};

const struct list schema_network_list = {
	.size = sizeof(struct config_source),
	.max = CONFIG_MAX_TUNNEL_PREFIXES,
	.what = "prefixes",
	.element = {.type = TEXT,
		.expects = "a prefix",
		.read = value_network,
		AT(struct config_source, prefix),
		MARK(struct config_source, mark)},
};

static const struct list accept_route_list = {
	.size = sizeof(struct config_source),
	.max = CONFIG_MAX_TUNNEL_PREFIXES,
	.what = "prefixes",
	.element = {.type = TEXT,
		.expects = "a prefix",
		.read = value_network_or_default,
		AT(struct config_source, prefix),
		MARK(struct config_source, mark)},
};

const struct list schema_address_list = {
	.size = sizeof(struct config_source),
	.max = CONFIG_MAX_NODE_ADDRESSES,
	.what = "addresses",
	.element = {.type = TEXT,
		.expects = "an address",
		.read = value_node_address,
		AT(struct config_source, prefix),
		MARK(struct config_source, mark)},
};

const struct list schema_endpoint_list = {
	.size = sizeof(struct config_listen),
	.max = CONFIG_MAX_ENDPOINTS,
	.what = "addresses",
	.if_empty = "name at least one",
	.element = {.type = TEXT,
		.expects = "ADDRESS:PORT",
		.read = value_endpoint,
		MARK(struct config_listen, mark)},
};

/* ---- Departures, of either role ---- */

static const struct list setting_list = {
	.size = sizeof(uint32_t),
	.max = CONFIG_MAX_SETTINGS,
	.what = "settings",
	.element = {.type = TEXT,
		.expects = "the number of an HTTP/3 setting",
		.min = 6,
		.max = UINT32_MAX,
		.read = value_u32},
};

static const struct field dialect_fields[] = {
	{.key = "protocol",
		.type = TEXT,
		.expects = "a token like cf-connect-ip",
		.read = value_token,
		AT(struct config_dialect, protocol)},
	{.key = "authority",
		.type = TEXT,
		.expects = "a host",
		.read = value_server_name,
		AT(struct config_dialect, authority)},
	{.key = "path",
		.type = TEXT,
		.expects = "a path",
		.read = value_route_path,
		AT(struct config_dialect, path)},
	{.key = "ignore_connect_protocol",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct config_dialect, ignore_connect_protocol)},
	{.key = "silent",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct config_dialect, silent)},
	{.key = "settings",
		.type = LIST,
		.expects = "a list of numbers",
		.list = &setting_list,
		AT(struct config_dialect, settings),
		COUNT(struct config_dialect, n_settings)},
};
const struct mapping schema_dialect = FIELDS(dialect_fields);

/* ---- Connector ---- */

static const struct field target_fields[] = {
	{.key = "address",
		.required = true,
		.type = TEXT,
		.expects = "ADDRESS:PORT",
		.read = value_endpoint,
		MARK(struct config_listen, mark)},
	{.key = "name",
		.type = TEXT,
		.expects = "a name",
		.read = value_node_name,
		AT(struct config_listen, name)},
};
static const struct mapping target_mapping = FIELDS(target_fields);

static const struct list target_list = {
	.size = sizeof(struct config_listen),
	.max = CONFIG_MAX_ENDPOINTS,
	.what = "addresses",
	.if_empty = "name at least one",
	.element = {.type = TEXT | MAPPING,
		.expects = "ADDRESS:PORT, or a mapping with the key address",
		.mapping = &target_mapping,
		.read = value_endpoint,
		MARK(struct config_listen, mark)},
};

static const struct field peer_fields[] = {
	{.key = "pins",
		.type = LIST,
		.expects = "a list of pins",
		.list = &schema_pin_list,
		AT(struct config_connector, pins),
		COUNT(struct config_connector, n_pins)},
	{.key = "ca_file",
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct config_connector, ca_file)},
};
static const struct mapping peer_mapping = FIELDS(peer_fields);

static const struct field accept_fields[] = {
	{.key = "addresses",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &schema_network_list,
		AT(struct config_connector, accept_addresses),
		COUNT(struct config_connector, n_accept_addresses)},
	{.key = "routes",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &accept_route_list,
		AT(struct config_connector, accept_routes),
		COUNT(struct config_connector, n_accept_routes)},
	{.key = "max_routes",
		.type = TEXT,
		.expects = "a number of routes",
		.min = 1,
		.max = 4096,
		.read = value_u32,
		AT(struct config_connector, max_routes)},
};
static const struct mapping accept_mapping = FIELDS(accept_fields);

static const struct field connector_fields[] = {
	{.key = "edges",
		.required = true,
		.type = LIST,
		.expects = "a list of ADDRESS:PORT",
		.list = &target_list,
		AT(struct config_connector, edges),
		COUNT(struct config_connector, n_edges),
		MARK(struct config_connector, edges_mark)},
	{.key = "server_name",
		.type = TEXT,
		.expects = "a name",
		.read = value_server_name,
		AT(struct config_connector, server_name)},
	{.key = "template",
		.type = TEXT,
		.expects = "a URI template",
		.read = value_template,
		AT(struct config_connector, template)},
	{.key = "peer",
		.required = true,
		.type = MAPPING,
		.expects = "a mapping with pins and ca_file",
		.mapping = &peer_mapping,
		MARK(struct config_connector, peer_mark)},
	{.key = "accept",
		.type = MAPPING,
		.expects = "a mapping with addresses, routes, max_routes",
		.mapping = &accept_mapping},
	{.key = "addresses",
		.type = LIST,
		.expects = "a list of addresses",
		.list = &schema_address_list,
		AT(struct config_connector, addresses),
		COUNT(struct config_connector, n_addresses)},
	{.key = "routes",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &schema_network_list,
		AT(struct config_connector, routes),
		COUNT(struct config_connector, n_routes)},
	{.key = "advertise",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &schema_network_list,
		AT(struct config_connector, advertise),
		COUNT(struct config_connector, n_advertise)},
	{.key = "dialect",
		.type = MAPPING,
		.expects = "a mapping of how the edge departs from RFC 9484",
		.mapping = &schema_dialect,
		AT(struct config_connector, dialect)},
};
static const struct mapping connector_mapping = FIELDS(connector_fields);

/* ---- Both ---- */

static const struct field fields[] = {
	{.key = "certificate_file",
		.required = true,
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct draft, config.tunnel.certificate_file)},
	{.key = "key_file",
		.required = true,
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct draft, config.tunnel.key_file)},
	{.key = "groups",
		.type = TEXT,
		.expects = "a list of groups like X25519MLKEM768:X25519",
		.read = value_groups,
		AT(struct draft, config.tunnel.groups)},
	{.key = "mtu",
		.type = TEXT,
		.expects = "a number of bytes",
		.min = 1280, /* RFC 8200 section 5 */
		.max = 65535,
		.read = value_u32,
		AT(struct draft, config.tunnel.mtu)},
	{.key = "keepalive",
		.type = TEXT,
		.expects = "a duration like 15s",
		.min = 1000,
		.max = 3600 * 1000,
		.read = value_milliseconds,
		AT(struct draft, config.tunnel.keepalive_ms),
		MARK(struct draft, config.tunnel.keepalive_mark)},
	{.key = "idle",
		.type = TEXT,
		.expects = "a duration like 60s",
		.min = 1000,
		.max = 3600 * 1000,
		.read = value_milliseconds,
		AT(struct draft, config.tunnel.idle_ms),
		MARK(struct draft, config.tunnel.idle_mark)},
	{.key = "connector",
		.type = MAPPING,
		.expects = "a mapping with edges and peer",
		.mapping = &connector_mapping,
		AT(struct draft, config.tunnel.connector),
		MARK(struct draft, config.tunnel.connector.mark)},
	{.key = "edge",
		.type = MAPPING,
		.expects = "a mapping with listen and nodes",
		.mapping = &schema_edge,
		AT(struct draft, config.tunnel.edge),
		MARK(struct draft, config.tunnel.edge.mark)},
};
const struct mapping schema_tunnel = FIELDS(fields);
