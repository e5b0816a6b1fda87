/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/capsule.h"

/* How many bytes type and length have, as far as those at hand tell. */
static size_t head_size(const struct capsule_reader *r)
{
	if (r->have == 0)
		return 1;

	size_t type = varint_size_of(r->head[0]);
	return r->have <= type ? type + 1 : type + varint_size_of(r->head[type]);
}

static size_t read_head(
	struct capsule_reader *r, const uint8_t *p, size_t n, enum capsule_step *step)
{
	size_t used = 0;
	uint64_t type = 0;

	while (r->have < head_size(r)) {
		if (used == n) {
			*step = CAPSULE_MORE;
			return used;
		}
		r->head[r->have++] = p[used++];
	}

	size_t at = varint_read(r->head, r->have, &type);
	(void)varint_read(r->head + at, r->have - at, &r->length);
	r->type = (enum capsule_type)type;
	r->left = r->length;
	r->have = 0;
	r->inside = true;
	*step = CAPSULE_BEGIN;
	return used;
}

size_t capsule_read(struct capsule_reader *r, const uint8_t *p, size_t n, enum capsule_step *step)
{
	if (!r->inside)
		return read_head(r, p, n, step);
	if (r->left == 0) {
		r->inside = false;
		*step = CAPSULE_END;
		return 0;
	}

	size_t take = r->left < n ? (size_t)r->left : n;
	r->left -= take;
	*step = take ? CAPSULE_VALUE : CAPSULE_MORE;
	return take;
}
