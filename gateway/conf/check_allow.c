/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check_allow.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/schema.h"
#include <stdio.h>

enum { FAMILY_INET = 1, FAMILY_INET6 = 2 };

/* As somebody would write it: a single address without its length. */
static const char *target_str(const struct prefix *p, char *buf)
{
	bool single = p->len == addr_bits(p->addr.family);

	return single ? addr_str(&p->addr, buf) : prefix_str(p, buf);
}

static unsigned family_bit(const struct prefix *p)
{
	return p->addr.family == AF_INET ? FAMILY_INET : FAMILY_INET6;
}

static unsigned class_families(const struct draft *draft, enum range_class class)
{
	unsigned families = 0;

	for (size_t i = 0; i < draft->classes[class].n; i++)
		families |= family_bit(&draft->classes[class].list[i].prefix);
	return families;
}

struct allow_check {
	const struct draft *draft;
	const struct cover *networks, *ranges;
	unsigned families[RANGE_CLASSES], all_families; /* FAMILY_* of the ranges */
	struct diag_list *diags;
};

static void check_source(
	const struct allow_check *c, const struct draft_sources *from, size_t i, const char *path)
{
	const struct draft_source *source = &from->list[i];
	char text[PREFIX_STRLEN];

	for (size_t j = 0; j < i; j++) /* at most CONFIG_MAX_SOURCES */
		if (from->list[j].class_bit == source->class_bit &&
			prefix_cmp(&from->list[j].prefix, &source->prefix) == 0) {
			diag_add(c->diags, source->mark, path,
				"this source stands here twice; remove one");
			return;
		}
	if (!c->ranges->complete)
		return;
	if (!source->class_bit && !cover_has(c->ranges, &source->prefix))
		diag_add(c->diags, source->mark, path, "%s is not inside a range of mesh.ranges",
			target_str(&source->prefix, text));
	for (size_t class = 0; class < RANGE_CLASSES; class ++)
		if (source->class_bit == 1U << class && c->draft->classes[class].n == 0)
			diag_add(c->diags, source->mark, path,
				"mesh.ranges.%s is empty, so this can never match",
				range_class_str((enum range_class) class));
}

/* The FAMILY_* of all sources; 0 if one of them could not be read. */
static unsigned source_families(const struct allow_check *c, const struct draft_sources *from)
{
	unsigned families = 0;

	for (size_t i = 0; i < from->n; i++) {
		const struct draft_source *source = &from->list[i];
		if (source->class_bit)
			families |= c->families[__builtin_ctz(source->class_bit)];
		else if (source->prefix.addr.family == AF_UNSPEC)
			return 0;
		else
			families |= family_bit(&source->prefix);
	}
	return from->n ? families : c->all_families;
}

static void check_sources(const struct allow_check *c, size_t i)
{
	const struct draft_sources *from = &c->draft->allow[i].from;
	char path[64];

	for (size_t j = 0; j < from->n; j++) {
		if (!from->list[j].class_bit && from->list[j].prefix.addr.family == AF_UNSPEC)
			continue;
		if (from->single)
			snprintf(path, sizeof(path), "allow[%zu].from", i);
		else
			snprintf(path, sizeof(path), "allow[%zu].from[%zu]", i, j);
		check_source(c, from, j, path);
	}
}

static void check_destination(const struct allow_check *c, size_t i)
{
	const struct draft_allow *entry = &c->draft->allow[i];
	unsigned families = source_families(c, &entry->from);
	char path[64], text[PREFIX_STRLEN];

	if (entry->to.addr.family == AF_UNSPEC)
		return;
	snprintf(path, sizeof(path), "allow[%zu].to", i);
	target_str(&entry->to, text);
	if (c->networks->complete && !cover_has(c->networks, &entry->to))
		diag_add(c->diags, entry->to_mark, path,
			"%s is not inside a network of lan; add the network there or correct this",
			text);
	if (c->ranges->complete && families && !(families & family_bit(&entry->to)))
		diag_add(c->diags, entry->to_mark, path,
			"%s is IPv%d and no source of this entry is, so it can never match", text,
			entry->to.addr.family == AF_INET ? 4 : 6);
}

static void check_ports(
	const struct allow_check *c, const struct draft_ports *ports, size_t entry, const char *key)
{
	char path[64];

	for (size_t i = 1; i < ports->n; i++) {
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_PORTS */
			const struct port_range *a = &ports->list[i], *b = &ports->list[j];
			if (!a->first || a->first > b->last || b->first > a->last)
				continue;
			snprintf(path, sizeof(path), "allow[%zu].%s[%zu]", entry, key, i);
			diag_add(c->diags, ports->mark, path,
				"repeats a port of %s[%zu]; remove it", key, j);
			break;
		}
	}
}

void check_allow(const struct draft *draft, const struct cover *networks,
	const struct cover *ranges, struct diag_list *diags)
{
	struct allow_check c = {draft, networks, ranges, {}, 0, diags};

	for (enum range_class class = 0; class < RANGE_CLASSES; class ++) {
		c.families[class] = class_families(draft, class);
		c.all_families |= c.families[class];
	}
	for (size_t i = 0; i < draft->n_allow; i++) {
		check_sources(&c, i);
		check_destination(&c, i);
		check_ports(&c, &draft->allow[i].tcp, i, "tcp");
		check_ports(&c, &draft->allow[i].udp, i, "udp");
	}
}
