/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip_peer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct connip_policy open_policy(void)
{
	static struct prefix all[2];

	all[0] = pfx("0.0.0.0/0");
	all[1] = pfx("::/0");
	return (struct connip_policy){.accept_addresses = {all, 2}, .accept_routes = {all, 2}};
}

/* Text of one capsule: its type and, in the builder's words, its value. */
enum form { ASSIGN, REQUEST, ADVERTISE, BYTES };

struct capsule_case {
	const char *name;
	enum form form;
	const char *value; /* BYTES: hex, the whole stream */
	const char *log;   /* nullptr = nothing */
	enum connip_fault fault;
	bool no_fin;
};

static void build(struct wire *w, const struct capsule_case *c)
{
	switch (c->form) {
	case ASSIGN:
		wire_assign(w, c->value);
		break;
	case REQUEST:
		wire_request(w, c->value);
		break;
	case ADVERTISE:
		wire_advertise(w, c->value);
		break;
	case BYTES:
		for (const char *p = c->value; *p; p += *p == ' ' ? 1 : 2)
			if (*p != ' ')
				wire_octet(w,
					(unsigned)strtoul((char[]){p[0], p[1], '\0'}, nullptr, 16));
		break;
	}
}

/* Each stream in pieces of each size must be read the same. */
static void check_case(const struct capsule_case *c)
{
	struct connip_policy policy = open_policy();
	struct wire w = {};

	build(&w, c);
	for (size_t step = 1; step <= w.n + 1; step++) {
		struct peer p;
		peer_init(&p, CONNIP_PROXY, &policy);
		int r = peer_receive(&p, &w, step, !c->no_fin);
		if (strcmp(p.log, c->log ? c->log : "") != 0 ||
			connip_session_fault(p.s) != c->fault || r != (c->fault ? -EPROTO : 0))
			fail_msg("%s, pieces of %zu: %d %s, told %s", c->name, step, r,
				connip_fault_str(connip_session_fault(p.s)), p.log);
		peer_clear(&p);
	}
}

static void check_cases(const struct capsule_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_case(&cases[i]);
}

/* RFC 9297 3.2, 3.3, 3.5 */
static void test_framing(void **)
{
	static const struct capsule_case cases[] = {
		{"3.2: nothing", BYTES, "", .log = ""},
		{"3.2: an unknown type", BYTES, "1d 03 aabbcc  01 00", .log = "assigned[] "},
		{"3.2: an unknown type of 62 bits", BYTES, "ffffffffffffffff 02 aabb  01 00",
			.log = "assigned[] "},
		{"3.2: unknown types without a value", BYTES, "17 00  17 00  01 00",
			.log = "assigned[] "},
		{"RFC 9000 16: lengths need not be the shortest", BYTES,
			"4001 8000000a 80000000 04 c0000201 20",
			.log = "assigned[0 192.0.2.1/32] "},
		{"3.5: a datagram", BYTES, "00 03 0045ff", .log = "datagram[3 00..ff] "},
		{"3.5: an empty datagram", BYTES, "00 00", .log = "datagram[0] "},
		{"3.3: ends in a type", BYTES, "40", .fault = CONNIP_FAULT_TRUNCATED},
		{"3.3: ends behind a type", BYTES, "01", .fault = CONNIP_FAULT_TRUNCATED},
		{"3.3: ends in a length", BYTES, "01 40", .fault = CONNIP_FAULT_TRUNCATED},
		{"3.3: ends in a value", BYTES, "00 03 00", .fault = CONNIP_FAULT_TRUNCATED},
		{"3.3: ends before a value", BYTES, "00 03", .fault = CONNIP_FAULT_TRUNCATED},
		{"3.3: ends in a capsule nobody knows", BYTES, "17 05 00",
			.fault = CONNIP_FAULT_TRUNCATED},
		{"no end, no fault", BYTES, "17 05 00", .no_fin = true},
	};
	check_cases(cases, COUNT(cases));
}

/* RFC 9484 4.7.1 */
static void test_assign(void **)
{
	static const struct capsule_case cases[] = {
		{"zero entries", ASSIGN, "", .log = "assigned[] "},
		{"both families", ASSIGN, "0 192.0.2.11/32,3 2001:db8::/64",
			.log = "assigned[0 192.0.2.11/32, 3 2001:db8::/64] "},
		{"4.7.2: refusals", ASSIGN, "1 0.0.0.0/32,2 ::/128,3 192.0.2.1/32",
			.log = "assigned[3 192.0.2.1/32; refused 1 0.0.0.0/32, 2 ::/128] "},
		{"never ours: loopback", ASSIGN, "0 127.0.0.1/32",
			.log = "assigned[; denied 0 127.0.0.1/32] "},
		{"version 5", BYTES, "01 07 00 05 c0000201 20", .fault = CONNIP_FAULT_MALFORMED},
		{"version 0", BYTES, "01 07 00 00 c0000201 20", .fault = CONNIP_FAULT_MALFORMED},
		{"length beyond IPv4", ASSIGN, "0 192.0.2.1/33", .fault = CONNIP_FAULT_MALFORMED},
		{"length beyond IPv6", ASSIGN, "0 2001:db8::/129", .fault = CONNIP_FAULT_MALFORMED},
		{"host bits, IPv4", ASSIGN, "0 192.0.2.1/31", .fault = CONNIP_FAULT_MALFORMED},
		{"host bits, IPv6", ASSIGN, "0 2001:db8::1/127", .fault = CONNIP_FAULT_MALFORMED},
		{"host bits of all", ASSIGN, "0 128.0.0.0/0", .fault = CONNIP_FAULT_MALFORMED},
		{"RFC 9297 3.3: an entry is cut", BYTES, "01 06 00 04 c0000201",
			.fault = CONNIP_FAULT_MALFORMED},
		{"RFC 9297 3.3: a byte too many", BYTES, "01 08 00 04 c0000201 20 00",
			.fault = CONNIP_FAULT_MALFORMED},
	};
	check_cases(cases, COUNT(cases));
}

/* RFC 9484 4.7.2 */
static void test_request(void **)
{
	static const struct capsule_case cases[] = {
		{"no preference", REQUEST, "1 0.0.0.0/32,2 ::/64",
			.log = "requested[1 0.0.0.0/32, 2 ::/64] "},
		{"IDs in any order", REQUEST,
			"9 0.0.0.0/32,5 10.0.0.7/32,4611686018427387903 ::/128",
			.log = "requested[9 0.0.0.0/32, 5 10.0.0.7/32, 4611686018427387903 ::/128] "},
		{"zero entries", REQUEST, "", .fault = CONNIP_FAULT_REQUEST_EMPTY},
		{"ID zero", REQUEST, "0 0.0.0.0/32", .fault = CONNIP_FAULT_REQUEST_ID},
		{"an ID twice in one", REQUEST, "1 0.0.0.0/32,1 ::/128",
			.fault = CONNIP_FAULT_REQUEST_ID},
		{"an ID twice in two", BYTES, "02 07 01 04 00000000 20  02 07 01 04 00000000 20",
			.log = "requested[1 0.0.0.0/32] ", .fault = CONNIP_FAULT_REQUEST_ID},
		{"host bits", REQUEST, "1 10.0.0.1/24", .fault = CONNIP_FAULT_MALFORMED},
		{"length beyond the address", REQUEST, "1 10.0.0.0/33",
			.fault = CONNIP_FAULT_MALFORMED},
		{"version 7", BYTES, "02 07 01 07 00000000 20", .fault = CONNIP_FAULT_MALFORMED},
		{"an entry is cut", BYTES, "02 03 01 04 00", .fault = CONNIP_FAULT_MALFORMED},
	};
	check_cases(cases, COUNT(cases));
}

/* RFC 9484 4.7.3 */
static void test_advertise(void **)
{
	static const struct capsule_case cases[] = {
		{"none", ADVERTISE, "", .log = "routes[of 0] "},
		{"all", ADVERTISE,
			"0.0.0.0-255.255.255.255/0, ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/0",
			.log = "routes[0.0.0.0-255.255.255.255/0 "
			       "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/0 of 2] "},
		{"one address", ADVERTISE, "192.0.2.7-192.0.2.7/0",
			.log = "routes[192.0.2.7-192.0.2.7/0 of 1] "},
		{"neighbours are one", ADVERTISE, "192.0.2.0-192.0.2.7/0, 192.0.2.8-192.0.2.9/0",
			.log = "routes[192.0.2.0-192.0.2.9/0 of 2] "},
		{"by protocol", ADVERTISE, "192.0.2.0-192.0.2.7/6, 192.0.2.0-192.0.2.7/17",
			.log = "routes[192.0.2.0-192.0.2.7/6 192.0.2.0-192.0.2.7/17 of 2] "},
		{"backwards", ADVERTISE, "192.0.2.7-192.0.2.6/0", .fault = CONNIP_FAULT_MALFORMED},
		{"IPv6 before IPv4", ADVERTISE, "2001:db8::-2001:db8::1/0, 192.0.2.0-192.0.2.7/0",
			.fault = CONNIP_FAULT_ROUTE_ORDER},
		{"protocols descend", ADVERTISE, "192.0.2.0-192.0.2.7/17, 192.0.3.0-192.0.3.7/6",
			.fault = CONNIP_FAULT_ROUTE_ORDER},
		{"addresses descend", ADVERTISE, "192.0.3.0-192.0.3.7/0, 192.0.2.0-192.0.2.7/0",
			.fault = CONNIP_FAULT_ROUTE_ORDER},
		{"the same twice", ADVERTISE, "192.0.2.0-192.0.2.7/0, 192.0.2.0-192.0.2.7/0",
			.fault = CONNIP_FAULT_ROUTE_ORDER},
		{"one address in two", ADVERTISE, "192.0.2.0-192.0.2.7/0, 192.0.2.7-192.0.2.9/0",
			.fault = CONNIP_FAULT_ROUTE_ORDER},
		{"all protocols and one overlap", ADVERTISE,
			"192.0.2.0-192.0.2.7/0, 192.0.2.7-192.0.2.9/6",
			.fault = CONNIP_FAULT_ROUTE_OVERLAP},
		{"all protocols and one do not", ADVERTISE,
			"192.0.2.0-192.0.2.7/0, 192.0.2.8-192.0.2.9/6",
			.log = "routes[192.0.2.0-192.0.2.7/0 192.0.2.8-192.0.2.9/6 of 2] "},
		{"families do not overlap", ADVERTISE, "0.0.0.0-255.255.255.255/0, ::-::ffff/6",
			.log = "routes[0.0.0.0-255.255.255.255/0 ::-::ffff/6 of 2] "},
		{"overlap in IPv6", ADVERTISE, "10.0.0.0-10.0.0.1/6, ::1-::5/0, ::5-::6/6",
			.fault = CONNIP_FAULT_ROUTE_OVERLAP},
		{"version 3", BYTES, "03 0a 03 c0000200 c0000207 00",
			.fault = CONNIP_FAULT_MALFORMED},
		{"a range is cut", BYTES, "03 09 04 c0000200 c0000207",
			.fault = CONNIP_FAULT_MALFORMED},
	};
	check_cases(cases, COUNT(cases));
}

/* RFC 9484 4.7.1, 4.7.3: each list replaces the one before, and what is left out is withdrawn. */
static void test_lists_replace(void **)
{
	struct connip_policy policy = open_policy();
	struct wire w = {};
	struct peer p;

	wire_assign(&w, "0 192.0.2.1/32,0 192.0.2.2/32");
	wire_assign(&w, "0 192.0.2.2/32");
	wire_assign(&w, "");
	wire_advertise(&w, "10.0.0.0-10.0.0.9/0");
	wire_advertise(&w, "10.0.0.5-10.0.0.5/0");
	peer_init(&p, CONNIP_CLIENT, &policy);
	assert_int_equal(peer_receive(&p, &w, w.n, true), 0);
	assert_string_equal(p.log, "assigned[0 192.0.2.1/32, 0 192.0.2.2/32] "
				   "assigned[0 192.0.2.2/32] assigned[] "
				   "routes[10.0.0.0-10.0.0.9/0 of 1] "
				   "routes[10.0.0.5-10.0.0.5/0 of 1] ");
	peer_clear(&p);
}

/* What the policy does not allow is told, and does not count. */
static void test_policy(void **)
{
	struct connip_policy policy = {
		.accept_addresses = PREFIXES(pfx("100.96.0.0/12")),
		.accept_routes = PREFIXES(
			pfx("100.64.0.0/12"), pfx("100.96.0.0/12"), pfx("2001:db8::/32")),
	};
	struct wire w = {};
	struct peer p;

	wire_assign(&w, "0 100.96.0.18/32,0 10.0.0.1/32,0 100.96.0.0/11");
	wire_advertise(&w, "0.0.0.0-255.255.255.255/0, 2001:db8::-2001:db8::ff/0");
	wire_advertise(&w, "10.0.0.0-10.255.255.255/0");
	peer_init(&p, CONNIP_CLIENT, &policy);
	assert_int_equal(peer_receive(&p, &w, 1, true), 0);
	assert_string_equal(p.log,
		"assigned[0 100.96.0.18/32; denied 0 10.0.0.1/32, 0 100.96.0.0/11] "
		"routes[100.64.0.0-100.79.255.255/0 100.96.0.0-100.111.255.255/0 "
		"2001:db8::-2001:db8::ff/0 of 2 narrowed 1] "
		"routes[of 1 narrowed 1] ");
	peer_clear(&p);
}

/* RFC 9484 4.6: the client's scope narrows what it takes of the proxy's routes. */
static void test_client_scope(void **)
{
	struct connip_policy policy = open_policy();
	struct wire w = {};
	struct peer p;

	policy.scoped = true;
	policy.targets = PREFIXES(pfx("10.0.1.0/24"));
	policy.ipproto = 6;
	wire_advertise(
		&w, "0.0.0.0-9.255.255.255/0, 10.0.1.0-10.0.1.127/6, 10.0.1.0-10.0.1.255/17");
	wire_advertise(&w, "0.0.0.0-255.255.255.255/0");
	peer_init(&p, CONNIP_CLIENT, &policy);
	assert_int_equal(peer_receive(&p, &w, 1, true), 0);
	assert_string_equal(p.log, "routes[10.0.1.0-10.0.1.127/6 of 3 narrowed 1] "
				   "routes[10.0.1.0-10.0.1.255/6 of 1] ");
	peer_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_assign),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_advertise),
		cmocka_unit_test(test_lists_replace),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_client_scope),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
