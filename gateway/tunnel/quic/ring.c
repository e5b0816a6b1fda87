/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"

void quic_ring_init(struct quic_ring *r, size_t capacity)
{
	*r = (struct quic_ring){.capacity = capacity};
}

void quic_ring_clear(struct quic_ring *r)
{
	free(r->bytes);
	*r = (struct quic_ring){};
}

size_t quic_ring_room(const struct quic_ring *r)
{
	return r->capacity - (size_t)(r->written - r->acked);
}

void quic_ring_write(struct quic_ring *r, const uint8_t *bytes, size_t n)
{
	size_t at = (size_t)(r->written % r->capacity);
	size_t first = n < r->capacity - at ? n : r->capacity - at;

	assert(n <= quic_ring_room(r));
	if (!r->bytes)
		r->bytes = xcalloc(1, r->capacity);
	memcpy(r->bytes + at, bytes, first);
	memcpy(r->bytes, bytes + first, n - first);
	r->written += n;
}

size_t quic_ring_take(struct quic_ring *r, struct iovec pieces[static 2])
{
	size_t n = (size_t)(r->written - r->taken);
	size_t at = (size_t)(r->taken % r->capacity);
	size_t first = n < r->capacity - at ? n : r->capacity - at;

	if (n == 0)
		return 0;
	pieces[0] = (struct iovec){.iov_base = r->bytes + at, .iov_len = first};
	pieces[1] = (struct iovec){.iov_base = r->bytes, .iov_len = n - first};
	r->taken = r->written;
	return n > first ? 2 : 1;
}

void quic_ring_acknowledge(struct quic_ring *r, uint64_t n)
{
	assert(n <= r->taken - r->acked);
	r->acked += n;
}
