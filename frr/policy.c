/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/policy.h"
#include "frr/text.h"
#include <string.h>

/* Is the first word of text that name? */
static const char *after_name(const char *text, const char *name)
{
	size_t n = text_word_len(name);
	if (text_word_len(text) != n || strncmp(text, name, n) != 0)
		return nullptr;
	return text_next(text);
}

static const char *ip_word(uint8_t family)
{
	return family == AF_INET ? "ip prefix-list" : "ipv6 prefix-list";
}

/* ---- Prefix-lists: "seq N permit|deny PREFIX [ge N] [le N]", or "any" for the prefix ---- */

static uint32_t bound(const char *rest, const char *word, uint32_t fallback)
{
	for (; *rest; rest = text_next(rest)) {
		uint32_t value;
		const char *after = text_after(rest, word);
		if (after && text_take_u32(after, &value, &after))
			return value;
	}
	return fallback;
}

static bool entry_matches(const char *text, const struct prefix *prefix)
{
	struct prefix base;
	const char *rest;
	if (text_after(text, "any"))
		return true;
	if (!text_take_prefix(text, &base, &rest) || !prefix_contains(&base, prefix))
		return false;
	uint32_t ge = bound(rest, "ge", 0), le = bound(rest, "le", 0);
	if (!ge && !le)
		return prefix->len == base.len;
	return prefix->len >= ge && (!le || prefix->len <= le);
}

bool policy_prefix_list_passes(
	const struct frr_running *running, const char *name, const struct prefix *prefix)
{
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		uint32_t seq;
		const char *rest = text_after(s->text, ip_word(prefix->addr.family));
		if (s->block[0] || !rest || !(rest = after_name(rest, name)) ||
			!(rest = text_after(rest, "seq")) || !text_take_u32(rest, &seq, &rest))
			continue;
		bool permit = text_after(rest, "permit") != nullptr;
		if (entry_matches(text_next(rest), prefix))
			return permit;
	}
	return false;
}

/* ---- Route-maps ---- */

enum match { MATCH_NO, MATCH_PERHAPS, MATCH_YES };

static enum match match_address(const struct frr_running *running, const char *list, uint8_t family,
	const struct prefix *prefix)
{
	return prefix->addr.family == family && policy_prefix_list_passes(running, list, prefix)
		       ? MATCH_YES
		       : MATCH_NO;
}

static enum match match_one(
	const struct frr_running *running, const char *text, const struct prefix *prefix)
{
	const char *list;
	if ((list = text_after(text, "match ip address prefix-list")))
		return match_address(running, list, AF_INET, prefix);
	if ((list = text_after(text, "match ipv6 address prefix-list")))
		return match_address(running, list, AF_INET6, prefix);
	if (text_begins(text, "match ip address "))
		return prefix->addr.family == AF_INET ? MATCH_PERHAPS : MATCH_NO;
	if (text_begins(text, "match ipv6 address "))
		return prefix->addr.family == AF_INET6 ? MATCH_PERHAPS : MATCH_NO;
	if (text_begins(text, "match ") || text_begins(text, "call ") ||
		text_begins(text, "on-match "))
		return MATCH_PERHAPS;
	return MATCH_YES;
}

/* All matches of the entry whose head is statement i; its contents follow it. */
static enum match match_entry(
	const struct frr_running *running, size_t i, const struct prefix *prefix)
{
	const char *head = running->list[i].text;
	enum match all = MATCH_YES;
	for (i++; i < running->n && running->list[i].block == head; i++) {
		enum match m = match_one(running, running->list[i].text, prefix);
		all = m < all ? m : all;
	}
	return all;
}

bool policy_route_map_passes(
	const struct frr_running *running, const char *name, const struct prefix *prefix)
{
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		const char *rest = text_after(s->text, "route-map");
		if (s->block[0] || !rest || !(rest = after_name(rest, name)))
			continue;
		bool permit = text_after(rest, "permit") != nullptr;
		enum match m = match_entry(running, i, prefix);
		if (m == MATCH_YES || (m == MATCH_PERHAPS && permit))
			return permit;
	}
	return false;
}
