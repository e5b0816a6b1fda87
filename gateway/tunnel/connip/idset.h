/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * idset: which Request IDs a peer has used; none may come again (RFC 9484 4.7.2).
 *
 * Kept as intervals, so that IDs counted upwards or downwards, by any number of requests, cost one
 * entry. IDs scattered beyond all use fill the set, which is then the peer's fault.
 */
#include <stddef.h>
#include <stdint.h>

constexpr size_t IDSET_MAX = 64;

struct idset {
	struct {
		uint64_t first, last;
	} list[IDSET_MAX]; /* ascending, apart by at least one ID */
	size_t n;
};

/* 0; -EEXIST: it was there; -ENOSPC: the set is full. */
[[nodiscard]] int idset_add(struct idset *set, uint64_t id);
