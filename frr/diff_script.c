/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/diff_int.h"
#include "frr/place.h"
#include "frr/text.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scribe {
	struct diff *d;
	struct frr_script *script;
	struct frr_place at;
};

/* A line that nobody asked for in meshgw.yaml. */
static void write_line(struct scribe *w, const char *block, const char *part, const char *no,
	const char *text, size_t len)
{
	frr_place_go(w->script, &w->at, block, part, FRR_NOWHERE);
	frr_script_add(
		w->script, FRR_NOWHERE, "%s%s%.*s", frr_place_indent(&w->at), no, (int)len, text);
}

/* How much of it follows "no": not all takes its value again (lib/routemap_cli.c). */
static size_t removed_len(const struct frr_statement *s)
{
	static const char *const bare[] = {"description", "on-match goto"};
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
		if (text_begins(s->block, "route-map ") && text_after(s->text, bare[i]))
			return strlen(bare[i]);
	return diff_shown_len(s->text);
}

static void remove_statement(struct scribe *w, const struct frr_statement *s)
{
	const char *positive = text_after(s->text, "no");
	if (positive)
		write_line(w, s->block, s->part, "", positive, strlen(positive));
	else
		write_line(w, s->block, s->part, "no ", s->text, removed_len(s));
}

/* Will a statement that is yet to come set the same thing to another value? */
static bool is_replaced(const struct diff *d, const struct frr_statement *s)
{
	for (size_t i = 0; i < d->wants.n; i++) {
		const struct frr_want *want = &d->wants.list[i];
		if (!d->done[i] && diff_same_thing(want->text, s->text) &&
			strcmp(want->block, s->block) == 0 && strcmp(want->part, s->part) == 0)
			return true;
	}
	return false;
}

/* ---- What goes first: of `router bgp` ---- */

static void report_setting(
	struct diff *d, const struct frr_neighbor *neighbor, const struct frr_statement *s)
{
	struct frr_finding *f = diff_find(d, FRR_FOUND_FOREIGN_SETTING, neighbor->mark);
	addr_str(&neighbor->address, f->peer);
	diff_show(f, s);
}

static void remove_setting(struct scribe *w, const struct frr_neighbor *neighbor,
	const struct frr_statement *s, const char *setting)
{
	enum diff_setting what = diff_judge_setting(w->d, s, setting);
	if (what == SETTING_REPORT || what == SETTING_REMOVE_REPORT)
		report_setting(w->d, neighbor, s);
	if (what == SETTING_REMOVE_REPORT || (what == SETTING_REMOVE && !is_replaced(w->d, s)))
		remove_statement(w, s);
}

/* `no neighbor` once for all its statements, which follow each other. */
static void remove_neighbor(struct scribe *w, const struct addr *address, struct addr *last)
{
	char text[ADDR_STRLEN];
	if (addr_cmp(address, last) == 0)
		return;
	*last = *address;
	frr_place_go(w->script, &w->at, w->d->running->bgp, "", FRR_NOWHERE);
	frr_script_add(w->script, FRR_NOWHERE, " no neighbor %s", addr_str(address, text));
}

static void remove_of_neighbor(struct scribe *w, const struct addr *address,
	const struct frr_statement *s, const char *setting, struct addr *last)
{
	const struct frr_neighbor *neighbor = diff_wanted_neighbor(w->d, address);
	if (neighbor && !w->d->rebuilt[neighbor - w->d->model->neighbors])
		remove_setting(w, neighbor, s, setting);
	else if (!s->part[0])
		remove_neighbor(w, address, last);
}

/* Negative statements ("no neighbor X activate") are undone last: that lets something in. */
static void remove_from_bgp(struct scribe *w, bool negative)
{
	const struct frr_running *running = w->d->running;
	struct addr address, last = {};
	const char *peer, *setting, *rest;
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		if (w->d->kept[i] || !s->block[0] || !diff_in_bgp(w->d, s) ||
			!diff_is_mine(w->d, s) || text_begins(s->text, "no ") != negative)
			continue;
		if (frr_statement_neighbor(s->text, &peer, &setting) &&
			text_take_addr(peer, &address, &rest))
			remove_of_neighbor(w, &address, s, setting, &last);
		else if (!is_replaced(w->d, s))
			remove_statement(w, s);
	}
}

/* ---- What is added ---- */

/* The highest number in a prefix-list, so that entries are appended. */
static uint32_t last_seq(const struct diff *d, const char *text, size_t head)
{
	uint32_t last = 0, seq;
	size_t n;
	const char *rest;
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		if (!s->ours || s->block[0] || !diff_split_entry(s->text, &n) || n != head ||
			strncmp(s->text, text, n) != 0)
			continue;
		if (text_take_u32(s->text + n + strlen("seq "), &seq, &rest) && seq > last)
			last = seq;
	}
	return last;
}

static void add_entry(struct scribe *w, size_t i, size_t head, const char *rest)
{
	const struct frr_want *want = &w->d->wants.list[i];
	const char *number = want->text + head + strlen("seq ");
	uint32_t seq = 0;
	frr_place_go(w->script, &w->at, "", "", want->mark);
	if (w->d->as[i]) {
		frr_script_add(w->script, want->mark, "%s", w->d->as[i]->text);
		return;
	}
	(void)text_take_u32(number, &seq, &number);
	seq += last_seq(w->d, want->text, head);
	frr_script_add(
		w->script, want->mark, "%.*sseq %" PRIu32 " %s", (int)head, want->text, seq, rest);
}

static void add_want(struct scribe *w, size_t i)
{
	const struct frr_want *want = &w->d->wants.list[i];
	size_t head;
	const char *rest = diff_split_entry(want->text, &head);
	if (rest) {
		add_entry(w, i, head, rest);
		return;
	}
	frr_place_go(w->script, &w->at, want->block, want->part, want->mark);
	frr_script_add_secret(
		w->script, want->mark, frr_place_indent(&w->at), want->text, want->shown);
	frr_place_opened(&w->at, want->text);
}

/* The neighbour of a statement, if that is about this setting. */
static const struct frr_neighbor *neighbor_of(
	const struct diff *d, const char *text, const char *words)
{
	const char *peer, *setting, *rest;
	struct addr address;
	if (!frr_statement_neighbor(text, &peer, &setting) || !text_after(setting, words) ||
		!text_take_addr(peer, &address, &rest))
		return nullptr;
	return diff_wanted_neighbor(d, &address);
}

/* FRR activates a new neighbour in its default families at once, but no policy stands there yet.
 * If vtysh gets no further, the next script finds it inactive. */
static void activate(struct scribe *w, const struct frr_want *begin, bool on)
{
	const struct frr_neighbor *n = neighbor_of(w->d, begin->text, "remote-as");
	const bool wanted[2] = {n && n->ipv4, n && n->ipv6};
	const bool by_default[2] = {w->d->spelling.default_ipv4, w->d->spelling.default_ipv6};
	char text[ADDR_STRLEN];
	for (size_t v6 = 0; n && v6 < 2; v6++) {
		if (!by_default[v6] || (on && !wanted[v6]))
			continue;
		frr_place_go(w->script, &w->at, begin->block, frr_family_part(v6), begin->mark);
		frr_script_add(w->script, begin->mark, "%s%sneighbor %s activate",
			frr_place_indent(&w->at), on ? "" : "no ", addr_str(&n->address, text));
	}
}

static void note_begun(struct diff *d, const struct frr_want *want)
{
	const struct frr_neighbor *n = neighbor_of(d, want->text, "remote-as");
	struct frr_diff *out = d->out;
	if (!n)
		return;
	XGROW(out->begun, out->n_begun, out->cap_begun);
	out->begun[out->n_begun++] = n->address;
}

static void add_wants(struct scribe *w)
{
	for (size_t i = 0; i < w->d->wants.n; i++) {
		if (w->d->done[i])
			continue;
		note_begun(w->d, &w->d->wants.list[i]);
		add_want(w, i);
		activate(w, &w->d->wants.list[i], false);
	}
	for (size_t i = 0; i < w->d->wants.n; i++)
		if (!w->d->done[i])
			activate(w, &w->d->wants.list[i], true);
}

/* Is it there before this script, and after it without a break? */
static bool stays(const struct diff *d, const struct frr_neighbor *neighbor)
{
	for (size_t i = 0; i < d->wants.n; i++)
		if (d->done[i] && neighbor_of(d, d->wants.list[i].text, "remote-as") == neighbor)
			return true;
	return false;
}

/* Families that a neighbour leaves: while the policy still stands there. */
static void leave_families(struct scribe *w)
{
	struct diff *d = w->d;
	for (size_t i = 0; i < d->wants.n; i++) {
		const char *text = d->wants.list[i].text;
		const struct frr_neighbor *n = neighbor_of(d, text, "activate");
		if (d->done[i] || !n || !text_begins(text, "no ") || !stays(d, n))
			continue;
		add_want(w, i);
		d->done[i] = true;
	}
}

/* ---- What goes last ---- */

static bool has_statement(const struct frr_running *running, const char *text)
{
	for (size_t i = 0; i < running->n; i++)
		if (!running->list[i].block[0] && strcmp(running->list[i].text, text) == 0)
			return true;
	return false;
}

static bool wants_text(const struct diff *d, const char *text)
{
	for (size_t i = 0; i < d->wants.n; i++)
		if (strcmp(d->wants.list[i].text, text) == 0)
			return true;
	return false;
}

/* The head of a block or part that goes takes its contents along. */
static bool head_goes(const struct diff *d, const struct frr_statement *s)
{
	if (s->part[0])
		return !wants_text(d, s->part);
	return text_begins(s->block, "route-map ") && !wants_text(d, s->block);
}

/* Ours outside of `router bgp`. */
enum other { OTHER_MAPS, OTHER_LISTS, OTHER_REST };

static enum other which(const struct frr_statement *s)
{
	size_t head;
	if (diff_split_entry(s->text, &head))
		return OTHER_LISTS;
	return diff_is_policy(s) ? OTHER_MAPS : OTHER_REST;
}

static void remove_others(struct scribe *w, enum other other)
{
	const struct frr_running *running = w->d->running;
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		if (w->d->kept[i] || !s->ours || diff_in_bgp(w->d, s) || head_goes(w->d, s) ||
			which(s) != other || is_replaced(w->d, s))
			continue;
		if (other == OTHER_LISTS &&
			!s->in_mgmtd) /* it removes nothing that it does not know */
			write_line(w, "", "", "", s->text, strlen(s->text));
		remove_statement(w, s);
	}
}

static bool wants_prefix(const struct diff *d, const struct prefix *prefix)
{
	for (size_t i = 0; d->model && i < d->model->n_statics; i++)
		if (prefix_cmp(&d->model->statics[i].prefix, prefix) == 0)
			return true;
	return false;
}

/* Statics that mgmtd has forgotten, but zebra has not. One that is wanted explains itself. */
static void remove_forgotten(struct scribe *w)
{
	const struct frr_diff_input *in = w->d->input;
	for (size_t i = 0; i < in->n_installed && !in->missing[FRR_MGMTD]; i++) {
		char text[PREFIX_STRLEN], *line;
		const char *ip = in->installed[i].addr.family == AF_INET ? "ip" : "ipv6";
		if (asprintf(&line, "%s route %s %s tag %" PRIu32, ip,
			    prefix_str(&in->installed[i], text), in->installed_interface,
			    MARK_FRR_TAG) < 0)
			out_of_memory();
		if (!wants_prefix(w->d, &in->installed[i]) && !has_statement(w->d->running, line)) {
			write_line(w, "", "", "", line, strlen(line));
			write_line(w, "", "", "no ", line, strlen(line));
		}
		free(line);
	}
}

static void remove_bfd(struct scribe *w)
{
	struct diff *d = w->d;
	bool runs = has_statement(d->running, "bfd"), wanted = wants_text(d, "bfd");
	if (runs && d->input->created.bfd && !wanted && !diff_has_foreign(d, "bfd"))
		write_line(w, "", "", "", "no bfd", strlen("no bfd"));
	else
		d->out->created.bfd = runs ? d->input->created.bfd : wanted;
}

/* ---- The whole ---- */

void diff_write(struct diff *d)
{
	struct scribe w = {.d = d, .script = &d->out->script, .at = {"", "", .for_vtysh = true}};
	bool keeps_bgp = d->running->bgp && !d->bgp_removed && !diff_has_other_asn(d);
	frr_script_add(w.script, FRR_NOWHERE, "configure terminal");
	if (d->running->bgp && d->bgp_removed)
		write_line(&w, "", "", "no ", d->running->bgp, strlen(d->running->bgp));
	if (keeps_bgp) {
		leave_families(&w);
		remove_from_bgp(&w, false);
	}
	/* What somebody added to our policies must not meet a new neighbour. */
	remove_others(&w, OTHER_MAPS);
	remove_others(&w, OTHER_LISTS);
	add_wants(&w);
	if (keeps_bgp)
		remove_from_bgp(&w, true);
	remove_others(&w, OTHER_REST);
	remove_forgotten(&w);
	remove_bfd(&w);
	d->out->created.bgp = d->running->bgp && !d->bgp_removed ? d->input->created.bgp
								 : d->model != nullptr;
	frr_place_leave(w.script, &w.at, "", "");
	if (w.script->n > 1)
		frr_script_add(w.script, FRR_NOWHERE, "end");
	else
		frr_script_clear(w.script);
}
