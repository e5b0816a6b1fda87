/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_conditions: errors first, each with what to do; what is only a consequence of another
 * condition stands indented below it, without a remedy of its own, since it goes with its cause.
 */
#include "cli/out.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

constexpr int DEPTH_MAX = 8;
constexpr int INDENT = 9; /* of the lines below the first: as wide as a severity */

struct conditions {
	const struct view *view;
	const struct reply_condition *list;
	size_t n;
	bool *printed;
	const char *remedy; /* the last one printed */
};

static enum style severity_style(const char *severity)
{
	if (strcmp(severity, "error") == 0)
		return STYLE_BAD;
	return strcmp(severity, "warning") == 0 ? STYLE_WARN : STYLE_PLAIN;
}

/* The condition that i follows from: of the same subject, else any of that code; n = none. */
static size_t cause_of(const struct conditions *c, size_t i)
{
	const char *code = c->list[i].depends_on;
	size_t cause = c->n;

	for (size_t j = 0; code && j < c->n; j++) {
		if (j == i || strcmp(c->list[j].code, code) != 0)
			continue;
		if (strcmp(c->list[j].subject, c->list[i].subject) == 0)
			return j;
		if (cause == c->n)
			cause = j;
	}
	return cause;
}

static void print_detail(
	const struct conditions *c, int indent, const char *label, const char *text)
{
	const struct term *t = &c->view->out;

	term_print(t, STYLE_PLAIN, "%*s", indent + INDENT, "");
	term_print(t, STYLE_DIM, "%s", label);
	term_print(t, STYLE_PLAIN, "%s", text);
	term_raw(t, STYLE_PLAIN, "\n");
}

/* Once for all that stand one below the other. */
static void print_remedy(struct conditions *c, const char *remedy, int indent)
{
	bool again = c->remedy && remedy && strcmp(c->remedy, remedy) == 0;

	if (remedy && *remedy && !again)
		print_detail(c, indent, "remedy: ", remedy);
	c->remedy = remedy;
}

static void print_one(struct conditions *c, size_t i, int depth)
{
	const struct reply_condition *one = &c->list[i];
	const struct term *t = &c->view->out;
	uint64_t now_us = c->view->now_us;
	int indent = 2 + 2 * depth;

	term_print(t, STYLE_PLAIN, "%*s", indent, "");
	term_print(t, severity_style(one->severity), "%s", one->severity);
	term_print(t, STYLE_PLAIN, "%*s", INDENT - (int)strnlen(one->severity, INDENT - 1), "");
	term_print(t, STYLE_BOLD, "%s", one->code);
	if (*one->subject)
		term_print(t, STYLE_PLAIN, " %s", one->subject);
	if (one->since_us)
		term_print(t, STYLE_DIM, " (%s)",
			time_span(now_us > one->since_us ? now_us - one->since_us : 0).text);
	term_raw(t, STYLE_PLAIN, "\n");
	print_detail(c, indent, "", one->message);
	if (depth == 0 || c->view->verbose)
		print_remedy(c, one->remedy, indent);
}

static void print_tree(struct conditions *c, size_t i, int depth)
{
	c->printed[i] = true;
	print_one(c, i, depth);
	for (size_t j = 0; j < c->n && depth < DEPTH_MAX; j++)
		if (!c->printed[j] && cause_of(c, j) == i)
			print_tree(c, j, depth + 1);
}

static void print_roots(struct conditions *c, const char *severity)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->printed[i] && cause_of(c, i) == c->n &&
			(!severity || strcmp(c->list[i].severity, severity) == 0))
			print_tree(c, i, 0);
}

void out_text_conditions(const struct view *v, const struct list *conditions)
{
	static const char *const order[] = {"error", "warning", nullptr};
	struct conditions c = {.view = v, .list = conditions->items, .n = conditions->n};

	if (!c.n)
		return;
	term_heading(&v->out, "Conditions");
	c.printed = xcalloc(c.n, sizeof(*c.printed));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		print_roots(&c, order[i]);
	for (size_t i = 0; i < c.n; i++) /* whose causes form a ring */
		if (!c.printed[i])
			print_tree(&c, i, 0);
	free(c.printed);
}
