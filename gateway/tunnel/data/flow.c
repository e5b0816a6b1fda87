/* SPDX-License-Identifier: Apache-2.0 */
#include "data/flow.h"
#include "data/sum.h"
#include <endian.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

constexpr size_t TCP_FLAGS_AT = 13;
constexpr uint8_t TH_ECE_BIT = 0x40;
/* Flags that packets in the middle of a transfer have. */
constexpr uint8_t PLAIN_FLAGS = TH_ACK | TH_PUSH | TH_FIN | TH_ECE_BIT;

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return be32toh(value);
}

/* Fills in where things are; false if the packet is not whole or not plain. */
static bool read_ip4(struct flow *f, size_t n)
{
	const uint8_t *p = f->packet;

	if (n < sizeof(struct iphdr) || p[0] != 0x45 ||
		get16(p + offsetof(struct iphdr, tot_len)) != n ||
		get16(p + offsetof(struct iphdr, frag_off)) & (IP_MF | IP_OFFMASK))
		return false;
	f->proto = p[offsetof(struct iphdr, protocol)];
	f->l4 = sizeof(struct iphdr);
	f->addresses = offsetof(struct iphdr, saddr);
	f->addresses_n = 2 * sizeof(struct in_addr);
	return true;
}

static bool read_ip6(struct flow *f, size_t n)
{
	const uint8_t *p = f->packet;

	if (n < sizeof(struct ip6_hdr) || p[0] >> 4 != 6 ||
		get16(p + offsetof(struct ip6_hdr, ip6_plen)) + sizeof(struct ip6_hdr) != n)
		return false;
	f->v6 = true;
	f->proto = p[offsetof(struct ip6_hdr, ip6_nxt)];
	f->l4 = sizeof(struct ip6_hdr);
	f->addresses = offsetof(struct ip6_hdr, ip6_src);
	f->addresses_n = 2 * sizeof(struct in6_addr);
	return true;
}

static bool read_tcp(struct flow *f, size_t n)
{
	const uint8_t *tcp = f->packet + f->l4;

	if (n < f->l4 + sizeof(struct tcphdr))
		return false;
	size_t length = (size_t)(tcp[12] >> 4) * 4;
	if (length < sizeof(struct tcphdr) || n < f->l4 + length)
		return false;
	f->head_n = (uint16_t)(f->l4 + length);
	f->check = offsetof(struct tcphdr, check);
	f->seq = get32(tcp + offsetof(struct tcphdr, seq));
	f->flags = tcp[TCP_FLAGS_AT];
	f->joins = f->flags & TH_ACK && !(f->flags & ~PLAIN_FLAGS);
	return true;
}

static bool read_udp(struct flow *f, size_t n)
{
	const uint8_t *udp = f->packet + f->l4;

	if (n < f->l4 + sizeof(struct udphdr))
		return false;
	f->head_n = (uint16_t)(f->l4 + sizeof(struct udphdr));
	f->check = offsetof(struct udphdr, check);
	f->joins = get16(udp + offsetof(struct udphdr, len)) == n - f->l4 &&
		   get16(udp + offsetof(struct udphdr, check)) != 0;
	return true;
}

void flow_read(struct flow *f, const uint8_t *packet, size_t n)
{
	*f = (struct flow){.packet = packet};
	bool known = read_ip4(f, n) || read_ip6(f, n);

	if (known && f->proto == IPPROTO_TCP)
		known = read_tcp(f, n);
	else if (known && f->proto == IPPROTO_UDP)
		known = read_udp(f, n);
	else
		known = false;
	if (!known) {
		*f = (struct flow){.packet = packet};
		return;
	}
	f->payload_n = n - f->head_n;
	f->joins = f->joins && f->payload_n > 0 &&
		   (f->v6 || sum_fold(sum_add(0, packet, f->l4)) == UINT16_MAX);
	if (f->joins) {
		f->sum = sum_pseudo(packet + f->addresses, f->addresses_n, f->proto, n - f->l4);
		f->sum = sum_add(f->sum, packet + f->l4, (size_t)(f->head_n - f->l4));
	}
}

bool flow_same(const struct flow *a, const struct flow *b)
{
	return a->proto == b->proto && a->v6 == b->v6 && a->proto != 0 &&
	       memcmp(a->packet + a->l4, b->packet + b->l4, 2 * sizeof(in_port_t)) == 0 &&
	       memcmp(a->packet + a->addresses, b->packet + b->addresses, a->addresses_n) == 0;
}

/* Version, traffic class, flow label; hop limit. */
static bool alike_ip6(const uint8_t *a, const uint8_t *b)
{
	constexpr size_t hop_limit = offsetof(struct ip6_hdr, ip6_hlim);
	return memcmp(a, b, 4) == 0 && a[hop_limit] == b[hop_limit];
}

/* Type of service; fragmentation bits; time to live. Where a packet may be fragmented on its way,
 * its identification must be what the kernel's segmentation would write. */
static bool alike_ip4(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	constexpr size_t id = offsetof(struct iphdr, id);
	constexpr size_t ttl = offsetof(struct iphdr, ttl);
	uint16_t fragments = get16(a + offsetof(struct iphdr, frag_off));

	return a[1] == b[1] && a[ttl] == b[ttl] &&
	       fragments == get16(b + offsetof(struct iphdr, frag_off)) &&
	       (fragments & IP_DF || get16(b + id) == (uint16_t)(get16(a + id) + n));
}

/* Acknowledgement; length, flags and window; urgent pointer; options. */
static bool alike_tcp(const struct flow *first, const struct flow *f)
{
	constexpr uint8_t last_only = TH_PUSH | TH_FIN;
	constexpr size_t window = offsetof(struct tcphdr, window);
	constexpr size_t ack = offsetof(struct tcphdr, ack_seq);
	constexpr size_t urgent = offsetof(struct tcphdr, urg_ptr);
	const uint8_t *a = first->packet + first->l4;
	const uint8_t *b = f->packet + f->l4;

	return first->head_n == f->head_n && !((first->flags ^ f->flags) & ~last_only) &&
	       memcmp(a + ack, b + ack, 5) == 0 && memcmp(a + window, b + window, 2) == 0 &&
	       memcmp(a + urgent, b + urgent, (size_t)(f->head_n - f->l4) - urgent) == 0;
}

bool flow_alike(const struct flow *first, const struct flow *f, uint32_t n)
{
	return (first->v6 ? alike_ip6(first->packet, f->packet)
			  : alike_ip4(first->packet, f->packet, n)) &&
	       (first->proto != IPPROTO_TCP || alike_tcp(first, f));
}
