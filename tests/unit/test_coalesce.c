/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/coalesce.h"
#include "data/segment.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "wire.h"
#include <netinet/tcp.h>
#include <string.h>

constexpr uint8_t CWR = 0x80;
constexpr uint8_t ECE = 0x40;
constexpr size_t SIZE = 1000;
constexpr size_t VNET = sizeof(struct virtio_net_hdr);

static const struct coalesce_limits both = {.tcp = true, .udp = true};

static struct wire tcp(uint32_t n)
{
	return (struct wire){.sport = 4000,
		.host = 1,
		.seq = UINT32_MAX - 2500 + n * (uint32_t)SIZE,
		.ack = 77,
		.flags = TH_ACK,
		.window = 500,
		.id = (uint16_t)(65'533 + n),
		.ttl = 60,
		.option = 3,
		.payload = wire_payload(10 * SIZE) + n * SIZE,
		.payload_n = SIZE};
}

static struct wire udp(uint32_t n)
{
	struct wire w = tcp(n);

	w.udp = true;
	return w;
}

static void add(struct coalesce *c, const struct wire *w)
{
	uint8_t packet[WIRE_MAX];

	assert_true(coalesce_add(c, packet, wire_build(w, packet)));
}

/* Item i in one piece; its length, with the vnet header. */
static size_t gather(const struct coalesce *c, size_t i, uint8_t *out)
{
	struct iovec pieces[COALESCE_PIECES_MAX];
	size_t n = 0;

	for (size_t k = 0, of = coalesce_item(c, i, pieces); k < of; k++) {
		memcpy(out + n, pieces[k].iov_base, pieces[k].iov_len);
		n += pieces[k].iov_len;
	}
	return n;
}

/* All items, taken apart again, are these packets in this order. */
static void check_is(struct coalesce *c, const struct wire *packets, size_t n)
{
	static uint8_t item[VNET + WIRE_MAX], expected[WIRE_MAX];
	uint8_t head[SEGMENT_HEAD_MAX];
	size_t items = coalesce_finish(c), at = 0;

	for (size_t i = 0; i < items; i++) {
		struct virtio_net_hdr vnet;
		struct segment_piece piece;
		struct segment s;
		size_t length = gather(c, i, item);
		memcpy(&vnet, item, VNET);
		assert_int_equal(segment_begin(&s, &vnet, item + VNET, length - VNET), 0);
		for (; segment_next(&s, head, &piece); at++) {
			assert_true(at < n);
			assert_int_equal(
				wire_build(&packets[at], expected), piece.head_n + piece.payload_n);
			assert_memory_equal(piece.head, expected, piece.head_n);
			if (piece.payload_n)
				assert_memory_equal(
					piece.payload, expected + piece.head_n, piece.payload_n);
		}
	}
	assert_int_equal(at, n);
}

/* Four packets in a row become one. */
static void test_joins(void **)
{
	struct coalesce *c = coalesce_new(&both);

	for (int kind = 0; kind < 4; kind++) {
		struct wire packets[4];
		for (uint32_t i = 0; i < 4; i++) {
			packets[i] = kind & 1 ? udp(i) : tcp(i);
			packets[i].v6 = kind & 2;
		}
		packets[3].payload_n = 1;
		packets[3].flags |= TH_PUSH;
		for (uint32_t i = 0; i < 4; i++)
			add(c, &packets[i]);
		assert_int_equal(coalesce_finish(c), 1);
		check_is(c, packets, 4);
		coalesce_reset(c);
	}
	coalesce_free(c);
}

typedef void change(struct wire *w);

static void other_port(struct wire *w)
{
	w->sport++;
}
static void other_host(struct wire *w)
{
	w->host++;
}
static void gap(struct wire *w)
{
	w->seq++;
}
static void again(struct wire *w)
{
	w->seq -= (uint32_t)SIZE;
}
static void other_ack(struct wire *w)
{
	w->ack++;
}
static void other_window(struct wire *w)
{
	w->window++;
}
static void other_tos(struct wire *w)
{
	w->tos ^= 2;
}
static void other_ttl(struct wire *w)
{
	w->ttl--;
}
static void other_option(struct wire *w)
{
	w->option++;
}
static void no_option(struct wire *w)
{
	w->option = 0;
}
static void longer(struct wire *w)
{
	w->payload_n++;
}
static void shorter(struct wire *w)
{
	w->payload_n--;
}
static void empty(struct wire *w)
{
	w->payload_n = 0;
}
static void reset(struct wire *w)
{
	w->flags |= TH_RST;
}
static void urgent(struct wire *w)
{
	w->flags |= TH_URG;
}
static void reduced(struct wire *w)
{
	w->flags |= CWR;
}
static void echo(struct wire *w)
{
	w->flags |= ECE;
}
static void push(struct wire *w)
{
	w->flags |= TH_PUSH;
}
static void finish(struct wire *w)
{
	w->flags |= TH_FIN;
}
static void fragmentable(struct wire *w)
{
	w->fragmentable = true;
}
static void same_id(struct wire *w)
{
	w->id--;
}
static void ipv6(struct wire *w)
{
	w->v6 = true;
}
static void other_kind(struct wire *w)
{
	w->udp = !w->udp;
}

/* The second of three packets is changed; how many items there are then. Where the second goes
 * elsewhere the third leaves a gap in TCP, and none in UDP. */
static const struct {
	const char *name;
	change *change;
	unsigned tcp, udp;
} changes[] = {
	{"port", other_port, 3, 2},
	{"host", other_host, 3, 2},
	{"gap", gap, 3, 1},
	{"again", again, 3, 1},
	{"acknowledgement", other_ack, 3, 1},
	{"window", other_window, 3, 1},
	{"type of service", other_tos, 3, 3},
	{"time to live", other_ttl, 3, 3},
	{"timestamp", other_option, 3, 1},
	{"no options", no_option, 3, 1},
	{"longer", longer, 3, 2},
	{"shorter ends it", shorter, 2, 2},
	{"empty", empty, 3, 3},
	{"reset", reset, 3, 1},
	{"urgent", urgent, 3, 1},
	{"window reduced", reduced, 3, 1},
	{"congestion echo", echo, 3, 1},
	{"push ends it", push, 2, 1},
	{"finish ends it", finish, 2, 1},
	{"fragmentable", fragmentable, 3, 3},
	{"same identification", same_id, 1, 1},
	{"family", ipv6, 3, 2},
	{"protocol", other_kind, 3, 2},
};

static void test_changes(void **)
{
	struct coalesce *c = coalesce_new(&both);

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		for (int kind = 0; kind < 2; kind++) {
			struct wire packets[3];
			for (uint32_t k = 0; k < 3; k++)
				packets[k] = kind ? udp(k) : tcp(k);
			changes[i].change(&packets[1]);
			for (uint32_t k = 0; k < 3; k++)
				add(c, &packets[k]);
			print_message("%s, %s\n", changes[i].name, kind ? "udp" : "tcp");
			assert_int_equal(
				coalesce_finish(c), kind ? changes[i].udp : changes[i].tcp);
			coalesce_reset(c);
		}
	coalesce_free(c);
}

/* Where routers may fragment, the identification counts. */
static void test_identification(void **)
{
	struct coalesce *c = coalesce_new(&both);

	for (unsigned step = 0; step < 3; step++) {
		struct wire packets[2] = {udp(0), udp(1)};
		for (int i = 0; i < 2; i++)
			packets[i].fragmentable = true;
		packets[1].id = (uint16_t)(packets[0].id + step);
		add(c, &packets[0]);
		add(c, &packets[1]);
		assert_int_equal(coalesce_finish(c), step == 1 ? 1 : 2);
		check_is(c, packets, 2);
		coalesce_reset(c);
	}
	coalesce_free(c);
}

/* A byte that was damaged stays damaged, for the receiver to see. */
static void test_damage(void **)
{
	struct coalesce *c = coalesce_new(&both);
	uint8_t packet[WIRE_MAX], out[VNET + WIRE_MAX];

	for (int kind = 0; kind < 2; kind++)
		for (uint32_t bad = 0; bad < 2; bad++) {
			for (uint32_t i = 0; i < 2; i++) {
				struct wire w = kind ? udp(i) : tcp(i);
				size_t n = wire_build(&w, packet);
				packet[n - 1] ^= i == bad;
				assert_true(coalesce_add(c, packet, n));
			}
			assert_int_equal(coalesce_finish(c), 2);
			for (uint32_t i = 0; i < 2; i++) {
				size_t n = gather(c, i, out);
				assert_int_equal(wire_is_right(out + VNET, n - VNET), i != bad);
			}
			coalesce_reset(c);
		}
	coalesce_free(c);
}

/* Two transfers that take turns become two packets, and none overtakes its own. */
static void test_turns(void **)
{
	struct coalesce *c = coalesce_new(&both);
	struct wire sorted[8];

	for (uint32_t i = 0; i < 4; i++)
		for (uint32_t flow = 0; flow < 2; flow++) {
			struct wire w = tcp(i);
			w.sport = (uint16_t)(w.sport + flow);
			sorted[flow * 4 + i] = w;
			add(c, &w);
		}
	assert_int_equal(coalesce_finish(c), 2);
	check_is(c, sorted, 8);
	coalesce_free(c);
}

/* At most 64 KiB, and 64 datagrams; and it says when it is full. */
static void test_bounds(void **)
{
	struct coalesce *c = coalesce_new(&both);
	static uint8_t packet[WIRE_MAX];
	struct wire w = udp(0);
	size_t added = 0;

	w.payload_n = 10;
	for (int i = 0; i < 65; i++)
		add(c, &w);
	assert_int_equal(coalesce_finish(c), 2);
	coalesce_reset(c);
	for (uint32_t i = 0; i < 70; i++) {
		w = tcp(i);
		w.payload = wire_payload(SIZE);
		add(c, &w);
	}
	assert_int_equal(coalesce_finish(c), 2);
	coalesce_reset(c);
	w = tcp(0);
	w.payload = wire_payload(60'000);
	w.payload_n = 60'000;
	size_t n = wire_build(&w, packet);
	while (coalesce_add(c, packet, n))
		added++;
	assert_true(added > 4);
	assert_int_equal(coalesce_finish(c), added);
	coalesce_reset(c);
	assert_true(coalesce_add(c, packet, n));
	coalesce_free(c);
}

static void test_limits(void **)
{
	const struct coalesce_limits none = {}, only_tcp = {.tcp = true};
	struct coalesce *plain = coalesce_new(&none), *some = coalesce_new(&only_tcp);

	for (uint32_t i = 0; i < 2; i++) {
		struct wire t = tcp(i), u = udp(i);
		add(plain, &t);
		add(plain, &u);
		add(some, &t);
		add(some, &u);
	}
	assert_int_equal(coalesce_finish(plain), 4);
	assert_int_equal(coalesce_finish(some), 3);
	coalesce_free(plain);
	coalesce_free(some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_identification),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
