/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_bridge: the section `bridge`, what meshgw-bridge listens on and where it forwards to.
 *
 * Plain data like config.h, in the same arena, read-only after parsing. Texts are canonical: names
 * in lower case, addresses as addr_str() writes them. Secrets are not here but the paths of the
 * files that hold them; meshgwd reads those (daemon/bridge_secret.h). Names of upstreams are not
 * resolved here.
 */
#include "conf/config_part.h"

enum reveal { REVEAL_CODE, REVEAL_EVIDENCE, REVEAL_ALL };
const char *reveal_str(enum reveal reveal);

/* A port on every Mesh address of the node, or on one address. */
struct config_listen {
	struct addr address; /* AF_UNSPEC: all of them */
	uint16_t port;       /* 1..65535; 0: it could not be read */
	char *name;          /* of an edge that is dialled; nullptr: it has none */
	struct config_mark mark;
};

enum upstream_scheme { UPSTREAM_NONE, UPSTREAM_HTTP, UPSTREAM_HTTPS, UPSTREAM_UNIX };
const char *upstream_scheme_str(enum upstream_scheme scheme);

struct config_upstream {
	enum upstream_scheme scheme; /* UPSTREAM_NONE: it could not be read */
	char *host;                  /* nullptr with unix */
	struct addr address;         /* of the host, if it is one; AF_UNSPEC: a name, or unix */
	uint16_t port;
	char *path; /* of the socket, with unix */
	struct config_mark mark;
};

struct config_header {
	char *name, *value;
	struct config_mark mark;
};

struct config_headers {
	struct config_header *set;
	struct config_text *remove;
	size_t n_set, n_remove;
};

struct config_bridge_tls {
	char *server_name; /* nullptr: the host of the upstream */
	char *ca_file;     /* nullptr: the system's */
	char *certificate_file, *key_file;
	struct config_mark mark; /* line 0: the key tls is not there */
	struct config_mark certificate_mark, key_mark;
};

struct config_bridge_health {
	char *path; /* nullptr: no checks */
	uint32_t interval_ms, timeout_ms;
	uint32_t failures, successes;
	struct config_mark interval_mark, timeout_mark;
};

struct config_route {
	char *host; /* "name", "*.suffix" or "*" */
	char *path; /* a prefix of the path, "/" or without a slash at its end */
	bool strip_prefix;
	struct config_upstream *upstreams; /* at least one */
	size_t n_upstreams;
	char *host_header; /* "preserve", "upstream" or a name */
	struct config_sources sources;
	struct config_text *token_files; /* none: no token is asked for */
	size_t n_token_files;
	struct config_headers request, response;
	uint64_t max_body; /* bytes, 0: no limit */
	uint32_t retries, max_connections;
	bool proxy_protocol; /* version 2 */
	uint32_t connect_ms, first_byte_ms, idle_ms;
	uint32_t total_ms, tunnel_ms; /* 0: no limit */
	struct config_bridge_tls tls;
	struct config_bridge_health health;
	struct config_mark mark, strip_mark, host_header_mark;
};

struct config_bridge {
	bool configured; /* the key bridge stands in the file */
	struct config_listen *listen;
	size_t n_listen;
	uint32_t threads;
	enum reveal reveal;
	char *admin; /* "ADDRESS:PORT", "unix:PATH", or "" for none */
	uint32_t connections, per_source, head_ms, idle_ms, drain_ms;
	uint64_t head_bytes;
	struct config_text *targets; /* "HOST:PORT": may be asked about besides the upstreams */
	struct config_text *token_files;
	size_t n_targets, n_token_files;
	struct config_source *upstream_networks; /* prefixes: names may stand for hosts there */
	size_t n_upstream_networks;
	struct config_route *routes; /* in the order of the file, at least one */
	size_t n_routes;
};
