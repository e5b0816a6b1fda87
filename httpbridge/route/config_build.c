/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/config_json.h"
#include "route/host.h"
#include "route/match.h"
#include <stdio.h>
#include <string.h>

/* What is being built: the upstreams grow as routes name new ones, so routes hold their numbers
 * until all are known. */
struct build {
	struct reader *r;
	struct store *store;
	struct bridge_upstream *upstreams;
	size_t n_upstreams, cap_upstreams;
};

static enum bridge_scheme scheme_parse(const char *text)
{
	enum bridge_scheme scheme = BRIDGE_HTTP;

	while (strcmp(bridge_scheme_str(scheme), text) != 0)
		scheme++;
	return scheme;
}

static int compare_addresses(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

/* An address as host is asked at itself; a name where meshgwd found it. */
static int set_addresses(struct build *b, const struct upstream_draft *d, struct bridge_upstream *u)
{
	struct addr literal;
	bool is_address = addr_parse(d->host, &literal) == 0;

	if (is_address && d->n_addresses == 0) {
		struct addr *one = store_keep(b->store, 1, sizeof(*one));
		*one = literal;
		u->addresses = one;
		u->n_addresses = 1;
		return 0;
	}
	if (is_address && (d->n_addresses > 1 || addr_cmp(&literal, &d->addresses[0]) != 0))
		return reader_refuse(b->r, "%s has other addresses than itself", d->host);
	if (d->n_addresses) /* the order of answers of DNS changes and means nothing */
		qsort(d->addresses, d->n_addresses, sizeof(*d->addresses), compare_addresses);
	u->addresses = d->addresses;
	u->n_addresses = d->n_addresses;
	return 0;
}

/* FNV-1a. */
static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619;
	return h;
}

/* The texts by which others know it. */
static void set_names(struct build *b, const struct upstream_draft *d, struct bridge_upstream *u)
{
	char host[HOST_MAX];

	if (u->scheme == BRIDGE_UNIX) {
		u->host = u->target = "";
		u->path = d->path;
		u->authority = "localhost";
		u->name = store_printf(b->store, "unix:%s", d->path);
		return;
	}
	host_normal(d->host, strlen(d->host), host); /* brackets around IPv6 */
	u->host = d->host;
	u->path = "";
	u->port = (uint16_t)d->port;
	u->target = store_printf(b->store, "%s:%u", host, u->port);
	u->name = store_printf(b->store, "%s://%s:%u", bridge_scheme_str(u->scheme), host, u->port);
	bool usual = u->port == (u->scheme == BRIDGE_HTTPS ? 443 : 80);
	u->authority = usual ? store_text(b->store, host) : u->target;
}

static void set_tls(const struct route_draft *route, struct bridge_upstream *u)
{
	struct addr a;

	u->tls = (struct bridge_tls){.server_name = "", .ca = "", .certificate = "", .key = ""};
	if (u->scheme != BRIDGE_HTTPS)
		return;
	u->tls = route->tls;
	if (!u->tls.server_name[0])
		u->tls.server_name = u->host;
	u->tls.server_address = addr_parse(u->tls.server_name, &a) == 0;
}

/* Returns its number; -EINVAL. */
static int upstream_add(
	struct build *b, const struct route_draft *route, const struct upstream_draft *d)
{
	struct bridge_upstream u = {
		.scheme = scheme_parse(d->scheme),
		.health = route->health,
		.max_connections = route->max_connections,
		.proxy_protocol = route->proxy_protocol,
		.index = b->n_upstreams,
	};
	set_names(b, d, &u);
	u.name_hash = hash(u.name);
	set_tls(route, &u);
	int e = set_addresses(b, d, &u);
	if (e < 0)
		return e;
	for (size_t i = 0; i < b->n_upstreams; i++)
		if (bridge_upstream_equal(&b->upstreams[i], &u))
			return (int)i;
	XGROW(b->upstreams, b->n_upstreams, b->cap_upstreams);
	b->upstreams[b->n_upstreams] = u;
	return (int)b->n_upstreams++;
}

static void set_host_policy(
	struct build *b, const struct route_draft *d, struct bridge_route *route)
{
	route->host_name = "";
	if (strcmp(d->host_header, "preserve") == 0) {
		route->host_policy = BRIDGE_HOST_PRESERVE;
	} else if (strcmp(d->host_header, "upstream") == 0) {
		route->host_policy = BRIDGE_HOST_UPSTREAM;
	} else {
		route->host_policy = BRIDGE_HOST_NAME;
		route->host_name = store_text(b->store, d->host_header);
	}
}

/* The form in which requests are compared with it. */
static void set_pattern(struct build *b, const struct route_draft *d, struct bridge_route *route)
{
	char normal[HOST_MAX + 2] = "*.";
	bool suffix = strncmp(d->route.host, "*.", 2) == 0;
	const char *name = suffix ? d->route.host + 2 : d->route.host;

	if (strcmp(d->route.host, "*") != 0) {
		host_normal(name, strlen(name), normal + 2);
		route->host = store_text(b->store, suffix ? normal : normal + 2);
	}
	char *path = store_text(b->store, d->route.path);
	size_t len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	route->path = path;
	route->path_len = len;
	route->name = store_printf(b->store, "%s%s", route->host, path);
}

static int route_build(
	struct build *b, const struct route_draft *d, struct bridge_route *route, size_t *numbers)
{
	size_t index = route->index;

	*route = d->route;
	route->index = index;
	set_pattern(b, d, route);
	set_host_policy(b, d, route);
	for (size_t i = 0; i < d->n_upstreams; i++) {
		int number = upstream_add(b, d, &d->upstreams[i]);
		if (number < 0)
			return number;
		numbers[i] = (size_t)number;
	}
	route->n_upstreams = d->n_upstreams;
	return 0;
}

/* Numbers to pointers, now that the list does not move any more. */
static void upstreams_settle(
	struct build *b, struct bridge_route *routes, size_t n, const size_t *numbers)
{
	struct bridge_upstream *all = store_keep(
		b->store, b->n_upstreams, sizeof(struct bridge_upstream));

	for (size_t i = 0; i < b->n_upstreams; i++)
		all[i] = b->upstreams[i];
	for (size_t i = 0; i < n; i++) {
		size_t count = routes[i].n_upstreams;
		const struct bridge_upstream **list = store_keep(
			b->store, count, sizeof(const struct bridge_upstream *));
		for (size_t j = 0; j < count; j++)
			list[j] = &all[*numbers++];
		routes[i].upstreams = list;
	}
	b->store->config.upstreams = all;
	b->store->config.n_upstreams = b->n_upstreams;
}

static int routes_build(struct build *b, const struct config_draft *d)
{
	struct bridge_route *routes = store_keep(b->store, d->n_routes, sizeof(*routes));
	size_t total = 0, used = 0;

	for (size_t i = 0; i < d->n_routes; i++)
		total += d->routes[i].n_upstreams;
	autofree size_t *numbers = xcalloc(total, sizeof(*numbers));
	for (size_t i = 0; i < d->n_routes; i++) {
		routes[i].index = i;
		snprintf(b->r->path, sizeof(b->r->path), "bridge.routes[%zu]", i);
		int e = route_build(b, &d->routes[i], &routes[i], numbers + used);
		if (e < 0)
			return e;
		used += d->routes[i].n_upstreams;
	}
	upstreams_settle(b, routes, d->n_routes, numbers);
	b->store->config.routes = routes;
	b->store->config.n_routes = d->n_routes;

	struct bridge_match *match;
	int e = bridge_match_new(routes, d->n_routes, &match, b->r->err);
	if (e < 0)
		return err_ctx(b->r->err, "bridge.routes");
	b->store->config.match = match;
	return 0;
}

static enum bridge_reveal reveal_parse(const char *text)
{
	return text[0] == 'a'   ? BRIDGE_REVEAL_ALL
	       : text[0] == 'e' ? BRIDGE_REVEAL_EVIDENCE
				: BRIDGE_REVEAL_CODE;
}

int bridge_config_from_json(
	sd_json_variant *json, const struct bridge_config **out, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	struct reader r = {.store = store, .err = err, .path = "bridge"};
	struct build b = {.r = &r, .store = store};
	struct config_draft draft;
	int e = config_draft_read(&r, json, &draft);

	if (e >= 0) {
		store->config = draft.config;
		store->config.reveal = reveal_parse(draft.reveal);
		atomic_init(&store->refs, 1);
		e = routes_build(&b, &draft);
	}
	free(b.upstreams);
	if (e < 0) {
		store_free(store);
		return e;
	}
	*out = &store->config;
	return 0;
}
