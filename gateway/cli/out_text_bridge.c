/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_bridge: where the HTTP bridge listens, and whether it is there.
 */
#include "cli/out.h"
#include <inttypes.h>
#include <string.h>

static void print_listeners(const struct view *v, const struct reply_bridge *bridge)
{
	const struct reply_listener *list = bridge->listeners.items;
	struct table table = {.term = &v->out, .columns = 3, .indent = 2};

	for (size_t i = 0; i < bridge->listeners.n; i++) {
		const struct reply_listener *l = &list[i];
		bool v6 = strchr(l->address, ':');
		table_add(&table, l->reason ? STYLE_BAD : STYLE_GOOD, "%s",
			l->reason ? "failed" : "listens");
		table_add(&table, STYLE_PLAIN, "http://%s%s%s:%" PRIu64, v6 ? "[" : "", l->address,
			v6 ? "]" : "", l->port);
		table_add(&table, STYLE_PLAIN, "%s", l->reason ? l->reason : "");
	}
	table_flush(&table);
}

void out_text_bridge(const struct view *v, const struct status *s)
{
	const struct reply_bridge *bridge = &s->bridge;

	if (!bridge->set)
		return;
	term_heading(&v->out, "HTTP bridge");
	term_print(&v->out, STYLE_PLAIN, "  %" PRIu64 " route%s, ", bridge->routes,
		bridge->routes == 1 ? "" : "s");
	if (bridge->attached)
		term_raw(&v->out, STYLE_GOOD, "attached");
	else
		term_raw(&v->out, STYLE_BAD, "not attached: connections wait");
	if (v->verbose)
		term_print(&v->out, STYLE_DIM, ", generation %" PRIu64, bridge->generation);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	print_listeners(v, bridge);
}
