/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/packet.h"
#include "connip/checksum.h"
#include "connip/routes.h"
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

constexpr size_t V4_HEADER = 20;
constexpr size_t V6_HEADER = 40;
/* Enough for every chain that means something, and an end for those that do not. */
constexpr unsigned EXTENSIONS_MAX = 16;
constexpr uint16_t V4_OFFSET = 0x1fff;
constexpr uint16_t V4_MORE = 0x2000;
constexpr uint16_t V4_DONT = 0x4000;

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

uint8_t packet_dscp(const uint8_t *head, size_t n)
{
	if (n < 2)
		return 0;
	switch (head[0] >> 4) {
	case 4:
		return head[1] >> 2;
	case 6:
		return (uint8_t)((get16(head) >> 6) & 0x3f);
	default:
		return 0;
	}
}

static bool is_icmp_proto(uint8_t family, int proto)
{
	return proto == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static void read_upper(const uint8_t *p, size_t n, size_t at, struct packet *out)
{
	out->icmp_type = out->icmp_code = -1;
	if (out->later_fragment || at >= n)
		return;
	out->upper_at = at;
	if (!is_icmp_proto(out->family, out->proto) || n - at < 2)
		return;
	out->icmp_type = p[at];
	out->icmp_code = p[at + 1];
}

/* IPv4. */

/* Bytes of the header with its options; 0 = there is none. */
static size_t v4_header(const uint8_t *p, size_t n)
{
	if (n < V4_HEADER || p[0] >> 4 != 4)
		return 0;
	size_t size = 4 * (size_t)(p[0] & 0x0f);
	return size >= V4_HEADER && size <= n ? size : 0;
}

static void v4_read(const uint8_t *p, size_t n, size_t header, struct packet *out)
{
	unsigned fragment = get16(p + 6);

	*out = (struct packet){.family = AF_INET,
		.ttl = p[8],
		.proto = p[9],
		.fragment = fragment & (V4_OFFSET | V4_MORE),
		.later_fragment = fragment & V4_OFFSET,
		.dont_fragment = fragment & V4_DONT,
		.length = get16(p + 2),
		.from = number_read(p + 12, 4),
		.to = number_read(p + 16, 4)};
	read_upper(p, n, header, out);
}

static int v4_check(const uint8_t *p, size_t n, size_t total, struct packet *out)
{
	size_t header = v4_header(p, n);

	if (header == 0 || get16(p + 2) != total || checksum_fold(checksum_add(0, p, header)) != 0)
		return -EBADMSG;
	v4_read(p, n, header, out);
	return 0;
}

/* IPv6. */

/* A chain of extension headers, walked up to the upper layer. */
struct chain {
	const uint8_t *p;
	size_t n, at;
	int next;
	bool cut; /* a header of the chain is not there */
};

/* The header types of IANA's "IPv6 Extension Header Types" that say how long they are. ESP and the
 * two experimental ones do not: what is behind them cannot be known. */
static size_t extension_size(const struct chain *c)
{
	const uint8_t *p = c->p + c->at;

	switch (c->next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case 139: /* Host Identity Protocol */
	case 140: /* Shim6 */
		return 8 * (1 + (size_t)p[1]);
	case IPPROTO_AH:
		return 4 * (2 + (size_t)p[1]);
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static bool is_extension(int proto)
{
	static const uint8_t none[2];
	const struct chain c = {.p = none, .next = proto};

	return extension_size(&c) > 0;
}

/* RFC 5095: a routing header of type 0 that has segments left. */
static bool is_source_routed(const struct chain *c)
{
	return c->next == IPPROTO_ROUTING && c->p[c->at + 2] == 0 && c->p[c->at + 3] != 0;
}

static void note_fragment(const struct chain *c, struct packet *out)
{
	unsigned offset = get16(c->p + c->at + 2);

	out->fragment = offset & 0xfff9;
	out->later_fragment = offset & 0xfff8;
}

/* One header further; false at the upper layer and where the chain cannot be followed. */
static bool chain_step(struct chain *c, struct packet *out)
{
	if (!is_extension(c->next))
		return false;

	size_t size = c->n - c->at >= 8 ? extension_size(c) : SIZE_MAX;
	c->cut = size > c->n - c->at || is_source_routed(c);
	if (c->cut)
		return false;
	if (c->next == IPPROTO_FRAGMENT)
		note_fragment(c, out);
	c->next = c->p[c->at];
	c->at += size;
	return !out->later_fragment;
}

static void v6_read(struct chain *c, struct packet *out)
{
	const uint8_t *p = c->p;
	unsigned steps = 0;

	*out = (struct packet){.family = AF_INET6,
		.ttl = p[7],
		.dont_fragment = true,
		.length = V6_HEADER + get16(p + 4),
		.from = number_read(p + 8, 16),
		.to = number_read(p + 24, 16)};
	c->at = V6_HEADER;
	c->next = p[6];
	while (chain_step(c, out))
		if (++steps == EXTENSIONS_MAX)
			c->cut = true, c->next = IPPROTO_NONE;
	out->proto = c->cut || is_extension(c->next) ? ROUTES_PROTO_UNKNOWN : c->next;
	read_upper(p, c->n, c->at, out);
}

static int v6_check(const uint8_t *p, size_t n, size_t total, struct packet *out)
{
	struct chain c = {.p = p, .n = n};

	if (n < V6_HEADER || V6_HEADER + get16(p + 4) != total)
		return -EBADMSG;
	v6_read(&c, out);
	return c.cut ? -EBADMSG : 0;
}

int packet_read(const struct packet_bytes *bytes, struct packet *out)
{
	size_t total = bytes->head_n + bytes->rest_n;

	if (bytes->head_n == 0)
		return -EBADMSG;
	switch (bytes->head[0] >> 4) {
	case 4:
		return v4_check(bytes->head, bytes->head_n, total, out);
	case 6:
		return v6_check(bytes->head, bytes->head_n, total, out);
	default:
		return -EBADMSG;
	}
}

bool packet_is_icmp(const struct packet *p)
{
	return is_icmp_proto(p->family, p->proto);
}

bool packet_is_icmp_error(const struct packet *p)
{
	if (!packet_is_icmp(p))
		return false;
	if (p->family == AF_INET6)
		return p->icmp_type < ICMP6_INFOMSG_MASK;

	switch (p->icmp_type) {
	case ICMP_ECHOREPLY:
	case ICMP_ECHO:
	case ICMP_ROUTERADVERT:
	case ICMP_ROUTERSOLICIT:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REQUEST:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
		return false;
	default:
		return true;
	}
}

int packet_read_quote(
	const struct packet_bytes *bytes, const struct packet *error, struct packet *out)
{
	size_t at = error->upper_at + 8;

	if (!packet_is_icmp_error(error) || error->upper_at == 0 || bytes->head_n < at)
		return -ENOENT;

	const uint8_t *p = bytes->head + at;
	size_t n = bytes->head_n - at;
	if (error->family == AF_INET) {
		size_t header = v4_header(p, n);
		if (header == 0)
			return -ENOENT;
		v4_read(p, n, header, out);
		return 0;
	}
	struct chain c = {.p = p, .n = n};
	if (n < V6_HEADER || p[0] >> 4 != 6)
		return -ENOENT;
	v6_read(&c, out);
	return 0;
}

/* Addresses. */

struct special {
	const char *prefix; /* for the reader */
	uint8_t family, len;
	uint64_t high; /* its first 32 or 64 bits */
	unsigned bits;
};

/* IANA's special-purpose registries; scopes of multicast are RFC 4291 2.7 and RFC 5771 4. */
static const struct special specials[] = {
	{"0.0.0.0/8", AF_INET, 8, 0x00000000, PACKET_ADDR_NOBODY},
	{"127.0.0.0/8", AF_INET, 8, 0x7f000000, PACKET_ADDR_NOBODY},
	{"169.254.0.0/16", AF_INET, 16, 0xa9fe0000, PACKET_ADDR_LINK_LOCAL},
	{"224.0.0.0/4", AF_INET, 4, 0xe0000000, PACKET_ADDR_MULTICAST},
	{"224.0.0.0/24", AF_INET, 24, 0xe0000000, PACKET_ADDR_LINK_LOCAL},
	{"240.0.0.0/4", AF_INET, 4, 0xf0000000, PACKET_ADDR_NOBODY},
	{"255.255.255.255/32", AF_INET, 32, 0xffffffff,
		PACKET_ADDR_BROADCAST | PACKET_ADDR_LINK_LOCAL},
	{"fe80::/10", AF_INET6, 10, 0xfe80ULL << 48, PACKET_ADDR_LINK_LOCAL},
	{"ff00::/8", AF_INET6, 8, 0xff00ULL << 48, PACKET_ADDR_MULTICAST},
};

static unsigned v6_bits_beyond(number addr)
{
	unsigned top = (unsigned)(addr >> 112);

	if (addr <= 1) /* unspecified, loopback */
		return PACKET_ADDR_NOBODY;
	if (top >> 8 == 0xff && (top & 0x0f) <= 2) /* interface-local and link-local scope */
		return PACKET_ADDR_LINK_LOCAL;
	return 0;
}

/* Nearly all are not, and each packet asks. */
static bool may_be_special(uint8_t family, number addr)
{
	uint8_t top = (uint8_t)(family == AF_INET ? addr >> 24 : addr >> 120);

	if (family == AF_INET6)
		return top == 0 || top >= 0xfe;
	return top == 0 || top == 127 || top == 169 || top >= 224;
}

unsigned packet_addr_bits(uint8_t family, number addr)
{
	if (!may_be_special(family, addr))
		return 0;

	unsigned bits = family == AF_INET6 ? v6_bits_beyond(addr) : 0;
	uint64_t high = family == AF_INET ? (uint64_t)addr : (uint64_t)(addr >> 64);
	unsigned width = family == AF_INET ? 32 : 64;

	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		const struct special *s = &specials[i];
		if (s->family == family && (high ^ s->high) >> (width - s->len) == 0)
			bits |= s->bits;
	}
	return bits;
}
