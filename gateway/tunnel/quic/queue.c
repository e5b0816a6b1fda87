/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"

/* In front of a datagram. */
struct front {
	uint16_t length; /* WRAP instead: the next one is at the front */
	uint8_t dscp;
};
constexpr uint16_t WRAP = UINT16_MAX;

void quic_queue_clear(struct quic_queue *q)
{
	free(q->bytes);
	*q = (struct quic_queue){};
}

void quic_queue_allocate(struct quic_queue *q, size_t capacity)
{
	assert(!q->bytes);
	*q = (struct quic_queue){.bytes = xcalloc(1, capacity), .capacity = capacity};
}

/* Where n bytes may go, or capacity. The tail never catches up with the head. */
static size_t place_for(const struct quic_queue *q, size_t n)
{
	if (q->tail < q->head || (q->tail == q->head && q->n > 0))
		return n < q->head - q->tail ? q->tail : q->capacity;
	if (n <= q->capacity - q->tail)
		return q->tail;
	return n < q->head ? 0 : q->capacity;
}

bool quic_queue_push(struct quic_queue *q, const struct iovec *pieces, size_t n, uint8_t dscp)
{
	size_t sum = 0, place;
	struct front front;

	for (size_t i = 0; i < n; i++)
		sum += pieces[i].iov_len;
	if (sum >= WRAP)
		return false;
	if (q->n == 0)
		q->head = q->tail = 0;
	place = place_for(q, sizeof(front) + sum);
	if (place == q->capacity)
		return false;
	front = (struct front){.length = WRAP};
	if (place != q->tail && q->capacity - q->tail >= sizeof(front))
		memcpy(q->bytes + q->tail, &front, sizeof(front));
	front = (struct front){.length = (uint16_t)sum, .dscp = dscp};
	memcpy(q->bytes + place, &front, sizeof(front));
	q->tail = place + sizeof(front);
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].iov_len)
			memcpy(q->bytes + q->tail, pieces[i].iov_base, pieces[i].iov_len);
		q->tail += pieces[i].iov_len;
	}
	q->n++;
	return true;
}

/* Where the oldest one begins. */
static size_t oldest(const struct quic_queue *q, struct front *front)
{
	if (q->capacity - q->head >= sizeof(*front)) {
		memcpy(front, q->bytes + q->head, sizeof(*front));
		if (front->length != WRAP)
			return q->head + sizeof(*front);
	}
	memcpy(front, q->bytes, sizeof(*front));
	return sizeof(*front);
}

const uint8_t *quic_queue_first(const struct quic_queue *q, size_t *length, uint8_t *dscp)
{
	struct front front = {};
	size_t at;

	if (q->n == 0)
		return nullptr;
	at = oldest(q, &front);
	*length = front.length;
	*dscp = front.dscp;
	return q->bytes + at;
}

void quic_queue_pop(struct quic_queue *q)
{
	struct front front = {};
	size_t at;

	assert(q->n > 0);
	at = oldest(q, &front);
	q->head = at + front.length;
	q->n--;
}
