/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ip.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

unsigned addr_bits(uint8_t family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

size_t addr_bytes(uint8_t family)
{
	return addr_bits(family) / 8;
}

/* RFC 4291 section 2.5.5.2. Such an address is an IPv4 address in disguise, and the kernel treats
 * it as one at the socket but not in routing: two truths about one value. */
static bool addr_is_mapped(const struct addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return a->family == AF_INET6 && memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

int addr_parse(const char *text, struct addr *out)
{
	struct addr a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(a.family, text, a.b) != 1 || addr_is_mapped(&a))
		return -EINVAL;
	*out = a;
	return 0;
}

/* Decimal without sign or leading zeros, at most max; -EINVAL otherwise. */
static int len_parse(const char *text, unsigned max)
{
	unsigned len = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		len = len * 10 + (unsigned)(*text - '0');
		if (len > max)
			return -EINVAL;
	}
	return (int)len;
}

/* Byte i of the netmask. */
static uint8_t mask_byte(uint8_t len, unsigned i)
{
	unsigned keep = len > 8 * i ? len - 8 * i : 0;

	return (uint8_t)(keep >= 8 ? 0xff : 0xff00 >> keep);
}

/* Clears the bits behind the length; true if there were any. */
static bool prefix_mask(struct prefix *p)
{
	bool cleared = false;

	for (unsigned i = 0; i < addr_bytes(p->addr.family); i++) {
		uint8_t masked = p->addr.b[i] & mask_byte(p->len, i);
		cleared |= masked != p->addr.b[i];
		p->addr.b[i] = masked;
	}
	return cleared;
}

int prefix_parse(const char *text, struct prefix *out)
{
	char host[ADDR_STRLEN];
	struct prefix p = {};
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &p.addr) < 0)
		return -EINVAL;

	unsigned bits = addr_bits(p.addr.family);
	int len = slash ? len_parse(slash + 1, bits) : (int)bits;
	if (len < 0)
		return len;
	p.len = (uint8_t)len;

	bool host_bits = prefix_mask(&p);
	*out = p;
	return host_bits ? -EDOM : 0;
}

const char *addr_str(const struct addr *a, char *buf)
{
	if (addr_bits(a->family) == 0)
		memcpy(buf, "none", sizeof("none"));
	else
		inet_ntop(a->family, a->b, buf, ADDR_STRLEN);
	return buf;
}

const char *prefix_str(const struct prefix *p, char *buf)
{
	char host[ADDR_STRLEN];

	snprintf(buf, PREFIX_STRLEN, "%s/%u", addr_str(&p->addr, host), p->len);
	return buf;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

bool prefix_contains_addr(const struct prefix *p, const struct addr *a)
{
	if (p->addr.family != a->family || addr_bits(a->family) == 0)
		return false;

	unsigned bytes = p->len / 8, rest = p->len % 8;
	if (memcmp(p->addr.b, a->b, bytes) != 0)
		return false;
	return rest == 0 || ((p->addr.b[bytes] ^ a->b[bytes]) & (0xff00 >> rest) & 0xff) == 0;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains_addr(outer, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

struct addr prefix_last(const struct prefix *p)
{
	struct addr last = p->addr;

	for (unsigned i = 0; i < addr_bytes(p->addr.family); i++)
		last.b[i] |= (uint8_t)~mask_byte(p->len, i);
	return last;
}

struct addr prefix_last_host(const struct prefix *p)
{
	struct addr last = prefix_last(p);
	if (p->len + 1U < addr_bits(p->addr.family))
		last.b[addr_bytes(p->addr.family) - 1]--;
	return last;
}

struct prefix prefix_of(const struct addr *a)
{
	return (struct prefix){.addr = *a, .len = (uint8_t)addr_bits(a->family)};
}

/* IANA's special-purpose registries (RFC 6890 and its updates): what no router forwards. */
static const struct {
	struct prefix prefix;
	const char *what;
} special[] = {
	{{{AF_INET, {0}}, 8}, "\"this network\""},
	{{{AF_INET, {127}}, 8}, "loopback"},
	{{{AF_INET, {169, 254}}, 16}, "link-local"},
	{{{AF_INET, {224}}, 4}, "multicast"},
	{{{AF_INET, {240}}, 4}, "reserved"},
	{{{AF_INET6, {}}, 128}, "the unspecified address"},
	{{{AF_INET6, {[15] = 1}}, 128}, "loopback"},
	{{{AF_INET6, {[10] = 0xff, 0xff}}, 96}, "IPv4-mapped"},
	{{{AF_INET6, {0xfe, 0x80}}, 10}, "link-local"},
	{{{AF_INET6, {0xff}}, 8}, "multicast"},
};

const char *prefix_special_str(const struct prefix *p)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (prefix_overlaps(&special[i].prefix, p))
			return special[i].what;
	return nullptr;
}

bool prefix_is_special(const struct prefix *p)
{
	return prefix_special_str(p);
}
