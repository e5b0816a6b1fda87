/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * taken: the addresses that are somebody's, while leases are given away.
 *
 * Ranges in order that do not overlap, so that the next free address is found however full a pool
 * is: what a node costs does not depend on how many came before it.
 */
#include "connip/range.h"

struct taken {
	struct connip_range *list;
	size_t n, cap;
};

/* Before all others: in any order, overlapping or not; taken_settle() ends it. */
void taken_begin(struct taken *t, const struct prefix *p);
void taken_settle(struct taken *t);

/* False: it is taken already. */
[[nodiscard]] bool taken_add(struct taken *t, const struct addr *a);
/* The first free address from first to last, both included; false: there is none. */
[[nodiscard]] bool taken_find_free(
	const struct taken *t, uint8_t family, number first, number last, number *out);
void taken_clear(struct taken *t);
