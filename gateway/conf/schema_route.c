/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/arena.h"
#include "conf/defaults.h"
#include "conf/schema_bridge.h"
#include "conf/schema_table.h"
#include "conf/value.h"
#include "conf/value_bridge.h"
#include "conf/value_number.h"
#include "conf/value_word.h"

/* ---- Upstreams ---- */

static const struct list upstream_list = {
	.size = sizeof(struct config_upstream),
	.max = CONFIG_MAX_UPSTREAMS,
	.what = "upstreams",
	.if_empty = "name at least one service",
	.element = {.type = TEXT,
		.expects = "a URL like http://10.0.1.50:3000",
		.read = value_upstream,
		MARK(struct config_upstream, mark)},
};

static void read_upstreams(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_route *route = to;

	if (node->type == YAML_SEQUENCE_NODE) {
		route->upstreams = reader_list(r, &upstream_list, node, &route->n_upstreams);
	} else {
		route->n_upstreams = 1;
		route->upstreams = arena_alloc(r->arena, 1, sizeof(*route->upstreams));
		reader_value(r, &upstream_list.element, node, route->upstreams);
	}
}

/* ---- Headers ---- */

static const struct field header_name = {.type = TEXT,
	.expects = "the name of a header",
	.read = value_header_name,
	AT(struct config_header, name),
	MARK(struct config_header, mark)};

static const struct list header_list = {
	.size = sizeof(struct config_header),
	.max = CONFIG_MAX_HEADERS,
	.what = "headers",
	.element = {.type = TEXT,
		.expects = "the text of the header",
		.read = value_header_text,
		AT(struct config_header, value)},
};

static void read_headers(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_headers *headers = to;

	headers->set = reader_pairs(r, &header_list, &header_name, node, &headers->n_set);
}

static const struct list remove_list = {
	.size = sizeof(struct config_text),
	.max = CONFIG_MAX_HEADERS,
	.what = "headers",
	.element = {.type = TEXT,
		.expects = "the name of a header",
		.read = value_header_name,
		AT(struct config_text, text),
		MARK(struct config_text, mark)},
};

static const struct field header_fields[] = {
	{.key = "set",
		.type = MAPPING,
		.expects = "a mapping of names to texts",
		.read = read_headers},
	{.key = "remove",
		.type = LIST,
		.expects = "a list of names",
		.list = &remove_list,
		AT(struct config_headers, remove),
		COUNT(struct config_headers, n_remove)},
};
static const struct mapping header_mapping = FIELDS(header_fields);

/* ---- Times, TLS, health: of a struct config_route ---- */

#define MILLISECONDS(name, member, low, high) \
	{.key = (name),                       \
		.type = TEXT,                 \
		.expects = "a duration",      \
		.min = (low),                 \
		.max = (high),                \
		.read = value_milliseconds,   \
		AT(struct config_route, member)}

static const struct field timeout_fields[] = {
	MILLISECONDS("connect", connect_ms, 10, 600 * 1000),
	MILLISECONDS("first_byte", first_byte_ms, 10, 24 * 3600 * 1000),
	MILLISECONDS("idle", idle_ms, 10, 24 * 3600 * 1000),
	MILLISECONDS("total", total_ms, 0, 24 * 3600 * 1000),
	MILLISECONDS("tunnel", tunnel_ms, 0, 24 * 3600 * 1000),
};
static const struct mapping timeout_mapping = FIELDS(timeout_fields);

static const struct field tls_fields[] = {
	{.key = "server_name",
		.type = TEXT,
		.expects = "a name or an address",
		.read = value_server_name,
		AT(struct config_route, tls.server_name)},
	{.key = "ca_file",
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct config_route, tls.ca_file)},
	{.key = "certificate_file",
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct config_route, tls.certificate_file),
		MARK(struct config_route, tls.certificate_mark)},
	{.key = "key_file",
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct config_route, tls.key_file),
		MARK(struct config_route, tls.key_mark)},
};
static const struct mapping tls_mapping = FIELDS(tls_fields);

static const struct field health_fields[] = {
	{.key = "path",
		.required = true,
		.type = TEXT,
		.expects = "a path like /healthz",
		.read = value_health_path,
		AT(struct config_route, health.path)},
	{.key = "interval",
		.type = TEXT,
		.expects = "a duration",
		.min = 100,
		.max = 3600 * 1000,
		.read = value_milliseconds,
		AT(struct config_route, health.interval_ms),
		MARK(struct config_route, health.interval_mark)},
	{.key = "timeout",
		.type = TEXT,
		.expects = "a duration",
		.min = 10,
		.max = 3600 * 1000,
		.read = value_milliseconds,
		AT(struct config_route, health.timeout_ms),
		MARK(struct config_route, health.timeout_mark)},
	{.key = "failures",
		.type = TEXT,
		.expects = "a number of checks",
		.min = 1,
		.max = 100,
		.read = value_u32,
		AT(struct config_route, health.failures)},
	{.key = "successes",
		.type = TEXT,
		.expects = "a number of checks",
		.min = 1,
		.max = 100,
		.read = value_u32,
		AT(struct config_route, health.successes)},
};
static const struct mapping health_mapping = FIELDS(health_fields);

/* ---- A route ---- */

static const char *const proxy_names[] = {"v2"};
static const struct words proxy_words = {proxy_names, 1, "a version of the PROXY protocol"};

/* A single source is read into the struct whose first member a list would fill. */
static_assert(offsetof(struct config_sources, list) == 0);

static const struct field fields[] = {
	{.key = "host",
		.required = true,
		.type = TEXT,
		.expects = "a host name, \"*.suffix\" or \"*\"",
		.read = value_route_host,
		AT(struct config_route, host)},
	{.key = "path",
		.type = TEXT,
		.expects = "the beginning of a path, like /api",
		.read = value_route_path,
		AT(struct config_route, path)},
	{.key = "strip_prefix",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct config_route, strip_prefix),
		MARK(struct config_route, strip_mark)},
	{.key = "upstream",
		.required = true,
		.type = TEXT | LIST,
		.expects = "a URL like http://10.0.1.50:3000, or a list of them",
		.read = read_upstreams},
	{.key = "host_header",
		.type = TEXT,
		.expects = "preserve, upstream or a host name",
		.read = value_host_header,
		AT(struct config_route, host_header),
		MARK(struct config_route, host_header_mark)},
	{.key = "sources",
		.type = TEXT | LIST,
		.expects = "a class of ranges, a prefix, or a list of them",
		.list = &schema_source_list,
		.read = schema_read_source,
		AT(struct config_route, sources),
		COUNT(struct config_route, sources.n)},
	{.key = "token_files",
		.type = LIST,
		.expects = "a list of paths",
		.list = &schema_token_list,
		AT(struct config_route, token_files),
		COUNT(struct config_route, n_token_files)},
	{.key = "request_headers",
		.type = MAPPING,
		.expects = "a mapping with set and remove",
		.mapping = &header_mapping,
		AT(struct config_route, request)},
	{.key = "response_headers",
		.type = MAPPING,
		.expects = "a mapping with set and remove",
		.mapping = &header_mapping,
		AT(struct config_route, response)},
	{.key = "max_body",
		.type = TEXT,
		.expects = "a size like 10MiB, or 0 for no limit",
		.max = 1ULL << 40,
		.read = value_size,
		AT(struct config_route, max_body)},
	{.key = "retries",
		.type = TEXT,
		.expects = "a number of further attempts",
		.max = 10,
		.read = value_u32,
		AT(struct config_route, retries)},
	{.key = "max_connections",
		.type = TEXT,
		.expects = "a number of connections",
		.min = 1,
		.max = 1000000,
		.read = value_u32,
		AT(struct config_route, max_connections)},
	{.key = "proxy_protocol",
		.type = TEXT,
		.expects = "v2",
		.read = value_proxy_protocol,
		.words = &proxy_words,
		AT(struct config_route, proxy_protocol)},
	{.key = "timeouts",
		.type = MAPPING,
		.expects = "a mapping with connect, first_byte, idle, total, tunnel",
		.mapping = &timeout_mapping},
	{.key = "tls",
		.type = MAPPING,
		.expects = "a mapping with server_name, ca_file, certificate_file, key_file",
		.mapping = &tls_mapping,
		MARK(struct config_route, tls.mark)},
	{.key = "health",
		.type = MAPPING,
		.expects = "a mapping with path, interval, timeout, failures, successes",
		.mapping = &health_mapping},
};
static_assert(sizeof(fields) / sizeof(fields[0]) <= MAPPING_MAX_KEYS);
static const struct mapping route_mapping = FIELDS(fields);

const struct list schema_route_list = {
	.size = sizeof(struct config_route),
	.initial = &default_route,
	.max = CONFIG_MAX_ROUTES,
	.what = "routes",
	.if_empty = "name at least one service, or leave bridge out",
	.element = {.type = MAPPING,
		.expects = "a mapping with host and upstream",
		.mapping = &route_mapping,
		MARK(struct config_route, mark)},
};
