/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/arena.h"
#include "conf/schema_table.h"
#include "conf/schema_tunnel.h"
#include "conf/value.h"
#include "conf/value_number.h"
#include "conf/value_tunnel.h"
#include "conf/value_word.h"

/* ---- Nodes ---- */

static const struct field replica_fields[] = {
	{.key = "name",
		.required = true,
		.type = TEXT,
		.expects = "a name",
		.read = value_node_name,
		AT(struct config_replica, name)},
	{.key = "pins",
		.required = true,
		.type = LIST,
		.expects = "a list of pins",
		.list = &schema_pin_list,
		AT(struct config_replica, pins),
		COUNT(struct config_replica, n_pins)},
};
static const struct mapping replica_mapping = FIELDS(replica_fields);

static const struct list replica_list = {
	.size = sizeof(struct config_replica),
	.max = CONFIG_MAX_REPLICAS,
	.what = "replicas",
	.if_empty = "name at least one",
	.element = {.type = MAPPING,
		.expects = "a mapping with name and pins",
		.mapping = &replica_mapping,
		MARK(struct config_replica, mark)},
};

static const char *const promotion_names[] = {
	[PROMOTION_AUTOMATIC] = "automatic",
	[PROMOTION_MANUAL] = "manual",
};
static const struct words promotion_words = {promotion_names, 2, "a way of promotion"};

static const struct field node_limit_fields[] = {
	{.key = "packets",
		.type = TEXT,
		.expects = "packets a second",
		.min = 1,
		.max = UINT32_MAX,
		.read = value_u32,
		AT(struct config_node, packets)},
	{.key = "bytes",
		.type = TEXT,
		.expects = "bytes a second, like 10MiB",
		.min = 1500,
		.max = UINT32_MAX * 1024ULL,
		.read = value_size,
		AT(struct config_node, bytes)},
};
static const struct mapping node_limit_mapping = FIELDS(node_limit_fields);

static const struct field node_fields[] = {
	{.key = "name",
		.required = true,
		.type = TEXT,
		.expects = "a name",
		.read = value_node_name,
		AT(struct config_node, name)},
	{.key = "replicas",
		.required = true,
		.type = LIST,
		.expects = "a list of replicas",
		.list = &replica_list,
		AT(struct config_node, replicas),
		COUNT(struct config_node, n_replicas)},
	{.key = "addresses",
		.type = LIST,
		.expects = "a list of addresses",
		.list = &schema_address_list,
		AT(struct config_node, addresses),
		COUNT(struct config_node, n_addresses)},
	{.key = "routes",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &schema_network_list,
		AT(struct config_node, routes),
		COUNT(struct config_node, n_routes)},
	{.key = "promotion",
		.type = TEXT,
		.expects = "automatic or manual",
		.read = value_promotion,
		.words = &promotion_words,
		AT(struct config_node, promotion)},
	{.key = "limits",
		.type = MAPPING,
		.expects = "a mapping with packets and bytes",
		.mapping = &node_limit_mapping},
};
static const struct mapping node_mapping = FIELDS(node_fields);

static const struct list node_list = {
	.size = sizeof(struct config_node),
	.max = CONFIG_MAX_NODES,
	.what = "nodes",
	.if_empty = "name at least one",
	.element = {.type = MAPPING,
		.expects = "a mapping with name, replicas, addresses, routes",
		.mapping = &node_mapping,
		MARK(struct config_node, mark)},
};

/* ---- Edge ---- */

static const struct field limit_fields[] = {
	{.key = "connections",
		.type = TEXT,
		.expects = "a number of connections",
		.min = 1,
		.max = 100000,
		.read = value_u32,
		AT(struct config_edge, connections)},
	{.key = "handshakes",
		.type = TEXT,
		.expects = "handshakes a second of one network",
		.min = 1,
		.max = 100000,
		.read = value_u32,
		AT(struct config_edge, handshakes)},
	{.key = "unauthenticated",
		.type = TEXT,
		.expects = "a number of connections",
		.min = 1,
		.max = 100000,
		.read = value_u32,
		AT(struct config_edge, unauthenticated)},
	{.key = "retry_above",
		.type = TEXT,
		.expects = "a number of connections, 0 to validate always",
		.max = 100000,
		.read = value_u32,
		AT(struct config_edge, retry_above)},
};
static const struct mapping limit_mapping = FIELDS(limit_fields);

static const struct field fields[] = {
	{.key = "listen",
		.required = true,
		.type = LIST,
		.expects = "a list of ADDRESS:PORT",
		.list = &schema_endpoint_list,
		AT(struct config_edge, listen),
		COUNT(struct config_edge, n_listen)},
	{.key = "addresses",
		.type = LIST,
		.expects = "a list of addresses",
		.list = &schema_address_list,
		AT(struct config_edge, addresses),
		COUNT(struct config_edge, n_addresses)},
	{.key = "pool",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &schema_network_list,
		AT(struct config_edge, pool),
		COUNT(struct config_edge, n_pool)},
	{.key = "advertise",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &schema_network_list,
		AT(struct config_edge, advertise),
		COUNT(struct config_edge, n_advertise)},
	{.key = "nodes",
		.required = true,
		.type = LIST,
		.expects = "a list of nodes",
		.list = &node_list,
		AT(struct config_edge, nodes),
		COUNT(struct config_edge, n_nodes)},
	{.key = "limits",
		.type = MAPPING,
		.expects = "a mapping of limits",
		.mapping = &limit_mapping},
	{.key = "dialect",
		.type = MAPPING,
		.expects = "a mapping of how nodes depart from RFC 9484",
		.mapping = &schema_dialect,
		AT(struct config_edge, dialect),
		MARK(struct config_edge, dialect_mark)},
};
const struct mapping schema_edge = FIELDS(fields);
