/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/batch.h"

#include <assert.h>

void quic_batch_init(struct quic_batch *b, uint8_t *buffer, size_t capacity, struct quic_run *runs,
	size_t max_runs)
{
	*b = (struct quic_batch){
		.buffer = buffer,
		.capacity = capacity,
		.runs = runs,
		.max_runs = max_runs,
	};
}

void quic_batch_reset(struct quic_batch *b)
{
	b->used = 0;
	b->n_runs = 0;
}

bool quic_batch_fits(const struct quic_batch *b, size_t n)
{
	return b->n_runs < b->max_runs && b->capacity - b->used >= n;
}

/* A shorter datagram may join, but is the last one then. */
static bool joins(const struct quic_run *run, const struct quic_path *path, uint8_t ecn, size_t n)
{
	return run->length % run->segment == 0 && n <= run->segment && run->ecn == ecn &&
	       run->length / run->segment < QUIC_RUN_SEGMENTS &&
	       run->length + n <= QUIC_RUN_BYTES && quic_path_equal(&run->path, path);
}

void quic_batch_add(struct quic_batch *b, const struct quic_path *path, uint8_t ecn, size_t n)
{
	assert(n > 0 && quic_batch_fits(b, n));
	if (b->n_runs && joins(&b->runs[b->n_runs - 1], path, ecn, n))
		b->runs[b->n_runs - 1].length += n;
	else
		b->runs[b->n_runs++] = (struct quic_run){
			.bytes = b->buffer + b->used,
			.length = n,
			.segment = n,
			.ecn = ecn,
			.path = *path,
		};
	b->used += n;
}
