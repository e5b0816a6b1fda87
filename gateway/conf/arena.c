/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/arena.h"
#include "lib/xmalloc.h"
#include <stdckdint.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t ARENA_CHUNK = 16 * 1024;

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *chunks; /* the first one is being filled */
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *chunk = xcalloc(1, sizeof(*chunk) + size);

	chunk->size = size;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t n, size_t size)
{
	size_t want;

	if (n == 0)
		return nullptr;
	if (ckd_mul(&want, n, size) || ckd_add(&want, want, alignof(max_align_t) - 1))
		abort();
	want &= ~(alignof(max_align_t) - 1);

	struct chunk *chunk = arena->chunks;
	if (!chunk || chunk->size - chunk->used < want) {
		chunk = chunk_new(want > ARENA_CHUNK ? want : ARENA_CHUNK);
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	void *p = chunk->data + chunk->used;
	chunk->used += want;
	return p;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(arena_alloc(arena, size, 1), text, size);
}
