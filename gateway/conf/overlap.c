/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/overlap.h"
#include "conf/diag.h"
#include "conf/schema.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>

/* A prefix with what a message needs to name it. */
struct item {
	struct prefix prefix;
	struct config_mark mark;      /* line 0: a default */
	const struct config_lan *lan; /* nullptr: a range */
	enum range_class class;       /* of a range */
	size_t i, j;                  /* of a network, lan[i].networks[j]; of a range j */
};

static size_t collect(const struct draft *draft, struct item *items)
{
	size_t n = 0;

	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++) {
		const struct draft_class *from = &draft->classes[kind];
		for (size_t j = 0; j < from->n; j++)
			items[n++] = (struct item){.prefix = from->list[j].prefix,
				.mark = from->list[j].mark,
				.class = kind,
				.j = j};
	}
	for (size_t i = 0; i < draft->config.n_lans; i++) {
		const struct config_lan *lan = &draft->config.lans[i];
		for (size_t j = 0; j < lan->n_networks; j++)
			items[n++] = (struct item){.prefix = lan->networks[j].prefix,
				.mark = lan->networks[j].mark,
				.lan = lan,
				.i = i,
				.j = j};
	}
	return n;
}

static size_t count(const struct draft *draft)
{
	size_t n = 0;

	for (size_t i = 0; i < RANGE_CLASSES; i++)
		n += draft->classes[i].n;
	for (size_t i = 0; i < draft->config.n_lans; i++)
		n += draft->config.lans[i].n_networks;
	return n;
}

static bool stands_before(const struct item *a, const struct item *b)
{
	if (a->mark.line != b->mark.line)
		return a->mark.line < b->mark.line;
	return a->mark.column < b->mark.column;
}

static int cmp_item(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int order = prefix_cmp(&a->prefix, &b->prefix);

	if (order)
		return order;
	return stands_before(b, a) - stands_before(a, b);
}

/* "the LAN network 10.0.1.0/24 (eth0, at 12:7)" */
static const char *item_name(const struct item *item, char *buf, size_t size)
{
	char prefix[PREFIX_STRLEN], where[48] = "a default";
	const char *owner = item->lan ? item->lan->interface : range_class_str(item->class);
	if (owner[0] == '\0')
		owner = "its interface unreadable";

	if (item->mark.line)
		snprintf(where, sizeof(where), "at %u:%u", item->mark.line, item->mark.column);
	snprintf(buf, size, "the %s %s (%s, %s)", item->lan ? "LAN network" : "range",
		prefix_str(&item->prefix, prefix), owner, where);
	return buf;
}

static const char *item_path(const struct item *item, char *buf, size_t size)
{
	if (item->lan)
		snprintf(buf, size, "lan[%zu].networks[%zu]", item->i, item->j);
	else
		snprintf(buf, size, "mesh.ranges.%s[%zu]", range_class_str(item->class), item->j);
	return buf;
}

/* Where to complain: at the range when a range and a network collide, since its reach is the
 * danger; else at the one that came later. A default stands nowhere. */
static bool complain_at_first(const struct item *a, const struct item *b)
{
	if (!a->lan != !b->lan)
		return a->lan ? b->mark.line == 0 : a->mark.line != 0;
	return stands_before(b, a);
}

static void report(struct diag_list *diags, const struct item *outer, const struct item *inner)
{
	bool at_outer = complain_at_first(outer, inner);
	const struct item *at = at_outer ? outer : inner, *other = at_outer ? inner : outer;
	char prefix[PREFIX_STRLEN], path[64], name[128];
	const char *relation = "lies inside", *rule = "an address may belong to one of them only";

	if (outer->prefix.len == inner->prefix.len)
		relation = "is the same as";
	else if (at_outer)
		relation = "swallows";
	if (!at->lan != !other->lan)
		rule = "an address is either behind the tunnel or on the LAN";
	diag_add(diags, at->mark, item_path(at, path, sizeof(path)), "%s %s %s; %s",
		prefix_str(&at->prefix, prefix), relation, item_name(other, name, sizeof(name)),
		rule);
}

void overlap_check(const struct draft *draft, struct diag_list *diags)
{
	size_t n = count(draft), depth = 0;
	autofree struct item *items = xcalloc(n, sizeof(*items));
	autofree const struct item **open = xcalloc(n, sizeof(struct item *));

	collect(draft, items);
	qsort(items, n, sizeof(*items), cmp_item);
	for (size_t i = 0; i < n; i++) {
		const struct item *item = &items[i];
		while (depth > 0 && !prefix_contains(&open[depth - 1]->prefix, &item->prefix))
			depth--;
		if (depth > 0)
			report(diags, open[depth - 1], item);
		open[depth++] = item;
	}
}
