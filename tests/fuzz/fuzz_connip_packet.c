/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_connip_packet: bytes as an HTTP Datagram's payload that a peer sent, and as a packet of the
 * TUN. What is answered must be a packet that the same session would let pass as one of its own
 * making: whole, with right checksums, and never about an ICMP error. The first byte says where the
 * packet is split in two.
 */
#include "connip/datagram.h"
#include "connip/session.h"
#include "connip/stray.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct connip_events no_events;

static struct connip_session *new_session(void)
{
	struct prefix near[3], far[2];
	int r = prefix_parse("10.0.0.0/8", &near[0]);

	r |= prefix_parse("2001:db8:1::/48", &near[1]);
	r |= prefix_parse("2001:db8:1::1/128", &near[2]);
	r |= prefix_parse("100.64.0.0/10", &far[0]);
	r |= prefix_parse("2001:db8:2::/48", &far[1]);
	assert(r == 0);
	struct connip_policy policy = {.addresses = {near, 3}, .routes = {far, 2}};
	struct connip_session *s = connip_session_new(CONNIP_CLIENT, &policy, &no_events, nullptr);
	assert(connip_session_set_mtu(s, 1280, true) == 0);
	return s;
}

static void check_answer(const struct connip_answer *a, const struct packet_bytes *to)
{
	struct packet_bytes bytes = {.head = a->bytes, .head_n = a->n};
	struct packet asked, p;

	if (a->n == 0)
		return;
	assert(a->n <= 1280 && packet_read(&bytes, &p) == 0 && packet_is_icmp(&p));
	assert(packet_read(to, &asked) == 0 && !packet_is_icmp_error(&asked));
	assert(p.to == asked.from && p.family == asked.family);
}

static void check_packet(struct connip_session *s, const uint8_t *data, size_t size, size_t split)
{
	size_t head = split < size ? split : size;
	autofree uint8_t *first = xcalloc(head, 1), *second = xcalloc(size - head, 1);
	struct packet_bytes bytes = {first, head, second, size - head};
	struct connip_answer answer;
	struct packet p, quote;

	if (head)
		memcpy(first, data, head);
	if (size > head)
		memcpy(second, data + head, size - head);
	(void)connip_packet_in(s, &bytes, 0, &answer);
	check_answer(&answer, &bytes);
	(void)connip_packet_out(s, &bytes, 0, &answer);
	check_answer(&answer, &bytes);
	struct bucket limit = STRAY_BUDGET;
	stray_answer(&limit, &bytes, 0, &answer);
	check_answer(&answer, &bytes);
	if (packet_read(&bytes, &p) < 0)
		return;
	assert(p.length == size && p.upper_at <= head);
	(void)packet_read_quote(&bytes, &p, &quote);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at;

	if (size < 1)
		return 0;
	struct connip_session *s = new_session();
	size_t split = data[0] == 255 ? SIZE_MAX : data[0];
	if (datagram_read(data + 1, size - 1, &at) == DATAGRAM_IS_PACKET)
		check_packet(s, data + 1 + at, size - 1 - at, split);
	check_packet(s, data + 1, size - 1, split);
	connip_session_free(s);
	return 0;
}
