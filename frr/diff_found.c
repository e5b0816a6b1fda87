/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/diff_int.h"
#include "frr/text.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct frr_neighbor *neighbor_at(
	const struct frr_model *model, const struct addr *address)
{
	for (size_t i = 0; model && i < model->n_neighbors; i++)
		if (addr_cmp(&model->neighbors[i].address, address) == 0)
			return &model->neighbors[i];
	return nullptr;
}

bool diff_has_other_asn(const struct diff *d)
{
	return d->model && d->running->asn && d->running->asn != d->model->asn && !d->bgp_removed;
}

const struct frr_neighbor *diff_wanted_neighbor(const struct diff *d, const struct addr *address)
{
	const struct frr_neighbor *neighbor = neighbor_at(d->model, address);
	if (!neighbor || d->skip[neighbor - d->model->neighbors])
		return nullptr;
	return diff_has_other_asn(d) ? nullptr : neighbor;
}

/* ---- Neighbours at configured addresses ---- */

static void find_neighbor(struct diff *d, const struct frr_statement *s,
	const struct frr_neighbor *neighbor, const char *setting)
{
	size_t i = (size_t)(neighbor - d->model->neighbors);
	bool ours = frr_running_is_ours(d->running, &neighbor->address) || neighbor->adopt;
	if (!ours && !d->skip[i]) {
		struct frr_finding *f = diff_find(d, FRR_FOUND_FOREIGN_NEIGHBOR, neighbor->mark);
		addr_str(&neighbor->address, f->peer);
		diff_show(f, s);
		d->skip[i] = true;
	}
	/* A member takes the group's default-originate and cannot refuse it. */
	if (ours && text_after(setting, "peer-group") && !d->rebuilt[i]) {
		struct frr_finding *f = diff_find(d, FRR_FOUND_FOREIGN_SETTING, neighbor->mark);
		addr_str(&neighbor->address, f->peer);
		diff_show(f, s);
		d->rebuilt[i] = true;
	}
}

/* "Operation not allowed on a dynamic neighbor" is FRR's answer to each statement about one. */
static void find_dynamic(struct diff *d, const struct frr_dynamic *dynamic)
{
	const struct frr_neighbor *neighbor = neighbor_at(d->model, &dynamic->address);
	if (!neighbor)
		return;
	struct frr_finding *f = diff_find(d, FRR_FOUND_DYNAMIC_NEIGHBOR, neighbor->mark);
	addr_str(&neighbor->address, f->peer);
	f->prefix = dynamic->range;
	d->skip[neighbor - d->model->neighbors] = true;
}

void diff_find_neighbors(struct diff *d)
{
	if (!d->model || diff_has_other_asn(d))
		return;
	for (size_t i = 0; i < d->input->n_dynamic; i++)
		find_dynamic(d, &d->input->dynamic[i]);
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		const char *peer, *setting, *rest;
		struct addr address;
		if (!s->block[0] || s->part[0] || !diff_in_bgp(d, s) ||
			!frr_statement_neighbor(s->text, &peer, &setting) ||
			!text_take_addr(peer, &address, &rest))
			continue;
		const struct frr_neighbor *neighbor = neighbor_at(d->model, &address);
		if (neighbor)
			find_neighbor(d, s, neighbor, setting);
	}
}

/* ---- router bgp ---- */

static const struct frr_statement *find_global(const struct diff *d, const char *words)
{
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		if (s->block[0] && !s->part[0] && diff_in_bgp(d, s) && text_after(s->text, words))
			return s;
	}
	return nullptr;
}

static void find_router_id(struct diff *d)
{
	const struct frr_statement *s = find_global(d, "bgp router-id");
	char want[ADDR_STRLEN];
	if (d->model->router_id.family == AF_UNSPEC || d->spelling.bgp_ours)
		return;
	addr_str(&d->model->router_id, want);
	if (s && strcmp(text_after(s->text, "bgp router-id"), want) == 0)
		return;
	struct frr_finding *f = diff_find(d, FRR_FOUND_OTHER_ROUTER_ID, d->model->router_id_mark);
	if (s)
		diff_show(f, s);
}

/* "bgp default ipv4-vpn": a new neighbour is active there as well (bgpd/bgp_vty.c). */
static void find_defaults(struct diff *d)
{
	size_t cap = 0;
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		const char *family = text_after(s->text, "bgp default");
		if (!family || !s->block[0] || s->part[0] || !diff_in_bgp(d, s) ||
			!text_is_plain(family) || strcmp(family, "ipv6-unicast") == 0)
			continue;
		if (!text_begins(family, "ipv4-") && !text_begins(family, "ipv6-") &&
			!text_begins(family, "l2vpn-"))
			continue;
		XGROW(d->spelling.defaults, d->spelling.n_defaults, cap);
		d->spelling.defaults[d->spelling.n_defaults++] = family;
	}
}

void diff_find_bgp(struct diff *d)
{
	const struct frr_running *running = d->running;
	d->spelling = (struct frr_spelling){.bgp_ours = true};
	if (!d->model || !running->bgp || d->bgp_removed)
		return;
	bool ours = d->input->created.bgp;
	d->spelling = (struct frr_spelling){
		.bgp = running->bgp,
		.bgp_ours = ours,
		.default_ipv4 = !ours && !find_global(d, "no bgp default ipv4-unicast"),
		.default_ipv6 = find_global(d, "bgp default ipv6-unicast"),
	};
	if (diff_has_other_asn(d)) {
		struct frr_finding *f = diff_find(d, FRR_FOUND_OTHER_ASN, d->model->asn_mark);
		f->asn = running->asn;
		escape_text(running->bgp, strlen(running->bgp), f->text, sizeof(f->text));
		return;
	}
	find_router_id(d);
	find_defaults(d);
	const struct frr_statement *s = find_global(d, "no bgp network import-check");
	if (s) {
		struct frr_finding *f = diff_find(
			d, FRR_FOUND_IMPORT_CHECK_OFF, d->model->asn_mark);
		diff_show(f, s);
	}
}

/* ---- Statics and networks of others ---- */

/* A prefix of the model and its index, sorted for the search. */
struct range {
	struct prefix prefix;
	size_t i;
};

static int range_cmp(const void *a, const void *b)
{
	return prefix_cmp(&((const struct range *)a)->prefix, &((const struct range *)b)->prefix);
}

/* The prefix of a static in the main table, or of a network statement. */
static bool take_static(const char *text, struct prefix *out, const char **rest)
{
	const char *after = text_after(text, "ip route");
	if (!after)
		after = text_after(text, "ipv6 route");
	return after && text_take_prefix(after, out, rest) && !text_has(*rest, "table") &&
	       !text_has(*rest, "vrf");
}

static bool take_network(const char *text, struct prefix *out, const char **rest)
{
	const char *after = text_after(text, "network");
	return after && text_take_prefix(after, out, rest);
}

static void found_foreign(struct diff *d, const struct frr_statement *s, enum frr_finding_code code,
	const struct frr_static *range)
{
	struct frr_finding *f = diff_find(d, code, range->mark);
	f->prefix = range->prefix;
	diff_show(f, s);
}

/* What stands for our own statement is not written. */
static void mark_done(struct diff *d, enum frr_finding_code code, const struct prefix *prefix)
{
	bool (*take)(const char *, struct prefix *,
		const char **) = code == FRR_FOUND_FOREIGN_STATIC ? take_static : take_network;
	for (size_t i = 0; i < d->wants.n; i++) {
		struct prefix found;
		const char *rest;
		if (take(d->wants.list[i].text, &found, &rest) && prefix_cmp(&found, prefix) == 0)
			d->done[i] = true;
	}
}

static void find_foreign_of(
	struct diff *d, const struct frr_statement *s, const struct range *ranges)
{
	struct range key;
	const char *rest;
	enum frr_finding_code code;
	if (!s->block[0] && take_static(s->text, &key.prefix, &rest))
		code = FRR_FOUND_FOREIGN_STATIC;
	else if (s->part[0] && diff_in_bgp(d, s) && take_network(s->text, &key.prefix, &rest))
		code = FRR_FOUND_FOREIGN_NETWORK;
	else
		return;
	const struct range *found = bsearch(
		&key, ranges, d->model->n_statics, sizeof(*ranges), range_cmp);
	if (!found)
		return;
	found_foreign(d, s, code, &d->model->statics[found->i]);
	mark_done(d, code, &key.prefix);
}

/* What stands in a block that begins so, its head, or begins so itself, is not written. */
static void leave_alone(struct diff *d, const char *begin)
{
	for (size_t i = 0; i < d->wants.n; i++)
		if (text_begins(d->wants.list[i].block, begin) ||
			text_begins(d->wants.list[i].text, begin))
			d->done[i] = true;
}

/* vtysh loses the lines of a daemon that does not run, and says nothing on standard output. The
 * statics are mgmtd's. */
static void leave_missing_alone(struct diff *d)
{
	const bool *missing = d->input->missing;
	if (missing[FRR_MGMTD]) {
		leave_alone(d, "ip route ");
		leave_alone(d, "ipv6 route ");
	}
	if (missing[FRR_BGPD])
		leave_alone(d, "router bgp ");
	if (missing[FRR_BFDD])
		leave_alone(d, "bfd");
}

void diff_find_foreign(struct diff *d)
{
	if (!d->model)
		return;
	if (diff_has_other_asn(d))
		leave_alone(d, ""); /* statics alone would announce nothing, or too much */
	leave_missing_alone(d);
	struct range *ranges = xcalloc(d->model->n_statics, sizeof(*ranges));
	for (size_t i = 0; i < d->model->n_statics; i++)
		ranges[i] = (struct range){d->model->statics[i].prefix, i};
	qsort(ranges, d->model->n_statics, sizeof(*ranges), range_cmp);
	for (size_t i = 0; i < d->running->n; i++)
		if (!diff_is_mine(d, &d->running->list[i]))
			find_foreign_of(d, &d->running->list[i], ranges);
	free(ranges);
}
