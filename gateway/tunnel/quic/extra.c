/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/extra.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"
#include "quic/varint.h"

/* RFC 9114 s6.2.1 and s7.2.4. */
constexpr uint64_t CONTROL_STREAM = 0x00;
constexpr uint64_t SETTINGS_FRAME = 0x04;
/* The library's own fit easily. */
constexpr size_t HEAD = 256;

void quic_extra_clear(struct quic_extra *x)
{
	free(x->bytes);
	*x = (struct quic_extra){};
}

static size_t gather(uint8_t out[static HEAD], const struct iovec *pieces, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		size_t part = pieces[i].iov_len < HEAD - sum ? pieces[i].iov_len : HEAD - sum;

		memcpy(out + sum, pieces[i].iov_base, part);
		sum += part;
	}
	return sum;
}

/* Where the entries of the frame lie. */
static bool parse(const uint8_t *head, size_t n, size_t *begin, size_t *end)
{
	const uint64_t expected[] = {CONTROL_STREAM, SETTINGS_FRAME};
	uint64_t value;
	size_t at = 0, used;

	for (size_t i = 0; i < 2; i++, at += used) {
		used = quic_varint_read(head + at, n - at, &value);
		if (used == 0 || value != expected[i])
			return false;
	}
	used = quic_varint_read(head + at, n - at, &value);
	*begin = at + used;
	*end = *begin + (size_t)value;
	return used && value <= n - *begin;
}

static void append(struct quic_extra *x, uint64_t v)
{
	x->n += quic_varint_write(x->bytes + x->n, v);
}

bool quic_extra_begin(struct quic_extra *x, const struct iovec *pieces, size_t n,
	const struct quic_setting *settings, size_t n_settings)
{
	uint8_t head[HEAD];
	size_t length = gather(head, pieces, n);
	size_t begin, end, added = 0;

	assert(!x->bytes);
	if (!parse(head, length, &begin, &end))
		return false;
	for (size_t i = 0; i < n_settings; i++)
		added += quic_varint_size(settings[i].id) + quic_varint_size(settings[i].value);
	x->bytes = xcalloc(1, 3 * QUIC_VARINT_MAX + (end - begin) + added + QUIC_VARINT_MAX);
	x->replaces = end;
	append(x, CONTROL_STREAM);
	append(x, SETTINGS_FRAME);
	append(x, end - begin + added);
	memcpy(x->bytes + x->n, head + begin, end - begin);
	x->n += end - begin;
	for (size_t i = 0; i < n_settings; i++) {
		append(x, settings[i].id);
		append(x, settings[i].value);
	}
	return true;
}

bool quic_extra_pending(const struct quic_extra *x)
{
	return x->sent < x->n;
}

size_t quic_extra_written(struct quic_extra *x, size_t n)
{
	if (!quic_extra_pending(x))
		return n;
	x->sent += n;
	return quic_extra_pending(x) ? 0 : x->replaces;
}

/* The library's count for one of the stream's. */
static uint64_t translate(const struct quic_extra *x, uint64_t offset)
{
	return offset < x->n ? 0 : offset - x->n + x->replaces;
}

uint64_t quic_extra_acknowledged(struct quic_extra *x, uint64_t n)
{
	uint64_t before = translate(x, x->acked);

	x->acked += n;
	return translate(x, x->acked) - before;
}
