/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/diff.h"
#include "frr/diff_int.h"
#include "frr/text.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[FRR_FINDING_CODES] = {
	[FRR_FOUND_OTHER_ASN] = "other-asn",
	[FRR_FOUND_OTHER_ROUTER_ID] = "other-router-id",
	[FRR_FOUND_FOREIGN_NEIGHBOR] = "foreign-neighbor",
	[FRR_FOUND_DYNAMIC_NEIGHBOR] = "dynamic-neighbor",
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
const char *diff_split_entry(const char *text, size_t *head)
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
	const char *rest_a = diff_split_entry(a, &na), *rest_b = diff_split_entry(b, &nb);
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

bool diff_is_policy(const struct frr_statement *s)
{
	return text_begins(s->block, "route-map ") || text_begins(s->text, "route-map ") ||
	       text_begins(s->text, "ip prefix-list ") || text_begins(s->text, "ipv6 prefix-list ");
}

/* A policy that only others than bgpd have does nothing. */
static bool has_effect(const struct frr_statement *s)
{
	return !diff_is_policy(s) || s->in_bgpd;
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
		if (d->done[want])
			continue; /* twice, by other numbers */
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

/* ---- Blocks that we share ---- */

/* Does the block hold anything foreign? */
bool diff_has_foreign(const struct diff *d, const char *block)
{
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		if (strcmp(s->block, block) == 0 && !diff_is_mine(d, s) && !frr_is_family(s->text))
			return true;
	}
	return false;
}

/* FRR keeps the default instance while another exchanges routes with it (bgpd/bgp_vty.c,
 * no_router_bgp). */
static bool is_needed(const struct frr_running *running)
{
	static const char *const exchange[] = {
		"export vpn", "import vpn", "import vrf", "advertise", "vni"};
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		bool other = s->block != running->bgp && (text_begins(s->block, "router bgp ") ||
								 text_begins(s->block, "vrf "));
		for (size_t j = 0; other && j < sizeof(exchange) / sizeof(exchange[0]); j++)
			if (text_after(s->text, exchange[j]))
				return true;
	}
	return false;
}

static void decide_blocks(struct diff *d)
{
	const struct frr_running *running = d->running;
	d->bgp_removed = running->bgp && d->input->created.bgp &&
			 (!d->model || d->model->asn != running->asn) &&
			 !diff_has_foreign(d, running->bgp) && !is_needed(running);
}

/* ---- The whole ---- */

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
	diff_write(&d);
	frr_wants_clear(&d.wants);
	free(d.spelling.defaults);
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
	free(diff->begun);
	*diff = (struct frr_diff){};
}
