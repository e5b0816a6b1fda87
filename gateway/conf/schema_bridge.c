/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_bridge.h"
#include "conf/schema_table.h"
#include "conf/value.h"
#include "conf/value_bridge.h"
#include "conf/value_number.h"
#include "conf/value_word.h"

static const struct list listen_list = {
	.size = sizeof(struct config_listen),
	.max = CONFIG_MAX_LISTEN,
	.what = "ports",
	.if_empty = "name at least one port",
	.element = {.type = TEXT,
		.expects = "a port or ADDRESS:PORT",
		.read = value_listen,
		MARK(struct config_listen, mark)},
};

/* Bounds of durations are in milliseconds. */
static const struct field limit_fields[] = {
	{.key = "connections",
		.type = TEXT,
		.expects = "a number of connections",
		.min = 1,
		.max = 1000000,
		.read = value_u32,
		AT(struct draft, config.bridge.connections)},
	{.key = "per_source",
		.type = TEXT,
		.expects = "a number of connections",
		.min = 1,
		.max = 1000000,
		.read = value_u32,
		AT(struct draft, config.bridge.per_source)},
	{.key = "head_bytes",
		.type = TEXT,
		.expects = "a size like 64KiB",
		.min = 4 * 1024,
		.max = 1024 * 1024,
		.read = value_size,
		AT(struct draft, config.bridge.head_bytes)},
	{.key = "head",
		.type = TEXT,
		.expects = "a duration like 10s",
		.min = 100,
		.max = 3600 * 1000,
		.read = value_milliseconds,
		AT(struct draft, config.bridge.head_ms)},
	{.key = "idle",
		.type = TEXT,
		.expects = "a duration like 60s",
		.min = 100,
		.max = 24 * 3600 * 1000,
		.read = value_milliseconds,
		AT(struct draft, config.bridge.idle_ms)},
	{.key = "drain",
		.type = TEXT,
		.expects = "a duration like 30s",
		.max = 3600 * 1000,
		.read = value_milliseconds,
		AT(struct draft, config.bridge.drain_ms)},
};
static const struct mapping limit_mapping = FIELDS(limit_fields);

const struct list schema_token_list = {
	.size = sizeof(struct config_text),
	.max = CONFIG_MAX_TOKENS,
	.what = "files",
	.if_empty = "leave the key out where no token is asked for",
	.element = {.type = TEXT,
		.expects = "the path of a file",
		.read = value_path,
		AT(struct config_text, text),
		MARK(struct config_text, mark)},
};

static const struct list target_list = {
	.size = sizeof(struct config_text),
	.max = CONFIG_MAX_TARGETS,
	.what = "targets",
	.element = {.type = TEXT,
		.expects = "HOST:PORT of a service",
		.read = value_target,
		AT(struct config_text, text),
		MARK(struct config_text, mark)},
};

static const struct field diagnose_fields[] = {
	{.key = "targets",
		.type = LIST,
		.expects = "a list of HOST:PORT",
		.list = &target_list,
		AT(struct draft, config.bridge.targets),
		COUNT(struct draft, config.bridge.n_targets)},
	{.key = "token_files",
		.type = LIST,
		.expects = "a list of paths",
		.list = &schema_token_list,
		AT(struct draft, config.bridge.token_files),
		COUNT(struct draft, config.bridge.n_token_files)},
};
static const struct mapping diagnose_mapping = FIELDS(diagnose_fields);

static const struct list network_list = {
	.size = sizeof(struct config_source),
	.max = CONFIG_MAX_SOURCES,
	.what = "prefixes",
	.element = {.type = TEXT,
		.expects = "a prefix",
		.read = value_network,
		AT(struct config_source, prefix),
		MARK(struct config_source, mark)},
};

static const char *const reveal_names[] = {
	[REVEAL_CODE] = "code",
	[REVEAL_EVIDENCE] = "evidence",
	[REVEAL_ALL] = "all",
};
static const struct words reveal_words = {reveal_names, 3, "a choice here"};

static const struct field fields[] = {
	{.key = "listen",
		.required = true,
		.type = LIST,
		.expects = "a list of ports",
		.list = &listen_list,
		AT(struct draft, config.bridge.listen),
		COUNT(struct draft, config.bridge.n_listen)},
	{.key = "threads",
		.type = TEXT,
		.expects = "a number of threads",
		.min = 1,
		.max = 64,
		.read = value_u32,
		AT(struct draft, config.bridge.threads)},
	{.key = "reveal",
		.type = TEXT,
		.expects = "code, evidence or all",
		.read = value_reveal,
		.words = &reveal_words,
		AT(struct draft, config.bridge.reveal)},
	{.key = "admin",
		.type = TEXT,
		.expects = "ADDRESS:PORT, unix:PATH or none",
		.read = value_admin,
		AT(struct draft, config.bridge.admin)},
	{.key = "limits",
		.type = MAPPING,
		.expects = "a mapping of limits",
		.mapping = &limit_mapping},
	{.key = "diagnose",
		.type = MAPPING,
		.expects = "a mapping with targets and token_files",
		.mapping = &diagnose_mapping},
	{.key = "upstream_networks",
		.type = LIST,
		.expects = "a list of prefixes",
		.list = &network_list,
		AT(struct draft, config.bridge.upstream_networks),
		COUNT(struct draft, config.bridge.n_upstream_networks)},
	{.key = "routes",
		.required = true,
		.type = LIST,
		.expects = "a list of routes",
		.list = &schema_route_list,
		AT(struct draft, config.bridge.routes),
		COUNT(struct draft, config.bridge.n_routes)},
};
const struct mapping schema_bridge = FIELDS(fields);
