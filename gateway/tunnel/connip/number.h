/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * number: addresses as numbers, for ranges and for looking them up.
 *
 * RFC 9484 advertises ranges of addresses, which have an order and neighbours; a number has both.
 * IPv4 uses the low 32 bits. The family is kept beside it.
 */
#include "lib/ip.h"
#include <endian.h>
#include <string.h>

typedef unsigned __int128 number;

/* The big-endian number in n bytes, 4 or 16. */
static inline number number_read(const uint8_t *p, size_t n)
{
	uint32_t word;
	uint64_t half[2];

	if (n == sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		return be32toh(word);
	}
	memcpy(half, p, sizeof(half));
	return (number)be64toh(half[0]) << 64 | be64toh(half[1]);
}

static inline void number_write(uint8_t *out, size_t n, number value)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
}

static inline number number_of_addr(const struct addr *a)
{
	return number_read(a->b, addr_bytes(a->family));
}

static inline struct addr number_addr(uint8_t family, number value)
{
	struct addr a = {.family = family};

	number_write(a.b, addr_bytes(family), value);
	return a;
}

/* The highest address of the family. */
static inline number number_max(uint8_t family)
{
	return family == AF_INET ? UINT32_MAX : ~(number)0;
}
