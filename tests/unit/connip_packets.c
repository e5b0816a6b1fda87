/* SPDX-License-Identifier: Apache-2.0 */
#include "connip_packets.h"
#include "checksum.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static size_t get16(const uint8_t *p)
{
	return (size_t)(p[0] << 8 | p[1]);
}

static void put_addr(uint8_t *p, const char *text)
{
	assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, p), 1);
}

static bool is_v6(const struct made *m)
{
	return strchr(m->from, ':');
}

static uint8_t ttl_of(const struct made *m)
{
	return (uint8_t)(m->ttl == 0 ? 64 : m->ttl < 0 ? 0 : m->ttl);
}

static void build_upper(const struct made *m, struct wire *out)
{
	uint8_t head[8] = {};
	bool icmp = m->proto == (is_v6(m) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	struct wire quote = {};

	if (icmp) {
		head[0] = m->type;
		head[1] = m->code;
		put16(head + 4, m->id);
		put16(head + 6, m->sequence);
	}
	wire_bytes(out, head, sizeof(head));
	if (m->quote) {
		made_build(m->quote, &quote);
		wire_bytes(out, quote.b, quote.n);
	}
	for (size_t i = 0; i < m->payload; i++)
		wire_octet(out, i & 0xff);
}

static void build_v4(const struct made *m, struct wire *out)
{
	uint8_t head[20] = {0x45};
	size_t at = out->n;

	put16(head + 6, m->frag);
	head[8] = ttl_of(m);
	head[9] = (uint8_t)m->proto;
	put_addr(head + 12, m->from);
	put_addr(head + 16, m->to);
	wire_bytes(out, head, sizeof(head));
	build_upper(m, out);
	put16(out->b + at + 2, out->n - at);
	put16(out->b + at + 10, ~checksum_fold(checksum_add(0, out->b + at, 20)) & 0xffff);
}

static void build_v6(const struct made *m, struct wire *out)
{
	uint8_t head[40] = {0x60};
	size_t at = out->n, next = at + 6;

	head[7] = ttl_of(m);
	put_addr(head + 8, m->from);
	put_addr(head + 24, m->to);
	wire_bytes(out, head, sizeof(head));
	for (const struct made_ext *e = m->ext; e->type || e->size; e++) {
		size_t size = e->size ? e->size : 8;
		out->b[next] = e->type;
		next = out->n;
		for (size_t i = 0; i < size; i++)
			wire_octet(out, 0);
		out->b[next + 1] = (uint8_t)(e->type == IPPROTO_AH         ? size / 4 - 2
					     : e->type == IPPROTO_FRAGMENT ? 0
									   : size / 8 - 1);
		out->b[next + 2] = e->b2;
		out->b[next + 3] = e->b3;
	}
	out->b[next] = (uint8_t)m->proto;
	build_upper(m, out);
	put16(out->b + at + 4, out->n - at - 40);
}

void made_build(const struct made *m, struct wire *out)
{
	(is_v6(m) ? build_v6 : build_v4)(m, out);
}

struct packet_bytes made_bytes(const struct wire *w)
{
	return (struct packet_bytes){.head = w->b, .head_n = w->n};
}

static void check_v4(const uint8_t *p, size_t n)
{
	assert_true(n >= 28);
	assert_int_equal(p[0], 0x45);
	assert_int_equal(get16(p + 2), n);
	assert_int_equal(p[9], IPPROTO_ICMP);
	assert_int_equal(checksum_fold(checksum_add(0, p, 20)), 0xffff);
	assert_int_equal(checksum_fold(checksum_add(0, p + 20, n - 20)), 0xffff);
}

static void check_v6(const uint8_t *p, size_t n)
{
	assert_true(n >= 48);
	assert_int_equal(get16(p + 4), n - 40);
	assert_int_equal(p[6], IPPROTO_ICMPV6);
	assert_int_equal(checksum_fold(checksum_add(
				 checksum_add((uint32_t)n - 40 + IPPROTO_ICMPV6, p + 8, 32), p + 40,
				 n - 40)),
		0xffff);
}

const char *icmp_said(const uint8_t *p, size_t n, char buf[static 256])
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	buf[0] = '\0';
	if (n == 0)
		return buf;

	bool v6 = p[0] >> 4 == 6;
	int family = v6 ? AF_INET6 : AF_INET;
	const uint8_t *icmp = p + (v6 ? 40 : 20);
	(v6 ? check_v6 : check_v4)(p, n);
	assert_int_equal(p[v6 ? 7 : 8], 64);
	inet_ntop(family, p + (v6 ? 8 : 12), from, sizeof(from));
	inet_ntop(family, p + (v6 ? 24 : 16), to, sizeof(to));
	int used = snprintf(buf, 256, "%u/%u %s > %s, %zu bytes", icmp[0], icmp[1], from, to, n);
	if ((v6 && icmp[0] == 2) || (!v6 && icmp[0] == 3 && icmp[1] == 4))
		snprintf(buf + used, 256 - (size_t)used, ", MTU %zu", get16(icmp + 6));
	return buf;
}
