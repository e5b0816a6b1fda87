/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema.h"
#include "conf/arena.h"
#include "conf/defaults.h"
#include "conf/diag.h"
#include "conf/schema_bgp.h"
#include "conf/schema_bridge.h"
#include "conf/schema_probe.h"
#include "conf/schema_table.h"
#include "conf/schema_tunnel.h"
#include "conf/suggest.h"
#include "conf/value.h"
#include "conf/value_number.h"
#include "conf/value_word.h"
#include <string.h>

static const struct list range_list = {
	.size = sizeof(struct config_range),
	.max = CONFIG_MAX_RANGES,
	.what = "prefixes",
	.element = {.type = TEXT,
		.expects = "a prefix",
		.read = value_network,
		AT(struct config_range, prefix),
		MARK(struct config_range, mark)},
};

#define CLASS(name, kind)                             \
	{.key = (name),                               \
		.type = LIST,                         \
		.expects = "a list of prefixes",      \
		.list = &range_list,                  \
		AT(struct draft, classes[kind].list), \
		COUNT(struct draft, classes[kind].n), \
		GIVEN(struct draft, classes[kind].given)}

static const struct field range_fields[] = {
	CLASS("workers", RANGE_WORKERS),
	CLASS("devices", RANGE_DEVICES),
	CLASS("load_balancers", RANGE_LOAD_BALANCERS),
	CLASS("resolved", RANGE_RESOLVED),
	CLASS("sites", RANGE_SITES),
};
static const struct mapping range_mapping = FIELDS(range_fields);

static const struct field mesh_fields[] = {
	{.key = "interface",
		.type = TEXT,
		.expects = "the name of the client's interface",
		.read = value_interface,
		AT(struct draft, config.mesh_interface)},
	{.key = "ranges",
		.type = MAPPING,
		.expects = "a mapping of range classes to lists of prefixes",
		.mapping = &range_mapping,
		MARK(struct draft, ranges_mark)},
};
static const struct mapping mesh_mapping = FIELDS(mesh_fields);

static const struct field host_fields[] = {
	{.key = "address",
		.required = true,
		.type = TEXT,
		.expects = "an address",
		.read = value_address,
		AT(struct config_host, address),
		MARK(struct config_host, mark)},
	{.key = "return_path",
		.required = true,
		.type = TEXT,
		.expects = "route or masquerade",
		.read = value_host_return_path,
		AT(struct config_host, return_path)},
};
static const struct mapping host_mapping = FIELDS(host_fields);

static const struct list host_list = {
	.size = sizeof(struct config_host),
	.max = CONFIG_MAX_HOSTS,
	.what = "hosts",
	.element = {.type = MAPPING,
		.expects = "a mapping with address and return_path",
		.mapping = &host_mapping},
};

static const struct field network_fields[] = {
	{.key = "prefix",
		.required = true,
		.type = TEXT,
		.expects = "a prefix",
		.read = value_network,
		AT(struct config_network, prefix),
		MARK(struct config_network, mark)},
	{.key = "return_path",
		.type = TEXT,
		.expects = "auto, route or masquerade",
		.read = value_return_path,
		AT(struct config_network, return_path),
		GIVEN(struct config_network, return_path_own)},
	{.key = "hosts",
		.type = LIST,
		.expects = "a list of hosts",
		.list = &host_list,
		AT(struct config_network, hosts),
		COUNT(struct config_network, n_hosts)},
	{.key = "witness",
		.type = TEXT | LIST,
		.expects = "ADDRESS:PORT of a TCP service, a list of them, or the word none",
		.read = schema_read_witness},
};
static const struct mapping network_mapping = FIELDS(network_fields);

/* A network is its prefix, or a mapping: as a prefix it is read into the first member. */
static_assert(offsetof(struct config_network, prefix) == 0);

static const struct config_network new_network = {.learn_witnesses = true};

static const struct list network_list = {
	.size = sizeof(struct config_network),
	.initial = &new_network,
	.max = CONFIG_MAX_NETWORKS,
	.what = "networks",
	.if_empty = "name the prefixes behind this interface",
	.element = {.type = TEXT | MAPPING,
		.expects = "a prefix, or a mapping with the key prefix",
		.mapping = &network_mapping,
		.read = value_network,
		MARK(struct config_network, mark)},
};

static const struct field lan_fields[] = {
	{.key = "interface",
		.required = true,
		.type = TEXT,
		.expects = "the name of an interface",
		.read = value_interface,
		AT(struct config_lan, interface),
		MARK(struct config_lan, mark)},
	{.key = "networks",
		.required = true,
		.type = LIST,
		.expects = "a list of networks",
		.list = &network_list,
		AT(struct config_lan, networks),
		COUNT(struct config_lan, n_networks)},
};
static const struct mapping lan_mapping = FIELDS(lan_fields);

static const struct list lan_list = {
	.size = sizeof(struct config_lan),
	.max = CONFIG_MAX_LANS,
	.what = "LAN interfaces",
	.if_empty = "name at least one interface and its networks",
	.element = {.type = MAPPING,
		.expects = "a mapping with interface and networks",
		.mapping = &lan_mapping},
};

static void read_source(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_source *source = to;
	struct suggestion best = {};

	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++) {
		if (strcmp(reader_text(node), range_class_str(kind)) == 0) {
			source->class_bit = 1U << kind;
			return;
		}
		suggest_offer(&best, reader_text(node), range_class_str(kind));
	}
	if (best.word)
		MISTAKE(r, node, "\"%s\" is no class of ranges; did you mean %s?",
			reader_shown(node).text, best.word);
	else
		value_destination(r, node, &source->prefix);
}

const struct list schema_source_list = {
	.size = sizeof(struct config_source),
	.max = CONFIG_MAX_SOURCES,
	.what = "sources",
	.if_empty = "leave the key out to mean all ranges",
	.element = {.type = TEXT,
		.expects = "a class of ranges or a prefix",
		.read = read_source,
		MARK(struct config_source, mark)},
};

void schema_read_source(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_sources *sources = to;

	sources->single = true;
	sources->n = 1;
	sources->list = arena_alloc(r->arena, 1, sizeof(*sources->list));
	reader_value(r, &schema_source_list.element, node, sources->list);
}

static const struct list port_list = {
	.size = sizeof(struct port_range),
	.max = CONFIG_MAX_PORTS,
	.what = "ports",
	.if_empty = "write all to mean every port, or leave the key out",
	.element = {.type = TEXT,
		.expects = "a port, or a range like \"8000-8100\"",
		.read = value_ports},
};

static void read_all_ports(struct reader *r, const yaml_node_t *node, void *to)
{
	struct draft_ports *ports = to;

	if (strcmp(reader_text(node), "all") != 0) {
		MISTAKE(r, node,
			"\"%s\" is neither a list of ports like [80, 443] nor the word all",
			reader_shown(node).text);
		return;
	}
	ports->n = 1;
	ports->list = arena_alloc(r->arena, 1, sizeof(*ports->list));
	ports->list[0] = (struct port_range){1, UINT16_MAX};
}

/* A single value is read into the struct whose first member a list would fill. */
static_assert(
	offsetof(struct draft_ports, list) == 0 && offsetof(struct config_sources, list) == 0);

static const struct field allow_fields[] = {
	{.key = "from",
		.type = TEXT | LIST,
		.expects = "a class of ranges, a prefix, or a list of them",
		.list = &schema_source_list,
		.read = schema_read_source,
		AT(struct draft_allow, from),
		COUNT(struct draft_allow, from.n)},
	{.key = "to",
		.required = true,
		.type = TEXT,
		.expects = "an address or prefix on the LAN",
		.read = value_destination,
		AT(struct draft_allow, to),
		MARK(struct draft_allow, to_mark)},
	{.key = "tcp",
		.type = TEXT | LIST,
		.expects = "a list of ports, or the word all",
		.list = &port_list,
		.read = read_all_ports,
		AT(struct draft_allow, tcp),
		COUNT(struct draft_allow, tcp.n),
		MARK(struct draft_allow, tcp.mark)},
	{.key = "udp",
		.type = TEXT | LIST,
		.expects = "a list of ports, or the word all",
		.list = &port_list,
		.read = read_all_ports,
		AT(struct draft_allow, udp),
		COUNT(struct draft_allow, udp.n),
		MARK(struct draft_allow, udp.mark)},
	{.key = "icmp",
		.type = TEXT,
		.expects = "true",
		.read = value_true,
		AT(struct draft_allow, icmp)},
};
static const struct mapping allow_mapping = FIELDS(allow_fields);

static const struct list allow_list = {
	.size = sizeof(struct draft_allow),
	.max = CONFIG_MAX_ALLOW,
	.what = "entries",
	.element = {.type = MAPPING,
		.expects = "a mapping with from, to, tcp, udp, icmp",
		.mapping = &allow_mapping,
		MARK(struct draft_allow, mark)},
};

static const char *const remedy_names[REMEDIES] = {[REMEDY_TAILSCALE_INPUT] = "tailscale-input"};
static const struct words remedy_words = {remedy_names, REMEDIES, "a remedy"};

static const struct list remedy_list = {
	.size = sizeof(struct word),
	.max = CONFIG_MAX_REMEDIES,
	.what = "remedies",
	.element = {.type = TEXT,
		.expects = "the name of a remedy",
		.read = value_word,
		.words = &remedy_words},
};

static void read_remedies(struct reader *r, const yaml_node_t *node, void *to)
{
	*(uint32_t *)to = value_word_set(r, &remedy_list, node);
}

static const struct field top_fields[] = {
	{.key = "mesh",
		.type = MAPPING,
		.expects = "a mapping with interface and ranges",
		.mapping = &mesh_mapping},
	{.key = "lan",
		.required = true,
		.type = LIST,
		.expects = "a list of interfaces with their networks",
		.list = &lan_list,
		AT(struct draft, config.lans),
		COUNT(struct draft, config.n_lans)},
	{.key = "return_path",
		.type = TEXT,
		.expects = "auto, route or masquerade",
		.read = value_return_path,
		AT(struct draft, config.return_path)},
	{.key = "allow",
		.type = LIST,
		.expects = "a list of allowed flows, or [] to allow nothing",
		.list = &allow_list,
		AT(struct draft, allow),
		COUNT(struct draft, n_allow),
		GIVEN(struct draft, config.has_allow)},
	{.key = "probe",
		.type = MAPPING,
		.expects = "a mapping of how the way back is tried out",
		.mapping = &schema_probe},
	{.key = "bgp",
		.type = MAPPING,
		.expects = "a mapping with asn and neighbors",
		.mapping = &schema_bgp,
		MARK(struct draft, config.bgp.mark),
		GIVEN(struct draft, config.bgp.configured)},
	{.key = "bridge",
		.type = MAPPING,
		.expects = "a mapping with listen and routes",
		.mapping = &schema_bridge,
		GIVEN(struct draft, config.bridge.configured)},
	{.key = "tunnel",
		.type = MAPPING,
		.expects = "a mapping with connector or edge",
		.mapping = &schema_tunnel,
		MARK(struct draft, config.tunnel.mark),
		GIVEN(struct draft, config.tunnel.configured)},
	{.key = "remedies",
		.type = LIST,
		.expects = "a list of remedies",
		.read = read_remedies,
		AT(struct draft, config.remedies)},
	{.key = "watch",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct draft, config.watch),
		GIVEN(struct draft, config.watch_own)},
};
const struct mapping schema_top = FIELDS(top_fields);

void schema_read(struct reader *r, struct draft *draft)
{
	static const struct field top = {.type = MAPPING,
		.expects = "a mapping with the keys mesh, lan, return_path, allow, probe, bgp, "
			   "bridge, tunnel, remedies, watch",
		.mapping = &schema_top};

	draft->config.probe = default_probe;
	draft->config.bridge = default_bridge;
	draft->config.tunnel = default_tunnel;
	reader_value(r, &top, yaml_document_get_root_node(r->doc), draft);
}
