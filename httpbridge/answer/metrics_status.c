/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/metrics_int.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <string.h>

/* Objects are made member by member; the only failure is a lack of memory. */
static void must(int r)
{
	if (r < 0)
		out_of_memory();
}

static void set_u64(sd_json_variant **v, const char *key, uint64_t n)
{
	must(sd_json_variant_set_field_unsigned(v, key, n));
}

static void set_bool(sd_json_variant **v, const char *key, bool b)
{
	must(sd_json_variant_set_field_boolean(v, key, b));
}

static void set_text(sd_json_variant **v, const char *key, const char *text)
{
	char shown[512];

	must(sd_json_variant_set_field_string(
		v, key, escape_text(text, strlen(text), shown, sizeof(shown))));
}

static uint64_t count(const struct stats_histogram *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < STATS_BUCKETS; i++)
		n += h->buckets[i];
	return n;
}

static void set_mean(sd_json_variant **v, const char *key, const struct stats_histogram *h)
{
	uint64_t n = count(h);

	if (n)
		set_u64(v, key, h->sum_us / n);
}

static void add_route(sd_json_variant **list, const struct metrics_route *r)
{
	static const char *const classes[STATS_STATUSES] = {
		"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	autojson sd_json_variant *v = nullptr, *requests = nullptr;

	set_text(&v, "host", r->host);
	set_text(&v, "path", r->path);
	for (unsigned i = 0; i < STATS_STATUSES; i++)
		set_u64(&requests, classes[i], r->stats.requests[i]);
	must(sd_json_variant_set_field(&v, "requests", requests));
	set_u64(&v, "bytesIn", r->stats.bytes_in);
	set_u64(&v, "bytesOut", r->stats.bytes_out);
	set_u64(&v, "aborted", r->stats.aborted);
	set_mean(&v, "meanFirstByteUs", &r->stats.first_byte);
	set_mean(&v, "meanTotalUs", &r->stats.total);
	must(sd_json_variant_append_array(list, v));
}

static void add_upstream(sd_json_variant **list, const struct metrics_upstream *u)
{
	autojson sd_json_variant *v = nullptr;

	set_text(&v, "upstream", u->name);
	set_bool(&v, "healthy", metrics_healthy(u));
	set_u64(&v, "active", u->stats.active);
	set_u64(&v, "idle", u->stats.idle);
	set_u64(&v, "connects", u->stats.connections);
	set_u64(&v, "connectFailures", u->stats.connect_failures);
	set_u64(&v, "reuses", u->stats.reuses);
	set_u64(&v, "retries", u->stats.retries);
	set_mean(&v, "meanConnectUs", &u->stats.connect);
	must(sd_json_variant_append_array(list, v));
}

/* Answers and verdicts by code; those that never happened are left out. */
static void set_answers(sd_json_variant **bridge, const struct metrics *m)
{
	autojson sd_json_variant *answers = nullptr, *verdicts = nullptr;

	must(sd_json_variant_new_object(&answers, nullptr, 0));
	must(sd_json_variant_new_object(&verdicts, nullptr, 0));
	for (unsigned i = 0; i < ANSWERS; i++)
		if (m->thread.answers[i])
			set_u64(&answers, answer_row((enum answer_reason)i)->code,
				m->thread.answers[i]);
	for (size_t i = 0; i < m->n_verdicts; i++)
		set_u64(&verdicts, m->verdicts[i].code, m->verdicts[i].n);
	must(sd_json_variant_set_field(bridge, "answers", answers));
	must(sd_json_variant_set_field(bridge, "verdicts", verdicts));
}

static void set_lists(sd_json_variant **bridge, const struct metrics *m)
{
	autojson sd_json_variant *routes = nullptr, *upstreams = nullptr;

	must(sd_json_variant_new_array(&routes, nullptr, 0));
	must(sd_json_variant_new_array(&upstreams, nullptr, 0));
	for (size_t i = 0; i < m->n_routes; i++)
		add_route(&routes, &m->routes[i]);
	for (size_t i = 0; i < m->n_upstreams; i++)
		add_upstream(&upstreams, &m->upstreams[i]);
	must(sd_json_variant_set_field(bridge, "routes", routes));
	must(sd_json_variant_set_field(bridge, "upstreams", upstreams));
}

static void set_bridge(sd_json_variant **out, const struct metrics *m)
{
	autojson sd_json_variant *v = nullptr;

	set_text(&v, "version", m->version);
	set_u64(&v, "uptimeSeconds", m->uptime_s);
	set_bool(&v, "attached", m->life.attached);
	set_bool(&v, "draining", m->life.draining);
	set_u64(&v, "configLoads", m->life.loads);
	set_u64(&v, "configLoadsRefused", m->life.loads_refused);
	set_u64(&v, "accepted", m->thread.accepted);
	set_u64(&v, "connections", m->thread.connections);
	set_u64(&v, "upgraded", m->thread.upgraded);
	set_u64(&v, "logLinesLost", m->thread.log_lines_lost);
	set_answers(&v, m);
	set_lists(&v, m);
	must(sd_json_variant_set_field(out, "bridge", v));
}

char *metrics_status(const struct metrics *m, size_t *len)
{
	autojson sd_json_variant *v = nullptr, *none = nullptr;
	char *text = nullptr;

	set_bridge(&v, m);
	must(sd_json_variant_new_null(&none));
	must(sd_json_variant_set_field(&v, "gateway", m->gateway ? m->gateway : none));
	must(sd_json_variant_format(v, SD_JSON_FORMAT_NEWLINE, &text));
	*len = strlen(text);
	return text;
}
