/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * arena: zeroed memory that is released all at once.
 *
 * A config is read once and never changed, so its parts need no owners of their own. Out of
 * memory aborts (lib/xmalloc.h); the size of what is parsed is bounded by CONFIG_MAX_BYTES.
 */
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* nullptr is allowed */

/* n zeroed elements, aligned for any type. nullptr for n = 0. */
void *arena_alloc(struct arena *arena, size_t n, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
