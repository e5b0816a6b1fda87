/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_networks: the networks, whether their services see the source, and why so.
 */
#include "cli/out.h"
#include <inttypes.h>
#include <string.h>

static void add_reason(struct table *table, const struct reply_network *n)
{
	const struct reply_proof *p = &n->proof;
	bool differs = strcmp(n->configured, n->effective) != 0;

	if (!p->set)
		table_add(table, STYLE_DIM, "%s%s", differs ? "configured: " : "",
			differs ? n->configured : "");
	else if (p->since_s == UINT64_MAX)
		table_add(table, STYLE_DIM, "%s, %s: %s", n->configured, p->state, p->why);
	else
		table_add(table, STYLE_DIM, "%s, %s for %s: %s", n->configured, p->state,
			time_span(p->since_s * 1'000'000).text, p->why);
}

static void add_witness(struct table *table, const struct reply_witness *w)
{
	bool six = strchr(w->address, ':');
	bool asked = w->asked_s != UINT64_MAX;
	struct shown_time ago = time_span(asked ? w->asked_s * 1'000'000 : 0);

	table_add_line(table, STYLE_DIM,
		"    %s%s%s:%" PRIu64 " (%s%s): gateway %s, mesh %s%s%s%s%s", six ? "[" : "",
		w->address, six ? "]" : "", w->port, w->origin, w->router ? ", router" : "", w->own,
		w->range, asked ? ", " : "", asked ? ago.text : "", asked ? " ago" : "",
		w->masqueraded ? "; masqueraded alone" : "");
}

void out_text_networks(const struct view *v, const struct status *s)
{
	const struct reply_network *list = s->networks.items;
	struct table table = {.term = &v->out, .columns = 4, .indent = 2};
	struct reply_witness w;

	for (size_t i = 0; i < s->networks.n; i++) {
		const struct reply_network *n = &list[i];
		table_add(&table, STYLE_PLAIN, "%s", n->prefix);
		table_add(&table, STYLE_PLAIN, "%s", n->interface);
		table_add(&table, STYLE_PLAIN, "%s", n->effective);
		add_reason(&table, n);
		for (size_t j = 0; v->verbose && proof_witness(&n->proof, j, &w); j++)
			add_witness(&table, &w);
	}
	if (table.n)
		term_heading(&v->out, "Networks");
	table_flush(&table);
}
