/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

constexpr size_t LIST_MAX = 65'536;
constexpr unsigned RETRY_ABOVE = 64; /* where meshgwd tells nothing: a test */
#define PIN_PREFIX "sha256/"

/* Lists: of anything that has a reader for one element. */

typedef int element_reader(sd_json_variant *v, void *into);

static int read_list(sd_json_variant *v, size_t size, element_reader *read, void **list, size_t *n)
{
	size_t elements = sd_json_variant_elements(v);

	if (elements > LIST_MAX || *list)
		return -E2BIG;
	uint8_t *out = xcalloc(elements, size);
	*list = out;
	int r = 0;
	/* One that fails is counted: what it has is freed with the others. */
	for (*n = 0; r >= 0 && *n < elements; (*n)++)
		r = read(sd_json_variant_by_index(v, *n), out + *n * size);
	return r;
}

static int read_prefix(sd_json_variant *v, void *into)
{
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
	return prefix_parse(text, into);
}

static int dispatch_prefixes(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct prefix_list *p = userdata;
	return read_list(v, sizeof(*p->list), read_prefix, (void **)&p->list, &p->n);
}

static int read_pin(sd_json_variant *v, void *into)
{
	autojson sd_json_variant *rest = nullptr;
	autofree void *bytes = nullptr;
	const char *text = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
	size_t n = 0;

	if (strncmp(text, PIN_PREFIX, strlen(PIN_PREFIX)) != 0)
		return -EINVAL;
	int r = sd_json_variant_new_string(&rest, text + strlen(PIN_PREFIX));
	if (r >= 0)
		r = sd_json_variant_unbase64(rest, &bytes, &n);
	if (r < 0 || n != TUNNEL_PIN_BYTES)
		return r < 0 ? r : -EINVAL;
	memcpy(into, bytes, n);
	return 0;
}

static int dispatch_pins(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct pin_list *p = userdata;
	return read_list(v, TUNNEL_PIN_BYTES, read_pin, (void **)&p->list, &p->n);
}

static int dispatch_addr(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	return sd_json_variant_is_string(v) ? addr_parse(sd_json_variant_string(v), userdata)
					    : -EINVAL;
}

/* Objects. */

constexpr auto ANY = _SD_JSON_VARIANT_TYPE_INVALID;

#define TEXT(type, key, member) \
	{key, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(type, member), 0}
#define NUMBER(type, key, member, bits) \
	{key, ANY, sd_json_dispatch_uint##bits, offsetof(type, member), 0}
#define LIST(type, key, member, dispatch) \
	{key, SD_JSON_VARIANT_ARRAY, dispatch, offsetof(type, member), 0}

static int read_target(sd_json_variant *v, void *into)
{
	static const sd_json_dispatch_field fields[] = {
		{"address", SD_JSON_VARIANT_STRING, dispatch_addr,
			offsetof(struct tunnel_target, address), SD_JSON_MANDATORY},
		{"port", ANY, sd_json_dispatch_uint16, offsetof(struct tunnel_target, port),
			SD_JSON_MANDATORY},
		TEXT(struct tunnel_target, "name", name),
		{},
	};
	return sd_json_dispatch(v, fields, 0, into);
}

static int dispatch_targets(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct tunnel_connector *c = userdata;
	return read_list(v, sizeof(*c->edges), read_target, (void **)&c->edges, &c->n_edges);
}

static int dispatch_accept(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		LIST(struct tunnel_connector, "addresses", accept_addresses, dispatch_prefixes),
		LIST(struct tunnel_connector, "routes", accept_routes, dispatch_prefixes),
		NUMBER(struct tunnel_connector, "maxRoutes", max_routes, 32),
		{},
	};
	return sd_json_dispatch(v, fields, 0, userdata);
}

static int dispatch_connector(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"edges", SD_JSON_VARIANT_ARRAY, dispatch_targets, 0, SD_JSON_MANDATORY},
		TEXT(struct tunnel_connector, "serverName", server_name),
		TEXT(struct tunnel_connector, "authority", authority),
		TEXT(struct tunnel_connector, "template", template),
		{"accept", SD_JSON_VARIANT_OBJECT, dispatch_accept, 0, 0},
		LIST(struct tunnel_connector, "addresses", addresses, dispatch_prefixes),
		LIST(struct tunnel_connector, "routes", routes, dispatch_prefixes),
		LIST(struct tunnel_connector, "advertise", advertise, dispatch_prefixes),
		{},
	};
	return sd_json_dispatch(v, fields, 0, userdata);
}

static int read_replica(sd_json_variant *v, void *into)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT(struct tunnel_replica, "name", name),
		{"pins", SD_JSON_VARIANT_ARRAY, dispatch_pins,
			offsetof(struct tunnel_replica, pins), SD_JSON_MANDATORY},
		{},
	};
	return sd_json_dispatch(v, fields, 0, into);
}

static int dispatch_replicas(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct tunnel_node *n = userdata;
	return read_list(
		v, sizeof(*n->replicas), read_replica, (void **)&n->replicas, &n->n_replicas);
}

static int dispatch_promote(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	const char *text = sd_json_variant_string(v);
	bool manual = strcmp(text, "manual") == 0;

	*(bool *)userdata = manual;
	return manual || strcmp(text, "automatic") == 0 ? 0 : -EINVAL;
}

static int dispatch_node_limits(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		NUMBER(struct tunnel_node, "packets", packets, 64),
		NUMBER(struct tunnel_node, "bytes", bytes, 64),
		{},
	};
	return sd_json_dispatch(v, fields, 0, userdata);
}

static int read_node(sd_json_variant *v, void *into)
{
	static const sd_json_dispatch_field fields[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct tunnel_node, name), SD_JSON_MANDATORY},
		{"replicas", SD_JSON_VARIANT_ARRAY, dispatch_replicas, 0, SD_JSON_MANDATORY},
		LIST(struct tunnel_node, "addresses", addresses, dispatch_prefixes),
		LIST(struct tunnel_node, "routes", routes, dispatch_prefixes),
		{"promote", SD_JSON_VARIANT_STRING, dispatch_promote,
			offsetof(struct tunnel_node, manual), 0},
		{"limits", SD_JSON_VARIANT_OBJECT, dispatch_node_limits, 0, 0},
		{},
	};
	return sd_json_dispatch(v, fields, 0, into);
}

static int dispatch_nodes(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct tunnel_edge *e = userdata;
	return read_list(v, sizeof(*e->nodes), read_node, (void **)&e->nodes, &e->n_nodes);
}

static int dispatch_limits(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		NUMBER(struct tunnel_limits, "handshakesPerPrefix", handshakes_per_prefix, 32),
		NUMBER(struct tunnel_limits, "unauthenticated", unauthenticated, 32),
		NUMBER(struct tunnel_limits, "retryAbove", retry_above, 32),
		NUMBER(struct tunnel_limits, "connections", connections, 32),
		{},
	};
	return sd_json_dispatch(v, fields, 0, userdata);
}

static int dispatch_edge(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT(struct tunnel_edge, "template", template),
		LIST(struct tunnel_edge, "addresses", addresses, dispatch_prefixes),
		LIST(struct tunnel_edge, "pool", pool, dispatch_prefixes),
		LIST(struct tunnel_edge, "advertise", advertise, dispatch_prefixes),
		{"nodes", SD_JSON_VARIANT_ARRAY, dispatch_nodes, 0, 0},
		{"limits", SD_JSON_VARIANT_OBJECT, dispatch_limits,
			offsetof(struct tunnel_edge, limits), 0},
		{},
	};
	return sd_json_dispatch(v, fields, 0, userdata);
}

static int read_setting(sd_json_variant *v, void *into)
{
	struct tunnel_setting *s = into;
	sd_json_variant *id = sd_json_variant_by_index(v, 0);
	sd_json_variant *value = sd_json_variant_by_index(v, 1);

	if (sd_json_variant_elements(v) != 2 || !sd_json_variant_is_unsigned(id) ||
		!sd_json_variant_is_unsigned(value))
		return -EINVAL;
	*s = (struct tunnel_setting){sd_json_variant_unsigned(id), sd_json_variant_unsigned(value)};
	return 0;
}

static int dispatch_settings(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct tunnel_dialect *d = userdata;
	return read_list(
		v, sizeof(*d->settings), read_setting, (void **)&d->settings, &d->n_settings);
}

static int dispatch_dialect(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT(struct tunnel_dialect, "protocol", protocol),
		TEXT(struct tunnel_dialect, "path", path),
		TEXT(struct tunnel_dialect, "authority", authority),
		{"ignoreMissingConnectProtocol", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct tunnel_dialect, ignore_missing_connect_protocol), 0},
		{"staticOnly", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct tunnel_dialect, static_only), 0},
		{"settings", SD_JSON_VARIANT_ARRAY, dispatch_settings, 0, 0},
		{},
	};
	return sd_json_dispatch(v, fields, 0, userdata);
}

static int dispatch_role(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	const char *text = sd_json_variant_string(v);
	bool edge = strcmp(text, "edge") == 0;

	*(enum tunnel_role *)userdata = edge ? TUNNEL_EDGE : TUNNEL_CONNECTOR;
	return edge || strcmp(text, "connector") == 0 ? 0 : -EINVAL;
}

static const sd_json_dispatch_field tunnel_fields[] = {
	{"role", SD_JSON_VARIANT_STRING, dispatch_role, offsetof(struct tunnel_config, role),
		SD_JSON_MANDATORY},
	{"mtu", ANY, sd_json_dispatch_uint32, offsetof(struct tunnel_config, mtu),
		SD_JSON_MANDATORY},
	NUMBER(struct tunnel_config, "keepaliveMs", keepalive_ms, 64),
	NUMBER(struct tunnel_config, "idleMs", idle_ms, 64),
	{"certificate", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		offsetof(struct tunnel_config, certificate), SD_JSON_MANDATORY},
	{"key", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		offsetof(struct tunnel_config, key), SD_JSON_MANDATORY},
	TEXT(struct tunnel_config, "ca", ca),
	TEXT(struct tunnel_config, "groups", groups),
	LIST(struct tunnel_config, "pins", pins, dispatch_pins),
	{"connector", SD_JSON_VARIANT_OBJECT, dispatch_connector,
		offsetof(struct tunnel_config, connector), SD_JSON_NULLABLE},
	{"edge", SD_JSON_VARIANT_OBJECT, dispatch_edge, offsetof(struct tunnel_config, edge),
		SD_JSON_NULLABLE},
	{"dialect", SD_JSON_VARIANT_OBJECT, dispatch_dialect,
		offsetof(struct tunnel_config, dialect), SD_JSON_NULLABLE},
	{},
};

/* Texts that were not told are empty. */
static void fill_texts(struct tunnel_config *c)
{
	const char **texts[] = {&c->ca, &c->groups, &c->connector.server_name,
		&c->connector.authority, &c->connector.template, &c->edge.template,
		&c->dialect.protocol, &c->dialect.path, &c->dialect.authority};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!*texts[i])
			*texts[i] = "";
	for (size_t i = 0; i < c->edge.n_nodes; i++)
		for (size_t k = 0; k < c->edge.nodes[i].n_replicas; k++)
			if (!c->edge.nodes[i].replicas[k].name)
				c->edge.nodes[i].replicas[k].name = "";
}

int tunnel_config_from_json(sd_json_variant *v, struct tunnel_config **out, struct err *err)
{
	struct tunnel_config *c = xcalloc(1, sizeof(*c));
	const char *bad = nullptr;

	c->edge.limits.retry_above = RETRY_ABOVE;
	c->json = sd_json_variant_ref(v);
	int r = sd_json_dispatch_full(v, tunnel_fields, nullptr, 0, c, &bad);
	if (r < 0) {
		err_set(err, -r, "tunnel: %s: %s", bad ? bad : "not what was agreed", strerror(-r));
	} else if (c->role == TUNNEL_CONNECTOR && c->connector.n_edges == 0) {
		r = err_set(err, EINVAL, "tunnel: connector.edges: there is none");
	} else if (!c->pins.n && !(c->ca && *c->ca) && c->role == TUNNEL_CONNECTOR) {
		r = err_set(err, EINVAL, "tunnel: neither pins nor ca: nobody could be trusted");
	}
	if (r < 0) {
		tunnel_config_free(c);
		return r;
	}
	fill_texts(c);
	*out = c;
	return 0;
}

static void free_node(struct tunnel_node *n)
{
	for (size_t i = 0; n->replicas && i < n->n_replicas; i++)
		free(n->replicas[i].pins.list);
	free(n->replicas);
	free(n->addresses.list);
	free(n->routes.list);
}

void tunnel_config_free(struct tunnel_config *c)
{
	if (!c)
		return;
	free(c->pins.list);
	free(c->connector.edges);
	free(c->connector.accept_addresses.list);
	free(c->connector.accept_routes.list);
	free(c->connector.addresses.list);
	free(c->connector.routes.list);
	free(c->connector.advertise.list);
	for (size_t i = 0; c->edge.nodes && i < c->edge.n_nodes; i++)
		free_node(&c->edge.nodes[i]);
	free(c->edge.nodes);
	free(c->edge.addresses.list);
	free(c->edge.pool.list);
	free(c->edge.advertise.list);
	free(c->dialect.settings);
	sd_json_variant_unref(c->json);
	free(c);
}

/* Of two objects. */
static bool same_keys(sd_json_variant *a, sd_json_variant *b, const char *const keys[])
{
	for (size_t i = 0; keys[i]; i++) {
		sd_json_variant *of_a = sd_json_variant_by_key(a, keys[i]);
		sd_json_variant *of_b = sd_json_variant_by_key(b, keys[i]);
		if (!of_a != !of_b || (of_a && !sd_json_variant_equal(of_a, of_b)))
			return false;
	}
	return true;
}

bool tunnel_config_reloads(const struct tunnel_config *a, const struct tunnel_config *b)
{
	static const char *const both[] = {
		"role", "mtu", "keepaliveMs", "idleMs", "dialect", nullptr};
	static const char *const connector[] = {"edges", "serverName", "authority", "template",
		"accept", "addresses", "routes", nullptr};
	static const char *const edge[] = {"template", "addresses", nullptr};
	bool dials = a->role == TUNNEL_CONNECTOR;
	const char *role = dials ? "connector" : "edge";

	return same_keys(a->json, b->json, both) &&
	       same_keys(sd_json_variant_by_key(a->json, role),
		       sd_json_variant_by_key(b->json, role), dials ? connector : edge);
}

bool prefix_list_equal(const struct prefix_list *a, const struct prefix_list *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (prefix_cmp(&a->list[i], &b->list[i]) != 0)
			return false;
	return a->n == b->n;
}

static void add_pins(struct pin_list *to, const struct pin_list *from)
{
	if (from->n)
		memcpy(to->list + to->n, from->list, from->n * sizeof(*from->list));
	to->n += from->n;
}

struct pin_list tunnel_config_pins(const struct tunnel_config *c)
{
	struct pin_list all = {};
	size_t n = c->pins.n;

	for (size_t i = 0; i < c->edge.n_nodes; i++)
		for (size_t k = 0; k < c->edge.nodes[i].n_replicas; k++)
			n += c->edge.nodes[i].replicas[k].pins.n;
	all.list = xcalloc(n, sizeof(*all.list));
	add_pins(&all, &c->pins);
	for (size_t i = 0; i < c->edge.n_nodes; i++)
		for (size_t k = 0; k < c->edge.nodes[i].n_replicas; k++)
			add_pins(&all, &c->edge.nodes[i].replicas[k].pins);
	return all;
}
