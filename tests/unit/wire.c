/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"
#include "checksum.h"
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

static uint32_t pseudo(const uint8_t *packet, uint8_t proto, size_t length)
{
	bool v6 = packet[0] >> 4 == 6;
	uint32_t sum = checksum_add(0, packet + (v6 ? 8 : 12), v6 ? 32 : 8);
	return sum + proto + (uint32_t)length;
}

static size_t ip_head(const struct wire *w)
{
	return w->v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
}

size_t wire_head(const struct wire *w)
{
	if (w->udp)
		return ip_head(w) + sizeof(struct udphdr);
	return ip_head(w) + sizeof(struct tcphdr) + (w->option ? 12 : 0);
}

static void build_ip4(const struct wire *w, uint8_t *out, size_t n)
{
	struct iphdr ip = {.version = 4,
		.ihl = 5,
		.tos = w->tos,
		.tot_len = htons((uint16_t)n),
		.id = htons(w->id),
		.frag_off = htons(w->fragmentable ? 0 : IP_DF),
		.ttl = w->ttl,
		.protocol = w->udp ? IPPROTO_UDP : IPPROTO_TCP,
		.saddr = htonl(0x0a000000u + w->host),
		.daddr = htonl(0x0a010002u)};

	memcpy(out, &ip, sizeof(ip));
	ip.check = htons((uint16_t)~checksum_fold(checksum_add(0, out, sizeof(ip))));
	memcpy(out, &ip, sizeof(ip));
}

static void build_ip6(const struct wire *w, uint8_t *out, size_t n)
{
	struct ip6_hdr ip = {.ip6_flow = htonl(0x60000000u | (uint32_t)w->tos << 20),
		.ip6_plen = htons((uint16_t)(n - sizeof(ip))),
		.ip6_nxt = w->udp ? IPPROTO_UDP : IPPROTO_TCP,
		.ip6_hlim = w->ttl};

	ip.ip6_src.s6_addr[0] = ip.ip6_dst.s6_addr[0] = 0xfd;
	ip.ip6_src.s6_addr[15] = w->host;
	ip.ip6_dst.s6_addr[15] = 2;
	memcpy(out, &ip, sizeof(ip));
}

static void build_tcp(const struct wire *w, uint8_t *out)
{
	struct tcphdr tcp = {.th_sport = htons(w->sport),
		.th_dport = htons(443),
		.th_seq = htonl(w->seq),
		.th_ack = htonl(w->ack),
		.th_off = w->option ? 8 : 5,
		.th_flags = w->flags,
		.th_win = htons(w->window)};
	const uint8_t timestamps[12] = {1, 1, 8, 10, 0, 0, 0, w->option, 0, 0, 0, 9};

	memcpy(out, &tcp, sizeof(tcp));
	if (w->option)
		memcpy(out + sizeof(tcp), timestamps, sizeof(timestamps));
}

static void build_udp(const struct wire *w, uint8_t *out)
{
	struct udphdr udp = {.uh_sport = htons(w->sport),
		.uh_dport = htons(443),
		.uh_ulen = htons((uint16_t)(sizeof(udp) + w->payload_n))};

	memcpy(out, &udp, sizeof(udp));
}

size_t wire_build(const struct wire *w, uint8_t *out)
{
	size_t head = wire_head(w), l4 = ip_head(w), n = head + w->payload_n;
	uint8_t proto = w->udp ? IPPROTO_UDP : IPPROTO_TCP;

	assert(n <= WIRE_MAX);
	(w->v6 ? build_ip6 : build_ip4)(w, out, n);
	(w->udp ? build_udp : build_tcp)(w, out + l4);
	if (w->payload_n)
		memcpy(out + head, w->payload, w->payload_n);
	uint16_t sum = checksum_fold(pseudo(out, proto, n - l4));
	if (!w->gso)
		sum = (uint16_t)~checksum_fold(checksum_add(sum, out + l4, n - l4));
	if (w->udp && !sum)
		sum = UINT16_MAX;
	sum = htons(sum);
	memcpy(out + l4 + (w->udp ? 6 : 16), &sum, sizeof(sum));
	return n;
}

struct virtio_net_hdr wire_vnet(const struct wire *w)
{
	uint8_t tcp = w->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;

	if (!w->gso)
		return (struct virtio_net_hdr){};
	return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = w->udp ? VIRTIO_NET_HDR_GSO_UDP_L4 : tcp,
		.hdr_len = (uint16_t)wire_head(w),
		.gso_size = w->gso,
		.csum_start = (uint16_t)ip_head(w),
		.csum_offset = w->udp ? 6 : 16};
}

bool wire_is_right(const uint8_t *packet, size_t n)
{
	bool v6 = packet[0] >> 4 == 6;
	size_t l4 = v6 ? sizeof(struct ip6_hdr) : (size_t)(packet[0] & 0xf) * 4;
	uint8_t proto = packet[v6 ? 6 : 9];

	if (!v6 && checksum_fold(checksum_add(0, packet, l4)) != 0xffff)
		return false;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return true;
	return checksum_fold(checksum_add(pseudo(packet, proto, n - l4), packet + l4, n - l4)) ==
	       0xffff;
}

const uint8_t *wire_payload(size_t size)
{
	static uint8_t bytes[WIRE_MAX];

	assert(size <= sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	return bytes;
}
