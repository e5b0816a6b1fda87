/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/idset.h"
#include <errno.h>
#include <string.h>

static void remove_at(struct idset *set, size_t at)
{
	set->n--;
	memmove(&set->list[at], &set->list[at + 1], (set->n - at) * sizeof(set->list[0]));
}

static int insert_at(struct idset *set, size_t at, uint64_t id)
{
	if (set->n == IDSET_MAX)
		return -ENOSPC;
	memmove(&set->list[at + 1], &set->list[at], (set->n - at) * sizeof(set->list[0]));
	set->list[at].first = set->list[at].last = id;
	set->n++;
	return 0;
}

int idset_add(struct idset *set, uint64_t id)
{
	size_t at = 0;

	while (at < set->n && set->list[at].last < id)
		at++;
	if (at < set->n && set->list[at].first <= id)
		return -EEXIST;

	bool behind = at > 0 && set->list[at - 1].last == id - 1;
	bool before = at < set->n && set->list[at].first == id + 1;
	if (behind && before) {
		set->list[at - 1].last = set->list[at].last;
		remove_at(set, at);
	} else if (behind) {
		set->list[at - 1].last = id;
	} else if (before) {
		set->list[at].first = id;
	} else {
		return insert_at(set, at, id);
	}
	return 0;
}
