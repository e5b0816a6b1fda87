/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config: what the bridge is told to do, as one immutable value.
 *
 * meshgwd reads the YAML and sends it as JSON with every default filled in; it is validated here
 * once more, since the bridge trusts no text from which it writes heads or opens connections. A
 * value that is refused changes nothing: the one before stays in force.
 *
 * A configuration is never changed after it was read and lives as long as somebody holds a
 * reference; requests under way keep the one that they began with. References may be taken and
 * dropped in any thread. Everything that it points to belongs to it. All texts end in NUL and hold
 * no control characters.
 *
 * Upstreams are stored once however many routes name them in the same way: `index` numbers what a
 * thread keeps beside it (a pool, a state of health). bridge_config_same_upstream() says which of
 * them a new configuration goes on with.
 *
 * It resolves no names, opens no files and checks no certificates.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <systemd/sd-json.h>

enum bridge_reveal {
	BRIDGE_REVEAL_CODE,     /* a failure's code and what it means */
	BRIDGE_REVEAL_EVIDENCE, /* and what was seen, with addresses */
	BRIDGE_REVEAL_ALL,      /* and the commands, and what to do */
	BRIDGE_REVEALS,
};

enum bridge_scheme {
	BRIDGE_HTTP,
	BRIDGE_HTTPS,
	BRIDGE_UNIX, /* HTTP in clear over a socket in the file system */
	BRIDGE_SCHEMES,
};
const char *bridge_scheme_str(enum bridge_scheme scheme); /* "https" */

struct bridge_tls {
	const char *server_name; /* what the certificate must name: a host name or an address */
	bool server_address;     /* it is an address: no SNI, compared as such */
	const char *ca;          /* PEM, "" = the system's */
	const char *certificate; /* PEM, "" = none */
	const char *key;         /* PEM; secret */
};

struct bridge_health {
	const char *path; /* "" = no checks, else what to GET */
	uint32_t interval_ms, timeout_ms;
	unsigned failures, successes; /* in a row, until it counts as down, as up */
};

struct bridge_upstream {
	size_t index;       /* in bridge_config.upstreams */
	const char *name;   /* "http://10.0.1.50:3000", "unix:/run/app": for logs and metrics */
	uint32_t name_hash; /* so that different ones are seen to be at once */
	enum bridge_scheme scheme;
	const char *host;             /* as configured, a name or an address; "" of a socket */
	const char *authority;        /* for Host: with the port unless it is the scheme's own */
	const char *target;           /* for DiagnoseTarget, "10.0.1.50:3000"; "" of a socket */
	uint16_t port;                /* 0 of a socket */
	const char *path;             /* of the socket, "" of others */
	const struct addr *addresses; /* sorted; none while a name is not resolved */
	size_t n_addresses;
	struct bridge_tls tls; /* texts are "" unless the scheme is https */
	struct bridge_health health;
	unsigned max_connections;
	bool proxy_protocol; /* version 2 in front of each connection: then none is shared */
};

struct bridge_header {
	const char *name, *value; /* value is "" in a list of removals */
	size_t name_len, value_len;
};

struct bridge_edit {
	const struct bridge_header *set, *remove;
	size_t n_set, n_remove;
};

enum bridge_host_policy {
	BRIDGE_HOST_PRESERVE, /* what the caller asked for */
	BRIDGE_HOST_UPSTREAM, /* the authority of the upstream */
	BRIDGE_HOST_NAME,     /* host_name */
};

constexpr size_t BRIDGE_TOKEN_MIN = 16;
constexpr size_t BRIDGE_TOKEN_MAX = 256;

/* Padded with zeros, so that a comparison takes the same time for all of them. Secret. */
struct bridge_token {
	size_t len;
	unsigned char text[BRIDGE_TOKEN_MAX];
};

struct bridge_tokens {
	const struct bridge_token *list;
	size_t n;
};

struct bridge_timeouts {
	uint32_t connect_ms, first_byte_ms, idle_ms;
	uint32_t total_ms;  /* 0 = no limit; until an upgrade */
	uint32_t tunnel_ms; /* without a byte after an upgrade; 0 = no limit */
};

struct bridge_route {
	size_t index;     /* in bridge_config.routes, the order of the file */
	const char *name; /* host and path, "service.internal/api": for logs */
	const char *host; /* lower case: "service.internal", "*.internal" or "*" */
	const char *path; /* "/" or "/api", without a slash at its end */
	size_t path_len;
	bool strip_prefix;                              /* of path */
	const struct bridge_upstream *const *upstreams; /* at least one */
	size_t n_upstreams;
	enum bridge_host_policy host_policy;
	const char *host_name;
	const struct prefix *sources; /* none = nobody */
	size_t n_sources;
	struct bridge_tokens tokens; /* none = no token is asked for */
	struct bridge_edit request, response;
	uint64_t max_body; /* 0 = no limit */
	unsigned retries;
	struct bridge_timeouts timeouts;
};

constexpr uint32_t BRIDGE_HEAD_MAX = 1 << 20; /* of head_bytes */

struct bridge_limits {
	unsigned connections, per_source;
	uint32_t head_bytes;
	uint32_t head_ms, idle_ms, drain_ms;
};

struct bridge_match; /* route/match.h */

struct bridge_config {
	const char *node;  /* names this gateway in Via */
	const char *admin; /* "127.0.0.1:9596", "unix:/path" or "" = none */
	unsigned threads;
	enum bridge_reveal reveal;
	struct bridge_limits limits;
	const char *const *targets; /* that may be asked about, besides the upstreams */
	size_t n_targets;
	struct bridge_tokens diagnose_tokens; /* that allow an active diagnosis */
	const struct bridge_upstream *upstreams;
	size_t n_upstreams;
	const struct bridge_route *routes;
	size_t n_routes;
	const struct bridge_match *match;
};

/* Reads the object that meshgwd sends. The caller holds the only reference to *out; it is written
 * only on success. -EINVAL with "bridge.routes[0].host: ..." otherwise; secrets are not shown. */
[[nodiscard]] int bridge_config_from_json(
	sd_json_variant *json, const struct bridge_config **out, struct err *err);
const struct bridge_config *bridge_config_ref(const struct bridge_config *c);
void bridge_config_unref(const struct bridge_config *c); /* nullptr is allowed */

/* Would a connection to a do as well for b? All but the index counts. */
bool bridge_upstream_equal(const struct bridge_upstream *a, const struct bridge_upstream *b);
/* The equal one in another configuration; nullptr when there is none. */
const struct bridge_upstream *bridge_config_same_upstream(
	const struct bridge_config *c, const struct bridge_upstream *upstream);
/* May the diagnosis of this target be asked for (an upstream's, or a listed one)? */
bool bridge_config_allows_target(const struct bridge_config *c, const char *target);
