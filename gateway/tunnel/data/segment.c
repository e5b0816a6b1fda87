/* SPDX-License-Identifier: Apache-2.0 */
#include "data/segment.h"
#include "data/sum.h"
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

constexpr uint8_t TH_CWR_BIT = 0x80;
constexpr size_t TCP_FLAGS_AT = 13;
constexpr size_t PACKET_MAX = UINT16_MAX + sizeof(struct ip6_hdr);

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* What the kernel calls CHECKSUM_PARTIAL: the field holds the pseudo header's sum. */
static int complete(const struct virtio_net_hdr *vnet, uint8_t *packet, size_t n)
{
	size_t start = le16toh(vnet->csum_start);
	size_t at = start + le16toh(vnet->csum_offset);

	if (at + sizeof(uint16_t) > n)
		return -EBADMSG;
	sum_store_udp(sum_add(0, packet + start, n - start), packet + at);
	return 0;
}

static bool is_udp(const struct virtio_net_hdr *vnet)
{
	return (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_UDP_L4;
}

/* Do the IP header and the kind of super-packet agree? */
static int check_ip(struct segment *s, const struct virtio_net_hdr *vnet)
{
	unsigned type = vnet->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	unsigned version = s->packet[0] >> 4;
	uint8_t proto = s->udp ? IPPROTO_UDP : IPPROTO_TCP;

	s->v6 = version == 6;
	if (version == 4 && (s->udp || type == VIRTIO_NET_HDR_GSO_TCPV4)) {
		size_t ihl = (size_t)(s->packet[0] & 0xf) * 4;
		return ihl == s->l4 && ihl >= sizeof(struct iphdr) &&
				       s->packet[offsetof(struct iphdr, protocol)] == proto
			       ? 0
			       : -EBADMSG;
	}
	if (version == 6 && (s->udp || type == VIRTIO_NET_HDR_GSO_TCPV6))
		return s->l4 >= sizeof(struct ip6_hdr) ? 0 : -EBADMSG;
	return -EBADMSG;
}

static int check_l4(struct segment *s)
{
	size_t length = sizeof(struct udphdr);

	if (!s->udp)
		length = (size_t)(s->packet[s->l4 + 12] >> 4) * 4;
	if (!s->udp && length < sizeof(struct tcphdr))
		return -EBADMSG;
	s->head_n = s->l4 + length;
	return s->head_n < s->n && s->head_n <= SEGMENT_HEAD_MAX ? 0 : -EBADMSG;
}

static size_t checksum_at(const struct segment *s)
{
	return s->l4 + (s->udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
}

/* The pseudo header's sum without its length: the field's, minus the length that is in it. It may
 * know an address that is not in the fixed header (a routing header's). */
static void set_pseudo(struct segment *s)
{
	uint16_t partial;

	memcpy(&partial, s->packet + checksum_at(s), sizeof(partial));
	s->pseudo = sum_add16(partial, (uint16_t)~(s->n - s->l4));
}

int segment_begin(struct segment *s, const struct virtio_net_hdr *vnet, uint8_t *packet, size_t n)
{
	*s = (struct segment){.packet = packet, .n = n};
	if (n < sizeof(struct iphdr) || n > PACKET_MAX)
		return -EBADMSG;
	if (vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM ? complete(vnet, packet, n) : 0;

	s->size = le16toh(vnet->gso_size);
	s->l4 = le16toh(vnet->csum_start);
	s->udp = is_udp(vnet);
	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || s->size == 0 ||
		s->l4 + sizeof(struct tcphdr) > n)
		return -EBADMSG;
	int r = check_ip(s, vnet);
	if (r == 0)
		r = check_l4(s);
	if (r < 0)
		return r;
	set_pseudo(s);
	s->at = s->head_n;
	return 0;
}

static void write_ip(const struct segment *s, uint8_t *head, size_t length)
{
	if (s->v6) {
		put16(head + offsetof(struct ip6_hdr, ip6_plen), length - sizeof(struct ip6_hdr));
		return;
	}
	uint8_t *id = head + offsetof(struct iphdr, id);
	uint8_t *check = head + offsetof(struct iphdr, check);
	put16(head + offsetof(struct iphdr, tot_len), length);
	put16(id, get16(id) + s->count);
	put16(check, 0);
	sum_store(sum_add(0, head, s->l4), check);
}

/* FIN and PSH belong to the end of the data, CWR to its beginning. */
static void write_tcp(const struct segment *s, uint8_t *tcp, bool last)
{
	uint32_t seq;

	memcpy(&seq, tcp + offsetof(struct tcphdr, seq), sizeof(seq));
	seq = htobe32(be32toh(seq) + (uint32_t)(s->at - s->head_n));
	memcpy(tcp + offsetof(struct tcphdr, seq), &seq, sizeof(seq));
	if (!last)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~(TH_FIN | TH_PUSH);
	if (s->count > 0)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~TH_CWR_BIT;
}

static void write_head(const struct segment *s, uint8_t *head, size_t payload_n)
{
	size_t length = s->head_n - s->l4 + payload_n;
	uint8_t *check = head + checksum_at(s);

	memcpy(head, s->packet, s->head_n);
	write_ip(s, head, s->l4 + length);
	if (s->udp)
		put16(head + s->l4 + offsetof(struct udphdr, len), length);
	else
		write_tcp(s, head + s->l4, s->at + payload_n == s->n);
	put16(check, 0);
	uint64_t sum = sum_add16(s->pseudo, (uint16_t)length);
	sum = sum_add(sum, head + s->l4, s->head_n - s->l4);
	sum = sum_add(sum, s->packet + s->at, payload_n);
	if (s->udp)
		sum_store_udp(sum, check);
	else
		sum_store(sum, check);
}

bool segment_next(struct segment *s, uint8_t *head, struct segment_piece *out)
{
	if (s->at == s->n)
		return false;
	if (s->size == 0) {
		*out = (struct segment_piece){.head = s->packet, .head_n = s->n};
		s->at = s->n;
		return true;
	}
	size_t payload_n = s->n - s->at < s->size ? s->n - s->at : s->size;
	write_head(s, head, payload_n);
	*out = (struct segment_piece){.head = head,
		.head_n = s->head_n,
		.payload = s->packet + s->at,
		.payload_n = payload_n};
	s->at += payload_n;
	s->count++;
	return true;
}
