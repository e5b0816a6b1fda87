/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_tunnel: the gateway's own tunnel: with whom, since when and how it was agreed; what the
 * edge gave and what was refused of it; why it is not there. An edge's nodes have a command of
 * their own.
 */
#include "cli/out.h"
#include <inttypes.h>
#include <string.h>

static void print_peer(const struct view *v, const struct reply_peer *p)
{
	if (p->node)
		term_print(&v->out, STYLE_GOOD, "connected to %s, %s", p->node, p->address);
	else
		term_print(&v->out, STYLE_GOOD, "connected to %s", p->address);
	term_print(&v->out, STYLE_PLAIN, " for %s", time_span(p->seconds * 1'000'000).text);
	if (p->group)
		term_print(&v->out, STYLE_PLAIN, ", %s", p->group);
	if (p->cipher)
		term_print(&v->out, STYLE_PLAIN, ", %s", p->cipher);
}

static const struct reply_peer *open_peer(const struct reply_tunnel *t)
{
	const struct reply_peer *list = t->peers.items;

	for (size_t i = 0; i < t->peers.n; i++)
		if (strcmp(list[i].state, "connecting") != 0)
			return &list[i];
	return nullptr;
}

constexpr size_t STRINGS_SHOWN = 8;

/* In one line. */
static void print_strings(const struct view *v, const char *name, sd_json_variant *list)
{
	size_t n = list ? sd_json_variant_elements(list) : 0;

	term_print(&v->out, STYLE_PLAIN, "  %s: ", name);
	for (size_t i = 0; i < n && i < STRINGS_SHOWN; i++)
		term_print(&v->out, STYLE_PLAIN, "%s%s", i ? ", " : "",
			sd_json_variant_string(sd_json_variant_by_index(list, i)));
	if (n > STRINGS_SHOWN)
		term_print(
			&v->out, STYLE_PLAIN, " and %zu more; --json has all", n - STRINGS_SHOWN);
	term_raw(&v->out, STYLE_PLAIN, n ? "\n" : "none\n");
}

static void print_trouble(const struct view *v, const struct reply_dial *d)
{
	if (!d->set || (!d->error && !d->pause_ms))
		return;
	term_print(&v->out, STYLE_BAD, "  %s", d->error ? d->error : d->state);
	if (d->pause_ms)
		term_print(&v->out, STYLE_PLAIN, "; dialled again in %" PRIu64 ".%" PRIu64 " s",
			d->pause_ms / 1000, d->pause_ms / 100 % 10);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

static void print_connector(const struct view *v, const struct reply_tunnel *t)
{
	const struct reply_refusal *refused = t->refused.items;
	const struct reply_peer *peer = open_peer(t);

	if (peer)
		print_peer(v, peer);
	else
		term_raw(&v->out, STYLE_BAD, "no edge is connected");
	term_raw(&v->out, STYLE_PLAIN, "\n");
	print_trouble(v, &t->dial);
	print_strings(v, "addresses", t->addresses);
	print_strings(v, "routes", t->routes);
	for (size_t i = 0; i < t->refused.n; i++) {
		term_print(&v->out, STYLE_WARN, "  refused %s: %s", refused[i].prefix,
			refused[i].reason);
		term_raw(&v->out, STYLE_PLAIN, "\n");
	}
}

static void print_edge(const struct view *v, const struct reply_tunnel *t)
{
	const struct reply_edge *edge = &t->edge;
	const struct reply_edge_node *nodes = edge->nodes.items;
	size_t active = 0;

	for (size_t i = 0; i < edge->nodes.n; i++)
		active += nodes[i].active != nullptr;
	term_print(&v->out, active ? STYLE_PLAIN : STYLE_WARN,
		"%zu of %zu nodes with an active replica; see meshgw edge status", active,
		edge->nodes.n);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	if (t->addresses && sd_json_variant_elements(t->addresses) > 0)
		print_strings(v, "addresses", t->addresses);
}

static void print_more(const struct view *v, uint64_t peers)
{
	if (!peers)
		return;
	term_print(&v->out, STYLE_WARN, "  %" PRIu64 " connections more than are shown", peers);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

void out_text_tunnel(const struct view *v, const struct status *s)
{
	const struct reply_tunnel *t = &s->tunnel;

	if (!t->set)
		return;
	term_heading(&v->out, "Tunnel");
	term_print(&v->out, STYLE_PLAIN, "  %s, ", t->role);
	if (!t->attached)
		term_raw(&v->out, STYLE_BAD, "meshgw-tunnel is not attached; ");
	if (t->edge.set)
		print_edge(v, t);
	else
		print_connector(v, t);
	print_more(v, t->peers_more);
}
