/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * checksum: the Internet checksum (RFC 1071), summed over pieces.
 *
 * All pieces but the last have an even number of bytes.
 */
#include <stddef.h>
#include <stdint.h>

static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t n)
{
	for (; n >= 2; p += 2, n -= 2)
		sum += (uint64_t)(p[0] << 8 | p[1]);
	return n ? sum + ((uint64_t)p[0] << 8) : sum;
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void checksum_put(uint8_t *at, uint64_t sum)
{
	uint16_t value = checksum_fold(sum);

	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}
