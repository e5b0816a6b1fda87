/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/meter.h"

#include <malloc.h>
#include <stdlib.h>

#include "lib/xmalloc.h"

/* malloc_usable_size(3), and the size that glibc keeps in front of it. */
static size_t cost(void *p)
{
	return p ? malloc_usable_size(p) + sizeof(size_t) : 0;
}

static void *counted(struct quic_meter *m, void *p)
{
	m->used += cost(p);
	return p;
}

static void *on_malloc(size_t n, void *meter)
{
	return counted(meter, xreallocarray(nullptr, n, 1));
}

static void *on_calloc(size_t n, size_t size, void *meter)
{
	return counted(meter, xcalloc(n, size));
}

static void *on_realloc(void *old, size_t n, void *meter)
{
	struct quic_meter *m = meter;

	m->used -= cost(old);
	return counted(m, xreallocarray(old, n, 1));
}

static void on_free(void *p, void *meter)
{
	struct quic_meter *m = meter;

	m->used -= cost(p);
	free(p);
}

void quic_meter_init(struct quic_meter *m)
{
	*m = (struct quic_meter){
		.memory =
			{
				.user_data = m,
				.malloc = on_malloc,
				.free = on_free,
				.calloc = on_calloc,
				.realloc = on_realloc,
			},
	};
}

void quic_meter_sent(struct quic_meter *m, size_t before)
{
	if (m->used > before)
		m->sent += m->used - before;
}

size_t quic_meter_kept(struct quic_meter *m)
{
	if (m->sent > m->used) /* some of it has been given back */
		m->sent = m->used;
	return m->used - m->sent;
}
