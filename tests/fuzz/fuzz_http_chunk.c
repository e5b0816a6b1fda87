/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_chunk: bytes as a chunked body, whole and in pieces, and beside picohttpparser's
 * decoder: what ours accepts, it must read as the same data.
 */
#include "http/chunk.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As libh2o 2.2.5 has it (deps/picohttpparser). */
struct phr_chunked_decoder {
	size_t bytes_left_in_chunk;
	char consume_trailer;
	char hex_count;
	char state;
};
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *buf, size_t *bufsz);

struct result {
	char *data;
	size_t n, used;
	bool ended, refused;
};

static struct result decode(const char *buf, size_t size, size_t step)
{
	struct http_chunk c = {};
	struct result r = {.data = xcalloc(size ? size : 1, 1)};
	enum http_fault why = HTTP_FAULT_NONE;

	while (r.used < size && !http_chunk_ended(&c)) {
		size_t piece = step < size - r.used ? step : size - r.used;
		bool is_data;
		ssize_t n = http_chunk_next(&c, buf + r.used, piece, &is_data, &why);
		r.refused = n < 0;
		if (r.refused) {
			assert(why != HTTP_FAULT_NONE);
			return r;
		}
		assert(n > 0 && (size_t)n <= piece);
		if (is_data)
			memcpy(r.data + r.n, buf + r.used, (size_t)n);
		r.n += is_data ? (size_t)n : 0;
		r.used += (size_t)n;
	}
	r.ended = http_chunk_ended(&c);
	return r;
}

static void compare(const char *buf, size_t size, const struct result *ours)
{
	struct phr_chunked_decoder theirs = {.consume_trailer = 1};
	autofree char *copy = xcalloc(size, 1);
	size_t n = size;

	memcpy(copy, buf, size);
	ssize_t rest = phr_decode_chunked(&theirs, copy, &n);
	assert(rest >= 0 && (size_t)rest == size - ours->used);
	assert(n == ours->n && memcmp(copy, ours->data, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	autofree char *buf = xcalloc(size - 1, 1);
	memcpy(buf, data + 1, size - 1);
	size -= 1;

	struct result whole = decode(buf, size, size), pieces = decode(buf, size, 1 + data[0] % 16);
	assert(whole.refused == pieces.refused && whole.ended == pieces.ended);
	if (whole.ended) {
		assert(whole.used == pieces.used && whole.n == pieces.n);
		assert(memcmp(whole.data, pieces.data, whole.n) == 0);
		compare(buf, size, &whole);
	}
	free(whole.data);
	free(pieces.data);
	return 0;
}
