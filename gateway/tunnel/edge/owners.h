/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * owners: which node does an address belong to? Asked for each packet, of its source and of its
 * destination.
 *
 * Of the prefixes that hold an address the longest decides, and of two equal ones the first in the
 * configuration. They are laid out flat, as ranges that do not overlap, in an immutable sorted
 * array: a lookup is one binary search. Who is connected plays no part in it: a node that is away
 * keeps what is its own. The edge itself is an owner, too.
 */
#include "connip/number.h"

struct owned {
	struct prefix prefix;
	size_t node;
};

struct owner_range {
	uint8_t family;
	number first, last;
	size_t node;
};

struct owners {
	struct owner_range *list;
	size_t n;
};

constexpr size_t OWNERS_NOBODY = SIZE_MAX;
constexpr size_t OWNERS_EDGE = SIZE_MAX - 1;

/* Replaces what is there. The list is in the order of the configuration. */
void owners_set(struct owners *o, const struct owned *list, size_t n);
void owners_clear(struct owners *o);
size_t owners_find(const struct owners *o, uint8_t family, number addr);
