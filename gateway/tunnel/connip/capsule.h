/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * capsule: the framing of RFC 9297 3.2: type, length, value, one after the other.
 *
 * The reader takes any pieces of the stream and hands the bytes of a value on as they come, so that
 * a capsule of any length costs no memory: who understands its type reads it piecemeal, and who
 * does not lets it pass. It does not know what types mean, and nothing in the framing itself can be
 * wrong; but a stream that ends inside a capsule is malformed (3.3), which capsule_reader_idle()
 * tells.
 */
#include "connip/varint.h"

enum capsule_type : uint64_t {
	CAPSULE_DATAGRAM = 0x00,            /* RFC 9297 3.5 */
	CAPSULE_ADDRESS_ASSIGN = 0x01,      /* RFC 9484 4.7.1 */
	CAPSULE_ADDRESS_REQUEST = 0x02,     /* 4.7.2 */
	CAPSULE_ROUTE_ADVERTISEMENT = 0x03, /* 4.7.3 */
};

/* Room for a capsule's type and length. */
constexpr size_t CAPSULE_HEAD_MAX = 2 * VARINT_SIZE_MAX;

enum capsule_step {
	CAPSULE_MORE,  /* all bytes are taken, and a step needs more of them */
	CAPSULE_BEGIN, /* type and length are known */
	CAPSULE_VALUE, /* the bytes taken are a piece of the value */
	CAPSULE_END,   /* the value is complete; no byte was taken */
};

/* All zero is the beginning of a stream. */
struct capsule_reader {
	enum capsule_type type; /* from CAPSULE_BEGIN to CAPSULE_END */
	uint64_t length;
	uint64_t left; /* bytes of the value that are still to come */
	uint8_t head[CAPSULE_HEAD_MAX], have;
	bool inside; /* type and length have been read */
};

/* Takes the next step and returns how many of the n bytes it took. */
size_t capsule_read(struct capsule_reader *r, const uint8_t *p, size_t n, enum capsule_step *step);

/* Between two capsules: the only place where a stream may end. */
static inline bool capsule_reader_idle(const struct capsule_reader *r)
{
	return !r->inside && r->have == 0;
}

/* Writes type and length to out (CAPSULE_HEAD_MAX); returns their size. */
static inline size_t capsule_write_head(uint8_t *out, enum capsule_type type, uint64_t length)
{
	size_t n = varint_write(out, type);

	return n + varint_write(out + n, length);
}
