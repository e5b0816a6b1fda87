/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check_bridge.h"
#include "conf/diag.h"
#include "conf/duration.h"
#include "conf/schema.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct bridge_check {
	const struct draft *draft;
	const struct config_bridge *bridge;
	struct diag_list *diags;
	size_t i; /* the route that is looked at */
};

/* key: below bridge.routes[i]. */
[[gnu::format(printf, 4, 5)]] static void mistake(const struct bridge_check *c,
	struct config_mark mark, const char *key, const char *fmt, ...)
{
	char path[128], message[sizeof(((struct config_diag *)nullptr)->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "bridge.routes[%zu]%s%s", c->i, key[0] ? "." : "", key);
	diag_add(c->diags, mark, path, "%s", message);
}

/* ---- Listeners ---- */

static void check_listen(const struct bridge_check *c, size_t i)
{
	const struct config_listen *list = c->bridge->listen, *listen = &list[i];
	char path[64];

	snprintf(path, sizeof(path), "bridge.listen[%zu]", i);
	for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_LISTEN */
		if (list[j].port != listen->port || addr_cmp(&list[j].address, &listen->address))
			continue;
		diag_add(c->diags, listen->mark, path,
			"port %u stands here already, at %u:%u; remove one", listen->port,
			list[j].mark.line, list[j].mark.column);
		return;
	}
}

/* ---- Lists of texts ---- */

/* Of whatever ignores case: names of headers; paths and targets have one spelling. */
static void check_twice(const struct config_text *list, size_t n, const char *path,
	int (*compare)(const char *, const char *), struct diag_list *diags)
{
	char where[128];

	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_TARGETS */
			if (!list[i].text || !list[j].text || compare(list[i].text, list[j].text))
				continue;
			snprintf(where, sizeof(where), "%s[%zu]", path, i);
			diag_add(diags, list[i].mark, where,
				"%s stands here already, at %u:%u; remove one", list[i].text,
				list[j].mark.line, list[j].mark.column);
			break;
		}
}

static void check_headers(
	const struct bridge_check *c, const struct config_headers *headers, const char *key)
{
	char path[128];

	snprintf(path, sizeof(path), "bridge.routes[%zu].%s.remove", c->i, key);
	check_twice(headers->remove, headers->n_remove, path, strcasecmp, c->diags);
	snprintf(path, sizeof(path), "%s.set", key);
	for (size_t i = 1; i < headers->n_set; i++)
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_HEADERS */
			const struct config_header *a = &headers->set[j], *b = &headers->set[i];
			if (!a->name || !b->name || strcasecmp(a->name, b->name) != 0)
				continue;
			mistake(c, b->mark, path, "%s stands here already, at %u:%u; remove one",
				b->name, a->mark.line, a->mark.column);
			break;
		}
}

/* ---- Routes ---- */

static int cmp_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != nullptr) - (b != nullptr);
}

static int cmp_route(const void *x, const void *y)
{
	const struct config_route *a = *(const struct config_route *const *)x;
	const struct config_route *b = *(const struct config_route *const *)y;
	int order = cmp_text(a->host, b->host);

	if (!order)
		order = cmp_text(a->path, b->path);
	return order ? order : (a > b) - (a < b); /* in the order of the file */
}

static void check_same_routes(const struct bridge_check *c)
{
	size_t n = c->bridge->n_routes;
	autofree const struct config_route **sorted = xcalloc(n, sizeof(struct config_route *));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &c->bridge->routes[i];
	qsort(sorted, n, sizeof(*sorted), cmp_route);
	for (size_t i = 1; i < n; i++) {
		const struct config_route *before = sorted[i - 1], *route = sorted[i];
		struct bridge_check at = *c;
		if (!route->host || !route->path || cmp_text(before->host, route->host) ||
			cmp_text(before->path, route->path))
			continue;
		at.i = (size_t)(route - c->bridge->routes);
		mistake(&at, route->mark, "",
			"%s with path %s stands here already, at %u:%u; join their upstreams",
			route->host, route->path, before->mark.line, before->mark.column);
	}
}

static bool upstream_equal(const struct config_upstream *a, const struct config_upstream *b)
{
	return a->scheme != UPSTREAM_NONE && a->scheme == b->scheme && a->port == b->port &&
	       !cmp_text(a->host, b->host) && !cmp_text(a->path, b->path);
}

static void check_upstreams(const struct bridge_check *c, const struct config_route *route)
{
	const struct config_upstream *list = route->upstreams;
	char key[32];

	for (size_t i = 1; i < route->n_upstreams; i++)
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_UPSTREAMS */
			if (!upstream_equal(&list[i], &list[j]))
				continue;
			snprintf(key, sizeof(key), "upstream[%zu]", i);
			mistake(c, list[i].mark, key,
				"this upstream stands here already, at %u:%u; remove one",
				list[j].mark.line, list[j].mark.column);
			break;
		}
}

static bool has_scheme(const struct config_route *route, enum upstream_scheme scheme)
{
	for (size_t i = 0; i < route->n_upstreams; i++)
		if (route->upstreams[i].scheme == scheme)
			return true;
	return false;
}

static void check_tls(const struct bridge_check *c, const struct config_route *route)
{
	const struct config_bridge_tls *tls = &route->tls;

	if (tls->mark.line && !has_scheme(route, UPSTREAM_HTTPS) &&
		!has_scheme(route, UPSTREAM_NONE))
		mistake(c, tls->mark, "tls", "no upstream of this route is https://; remove it");
	if (tls->certificate_mark.line && !tls->key_mark.line)
		mistake(c, tls->certificate_mark, "tls.certificate_file",
			"a certificate is of no use without its key; add key_file");
	if (tls->key_mark.line && !tls->certificate_mark.line)
		mistake(c, tls->key_mark, "tls.key_file",
			"a key is of no use without its certificate; add certificate_file");
}

static void check_sources(const struct bridge_check *c, const struct config_sources *sources)
{
	char key[32];

	for (size_t i = 0; i < sources->n; i++) {
		const struct config_source *source = &sources->list[i];
		bool twice = false;
		snprintf(key, sizeof(key), sources->single ? "sources" : "sources[%zu]", i);
		for (size_t j = 0; j < i; j++) /* at most CONFIG_MAX_SOURCES */
			twice |= sources->list[j].class_bit == source->class_bit &&
				 !prefix_cmp(&sources->list[j].prefix, &source->prefix) &&
				 (source->class_bit || source->prefix.addr.family != AF_UNSPEC);
		if (twice)
			mistake(c, source->mark, key, "this source stands here twice; remove one");
		for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
			if (source->class_bit == 1U << kind && c->draft->classes[kind].n == 0)
				mistake(c, source->mark, key,
					"mesh.ranges.%s is empty, so this can never match",
					range_class_str(kind));
	}
}

static void check_health(const struct bridge_check *c, const struct config_route *route)
{
	const struct config_bridge_health *health = &route->health;
	char timeout[DURATION_STRLEN], interval[DURATION_STRLEN];

	if (health->timeout_ms == DURATION_UNSET || health->interval_ms == DURATION_UNSET ||
		health->timeout_ms <= health->interval_ms)
		return;
	bool own = health->timeout_mark.line != 0;
	mistake(c, own ? health->timeout_mark : health->interval_mark,
		own ? "health.timeout" : "health.interval",
		"a timeout of %s%s is longer than the interval of %s",
		duration_str(health->timeout_ms * USEC_PER_MS, timeout),
		own ? "" : " (the default)",
		duration_str(health->interval_ms * USEC_PER_MS, interval));
}

static void check_route(const struct bridge_check *c)
{
	const struct config_route *route = &c->bridge->routes[c->i];
	bool only_unix = has_scheme(route, UPSTREAM_UNIX) && !has_scheme(route, UPSTREAM_HTTP) &&
			 !has_scheme(route, UPSTREAM_HTTPS) && !has_scheme(route, UPSTREAM_NONE);
	char path[64];

	if (route->strip_prefix && route->path && strcmp(route->path, "/") == 0)
		mistake(c, route->strip_mark, "strip_prefix",
			"there is no prefix to strip from path /; name one, or remove this");
	if (only_unix && cmp_text(route->host_header, "upstream") == 0)
		mistake(c, route->host_header_mark, "host_header",
			"a socket in the file system has no host name; write one here");
	check_upstreams(c, route);
	check_tls(c, route);
	check_sources(c, &route->sources);
	check_headers(c, &route->request, "request_headers");
	check_headers(c, &route->response, "response_headers");
	check_health(c, route);
	snprintf(path, sizeof(path), "bridge.routes[%zu].token_files", c->i);
	check_twice(route->token_files, route->n_token_files, path, strcmp, c->diags);
}

static void check_total(const struct bridge_check *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->bridge->n_routes; i++) {
		struct bridge_check at = *c;
		bool was_over = n > CONFIG_MAX_ALL_UPSTREAMS;
		n += c->bridge->routes[i].n_upstreams;
		at.i = i;
		if (n > CONFIG_MAX_ALL_UPSTREAMS && !was_over)
			mistake(&at, c->bridge->routes[i].mark, "upstream",
				"more than %zu upstreams in the whole file; that is the limit",
				CONFIG_MAX_ALL_UPSTREAMS);
	}
}

void check_bridge(const struct draft *draft, struct diag_list *diags)
{
	struct bridge_check c = {draft, &draft->config.bridge, diags, 0};

	for (size_t i = 0; i < c.bridge->n_listen; i++)
		if (c.bridge->listen[i].port)
			check_listen(&c, i);
	check_twice(
		c.bridge->targets, c.bridge->n_targets, "bridge.diagnose.targets", strcmp, diags);
	check_twice(c.bridge->token_files, c.bridge->n_token_files, "bridge.diagnose.token_files",
		strcmp, diags);
	check_same_routes(&c);
	check_total(&c);
	for (; c.i < c.bridge->n_routes; c.i++)
		check_route(&c);
}
