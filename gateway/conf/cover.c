/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/cover.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

static int cmp_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

struct cover cover_new(size_t max)
{
	return (struct cover){.list = xcalloc(max, sizeof(struct prefix)), .complete = true};
}

void cover_clear(struct cover *cover)
{
	free(cover->list);
	*cover = (struct cover){};
}

void cover_add(struct cover *cover, const struct prefix *p)
{
	if (p->addr.family == AF_UNSPEC)
		cover->complete = false;
	else
		cover->list[cover->n++] = *p;
}

/* Sorts, and drops what lies inside another (a mistake that is reported elsewhere). */
void cover_finish(struct cover *cover)
{
	size_t kept = 0;

	qsort(cover->list, cover->n, sizeof(*cover->list), cmp_prefix);
	for (size_t i = 0; i < cover->n; i++)
		if (kept == 0 || !prefix_contains(&cover->list[kept - 1], &cover->list[i]))
			cover->list[kept++] = cover->list[i];
	cover->n = kept;
}

/* How many members begin at or before the address; before it only if not at. */
static size_t count_before(const struct cover *cover, const struct addr *a, bool at)
{
	size_t low = 0, high = cover->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (addr_cmp(&cover->list[middle].addr, a) < (at ? 1 : 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct prefix *find_around(const struct cover *cover, const struct prefix *p)
{
	size_t n = count_before(cover, &p->addr, true);

	return n > 0 && prefix_contains(&cover->list[n - 1], p) ? &cover->list[n - 1] : nullptr;
}

bool cover_has(const struct cover *cover, const struct prefix *p)
{
	return find_around(cover, p);
}

const struct prefix *cover_inside(const struct cover *cover, const struct prefix *p)
{
	size_t n = count_before(cover, &p->addr, false);

	return n < cover->n && prefix_contains(p, &cover->list[n]) ? &cover->list[n] : nullptr;
}

const struct prefix *cover_overlap(const struct cover *cover, const struct prefix *p)
{
	const struct prefix *around = find_around(cover, p);

	return around ? around : cover_inside(cover, p);
}
