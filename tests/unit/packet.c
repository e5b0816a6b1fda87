/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"
#include "checksum.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

constexpr size_t PACKET_MAX = 2048;
constexpr int DEADLINE_MS = 2000;

struct packet packet_new(
	const char *from, const char *to, uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct packet p = {.proto = proto, .sport = sport, .dport = dport};

	assert_int_equal(addr_parse(from, &p.from), 0);
	assert_int_equal(addr_parse(to, &p.to), 0);
	if (proto == IPPROTO_TCP) {
		p.tcp_flags = TH_SYN;
		p.mss = 1460;
	}
	return p;
}

struct packet packet_reply(const struct packet *p)
{
	struct packet r = *p;

	r.from = p->to;
	r.to = p->from;
	r.sport = p->dport;
	r.dport = p->sport;
	if (r.proto == IPPROTO_TCP) {
		r.tcp_flags = TH_SYN | TH_ACK;
		r.seq = 0;
		r.ack = (p->seq ? p->seq : 1) + 1;
	}
	return r;
}

/* Over the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1) and n bytes at l4. */
static uint16_t l4_sum(const struct packet *p, const uint8_t *l4, size_t n)
{
	size_t len = addr_bytes(p->from.family);
	uint32_t sum = 0;

	if (p->proto != IPPROTO_ICMP) {
		sum = checksum_add(sum, p->from.b, len);
		sum = checksum_add(sum, p->to.b, len);
		sum += (uint32_t)n + p->proto;
	}
	return htons((uint16_t)~checksum_fold(checksum_add(sum, l4, n)));
}

static size_t put_tcp(uint8_t *l4, const struct packet *p)
{
	struct tcphdr tcp = {
		.th_sport = htons(p->sport),
		.th_dport = htons(p->dport),
		.th_seq = htonl(p->seq ? p->seq : 1),
		.th_ack = htonl(p->ack),
		.th_off = (p->mss ? 6 : 5) & 0xf,
		.th_flags = p->tcp_flags,
		.th_win = htons(8192),
	};
	const uint8_t option[] = {
		TCPOPT_MAXSEG, TCPOLEN_MAXSEG, (uint8_t)(p->mss >> 8), (uint8_t)p->mss};
	size_t n = p->mss ? 24 : 20;

	memcpy(l4, &tcp, sizeof(tcp));
	memcpy(l4 + sizeof(tcp), option, sizeof(option));
	tcp.th_sum = l4_sum(p, l4, n);
	memcpy(l4, &tcp, sizeof(tcp));
	return n;
}

static size_t put_udp(uint8_t *l4, const struct packet *p)
{
	struct udphdr udp = {
		.uh_sport = htons(p->sport), .uh_dport = htons(p->dport), .uh_ulen = htons(8)};

	memcpy(l4, &udp, sizeof(udp));
	udp.uh_sum = l4_sum(p, l4, sizeof(udp));
	memcpy(l4, &udp, sizeof(udp));
	return sizeof(udp);
}

static size_t put_packet(uint8_t *buf, const struct packet *p);

/* Both versions begin alike; sport is the identifier of an echo. */
static size_t put_icmp(uint8_t *l4, const struct packet *p)
{
	size_t n = sizeof(struct icmphdr);
	struct icmphdr icmp = {
		.type = (uint8_t)(p->dport >> 8),
		.code = (uint8_t)p->dport,
		.un.echo.id = htons(p->sport),
	};

	if (p->about)
		n += put_packet(l4 + n, p->about);
	memcpy(l4, &icmp, sizeof(icmp));
	icmp.checksum = l4_sum(p, l4, n);
	memcpy(l4, &icmp, sizeof(icmp));
	return n;
}

static size_t put_ip(uint8_t *buf, const struct packet *p, size_t payload)
{
	if (p->from.family == AF_INET6) {
		struct ip6_hdr ip6 = {
			.ip6_flow = htonl(6U << 28),
			.ip6_plen = htons((uint16_t)payload),
			.ip6_nxt = p->proto,
			.ip6_hlim = 64,
		};
		memcpy(&ip6.ip6_src, p->from.b, 16);
		memcpy(&ip6.ip6_dst, p->to.b, 16);
		memcpy(buf, &ip6, sizeof(ip6));
		return sizeof(ip6);
	}
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + payload)),
		.ttl = 64,
		.protocol = p->proto,
	};
	memcpy(&ip.saddr, p->from.b, 4);
	memcpy(&ip.daddr, p->to.b, 4);
	memcpy(buf, &ip, sizeof(ip));
	ip.check = htons((uint16_t)~checksum_fold(checksum_add(0, buf, sizeof(ip))));
	memcpy(buf, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t put_packet(uint8_t *buf, const struct packet *p)
{
	size_t header = p->from.family == AF_INET6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	size_t n;

	if (p->proto == IPPROTO_TCP)
		n = put_tcp(buf + header, p);
	else if (p->proto == IPPROTO_UDP)
		n = put_udp(buf + header, p);
	else
		n = put_icmp(buf + header, p);
	return put_ip(buf, p, n) + n;
}

void packet_send(int tun, const struct packet *p)
{
	uint8_t buf[PACKET_MAX];
	size_t n = put_packet(buf, p);

	assert_int_equal(write(tun, buf, n), n);
}

static void read_tcp(const uint8_t *l4, size_t n, struct packet *p)
{
	struct tcphdr tcp;

	if (n < sizeof(tcp))
		return;
	memcpy(&tcp, l4, sizeof(tcp));
	p->tcp_flags = tcp.th_flags;
	p->seq = ntohl(tcp.th_seq);
	p->ack = ntohl(tcp.th_ack);
	if (n >= 24 && l4[20] == TCPOPT_MAXSEG)
		p->mss = (uint16_t)(l4[22] << 8 | l4[23]);
}

static void read_l4(const uint8_t *l4, size_t n, struct packet *p)
{
	if (n < 8)
		return;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		p->dport = (uint16_t)(l4[0] << 8 | l4[1]);
		return;
	}
	p->sport = (uint16_t)(l4[0] << 8 | l4[1]);
	p->dport = (uint16_t)(l4[2] << 8 | l4[3]);
	if (p->proto == IPPROTO_TCP)
		read_tcp(l4, n, p);
}

static void read_packet(const uint8_t *buf, size_t n, struct packet *p)
{
	*p = (struct packet){};
	if (n >= sizeof(struct ip6_hdr) && buf[0] >> 4 == 6) {
		p->from.family = p->to.family = AF_INET6;
		p->proto = buf[6];
		memcpy(p->from.b, buf + 8, 16);
		memcpy(p->to.b, buf + 24, 16);
		read_l4(buf + 40, n - 40, p);
	} else if (n >= sizeof(struct iphdr) && buf[0] == 0x45) {
		p->from.family = p->to.family = AF_INET;
		p->proto = buf[9];
		memcpy(p->from.b, buf + 12, 4);
		memcpy(p->to.b, buf + 16, 4);
		read_l4(buf + 20, n - 20, p);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool matches(const struct packet *got, const struct packet *want)
{
	return got->proto == want->proto && addr_cmp(&got->to, &want->to) == 0 &&
	       (want->dport == 0 || got->dport == want->dport);
}

static void next_packet(int tun, int64_t deadline, struct packet *got)
{
	struct pollfd pfd = {.fd = tun, .events = POLLIN};
	uint8_t buf[PACKET_MAX];
	int64_t left = deadline - now_ms();

	if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
		fail_msg("no such packet came");
	ssize_t n = read(tun, buf, sizeof(buf));
	assert_true(n > 0);
	read_packet(buf, (size_t)n, got);
}

bool packet_come(int tun, struct packet *got)
{
	struct pollfd pfd = {.fd = tun, .events = POLLIN};

	if (poll(&pfd, 1, 0) <= 0)
		return false;
	next_packet(tun, now_ms() + DEADLINE_MS, got);
	return true;
}

void packet_expect(int tun, const struct packet *p, struct packet *got)
{
	int64_t deadline = now_ms() + DEADLINE_MS;

	do
		next_packet(tun, deadline, got);
	while (!matches(got, p));
}

void packet_expect_only(int tun, const struct packet *p, const struct packet *marker)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct packet got;

	do {
		next_packet(tun, deadline, &got);
		assert_false(matches(&got, p));
	} while (!matches(&got, marker));
}

void packet_expect_none_to(int tun, const struct addr *to, const struct packet *marker)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct packet got;

	do {
		next_packet(tun, deadline, &got);
		assert_int_not_equal(addr_cmp(&got.to, to), 0);
	} while (!matches(&got, marker));
}
