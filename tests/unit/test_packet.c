/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What trace/packet.c reads from bytes: quotations, fragments, extension headers, and that it takes
 * no byte that is not there for granted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/build.h"
#include "trace/packet.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Hexadecimal digits, and spaces for the reader, as bytes of exactly that size on the heap. */
struct bytes {
	uint8_t *data;
	size_t len;
};

static struct bytes bytes_of(const char *hex)
{
	struct bytes b = {.data = malloc(strlen(hex) + 1)};

	assert_non_null(b.data);
	for (const char *c = hex; *c; c++) {
		if (*c == ' ')
			continue;
		char digits[] = {c[0], c[1], '\0'};
		b.data[b.len++] = (uint8_t)strtoul(digits, nullptr, 16);
		c++;
	}
	uint8_t *exact = realloc(b.data, b.len + !b.len);
	assert_non_null(exact);
	b.data = exact;
	return b;
}

#define V4_TCP "4500002c 00014000 4006 0000 64400cbd 0a000132 "
#define V4_ICMP "45000038 00010000 4001 0000 0a000101 64400cbd "
#define V6(next) "60000000 0040 " next " 40 " V6_FROM V6_TO
#define V6_FROM "260647000cf15000 00000000000000bd "
#define V6_TO "20010db800010000 0000000000000050 "

static const struct {
	const char *name, *hex;
	int result;
	uint8_t proto;
	bool has_l4, fragment, quotes;
	uint16_t sport, dport;
	int mss;
	uint32_t mtu;
} cases[] = {
	{.name = "nothing", .hex = "", .result = -EBADMSG},
	{.name = "version 5", .hex = "55", .result = -EBADMSG},
	{.name = "half an IPv4 header", .hex = "4500002c 00014000 4006", .result = -EBADMSG},
	{.name = "header length 16",
		.hex = "4400002c 00014000 4006 0000 64400cbd 0a000132",
		.result = -EBADMSG},
	{.name = "header only", .hex = V4_TCP, .proto = 6, .mss = -1},
	{.name = "header with options that are not there",
		.hex = "4f00002c 00014000 4006 0000 64400cbd 0a000132",
		.proto = 6,
		.mss = -1},
	{.name = "ports only",
		.hex = V4_TCP "9c400bb8",
		.proto = 6,
		.has_l4 = true,
		.sport = 40000,
		.dport = 3000,
		.mss = -1},
	{.name = "a SYN",
		.hex = V4_TCP "9c400bb8 00000001 00000000 6002ffff 00000000 020405b4",
		.proto = 6,
		.has_l4 = true,
		.sport = 40000,
		.dport = 3000,
		.mss = 1460},
	{.name = "MSS behind a NOP, before the end",
		.hex = V4_TCP "9c400bb8 00000001 00000000 7002ffff 00000000 0102040578000000",
		.proto = 6,
		.has_l4 = true,
		.sport = 40000,
		.dport = 3000,
		.mss = 1400},
	{.name = "an option of length 0",
		.hex = V4_TCP "9c400bb8 00000001 00000000 6002ffff 00000000 080005b4",
		.proto = 6,
		.has_l4 = true,
		.sport = 40000,
		.dport = 3000,
		.mss = -1},
	{.name = "an option that is too long",
		.hex = V4_TCP "9c400bb8 00000001 00000000 6002ffff 00000000 01010204",
		.proto = 6,
		.has_l4 = true,
		.sport = 40000,
		.dport = 3000,
		.mss = -1},
	{.name = "the first part of a fragmented one",
		.hex = "4500002c 00012000 4011 0000 64400cbd 0a000132 9c400bb8 00100000",
		.proto = 17,
		.has_l4 = true,
		.fragment = true,
		.sport = 40000,
		.dport = 3000,
		.mss = -1},
	{.name = "a later part",
		.hex = "4500002c 00010010 4011 0000 64400cbd 0a000132 9c400bb8 00100000",
		.proto = 17,
		.fragment = true,
		.mss = -1},
	{.name = "an echo",
		.hex = V4_ICMP "08000000 12340001",
		.proto = 1,
		.has_l4 = true,
		.sport = 0x1234,
		.dport = 0x1234,
		.mss = -1},
	{.name = "fragmentation needed",
		.hex = V4_ICMP "03040000 00000500" V4_TCP "9c400bb8 00000001",
		.proto = 1,
		.has_l4 = true,
		.quotes = true,
		.mss = -1,
		.mtu = 1280},
	{.name = "an ICMP error without a quotation",
		.hex = V4_ICMP "03010000 00000000",
		.proto = 1,
		.has_l4 = true,
		.quotes = true,
		.mss = -1},
	{.name = "ICMPv6 packet too big",
		.hex = V6("3a") "02000000 00000500" V6("06") "9c400bb8 00000001",
		.proto = 58,
		.has_l4 = true,
		.quotes = true,
		.mss = -1,
		.mtu = 1280},
	{.name = "hop-by-hop, destination options, UDP",
		.hex = V6("00") "3c00000000000000 1100000000000000 9c400bb8 00080000",
		.proto = 17,
		.has_l4 = true,
		.sport = 40000,
		.dport = 3000,
		.mss = -1},
	{.name = "a later part of IPv6",
		.hex = V6("2c") "11000008 00000001 9c400bb8",
		.proto = 17,
		.fragment = true,
		.mss = -1},
	{.name = "an extension header that is not there",
		.hex = V6("3c") "11ff0000 00000000",
		.proto = 60,
		.mss = -1},
	{.name = "ICMP of the other family",
		.hex = V6("01") "08000000 12340001",
		.proto = 1,
		.mss = -1},
};

static void test_cases(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes b = bytes_of(cases[i].hex);
		struct packet p = {};

		print_message("%s\n", cases[i].name);
		assert_int_equal(packet_parse(b.data, b.len, &p), cases[i].result);
		assert_int_equal(p.proto, cases[i].proto);
		assert_int_equal(p.has_l4, cases[i].has_l4);
		assert_int_equal(p.fragment, cases[i].fragment);
		assert_int_equal(p.quote_at != 0, cases[i].quotes);
		assert_int_equal(p.sport, cases[i].sport);
		assert_int_equal(p.dport, cases[i].dport);
		assert_int_equal(p.mss, cases[i].mss);
		assert_int_equal(p.mtu, cases[i].mtu);
		free(b.data);
	}
}

static void test_quotations(void **)
{
	struct bytes b = bytes_of(V4_ICMP "0b000000 00000000" V4_TCP "9c400bb8 00000001");
	struct packet error, quoted;

	assert_int_equal(packet_parse(b.data, b.len, &error), 0);
	assert_int_equal(packet_parse_quote(b.data, b.len, &error, &quoted), 0);
	assert_int_equal(quoted.proto, IPPROTO_TCP);
	assert_int_equal(quoted.sport, 40000);
	assert_int_equal(quoted.seq, 1);
	assert_int_equal(addr_cmp(&quoted.from, &error.to), 0);
	assert_int_equal(packet_parse_quote(b.data, 28, &error, &quoted), -EBADMSG);
	assert_int_equal(packet_parse_quote(b.data, b.len, &quoted, &quoted), -ENOENT);
	free(b.data);

	b = bytes_of(V4_ICMP "0b000000 00000000" V6("06") "9c400bb8 00000001");
	assert_int_equal(packet_parse(b.data, b.len, &error), 0);
	assert_int_equal(packet_parse_quote(b.data, b.len, &error, &quoted), -EBADMSG);
	free(b.data);
}

/* However much of a packet is there: what is read of less is no more than what is read of more. */
static void test_cut_anywhere(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes b = bytes_of(cases[i].hex);
		for (size_t n = 0; n <= b.len; n++) {
			uint8_t *copy = malloc(n + !n);
			struct packet p = {};
			assert_non_null(copy);
			memcpy(copy, b.data, n);
			if (packet_parse(copy, n, &p) == 0) {
				assert_true(!p.has_l4 || cases[i].has_l4);
				assert_true(!p.sport || p.sport == cases[i].sport);
				assert_true(p.mss < 0 || p.mss == cases[i].mss);
			}
			free(copy);
		}
		free(b.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_quotations),
		cmocka_unit_test(test_cut_anywhere),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
