/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * metrics_int: the collection that both pages are written from. Private to this room.
 */
#include "answer/metrics.h"
#include <stdio.h>

struct metrics_route {
	char *host, *path;
	struct stats_route stats;
};

struct metrics_upstream {
	char *name;
	struct stats_upstream stats;
	size_t threads; /* that have told of it */
};

struct metrics_verdict {
	char *code;
	uint64_t n;
};

struct metrics {
	char *version;
	uint64_t uptime_s;
	struct metrics_life life;
	struct stats_thread thread;
	struct metrics_route *routes;
	size_t n_routes, cap_routes;
	struct metrics_upstream *upstreams;
	size_t n_upstreams, cap_upstreams;
	struct metrics_verdict *verdicts;
	size_t n_verdicts, cap_verdicts;
	sd_json_variant *gateway; /* nullptr = not there */
};

static inline bool metrics_healthy(const struct metrics_upstream *u)
{
	return u->stats.healthy == u->threads;
}

/* What GetStatus says, as families of /metrics. */
void metrics_put_gateway(FILE *f, const struct metrics *m);
