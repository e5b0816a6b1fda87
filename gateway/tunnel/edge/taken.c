/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/taken.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

void taken_begin(struct taken *t, const struct prefix *p)
{
	XGROW(t->list, t->n, t->cap);
	t->list[t->n++] = range_of_prefix(p, 0);
}

void taken_settle(struct taken *t)
{
	t->n = range_list_normalize(t->list, t->n);
}

/* The place of the first range that does not end before the address. */
static size_t place_of(const struct taken *t, uint8_t family, number addr)
{
	const struct connip_range at = {.family = family, .first = addr, .last = addr};
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct connip_range *r = &t->list[middle];
		if (r->family == family ? r->last < addr : range_cmp(r, &at) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool taken_add(struct taken *t, const struct addr *a)
{
	const struct prefix p = prefix_of(a);
	const struct connip_range r = range_of_prefix(&p, 0);
	size_t at = place_of(t, r.family, r.first);

	if (at < t->n && range_contains(&t->list[at], r.family, r.first))
		return false;
	XGROW(t->list, t->n, t->cap);
	memmove(&t->list[at + 1], &t->list[at], (t->n - at) * sizeof(r));
	t->list[at] = r;
	t->n++;
	return true;
}

bool taken_find_free(const struct taken *t, uint8_t family, number first, number last, number *out)
{
	for (size_t i = place_of(t, family, first); i < t->n; i++) {
		const struct connip_range *r = &t->list[i];
		if (!range_contains(r, family, first))
			break;
		if (r->last >= last)
			return false;
		first = r->last + 1;
	}
	*out = first;
	return true;
}

void taken_clear(struct taken *t)
{
	free(t->list);
	*t = (struct taken){};
}
