/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_edge: the nodes of this edge: who carries each and why, what is theirs, what passed and
 * what did not, and every replica that could.
 */
#include "cli/out.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t PREFIXES_SHOWN = 8;

/* ---- texts that grow ---- */

struct text {
	char *bytes;
	size_t n;
	FILE *file;
};

static void text_begin(struct text *t)
{
	*t = (struct text){};
	t->file = open_memstream(&t->bytes, &t->n);
	if (!t->file)
		out_of_memory();
}

/* A row of what was written, if there is anything. */
static void text_row(struct text *t, struct table *table, const char *name)
{
	fclose(t->file);
	if (t->n) {
		table_add(table, STYLE_DIM, "%s", name);
		table_add(table, STYLE_PLAIN, "%s", t->bytes);
	}
	free(t->bytes);
}

static const char *comma(const struct text *t)
{
	fflush(t->file);
	return t->n ? ", " : "";
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* ---- the edge ---- */

static size_t count_active(const struct reply_edge *edge)
{
	const struct reply_edge_node *nodes = edge->nodes.items;
	size_t n = 0;

	for (size_t i = 0; i < edge->nodes.n; i++)
		n += nodes[i].active != nullptr;
	return n;
}

static void row_of_strings(struct table *table, const char *name, sd_json_variant *list)
{
	size_t n = list ? sd_json_variant_elements(list) : 0;
	struct text t;

	text_begin(&t);
	for (size_t i = 0; i < n && i < PREFIXES_SHOWN; i++)
		fprintf(t.file, "%s%s", comma(&t),
			sd_json_variant_string(sd_json_variant_by_index(list, i)));
	if (n > PREFIXES_SHOWN)
		fprintf(t.file, " and %zu more; --json has all", n - PREFIXES_SHOWN);
	text_row(&t, table, name);
}

static void row_of_sockets(struct table *table, const struct list *sockets)
{
	const struct reply_socket *list = sockets->items;
	struct text t;

	text_begin(&t);
	for (size_t i = 0; i < sockets->n; i++) {
		bool v6 = strchr(list[i].address, ':');
		fprintf(t.file, "%s%s%s%s:%" PRIu64 "%s%s", comma(&t), v6 ? "[" : "",
			list[i].address, v6 ? "]" : "", list[i].port,
			list[i].reason ? " failed: " : "", list[i].reason ? list[i].reason : "");
	}
	text_row(&t, table, "listens");
}

static void row_of_limits(struct table *table, const struct reply_edge *edge)
{
	table_add(table, STYLE_DIM, "limits");
	table_add(table, STYLE_PLAIN,
		"%" PRIu64 " connections, %" PRIu64 " unauthenticated (above %" PRIu64
		" with Retry), %" PRIu64 " handshakes a second of one network",
		edge->connections, edge->unauthenticated, edge->retry_above, edge->handshakes);
}

/* Of the tunnel's counters those that say that somebody got nothing. */
static void row_of_losses(struct table *table, sd_json_variant *counters)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
		{"refused", "handshakes over the limits"},
		{"handshakesFailed", "handshakes failed"},
		{"noPeer", "packets to no node"},
		{"tooBig", "packets too large"},
		{"queueFull", "packets to a full queue"},
		{"udpLost", "datagrams not sent"},
		{"tunLost", "packets the kernel did not take"},
	};
	struct text t;

	text_begin(&t);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t n = tally_of(counters, rows[i].name);
		if (n)
			fprintf(t.file, "%s%s: %" PRIu64, comma(&t), rows[i].says, n);
	}
	text_row(&t, table, "lost");
}

static void print_edge(const struct view *v, const struct reply_tunnel *tunnel)
{
	const struct reply_edge *edge = &tunnel->edge;
	struct table table = {.term = &v->out, .columns = 2, .indent = 2};

	term_print(&v->out, STYLE_PLAIN, "Edge: %zu of %zu node%s with an active replica",
		count_active(edge), edge->nodes.n, plural(edge->nodes.n));
	if (!tunnel->attached)
		term_raw(&v->out, STYLE_BAD, "; meshgw-tunnel is not attached");
	if (edge->without_address)
		term_print(&v->out, STYLE_BAD, "; the pool has no address for %" PRIu64,
			edge->without_address);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	row_of_sockets(&table, &tunnel->sockets);
	row_of_strings(&table, "pool", edge->pool);
	row_of_limits(&table, edge);
	row_of_losses(&table, tunnel->counters);
	table_flush(&table);
}

/* ---- a node ---- */

static const char *why_str(const char *why)
{
	static const struct {
		const char *why, *says;
	} rows[] = {
		{"first", "the first to come"},
		{"lost", "the one before it was lost"},
		{"promoted", "promoted by hand"},
		{"renewed", "it came anew"},
		{"removed", "the one before it was removed"},
		{"silent", "the one before it does not answer"},
	};

	for (size_t i = 0; why && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].why, why) == 0)
			return rows[i].says;
	return why;
}

static bool has_standby(const struct reply_edge_node *node)
{
	const struct reply_replica *list = node->replicas.items;

	for (size_t i = 0; i < node->replicas.n; i++)
		if (strcmp(list[i].state, "standby") == 0)
			return true;
	return false;
}

static void print_active(const struct view *v, const struct reply_edge_node *node)
{
	bool known = node->seconds != REPLY_NEVER;
	struct shown_time since = time_span(known ? node->seconds * 1'000'000 : 0);

	if (node->active) {
		term_print(&v->out, STYLE_GOOD, "%s is active", node->active);
		term_print(&v->out, STYLE_PLAIN, " for %s: %s", since.text,
			node->why ? why_str(node->why) : "");
	} else {
		term_raw(&v->out, STYLE_BAD, "no replica is active");
		if (known)
			term_print(&v->out, STYLE_PLAIN, " for %s", since.text);
		if (has_standby(node))
			term_raw(&v->out, STYLE_PLAIN, "; one stands by: meshgw edge promote");
	}
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

static void row_of_node_limits(struct table *table, const struct reply_edge_node *node)
{
	struct text t;

	text_begin(&t);
	if (node->packets_limit)
		fprintf(t.file, "%" PRIu64 " packets", node->packets_limit);
	if (node->bytes_limit)
		fprintf(t.file, "%s%s", comma(&t), byte_count(node->bytes_limit).text);
	if (*comma(&t))
		fputs(" a second each way", t.file);
	text_row(&t, table, "limits");
}

/* The words of connip/reason.h, for people; others as they are. */
static const char *reason_str(const char *reason)
{
	static const char *const rows[][2] = {
		{"bad-source", "spoofed source"},
		{"expired", "TTL used up"},
		{"no-route", "no route"},
		{"too-big", "too large"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i][0], reason) == 0)
			return rows[i][1];
	return reason;
}

struct drops {
	const struct text *text;
	bool any;
};

static void add_drop(struct drops *d, uint64_t n, const char *why)
{
	if (!n)
		return;
	fprintf(d->text->file, "%s%" PRIu64 " %s", d->any ? ", " : "; dropped: ", n, why);
	d->any = true;
}

/* Of the connections that stand; those of former ones are forgotten with them. */
static void add_drops(struct drops *d, const struct reply_edge_node *node, bool in)
{
	const struct reply_replica *list = node->replicas.items;
	const char *reason;
	uint64_t n;

	for (size_t i = 0; i < node->replicas.n; i++) {
		const struct reply_peer *p = &list[i].peer;
		sd_json_variant *drops = in ? p->drops_in : p->drops_out;
		for (size_t k = 0; tally_at(drops, k, &reason, &n); k++)
			add_drop(d, n, reason_str(reason));
	}
}

static void row_of_way(
	struct table *table, const struct reply_edge_node *node, const struct reply_way *way)
{
	bool in = way == &node->in;
	struct text t;
	struct drops drops = {.text = &t};

	text_begin(&t);
	fprintf(t.file, "%" PRIu64 " packet%s, %s", way->packets, plural(way->packets),
		byte_count(way->bytes).text);
	add_drop(&drops, way->limited, "over the limits");
	if (in)
		add_drop(&drops, node->foreign, "another node's source");
	add_drops(&drops, node, in);
	text_row(&t, table, in ? "from it" : "to it");
}

static void add_replica(struct table *table, const struct reply_replica *r)
{
	bool active = strcmp(r->state, "active") == 0, known = r->seconds != REPLY_NEVER;
	const struct reply_peer *p = &r->peer;

	table_add(table, STYLE_PLAIN, "%s", r->name);
	table_add(table,
		active   ? STYLE_GOOD
		: p->set ? STYLE_PLAIN
			 : STYLE_WARN,
		"%s%s%s", r->state, known ? " for " : "",
		known ? time_span(r->seconds * 1'000'000).text : "");
	table_add(table, STYLE_PLAIN, "%s", p->set ? p->address : "");
	table_add(table, STYLE_PLAIN, "%s", p->set && p->group ? p->group : "");
	table_add(table, STYLE_PLAIN, "%s", p->set && p->cipher ? p->cipher : "");
	for (size_t i = 0; r->pins && i < sd_json_variant_elements(r->pins); i++)
		table_add_line(table, STYLE_DIM, "  %s",
			sd_json_variant_string(sd_json_variant_by_index(r->pins, i)));
}

static void print_node(const struct view *v, const struct reply_edge_node *node)
{
	const struct reply_replica *list = node->replicas.items;
	struct table table = {.term = &v->out, .columns = 2, .indent = 2};
	struct table replicas = {.term = &v->out, .columns = 5, .indent = 2};

	term_raw(&v->out, STYLE_PLAIN, "\n");
	term_print(&v->out, STYLE_BOLD, "%s", node->name);
	term_raw(&v->out, STYLE_PLAIN, ": ");
	print_active(v, node);
	row_of_strings(&table, "addresses", node->addresses);
	row_of_strings(&table, "routes", node->routes);
	row_of_node_limits(&table, node);
	row_of_way(&table, node, &node->in);
	row_of_way(&table, node, &node->out);
	table_add(&table, STYLE_DIM, "promotion");
	table_add(&table, STYLE_PLAIN, "%s, %" PRIu64 " change%s", node->promotion, node->changes,
		plural(node->changes));
	table_flush(&table);
	for (size_t i = 0; i < node->replicas.n; i++)
		add_replica(&replicas, &list[i]);
	table_flush(&replicas);
}

void out_text_edge(const struct view *v, const struct reply_tunnel *t)
{
	const struct reply_edge_node *nodes = t->edge.nodes.items;

	print_edge(v, t);
	for (size_t i = 0; i < t->edge.nodes.n; i++)
		print_node(v, &nodes[i]);
}

void out_text_promoted(const struct view *v, const struct promoted *p)
{
	term_print(&v->out, STYLE_PLAIN, "%s is now the active replica of %s", p->active, p->node);
	if (p->before)
		term_print(&v->out, STYLE_PLAIN, "; %s was before", p->before);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}
