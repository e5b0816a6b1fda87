/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_coalesce: packets that are put together and taken apart again are the same packets, and
 * those of one flow come in the same order.
 *
 * An input is a byte that says what may be joined, and then of each packet a byte with FIX_…, its
 * length in two bytes, and its bytes.
 */
#include "data/coalesce.h"
#include "data/flow.h"
#include "data/segment.h"
#include "data/sum.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr uint8_t FIX_LENGTH = 1;
constexpr uint8_t FIX_SUMS = 2;
constexpr size_t PACKETS_MAX = 100;
constexpr size_t PACKET_SIZE = 2000;
constexpr size_t VNET = sizeof(struct virtio_net_hdr);

struct sample {
	uint8_t bytes[PACKET_SIZE];
	size_t n;
	bool seen;
};

struct samples {
	size_t n;
	struct sample list[PACKETS_MAX];
};

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void fix_length(struct sample *s)
{
	bool v6 = s->bytes[0] >> 4 == 6;

	if (s->n < 40)
		return;
	put16(s->bytes + (v6 ? 4 : 2), v6 ? s->n - 40 : s->n);
	if (s->bytes[v6 ? 6 : 9] == IPPROTO_UDP)
		put16(s->bytes + (v6 ? 40 : 20) + 4, s->n - (v6 ? 40 : 20));
}

static void fix_sums(struct sample *s)
{
	struct flow f;

	flow_read(&f, s->bytes, s->n);
	if (!f.proto)
		return;
	uint8_t *check = s->bytes + f.l4 + f.check;
	if (!f.v6) {
		put16(s->bytes + 10, 0);
		sum_store(sum_add(0, s->bytes, f.l4), s->bytes + 10);
	}
	put16(check, 0);
	uint64_t sum = sum_pseudo(s->bytes + f.addresses, f.addresses_n, f.proto, s->n - f.l4);
	(f.proto == IPPROTO_UDP ? sum_store_udp : sum_store)(
		sum_add(sum, s->bytes + f.l4, s->n - f.l4), check);
}

/* What may become another one without a difference: see coalesce.h. */
static void normalise(struct sample *s)
{
	struct flow f;

	flow_read(&f, s->bytes, s->n);
	if (!f.proto)
		return;
	if (!f.v6 && s->bytes[6] & IP_DF >> 8) {
		put16(s->bytes + 4, 0);
		put16(s->bytes + 10, 0);
	}
	uint8_t *check = s->bytes + f.l4 + f.check;
	if (f.proto == IPPROTO_TCP && check[0] == 0xff && check[1] == 0xff)
		put16(check, 0);
}

static bool read_sample(const uint8_t **data, size_t *size, struct sample *s)
{
	*s = (struct sample){};
	if (*size < 3)
		return false;
	uint8_t fix = (*data)[0];
	s->n = (size_t)((*data)[1] << 8 | (*data)[2]) % PACKET_SIZE;
	*data += 3;
	*size -= 3;
	if (s->n > *size)
		s->n = *size;
	memcpy(s->bytes, *data, s->n);
	*data += s->n;
	*size -= s->n;
	if (fix & FIX_LENGTH)
		fix_length(s);
	if (fix & FIX_SUMS)
		fix_sums(s);
	return true;
}

/* It is one of those that went in, and all of its flow that went in before it have come. */
static void check_sample(struct samples *all, struct sample *got)
{
	struct flow mine, other;
	size_t i = 0;

	flow_read(&mine, got->bytes, got->n);
	for (; i < all->n; i++) {
		struct sample *s = &all->list[i];
		if (s->seen)
			continue;
		if (s->n == got->n && memcmp(s->bytes, got->bytes, s->n) == 0)
			break;
		flow_read(&other, s->bytes, s->n);
		assert(!flow_same(&mine, &other));
	}
	assert(i < all->n);
	all->list[i].seen = true;
}

static void check_item(struct samples *all, const struct coalesce *c, size_t i)
{
	static uint8_t bytes[VNET + UINT16_MAX];
	uint8_t head[SEGMENT_HEAD_MAX];
	struct iovec pieces[COALESCE_PIECES_MAX];
	struct virtio_net_hdr vnet;
	struct segment_piece piece;
	struct segment s;
	size_t n = 0;

	for (size_t k = 0, of = coalesce_item(c, i, pieces); k < of; k++) {
		assert(n + pieces[k].iov_len <= sizeof(bytes));
		memcpy(bytes + n, pieces[k].iov_base, pieces[k].iov_len);
		n += pieces[k].iov_len;
	}
	memcpy(&vnet, bytes, VNET);
	if (vnet.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		struct sample whole = {.n = n - VNET};
		memcpy(whole.bytes, bytes + VNET, whole.n);
		normalise(&whole);
		check_sample(all, &whole);
		return;
	}
	assert(segment_begin(&s, &vnet, bytes + VNET, n - VNET) == 0);
	while (segment_next(&s, head, &piece)) {
		struct sample part = {.n = piece.head_n + piece.payload_n};
		memcpy(part.bytes, piece.head, piece.head_n);
		memcpy(part.bytes + piece.head_n, piece.payload, piece.payload_n);
		normalise(&part);
		check_sample(all, &part);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct samples all;

	if (size == 0)
		return 0;
	struct coalesce_limits limits = {.tcp = data[0] & 1, .udp = data[0] & 2};
	struct coalesce *c = coalesce_new(&limits);
	data++;
	size--;
	for (all.n = 0; all.n < PACKETS_MAX; all.n++) {
		struct sample *s = &all.list[all.n];
		if (!read_sample(&data, &size, s))
			break;
		assert(coalesce_add(c, s->bytes, s->n));
		normalise(s);
	}
	size_t items = coalesce_finish(c);
	for (size_t i = 0; i < items; i++)
		check_item(&all, c, i);
	for (size_t i = 0; i < all.n; i++)
		assert(all.list[i].seen);
	coalesce_free(c);
	return 0;
}
