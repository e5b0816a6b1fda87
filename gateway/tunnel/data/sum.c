/* SPDX-License-Identifier: Apache-2.0 */
#include "data/sum.h"
#include <arpa/inet.h>
#include <string.h>

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	bool carry = __builtin_add_overflow(a, b, &sum);
	return sum + carry;
}

uint64_t sum_add(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t other = 0;

	/* Two chains, so that one does not wait for the other's carry. */
	for (; n >= 32; n -= 32, p += 32) {
		uint64_t w[4];
		memcpy(w, p, sizeof(w));
		sum = add(sum, w[0]);
		other = add(other, w[1]);
		sum = add(sum, w[2]);
		other = add(other, w[3]);
	}
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		sum = add(sum, w);
	}
	if (n) {
		uint64_t w = 0;
		memcpy(&w, p, n);
		sum = add(sum, w);
	}
	return add(sum, other);
}

uint64_t sum_copy(uint64_t sum, void *to, const void *from, size_t n)
{
	/* What was copied is still in the cache that the sum reads from. */
	memcpy(to, from, n);
	return sum_add(sum, to, n);
}

uint64_t sum_add16(uint64_t sum, uint16_t word)
{
	return add(sum, htons(word));
}

uint64_t sum_pseudo(const void *addresses, size_t n, uint8_t proto, size_t length)
{
	uint64_t sum = sum_add(0, addresses, n);
	return sum_add16(sum_add16(sum, proto), (uint16_t)length);
}

uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void sum_store(uint64_t sum, uint8_t *at)
{
	uint16_t folded = (uint16_t)~sum_fold(sum);

	memcpy(at, &folded, sizeof(folded));
}

void sum_store_udp(uint64_t sum, uint8_t *at)
{
	uint16_t folded = (uint16_t)~sum_fold(sum);

	if (!folded)
		folded = UINT16_MAX;
	memcpy(at, &folded, sizeof(folded));
}
