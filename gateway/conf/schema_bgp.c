/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_bgp.h"
#include "conf/defaults.h"
#include "conf/schema_table.h"
#include "conf/value.h"
#include "conf/value_bgp.h"
#include "conf/value_number.h"
#include "conf/value_word.h"

/* The address families of a neighbour. */

static const char *const family_names[] = {"ipv4", "ipv6"};
static const struct words family_words = {family_names, 2, "an address family"};

static const struct list family_list = {
	.size = sizeof(struct word),
	.max = 2,
	.what = "families",
	.if_empty = "leave the key out to have them chosen",
	.element = {.type = TEXT,
		.expects = "ipv4 or ipv6",
		.read = value_word,
		.words = &family_words},
};

static void read_families(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_neighbor *neighbor = to;
	uint32_t set = value_word_set(r, &family_list, node);

	neighbor->ipv4 = set & 1U << 0;
	neighbor->ipv6 = set & 1U << 1;
}

/* BFD. */

static const struct field bfd_fields[] = {
	{.key = "multiplier",
		.type = TEXT,
		.expects = "a number",
		.min = 2,
		.max = 255,
		.read = value_u32,
		AT(struct config_neighbor, bfd_multiplier)},
	{.key = "receive",
		.type = TEXT,
		.expects = "a duration like 300ms",
		.min = 10,
		.max = 60 * 1000,
		.read = value_milliseconds,
		AT(struct config_neighbor, bfd_receive_ms)},
	{.key = "transmit",
		.type = TEXT,
		.expects = "a duration like 300ms",
		.min = 10,
		.max = 60 * 1000,
		.read = value_milliseconds,
		AT(struct config_neighbor, bfd_transmit_ms)},
};
static const struct mapping bfd_mapping = FIELDS(bfd_fields);

static void read_bfd(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_neighbor *neighbor = to;

	value_true(r, node, &neighbor->bfd);
}

/* Timers. */

static const struct field timer_fields[] = {
	{.key = "keepalive",
		.type = TEXT,
		.expects = "a duration in seconds",
		.max = UINT16_MAX / 3,
		.read = value_seconds,
		AT(struct config_neighbor, keepalive_s),
		MARK(struct config_neighbor, keepalive_mark)},
	{.key = "hold",
		.type = TEXT,
		.expects = "a duration in seconds",
		.max = UINT16_MAX,
		.read = value_seconds,
		AT(struct config_neighbor, hold_s),
		MARK(struct config_neighbor, hold_mark)},
	{.key = "connect",
		.type = TEXT,
		.expects = "a duration in seconds",
		.min = 1,
		.max = UINT16_MAX,
		.read = value_seconds,
		AT(struct config_neighbor, connect_s)},
};
static const struct mapping timer_mapping = FIELDS(timer_fields);

static const struct list community_list = {
	.size = sizeof(char *),
	.max = CONFIG_MAX_COMMUNITIES,
	.what = "communities",
	.element = {.type = TEXT,
		.expects = "a community like \"65010:100\"",
		.read = value_community},
};

/* What a neighbour may announce. */

static const struct field accept_fields[] = {
	{.key = "prefix",
		.required = true,
		.type = TEXT,
		.expects = "a prefix",
		.read = value_accept,
		AT(struct config_accept, prefix),
		MARK(struct config_accept, mark)},
	{.key = "le",
		.type = TEXT,
		.expects = "the greatest length of a prefix",
		.min = 1,
		.max = 128,
		.read = value_u8,
		AT(struct config_accept, le)},
};
static const struct mapping accept_mapping = FIELDS(accept_fields);

/* A prefix alone is read into the first member. */
static_assert(offsetof(struct config_accept, prefix) == 0);

static const struct list accept_list = {
	.size = sizeof(struct config_accept),
	.max = CONFIG_MAX_ACCEPT,
	.what = "prefixes",
	.element = {.type = TEXT | MAPPING,
		.expects = "a prefix, or a mapping with prefix and le",
		.mapping = &accept_mapping,
		.read = value_accept,
		MARK(struct config_accept, mark)},
};

static const struct field neighbor_fields[] = {
	{.key = "address",
		.required = true,
		.type = TEXT,
		.expects = "the address of a router",
		.read = value_neighbor_address,
		AT(struct config_neighbor, address),
		MARK(struct config_neighbor, mark)},
	{.key = "remote_as",
		.required = true,
		.type = TEXT,
		.expects = "an AS number, external or internal",
		.read = value_remote_as,
		MARK(struct config_neighbor, remote_as_mark)},
	{.key = "families",
		.type = LIST,
		.expects = "a list of ipv4 and ipv6",
		.read = read_families,
		GIVEN(struct config_neighbor, families_own)},
	{.key = "description",
		.type = TEXT,
		.expects = "a text",
		.read = value_description,
		AT(struct config_neighbor, description),
		MARK(struct config_neighbor, description_mark)},
	{.key = "password_file",
		.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct config_neighbor, password_file),
		MARK(struct config_neighbor, password_mark)},
	{.key = "bfd",
		.type = TEXT | MAPPING,
		.expects = "true, or a mapping with multiplier, receive, transmit",
		.mapping = &bfd_mapping,
		.read = read_bfd,
		MARK(struct config_neighbor, bfd_mark),
		GIVEN(struct config_neighbor, bfd)},
	{.key = "timers",
		.type = MAPPING,
		.expects = "a mapping with keepalive, hold, connect",
		.mapping = &timer_mapping},
	{.key = "update_source",
		.type = TEXT,
		.expects = "an address or the name of an interface",
		.read = value_update_source,
		AT(struct config_neighbor, update_source),
		MARK(struct config_neighbor, update_source_mark)},
	{.key = "ebgp_multihop",
		.type = TEXT,
		.expects = "a number of hops",
		.min = 2, /* 1 is what holds without it */
		.max = 255,
		.read = value_u8,
		AT(struct config_neighbor, ebgp_multihop),
		MARK(struct config_neighbor, hops_mark)},
	{.key = "ttl_security",
		.type = TEXT,
		.expects = "a number of hops",
		.min = 1,
		.max = 254,
		.read = value_u8,
		AT(struct config_neighbor, ttl_security_hops),
		MARK(struct config_neighbor, hops_mark)},
	{.key = "communities",
		.type = LIST,
		.expects = "a list of communities",
		.list = &community_list,
		AT(struct config_neighbor, communities),
		COUNT(struct config_neighbor, n_communities),
		MARK(struct config_neighbor, communities_mark)},
	{.key = "maximum_prefix",
		.type = TEXT,
		.expects = "a number of prefixes",
		.min = 1,
		.max = UINT32_MAX,
		.read = value_u32,
		AT(struct config_neighbor, maximum_prefix)},
	{.key = "accept",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &accept_list,
		AT(struct config_neighbor, accept),
		COUNT(struct config_neighbor, n_accept)},
	{.key = "adopt",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct config_neighbor, adopt)},
};
static const struct mapping neighbor_mapping = FIELDS(neighbor_fields);

static const struct list neighbor_list = {
	.size = sizeof(struct config_neighbor),
	.initial = &default_neighbor,
	.max = CONFIG_MAX_NEIGHBORS,
	.what = "neighbours",
	.if_empty = "name at least one router, or leave bgp out",
	.element = {.type = MAPPING,
		.expects = "a mapping with address and remote_as",
		.mapping = &neighbor_mapping},
};

static const struct field fields[] = {
	{.key = "asn",
		.required = true,
		.type = TEXT,
		.expects = "the AS number of the gateway",
		.read = value_asn,
		AT(struct draft, config.bgp.asn),
		MARK(struct draft, config.bgp.asn_mark)},
	{.key = "router_id",
		.type = TEXT,
		.expects = "an IPv4 address",
		.read = value_router_id,
		AT(struct draft, config.bgp.router_id)},
	{.key = "announce_to_others",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct draft, config.bgp.announce_to_others)},
	{.key = "neighbors",
		.required = true,
		.type = LIST,
		.expects = "a list of site routers",
		.list = &neighbor_list,
		AT(struct draft, config.bgp.neighbors),
		COUNT(struct draft, config.bgp.n_neighbors)},
};
const struct mapping schema_bgp = FIELDS(fields);
