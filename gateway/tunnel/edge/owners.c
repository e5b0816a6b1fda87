/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/owners.h"
#include "connip/range.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

/* A prefix as a range, and its place in the configuration. */
struct piece {
	struct owner_range range;
	size_t place;
};

/* Prefixes contain each other or have nothing in common: those that are open while the addresses
 * are walked through form a stack, each inside the one below it. */
struct sweep {
	struct owners *out;
	const struct owner_range *open[129];
	size_t depth;
	number at; /* all before it has an owner */
	bool done; /* the family has no address behind */
};

void owners_clear(struct owners *o)
{
	free(o->list);
	*o = (struct owners){};
}

static int compare(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->range.family != y->range.family)
		return x->range.family < y->range.family ? -1 : 1;
	if (x->range.first != y->range.first)
		return x->range.first < y->range.first ? -1 : 1;
	if (x->range.last != y->range.last)
		return x->range.last > y->range.last ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* The innermost open prefix owns everything up to and with `last`. */
static void emit(struct sweep *w, number last)
{
	const struct owner_range *top = w->open[w->depth - 1];

	if (w->done || last < w->at)
		return;
	w->out->list[w->out->n++] = (struct owner_range){top->family, w->at, last, top->node};
	w->done = last == number_max(top->family);
	w->at = last + 1;
}

/* Closes what ends before `first`. */
static void close_before(struct sweep *w, number first)
{
	while (w->depth > 0 && w->open[w->depth - 1]->last < first) {
		emit(w, w->open[w->depth - 1]->last);
		w->depth--;
	}
}

static void close_all(struct sweep *w)
{
	for (; w->depth > 0; w->depth--)
		emit(w, w->open[w->depth - 1]->last);
	w->done = false;
}

static void open(struct sweep *w, const struct owner_range *r)
{
	if (w->depth > 0 && w->open[0]->family != r->family)
		close_all(w);
	close_before(w, r->first);
	if (w->depth > 0) {
		const struct owner_range *top = w->open[w->depth - 1];
		if (top->first == r->first && top->last == r->last)
			return; /* it came earlier */
		if (r->first > w->at)
			emit(w, r->first - 1);
	}
	w->open[w->depth++] = r;
	w->at = r->first;
}

void owners_set(struct owners *o, const struct owned *list, size_t n)
{
	struct piece *pieces = xcalloc(n, sizeof(*pieces));
	struct owners new = {.list = xcalloc(2 * n, sizeof(*new.list))};
	struct sweep w = {.out = &new};

	for (size_t i = 0; i < n; i++) {
		struct connip_range r = range_of_prefix(&list[i].prefix, 0);
		pieces[i] = (struct piece){{r.family, r.first, r.last, list[i].node}, i};
	}
	if (n)
		qsort(pieces, n, sizeof(*pieces), compare);
	for (size_t i = 0; i < n; i++)
		open(&w, &pieces[i].range);
	close_all(&w);
	free(pieces);
	owners_clear(o);
	*o = new;
}

size_t owners_find(const struct owners *o, uint8_t family, number addr)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct owner_range *r = &o->list[middle];
		if (r->family < family || (r->family == family && r->last < addr))
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < o->n && o->list[low].family == family && o->list[low].first <= addr;
	return found ? o->list[low].node : OWNERS_NOBODY;
}
