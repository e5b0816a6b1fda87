/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/icmp.h"
#include "connip/checksum.h"
#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

constexpr size_t V4_HEADER = 20;
constexpr size_t V6_HEADER = 40;
constexpr size_t ICMP_HEADER = 8;
constexpr size_t V4_ERROR_MAX = 576; /* RFC 1812 4.3.2.3 */
constexpr size_t V6_MIN_MTU = 1280;
constexpr uint8_t HOPS = 64;
constexpr uint8_t V4_TOS = 0xc0; /* RFC 1812 4.3.2.5: precedence internetwork control */

/* Type and code per reason and family. */
static const struct {
	uint8_t v4[2], v6[2];
} codes[] = {
	[ICMP_WHY_SOURCE] = {{ICMP_DEST_UNREACH, ICMP_PKT_FILTERED}, {ICMP6_DST_UNREACH, 5}},
	[ICMP_WHY_NO_ROUTE] = {{ICMP_DEST_UNREACH, ICMP_NET_UNREACH},
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE}},
	[ICMP_WHY_PROHIBITED] = {{ICMP_DEST_UNREACH, ICMP_PKT_FILTERED},
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN}},
	[ICMP_WHY_AWAY] = {{ICMP_DEST_UNREACH, ICMP_HOST_UNREACH},
		{ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR}},
	[ICMP_WHY_TOO_BIG] = {{ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED}, {ICMP6_PACKET_TOO_BIG, 0}},
};

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

bool icmp_may_answer(const struct packet *p, enum icmp_why why)
{
	/* One host, and none that is only known on its link: not (RFC 4443 2.4 (e.6)) otherwise. */
	if (packet_addr_bits(p->family, p->from) &
		(PACKET_ADDR_NOBODY | PACKET_ADDR_MULTICAST | PACKET_ADDR_BROADCAST))
		return false;
	if (p->later_fragment || packet_is_icmp_error(p))
		return false;
	if (p->family == AF_INET6 && packet_is_icmp(p) && p->icmp_type == ND_REDIRECT)
		return false;

	bool to_many = packet_addr_bits(p->family, p->to) &
		       (PACKET_ADDR_MULTICAST | PACKET_ADDR_BROADCAST);
	if (p->family == AF_INET)
		return !to_many && (why != ICMP_WHY_TOO_BIG || p->dont_fragment);
	return !to_many || why == ICMP_WHY_TOO_BIG; /* RFC 4443 2.4 (e.3) */
}

/* Copies up to n bytes of the packet; returns how many. */
static size_t quote(uint8_t *out, size_t n, const struct packet_bytes *bytes)
{
	size_t head = bytes->head_n < n ? bytes->head_n : n;
	size_t rest = bytes->rest_n < n - head ? bytes->rest_n : n - head;

	memcpy(out, bytes->head, head);
	if (rest)
		memcpy(out + head, bytes->rest, rest);
	return head + rest;
}

static void finish_v4(uint8_t *out, size_t size, number from, number to)
{
	uint8_t *icmp = out + V4_HEADER;

	memset(out, 0, V4_HEADER);
	out[0] = 0x45;
	out[1] = V4_TOS;
	put16(out + 2, size);
	put16(out + 6, 0x4000); /* an atomic datagram (RFC 6864 4.1): its ID means nothing */
	out[8] = HOPS;
	out[9] = IPPROTO_ICMP;
	number_write(out + 12, 4, from);
	number_write(out + 16, 4, to);
	checksum_put(out + 10, checksum_add(0, out, V4_HEADER));
	put16(icmp + 2, 0);
	checksum_put(icmp + 2, checksum_add(0, icmp, size - V4_HEADER));
}

static void finish_v6(uint8_t *out, size_t size, number from, number to)
{
	uint8_t *icmp = out + V6_HEADER;
	size_t n = size - V6_HEADER;

	memset(out, 0, V6_HEADER);
	out[0] = 0x60;
	put16(out + 4, n);
	out[6] = IPPROTO_ICMPV6;
	out[7] = HOPS;
	number_write(out + 8, 16, from);
	number_write(out + 24, 16, to);
	put16(icmp + 2, 0);
	/* RFC 8200 8.1: addresses, length and protocol are in the sum. */
	checksum_put(
		icmp + 2, checksum_add(checksum_add(n + IPPROTO_ICMPV6, out + 8, 32), icmp, n));
}

size_t icmp_write_error(uint8_t out[static ICMP_MESSAGE_MAX], const struct packet_bytes *bytes,
	const struct packet *p, enum icmp_why why, number from, uint32_t mtu)
{
	bool v4 = p->family == AF_INET;
	size_t header = v4 ? V4_HEADER : V6_HEADER, most = v4 ? V4_ERROR_MAX : V6_MIN_MTU;
	uint8_t *icmp = out + header;
	const uint8_t *code = v4 ? codes[why].v4 : codes[why].v6;

	icmp[0] = code[0];
	icmp[1] = code[1];
	put32(icmp + 4, why == ICMP_WHY_TOO_BIG ? mtu : 0); /* IPv4: RFC 1191 4, low half */
	size_t size = header + ICMP_HEADER;
	size += quote(out + size, most - size, bytes);
	(v4 ? finish_v4 : finish_v6)(out, size, from, p->from);
	return size;
}

size_t icmp_write_probe(uint8_t out[static ICMP_MESSAGE_MAX], const struct icmp_echo *echo)
{
	uint8_t *icmp = out + V6_HEADER;

	icmp[0] = ICMP6_ECHO_REQUEST;
	icmp[1] = 0;
	put16(icmp + 4, echo->id);
	put16(icmp + 6, echo->sequence);
	for (size_t i = V6_HEADER + ICMP_HEADER; i < V6_MIN_MTU; i++)
		out[i] = (uint8_t)i;
	finish_v6(out, V6_MIN_MTU, echo->from, echo->to);
	return V6_MIN_MTU;
}

static bool is_echo(const struct packet_bytes *bytes, const struct packet *p, int type)
{
	return p->family == AF_INET6 && packet_is_icmp(p) && p->icmp_type == type && !p->fragment &&
	       bytes->head_n >= p->upper_at + ICMP_HEADER;
}

bool icmp_is_probe_reply(
	const struct packet_bytes *bytes, const struct packet *p, const struct icmp_echo *echo)
{
	uint8_t ids[4];

	put16(ids, echo->id);
	put16(ids + 2, echo->sequence);
	return is_echo(bytes, p, ICMP6_ECHO_REPLY) && p->length == V6_MIN_MTU &&
	       p->to == echo->from && memcmp(bytes->head + p->upper_at + 4, ids, 4) == 0;
}

bool icmp_is_echo_request(const struct packet_bytes *bytes, const struct packet *p)
{
	return is_echo(bytes, p, ICMP6_ECHO_REQUEST) && p->upper_at == V6_HEADER &&
	       p->length <= ICMP_MESSAGE_MAX;
}

size_t icmp_write_echo_reply(uint8_t out[static ICMP_MESSAGE_MAX], const struct packet_bytes *bytes,
	const struct packet *p, number from)
{
	assert(icmp_is_echo_request(bytes, p));
	size_t size = quote(out, ICMP_MESSAGE_MAX, bytes);
	out[V6_HEADER] = ICMP6_ECHO_REPLY;
	finish_v6(out, size, from, p->from);
	return size;
}
