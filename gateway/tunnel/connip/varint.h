/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * varint: QUIC's variable-length integers (RFC 9000 16), as capsules and datagrams use them.
 *
 * Reading takes any length of the encoding, since RFC 9484 2 does not ask for the shortest one;
 * writing uses the shortest.
 */
#include <stddef.h>
#include <stdint.h>

constexpr uint64_t VARINT_MAX = (1ULL << 62) - 1;
constexpr size_t VARINT_SIZE_MAX = 8;

/* Length of the encoding that begins with this byte: 1, 2, 4 or 8. */
static inline size_t varint_size_of(uint8_t first)
{
	return (size_t)1 << (first >> 6);
}

/* Reads one from the beginning of n bytes; returns its length, or 0 when it is not all there. */
static inline size_t varint_read(const uint8_t *p, size_t n, uint64_t *out)
{
	if (n == 0 || n < varint_size_of(p[0]))
		return 0;

	size_t size = varint_size_of(p[0]);
	uint64_t value = p[0] & 0x3f;
	for (size_t i = 1; i < size; i++)
		value = value << 8 | p[i];
	*out = value;
	return size;
}

/* Length of the shortest encoding; value is at most VARINT_MAX. */
static inline size_t varint_size(uint64_t value)
{
	return value < 1U << 6 ? 1 : value < 1U << 14 ? 2 : value < 1U << 30 ? 4 : 8;
}

/* Writes the shortest encoding to out, which has room for it; returns its length. */
static inline size_t varint_write(uint8_t *out, uint64_t value)
{
	static const uint8_t marks[] = {[1] = 0x00, [2] = 0x40, [4] = 0x80, [8] = 0xc0};
	size_t size = varint_size(value);

	for (size_t i = size; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
	out[0] |= marks[size];
	return size;
}
