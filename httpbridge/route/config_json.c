/* SPDX-License-Identifier: Apache-2.0 */
#include "route/config_json.h"
#include "route/rule.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint64_t DAY_MS = 86'400'000;
constexpr uint64_t PEM_MAX = 1 << 18;

static int read_address(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";

	if (!rule_address(text) || addr_parse(text, slot) < 0)
		return reader_refuse(r, "not an address that can be asked");
	return 0;
}

static int read_prefix(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";

	if (prefix_parse(text, slot) < 0)
		return reader_refuse(r, "not a prefix");
	return 0;
}

static int read_token(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
	struct bridge_token *token = slot;

	token->len = strlen(text);
	if (token->len < BRIDGE_TOKEN_MIN || token->len > BRIDGE_TOKEN_MAX)
		return reader_refuse(r, "not between %zu and %zu characters long", BRIDGE_TOKEN_MIN,
			BRIDGE_TOKEN_MAX);
	if (!rule_token(text))
		return reader_refuse(r, "not letters, digits and -._~+/ with = at the end only");
	memcpy(token->text, text, token->len);
	return 0;
}

/* A text of a list: the rule is that of the list's key. */
static int read_item(struct reader *r, const struct key *list, sd_json_variant *v, void *slot)
{
	struct key key = *list;

	key.min = 1;
	key.max = 1024;
	return read_text(r, &key, v, slot);
}

static int read_field(
	struct reader *r, const char *name, const char *value, struct bridge_header *out)
{
	if (!rule_field_name(name))
		return reader_refuse(r, "not the name of a field that may be changed");
	if (!rule_field_value(value))
		return reader_refuse(r, "not a value of printable ASCII without blanks around it");
	out->name = store_text(r->store, name);
	out->name_len = strlen(name);
	out->value = store_text(r->store, value);
	out->value_len = strlen(value);
	return 0;
}

static int read_removal(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	return read_field(
		r, sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "", "", slot);
}

/* ["Name", "value"] */
static int read_setting(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	sd_json_variant *name = nullptr, *value = nullptr;

	if (sd_json_variant_is_array(v) && sd_json_variant_elements(v) == 2) {
		name = sd_json_variant_by_index(v, 0);
		value = sd_json_variant_by_index(v, 1);
	}
	if (!name || !sd_json_variant_is_string(name) || !sd_json_variant_is_string(value))
		return reader_refuse(r, "not a pair of name and value");
	if (strlen(sd_json_variant_string(value)) > 4096)
		return reader_refuse(r, "longer than 4096 bytes");
	return read_field(r, sd_json_variant_string(name), sd_json_variant_string(value), slot);
}

#define AT(type, member) .offset = offsetof(type, member)
#define LIST(type, member, n, limit, one)                                                \
	.read = read_list, .offset = offsetof(type, member), .count = offsetof(type, n), \
	.size = sizeof(*((type *)nullptr)->member), .max = (limit), .each = (one)

static int read_edit(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"set", LIST(struct bridge_edit, set, n_set, 64, read_setting)},
		{"remove", LIST(struct bridge_edit, remove, n_remove, 64, read_removal)},
	};

	return read_object(r, keys, COUNT(keys), v, slot);
}

static int read_timeouts(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"connectMs", read_u32, AT(struct bridge_timeouts, connect_ms), 1, DAY_MS},
		{"firstByteMs", read_u32, AT(struct bridge_timeouts, first_byte_ms), 1, DAY_MS},
		{"idleMs", read_u32, AT(struct bridge_timeouts, idle_ms), 1, DAY_MS},
		{"totalMs", read_u32, AT(struct bridge_timeouts, total_ms), 0, DAY_MS},
		{"tunnelMs", read_u32, AT(struct bridge_timeouts, tunnel_ms), 0, DAY_MS},
	};

	return read_object(r, keys, COUNT(keys), v, slot);
}

static int read_tls(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"serverName", read_text, AT(struct bridge_tls, server_name), 0, 253,
			rule_server_name, "a host name or an address"},
		{"ca", read_text, AT(struct bridge_tls, ca), 0, PEM_MAX, rule_pem, "PEM"},
		{"certificate", read_text, AT(struct bridge_tls, certificate), 0, PEM_MAX, rule_pem,
			"PEM"},
		{"key", read_text, AT(struct bridge_tls, key), 0, PEM_MAX, rule_pem, "PEM"},
	};
	const struct bridge_tls *tls = slot;
	int e = read_object(r, keys, COUNT(keys), v, slot);

	if (e < 0)
		return e;
	if (!tls->certificate[0] != !tls->key[0])
		return reader_refuse(r, "certificate and key go together");
	return 0;
}

static int read_health(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"path", read_text, AT(struct bridge_health, path), 0, 1024, rule_health_path,
			"a path"},
		{"intervalMs", read_u32, AT(struct bridge_health, interval_ms), 100, DAY_MS},
		{"timeoutMs", read_u32, AT(struct bridge_health, timeout_ms), 10, DAY_MS},
		{"failures", read_u32, AT(struct bridge_health, failures), 1, 100},
		{"successes", read_u32, AT(struct bridge_health, successes), 1, 100},
	};

	return read_object(r, keys, COUNT(keys), v, slot);
}

static int read_upstream(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"scheme", read_text, AT(struct upstream_draft, scheme), 1, 8, rule_scheme,
			"http, https or unix"},
		{"host", read_text, AT(struct upstream_draft, host), 0, 253, rule_server_name,
			"a host name or an address"},
		{"port", read_u32, AT(struct upstream_draft, port), 0, UINT16_MAX},
		{"unix", read_text, AT(struct upstream_draft, path), 0, 107, rule_unix_path,
			"an absolute path"},
		{"addresses",
			LIST(struct upstream_draft, addresses, n_addresses, 256, read_address)},
	};
	struct upstream_draft *d = slot;

	*d = (struct upstream_draft){.scheme = "", .host = "", .path = ""};
	int e = read_object(r, keys, COUNT(keys), v, slot);
	if (e < 0)
		return e;
	bool socket = strcmp(d->scheme, "unix") == 0;
	if (!d->scheme[0])
		return reader_refuse(r, "no scheme");
	if (socket && (!d->path[0] || d->host[0] || d->port || d->n_addresses))
		return reader_refuse(r, "a socket has a path, and no host, port or addresses");
	if (!socket && (!d->host[0] || !d->port || d->path[0]))
		return reader_refuse(r, "host and port are needed, and no path of a socket");
	return 0;
}

static const struct route_draft route_defaults = {
	.route =
		{
			.host = "",
			.path = "/",
			.retries = 1,
			.timeouts = {.connect_ms = 3000,
				.first_byte_ms = 60'000,
				.idle_ms = 60'000,
				.tunnel_ms = 3'600'000},
		},
	.host_header = "preserve",
	.tls = {.server_name = "", .ca = "", .certificate = "", .key = ""},
	.health = {.path = "",
		.interval_ms = 5000,
		.timeout_ms = 2000,
		.failures = 3,
		.successes = 2},
	.max_connections = 1024,
};

#define ROUTE(member) AT(struct route_draft, route.member)

static int read_route(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"host", read_text, ROUTE(host), 1, 253, rule_host_pattern,
			"a host name, *.suffix, an address or *"},
		{"path", read_text, ROUTE(path), 1, 1024, rule_path,
			"a path without escapes, empty and dot segments"},
		{"stripPrefix", read_bool, ROUTE(strip_prefix)},
		{"upstreams", LIST(struct route_draft, upstreams, n_upstreams, 64, read_upstream)},
		{"hostHeader", read_text, AT(struct route_draft, host_header), 1, 253,
			rule_host_header, "preserve, upstream or a host"},
		{"sources", LIST(struct route_draft, route.sources, route.n_sources, 8192,
				    read_prefix)},
		{"tokens",
			LIST(struct route_draft, route.tokens.list, route.tokens.n, 8, read_token)},
		{"requestHeaders", read_edit, ROUTE(request)},
		{"responseHeaders", read_edit, ROUTE(response)},
		{"maxBody", read_u64, ROUTE(max_body), 0, INT64_MAX},
		{"retries", read_u32, ROUTE(retries), 0, 10},
		{"maxConnections", read_u32, AT(struct route_draft, max_connections), 1, 1 << 20},
		{"proxyProtocol", read_bool, AT(struct route_draft, proxy_protocol)},
		{"timeouts", read_timeouts, ROUTE(timeouts)},
		{"tls", read_tls, AT(struct route_draft, tls)},
		{"health", read_health, AT(struct route_draft, health)},
	};
	struct route_draft *d = slot;

	*d = route_defaults;
	int e = read_object(r, keys, COUNT(keys), v, slot);
	if (e < 0)
		return e;
	if (!d->route.host[0])
		return reader_refuse(r, "no host");
	return d->n_upstreams ? 0 : reader_refuse(r, "no upstream");
}

static int read_limits(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"connections", read_u32, AT(struct bridge_limits, connections), 1, 1 << 20},
		{"perSource", read_u32, AT(struct bridge_limits, per_source), 1, 1 << 20},
		{"headBytes", read_u32, AT(struct bridge_limits, head_bytes), 1024,
			BRIDGE_HEAD_MAX},
		{"headMs", read_u32, AT(struct bridge_limits, head_ms), 1, DAY_MS},
		{"idleMs", read_u32, AT(struct bridge_limits, idle_ms), 1, DAY_MS},
		{"drainMs", read_u32, AT(struct bridge_limits, drain_ms), 0, DAY_MS},
	};

	return read_object(r, keys, COUNT(keys), v, slot);
}

static int read_diagnose(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	static const struct key keys[] = {
		{"targets", LIST(struct bridge_config, targets, n_targets, 1024, read_item),
			.valid = rule_target, .expects = "HOST:PORT"},
		{"tokens", LIST(struct bridge_config, diagnose_tokens.list, diagnose_tokens.n, 8,
				   read_token)},
	};

	return read_object(r, keys, COUNT(keys), v, slot);
}

static const struct config_draft config_defaults = {
	.config =
		{
			.node = "",
			.admin = "",
			.threads = 1,
			.limits = {.connections = 10'000,
				.per_source = 256,
				.head_bytes = 65'536,
				.head_ms = 10'000,
				.idle_ms = 60'000,
				.drain_ms = 30'000},
		},
	.reveal = "code",
};

int config_draft_read(struct reader *r, sd_json_variant *json, struct config_draft *d)
{
	static const struct key keys[] = {
		{"node", read_text, AT(struct config_draft, config.node), 0, 64, rule_node,
			"letters, digits and -._"},
		{"admin", read_text, AT(struct config_draft, config.admin), 0, 112, rule_admin,
			"ADDRESS:PORT or unix:/path"},
		{"threads", read_u32, AT(struct config_draft, config.threads), 1, 64},
		{"reveal", read_text, AT(struct config_draft, reveal), 1, 16, rule_reveal,
			"code, evidence or all"},
		{"limits", read_limits, AT(struct config_draft, config.limits)},
		{"diagnose", read_diagnose, AT(struct config_draft, config)},
		{"routes", LIST(struct config_draft, routes, n_routes, 4096, read_route)},
	};

	*d = config_defaults;
	return read_object(r, keys, COUNT(keys), json, d);
}
