/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenMetrics 1.0: families, each with its type and help, all samples of a family together, and
 * "# EOF" at the end.
 */
#include "answer/metrics_int.h"
#include "answer/openmetrics.h"
#include "lib/xmalloc.h"
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char metrics_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

static void put_process(FILE *f, const struct metrics *m)
{
	static const struct openmetrics_family info = {"meshgw_bridge", "info", "The program.", 0};
	static const struct openmetrics_family loads = {"meshgw_bridge_config_loads", "counter",
		"Configurations that meshgwd sent, by what became of them.", 0};

	openmetrics_family(f, &info);
	openmetrics_sample(f, &info, "_info",
		(const struct openmetrics_label[]){{"version", m->version}, {}}, 1);
	openmetrics_single(f, "meshgw_bridge_uptime_seconds", "gauge", "Since the program's start.",
		m->uptime_s);
	openmetrics_single(f, "meshgw_bridge_attached", "gauge",
		"Is the bridge attached to meshgwd?", m->life.attached);
	openmetrics_single(f, "meshgw_bridge_draining", "gauge", "Is the bridge being stopped?",
		m->life.draining);
	openmetrics_family(f, &loads);
	openmetrics_sample(f, &loads, "_total",
		(const struct openmetrics_label[]){{"result", "taken"}, {}}, m->life.loads);
	openmetrics_sample(f, &loads, "_total",
		(const struct openmetrics_label[]){{"result", "refused"}, {}},
		m->life.loads_refused);
}

static void put_threads(FILE *f, const struct metrics *m)
{
	static const struct openmetrics_family families[] = {
		{"meshgw_bridge_connections_accepted", "counter", "Connections of callers, ever.",
			offsetof(struct stats_thread, accepted)},
		{"meshgw_bridge_connections", "gauge", "Connections of callers, now.",
			offsetof(struct stats_thread, connections)},
		{"meshgw_bridge_connections_upgraded", "gauge",
			"Connections that speak something else by now, such as WebSocket.",
			offsetof(struct stats_thread, upgraded)},
		{"meshgw_bridge_log_lines_lost", "counter",
			"Lines of the access log that could not be written.",
			offsetof(struct stats_thread, log_lines_lost)},
	};
	static const struct openmetrics_family answers = {"meshgw_bridge_answers", "counter",
		"Answers of the bridge's own, by what it saw.", 0};

	for (size_t i = 0; i < COUNT(families); i++) {
		openmetrics_family(f, &families[i]);
		openmetrics_sample(f, &families[i], openmetrics_suffix(&families[i]), nullptr,
			openmetrics_counter(&m->thread, &families[i]));
	}
	openmetrics_family(f, &answers);
	for (unsigned i = 0; i < ANSWERS; i++)
		openmetrics_sample(f, &answers, "_total",
			(const struct openmetrics_label[]){
				{"code", answer_row((enum answer_reason)i)->code}, {}},
			m->thread.answers[i]);
}

static void put_verdicts(FILE *f, const struct metrics *m)
{
	static const struct openmetrics_family family = {"meshgw_bridge_verdicts", "counter",
		"Failures that were answered with a verdict of meshgwd, by its code.", 0};

	openmetrics_family(f, &family);
	for (size_t i = 0; i < m->n_verdicts; i++)
		openmetrics_sample(f, &family, "_total",
			(const struct openmetrics_label[]){{"code", m->verdicts[i].code}, {}},
			m->verdicts[i].n);
}

static void put_requests(FILE *f, const struct metrics *m)
{
	static const char *const classes[STATS_STATUSES] = {
		"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	static const struct openmetrics_family family = {"meshgw_bridge_requests", "counter",
		"Requests by route and status; none: the caller left before an answer.", 0};

	openmetrics_family(f, &family);
	for (size_t i = 0; i < m->n_routes; i++)
		for (unsigned class = 0; class < STATS_STATUSES; class ++)
			openmetrics_sample(f, &family, "_total",
				(const struct openmetrics_label[]){{"host", m->routes[i].host},
					{"path", m->routes[i].path}, {"status", classes[class]},
					{}},
				m->routes[i].stats.requests[class]);
}

static void put_routes(FILE *f, const struct metrics *m)
{
	static const struct openmetrics_family families[] = {
		{"meshgw_bridge_request_bytes", "counter", "Bodies of requests.",
			offsetof(struct stats_route, bytes_in)},
		{"meshgw_bridge_response_bytes", "counter", "Bodies of responses.",
			offsetof(struct stats_route, bytes_out)},
		{"meshgw_bridge_requests_aborted", "counter",
			"Requests whose caller left before the end.",
			offsetof(struct stats_route, aborted)},
		{"meshgw_bridge_first_byte_seconds", "histogram",
			"From the request's first byte to the first one of the upstream's answer.",
			offsetof(struct stats_route, first_byte)},
		{"meshgw_bridge_request_seconds", "histogram",
			"From the request's first byte to the last one of the response.",
			offsetof(struct stats_route, total)},
	};

	for (size_t i = 0; i < COUNT(families); i++) {
		const struct openmetrics_family *family = &families[i];
		openmetrics_family(f, family);
		for (size_t j = 0; j < m->n_routes; j++) {
			const struct metrics_route *r = &m->routes[j];
			const struct openmetrics_label labels[] = {
				{"host", r->host}, {"path", r->path}, {}};
			if (family->type[0] == 'h')
				openmetrics_histogram(f, family, labels,
					(const void *)((const char *)&r->stats + family->offset));
			else
				openmetrics_sample(f, family, openmetrics_suffix(family), labels,
					openmetrics_counter(&r->stats, family));
		}
	}
}

static void put_upstreams(FILE *f, const struct metrics *m)
{
	static const struct openmetrics_family families[] = {
		{"meshgw_bridge_upstream_connects", "counter", "Connections made to the upstream.",
			offsetof(struct stats_upstream, connections)},
		{"meshgw_bridge_upstream_connect_failures", "counter",
			"Connections that could not be made.",
			offsetof(struct stats_upstream, connect_failures)},
		{"meshgw_bridge_upstream_reuses", "counter",
			"Requests that took a connection that was there.",
			offsetof(struct stats_upstream, reuses)},
		{"meshgw_bridge_upstream_retries", "counter", "Requests that were sent again.",
			offsetof(struct stats_upstream, retries)},
		{"meshgw_bridge_upstream_active", "gauge", "Connections with a request, now.",
			offsetof(struct stats_upstream, active)},
		{"meshgw_bridge_upstream_idle", "gauge", "Connections without one, now.",
			offsetof(struct stats_upstream, idle)},
	};
	static const struct openmetrics_family healthy = {"meshgw_bridge_upstream_healthy", "gauge",
		"Do the health checks succeed, or are there none?", 0};
	static const struct openmetrics_family connect = {"meshgw_bridge_upstream_connect_seconds",
		"histogram", "To make a connection, with TLS.", 0};

	for (size_t i = 0; i < COUNT(families); i++) {
		openmetrics_family(f, &families[i]);
		for (size_t j = 0; j < m->n_upstreams; j++)
			openmetrics_sample(f, &families[i], openmetrics_suffix(&families[i]),
				(const struct openmetrics_label[]){
					{"upstream", m->upstreams[j].name}, {}},
				openmetrics_counter(&m->upstreams[j].stats, &families[i]));
	}
	openmetrics_family(f, &healthy);
	for (size_t j = 0; j < m->n_upstreams; j++)
		openmetrics_sample(f, &healthy, "",
			(const struct openmetrics_label[]){{"upstream", m->upstreams[j].name}, {}},
			metrics_healthy(&m->upstreams[j]));
	openmetrics_family(f, &connect);
	for (size_t j = 0; j < m->n_upstreams; j++)
		openmetrics_histogram(f, &connect,
			(const struct openmetrics_label[]){{"upstream", m->upstreams[j].name}, {}},
			&m->upstreams[j].stats.connect);
}

char *metrics_text(const struct metrics *m, size_t *len)
{
	char *text = nullptr;
	FILE *f = open_memstream(&text, len);

	if (!f)
		out_of_memory();
	put_process(f, m);
	put_threads(f, m);
	put_verdicts(f, m);
	put_requests(f, m);
	put_routes(f, m);
	put_upstreams(f, m);
	metrics_put_gateway(f, m);
	fputs("# EOF\n", f);
	if (fclose(f) != 0)
		out_of_memory();
	return text;
}
