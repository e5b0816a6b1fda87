/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/address.h"
#include "connip/version.h"
#include <errno.h>
#include <string.h>

size_t address_wire_size(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 1;

	size_t id = varint_size_of(p[0]);
	if (n <= id)
		return id + 1;
	uint8_t family = version_family(p[id]);
	return family == AF_UNSPEC ? 0 : id + 1 + addr_bytes(family) + 1;
}

bool address_is_canonical(const struct prefix *p)
{
	struct prefix shortened = *p;

	for (unsigned bit = p->len; bit < addr_bits(p->addr.family); bit++)
		shortened.addr.b[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return memcmp(shortened.addr.b, p->addr.b, sizeof(p->addr.b)) == 0;
}

int address_read(const uint8_t *p, struct connip_address *out)
{
	struct connip_address a = {};

	p += varint_read(p, VARINT_SIZE_MAX, &a.request);
	a.prefix.addr.family = version_family(*p++);
	size_t bytes = addr_bytes(a.prefix.addr.family);
	memcpy(a.prefix.addr.b, p, bytes);
	a.prefix.len = p[bytes];
	if (a.prefix.len > 8 * bytes || !address_is_canonical(&a.prefix))
		return -EBADMSG;
	*out = a;
	return 0;
}

size_t address_write(uint8_t *out, const struct connip_address *a)
{
	const struct addr *addr = &a->prefix.addr;
	size_t n = varint_write(out, a->request), bytes = addr_bytes(addr->family);

	out[n++] = version_of(addr->family);
	memcpy(out + n, addr->b, bytes);
	out[n + bytes] = a->prefix.len;
	return n + bytes + 1;
}

bool address_is_any(const struct connip_address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->prefix.addr.b, zero, sizeof(zero)) == 0;
}

bool address_is_refusal(const struct connip_address *a)
{
	return address_is_any(a) && a->prefix.len == addr_bits(a->prefix.addr.family);
}

struct connip_address address_refusal(uint64_t request, uint8_t family)
{
	return (struct connip_address){.request = request,
		.prefix = {.addr.family = family, .len = (uint8_t)addr_bits(family)}};
}
