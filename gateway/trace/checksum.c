/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/checksum.h"

/* Up to 64 KiB: no sum of that many 16-bit words overflows 32 bits. */
uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

uint32_t checksum_add_pseudo(
	uint32_t sum, const struct addr *from, const struct addr *to, uint8_t proto, size_t len)
{
	size_t bytes = addr_bytes(from->family);
	sum = checksum_add(sum, from->b, bytes);
	sum = checksum_add(sum, to->b, bytes);
	return sum + (uint32_t)len + proto;
}

uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
