/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_node: what doctor found, for people.
 */
#include "cli/out.h"
#include <string.h>

/* Below the title. */
constexpr size_t INDENT = 8;

static const struct {
	const char *result;
	enum style style;
	const char *one, *many; /* in the last line */
} results[] = {
	{"fail", STYLE_BAD, "failed", "failed"},
	{"warn", STYLE_WARN, "warning", "warnings"},
	{"pass", STYLE_GOOD, "passed", "passed"},
	{"skip", STYLE_DIM, "skipped", "skipped"},
};
constexpr size_t RESULTS = sizeof(results) / sizeof(results[0]);

static enum style result_style(const char *result)
{
	for (size_t i = 0; i < RESULTS; i++)
		if (strcmp(results[i].result, result) == 0)
			return results[i].style;
	return STYLE_WARN;
}

static void print_check(const struct view *v, const struct reply_check *c)
{
	bool code = c->code && *c->code;

	fprintf(v->out.file, "  ");
	term_print(&v->out, result_style(c->result), "%-4s", c->result);
	fprintf(v->out.file, "  ");
	term_wrap(&v->out, STYLE_PLAIN, INDENT, INDENT, "%s%s%s%s%s%s", c->title,
		*c->reason ? ": " : "", c->reason, code ? " (" : "", code ? c->code : "",
		code ? ")" : "");
	if (c->remedy && *c->remedy)
		term_wrap(&v->out, STYLE_DIM, INDENT, 0, "%s", c->remedy);
}

void out_text_checks(const struct view *v, const struct checks *c)
{
	const struct reply_check *list = c->list.items;
	const char *comma = "";

	for (size_t i = 0; i < c->list.n; i++)
		print_check(v, &list[i]);
	for (size_t i = 0; i < RESULTS; i++) {
		size_t n = checks_count(c, results[i].result);
		if (n)
			term_print(&v->out, STYLE_PLAIN, "%s%zu %s", comma, n,
				n == 1 ? results[i].one : results[i].many);
		comma = n ? ", " : comma;
	}
	term_raw(&v->out, STYLE_PLAIN, *comma ? "\n" : "No checks.\n");
}
