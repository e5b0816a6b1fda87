/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_bgp: the site routers and what they are told.
 */
#include "cli/out.h"
#include <inttypes.h>
#include <string.h>

static void add_neighbor(struct table *table, const struct reply_neighbor *n)
{
	bool up = strcmp(n->state, "Established") == 0;
	bool number = strspn(n->remote_as, "0123456789") == strlen(n->remote_as);

	table_add(table, STYLE_PLAIN, "%s", n->address);
	table_add(table, STYLE_PLAIN, "%s%s", number ? "AS " : "", n->remote_as);
	table_add(table, up ? STYLE_GOOD : STYLE_BAD, "%s%s%s", n->state, up ? " for " : "",
		up ? time_span(n->uptime_s * 1'000'000).text : "");
	if (n->reason)
		table_add(table, STYLE_PLAIN, "%s", n->reason);
	else
		table_add(table, STYLE_PLAIN, "%" PRIu64 " announced, %" PRIu64 " accepted",
			n->announced, n->accepted);
}

static void print_neighbors(const struct view *v, const struct reply_bgp *bgp)
{
	const struct reply_neighbor *list = bgp->neighbors.items;
	struct table table = {.term = &v->out, .columns = 4, .indent = 2};

	for (size_t i = 0; i < bgp->neighbors.n; i++)
		add_neighbor(&table, &list[i]);
	table_flush(&table);
}

/* Those that are as they should be take no line. */
static void print_announcements(const struct view *v, const struct reply_bgp *bgp)
{
	const struct reply_announcement *list = bgp->announcements.items;
	struct table table = {.term = &v->out, .columns = 4, .indent = 2};

	for (size_t i = 0; i < bgp->announcements.n; i++) {
		const struct reply_announcement *a = &list[i];
		if (a->announced && !v->verbose)
			continue;
		table_add(&table, STYLE_PLAIN, "%s", a->prefix);
		table_add(&table, a->announced ? STYLE_GOOD : STYLE_BAD, "%s",
			a->announced ? "announced" : "not announced");
		table_add(&table, STYLE_DIM, "static route: %s", a->of_static);
		table_add(&table, STYLE_PLAIN, "%s", a->reason ? a->reason : "");
	}
	table_flush(&table);
}

void out_text_bgp(const struct view *v, const struct status *s)
{
	if (!s->bgp.set)
		return;
	term_heading(&v->out, "BGP");
	term_print(&v->out, STYLE_PLAIN, "  AS %" PRIu64 " in FRRouting: ", s->bgp.asn);
	if (strcmp(s->bgp.state, "yes") == 0)
		term_raw(&v->out, STYLE_GOOD, "as configured");
	else
		term_print(&v->out, STYLE_WARN, "%s", s->bgp.state);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	print_neighbors(v, &s->bgp);
	print_announcements(v, &s->bgp);
}
