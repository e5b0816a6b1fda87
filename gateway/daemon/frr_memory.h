/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_memory: what must outlive the process of what is ours in FRR, and carries no mark there.
 *
 * frr_sync.h decides what it is, store.h keeps it in state.json. It is on disk before FRR changes.
 */
#include "lib/ip.h"

constexpr size_t FRR_BEGUN_MAX = 64; /* as many as a configuration may have neighbours */

struct frr_memory {
	bool touched;    /* FRR may hold something of ours, or have it saved */
	uint32_t router; /* AS number of the `router bgp` that we made, 0 = it is not ours */
	bool bfd;        /* the block `bfd` is ours */
	/* Neighbours that a script makes of which nobody has seen yet that it was taken: cut off
	 * behind the first statements, they are bare of our description. */
	struct addr begun[FRR_BEGUN_MAX];
	size_t n_begun;
};
