/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/diff.h"
#include "frr/diff_int.h"
#include "frr/place.h"
#include "frr/text.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[FRR_FINDING_CODES] = {
	[FRR_FOUND_OTHER_ASN] = "other-asn",
	[FRR_FOUND_OTHER_ROUTER_ID] = "other-router-id",
	[FRR_FOUND_FOREIGN_NEIGHBOR] = "foreign-neighbor",
	[FRR_FOUND_FOREIGN_SETTING] = "foreign-setting",
	[FRR_FOUND_FOREIGN_STATIC] = "foreign-static",
	[FRR_FOUND_FOREIGN_NETWORK] = "foreign-network",
	[FRR_FOUND_LEAK] = "leak",
	[FRR_FOUND_IMPORT_CHECK_OFF] = "import-check-off",
};

const char *frr_finding_code_str(enum frr_finding_code code)
{
	return codes[code];
}

struct frr_finding *diff_find(struct diff *d, enum frr_finding_code code, struct frr_mark mark)
{
	struct frr_diff *out = d->out;
	XGROW(out->findings, out->n_findings, out->cap_findings);
	out->findings[out->n_findings] = (struct frr_finding){.code = code, .mark = mark};
	return &out->findings[out->n_findings++];
}

void diff_show(struct frr_finding *finding, const struct frr_statement *s)
{
	char *text;
	if (asprintf(&text, "%s%s%.*s", s->part, s->part[0] ? ": " : "",
		    (int)diff_shown_len(s->text), s->text) < 0)
		out_of_memory();
	escape_text(text, strlen(text), finding->text, sizeof(finding->text));
	free(text);
}

/* ---- Pairing ---- */

/* "ip prefix-list NAME " and what follows its sequence number: entries of ours are all permits, so
 * their order means nothing and their numbers are not compared. */
static const char *split_entry(const char *text, size_t *head)
{
	const char *name = text_after(text, "ip prefix-list");
	const char *rest;
	uint32_t seq;
	if (!name)
		name = text_after(text, "ipv6 prefix-list");
	if (!name)
		return nullptr;
	const char *number = text_after(text_next(name), "seq");
	if (!number || !text_take_u32(number, &seq, &rest))
		return nullptr;
	*head = (size_t)(text_next(name) - text);
	return rest;
}

static int text_cmp(const char *a, const char *b)
{
	size_t na, nb;
	const char *rest_a = split_entry(a, &na), *rest_b = split_entry(b, &nb);
	if (!rest_a || !rest_b)
		return strcmp(a, b);
	int c = strncmp(a, b, na < nb ? nb : na);
	return c ? c : strcmp(rest_a, rest_b);
}

static int place_cmp(
	const char *block_a, const char *part_a, const char *block_b, const char *part_b)
{
	int c = strcmp(block_a, block_b);
	return c ? c : strcmp(part_a, part_b);
}

static int want_cmp(const void *pa, const void *pb)
{
	const struct frr_want *a = *(struct frr_want *const *)pa,
			      *b = *(struct frr_want *const *)pb;
	int c = place_cmp(a->block, a->part, b->block, b->part);
	return c ? c : text_cmp(a->text, b->text);
}

static int statement_cmp(const void *ps, const void *pw)
{
	const struct frr_statement *s = ps;
	const struct frr_want *w = *(struct frr_want *const *)pw;
	int c = place_cmp(s->block, s->part, w->block, w->part);
	return c ? c : text_cmp(s->text, w->text);
}

/* Removed and written anew, though it is wanted. */
static bool goes_anyway(const struct diff *d, const struct frr_statement *s)
{
	const char *peer, *setting, *rest;
	struct addr address;
	if (!diff_in_bgp(d, s))
		return false;
	if (d->bgp_removed)
		return true;
	if (!frr_statement_neighbor(s->text, &peer, &setting) ||
		!text_take_addr(peer, &address, &rest))
		return false;
	const struct frr_neighbor *neighbor = diff_wanted_neighbor(d, &address);
	return neighbor && d->rebuilt[neighbor - d->model->neighbors];
}

/* A policy that only others than bgpd have does nothing. */
static bool has_effect(const struct frr_statement *s)
{
	bool policy = text_begins(s->block, "route-map ") || text_begins(s->text, "route-map ") ||
		      text_begins(s->text, "ip prefix-list ") ||
		      text_begins(s->text, "ipv6 prefix-list ");
	return !policy || s->in_bgpd;
}

static void pair(struct diff *d)
{
	struct frr_want **index = xcalloc(d->wants.n, sizeof(*index));
	for (size_t i = 0; i < d->wants.n; i++)
		index[i] = &d->wants.list[i];
	qsort(index, d->wants.n, sizeof(*index), want_cmp);
	for (size_t i = 0; i < d->running->n; i++) {
		struct frr_want **found = bsearch(
			&d->running->list[i], index, d->wants.n, sizeof(*index), statement_cmp);
		if (!found || goes_anyway(d, &d->running->list[i]))
			continue;
		size_t want = (size_t)(*found - d->wants.list);
		d->kept[i] = true;
		d->as[want] = &d->running->list[i];
		d->done[want] = has_effect(&d->running->list[i]);
	}
	free(index);
}

bool diff_in_bgp(const struct diff *d, const struct frr_statement *s)
{
	const char *bgp = d->running->bgp;
	return bgp && (strcmp(s->block, bgp) == 0 || (!s->block[0] && strcmp(s->text, bgp) == 0));
}

static bool is_global(const struct frr_statement *s)
{
	return !s->part[0] && (text_after(s->text, "bgp router-id") ||
				      strcmp(s->text, "no bgp default ipv4-unicast") == 0);
}

bool diff_is_mine(const struct diff *d, const struct frr_statement *s)
{
	const char *peer, *setting, *rest;
	struct addr address;
	if (s->ours)
		return true;
	if (!diff_in_bgp(d, s) || !s->block[0] || !text_is_plain(s->part) ||
		!text_is_plain(s->text))
		return false;
	if (d->input->created.bgp && is_global(s))
		return true;
	if (!frr_statement_neighbor(s->text, &peer, &setting) ||
		!text_take_addr(peer, &address, &rest))
		return false;
	const struct frr_neighbor *neighbor = diff_wanted_neighbor(d, &address);
	return neighbor && neighbor->adopt;
}

/* ---- The script ---- */

struct scribe {
	struct diff *d;
	struct frr_script *script;
	struct frr_place at;
};

static void write_line(struct scribe *w, const char *block, const char *part, struct frr_mark mark,
	const char *no, const char *text, size_t len)
{
	frr_place_go(w->script, &w->at, block, part, mark);
	frr_script_add(w->script, mark, "%s%s%.*s", frr_place_indent(&w->at), no, (int)len, text);
}

static void remove_statement(struct scribe *w, const struct frr_statement *s)
{
	const char *positive = text_after(s->text, "no");
	if (positive)
		write_line(w, s->block, s->part, FRR_NOWHERE, "", positive, strlen(positive));
	else
		write_line(
			w, s->block, s->part, FRR_NOWHERE, "no ", s->text, diff_shown_len(s->text));
}

/* Will a statement that is yet to come set the same thing to another value? */
static bool is_replaced(const struct diff *d, const struct frr_statement *s)
{
	for (size_t i = 0; i < d->wants.n; i++) {
		const struct frr_want *want = &d->wants.list[i];
		if (!d->done[i] && diff_same_thing(want->text, s->text) &&
			place_cmp(want->block, want->part, s->block, s->part) == 0)
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
		if (!s->ours || s->block[0] || !split_entry(s->text, &n) || n != head ||
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

static void add_wants(struct scribe *w)
{
	for (size_t i = 0; i < w->d->wants.n; i++) {
		const struct frr_want *want = &w->d->wants.list[i];
		size_t head;
		const char *rest = split_entry(want->text, &head);
		if (w->d->done[i])
			continue;
		if (rest) {
			add_entry(w, i, head, rest);
			continue;
		}
		frr_place_go(w->script, &w->at, want->block, want->part, want->mark);
		frr_script_add_secret(
			w->script, want->mark, frr_place_indent(&w->at), want->text, want->shown);
		frr_place_opened(&w->at, want->text);
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

static void remove_others(struct scribe *w, bool lists)
{
	const struct frr_running *running = w->d->running;
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		size_t head;
		if (w->d->kept[i] || !s->ours || diff_in_bgp(w->d, s) || head_goes(w->d, s) ||
			(split_entry(s->text, &head) != nullptr) != lists || is_replaced(w->d, s))
			continue;
		if (lists && !s->in_mgmtd) /* it removes nothing that it does not know */
			write_line(w, "", "", FRR_NOWHERE, "", s->text, strlen(s->text));
		remove_statement(w, s);
	}
}

/* Statics that mgmtd has forgotten, but zebra has not. */
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
		if (!wants_text(w->d, line) && !has_statement(w->d->running, line)) {
			write_line(w, "", "", FRR_NOWHERE, "", line, strlen(line));
			write_line(w, "", "", FRR_NOWHERE, "no ", line, strlen(line));
		}
		free(line);
	}
}

/* ---- Blocks that we share ---- */

/* Does the block hold anything foreign? */
static bool has_foreign(const struct diff *d, const char *block)
{
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		if (strcmp(s->block, block) == 0 && !diff_is_mine(d, s) && !frr_is_family(s->text))
			return true;
	}
	return false;
}

/* Another instance keeps FRR from removing the default one. */
static bool has_other_instance(const struct frr_running *running)
{
	for (size_t i = 0; i < running->n; i++)
		if (!running->list[i].block[0] && running->list[i].text != running->bgp &&
			text_begins(running->list[i].text, "router bgp "))
			return true;
	return false;
}

static void decide_blocks(struct diff *d)
{
	const struct frr_running *running = d->running;
	d->bgp_removed = running->bgp && d->input->created.bgp &&
			 (!d->model || d->model->asn != running->asn) &&
			 !has_foreign(d, running->bgp) && !has_other_instance(running);
}

static void remove_bfd(struct scribe *w)
{
	struct diff *d = w->d;
	bool runs = has_statement(d->running, "bfd"), wanted = wants_text(d, "bfd");
	if (runs && d->input->created.bfd && !wanted && !has_foreign(d, "bfd"))
		write_line(w, "", "", FRR_NOWHERE, "", "no bfd", strlen("no bfd"));
	else
		d->out->created.bfd = runs ? d->input->created.bfd : wanted;
}

/* ---- The whole ---- */

static void write_script(struct diff *d)
{
	struct scribe w = {.d = d, .script = &d->out->script, .at = {"", "", .for_vtysh = true}};
	bool keeps_bgp = d->running->bgp && !d->bgp_removed && !diff_has_other_asn(d);
	if (d->bgp_removed)
		write_line(
			&w, "", "", FRR_NOWHERE, "no ", d->running->bgp, strlen(d->running->bgp));
	if (keeps_bgp)
		remove_from_bgp(&w, false);
	add_wants(&w);
	if (keeps_bgp)
		remove_from_bgp(&w, true);
	remove_others(&w, false);
	remove_forgotten(&w);
	remove_others(&w, true);
	remove_bfd(&w);
	d->out->created.bgp = d->running->bgp && !d->bgp_removed ? d->input->created.bgp
								 : d->model != nullptr;
	frr_place_leave(w.script, &w.at, "", "");
}

static void wrap_script(struct frr_script *script)
{
	if (script->n == 0)
		return;
	frr_script_add(script, FRR_NOWHERE, "end");
	frr_script_add(script, FRR_NOWHERE, "configure terminal");
	struct frr_line first = script->lines[script->n - 1];
	memmove(script->lines + 1, script->lines, (script->n - 1) * sizeof(*script->lines));
	script->lines[0] = first;
}

void frr_diff(const struct frr_diff_input *input, struct frr_diff *out)
{
	struct diff d = {
		.input = input,
		.model = input->model,
		.running = input->running,
		.out = out,
		.kept = xcalloc(input->running->n, sizeof(bool)),
	};
	size_t n_neighbors = d.model ? d.model->n_neighbors : 0;
	*out = (struct frr_diff){};
	d.skip = xcalloc(n_neighbors, sizeof(bool));
	d.rebuilt = xcalloc(n_neighbors, sizeof(bool));
	diff_find_neighbors(&d);
	decide_blocks(&d);
	diff_find_bgp(&d);
	if (d.model)
		frr_want_all(d.model, &d.spelling, d.skip, &d.wants);
	d.done = xcalloc(d.wants.n, sizeof(bool));
	d.as = xcalloc(d.wants.n, sizeof(struct frr_statement *));
	pair(&d);
	diff_find_foreign(&d);
	diff_find_leaks(&d);
	write_script(&d);
	wrap_script(&out->script);
	frr_wants_clear(&d.wants);
	free(d.done);
	free(d.as);
	free(d.kept);
	free(d.skip);
	free(d.rebuilt);
}

void frr_diff_clear(struct frr_diff *diff)
{
	frr_script_clear(&diff->script);
	free(diff->findings);
	*diff = (struct frr_diff){};
}
