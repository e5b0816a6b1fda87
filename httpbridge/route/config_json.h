/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_json: the objects of a configuration, as they lie in the JSON. Private to this room.
 *
 * In the JSON a route says how its upstreams are reached; in the configuration an upstream knows it
 * itself, and is there once. The draft of a route is what lies between them.
 */
#include "route/config_read.h"

struct upstream_draft {
	const char *scheme, *host, *path;
	uint32_t port;
	struct addr *addresses;
	size_t n_addresses;
};

struct route_draft {
	struct bridge_route route;
	const char *host_header;
	struct bridge_tls tls;
	struct bridge_health health;
	uint32_t max_connections;
	bool proxy_protocol;
	struct upstream_draft *upstreams;
	size_t n_upstreams;
};

struct config_draft {
	struct bridge_config config;
	const char *reveal;
	struct route_draft *routes;
	size_t n_routes;
};

/* The whole object, with the default of whatever is missing. */
[[nodiscard]] int config_draft_read(
	struct reader *r, sd_json_variant *json, struct config_draft *d);
