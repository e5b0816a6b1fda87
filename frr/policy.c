/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/policy.h"
#include "frr/text.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

/* "ip prefix-list NAME seq N permit|deny PREFIX [ge N] [le N]", or "any" for the prefix. */
struct policy_entry {
	const char *name; /* first word */
	size_t i;         /* the statement: FRR shows a list in the order of its numbers */
	uint8_t family;
	bool permit, any;
	struct prefix base;
	uint32_t ge, le; /* 0 = not said */
};

/* "route-map NAME permit|deny N" */
struct policy_map {
	const char *name; /* first word */
	size_t i;         /* the statement; its contents follow it */
	bool permit;
};

static int word_cmp(const char *a, const char *b)
{
	size_t na = text_word_len(a), nb = text_word_len(b);
	int c = strncmp(a, b, na < nb ? na : nb);
	return c ? c : (na > nb) - (na < nb);
}

static int index_cmp(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int entry_cmp(const void *pa, const void *pb)
{
	const struct policy_entry *a = pa, *b = pb;
	int c = a->family - b->family;
	c = c ? c : word_cmp(a->name, b->name);
	return c ? c : index_cmp(a->i, b->i);
}

static int map_cmp(const void *pa, const void *pb)
{
	const struct policy_map *a = pa, *b = pb;
	int c = word_cmp(a->name, b->name);
	return c ? c : index_cmp(a->i, b->i);
}

/* ---- Reading ---- */

static uint32_t bound(const char *rest, const char *word)
{
	for (; *rest; rest = text_next(rest)) {
		uint32_t value;
		const char *after = text_after(rest, word);
		if (after && text_take_u32(after, &value, &after))
			return value;
	}
	return 0;
}

static bool read_entry(const char *text, uint8_t family, size_t i, struct policy_entry *out)
{
	const char *name = text_after(
		text, family == AF_INET ? "ip prefix-list" : "ipv6 prefix-list");
	const char *rest = name ? text_after(text_next(name), "seq") : nullptr;
	uint32_t seq;
	if (!rest || !text_take_u32(rest, &seq, &rest))
		return false;
	*out = (struct policy_entry){
		.name = name, .i = i, .family = family, .permit = text_after(rest, "permit")};
	rest = text_next(rest);
	out->any = text_after(rest, "any");
	if (!out->any && !text_take_prefix(rest, &out->base, &rest))
		return false;
	out->ge = bound(rest, "ge");
	out->le = bound(rest, "le");
	return true;
}

void policy_read(const struct frr_running *running, struct policy *out)
{
	size_t cap_entries = 0, cap_maps = 0;
	*out = (struct policy){.running = running};
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		const char *map = text_after(s->text, "route-map");
		struct policy_entry entry;
		if (s->block[0])
			continue;
		if (read_entry(s->text, AF_INET, i, &entry) ||
			read_entry(s->text, AF_INET6, i, &entry)) {
			XGROW(out->entries, out->n_entries, cap_entries);
			out->entries[out->n_entries++] = entry;
		} else if (map) {
			XGROW(out->maps, out->n_maps, cap_maps);
			out->maps[out->n_maps++] = (struct policy_map){
				map, i, text_after(text_next(map), "permit")};
		}
	}
	if (out->n_entries)
		qsort(out->entries, out->n_entries, sizeof(*out->entries), entry_cmp);
	if (out->n_maps)
		qsort(out->maps, out->n_maps, sizeof(*out->maps), map_cmp);
}

void policy_clear(struct policy *policy)
{
	free(policy->entries);
	free(policy->maps);
	*policy = (struct policy){};
}

/* ---- Prefix-lists ---- */

/* The first element that is not less than the key. */
static size_t lower_bound(const void *array, size_t n, size_t size, const void *key,
	int (*cmp)(const void *, const void *))
{
	size_t from = 0;
	while (from < n) {
		size_t middle = from + (n - from) / 2;
		if (cmp((const char *)array + middle * size, key) < 0)
			from = middle + 1;
		else
			n = middle;
	}
	return from;
}

static bool entry_matches(const struct policy_entry *e, const struct prefix *prefix)
{
	if (e->any)
		return true;
	if (!prefix_contains(&e->base, prefix))
		return false;
	if (!e->ge && !e->le)
		return prefix->len == e->base.len;
	return prefix->len >= e->ge && (!e->le || prefix->len <= e->le);
}

bool policy_prefix_list_passes(
	const struct policy *policy, const char *name, const struct prefix *prefix)
{
	const struct policy_entry key = {.name = name, .family = prefix->addr.family};
	size_t i = lower_bound(policy->entries, policy->n_entries, sizeof(key), &key, entry_cmp);
	for (; i < policy->n_entries; i++) {
		const struct policy_entry *e = &policy->entries[i];
		if (e->family != key.family || word_cmp(e->name, name) != 0)
			break;
		if (entry_matches(e, prefix))
			return e->permit;
	}
	return false;
}

/* ---- Route-maps ---- */

enum match { MATCH_NO, MATCH_PERHAPS, MATCH_YES };

static enum match match_address(
	const struct policy *policy, const char *list, uint8_t family, const struct prefix *prefix)
{
	return prefix->addr.family == family && policy_prefix_list_passes(policy, list, prefix)
		       ? MATCH_YES
		       : MATCH_NO;
}

static enum match match_one(
	const struct policy *policy, const char *text, const struct prefix *prefix)
{
	const char *list;
	if ((list = text_after(text, "match ip address prefix-list")))
		return match_address(policy, list, AF_INET, prefix);
	if ((list = text_after(text, "match ipv6 address prefix-list")))
		return match_address(policy, list, AF_INET6, prefix);
	if (text_begins(text, "match ip address "))
		return prefix->addr.family == AF_INET ? MATCH_PERHAPS : MATCH_NO;
	if (text_begins(text, "match ipv6 address "))
		return prefix->addr.family == AF_INET6 ? MATCH_PERHAPS : MATCH_NO;
	if (text_begins(text, "match ") || text_begins(text, "call ") ||
		text_begins(text, "on-match "))
		return MATCH_PERHAPS;
	return MATCH_YES;
}

/* All matches of the entry whose head is statement i. */
static enum match match_entry(const struct policy *policy, size_t i, const struct prefix *prefix)
{
	const struct frr_running *running = policy->running;
	const char *head = running->list[i].text;
	enum match all = MATCH_YES;
	for (i++; i < running->n && running->list[i].block == head; i++) {
		enum match m = match_one(policy, running->list[i].text, prefix);
		all = m < all ? m : all;
	}
	return all;
}

bool policy_route_map_passes(
	const struct policy *policy, const char *name, const struct prefix *prefix)
{
	const struct policy_map key = {.name = name};
	size_t i = lower_bound(policy->maps, policy->n_maps, sizeof(key), &key, map_cmp);
	for (; i < policy->n_maps && word_cmp(policy->maps[i].name, name) == 0; i++) {
		const struct policy_map *map = &policy->maps[i];
		enum match m = match_entry(policy, map->i, prefix);
		if (m == MATCH_YES || (m == MATCH_PERHAPS && map->permit))
			return map->permit;
	}
	return false;
}
