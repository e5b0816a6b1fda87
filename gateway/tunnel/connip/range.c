/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/range.h"
#include "connip/version.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

size_t range_wire_size(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 1;

	uint8_t family = version_family(p[0]);
	return family == AF_UNSPEC ? 0 : 1 + 2 * addr_bytes(family) + 1;
}

int range_read(const uint8_t *p, struct connip_range *out)
{
	uint8_t family = version_family(p[0]);
	size_t bytes = addr_bytes(family);
	struct connip_range r = {.family = family,
		.first = number_read(p + 1, bytes),
		.last = number_read(p + 1 + bytes, bytes),
		.proto = p[1 + 2 * bytes]};

	if (r.first > r.last)
		return -EBADMSG;
	*out = r;
	return 0;
}

size_t range_write(uint8_t *out, const struct connip_range *r)
{
	size_t bytes = addr_bytes(r->family);

	out[0] = version_of(r->family);
	number_write(out + 1, bytes, r->first);
	number_write(out + 1 + bytes, bytes, r->last);
	out[1 + 2 * bytes] = r->proto;
	return 1 + 2 * bytes + 1;
}

/* The addresses that share all but their last `bits` bits, less one. */
static number span(unsigned bits)
{
	return bits >= 128 ? ~(number)0 : ((number)1 << bits) - 1;
}

struct connip_range range_of_prefix(const struct prefix *p, uint8_t proto)
{
	number first = number_of_addr(&p->addr);

	return (struct connip_range){.family = p->addr.family,
		.proto = proto,
		.first = first,
		.last = first | span(addr_bits(p->addr.family) - p->len)};
}

/* The widest prefix that begins at `first` and does not reach beyond `last`, as host bits. */
static unsigned widest(number first, number last, unsigned max)
{
	unsigned bits = 0;

	while (bits < max && (first & span(bits + 1)) == 0 && (first | span(bits + 1)) <= last)
		bits++;
	return bits;
}

size_t range_to_prefixes(const struct connip_range *r, struct prefix out[static RANGE_PREFIXES_MAX])
{
	unsigned max = addr_bits(r->family);
	number at = r->first;
	size_t n = 0;

	for (;;) {
		assert(n < RANGE_PREFIXES_MAX);
		unsigned bits = widest(at, r->last, max);
		out[n++] = (struct prefix){number_addr(r->family, at), (uint8_t)(max - bits)};
		number end = at | span(bits);
		if (end == r->last)
			return n;
		at = end + 1;
	}
}

int range_cmp(const struct connip_range *a, const struct connip_range *b)
{
	if (a->family != b->family)
		return version_of(a->family) < version_of(b->family) ? -1 : 1;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->last > b->last) - (a->last < b->last);
}

static int compare(const void *a, const void *b)
{
	return range_cmp(a, b);
}

static bool same_kind(const struct connip_range *a, const struct connip_range *b)
{
	return a->family == b->family && a->proto == b->proto;
}

static bool overlaps(const struct connip_range *a, const struct connip_range *b)
{
	return a->family == b->family && a->first <= b->last && b->first <= a->last;
}

bool range_contains(const struct connip_range *r, uint8_t family, number addr)
{
	return r->family == family && r->first <= addr && addr <= r->last;
}

bool range_may_follow(const struct connip_range *a, const struct connip_range *b)
{
	if (same_kind(a, b))
		return a->last < b->first;
	return range_cmp(a, b) < 0;
}

/* In an ordered list those of protocol 0 come first in their family: each of the others is looked
 * for among them. */
static bool clashes(const struct connip_range *any, size_t n, const struct connip_range *r)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (any[middle].last < r->first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && overlaps(&any[low], r);
}

bool range_list_clashes(const struct connip_range *list, size_t n)
{
	for (size_t at = 0, begin = 0, any = 0; at < n; at++) {
		if (at > 0 && list[at].family != list[begin].family) {
			begin = at;
			any = 0;
		}
		if (list[at].proto == 0)
			any++;
		else if (clashes(list + begin, any, &list[at]))
			return true;
	}
	return false;
}

/* Sorted, b behind a: is there no address between them? */
static bool touches(const struct connip_range *a, const struct connip_range *b)
{
	return same_kind(a, b) && (b->first <= a->last || b->first - a->last == 1);
}

size_t range_list_normalize(struct connip_range *list, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(list, n, sizeof(*list), compare);
	for (size_t i = 1; i < n; i++) {
		if (!touches(&list[kept], &list[i]))
			list[++kept] = list[i];
		else if (list[i].last > list[kept].last)
			list[kept].last = list[i].last;
	}
	return kept + 1;
}

size_t range_list_clip(const struct connip_range *list, size_t n, const struct connip_range *within,
	size_t m, struct connip_range *out, size_t cap)
{
	size_t count = 0;

	for (size_t i = 0; i < n * m; i++) {
		const struct connip_range *a = &list[i / m], *b = &within[i % m];
		if (!overlaps(a, b))
			continue;
		if (count < cap) {
			out[count] = *a;
			out[count].first = a->first > b->first ? a->first : b->first;
			out[count].last = a->last < b->last ? a->last : b->last;
		}
		count++;
	}
	return count;
}
