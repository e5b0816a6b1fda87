/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connip/session_int.h"
#include "connip_peer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct connip_policy nothing;

static struct connip_policy open_policy(void)
{
	static struct prefix all[2];

	all[0] = pfx("0.0.0.0/0");
	all[1] = pfx("::/0");
	return (struct connip_policy){.accept_addresses = {all, 2}, .accept_routes = {all, 2}};
}

static void expect_sent(struct peer *p, const struct wire *want)
{
	struct wire got = peer_sent(p, 7);

	assert_int_equal(got.n, want->n);
	assert_memory_equal(got.b, want->b, want->n);
}

/* RFC 9484 4.7.2: one or more entries, IDs that count up and never come again. */
static void test_request(void **)
{
	struct prefix any[] = {pfx("0.0.0.0/32"), pfx("::/64")};
	struct peer p;
	uint64_t first = 0;

	peer_init(&p, CONNIP_CLIENT, &nothing);
	expect_sent(&p, &(struct wire){});
	assert_int_equal(connip_session_request(p.s, any, 2, &first), 0);
	assert_int_equal(first, 1);
	assert_int_equal(connip_session_request(p.s, any, 2, &first), -EAGAIN);
	assert_int_equal(connip_session_request(p.s, any, 0, &first), -EAGAIN);
	struct wire want = {};
	wire_request(&want, "1 0.0.0.0/32,2 ::/64");
	expect_sent(&p, &want);

	assert_int_equal(connip_session_request(p.s, any, 0, &first), -EINVAL);
	assert_int_equal(
		connip_session_request(p.s, any, CONNIP_REQUESTS_MAX + 1, &first), -EINVAL);
	assert_int_equal(connip_session_request(p.s, any, 1, &first), 0);
	assert_int_equal(first, 3);
	want = (struct wire){};
	wire_request(&want, "3 0.0.0.0/32");
	expect_sent(&p, &want);
	peer_clear(&p);
}

/* 4.7.2: each request gets an answer with its ID, a refusal once; 4.7.1: unasked is ID 0. */
static void test_assign(void **)
{
	struct connip_address list[] = {
		{.prefix = pfx("192.0.2.0/24")}, {.request = 5, .prefix = pfx("10.0.0.7/32")}};
	struct wire w = {}, want = {};
	struct peer p;

	peer_init(&p, CONNIP_PROXY, &nothing);
	p.give = list;
	p.n_give = COUNT(list);
	wire_request(&w, "9 ::/128,5 0.0.0.0/32,2 10.0.0.8/32");
	assert_int_equal(peer_receive(&p, &w, 1, false), 0);
	wire_assign(&want, "0 192.0.2.0/24,5 10.0.0.7/32,9 ::/128,2 0.0.0.0/32");
	expect_sent(&p, &want);

	connip_session_assign(p.s, list, COUNT(list));
	want = (struct wire){};
	wire_assign(&want, "0 192.0.2.0/24,5 10.0.0.7/32");
	expect_sent(&p, &want);

	connip_session_assign(p.s, nullptr, 0);
	want = (struct wire){};
	wire_assign(&want, "");
	expect_sent(&p, &want);
	peer_clear(&p);
}

/* 4.7.3: ordered, without overlap or ranges that touch; 9: addresses go before routes. */
static void test_advertise(void **)
{
	struct connip_address given = {.prefix = pfx("10.0.0.7/32")};
	struct wire want = {};
	struct peer p;

	peer_init(&p, CONNIP_PROXY, &nothing);
	connip_session_advertise(
		p.s, &PREFIXES(pfx("2001:db8::/32"), pfx("10.0.1.0/24"), pfx("10.0.0.0/24"),
			     pfx("10.0.0.128/25"), pfx("192.0.2.1/32")));
	connip_session_assign(p.s, &given, 1);
	wire_assign(&want, "0 10.0.0.7/32");
	wire_advertise(&want, "10.0.0.0-10.0.1.255/0, 192.0.2.1-192.0.2.1/0, "
			      "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/0");
	expect_sent(&p, &want);

	connip_session_advertise(p.s, &(struct connip_prefixes){});
	want = (struct wire){};
	wire_advertise(&want, "");
	expect_sent(&p, &want);
	peer_clear(&p);
}

/* 4.6: with a target, only it, only its protocol, and only families in which an address is there.
 */
static void test_advertise_scoped(void **)
{
	struct connip_policy policy = {.scoped = true,
		.targets = PREFIXES(pfx("192.0.2.80/32"), pfx("2001:db8::80/128")),
		.ipproto = 6};
	struct connip_address given[] = {
		{.prefix = pfx("10.0.0.7/32")}, {.prefix = pfx("2001:db8:1::7/128")}};
	struct wire want = {};
	struct peer p;

	peer_init(&p, CONNIP_PROXY, &policy);
	connip_session_advertise(p.s, &PREFIXES(pfx("0.0.0.0/0"), pfx("::/0")));
	wire_advertise(&want, "");
	expect_sent(&p, &want);

	connip_session_assign(p.s, given, 1);
	want = (struct wire){};
	wire_assign(&want, "0 10.0.0.7/32");
	wire_advertise(&want, "192.0.2.80-192.0.2.80/6");
	expect_sent(&p, &want);

	connip_session_assign(p.s, given, 2);
	want = (struct wire){};
	wire_assign(&want, "0 10.0.0.7/32,0 2001:db8:1::7/128");
	wire_advertise(&want, "192.0.2.80-192.0.2.80/6, 2001:db8::80-2001:db8::80/6");
	expect_sent(&p, &want);

	/* A target that is not behind this proxy. */
	connip_session_advertise(p.s, &PREFIXES(pfx("10.0.0.0/8")));
	want = (struct wire){};
	wire_advertise(&want, "");
	expect_sent(&p, &want);
	peer_clear(&p);
}

/* A list that has begun to leave is finished; of those that wait only the latest leaves. */
static void test_latest(void **)
{
	struct connip_address a = {.prefix = pfx("10.0.0.1/32")},
			      b = {.prefix = pfx("10.0.0.2/32")},
			      c = {.prefix = pfx("10.0.0.3/32")};
	struct wire want = {}, got = {};
	struct peer p;
	size_t n;

	peer_init(&p, CONNIP_PROXY, &nothing);
	connip_session_assign(p.s, &a, 1);
	wire_bytes(&got, connip_session_pending(p.s, &n), 1);
	connip_session_sent(p.s, 1);
	connip_session_assign(p.s, &b, 1);
	connip_session_assign(p.s, &c, 1);
	struct wire rest = peer_sent(&p, 100);
	wire_bytes(&got, rest.b, rest.n);
	wire_assign(&want, "0 10.0.0.1/32");
	wire_assign(&want, "0 10.0.0.3/32");
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.b, want.b, want.n);
	peer_clear(&p);
}

/* What one end writes is what the other reads: RFC 9484 appendix-like exchange of both roles. */
static void test_both_ends(void **)
{
	struct connip_policy policy = open_policy();
	struct connip_address list[] = {{.request = 1, .prefix = pfx("192.0.2.11/32")},
		{.request = 2, .prefix = pfx("2001:db8::b/128")}};
	struct prefix any[] = {pfx("0.0.0.0/32"), pfx("::/128"), pfx("10.0.0.1/32")};
	struct peer client, proxy;
	uint64_t first;

	peer_init(&client, CONNIP_CLIENT, &policy);
	peer_init(&proxy, CONNIP_PROXY, &policy);
	proxy.give = list;
	proxy.n_give = COUNT(list);
	assert_int_equal(connip_session_request(client.s, any, COUNT(any), &first), 0);
	connip_session_advertise(client.s, &PREFIXES(pfx("10.0.1.0/24")));
	connip_session_advertise(proxy.s, &PREFIXES(pfx("0.0.0.0/0")));

	struct wire w = peer_sent(&client, 3);
	assert_int_equal(peer_receive(&proxy, &w, 5, false), 0);
	w = peer_sent(&proxy, 3);
	assert_int_equal(peer_receive(&client, &w, 5, true), 0);
	assert_string_equal(proxy.log, "requested[1 0.0.0.0/32, 2 ::/128, 3 10.0.0.1/32] "
				       "routes[10.0.1.0-10.0.1.255/0 of 1] ");
	assert_string_equal(client.log,
		"assigned[1 192.0.2.11/32, 2 2001:db8::b/128; refused 3 0.0.0.0/32] "
		"routes[0.0.0.0-255.255.255.255/0 of 1] ");
	peer_clear(&client);
	peer_clear(&proxy);
}

/* RFC 9484 4.7.1: who expects an address asks for it; not before the peer had time to give one
 * unprompted, and not when it has. */
static void test_expected(void **)
{
	struct connip_policy policy = open_policy();
	struct prefix any[] = {pfx("0.0.0.0/32"), pfx("::/128")};
	uint8_t probe[ICMP_MESSAGE_MAX];
	struct wire want = {}, w = {};
	struct peer p;

	peer_init(&p, CONNIP_CLIENT, &policy);
	connip_session_expect(p.s, any, COUNT(any), 5);
	assert_int_equal(peer_sent(&p, 100).n, 0);
	assert_int_equal(connip_session_expiry_ns(p.s), 5 + CONNIP_UNPROMPTED_NS);
	assert_int_equal(connip_session_expire(p.s, 4 + CONNIP_UNPROMPTED_NS, probe), 0);
	assert_int_equal(peer_sent(&p, 100).n, 0);
	wire_assign(&w, ""); /* says only that nothing is assigned yet */
	assert_int_equal(peer_receive(&p, &w, w.n, false), 0);
	assert_int_equal(connip_session_expire(p.s, 5 + CONNIP_UNPROMPTED_NS, probe), 0);
	wire_request(&want, "1 0.0.0.0/32,2 ::/128");
	w = peer_sent(&p, 100);
	assert_int_equal(w.n, want.n);
	assert_memory_equal(w.b, want.b, want.n);
	assert_true(connip_session_expiry_ns(p.s) == UINT64_MAX);
	peer_clear(&p);

	peer_init(&p, CONNIP_CLIENT, &policy);
	connip_session_expect(p.s, any, COUNT(any), 5);
	w = (struct wire){};
	wire_assign(&w, "0 192.0.2.11/32");
	assert_int_equal(peer_receive(&p, &w, w.n, false), 0);
	assert_true(connip_session_expiry_ns(p.s) == UINT64_MAX);
	assert_int_equal(connip_session_expire(p.s, 1'000'000'000, probe), 0);
	assert_int_equal(peer_sent(&p, 100).n, 0);
	peer_clear(&p);
}

/* A list beyond the maximum is passed over; what held before holds, and the next one counts. */
static void test_too_many(void **)
{
	struct connip_policy policy = open_policy();
	struct wire w = {};
	struct peer p;

	policy.max_addresses = policy.max_routes = 2;
	wire_assign(&w, "0 10.0.0.1/32");
	wire_assign(&w, "0 10.0.0.2/32,0 10.0.0.3/32,0 10.0.0.4/32,0 10.0.0.5/31");
	wire_advertise(&w, "10.0.0.1-10.0.0.1/0, 10.0.0.3-10.0.0.3/0, 10.0.0.5-10.0.0.5/0, "
			   "1.1.1.1-1.1.1.1/0");
	wire_assign(&w, "0 10.0.0.6/32,0 10.0.0.7/32");
	for (size_t step = 1; step < w.n; step++) {
		peer_init(&p, CONNIP_CLIENT, &policy);
		assert_int_equal(peer_receive(&p, &w, step, true), 0);
		assert_string_equal(p.log, "assigned[0 10.0.0.1/32] exceeded[addresses 2] "
					   "exceeded[routes 2] "
					   "assigned[0 10.0.0.6/32, 0 10.0.0.7/32] ");
		peer_clear(&p);
	}
}

/* A million routes in one capsule: one word, no memory, and the session lives on. */
static void test_million_routes(void **)
{
	struct connip_policy policy = open_policy();
	struct wire head = {}, chunk = {}, tail = {};
	struct peer p;
	constexpr size_t MILLION = 1'000'000;

	peer_init(&p, CONNIP_CLIENT, &policy);
	wire_varint(&head, 3);
	wire_varint(&head, 10 * MILLION /* bytes of an entry */);
	assert_int_equal(peer_receive(&p, &head, head.n, false), 0);
	for (size_t i = 0; i < MILLION; i += 1000) {
		chunk.n = 0;
		for (size_t k = i; k < i + 1000; k++) {
			char range[64];
			snprintf(range, sizeof(range), "%zu.%zu.%zu.%zu", 1 + k * 2 / 16777216,
				k * 2 / 65536 % 256, k * 2 / 256 % 256, k * 2 % 256);
			struct prefix a = pfx(range);
			wire_octet(&chunk, 4);
			wire_bytes(&chunk, a.addr.b, 4);
			wire_bytes(&chunk, a.addr.b, 4);
			wire_octet(&chunk, 0);
		}
		assert_int_equal(connip_session_receive(p.s, chunk.b, chunk.n, false, 0), 0);
	}
	wire_advertise(&tail, "10.0.0.0-10.0.0.255/0");
	assert_int_equal(peer_receive(&p, &tail, tail.n, true), 0);
	assert_string_equal(p.log, "exceeded[routes 256] routes[10.0.0.0-10.0.0.255/0 of 1] ");
	peer_clear(&p);
}

/* The whole of 10.0.0.0/8 for each protocol by itself. */
static void advertise_by_protocol(struct wire *w)
{
	struct wire list = {};

	for (unsigned proto = 1; proto < 256; proto++) {
		wire_octet(&list, 4);
		wire_bytes(&list, (uint8_t[]){10, 0, 0, 0, 10, 255, 255, 255}, 8);
		wire_octet(&list, proto);
	}
	wire_capsule(w, 3, &list);
}

constexpr size_t PARTS = 200;

static struct connip_prefixes make_parts(struct prefix list[PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		list[i] = pfx("10.0.0.0/25");
		list[i].addr.b[2] = (uint8_t)i;
	}
	return (struct connip_prefixes){list, PARTS};
}

/* Few bytes on the wire, and a part of each for each prefix that is accepted: 51,000. */
static void test_many_parts(void **)
{
	struct prefix list[PARTS];
	struct connip_policy policy = {.accept_routes = make_parts(list)};
	struct wire w = {};
	struct peer p;

	wire_advertise(&w, "10.0.0.0-10.0.1.255/6");
	advertise_by_protocol(&w);
	peer_init(&p, CONNIP_CLIENT, &policy);
	assert_int_equal(peer_receive(&p, &w, w.n, true), 0);
	assert_string_equal(p.log, "routes[10.0.0.0-10.0.0.127/6 10.0.1.0-10.0.1.127/6 "
				   "of 1 narrowed 1] exceeded[routes 256] ");
	peer_clear(&p);
}

/* The same by another policy: what was accepted falls apart only then. */
static void test_many_parts_later(void **)
{
	struct prefix list[PARTS], whole = pfx("10.0.0.0/8");
	struct connip_policy policy = {.accept_routes = {&whole, 1}};
	struct connip_prefixes parts = make_parts(list);
	struct wire w = {};
	struct peer p;

	advertise_by_protocol(&w);
	peer_init(&p, CONNIP_CLIENT, &policy);
	assert_int_equal(peer_receive(&p, &w, w.n, true), 0);
	connip_session_set_routes(p.s, &policy.accept_routes);
	assert_int_equal(p.s->accepted.n, 255);
	connip_session_set_routes(p.s, &parts);
	assert_int_equal(p.s->accepted.n, 0);
	peer_clear(&p);
}

/* RFC 9297 3.5: a DATAGRAM capsule of any length is discarded as it comes. */
static void test_long_datagram(void **)
{
	static const uint8_t zero[4096];
	struct wire w = {};
	struct peer p;

	peer_init(&p, CONNIP_CLIENT, &nothing);
	wire_varint(&w, 0);
	wire_varint(&w, 1ULL << 32);
	assert_int_equal(peer_receive(&p, &w, w.n, false), 0);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(connip_session_receive(p.s, zero, sizeof(zero), false, 0), 0);
	assert_int_equal(connip_session_counters(p.s)->datagrams_too_long, 1);
	assert_string_equal(p.log, "");
	peer_clear(&p);

	peer_init(&p, CONNIP_CLIENT, &nothing);
	w = (struct wire){};
	wire_capsule(&w, 0, &(struct wire){.n = CONNIP_DATAGRAM_DEFAULT + 1});
	wire_capsule(&w, 0, &(struct wire){.n = CONNIP_DATAGRAM_DEFAULT});
	assert_int_equal(peer_receive(&p, &w, 1000, true), 0);
	assert_string_equal(p.log, "datagram[2048 00..00] ");
	peer_clear(&p);
}

/* Capsules that change something are few; a flood of them, or of those that say nothing, ends the
 * stream. Datagrams may be many. */
static void test_flood(void **)
{
	static const struct {
		uint64_t type;
		size_t most;
	} cases[] = {{1, 128}, {3, 128}, {23, 4096}, {0, SIZE_MAX}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct connip_policy policy = open_policy();
		struct wire w = {};
		struct peer p;
		size_t n = 0;
		wire_capsule(&w, cases[i].type, &(struct wire){});
		peer_init(&p, CONNIP_CLIENT, &policy);
		while (n < 100'000 && connip_session_receive(p.s, w.b, w.n, false, 0) == 0)
			n++;
		assert_int_equal(n, cases[i].most < 100'000 ? cases[i].most : 100'000);
		assert_int_equal(connip_session_fault(p.s),
			n == 100'000 ? CONNIP_FAULT_NONE : CONNIP_FAULT_FLOOD);
		peer_clear(&p);
	}
}

/* Requests that are never answered, and IDs strewn over 62 bits, end somewhere; but any number of
 * requests one after the other is served. */
static void test_request_limits(void **)
{
	struct connip_address one = {.prefix = pfx("10.0.0.7/32")};
	struct peer p;
	int r = 0;

	peer_init(&p, CONNIP_PROXY, &nothing);
	for (size_t i = 1; r == 0; i++) {
		char text[64];
		struct wire w = {};
		snprintf(text, sizeof(text), "%zu 0.0.0.0/32", i);
		wire_request(&w, text);
		r = peer_receive(&p, &w, w.n, false);
		assert_true(i <= CONNIP_REQUESTS_MAX + 1);
	}
	assert_int_equal(connip_session_fault(p.s), CONNIP_FAULT_REQUESTS);
	peer_clear(&p);

	for (size_t stride = 1; stride <= 2; stride++) {
		size_t i = 0;
		peer_init(&p, CONNIP_PROXY, &nothing);
		p.give = &one;
		p.n_give = 1;
		for (r = 0; i < 5000 && r == 0; i++) {
			char text[64];
			struct wire w = {};
			snprintf(text, sizeof(text), "%zu 0.0.0.0/32", 1 + i * stride);
			wire_request(&w, text);
			p.log[0] = '\0';
			r = connip_session_receive(p.s, w.b, w.n, false, i * 1'000'000'000);
			(void)peer_sent(&p, 1000);
		}
		assert_int_equal(i, stride == 1 ? 5000 : 65);
		assert_int_equal(connip_session_fault(p.s),
			stride == 1 ? CONNIP_FAULT_NONE : CONNIP_FAULT_REQUESTS);
		peer_clear(&p);
	}
}

/* After a fault nothing is taken and nothing is said. */
static void test_after_fault(void **)
{
	struct wire bad = {}, good = {};
	struct peer p;

	peer_init(&p, CONNIP_CLIENT, &nothing);
	connip_session_advertise(p.s, &(struct connip_prefixes){});
	wire_request(&bad, "");
	wire_assign(&good, "");
	assert_int_equal(peer_receive(&p, &bad, bad.n, false), -EPROTO);
	assert_int_equal(peer_receive(&p, &good, good.n, false), -EPROTO);
	assert_string_equal(p.log, "");
	assert_int_equal(peer_sent(&p, 100).n, 0);
	for (enum connip_fault f = CONNIP_FAULT_NONE; f < CONNIP_FAULT_MAX; f++) {
		assert_non_null(connip_fault_str(f));
		assert_in_range(connip_fault_code(f), 0x100, 0x110); /* RFC 9114 8.1 */
	}
	peer_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_assign),
		cmocka_unit_test(test_advertise),
		cmocka_unit_test(test_advertise_scoped),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_million_routes),
		cmocka_unit_test(test_many_parts),
		cmocka_unit_test(test_many_parts_later),
		cmocka_unit_test(test_long_datagram),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_request_limits),
		cmocka_unit_test(test_after_fault),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
