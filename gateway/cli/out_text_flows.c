/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_flows: flows that failed, for people: a table of them, and one as a line.
 */
#include "cli/out.h"
#include <inttypes.h>
#include <time.h>

static const char *time_text(uint64_t us, char out[static 32])
{
	time_t s = (time_t)(us / 1'000'000);
	struct tm tm;

	if (!localtime_r(&s, &tm) || !strftime(out, 32, "%F %T", &tm))
		out[0] = '\0';
	return out;
}

static void add_flow(const struct view *v, struct table *table, const struct reply_flow *f)
{
	uint64_t ago_us = v->now_us > f->last_us ? v->now_us - f->last_us : 0;

	table_add(table, STYLE_PLAIN, "%s", f->target);
	table_add(table, STYLE_BAD, "%s", f->code);
	table_add(table, STYLE_DIM, "%s", f->confidence);
	table_add(table, STYLE_PLAIN, "%" PRIu64 " %s", f->count, f->count == 1 ? "time" : "times");
	table_add(table, STYLE_PLAIN, "%s ago", time_span(ago_us).text);
	if (v->verbose)
		table_add_line(table, STYLE_DIM, "     %s", f->summary);
}

void out_text_flows(const struct view *v, const struct reply_flow *list, size_t n)
{
	struct table table = {.term = &v->out, .columns = 5, .indent = 2};

	for (size_t i = 0; i < n; i++)
		add_flow(v, &table, &list[i]);
	table_flush(&table);
}

void out_text_flow(const struct view *v, const struct reply_flow *f, sd_json_variant *)
{
	char at[32];

	term_print(&v->out, STYLE_DIM, "%s", time_text(f->last_us, at));
	term_print(&v->out, STYLE_PLAIN, "  %s from %s  ", f->target, f->client);
	term_print(&v->out, STYLE_BAD, "%s", f->code);
	term_print(&v->out, STYLE_PLAIN, " (%s), %" PRIu64 " %s: %s", f->confidence, f->count,
		f->count == 1 ? "time" : "times", f->summary);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}
