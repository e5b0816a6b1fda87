/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * metrics: the pages /metrics (OpenMetrics 1.0) and /status (JSON), from one collection of values.
 *
 * Made for one page and thrown away: threads are added up, routes by host and path, upstreams by
 * name, so that a counter goes on over a reload if its owner kept the struct. What meshgwd says of
 * itself is taken as GetStatus gives it; without it the page says that meshgwd is not there.
 * Label values are escaped; a failure's code is a label, an address of a caller never is.
 */
#include "answer/stats.h"
#include "route/config.h"

struct metrics;

/* version and the start of the program for `meshgw_bridge_info` and uptime. */
[[nodiscard]] struct metrics *metrics_new(const char *version, uint64_t uptime_s);
void metrics_free(struct metrics *m);

void metrics_add_thread(struct metrics *m, const struct stats_thread *s);
/* Names are copied. */
void metrics_add_route(
	struct metrics *m, const char *host, const char *path, const struct stats_route *s);
void metrics_add_upstream(struct metrics *m, const char *name, const struct stats_upstream *s);
/* Verdicts that failures were answered with, by code. */
void metrics_add_verdict(struct metrics *m, const char *code, uint64_t n);
/* Configurations taken and refused; draining. */
struct metrics_life {
	uint64_t loads, loads_refused;
	bool attached; /* to meshgwd, now */
	bool draining;
};
void metrics_set_life(struct metrics *m, const struct metrics_life *life);
/* The reply of GetStatus; nullptr when there was none. A reference is taken. */
void metrics_set_gateway(struct metrics *m, sd_json_variant *status);

extern const char metrics_type[]; /* Content-Type of the first */
/* Text to be freed with free(3). */
[[nodiscard]] char *metrics_text(const struct metrics *m, size_t *len);
[[nodiscard]] char *metrics_status(const struct metrics *m, size_t *len);
