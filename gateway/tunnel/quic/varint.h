/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * varint: variable-length integers of RFC 9000 s16, for the few that we write and read ourselves.
 */
#include <stddef.h>
#include <stdint.h>

constexpr size_t QUIC_VARINT_MAX = 8;

static inline size_t quic_varint_size(uint64_t v)
{
	if (v < UINT64_C(1) << 6)
		return 1;
	if (v < UINT64_C(1) << 14)
		return 2;
	return v < UINT64_C(1) << 30 ? 4 : 8;
}

/* Returns the number of bytes. v is below 2^62. */
static inline size_t quic_varint_write(uint8_t out[static QUIC_VARINT_MAX], uint64_t v)
{
	size_t n = quic_varint_size(v);

	for (size_t i = n; i-- > 0; v >>= 8)
		out[i] = (uint8_t)v;
	out[0] |= (uint8_t)(n == 1 ? 0x00 : n == 2 ? 0x40 : n == 4 ? 0x80 : 0xc0);
	return n;
}

/* 0: bytes are missing. */
static inline size_t quic_varint_read(const uint8_t *bytes, size_t n, uint64_t *v)
{
	size_t size = n ? (size_t)1 << (bytes[0] >> 6) : 1;

	if (n < size)
		return 0;
	*v = bytes[0] & 0x3f;
	for (size_t i = 1; i < size; i++)
		*v = *v << 8 | bytes[i];
	return size;
}
