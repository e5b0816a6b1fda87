/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip/routes.h"
#include "connip_packets.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define V4 .from = "192.0.2.1", .to = "198.51.100.7"
#define V6 .from = "2001:db8::1", .to = "2001:db8:7::7"

constexpr int UNKNOWN = ROUTES_PROTO_UNKNOWN;
constexpr int REFUSED = 256;

/* RFC 9484 4.8, RFC 8200 4: the protocol is the first that is no extension header. */
static const struct {
	const char *name;
	struct made made;
	int proto;
	bool fragment, later;
	size_t upper_at;
} reads[] = {
	{"IPv4 UDP", {V4, .proto = 17}, 17, .upper_at = 20},
	{"IPv4 first fragment", {V4, .proto = 17, .frag = 0x2000}, 17, .fragment = true,
		.upper_at = 20},
	{"IPv4 later fragment", {V4, .proto = 17, .frag = 0x0003}, 17, .fragment = true,
		.later = true},
	{"IPv4 AH is a protocol", {V4, .proto = 51}, 51, .upper_at = 20},
	{"IPv6 TCP", {V6, .proto = 6}, 6, .upper_at = 40},
	{"hop-by-hop", {V6, .proto = 6, .ext = {{.type = 0, .size = 8}}}, 6, .upper_at = 48},
	{"a long one", {V6, .proto = 6, .ext = {{.type = 60, .size = 264}}}, 6, .upper_at = 304},
	{"all of them",
		{V6, .proto = 17,
			.ext = {{.type = 0, .size = 16}, {.type = 60},
				{.type = 43, .b2 = 2, .b3 = 1}, {.type = 44},
				{.type = 51, .size = 24}, {.type = 135}, {.type = 139},
				{.type = 140}}},
		17, .upper_at = 128},
	{"ESP hides the rest", {V6, .proto = 50}, 50, .upper_at = 40},
	{"an experimental header says no length", {V6, .proto = 253}, 253, .upper_at = 40},
	{"no next header", {V6, .proto = 59}, 59, .upper_at = 40},
	{"first fragment", {V6, .proto = 17, .ext = {{.type = 44, .b3 = 1}}}, 17, .fragment = true,
		.upper_at = 48},
	{"atomic fragment", {V6, .proto = 17, .ext = {{.type = 44}}}, 17, .upper_at = 48},
	{"later fragment", {V6, .proto = 17, .ext = {{.type = 44, .b2 = 1, .b3 = 1}}}, 17,
		.fragment = true, .later = true},
	{"later fragment of extension headers", {V6, .proto = 60, .ext = {{.type = 44, .b2 = 1}}},
		UNKNOWN, .fragment = true, .later = true},
	{"RFC 5095: source routed", {V6, .proto = 17, .ext = {{.type = 43, .b2 = 0, .b3 = 1}}},
		.proto = REFUSED},
	{"RFC 5095: it has been", {V6, .proto = 17, .ext = {{.type = 43}}}, 17, .upper_at = 48},
	{"RFC 7112: no upper layer", {V6, .proto = 60}, .proto = REFUSED},
	{"a chain without end",
		{V6, .proto = 17,
			.ext = {{.type = 60}, {.type = 60}, {.type = 60}, {.type = 60},
				{.type = 60}, {.type = 60}, {.type = 60}, {.type = 60},
				{.type = 60}, {.type = 60}, {.type = 60}, {.type = 60},
				{.type = 60}, {.type = 60}, {.type = 60}, {.type = 60},
				{.type = 60}}},
		.proto = REFUSED},
};

static void test_read(void **)
{
	for (size_t i = 0; i < COUNT(reads); i++) {
		struct wire w = {};
		struct packet p;
		made_build(&reads[i].made, &w);
		struct packet_bytes bytes = made_bytes(&w);
		int r = packet_read(&bytes, &p);
		if (r != (reads[i].proto == REFUSED ? -EBADMSG : 0))
			fail_msg("%s: %d", reads[i].name, r);
		if (r == 0 && (p.proto != reads[i].proto || p.fragment != reads[i].fragment ||
				      p.later_fragment != reads[i].later ||
				      p.upper_at != reads[i].upper_at))
			fail_msg("%s: protocol %d, fragment %d %d, at %zu", reads[i].name, p.proto,
				p.fragment, p.later_fragment, p.upper_at);
	}
}

/* Every packet that is cut, wherever, is refused, and read from memory that ends there. */
static void test_cut(void **)
{
	for (size_t i = 0; i < COUNT(reads); i++) {
		struct wire w = {};
		made_build(&reads[i].made, &w);
		for (size_t n = 0; n < w.n; n++) {
			autofree uint8_t *copy = xcalloc(n, 1);
			struct packet_bytes bytes = {.head = copy, .head_n = n};
			struct packet p;
			memcpy(copy, w.b, n);
			if (packet_read(&bytes, &p) != -EBADMSG)
				fail_msg("%s, %zu bytes", reads[i].name, n);
		}
	}
}

/* In two pieces the rest is payload: the same is read as long as all headers are in the first. */
static void test_pieces(void **)
{
	for (size_t i = 0; i < COUNT(reads); i++) {
		struct wire w = {};
		struct packet whole, pieces;
		made_build(&reads[i].made, &w);
		struct packet_bytes one = made_bytes(&w);
		if (packet_read(&one, &whole) < 0)
			continue;
		struct packet_bytes two = {w.b, w.n - 4, w.b + w.n - 4, 4};
		assert_int_equal(packet_read(&two, &pieces), 0);
		assert_int_equal(pieces.proto, whole.proto);
		assert_int_equal(pieces.length, whole.length);
	}
}

/* RFC 1812 5.2.2, RFC 8200 3: what a router does not forward. */
static void test_malformed(void **)
{
	static const struct {
		const char *name;
		bool v6;
		size_t at;
		uint8_t value;
	} cases[] = {
		{"version 5", false, 0, 0x55},
		{"version 0", true, 0, 0x00},
		{"a header of 16 bytes", false, 0, 0x44},
		{"a header beyond the packet", false, 0, 0x4f},
		{"shorter than its bytes", false, 3, 27},
		{"longer than its bytes", false, 3, 29},
		{"a wrong checksum", false, 10, 0x00},
		{"IPv6 shorter than its bytes", true, 5, 7},
		{"IPv6 longer than its bytes", true, 5, 9},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct made m = {V4, .proto = 17}, m6 = {V6, .proto = 17};
		struct wire w = {};
		struct packet p;
		made_build(cases[i].v6 ? &m6 : &m, &w);
		struct packet_bytes bytes = made_bytes(&w);
		assert_int_equal(packet_read(&bytes, &p), 0);
		w.b[cases[i].at] = cases[i].value;
		if (packet_read(&bytes, &p) != -EBADMSG)
			fail_msg("%s", cases[i].name);
	}
}

static void test_addresses(void **)
{
	static const struct {
		const char *text;
		unsigned bits;
	} cases[] = {
		{"192.0.2.1", 0},
		{"100.64.12.189", 0},
		{"0.0.0.0", PACKET_ADDR_NOBODY},
		{"0.1.2.3", PACKET_ADDR_NOBODY},
		{"127.0.0.1", PACKET_ADDR_NOBODY},
		{"169.254.169.254", PACKET_ADDR_LINK_LOCAL},
		{"169.253.1.1", 0},
		{"224.0.0.1", PACKET_ADDR_MULTICAST | PACKET_ADDR_LINK_LOCAL},
		{"224.0.1.1", PACKET_ADDR_MULTICAST},
		{"239.255.255.250", PACKET_ADDR_MULTICAST},
		{"240.0.0.1", PACKET_ADDR_NOBODY},
		{"255.255.255.255",
			PACKET_ADDR_NOBODY | PACKET_ADDR_BROADCAST | PACKET_ADDR_LINK_LOCAL},
		{"2001:db8::1", 0},
		{"::", PACKET_ADDR_NOBODY},
		{"::1", PACKET_ADDR_NOBODY},
		{"fe80::1", PACKET_ADDR_LINK_LOCAL},
		{"febf::1", PACKET_ADDR_LINK_LOCAL},
		{"fec0::1", 0},
		{"fd00::1", 0},
		{"ff01::1", PACKET_ADDR_MULTICAST | PACKET_ADDR_LINK_LOCAL},
		{"ff02::1", PACKET_ADDR_MULTICAST | PACKET_ADDR_LINK_LOCAL},
		{"ff12::1", PACKET_ADDR_MULTICAST | PACKET_ADDR_LINK_LOCAL},
		{"ff05::2", PACKET_ADDR_MULTICAST},
		{"ff0e::1", PACKET_ADDR_MULTICAST},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix p = pfx(cases[i].text);
		unsigned bits = packet_addr_bits(p.addr.family, number_of_addr(&p.addr));
		if (bits != cases[i].bits)
			fail_msg("%s: %#x", cases[i].text, bits);
	}
}

/* RFC 4443 2.4 (e), RFC 1812 4.3.2.7 */
static const struct {
	const char *name;
	struct made made;
	bool answered, too_big; /* with any reason, and with packet too big */
} asked[] = {
	{"IPv4 UDP", {V4, .proto = 17, .frag = 0x4000}, true, true},
	{"IPv4 that may be fragmented", {V4, .proto = 17}, true, false},
	{"IPv4 echo", {V4, .proto = 1, .type = 8, .frag = 0x4000}, true, true},
	{"IPv4 unreachable", {V4, .proto = 1, .type = 3}, false, false},
	{"IPv4 quench", {V4, .proto = 1, .type = 4}, false, false},
	{"IPv4 redirect", {V4, .proto = 1, .type = 5}, false, false},
	{"IPv4 time exceeded", {V4, .proto = 1, .type = 11}, false, false},
	{"IPv4 parameter problem", {V4, .proto = 1, .type = 12}, false, false},
	{"IPv4 ICMP that nobody knows", {V4, .proto = 1, .type = 99}, false, false},
	{"IPv4 later fragment", {V4, .proto = 17, .frag = 0x4001}, false, false},
	{"IPv4 to multicast", {.from = "192.0.2.1", .to = "239.1.1.1", .proto = 17}, false, false},
	{"IPv4 to broadcast", {.from = "192.0.2.1", .to = "255.255.255.255", .proto = 17}, false,
		false},
	{"IPv4 from nobody", {.from = "0.0.0.0", .to = "192.0.2.1", .proto = 17}, false, false},
	{"IPv4 from loopback", {.from = "127.0.0.1", .to = "192.0.2.1", .proto = 17}, false, false},
	{"IPv4 from multicast", {.from = "224.0.0.9", .to = "192.0.2.1", .proto = 17}, false,
		false},
	{"IPv4 from broadcast", {.from = "255.255.255.255", .to = "192.0.2.1", .proto = 17}, false,
		false},
	{"IPv6 UDP", {V6, .proto = 17}, true, true},
	{"IPv6 echo", {V6, .proto = 58, .type = 128}, true, true},
	{"IPv6 ICMPv4", {V6, .proto = 1, .type = 3}, true, true},
	{"IPv6 unreachable", {V6, .proto = 58, .type = 1}, false, false},
	{"IPv6 too big", {V6, .proto = 58, .type = 2}, false, false},
	{"IPv6 unknown error", {V6, .proto = 58, .type = 127}, false, false},
	{"IPv6 error behind headers", {V6, .proto = 58, .type = 1, .ext = {{.type = 0, .size = 8}}},
		false, false},
	{"IPv6 redirect", {V6, .proto = 58, .type = 137}, false, false},
	{"IPv6 later fragment", {V6, .proto = 17, .ext = {{.type = 44, .b3 = 8}}}, false, false},
	{"IPv6 to multicast", {.from = "2001:db8::1", .to = "ff0e::1", .proto = 17}, false, true},
	{"IPv6 from nobody", {.from = "::", .to = "2001:db8::1", .proto = 17}, false, false},
	{"IPv6 from multicast", {.from = "ff0e::1", .to = "2001:db8::1", .proto = 17}, false,
		false},
};

static void test_may_answer(void **)
{
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct wire w = {};
		struct packet p;
		made_build(&asked[i].made, &w);
		struct packet_bytes bytes = made_bytes(&w);
		assert_int_equal(packet_read(&bytes, &p), 0);
		for (enum icmp_why why = ICMP_WHY_SOURCE; why <= ICMP_WHY_TOO_BIG; why++)
			if (icmp_may_answer(&p, why) !=
				(why == ICMP_WHY_TOO_BIG ? asked[i].too_big : asked[i].answered))
				fail_msg("%s, reason %d", asked[i].name, why);
	}
}

/* RFC 9484 7.2.1, RFC 4443 3, RFC 1812 4.3.2.3, 5.2.7.1 */
static const struct {
	enum icmp_why why;
	bool v6;
	size_t payload;
	const char *said;
} errors[] = {
	{ICMP_WHY_SOURCE, false, 0, "3/13 203.0.113.9 > 192.0.2.1, 56 bytes"},
	{ICMP_WHY_NO_ROUTE, false, 0, "3/0 203.0.113.9 > 192.0.2.1, 56 bytes"},
	{ICMP_WHY_PROHIBITED, false, 0, "3/13 203.0.113.9 > 192.0.2.1, 56 bytes"},
	{ICMP_WHY_TOO_BIG, false, 1400, "3/4 203.0.113.9 > 192.0.2.1, 576 bytes, MTU 1280"},
	{ICMP_WHY_SOURCE, true, 0, "1/5 2001:db8:9::9 > 2001:db8::1, 96 bytes"},
	{ICMP_WHY_NO_ROUTE, true, 1, "1/0 2001:db8:9::9 > 2001:db8::1, 97 bytes"},
	{ICMP_WHY_PROHIBITED, true, 1184, "1/1 2001:db8:9::9 > 2001:db8::1, 1280 bytes"},
	{ICMP_WHY_TOO_BIG, true, 1400, "2/0 2001:db8:9::9 > 2001:db8::1, 1280 bytes, MTU 1280"},
};

static void test_dscp(void **)
{
	const uint8_t v4[] = {0x45, 0xba}, v6[] = {0x6b, 0xaf}, other[] = {0x5b, 0xaf};

	assert_int_equal(packet_dscp(v4, sizeof(v4)), 46);
	assert_int_equal(packet_dscp(v6, sizeof(v6)), 46);
	assert_int_equal(packet_dscp(v4, 1), 0);
	assert_int_equal(packet_dscp(other, sizeof(other)), 0);
}

static void test_errors(void **)
{
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct made m = {V4, .proto = 17}, m6 = {V6, .proto = 17};
		struct prefix self = pfx(errors[i].v6 ? "2001:db8:9::9" : "203.0.113.9");
		uint8_t out[ICMP_MESSAGE_MAX];
		struct wire w = {};
		struct packet p;
		char buf[256];
		m.payload = m6.payload = errors[i].payload;
		made_build(errors[i].v6 ? &m6 : &m, &w);
		for (size_t head = w.n; head >= 48; head -= 48) {
			struct packet_bytes bytes = {w.b, head, w.b + head, w.n - head};
			assert_int_equal(packet_read(&bytes, &p), 0);
			size_t n = icmp_write_error(
				out, &bytes, &p, errors[i].why, number_of_addr(&self.addr), 1280);
			assert_string_equal(icmp_said(out, n, buf), errors[i].said);
			size_t at = errors[i].v6 ? 48 : 28; /* it quotes from the beginning */
			assert_memory_equal(out + at, w.b, n - at);
		}
	}
}

/* What an error quotes is read as a packet, as far as it is there. */
static void test_quote(void **)
{
	struct made inner = {V6, .proto = 17, .ext = {{.type = 60}}};
	struct made m = {.from = "2001:db8:f::1",
		.to = "2001:db8::1",
		.proto = 58,
		.type = 1,
		.quote = &inner};
	struct wire w = {};
	struct packet p, q;

	made_build(&m, &w);
	struct packet_bytes bytes = made_bytes(&w);
	assert_int_equal(packet_read(&bytes, &p), 0);
	assert_int_equal(packet_read_quote(&bytes, &p, &q), 0);
	assert_int_equal(q.proto, 17);
	assert_true(q.from == p.to);

	struct packet_bytes cut = {w.b, 48 + 40 + 4, w.b + 92, w.n - 92};
	assert_int_equal(packet_read_quote(&cut, &p, &q), 0);
	assert_int_equal(q.proto, UNKNOWN);
	cut.head_n = 48 + 39;
	assert_int_equal(packet_read_quote(&cut, &p, &q), -ENOENT);

	m = (struct made){V6, .proto = 58, .type = 128, .quote = &inner};
	w = (struct wire){};
	made_build(&m, &w);
	bytes = made_bytes(&w);
	assert_int_equal(packet_read(&bytes, &p), 0);
	assert_int_equal(packet_read_quote(&bytes, &p, &q), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_may_answer),
		cmocka_unit_test(test_dscp),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_quote),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
