/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/packet.h"
#include "trace/checksum.h"
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

constexpr size_t IPV4_MIN = 20;
constexpr size_t IPV6_HEADER = 40;
constexpr size_t TCP_MIN = 20;
constexpr size_t UDP_HEADER = 8;
constexpr size_t ICMP_HEADER = 8;
constexpr unsigned EXTENSIONS_MAX = 8;
constexpr uint16_t IPV4_MORE = 0x2000;
constexpr uint16_t IPV4_OFFSET = 0x1fff;

/* Bytes that are there, and where reading is. */
struct input {
	const uint8_t *data;
	size_t len;
	size_t at;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool has(const struct input *in, size_t n)
{
	return in->len - in->at >= n;
}

static const uint8_t *here(const struct input *in)
{
	return in->data + in->at;
}

static enum packet_checksum judge(uint16_t folded)
{
	return folded == 0 ? CHECKSUM_GOOD : CHECKSUM_BAD;
}

/* ---- layer 4 ---- */

static int read_mss(const uint8_t *option, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (option[i] == TCPOPT_EOL)
			break;
		if (option[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (len - i < 2 || option[i + 1] < 2 || option[i + 1] > len - i)
			break;
		if (option[i] == TCPOPT_MAXSEG && option[i + 1] == TCPOLEN_MAXSEG)
			return get16(option + i + 2);
		i += option[i + 1];
	}
	return -1;
}

static uint32_t behind(const struct packet *p, const struct input *in, size_t header)
{
	size_t headers = in->at + header;
	return p->length > headers ? p->length - (uint32_t)headers : 0;
}

static void read_tcp(struct input *in, struct packet *p)
{
	const uint8_t *tcp = here(in);
	if (has(in, 8))
		p->seq = get32(tcp + 4);
	if (!has(in, TCP_MIN))
		return;
	p->ack = get32(tcp + 8);
	p->tcp_flags = tcp[13] & 0x3f;
	size_t header = (size_t)(tcp[12] >> 4) * 4;
	if (header < TCP_MIN)
		return;
	p->payload = behind(p, in, header);
	if (has(in, header))
		p->mss = read_mss(tcp + TCP_MIN, header - TCP_MIN);
}

static void read_ports(struct input *in, struct packet *p)
{
	if (!has(in, 4))
		return;
	p->has_l4 = true;
	p->sport = get16(here(in));
	p->dport = get16(here(in) + 2);
	if (p->proto == IPPROTO_TCP)
		read_tcp(in, p);
	else
		p->payload = behind(p, in, UDP_HEADER);
}

/* Errors of ICMP (RFC 792, RFC 1191) and of ICMPv6 (RFC 4443: types below 128). */
static bool quotes(const struct packet *p)
{
	if (p->proto == IPPROTO_ICMPV6)
		return p->icmp_type < 128;
	return p->icmp_type == ICMP_DEST_UNREACH || p->icmp_type == ICMP_SOURCE_QUENCH ||
	       p->icmp_type == ICMP_REDIRECT || p->icmp_type == ICMP_TIME_EXCEEDED ||
	       p->icmp_type == ICMP_PARAMETERPROB;
}

static uint32_t read_mtu(const uint8_t *icmp, const struct packet *p)
{
	if (p->proto == IPPROTO_ICMPV6)
		return p->icmp_type == ICMP6_PACKET_TOO_BIG ? get32(icmp + 4) : 0;
	bool too_big = p->icmp_type == ICMP_DEST_UNREACH && p->icmp_code == ICMP_FRAG_NEEDED;
	return too_big ? get16(icmp + 6) : 0;
}

static void read_icmp(struct input *in, struct packet *p)
{
	const uint8_t *icmp = here(in);
	if (!has(in, ICMP_HEADER))
		return;
	p->has_l4 = true;
	p->icmp_type = icmp[0];
	p->icmp_code = icmp[1];
	if (packet_is_echo(p)) {
		p->sport = p->dport = get16(icmp + 4);
		p->seq = get16(icmp + 6);
		p->payload = behind(p, in, ICMP_HEADER);
	} else if (quotes(p)) {
		p->mtu = read_mtu(icmp, p);
		p->quote_at = in->at + ICMP_HEADER;
	}
}

static bool is_icmp(const struct packet *p)
{
	return p->proto == (p->from.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

bool packet_is_echo_reply(const struct packet *p)
{
	return is_icmp(p) &&
	       p->icmp_type == (p->proto == IPPROTO_ICMP ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
}

bool packet_is_echo(const struct packet *p)
{
	uint8_t request = p->proto == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	return is_icmp(p) && (p->icmp_type == request || packet_is_echo_reply(p));
}

/* Where the checksum of a protocol lies; SIZE_MAX = not one that is judged. */
static size_t checksum_offset(const struct packet *p)
{
	if (p->proto == IPPROTO_TCP)
		return 16;
	if (p->proto == IPPROTO_UDP)
		return 6;
	return is_icmp(p) ? 2 : SIZE_MAX;
}

static enum packet_checksum judge_l4(const struct input *in, const struct packet *p)
{
	size_t at = checksum_offset(p);
	if (p->fragment || p->length < in->at || p->length > in->len || at == SIZE_MAX)
		return CHECKSUM_UNKNOWN;
	size_t n = p->length - in->at;
	if (n < at + 2)
		return CHECKSUM_UNKNOWN;
	/* Of UDP over IPv4 there need be none (RFC 768). */
	if (p->proto == IPPROTO_UDP && p->from.family == AF_INET && get16(here(in) + at) == 0)
		return CHECKSUM_GOOD;
	uint32_t sum = checksum_add(0, here(in), n);
	if (p->proto != IPPROTO_ICMP)
		sum = checksum_add_pseudo(sum, &p->from, &p->to, p->proto, n);
	return judge(checksum_fold(sum));
}

static void read_l4(struct input *in, struct packet *p)
{
	if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)
		read_ports(in, p);
	else if (is_icmp(p))
		read_icmp(in, p);
	p->l4_checksum = judge_l4(in, p);
}

/* ---- layer 3 ---- */

static void get_addr(struct addr *a, uint8_t family, const uint8_t *bytes)
{
	*a = (struct addr){.family = family};
	memcpy(a->b, bytes, addr_bytes(family));
}

static int read_ipv4(struct input *in, struct packet *p)
{
	const uint8_t *ip = in->data;
	size_t header = (size_t)(ip[0] & 0xf) * 4;
	if (in->len < IPV4_MIN || header < IPV4_MIN)
		return -EBADMSG;
	uint16_t frag = get16(ip + 6);
	p->length = get16(ip + 2);
	p->ip_id = get16(ip + 4);
	p->ttl = ip[8];
	p->proto = ip[9];
	get_addr(&p->from, AF_INET, ip + 12);
	get_addr(&p->to, AF_INET, ip + 16);
	p->fragment = frag & (IPV4_MORE | IPV4_OFFSET);
	if (in->len < header)
		return 0;
	p->ip_checksum = judge(checksum_fold(checksum_add(0, ip, header)));
	in->at = header;
	if (!(frag & IPV4_OFFSET))
		read_l4(in, p);
	return 0;
}

/* Steps over one extension header (RFC 8200 section 4). False: here nothing more can be read. */
static bool skip_extension(struct input *in, struct packet *p)
{
	const uint8_t *ext = here(in);
	if (!has(in, 8))
		return false;
	size_t n = ((size_t)ext[1] + 1) * 8;
	if (p->proto == IPPROTO_FRAGMENT) {
		n = 8;
		p->fragment = get16(ext + 2) & 0xfff9;
		p->ip_id = get32(ext + 4);
		if (get16(ext + 2) & 0xfff8) {
			p->proto = ext[0];
			return false;
		}
	} else if (p->proto == IPPROTO_AH) {
		n = ((size_t)ext[1] + 2) * 4;
	}
	if (!has(in, n))
		return false;
	p->proto = ext[0];
	in->at += n;
	return true;
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_DSTOPTS || proto == IPPROTO_AH;
}

static int read_ipv6(struct input *in, struct packet *p)
{
	const uint8_t *ip = in->data;
	if (in->len < IPV6_HEADER)
		return -EBADMSG;
	p->length = (uint32_t)get16(ip + 4) + IPV6_HEADER;
	p->proto = ip[6];
	p->ttl = ip[7];
	get_addr(&p->from, AF_INET6, ip + 8);
	get_addr(&p->to, AF_INET6, ip + 24);
	p->ip_checksum = CHECKSUM_GOOD;
	in->at = IPV6_HEADER;
	for (unsigned i = 0; is_extension(p->proto); i++) {
		if (i == EXTENSIONS_MAX || !skip_extension(in, p))
			return 0;
	}
	read_l4(in, p);
	return 0;
}

int packet_parse(const uint8_t *data, size_t len, struct packet *out)
{
	struct input in = {.data = data, .len = len};
	struct packet p = {.mss = -1};
	int r = -EBADMSG;
	if (len > 0 && data[0] >> 4 == 4)
		r = read_ipv4(&in, &p);
	else if (len > 0 && data[0] >> 4 == 6)
		r = read_ipv6(&in, &p);
	if (r == 0)
		*out = p;
	return r;
}

int packet_parse_quote(
	const uint8_t *data, size_t len, const struct packet *error, struct packet *out)
{
	if (!error->quote_at)
		return -ENOENT;
	if (error->quote_at > len)
		return -EBADMSG;
	int r = packet_parse(data + error->quote_at, len - error->quote_at, out);
	return r == 0 && out->from.family != error->from.family ? -EBADMSG : r;
}
