/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * chunk: the chunked coding (RFC 9112 7.1), checked while it passes.
 *
 * It reads any pieces of a body and says which bytes are data, moving none. What it accepts has one
 * reading: so a body may be forwarded as the very bytes that came, trailer and all, to a peer that
 * takes the coding, or as its data alone to one that doesn't. Extensions are checked and ignored;
 * white space around them, bare LF, obs-fold and sizes beyond 2^63 are refused. So is a trailer
 * field that http/name.h knows or that may be taken for one, or that `refuses` names: some programs
 * add the trailer to the head (lighttpd before 1.4.81), where it was decided already.
 *
 * Extensions, and the trailer, are bounded for the whole body: they are work without data.
 */
#include "http/fault.h"
#include "http/name.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

constexpr size_t HTTP_EXTENSIONS_MAX = 4096; /* bytes in a body */
constexpr size_t HTTP_TRAILER_MAX = 8192;
constexpr size_t HTTP_TRAILER_NAME_MAX = 64; /* of one field; longer ones are refused */

enum http_chunk_state : uint8_t {
	HTTP_CHUNK_SIZE_FIRST,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_EXT_NAME_FIRST,
	HTTP_CHUNK_EXT_NAME,
	HTTP_CHUNK_EXT_VALUE_FIRST,
	HTTP_CHUNK_EXT_VALUE,
	HTTP_CHUNK_EXT_QUOTED,
	HTTP_CHUNK_EXT_ESCAPED,
	HTTP_CHUNK_EXT_AFTER,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_CR,
	HTTP_CHUNK_DATA_LF,
	HTTP_CHUNK_LINE,
	HTTP_CHUNK_NAME,
	HTTP_CHUNK_VALUE,
	HTTP_CHUNK_VALUE_LF,
	HTTP_CHUNK_LAST_LF,
	HTTP_CHUNK_END,
	HTTP_CHUNK_STATE_MAX
};

/* All zero is the beginning of a body. */
struct http_chunk {
	enum http_chunk_state state;
	uint8_t digits;
	uint8_t name_len; /* of the trailer's field */
	uint16_t extensions, trailer;
	uint64_t left; /* of the chunk */
	/* Of trailer fields, beside those that are always refused; nullptr = none. */
	bool (*refuses)(const void *of, const char *name, size_t len);
	const void *of;
	char name[HTTP_TRAILER_NAME_MAX];
};

/*
 * Takes one run of bytes from the beginning of buf: either data or framing. Returns how many, and
 * in *is_data which; 0 when buf is empty or the body has ended; -EBADMSG with *why.
 */
[[nodiscard]] ssize_t http_chunk_next(
	struct http_chunk *c, const char *buf, size_t len, bool *is_data, enum http_fault *why);
/* All runs of buf up to the end of the body; returns how many bytes belong to it, or -EBADMSG. */
[[nodiscard]] ssize_t http_chunk_scan(
	struct http_chunk *c, const char *buf, size_t len, enum http_fault *why);

static inline bool http_chunk_ended(const struct http_chunk *c)
{
	return c->state == HTTP_CHUNK_END;
}
