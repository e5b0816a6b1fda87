/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config: what meshgwd tells the tunnel to be (README.md has its JSON form).
 *
 * meshgwd has read the configuration file, filled in the defaults, and put secrets in where files
 * were named. What is told is checked here again for its form only. Immutable once it is read;
 * texts live in the JSON that it keeps.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <stdint.h>
#include <systemd/sd-json.h>

enum tunnel_role { TUNNEL_CONNECTOR, TUNNEL_EDGE };

constexpr size_t TUNNEL_PIN_BYTES = 32; /* SHA-256 of a SubjectPublicKeyInfo */

struct prefix_list {
	struct prefix *list;
	size_t n;
};

bool prefix_list_equal(const struct prefix_list *a, const struct prefix_list *b);

struct pin_list {
	uint8_t (*list)[TUNNEL_PIN_BYTES];
	size_t n;
};

struct tunnel_target {
	struct addr address;
	uint16_t port;
	const char *name; /* nullptr: it has none */
};

struct tunnel_setting {
	uint64_t id, value;
};

/* Departures from the RFCs, for a peer that needs them; empty and false: none. */
struct tunnel_dialect {
	const char *protocol, *path, *authority;
	bool ignore_missing_connect_protocol, static_only;
	struct tunnel_setting *settings;
	size_t n_settings;
};

struct tunnel_connector {
	struct tunnel_target *edges; /* in the order in which they are tried */
	size_t n_edges;
	const char *server_name, *authority, *template;
	struct prefix_list accept_addresses, accept_routes;
	uint32_t max_routes;
	struct prefix_list addresses, routes; /* static */
	struct prefix_list advertise;         /* what is behind this node */
};

struct tunnel_replica {
	const char *name;
	struct pin_list pins;
};

struct tunnel_node {
	const char *name;
	struct tunnel_replica *replicas;
	size_t n_replicas;
	struct prefix_list addresses, routes;
	bool manual;             /* no replica takes over by itself */
	uint64_t packets, bytes; /* a second each way, 0 = no limit */
};

struct tunnel_limits {
	uint32_t handshakes_per_prefix, unauthenticated, retry_above, connections;
};

struct tunnel_edge {
	const char *template;
	struct prefix_list addresses; /* its own in the mesh */
	struct prefix_list pool, advertise;
	struct tunnel_node *nodes;
	size_t n_nodes;
	struct tunnel_limits limits;
};

struct tunnel_config {
	enum tunnel_role role;
	uint32_t mtu;
	uint64_t keepalive_ms, idle_ms;
	const char *certificate, *key, *ca, *groups;
	struct pin_list pins;
	struct tunnel_connector connector; /* by role, one of the two */
	struct tunnel_edge edge;
	struct tunnel_dialect dialect;
	sd_json_variant *json; /* what it was read from */
};

[[nodiscard]] int tunnel_config_from_json(
	sd_json_variant *v, struct tunnel_config **out, struct err *err);
void tunnel_config_free(struct tunnel_config *c); /* nullptr is allowed */

/* Do they differ only in what changes while connections live: who we are, whom we accept, what is
 * advertised, and of an edge its nodes, its pool and its limits? */
bool tunnel_config_reloads(const struct tunnel_config *a, const struct tunnel_config *b);

/* Every key that may be a peer's, for the handshake; freed by the caller. */
struct pin_list tunnel_config_pins(const struct tunnel_config *c);
