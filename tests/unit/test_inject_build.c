/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that are injected: what trace/build.c writes, trace/packet.c reads, with checksums that
 * are right, and wrong after any byte has changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/build.h"
#include "trace/packet.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name, *from, *to;
	enum build_kind kind;
	uint8_t proto;
	uint16_t size;   /* asked for */
	uint32_t length; /* got */
	bool dont_fragment;
} cases[] = {
	{"syn", "100.64.12.189", "10.0.1.50", BUILD_SYN, IPPROTO_TCP, 0, 44, true},
	{"syn6", "2606:4700:cf1:5000::bd", "2001:db8:1::50", BUILD_SYN, IPPROTO_TCP, 0, 64, false},
	{"no data in a syn", "100.64.12.189", "10.0.1.50", BUILD_SYN, IPPROTO_TCP, 1400, 44, false},
	{"udp", "100.64.12.189", "10.0.1.50", BUILD_UDP, IPPROTO_UDP, 0, 44, false},
	{"udp6", "2606:4700:cf1:5000::bd", "2001:db8:1::50", BUILD_UDP, IPPROTO_UDP, 101, 101,
		false},
	{"echo", "100.64.12.189", "10.0.1.50", BUILD_ECHO, IPPROTO_ICMP, 1500, 1500, true},
	{"echo6", "2606:4700:cf1:5000::bd", "2001:db8:1::50", BUILD_ECHO, IPPROTO_ICMPV6, 1281,
		1281, false},
	{"too small", "100.64.12.189", "10.0.1.50", BUILD_ECHO, IPPROTO_ICMP, 10, 44, false},
};

static struct build build_of(size_t i)
{
	struct build b = {.kind = cases[i].kind,
		.sport = 40000,
		.dport = 3000,
		.seq = 0xfffefdfc,
		.ttl = 7,
		.size = cases[i].size,
		.dont_fragment = cases[i].dont_fragment,
		.lladdr = {2, 0, 0, 0, 0, 9}};

	assert_int_equal(addr_parse(cases[i].from, &b.from), 0);
	assert_int_equal(addr_parse(cases[i].to, &b.to), 0);
	return b;
}

static void test_reads_what_is_written(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[BUILD_MAX];
		struct build b = build_of(i);
		struct packet p;
		size_t n = build_packet(&b, bytes);

		print_message("%s\n", cases[i].name);
		assert_int_equal(n, BUILD_ETHERNET + cases[i].length);
		assert_memory_equal(bytes, b.lladdr, 6);
		assert_int_equal(
			bytes[12] << 8 | bytes[13], b.from.family == AF_INET ? 0x0800 : 0x86dd);
		assert_int_equal(packet_parse(bytes + BUILD_ETHERNET, cases[i].length, &p), 0);
		assert_int_equal(p.length, cases[i].length);
		assert_int_equal(p.proto, cases[i].proto);
		assert_int_equal(p.ttl, 7);
		assert_int_equal(addr_cmp(&p.from, &b.from), 0);
		assert_int_equal(addr_cmp(&p.to, &b.to), 0);
		assert_int_equal(p.ip_checksum, CHECKSUM_GOOD);
		assert_int_equal(p.l4_checksum, CHECKSUM_GOOD);
		assert_int_equal(p.sport, 40000);
		assert_int_equal(p.dport, b.kind == BUILD_ECHO ? 40000 : 3000);
		assert_int_equal(p.tcp_flags, b.kind == BUILD_SYN ? TH_SYN : 0);
		assert_int_equal(p.mss, b.kind == BUILD_SYN ? 1460 : -1);
		if (b.kind != BUILD_UDP)
			assert_int_equal(p.seq, b.kind == BUILD_SYN ? b.seq : 3000);
		if (b.from.family == AF_INET)
			assert_int_equal(bytes[BUILD_ETHERNET + 6], b.dont_fragment ? 0x40 : 0);
	}
}

/* Behind the addresses each bit counts, but for those that say how long or of what kind it is. */
static void test_checksums_notice(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[BUILD_MAX];
		struct build b = build_of(i);
		struct packet p;
		size_t n = build_packet(&b, bytes) - BUILD_ETHERNET;

		bytes[BUILD_ETHERNET + n - 1] ^= 1;
		assert_int_equal(packet_parse(bytes + BUILD_ETHERNET, n, &p), 0);
		assert_int_equal(p.ip_checksum, CHECKSUM_GOOD);
		assert_int_equal(p.l4_checksum, CHECKSUM_BAD);
		bytes[BUILD_ETHERNET + n - 1] ^= 1;
		if (b.from.family != AF_INET)
			continue;
		bytes[BUILD_ETHERNET + 8] ^= 1; /* TTL */
		assert_int_equal(packet_parse(bytes + BUILD_ETHERNET, n, &p), 0);
		assert_int_equal(p.ip_checksum, CHECKSUM_BAD);
		assert_int_equal(p.l4_checksum, CHECKSUM_GOOD);
	}
}

static void test_kinds(void **)
{
	enum build_kind kind = BUILD_KINDS;

	assert_int_equal(build_kind_parse("udp", &kind), 0);
	assert_int_equal(kind, BUILD_UDP);
	assert_true(build_kind_parse("UDP", &kind) < 0);
	assert_true(build_kind_parse("", &kind) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_is_written),
		cmocka_unit_test(test_checksums_notice),
		cmocka_unit_test(test_kinds),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
