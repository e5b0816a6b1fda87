/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * resolve: the addresses of a name, as this host's resolver knows them.
 */
#include "verdict/evidence.h"

constexpr size_t RESOLVE_MAX = 16;

/* Blocks until the deadline. Returns how many addresses there are in out, and a fact of kind L7
 * that tells them, or why there are none. */
size_t resolve_name(const char *name, uint64_t timeout_us, struct addr out[static RESOLVE_MAX],
	struct evidence *facts);
