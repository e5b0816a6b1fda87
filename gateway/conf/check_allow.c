/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check_allow.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/schema.h"
#include <stdio.h>

/* As somebody would write it: a single address without its length. */
static const char *target_str(const struct prefix *p, char *buf)
{
	bool single = p->len == addr_bits(p->addr.family);

	return single ? addr_str(&p->addr, buf) : prefix_str(p, buf);
}

struct allow_check {
	const struct draft *draft;
	const struct cover *networks, *ranges;
	struct diag_list *diags;
	size_t flows; /* so far; beyond CONFIG_MAX_FLOWS it was reported */
};

/* The ranges of a class that have the family. */
static size_t class_count(const struct draft *draft, enum range_class kind, uint8_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < draft->classes[kind].n; i++)
		n += draft->classes[kind].list[i].prefix.addr.family == family;
	return n;
}

static void check_source(
	const struct allow_check *c, const struct config_sources *from, size_t i, const char *path)
{
	const struct config_source *source = &from->list[i];
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
	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
		if (source->class_bit == 1U << kind && c->draft->classes[kind].n == 0)
			diag_add(c->diags, source->mark, path,
				"mesh.ranges.%s is empty, so this can never match",
				range_class_str(kind));
}

static bool is_readable(const struct config_source *source)
{
	return source->class_bit || source->prefix.addr.family != AF_UNSPEC;
}

/* How many prefixes of the family the sources stand for. */
static size_t source_count(
	const struct draft *draft, const struct config_sources *from, uint8_t family)
{
	uint32_t classes = from->n ? 0 : UINT32_MAX;
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++) {
		classes |= from->list[i].class_bit;
		n += from->list[i].prefix.addr.family == family;
	}
	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
		if (classes & 1U << kind)
			n += class_count(draft, kind, family);
	return n;
}

static bool other_family_only(
	const struct draft *draft, const struct config_sources *from, uint8_t family)
{
	for (size_t i = 0; i < from->n; i++)
		if (!is_readable(&from->list[i]))
			return false;
	return source_count(draft, from, family) == 0 &&
	       source_count(draft, from, family == AF_INET ? AF_INET6 : AF_INET) > 0;
}

static void check_sources(const struct allow_check *c, size_t i)
{
	const struct config_sources *from = &c->draft->allow[i].from;
	char path[64];

	for (size_t j = 0; j < from->n; j++) {
		if (!is_readable(&from->list[j]))
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
	char path[64], text[PREFIX_STRLEN];

	snprintf(path, sizeof(path), "allow[%zu].to", i);
	target_str(&entry->to, text);
	if (c->networks->complete && !cover_has(c->networks, &entry->to))
		diag_add(c->diags, entry->to_mark, path,
			"%s is not inside a network of lan; add the network there or correct this",
			text);
	if (c->ranges->complete && other_family_only(c->draft, &entry->from, entry->to.addr.family))
		diag_add(c->diags, entry->to_mark, path,
			"%s is IPv%d and no source of this entry is, so it can never match", text,
			entry->to.addr.family == AF_INET ? 4 : 6);
}

/* Each pair of a source and a port becomes an element of a set in the kernel. */
static void check_flows(struct allow_check *c, size_t i)
{
	const struct draft_allow *entry = &c->draft->allow[i];
	size_t protocols = entry->tcp.n + entry->udp.n + entry->icmp;
	size_t sources = source_count(c->draft, &entry->from, entry->to.addr.family);
	bool was_over = c->flows > CONFIG_MAX_FLOWS;
	char path[64];

	c->flows += sources * (protocols ? protocols : 1);
	if (was_over || c->flows <= CONFIG_MAX_FLOWS)
		return;
	snprintf(path, sizeof(path), "allow[%zu]", i);
	diag_add(c->diags, entry->mark, path,
		"the list comes to more than %zu pairs of a source prefix and a port; use wider ones",
		CONFIG_MAX_FLOWS);
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
	struct allow_check c = {draft, networks, ranges, diags, 0};

	for (size_t i = 0; i < draft->n_allow; i++) {
		check_sources(&c, i);
		if (draft->allow[i].to.addr.family != AF_UNSPEC) {
			check_destination(&c, i);
			check_flows(&c, i);
		}
		check_ports(&c, &draft->allow[i].tcp, i, "tcp");
		check_ports(&c, &draft->allow[i].udp, i, "udp");
	}
}
