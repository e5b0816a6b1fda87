/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/metrics_int.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct metrics *metrics_new(const char *version, uint64_t uptime_s)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	m->version = xstrdup(version);
	m->uptime_s = uptime_s;
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_routes; i++) {
		free(m->routes[i].host);
		free(m->routes[i].path);
	}
	for (size_t i = 0; i < m->n_upstreams; i++)
		free(m->upstreams[i].name);
	for (size_t i = 0; i < m->n_verdicts; i++)
		free(m->verdicts[i].code);
	free(m->routes);
	free(m->upstreams);
	free(m->verdicts);
	free(m->version);
	sd_json_variant_unref(m->gateway);
	free(m);
}

/* The structs of stats.h hold nothing but counters. */
static void add_up(void *into, const void *from, size_t size)
{
	uint64_t *sum = into;
	const uint64_t *counter = from;

	for (size_t i = 0; i < size / sizeof(*sum); i++)
		sum[i] += stats_get(&counter[i]);
}

void metrics_add_thread(struct metrics *m, const struct stats_thread *s)
{
	add_up(&m->thread, s, sizeof(*s));
}

void metrics_add_route(
	struct metrics *m, const char *host, const char *path, const struct stats_route *s)
{
	struct metrics_route *route = nullptr;

	for (size_t i = 0; i < m->n_routes && !route; i++)
		if (strcmp(m->routes[i].host, host) == 0 && strcmp(m->routes[i].path, path) == 0)
			route = &m->routes[i];
	if (!route) {
		XGROW(m->routes, m->n_routes, m->cap_routes);
		route = &m->routes[m->n_routes++];
		*route = (struct metrics_route){.host = xstrdup(host), .path = xstrdup(path)};
	}
	add_up(&route->stats, s, sizeof(*s));
}

void metrics_add_upstream(struct metrics *m, const char *name, const struct stats_upstream *s)
{
	struct metrics_upstream *upstream = nullptr;

	for (size_t i = 0; i < m->n_upstreams && !upstream; i++)
		if (strcmp(m->upstreams[i].name, name) == 0)
			upstream = &m->upstreams[i];
	if (!upstream) {
		XGROW(m->upstreams, m->n_upstreams, m->cap_upstreams);
		upstream = &m->upstreams[m->n_upstreams++];
		*upstream = (struct metrics_upstream){.name = xstrdup(name)};
	}
	upstream->threads++;
	add_up(&upstream->stats, s, sizeof(*s));
}

void metrics_add_verdict(struct metrics *m, const char *code, uint64_t n)
{
	for (size_t i = 0; i < m->n_verdicts; i++) {
		if (strcmp(m->verdicts[i].code, code) == 0) {
			m->verdicts[i].n += n;
			return;
		}
	}
	XGROW(m->verdicts, m->n_verdicts, m->cap_verdicts);
	m->verdicts[m->n_verdicts++] = (struct metrics_verdict){.code = xstrdup(code), .n = n};
}

void metrics_set_life(struct metrics *m, const struct metrics_life *life)
{
	m->life = *life;
}

void metrics_set_gateway(struct metrics *m, sd_json_variant *status)
{
	sd_json_variant *had = m->gateway;

	m->gateway = sd_json_variant_ref(status);
	sd_json_variant_unref(had);
}
