/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_tunnel: the section `tunnel`: this host terminates the mesh's tunnel itself (RFC 9484), as
 * a connector that dials an edge, or as an edge that accepts nodes.
 *
 * Plain data like config.h, in the same arena, read-only after parsing. Keys and certificates are
 * not here but the paths of their files, which meshgwd reads. A pin is the SHA-256 of a peer's
 * SubjectPublicKeyInfo, in the one form "sha256/BASE64".
 */
#include "conf/config_bridge.h"
#include "conf/config_part.h"

enum tunnel_role { TUNNEL_NONE, TUNNEL_CONNECTOR, TUNNEL_EDGE };
const char *tunnel_role_str(enum tunnel_role role);

/* How a peer departs from RFC 9484; all empty or false is the RFC. An edge has no use for those
 * that are a connector's. */
struct config_dialect {
	char *protocol;               /* of the extended CONNECT; nullptr: "connect-ip" */
	char *authority;              /* a connector's; nullptr: as the template says */
	char *path;                   /* nullptr: as the template says */
	bool ignore_connect_protocol; /* a connector's: the edge need not announce what it takes */
	bool silent;                  /* neither end tells addresses or routes */
	uint32_t *settings;           /* HTTP/3 settings that are sent besides, each with value 1 */
	size_t n_settings;
};

struct config_connector {
	struct config_listen *edges; /* addresses with ports, tried in this order */
	size_t n_edges;
	char *server_name; /* nullptr: the host of the template */
	char *template;    /* URI template, RFC 9484 section 3 */
	struct config_text *pins;
	size_t n_pins;
	char *ca_file;
	struct config_source *accept_addresses; /* prefixes: what the edge may assign … */
	struct config_source *accept_routes;    /* … and advertise; none: the mesh ranges */
	size_t n_accept_addresses, n_accept_routes;
	uint32_t max_routes;
	struct config_source *addresses; /* static ones, which are not asked for */
	size_t n_addresses;
	struct config_source *routes; /* static: what the edge routes without saying so */
	size_t n_routes;
	struct config_source *advertise; /* networks behind this node; none: those of lan */
	size_t n_advertise;
	struct config_dialect dialect;
	struct config_mark mark, edges_mark, peer_mark;
};

struct config_replica {
	char *name;
	struct config_text *pins;
	size_t n_pins;
	struct config_mark mark;
};

/* Automatic: the next replica is active when the active one is lost. Manual: nobody takes over by
 * itself. */
enum promotion { PROMOTION_AUTOMATIC, PROMOTION_MANUAL };
const char *promotion_str(enum promotion promotion);

struct config_node {
	char *name;
	struct config_replica *replicas; /* at least one; the first to come is active */
	size_t n_replicas;
	struct config_source *addresses, *routes;
	size_t n_addresses, n_routes;
	enum promotion promotion;
	uint32_t packets; /* a second, 0: no limit */
	uint64_t bytes;   /* a second, 0: no limit */
	struct config_mark mark;
};

struct config_edge {
	struct config_listen *listen;
	size_t n_listen;
	struct config_source *addresses; /* the edge's own in the mesh */
	size_t n_addresses;
	struct config_source *pool; /* addresses for nodes that have none of their own */
	size_t n_pool;
	struct config_source *advertise; /* to nodes; none: the networks of lan */
	size_t n_advertise;
	struct config_node *nodes;
	size_t n_nodes;
	uint32_t connections;     /* at once */
	uint32_t handshakes;      /* a second, of a /24 or a /56 */
	uint32_t unauthenticated; /* at once */
	uint32_t retry_above;     /* that many unauthenticated: addresses are validated first */
	struct config_dialect dialect;
	struct config_mark mark, dialect_mark;
};

struct config_tunnel {
	bool configured; /* the key tunnel stands in the file */
	enum tunnel_role role;
	char *certificate_file, *key_file;
	char *groups; /* of the key exchange, as OpenSSL lists them */
	uint32_t mtu; /* of the inner packets, 1280..65535 bytes */
	uint32_t keepalive_ms, idle_ms;
	struct config_connector connector;
	struct config_edge edge;
	struct config_mark mark, keepalive_mark, idle_mark;
};
