/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * checksum: the Internet's (RFC 1071), added up byte by byte. It shares no code with what it
 * checks.
 */
#include <stddef.h>
#include <stdint.h>

/* p begins at an even place of what is summed. */
static inline uint32_t checksum_add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

/* As a number, not inverted. */
static inline uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}
