/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/allow.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdlib.h>

/* A box and what the search for overlaps needs. Boxes are sorted by destination, then source; as
 * prefixes nest or are disjoint, whatever contains an entry stands before it. */
struct box {
	struct nft_allow e;
	size_t layer;
	size_t up; /* nearest box before, of this destination, whose source contains ours */
};

/* Boxes of one destination: a slice of the sorted list. */
struct group {
	size_t first, end;
	size_t parent; /* group of the next larger destination around this one */
};

constexpr size_t NONE = SIZE_MAX;

static int allow_cmp(const void *pa, const void *pb)
{
	const struct nft_allow *a = pa, *b = pb;
	int order = prefix_cmp(&a->to, &b->to);

	if (!order)
		order = prefix_cmp(&a->from, &b->from);
	if (!order)
		order = (int)a->proto_first - b->proto_first;
	if (!order)
		order = (int)b->proto_last - a->proto_last;
	if (!order)
		order = (int)a->port_first - b->port_first;
	if (!order)
		order = (int)b->port_last - a->port_last;
	return order;
}

/* The order of exact entries keeps those of one range together. */
static int exact_cmp(const void *pa, const void *pb)
{
	const struct nft_allow *a = pa, *b = pb;
	int order = prefix_cmp(&a->from, &b->from);

	return order ? order : allow_cmp(pa, pb);
}

static int box_cmp(const void *pa, const void *pb)
{
	const struct box *a = pa, *b = pb;

	return allow_cmp(&a->e, &b->e);
}

/* For bsearch(3) and qsort(3). */
static int range_cmp(const void *pa, const void *pb)
{
	return prefix_cmp(pa, pb);
}

static bool is_exact(const struct nft_allow *e, const struct prefix *ranges, size_t n)
{
	return e->to.len == addr_bits(e->to.addr.family) && e->proto_first == e->proto_last &&
	       e->port_first == e->port_last &&
	       bsearch(&e->from, ranges, n, sizeof(*ranges), range_cmp);
}

static bool same_but_ports(const struct nft_allow *a, const struct nft_allow *b)
{
	return prefix_cmp(&a->to, &b->to) == 0 && prefix_cmp(&a->from, &b->from) == 0 &&
	       a->proto_first == b->proto_first && a->proto_last == b->proto_last;
}

/* Unites ports of otherwise equal neighbours, in place. Returns how many boxes remain. */
static size_t unite_ports(struct box *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct nft_allow *last = kept ? &v[kept - 1].e : nullptr;
		const struct nft_allow *e = &v[i].e;

		if (!last || !same_but_ports(last, e) || e->port_first > last->port_last + 1)
			v[kept++] = v[i];
		else if (e->port_last > last->port_last)
			last->port_last = e->port_last;
	}
	return kept;
}

static bool overlaps(const struct nft_allow *a, const struct nft_allow *b)
{
	return a->port_first <= b->port_last && b->port_first <= a->port_last &&
	       a->proto_first <= b->proto_last && b->proto_first <= a->proto_last &&
	       prefix_overlaps(&a->from, &b->from) && prefix_overlaps(&a->to, &b->to);
}

static bool contains(const struct nft_allow *outer, const struct nft_allow *inner)
{
	return outer->port_first <= inner->port_first && inner->port_last <= outer->port_last &&
	       outer->proto_first <= inner->proto_first && inner->proto_last <= outer->proto_last &&
	       prefix_contains(&outer->from, &inner->from) &&
	       prefix_contains(&outer->to, &inner->to);
}

/* What is known about the box that is being placed. */
struct placing {
	const struct nft_allow *e;
	size_t *taken; /* taken[l] == turn: a box of layer l overlaps e */
	size_t turn;
};

/* False when nothing of e would remain beside `other`. */
static bool place_beside(struct placing *p, const struct box *other)
{
	if (contains(&other->e, p->e))
		return false;
	if (overlaps(&other->e, p->e))
		p->taken[other->layer] = p->turn;
	return true;
}

/* The first box in v[first, end) whose source is not before p. */
static size_t source_bound(const struct box *v, size_t first, size_t end, const struct prefix *p)
{
	while (first < end) {
		size_t middle = first + (end - first) / 2;
		if (prefix_cmp(&v[middle].e.from, p) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* Places a box against those of one destination. Sources inside its own follow its place in the
 * order; those around it are the chain of `up` from the box just before it. */
static bool place_in_group(struct placing *p, const struct box *v, const struct group *g)
{
	const struct prefix *from = &p->e->from;
	size_t at = source_bound(v, g->first, g->end, from);

	for (size_t i = at; i < g->end && prefix_contains(from, &v[i].e.from); i++)
		if (!place_beside(p, &v[i]))
			return false;
	for (size_t i = at > g->first ? at - 1 : NONE; i != NONE; i = v[i].up)
		if (!place_beside(p, &v[i]))
			return false;
	return true;
}

static bool place(struct placing *p, const struct box *v, const struct group *groups, size_t g)
{
	for (; g != NONE; g = groups[g].parent)
		if (!place_in_group(p, v, &groups[g]))
			return false;
	return true;
}

static size_t lowest_free(const struct placing *p)
{
	size_t layer = 0;

	while (p->taken[layer] == p->turn)
		layer++;
	return layer;
}

/* The group of e's destination: the last one, or a new one whose parent is the nearest around. */
static size_t group_of(
	struct group *groups, size_t *n, const struct box *v, size_t kept, const struct prefix *to)
{
	size_t parent = *n ? *n - 1 : NONE;

	if (parent != NONE && prefix_cmp(&v[groups[parent].first].e.to, to) == 0)
		return parent;
	while (parent != NONE && !prefix_contains(&v[groups[parent].first].e.to, to))
		parent = groups[parent].parent;
	groups[*n] = (struct group){.first = kept, .end = kept, .parent = parent};
	return (*n)++;
}

static size_t nearest_around(const struct box *v, const struct group *g, const struct prefix *from)
{
	size_t i = g->end > g->first ? g->end - 1 : NONE;

	while (i != NONE && !prefix_contains(&v[i].e.from, from))
		i = v[i].up;
	return i;
}

/* Gives each box its layer and drops those inside others, in place. */
static size_t layer_boxes(struct box *v, size_t n)
{
	struct group *groups = xcalloc(n, sizeof(*groups));
	struct placing p = {.taken = xcalloc(n + 1, sizeof(*p.taken))};
	size_t n_groups = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct box b = {.e = v[i].e};
		size_t g = group_of(groups, &n_groups, v, kept, &b.e.to);

		p.e = &b.e;
		p.turn = i + 1;
		if (place(&p, v, groups, g)) {
			b.layer = lowest_free(&p);
			b.up = nearest_around(v, &groups[g], &b.e.from);
			v[kept++] = b;
			groups[g].end = kept;
		} else if (groups[g].first == groups[g].end) {
			n_groups--;
		}
	}
	free(p.taken);
	free(groups);
	return kept;
}

static int layer_cmp(const void *pa, const void *pb)
{
	const struct box *a = pa, *b = pb;
	int order = (int)a->e.to.addr.family - b->e.to.addr.family;

	if (!order)
		order = (a->layer > b->layer) - (a->layer < b->layer);
	return order ? order : box_cmp(pa, pb);
}

/* Appends one entry, to the last set if it belongs there. */
static void emit(
	struct nft_allow_sets *out, size_t *n, const struct nft_allow *e, bool same_set, bool exact)
{
	out->entries[*n] = *e;
	if (!same_set)
		out->sets[out->n++] = (struct nft_allow_set){
			.family = e->to.addr.family,
			.exact = exact,
			.from = exact ? e->from : (struct prefix){},
			.list = &out->entries[*n],
		};
	out->sets[out->n - 1].n++;
	(*n)++;
}

static void emit_exact(struct nft_allow_sets *out, size_t *n, struct nft_allow *v, size_t n_v)
{
	qsort(v, n_v, sizeof(*v), exact_cmp);
	for (size_t i = 0; i < n_v; i++)
		if (i == 0 || exact_cmp(&v[i - 1], &v[i]) != 0)
			emit(out, n, &v[i], i && prefix_cmp(&v[i - 1].from, &v[i].from) == 0, true);
}

static void emit_boxes(struct nft_allow_sets *out, size_t *n, struct box *v, size_t n_v)
{
	qsort(v, n_v, sizeof(*v), box_cmp);
	n_v = layer_boxes(v, unite_ports(v, n_v));
	qsort(v, n_v, sizeof(*v), layer_cmp);
	for (size_t i = 0; i < n_v; i++)
		emit(out, n, &v[i].e,
			i && v[i - 1].layer == v[i].layer &&
				v[i - 1].e.to.addr.family == v[i].e.to.addr.family,
			false);
}

void nft_allow_sort(const struct nft_model *model, struct nft_allow_sets *out)
{
	size_t n_exact = 0, n_boxes = 0, n = 0;
	struct nft_allow *exact = xcalloc(model->n_allow, sizeof(*exact));
	struct box *boxes = xcalloc(model->n_allow, sizeof(*boxes));
	struct prefix *ranges = xcalloc(model->n_ranges, sizeof(*ranges));

	for (size_t i = 0; i < model->n_ranges; i++)
		ranges[i] = model->ranges[i];
	qsort(ranges, model->n_ranges, sizeof(*ranges), range_cmp);
	for (size_t i = 0; i < model->n_allow; i++) {
		const struct nft_allow *e = &model->allow[i];

		assert(e->from.addr.family == e->to.addr.family);
		assert(e->port_first <= e->port_last);
		assert(e->proto_first == e->proto_last ||
			(e->proto_first == 0 && e->proto_last == UINT8_MAX));
		if (is_exact(e, ranges, model->n_ranges))
			exact[n_exact++] = *e;
		else
			boxes[n_boxes++].e = *e;
	}
	*out = (struct nft_allow_sets){
		.sets = xcalloc(model->n_allow, sizeof(*out->sets)),
		.entries = xcalloc(model->n_allow, sizeof(*out->entries)),
	};
	emit_exact(out, &n, exact, n_exact);
	emit_boxes(out, &n, boxes, n_boxes);
	free(ranges);
	free(boxes);
	free(exact);
}

void nft_allow_sets_clear(struct nft_allow_sets *s)
{
	free(s->entries);
	free(s->sets);
	*s = (struct nft_allow_sets){};
}
