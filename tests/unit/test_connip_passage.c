/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip/stray.h"
#include "connip_packets.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uint64_t SECOND_NS = 1'000'000'000;

/* A gateway: two addresses were assigned, a LAN is advertised; the mesh is behind the peer, and one
 * network of it for TCP alone. */
static void gateway_init(struct peer *p, enum connip_probe probe)
{
	struct connip_policy policy = {
		.accept_addresses = PREFIXES(pfx("100.96.0.0/12"), pfx("2001:db8::/32")),
		.accept_routes = PREFIXES(pfx("0.0.0.0/0"), pfx("2001:db8::/32")),
		.probe = probe,
	};
	struct wire w = {};

	peer_init(p, CONNIP_CLIENT, &policy);
	wire_assign(&w, "0 100.96.0.18/32,0 2001:db8::18/128");
	wire_advertise(&w, "100.64.0.0-100.79.255.255/0, 10.9.0.0-10.9.0.255/6, "
			   "2001:db8:5000::-2001:db8:5000::ffff/0");
	assert_int_equal(peer_receive(p, &w, w.n, false), 0);
	connip_session_advertise(p->s, &PREFIXES(pfx("10.0.1.0/24"), pfx("2001:db8:1::/64")));
	assert_int_equal(connip_session_set_mtu(p->s, 1400, true), 0);
}

enum way { OUT, IN };

/* Sends one packet through and says what became of it: "pass", or "reason" and the answer. */
static const char *send_through(
	struct peer *p, enum way way, const struct made *m, uint64_t now_ns, char buf[static 512])
{
	struct connip_answer answer;
	struct wire w = {};
	char icmp[256];

	made_build(m, &w);
	struct packet_bytes bytes = made_bytes(&w);
	enum connip_pass pass = (way == OUT ? connip_packet_out : connip_packet_in)(
		p->s, &bytes, now_ns, &answer);
	icmp_said(answer.bytes, answer.n, icmp);
	snprintf(buf, 512, "%s%s%s", connip_pass_str(pass), icmp[0] ? " " : "", icmp);
	return buf;
}

struct passage_case {
	const char *name;
	enum way way;
	struct made made;
	const char *said;
};

static const struct made from_mesh = {
	.from = "100.64.12.189", .to = "10.0.1.50", .proto = 6, .payload = 12};
static const struct made to_mesh = {
	.from = "10.0.1.50", .to = "100.64.12.189", .proto = 6, .payload = 12};
static const struct made to_elsewhere = {.from = "10.0.1.50", .to = "192.0.2.1", .proto = 6};
static const struct made to_mesh6 = {
	.from = "2001:db8:1::50", .to = "2001:db8:5000::bd", .proto = 17};

/* RFC 9484 4.7.1, 4.7.3, 7.2.1, 11; BCP 38. The kernel is told by the address that was not reached,
 * the peer by one of ours. */
static const struct passage_case passages[] = {
	{"assigned to route", OUT, {.from = "100.96.0.18", .to = "100.64.12.189", .proto = 17},
		"passed"},
	{"advertised to route", OUT, {.from = "10.0.1.50", .to = "100.64.12.189", .proto = 6},
		"passed"},
	{"the same, IPv6", OUT, {.from = "2001:db8:1::50", .to = "2001:db8:5000::bd", .proto = 6},
		"passed"},
	{"route to advertised", IN, {.from = "100.64.12.189", .to = "10.0.1.50", .proto = 6},
		"passed"},
	{"route to assigned, IPv6", IN,
		{.from = "2001:db8:5000::bd", .to = "2001:db8::18", .proto = 6}, "passed"},

	{"7.2.1: a source that is not ours", OUT,
		{.from = "10.0.2.60", .to = "100.64.12.189", .proto = 6},
		"bad-source 3/13 100.64.12.189 > 10.0.2.60, 56 bytes"},
	{"the same, IPv6", OUT, {.from = "2001:db8:2::60", .to = "2001:db8:5000::bd", .proto = 17},
		"bad-source 1/5 2001:db8:5000::bd > 2001:db8:2::60, 96 bytes"},
	{"11: a source that is not theirs", IN, {.from = "10.0.1.7", .to = "10.0.1.50", .proto = 6},
		"bad-source 3/13 100.96.0.18 > 10.0.1.7, 56 bytes"},
	{"the same, IPv6", IN, {.from = "2001:db8:1::7", .to = "2001:db8:1::50", .proto = 6},
		"bad-source 1/5 2001:db8::18 > 2001:db8:1::7, 96 bytes"},
	{"7.2.1: no route", OUT, {.from = "10.0.1.50", .to = "192.0.2.1", .proto = 6},
		"no-route 3/0 192.0.2.1 > 10.0.1.50, 56 bytes"},
	{"the same, IPv6", OUT, {.from = "2001:db8:1::50", .to = "2001:db8:6::1", .proto = 6},
		"no-route 1/0 2001:db8:6::1 > 2001:db8:1::50, 96 bytes"},
	{"no route inwards", IN, {.from = "100.64.12.189", .to = "10.0.2.60", .proto = 6},
		"no-route 3/0 100.96.0.18 > 100.64.12.189, 56 bytes"},

	{"4.7.3: the route's protocol", OUT, {.from = "10.0.1.50", .to = "10.9.0.1", .proto = 6},
		"passed"},
	{"another protocol", OUT, {.from = "10.0.1.50", .to = "10.9.0.1", .proto = 17},
		"prohibited 3/13 10.9.0.1 > 10.0.1.50, 56 bytes"},
	{"4.7.3: ICMP is always allowed", OUT,
		{.from = "10.0.1.50", .to = "10.9.0.1", .proto = 1, .type = 8}, "passed"},
	{"ICMPv6 is none of IPv4", OUT, {.from = "10.0.1.50", .to = "10.9.0.1", .proto = 58},
		"prohibited 3/13 10.9.0.1 > 10.0.1.50, 56 bytes"},

	{"7.2: link-local source", IN, {.from = "169.254.1.1", .to = "10.0.1.50", .proto = 17},
		"link-local"},
	{"7.2: link-local destination", OUT,
		{.from = "10.0.1.50", .to = "169.254.169.254", .proto = 6}, "link-local"},
	{"IPv6 link-local", OUT, {.from = "fe80::1", .to = "2001:db8:5000::bd", .proto = 17},
		"link-local"},
	{"router solicitation", OUT, {.from = "fe80::1", .to = "ff02::2", .proto = 58, .type = 133},
		"link-local"},
	{"local multicast, IPv4", IN,
		{.from = "100.64.0.1", .to = "224.0.0.1", .proto = 1, .type = 8}, "link-local"},
	{"broadcast", OUT, {.from = "10.0.1.50", .to = "255.255.255.255", .proto = 17},
		"link-local"},
	{"multicast without a route", OUT, {.from = "10.0.1.50", .to = "239.1.1.1", .proto = 17},
		"no-route"},
	{"a source that names nobody", IN, {.from = "127.0.0.1", .to = "10.0.1.50", .proto = 17},
		"bad-source"},

	{"7.2: TTL 1 goes out, the kernel has counted", OUT,
		{.from = "10.0.1.50", .to = "100.64.12.189", .proto = 6, .ttl = 1}, "passed"},
	{"TTL 0 does not", OUT, {.from = "10.0.1.50", .to = "100.64.12.189", .proto = 6, .ttl = -1},
		"expired"},
	{"RFC 8200 3: hop limit 0 comes in, the kernel decides", IN,
		{.from = "2001:db8:5000::bd", .to = "2001:db8::18", .proto = 6, .ttl = -1},
		"passed"},

	{"10.1: too big", OUT,
		{.from = "10.0.1.50",
			.to = "100.64.12.189",
			.proto = 6,
			.payload = 1373,
			.frag = 0x4000},
		"too-big 3/4 100.64.12.189 > 10.0.1.50, 576 bytes, MTU 1400"},
	{"10.1: as big as may be", OUT,
		{.from = "10.0.1.50",
			.to = "100.64.12.189",
			.proto = 6,
			.payload = 1372,
			.frag = 0x4000},
		"passed"},
	{"too big, may be fragmented", OUT,
		{.from = "10.0.1.50", .to = "100.64.12.189", .proto = 6, .payload = 1373},
		"too-big"},
	{"too big, IPv6", OUT,
		{.from = "2001:db8:1::50", .to = "2001:db8:5000::bd", .proto = 6, .payload = 1353},
		"too-big 2/0 2001:db8:5000::bd > 2001:db8:1::50, 1280 bytes, MTU 1400"},
	{"inwards size is no matter", IN,
		{.from = "100.64.12.189", .to = "10.0.1.50", .proto = 6, .payload = 1600},
		"passed"},

	{"7.2.1: an ICMP error from anywhere", IN,
		{.from = "192.0.2.254",
			.to = "10.0.1.50",
			.proto = 1,
			.type = 11,
			.quote = &to_mesh},
		"passed"},
	{"7.2.1: the same, IPv6", IN,
		{.from = "2001:db8:f::1",
			.to = "2001:db8:1::50",
			.proto = 58,
			.type = 2,
			.quote = &to_mesh6},
		"passed"},
	{"about a packet that never left here", IN,
		{.from = "192.0.2.254",
			.to = "10.0.1.50",
			.proto = 1,
			.type = 11,
			.quote = &to_elsewhere},
		"bad-source"},
	{"about somebody else's packet", IN,
		{.from = "192.0.2.254",
			.to = "10.0.1.51",
			.proto = 1,
			.type = 11,
			.quote = &to_mesh},
		"bad-source"},
	{"11: by a host of theirs", IN,
		{.from = "100.64.12.189",
			.to = "10.0.1.50",
			.proto = 1,
			.type = 3,
			.quote = &to_mesh},
		"passed"},
	{"11: the same, about somebody else's packet", IN,
		{.from = "100.64.12.189",
			.to = "10.0.1.51",
			.proto = 1,
			.type = 3,
			.quote = &to_mesh},
		"prohibited"},
	{"11: the same, about a packet that went elsewhere", IN,
		{.from = "100.64.12.189",
			.to = "10.0.1.50",
			.proto = 1,
			.type = 3,
			.quote = &to_elsewhere},
		"prohibited"},
	{"about nothing, by a host of theirs", IN,
		{.from = "100.64.12.189", .to = "10.0.1.50", .proto = 1, .type = 11}, "passed"},
	{"about nothing", IN, {.from = "192.0.2.254", .to = "10.0.1.50", .proto = 1, .type = 11},
		"bad-source"},
	{"outwards, a router of the LAN", OUT,
		{.from = "10.0.9.1",
			.to = "100.64.12.189",
			.proto = 1,
			.type = 3,
			.quote = &from_mesh},
		"passed"},
	{"no error but an echo from anywhere", IN,
		{.from = "192.0.2.254", .to = "10.0.1.50", .proto = 1, .type = 8},
		"bad-source 3/13 100.96.0.18 > 192.0.2.254, 56 bytes"},
};

static void test_passages(void **)
{
	for (size_t i = 0; i < COUNT(passages); i++) {
		struct peer p;
		char said[512];
		gateway_init(&p, CONNIP_PROBE_OFF);
		send_through(&p, passages[i].way, &passages[i].made, 0, said);
		if (strcmp(said, passages[i].said) != 0)
			fail_msg("%s: %s", passages[i].name, said);
		peer_clear(&p);
	}
}

/* RFC 9484 4.6, 11: in a scope of one protocol, errors are looked into; both share an address with
 * other requests. */
static void test_scoped(void **)
{
	static const struct made tcp = {.from = "203.0.113.5", .to = "192.0.2.80", .proto = 6};
	static const struct made udp = {.from = "203.0.113.5", .to = "192.0.2.80", .proto = 17};
	static const struct passage_case cases[] = {
		{"in scope", IN, {.from = "203.0.113.5", .to = "192.0.2.80", .proto = 6}, "passed"},
		{"another protocol", IN, {.from = "203.0.113.5", .to = "192.0.2.80", .proto = 17},
			"prohibited 3/13 192.0.2.80 > 203.0.113.5, 56 bytes"},
		{"another host", IN, {.from = "203.0.113.5", .to = "192.0.2.81", .proto = 6},
			"no-route 3/0 192.0.2.81 > 203.0.113.5, 56 bytes"},
		{"ICMP", IN, {.from = "203.0.113.5", .to = "192.0.2.80", .proto = 1, .type = 8},
			"passed"},
		{"back", OUT, {.from = "192.0.2.80", .to = "203.0.113.5", .proto = 6}, "passed"},
		{"back, another protocol", OUT,
			{.from = "192.0.2.80", .to = "203.0.113.5", .proto = 17},
			"prohibited 3/13 203.0.113.5 > 192.0.2.80, 56 bytes"},
		{"an error about it", OUT,
			{.from = "192.0.2.80",
				.to = "203.0.113.5",
				.proto = 1,
				.type = 3,
				.quote = &tcp},
			"passed"},
		{"from a router outside of the target", OUT,
			{.from = "198.51.100.1",
				.to = "203.0.113.5",
				.proto = 1,
				.type = 11,
				.quote = &tcp},
			"passed"},
		{"11: an error about another request's packet", OUT,
			{.from = "192.0.2.80",
				.to = "203.0.113.5",
				.proto = 1,
				.type = 3,
				.quote = &udp},
			"prohibited"},
	};
	struct connip_policy policy = {
		.scoped = true, .targets = PREFIXES(pfx("192.0.2.80/32")), .ipproto = 6};
	struct connip_address given = {.prefix = pfx("203.0.113.5/32")};
	struct peer p;
	char said[512];

	peer_init(&p, CONNIP_PROXY, &policy);
	connip_session_assign(p.s, &given, 1);
	connip_session_advertise(p.s, &PREFIXES(pfx("0.0.0.0/0")));
	assert_int_equal(connip_session_set_mtu(p.s, 1400, true), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		send_through(&p, cases[i].way, &cases[i].made, 0, said);
		if (strcmp(said, cases[i].said) != 0)
			fail_msg("%s: %s", cases[i].name, said);
	}
	peer_clear(&p);
}

/* 4.7.1: static addresses and routes need no capsule; facts 5.7 has a peer that sends none. */
static void test_static(void **)
{
	struct connip_policy policy = {
		.addresses = PREFIXES(pfx("100.96.0.18/32")),
		.routes = PREFIXES(pfx("100.64.0.0/10")),
	};
	struct made m = {.from = "100.96.0.18", .to = "100.64.0.1", .proto = 17};
	struct peer p;
	char said[512];
	struct wire w = {};

	peer_init(&p, CONNIP_CLIENT, &policy);
	assert_int_equal(connip_session_set_mtu(p.s, 1400, true), 0);
	assert_string_equal(send_through(&p, OUT, &m, 0, said), "passed");
	/* An empty list takes away what was assigned by a list, and nothing else. */
	wire_assign(&w, "");
	wire_advertise(&w, "");
	assert_int_equal(peer_receive(&p, &w, w.n, false), 0);
	assert_string_equal(send_through(&p, OUT, &m, 0, said), "passed");
	peer_clear(&p);
}

/* Facts of a dialect: a peer that is told nothing. The lists count for packets all the same. */
static void test_silent(void **)
{
	struct connip_policy policy = {
		.addresses = PREFIXES(pfx("100.96.0.18/32")),
		.routes = PREFIXES(pfx("100.64.0.0/10")),
		.silent = true,
	};
	struct connip_address given = {.prefix = pfx("100.127.0.1/32")};
	struct made to_given = {.from = "10.0.1.50", .to = "100.127.0.1", .proto = 17};
	struct peer p;
	char said[512];

	peer_init(&p, CONNIP_CLIENT, &policy);
	connip_session_advertise(p.s, &PREFIXES(pfx("10.0.1.0/24")));
	connip_session_assign(p.s, &given, 1);
	assert_int_equal(connip_session_set_mtu(p.s, 1400, true), 0);
	assert_int_equal(peer_sent(&p, 100).n, 0);
	assert_string_equal(send_through(&p, OUT, &to_mesh, 0, said), "passed");
	assert_string_equal(send_through(&p, OUT, &to_given, 0, said), "passed");
	peer_clear(&p);
}

/* 4.7.1, 4.7.3: what is withdrawn is gone with the next packet. */
static void test_withdrawn(void **)
{
	struct made in = {.from = "100.64.12.189", .to = "100.96.0.18", .proto = 6};
	struct peer p;
	char said[512];
	struct wire w = {};

	gateway_init(&p, CONNIP_PROBE_OFF);
	assert_string_equal(send_through(&p, IN, &in, 0, said), "passed");
	wire_assign(&w, "0 2001:db8::18/128");
	assert_int_equal(peer_receive(&p, &w, w.n, false), 0);
	assert_string_equal(send_through(&p, IN, &in, 0, said),
		"no-route 3/0 100.96.0.18 > 100.64.12.189, 56 bytes");
	w = (struct wire){};
	wire_advertise(&w, "");
	assert_int_equal(peer_receive(&p, &w, w.n, false), 0);
	assert_string_equal(send_through(&p, IN, &in, 0, said),
		"bad-source 3/13 100.96.0.18 > 100.64.12.189, 56 bytes");
	peer_clear(&p);
}

/* RFC 4443 2.4 (f): as many as the bucket holds, then as many a second as its rate. */
static void test_rate(void **)
{
	struct made m = {.from = "10.0.2.60", .to = "100.64.12.189", .proto = 6};
	struct peer p;
	char said[512];
	unsigned answered = 0;

	gateway_init(&p, CONNIP_PROBE_OFF);
	for (int i = 0; i < 10'000; i++)
		answered += strlen(send_through(&p, OUT, &m, 0, said)) > strlen("bad-source");
	assert_int_equal(answered, 50);
	for (uint64_t ms = 0; ms < 1000; ms++)
		for (int i = 0; i < 10; i++)
			answered += strlen(send_through(&p, OUT, &m, ms * 1'000'000, said)) >
				    strlen("bad-source");
	assert_in_range(answered, 50 + 99, 50 + 100);
	const struct connip_counters *c = connip_session_counters(p.s);
	assert_int_equal(c->out[CONNIP_BAD_SOURCE], 20'000);
	assert_int_equal(c->answers, answered);
	assert_int_equal(c->answers_limited, 20'000 - answered);
	peer_clear(&p);
}

/* 7.2.1: nobody is there to send it to; the same rules, and no more than the bucket holds. */
static void test_stray(void **)
{
	static const struct passage_case cases[] = {
		{"IPv4", OUT, {.from = "10.0.1.50", .to = "100.64.12.189", .proto = 6},
			"3/1 100.64.12.189 > 10.0.1.50, 56 bytes"},
		{"IPv6", OUT, {.from = "2001:db8:1::50", .to = "2001:db8:5000::bd", .proto = 17},
			"1/3 2001:db8:5000::bd > 2001:db8:1::50, 96 bytes"},
		{"to many", OUT, {.from = "10.0.1.50", .to = "239.1.1.1", .proto = 17}, ""},
		{"link-local", OUT, {.from = "fe80::1", .to = "2001:db8:5000::bd", .proto = 17},
			""},
		{"from nobody", OUT, {.from = "127.0.0.1", .to = "100.64.12.189", .proto = 17}, ""},
		{"an ICMP error", OUT,
			{.from = "10.0.1.50",
				.to = "100.64.12.189",
				.proto = 1,
				.type = 3,
				.quote = &from_mesh},
			""},
	};
	struct bucket limit = STRAY_BUDGET;
	struct connip_answer answer;
	unsigned answered = 0;
	char said[256];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wire w = {};
		made_build(&cases[i].made, &w);
		struct packet_bytes bytes = made_bytes(&w);
		stray_answer(&limit, &bytes, 1, &answer);
		assert_string_equal(icmp_said(answer.bytes, answer.n, said), cases[i].said);
	}
	for (int i = 0; i < 1000; i++) {
		struct wire w = {};
		made_build(&to_mesh, &w);
		struct packet_bytes bytes = made_bytes(&w);
		stray_answer(&limit, &bytes, 1, &answer);
		answered += answer.n > 0;
	}
	assert_int_equal(answered, STRAY_BUDGET.burst - 2);
}

/* 7.2: packets to link-local multicast are replied to, by an address of this end. */
static void test_all_nodes(void **)
{
	static const struct passage_case cases[] = {
		{"all nodes", IN,
			{.from = "fe80::1",
				.to = "ff02::1",
				.proto = 58,
				.type = 128,
				.id = 7,
				.payload = 1232},
			"taken 129/0 2001:db8::18 > fe80::1, 1280 bytes"},
		{"our link-local address", IN,
			{.from = "fe80::1", .to = "fe80::2", .proto = 58, .type = 128},
			"taken 129/0 fe80::2 > fe80::1, 48 bytes"},
		{"somebody else's", IN,
			{.from = "fe80::1", .to = "fe80::3", .proto = 58, .type = 128},
			"link-local"},
		{"too big to be answered", IN,
			{.from = "fe80::1",
				.to = "ff02::1",
				.proto = 58,
				.type = 128,
				.payload = 1233},
			"link-local"},
		{"all routers", IN, {.from = "fe80::1", .to = "ff02::2", .proto = 58, .type = 128},
			"taken 129/0 2001:db8::18 > fe80::1, 48 bytes"},
		{"another group", IN,
			{.from = "fe80::1", .to = "ff02::fb", .proto = 58, .type = 128},
			"link-local"},
		{"no echo", IN, {.from = "fe80::1", .to = "ff02::1", .proto = 17}, "link-local"},
		{"from nobody", IN, {.from = "::", .to = "ff02::1", .proto = 58, .type = 128},
			"link-local"},
		{"never outwards", OUT,
			{.from = "fe80::1", .to = "ff02::1", .proto = 58, .type = 128},
			"link-local"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct peer p;
		char said[512];
		gateway_init(&p, CONNIP_PROBE_OFF);
		send_through(&p, cases[i].way, &cases[i].made, 0, said);
		if (strcmp(said, cases[i].said) != 0)
			fail_msg("%s: %s", cases[i].name, said);
		peer_clear(&p);
	}
}

/* 7.2: IPv6 needs 1280 bytes; IPv4 alone does not. */
static void test_mtu(void **)
{
	struct connip_policy v4 = {.routes = PREFIXES(pfx("0.0.0.0/0"))};
	struct connip_policy v6 = {.routes = PREFIXES(pfx("::/0"))};
	struct made big = {
		.from = "2001:db8:1::50", .to = "2001:db8:5000::bd", .proto = 6, .payload = 1232};
	struct peer p;
	char said[512];

	peer_init(&p, CONNIP_CLIENT, &v4);
	assert_int_equal(connip_session_set_mtu(p.s, 1200, true), 0);
	peer_clear(&p);

	peer_init(&p, CONNIP_CLIENT, &v6);
	assert_int_equal(connip_session_set_mtu(p.s, 1200, false), 0);
	assert_int_equal(connip_session_set_mtu(p.s, 1279, true), -EPROTO);
	assert_int_equal(connip_session_fault(p.s), CONNIP_FAULT_MTU);
	peer_clear(&p);

	/* IPv6 comes later. */
	struct wire w = {};
	gateway_init(&p, CONNIP_PROBE_OFF);
	peer_clear(&p);
	v4.accept_routes = PREFIXES(pfx("::/0"));
	peer_init(&p, CONNIP_CLIENT, &v4);
	assert_int_equal(connip_session_set_mtu(p.s, 1279, true), 0);
	wire_advertise(&w, "2001:db8::-2001:db8::1/0");
	wire_advertise(&w, "2001:db8::-2001:db8::2/0"); /* of no interest any more */
	assert_int_equal(peer_receive(&p, &w, w.n, false), -EPROTO);
	assert_int_equal(connip_session_fault(p.s), CONNIP_FAULT_MTU);
	assert_string_equal(p.log, "routes[2001:db8::-2001:db8::1/0 of 1] ");
	peer_clear(&p);

	/* Before it is known what fits, nobody is told less than 1280. */
	gateway_init(&p, CONNIP_PROBE_OFF);
	assert_int_equal(connip_session_set_mtu(p.s, 1150, false), 0);
	assert_string_equal(send_through(&p, OUT, &big, 0, said), "too-big");
	big.payload++;
	assert_string_equal(send_through(&p, OUT, &big, 0, said),
		"too-big 2/0 2001:db8:5000::bd > 2001:db8:1::50, 1280 bytes, MTU 1280");
	peer_clear(&p);
}

/* 7.2: the probe is an echo of 1232 data bytes; answered by another end of ours. */
static void test_probe_answered(void **)
{
	struct peer client, proxy;
	struct connip_policy policy = {
		.routes = PREFIXES(pfx("::/0")), .probe = CONNIP_PROBE_REQUIRE};
	uint8_t out[ICMP_MESSAGE_MAX];
	struct connip_answer answer, nothing;
	char buf[256];

	gateway_init(&client, CONNIP_PROBE_REQUIRE);
	peer_init(&proxy, CONNIP_PROXY, &policy);
	assert_int_equal(connip_session_expiry_ns(client.s), 0);
	ssize_t n = connip_session_expire(client.s, 5, out);
	assert_int_equal(n, 1280);
	assert_string_equal(icmp_said(out, 1280, buf), "128/0 2001:db8::18 > ff02::1, 1280 bytes");

	struct packet_bytes probe = {.head = out, .head_n = 1280};
	assert_int_equal(connip_packet_in(proxy.s, &probe, 6, &answer), CONNIP_TAKEN);
	assert_string_equal(
		icmp_said(answer.bytes, answer.n, buf), "129/0 fe80::1 > 2001:db8::18, 1280 bytes");

	struct packet_bytes reply = {.head = answer.bytes, .head_n = answer.n};
	assert_int_equal(connip_packet_in(client.s, &reply, 7, &nothing), CONNIP_TAKEN);
	assert_int_equal(nothing.n, 0);
	assert_non_null(strstr(client.log, "probed[yes] "));
	assert_true(connip_session_expiry_ns(client.s) == UINT64_MAX);
	/* Once is enough. */
	assert_int_equal(connip_packet_in(client.s, &reply, 8, &nothing), CONNIP_LINK_LOCAL);
	assert_int_equal(connip_session_set_mtu(client.s, 1350, true), 0);
	assert_true(connip_session_expiry_ns(client.s) == UINT64_MAX);
	peer_clear(&client);
	peer_clear(&proxy);
}

/* 7.2: who knows the peer's address asks it; without an answer the tunnel is torn down. */
static void test_probe_silent(void **)
{
	static const enum connip_probe probes[] = {CONNIP_PROBE_WATCH, CONNIP_PROBE_REQUIRE};

	for (size_t i = 0; i < COUNT(probes); i++) {
		struct connip_address given = {.prefix = pfx("2001:db8::7/128")};
		uint8_t out[ICMP_MESSAGE_MAX];
		struct peer p;
		char buf[256];
		uint64_t now = 0;
		unsigned sent = 0;

		gateway_init(&p, probes[i]);
		connip_session_assign(p.s, &given, 1);
		ssize_t n;
		while ((n = connip_session_expire(p.s, now, out)) > 0) {
			assert_string_equal(icmp_said(out, (size_t)n, buf),
				"128/0 2001:db8::18 > 2001:db8::7, 1280 bytes");
			sent++;
			assert_int_equal(connip_session_expire(p.s, now, out), 0);
			now = connip_session_expiry_ns(p.s);
		}
		assert_int_equal(sent, 5);
		assert_int_equal(now, 31 * SECOND_NS);
		assert_non_null(strstr(p.log, "probed[no] "));
		assert_int_equal(n, probes[i] == CONNIP_PROBE_WATCH ? 0 : -EPROTO);
		assert_true(connip_session_expiry_ns(p.s) == UINT64_MAX);
		peer_clear(&p);
	}
}

/* Routes that are taken from a live session, and others that it gets. */
static void test_other_routes(void **)
{
	static const struct {
		const char *routes, *from, *said;
	} cases[] = {
		{"100.72.0.0/13", "100.72.0.1", "passed"},
		{"100.72.0.0/13", "10.9.0.1", "bad-source 3/13 100.96.0.18 > 10.9.0.1, 68 bytes"},
		{"192.0.2.0/24", "192.0.2.1", "passed"},
		{"192.0.2.0/24", "100.72.0.1",
			"bad-source 3/13 100.96.0.18 > 100.72.0.1, 68 bytes"},
	};
	struct peer p;
	char said[512];

	gateway_init(&p, CONNIP_PROBE_OFF);
	assert_string_equal(send_through(&p, IN, &from_mesh, 0, said), "passed");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct made m = from_mesh;
		m.from = cases[i].from;
		connip_session_set_routes(p.s, &PREFIXES(pfx(cases[i].routes)));
		assert_string_equal(send_through(&p, IN, &m, i * SECOND_NS, said), cases[i].said);
	}
	peer_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_routes),
		cmocka_unit_test(test_passages),
		cmocka_unit_test(test_scoped),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_withdrawn),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_stray),
		cmocka_unit_test(test_all_nodes),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_probe_answered),
		cmocka_unit_test(test_probe_silent),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
