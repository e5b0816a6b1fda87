/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/build.h"
#include "trace/checksum.h"
#include <assert.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

constexpr size_t IPV4_HEADER = 20;
constexpr size_t IPV6_HEADER = 40;
/* What Cloudflare's edge offers a service, before anybody clamps it. */
constexpr uint16_t MSS = 1460;

static const char payload[] = "meshgw diagnose ";

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

/* Each writes its header, without the checksum, into zeroed bytes. */

static void put_syn(const struct build *b, uint8_t *l4, size_t)
{
	put16(l4, b->sport);
	put16(l4 + 2, b->dport);
	put32(l4 + 4, b->seq);
	l4[12] = 6 << 4;
	l4[13] = TH_SYN;
	put16(l4 + 14, UINT16_MAX);
	l4[20] = TCPOPT_MAXSEG;
	l4[21] = TCPOLEN_MAXSEG;
	put16(l4 + 22, MSS);
}

static void put_udp(const struct build *b, uint8_t *l4, size_t len)
{
	put16(l4, b->sport);
	put16(l4 + 2, b->dport);
	put16(l4 + 4, (uint16_t)len);
}

static void put_echo(const struct build *b, uint8_t *l4, size_t)
{
	l4[0] = b->from.family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	put16(l4 + 4, b->sport);
	put16(l4 + 6, b->dport);
}

static const struct kind {
	const char *name;
	size_t header, checksum; /* length; where in it */
	size_t payload;          /* at least */
	void (*put)(const struct build *b, uint8_t *l4, size_t len);
} kinds[BUILD_KINDS] = {
	[BUILD_SYN] = {"syn", 24, 16, 0, put_syn},
	[BUILD_UDP] = {"udp", 8, 6, sizeof(payload) - 1, put_udp},
	[BUILD_ECHO] = {"echo", 8, 2, sizeof(payload) - 1, put_echo},
};

int build_kind_parse(const char *text, enum build_kind *out)
{
	for (unsigned i = 0; i < BUILD_KINDS; i++) {
		if (strcmp(text, kinds[i].name) != 0)
			continue;
		*out = (enum build_kind)i;
		return 0;
	}
	return -EINVAL;
}

static uint8_t protocol(const struct build *b)
{
	if (b->kind == BUILD_ECHO)
		return b->from.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	return b->kind == BUILD_SYN ? IPPROTO_TCP : IPPROTO_UDP;
}

static void put_ipv4(const struct build *b, uint8_t *ip, size_t len)
{
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)len);
	put16(ip + 4, (uint16_t)b->seq);
	put16(ip + 6, b->dont_fragment ? 0x4000 : 0);
	ip[8] = b->ttl;
	ip[9] = protocol(b);
	memcpy(ip + 12, b->from.b, 4);
	memcpy(ip + 16, b->to.b, 4);
	put16(ip + 10, checksum_fold(checksum_add(0, ip, IPV4_HEADER)));
}

static void put_ipv6(const struct build *b, uint8_t *ip, size_t len)
{
	ip[0] = 6 << 4;
	put16(ip + 4, (uint16_t)(len - IPV6_HEADER));
	ip[6] = protocol(b);
	ip[7] = b->ttl;
	memcpy(ip + 8, b->from.b, 16);
	memcpy(ip + 24, b->to.b, 16);
}

static void put_payload(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)payload[i % (sizeof(payload) - 1)];
}

/* 0 stands for "no checksum" in UDP (RFC 768), where the other zero is sent instead. */
static void put_l4(const struct build *b, uint8_t *l4, size_t len)
{
	const struct kind *k = &kinds[b->kind];
	k->put(b, l4, len);
	put_payload(l4 + k->header, len - k->header);
	uint32_t sum = checksum_add(0, l4, len);
	if (protocol(b) != IPPROTO_ICMP)
		sum = checksum_add_pseudo(sum, &b->from, &b->to, protocol(b), len);
	uint16_t folded = checksum_fold(sum);
	put16(l4 + k->checksum, folded == 0 && b->kind == BUILD_UDP ? UINT16_MAX : folded);
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

size_t build_packet(const struct build *b, uint8_t out[static BUILD_MAX])
{
	const struct kind *k = &kinds[b->kind];
	bool v4 = b->from.family == AF_INET;
	size_t header = v4 ? IPV4_HEADER : IPV6_HEADER;
	size_t len = header + k->header + k->payload;
	assert(b->from.family == b->to.family && b->size <= BUILD_IP_MAX);
	if (b->kind != BUILD_SYN)
		len = max(len, b->size);
	memset(out, 0, BUILD_ETHERNET + len);
	memcpy(out, b->lladdr, sizeof(b->lladdr));
	put16(out + 12, v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	(v4 ? put_ipv4 : put_ipv6)(b, out + BUILD_ETHERNET, len);
	put_l4(b, out + BUILD_ETHERNET + header, len - header);
	return BUILD_ETHERNET + len;
}
