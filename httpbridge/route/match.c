/* SPDX-License-Identifier: Apache-2.0 */
#include "route/match.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/host.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* All routes of one host: a run of the sorted list. */
struct site {
	const char *host;
	size_t host_len;
	size_t first, n;
	size_t longest; /* path */
};

struct bridge_match {
	const struct bridge_route **routes; /* sorted by host, then path */
	struct site *sites;                 /* sorted by host */
	size_t n_sites;
};

/* As compare_routes() orders: bytes first, the shorter one first. */
static int compare_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int d = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return d ? d : (a_len > b_len) - (a_len < b_len);
}

static int compare_routes(const void *a, const void *b)
{
	const struct bridge_route *x = *(const struct bridge_route *const *)a;
	const struct bridge_route *y = *(const struct bridge_route *const *)b;
	int d = strcmp(x->host, y->host);

	return d ? d : compare_text(x->path, x->path_len, y->path, y->path_len);
}

static void site_add(struct bridge_match *m, size_t at)
{
	const struct bridge_route *route = m->routes[at];
	struct site *last = m->n_sites ? &m->sites[m->n_sites - 1] : nullptr;

	if (!last || strcmp(last->host, route->host) != 0) {
		last = &m->sites[m->n_sites++];
		*last = (struct site){
			.host = route->host, .host_len = strlen(route->host), .first = at};
	}
	last->n++;
	if (route->path_len > last->longest)
		last->longest = route->path_len;
}

int bridge_match_new(
	const struct bridge_route *routes, size_t n, struct bridge_match **out, struct err *err)
{
	struct bridge_match *m = xcalloc(1, sizeof(*m));

	m->routes = xcalloc(n, sizeof(*m->routes));
	m->sites = xcalloc(n, sizeof(*m->sites));
	for (size_t i = 0; i < n; i++)
		m->routes[i] = &routes[i];
	if (n)
		qsort(m->routes, n, sizeof(*m->routes), compare_routes);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare_routes(&m->routes[i - 1], &m->routes[i]) == 0) {
			err_set(err, EINVAL, "%s%s is there twice", m->routes[i]->host,
				m->routes[i]->path);
			bridge_match_free(m);
			return -EINVAL;
		}
		site_add(m, i);
	}
	*out = m;
	return 0;
}

void bridge_match_free(const struct bridge_match *m)
{
	if (!m)
		return;
	free(m->routes);
	free(m->sites);
	free((void *)(uintptr_t)m);
}

static const struct site *site_find(const struct bridge_match *m, const char *host, size_t len)
{
	size_t low = 0, high = m->n_sites;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct site *s = &m->sites[middle];
		int d = compare_text(host, len, s->host, s->host_len);
		if (d == 0)
			return s;
		if (d < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return nullptr;
}

/* A suffix is looked for with an asterisk in the place of what stands before its dot. */
static const struct site *site_of(const struct bridge_match *m, char *normal, size_t len)
{
	const struct site *s = len ? site_find(m, normal, len) : nullptr;

	for (size_t i = 1; !s && i < len; i++) {
		if (normal[i] != '.')
			continue;
		char kept = normal[i - 1];
		normal[i - 1] = '*';
		s = site_find(m, normal + i - 1, len - i + 1);
		normal[i - 1] = kept;
	}
	return s ? s : site_find(m, "*", 1);
}

static const struct bridge_route *route_find(
	const struct bridge_match *m, const struct site *s, const char *path, size_t len)
{
	size_t low = s->first, high = s->first + s->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct bridge_route *route = m->routes[middle];
		int d = compare_text(path, len, route->path, route->path_len);
		if (d == 0)
			return route;
		if (d < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return nullptr;
}

/* From the longest prefix that ends on a border down to the first segment. */
static const struct bridge_route *find_longest(
	const struct bridge_match *m, const struct site *s, const char *path, size_t path_len)
{
	size_t end = path_len;

	if (end > s->longest) {
		end = s->longest;
		while (end > 0 && path[end] != '/')
			end--;
	}
	while (end > 0) {
		const struct bridge_route *route = route_find(m, s, path, end);
		if (route)
			return route;
		do
			end--;
		while (end > 0 && path[end] != '/');
	}
	return route_find(m, s, "/", 1);
}

/* A semicolon, escaped or not; path is in normal form. */
static bool begins_parameters(const char *at, size_t left)
{
	return *at == ';' || (left > 2 && memcmp(at, "%3B", 3) == 0);
}

static bool has_parameters(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (begins_parameters(path + i, len - i))
			return true;
	return false;
}

/* The path as programs read it that take the parameters off its segments (RFC 3986 3.3), and then
 * see fewer of them. Returns its length, at most len. */
static size_t without_parameters(const char *path, size_t len, char *out)
{
	bool skips = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (path[i] == '/')
			skips = false;
		else
			skips |= begins_parameters(path + i, len - i);
		bool again = path[i] == '/' && n > 0 && out[n - 1] == '/';
		if (!skips && !again)
			out[n++] = path[i];
	}
	return n;
}

const struct bridge_route *bridge_route_match(const struct bridge_config *c, const char *host,
	size_t host_len, const char *path, size_t path_len)
{
	char normal[HOST_MAX];
	size_t len = host_normal(host, host_len, normal);
	const struct site *s = site_of(c->match, normal, len);

	if (!s || !path_len || path[0] != '/')
		return nullptr;
	const struct bridge_route *route = find_longest(c->match, s, path, path_len);
	bool meant = route && strchr(route->path, ';'); /* it is configured with parameters */
	if (s->n == 1 || meant || !has_parameters(path, path_len))
		return route;
	autofree char *plain = xcalloc(path_len, 1);
	size_t plain_len = without_parameters(path, path_len, plain);
	return find_longest(c->match, s, plain, plain_len) == route ? route : nullptr;
}
