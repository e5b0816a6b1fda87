/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/segment.h"
#include "data/sum.h"
#include "wire.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

constexpr uint8_t CWR = 0x80;
constexpr uint8_t ECE = 0x40;

static const struct {
	const char *name;
	struct wire wire; /* payload is added */
} supers[] = {
	{"tcp, ipv4", {.payload_n = 5000, .gso = 1240, .id = 65'534, .flags = TH_ACK}},
	{"tcp, ipv4, timestamps", {.payload_n = 3000, .gso = 1228, .option = 5, .flags = TH_ACK}},
	{"tcp, ipv6", {.v6 = true, .payload_n = 64'000, .gso = 1220, .flags = TH_ACK}},
	{"tcp, equal sizes", {.payload_n = 4000, .gso = 1000, .flags = TH_ACK | TH_PUSH}},
	{"tcp, odd sizes", {.payload_n = 4004, .gso = 1001, .flags = TH_ACK | TH_FIN}},
	{"tcp, one byte more",
		{.payload_n = 1001, .gso = 1000, .flags = TH_ACK | TH_PUSH | TH_FIN}},
	{"tcp, congestion window reduced",
		{.payload_n = 3000, .gso = 1000, .flags = TH_ACK | ECE | CWR | TH_PUSH}},
	{"tcp, sequence wraps", {.payload_n = 5000, .gso = 1000, .seq = UINT32_MAX - 1500}},
	{"tcp, smaller than its segment", {.payload_n = 10, .gso = 1000, .flags = TH_PUSH}},
	{"tcp, tiny segments", {.payload_n = 60'000, .gso = 48, .flags = TH_ACK}},
	{"udp, ipv4", {.udp = true, .payload_n = 3000, .gso = 1200, .fragmentable = true}},
	{"udp, ipv6", {.udp = true, .v6 = true, .payload_n = 60'000, .gso = 1231}},
};

/* The n-th packet as the sender would have sent it alone. */
static struct wire part(const struct wire *whole, uint32_t n)
{
	struct wire w = *whole;
	size_t at = (size_t)n * whole->gso;
	bool last = at + whole->gso >= whole->payload_n;

	w.gso = 0;
	w.payload += at;
	w.payload_n = last ? whole->payload_n - at : whole->gso;
	w.seq += (uint32_t)at;
	w.id = (uint16_t)(w.id + n);
	if (!last)
		w.flags &= (uint8_t)~(TH_PUSH | TH_FIN);
	if (n > 0)
		w.flags &= (uint8_t)~CWR;
	return w;
}

static void check_piece(const struct wire *expected, const struct segment_piece *got)
{
	static uint8_t bytes[WIRE_MAX];
	size_t n = wire_build(expected, bytes);

	assert_int_equal(got->head_n + got->payload_n, n);
	assert_memory_equal(got->head, bytes, got->head_n);
	assert_memory_equal(got->payload, bytes + got->head_n, got->payload_n);
}

static void test_supers(void **)
{
	static uint8_t packet[WIRE_MAX];
	uint8_t head[SEGMENT_HEAD_MAX];

	for (size_t i = 0; i < sizeof(supers) / sizeof(supers[0]); i++) {
		struct wire whole = supers[i].wire;
		struct segment_piece piece;
		struct segment s;
		uint32_t count = 0;
		whole.payload = wire_payload(whole.payload_n);
		size_t n = wire_build(&whole, packet);
		struct virtio_net_hdr vnet = wire_vnet(&whole);
		print_message("%s\n", supers[i].name);
		assert_int_equal(segment_begin(&s, &vnet, packet, n), 0);
		for (; segment_next(&s, head, &piece); count++) {
			struct wire expected = part(&whole, count);
			check_piece(&expected, &piece);
		}
		assert_int_equal(count, (whole.payload_n + whole.gso - 1) / whole.gso);
	}
}

/* A packet that is none passes as it is, its checksum made whole. */
static void test_single(void **)
{
	uint8_t packet[WIRE_MAX], expected[WIRE_MAX];
	struct wire w = {.payload = wire_payload(100), .payload_n = 100, .flags = TH_ACK};
	struct segment_piece piece;
	struct segment s;
	struct virtio_net_hdr vnet;

	for (int v6 = 0; v6 < 2; v6++) {
		w.v6 = v6;
		w.gso = 0;
		size_t n = wire_build(&w, expected);
		vnet = wire_vnet(&w);
		assert_int_equal(wire_build(&w, packet), n);
		assert_int_equal(segment_begin(&s, &vnet, packet, n), 0);
		assert_true(segment_next(&s, nullptr, &piece));
		assert_ptr_equal(piece.head, packet);
		assert_int_equal(piece.head_n, n);
		assert_memory_equal(packet, expected, n);
		assert_false(segment_next(&s, nullptr, &piece));

		w.gso = 1000;
		vnet = wire_vnet(&w);
		vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
		assert_int_equal(wire_build(&w, packet), n);
		assert_int_equal(segment_begin(&s, &vnet, packet, n), 0);
		assert_true(segment_next(&s, nullptr, &piece));
		assert_memory_equal(piece.head, expected, n);
	}
}

/* What the kernel never says. */
static void test_refused(void **)
{
	uint8_t packet[WIRE_MAX];
	const struct wire w = {.payload = wire_payload(3000), .payload_n = 3000, .gso = 1000};
	const size_t n = wire_build(&w, packet);
	const struct virtio_net_hdr right = wire_vnet(&w);
	struct virtio_net_hdr wrong[8];
	struct segment s;

	for (size_t i = 0; i < 8; i++)
		wrong[i] = right;
	wrong[0].flags = 0;
	wrong[1].gso_size = 0;
	wrong[2].gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	wrong[3].gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	wrong[4].gso_type = 77;
	wrong[5].csum_start = 24;
	wrong[6].csum_start = (uint16_t)n;
	wrong[7].csum_start = UINT16_MAX;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(segment_begin(&s, &wrong[i], packet, n), -EBADMSG);
	assert_int_equal(segment_begin(&s, &right, packet, n), 0);
	assert_int_equal(segment_begin(&s, &right, packet, 19), -EBADMSG);
	assert_int_equal(segment_begin(&s, &right, packet, 39), -EBADMSG);
	assert_int_equal(segment_begin(&s, &right, packet, 40), -EBADMSG);

	struct virtio_net_hdr beyond = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 16};
	assert_int_equal(segment_begin(&s, &beyond, packet, 37), -EBADMSG);
	assert_int_equal(segment_begin(&s, &beyond, packet, 38), 0);
}

/* Every length and alignment against bytes added one by one. */
static void test_sum(void **)
{
	const uint8_t *bytes = wire_payload(300);
	uint8_t copy[300];

	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; n < 280; n++) {
			uint32_t slow = 0;
			for (size_t i = 0; i < n; i++)
				slow += i % 2 ? bytes[at + i] : (uint32_t)bytes[at + i] << 8;
			while (slow >> 16)
				slow = (slow & 0xffff) + (slow >> 16);
			uint16_t fast = sum_fold(sum_add(0, bytes + at, n));
			assert_int_equal(__builtin_bswap16(fast), slow);
			assert_int_equal(sum_fold(sum_copy(0, copy, bytes + at, n)), fast);
			assert_memory_equal(copy, bytes + at, n);
		}
	uint8_t ones[64], at[2];
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(sum_fold(sum_add(UINT64_MAX, ones, sizeof(ones))), 0xffff);
	sum_store(0xffff, at);
	assert_memory_equal(at, "\0\0", 2);
	sum_store_udp(0xffff, at);
	assert_memory_equal(at, "\xff\xff", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_supers),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sum),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
