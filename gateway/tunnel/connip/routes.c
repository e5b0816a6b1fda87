/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/routes.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

void routes_clear(struct routes *r)
{
	free(r->parts);
	free(r->spans);
	free(r->union_spans);
	*r = (struct routes){};
}

static size_t family_index(uint8_t family)
{
	return family == AF_INET ? 0 : 1;
}

static bool is_kind(const struct routes_part *p, const struct connip_range *r)
{
	return p->n > 0 && p->family == r->family && p->proto == r->proto;
}

/* Splits a normal list at each change of family or protocol; returns how many parts. */
static size_t split(const struct connip_range *list, size_t n, struct routes_span *spans,
	struct routes_part *parts)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		spans[i] = (struct routes_span){list[i].first, list[i].last};
		if (count == 0 || !is_kind(&parts[count - 1], &list[i]))
			parts[count++] = (struct routes_part){
				list[i].family, list[i].proto, &spans[i], 0};
		parts[count - 1].n++;
	}
	return count;
}

static void set_parts(struct routes *r, struct connip_range *list, size_t n)
{
	n = range_list_normalize(list, n);
	r->parts = xcalloc(n, sizeof(*r->parts));
	r->spans = xcalloc(n, sizeof(*r->spans));
	r->n = split(list, n, r->spans, r->parts);
	for (size_t i = 0; i < r->n; i++)
		if (r->parts[i].proto == 0)
			r->all[family_index(r->parts[i].family)] = r->parts[i];
}

static void set_union(struct routes *r, struct connip_range *list, size_t n)
{
	struct routes_part parts[2] = {};

	for (size_t i = 0; i < n; i++)
		list[i].proto = 0;
	n = range_list_normalize(list, n);
	r->union_spans = xcalloc(n, sizeof(*r->union_spans));
	n = split(list, n, r->union_spans, parts);
	for (size_t i = 0; i < n; i++)
		r->any[family_index(parts[i].family)] = parts[i];
}

void routes_set(struct routes *r, const struct connip_range *list, size_t n)
{
	autofree struct connip_range *copy = xcalloc(n, sizeof(*copy));
	struct routes new = {};

	if (n)
		memcpy(copy, list, n * sizeof(*copy));
	set_parts(&new, copy, n);
	set_union(&new, copy, n);
	routes_clear(r);
	*r = new;
}

/* The last span that begins at or before the address is the only candidate. */
static bool has(const struct routes_part *p, number addr)
{
	const struct routes_span *span = p->spans;

	if (p->n == 0)
		return false;
	for (size_t n = p->n; n > 1;) {
		size_t half = n / 2;
		span += span[half].first <= addr ? half : 0;
		n -= half;
	}
	return span->first <= addr && addr <= span->last;
}

bool routes_have(const struct routes *r, uint8_t family, number addr)
{
	return has(&r->any[family_index(family)], addr);
}

static bool is_icmp(uint8_t family, int proto)
{
	return proto == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool have_proto(const struct routes *r, uint8_t family, number addr, int proto)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->parts[i].family == family && r->parts[i].proto == proto)
			return has(&r->parts[i], addr);
	return false;
}

enum routes_answer routes_find(const struct routes *r, uint8_t family, number addr, int proto)
{
	if (has(&r->all[family_index(family)], addr))
		return ROUTES_MATCH;
	if (!routes_have(r, family, addr))
		return ROUTES_NONE;
	return is_icmp(family, proto) || have_proto(r, family, addr, proto) ? ROUTES_MATCH
									    : ROUTES_OTHER_PROTOCOL;
}

bool routes_have_family(const struct routes *r, uint8_t family)
{
	return r->any[family_index(family)].n > 0;
}
