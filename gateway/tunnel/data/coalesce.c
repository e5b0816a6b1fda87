/* SPDX-License-Identifier: Apache-2.0 */
#include "data/coalesce.h"
#include "data/flow.h"
#include "data/sum.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <endian.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t BYTES = 512 * 1024;
constexpr size_t ITEMS = 256;
constexpr size_t PIECES = 2048;
constexpr unsigned OPEN = 32; /* flows that can grow at a time */
constexpr size_t VNET = sizeof(struct virtio_net_hdr);
/* The kernel's own limit of datagrams in one (UDP_MAX_SEGMENTS). */
constexpr uint32_t DATAGRAMS_MAX = 64;

struct piece {
	uint8_t *data;
	size_t n;
	uint16_t next; /* 0 = none: the first piece follows no other */
};

struct item {
	struct flow flow; /* of its first packet; its packet is in our memory */
	size_t n;         /* so far, with one header */
	uint32_t count;
	uint8_t last_flags; /* of TCP, of the newest packet */
	uint16_t first, last, pieces;
};

struct coalesce {
	struct coalesce_limits limits;
	size_t used, items_n, pieces_n;
	unsigned open_n;
	struct item *open[OPEN]; /* the newest is last */
	struct item items[ITEMS];
	struct piece pieces[PIECES];
	uint8_t bytes[BYTES];
};

struct coalesce *coalesce_new(const struct coalesce_limits *limits)
{
	struct coalesce *c = xcalloc(1, sizeof(*c));

	c->limits = *limits;
	return c;
}

void coalesce_free(struct coalesce *c)
{
	free(c);
}

void coalesce_reset(struct coalesce *c)
{
	c->used = 0;
	c->items_n = 0;
	c->pieces_n = 0;
	c->open_n = 0;
}

/* Growing. */

static void close_open(struct coalesce *c, unsigned i)
{
	c->open_n--;
	memmove(&c->open[i], &c->open[i + 1], (c->open_n - i) * sizeof(struct item *));
}

static unsigned find_open(const struct coalesce *c, const struct flow *f)
{
	for (unsigned i = c->open_n; i-- > 0;)
		if (flow_same(&c->open[i]->flow, f))
			return i;
	return c->open_n;
}

static void open_item(struct coalesce *c, struct item *item)
{
	if (c->open_n == OPEN)
		close_open(c, 0);
	c->open[c->open_n++] = item;
}

static void add_piece(struct coalesce *c, struct item *item, uint8_t *data, size_t n)
{
	struct piece *last = &c->pieces[item->last];

	if (item->pieces && last->data + last->n == data) {
		last->n += n;
		return;
	}
	uint16_t index = (uint16_t)c->pieces_n++;
	c->pieces[index] = (struct piece){.data = data, .n = n};
	if (item->pieces)
		last->next = index;
	else
		item->first = index;
	item->last = index;
	item->pieces++;
}

/* Does the packet continue the item? Its own checksums have been verified. */
static bool continues(const struct item *item, const struct flow *f)
{
	const struct flow *first = &item->flow;
	uint32_t before = (uint32_t)(item->n - first->head_n);

	return flow_alike(first, f, item->count) && f->payload_n <= first->payload_n &&
	       item->n + f->payload_n <= UINT16_MAX && item->pieces < COALESCE_PIECES_MAX - 1 &&
	       (first->proto == IPPROTO_TCP ? f->seq == first->seq + before
					    : item->count < DATAGRAMS_MAX);
}

static bool may_grow(const struct item *item, const struct flow *newest)
{
	return newest->joins && newest->payload_n == item->flow.payload_n &&
	       !(newest->flags & (TH_PUSH | TH_FIN));
}

/* The payload is copied behind what is there, and forgotten if its checksum is wrong. */
static bool join(struct coalesce *c, struct item *item, const struct flow *f)
{
	uint8_t *to = c->bytes + c->used;

	if (!continues(item, f))
		return false;
	if (sum_fold(sum_copy(f->sum, to, f->packet + f->head_n, f->payload_n)) != UINT16_MAX)
		return false;
	add_piece(c, item, to, f->payload_n);
	c->used += f->payload_n;
	item->n += f->payload_n;
	item->count++;
	item->last_flags = f->flags;
	return true;
}

static struct item *begin(struct coalesce *c, struct flow *f, size_t n)
{
	struct item *item = &c->items[c->items_n++];
	uint8_t *to = c->bytes + c->used;

	memset(to, 0, VNET);
	memcpy(to + VNET, f->packet, n);
	if (f->joins &&
		sum_fold(sum_add(f->sum, to + VNET + f->head_n, f->payload_n)) != UINT16_MAX)
		f->joins = false;
	*item = (struct item){.flow = *f, .n = n, .count = 1, .last_flags = f->flags};
	item->flow.packet = to + VNET;
	add_piece(c, item, to, VNET + n);
	c->used += VNET + n;
	return item;
}

bool coalesce_add(struct coalesce *c, const uint8_t *packet, size_t n)
{
	struct flow f;

	assert(n <= UINT16_MAX);
	if (c->used + VNET + n > BYTES || c->items_n == ITEMS || c->pieces_n == PIECES)
		return false;
	flow_read(&f, packet, n);
	f.joins = f.joins && (f.proto == IPPROTO_TCP ? c->limits.tcp : c->limits.udp);

	unsigned i = find_open(c, &f);
	struct item *item = i < c->open_n ? c->open[i] : nullptr;
	if (item && f.joins && join(c, item, &f)) {
		if (!may_grow(item, &f))
			close_open(c, i);
		return true;
	}
	if (item)
		close_open(c, i);
	item = begin(c, &f, n);
	if (may_grow(item, &f))
		open_item(c, item);
	return true;
}

/* Finishing: the first packet's header speaks for all. */

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void finish_ip(const struct item *item, uint8_t *packet)
{
	if (item->flow.v6) {
		put16(packet + offsetof(struct ip6_hdr, ip6_plen),
			item->n - sizeof(struct ip6_hdr));
		return;
	}
	uint8_t *check = packet + offsetof(struct iphdr, check);
	put16(packet + offsetof(struct iphdr, tot_len), item->n);
	put16(check, 0);
	sum_store(sum_add(0, packet, item->flow.l4), check);
}

/* The checksum field holds the pseudo header's sum, not inverted (CHECKSUM_PARTIAL). */
static void finish_l4(const struct item *item, uint8_t *packet)
{
	const struct flow *f = &item->flow;
	size_t length = item->n - f->l4;
	uint8_t *l4 = packet + f->l4;
	uint16_t partial = sum_fold(
		sum_pseudo(packet + f->addresses, f->addresses_n, f->proto, length));

	if (f->proto == IPPROTO_UDP)
		put16(l4 + offsetof(struct udphdr, len), length);
	else
		l4[13] |= item->last_flags & (TH_PUSH | TH_FIN);
	memcpy(l4 + f->check, &partial, sizeof(partial));
}

static void finish_vnet(const struct item *item, uint8_t *at)
{
	const struct flow *f = &item->flow;
	struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.hdr_len = htole16((uint16_t)f->head_n),
		.gso_size = htole16((uint16_t)f->payload_n),
		.csum_start = htole16((uint16_t)f->l4),
		.csum_offset = htole16((uint16_t)f->check)};

	if (f->proto == IPPROTO_UDP)
		vnet.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	else
		vnet.gso_type = f->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	memcpy(at, &vnet, sizeof(vnet));
}

size_t coalesce_finish(struct coalesce *c)
{
	for (size_t i = 0; i < c->items_n; i++) {
		struct item *item = &c->items[i];
		uint8_t *at = c->pieces[item->first].data;
		if (item->count < 2)
			continue;
		finish_ip(item, at + VNET);
		finish_l4(item, at + VNET);
		finish_vnet(item, at);
	}
	c->open_n = 0;
	return c->items_n;
}

size_t coalesce_item(const struct coalesce *c, size_t i, struct iovec pieces[COALESCE_PIECES_MAX])
{
	const struct item *item = &c->items[i];
	uint16_t at = item->first;

	assert(i < c->items_n);
	for (size_t k = 0; k < item->pieces; k++, at = c->pieces[at].next)
		pieces[k] = (struct iovec){c->pieces[at].data, c->pieces[at].n};
	return item->pieces;
}
