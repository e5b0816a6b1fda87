/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"

/* Instead of the length in front of a datagram: the next one is at the front. */
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

bool quic_queue_push(struct quic_queue *q, const struct iovec *pieces, size_t n)
{
	size_t sum = 0, place;
	uint16_t length;

	for (size_t i = 0; i < n; i++)
		sum += pieces[i].iov_len;
	if (sum >= WRAP)
		return false;
	if (q->n == 0)
		q->head = q->tail = 0;
	place = place_for(q, sizeof(length) + sum);
	if (place == q->capacity)
		return false;
	if (place != q->tail && q->capacity - q->tail >= sizeof(length))
		memcpy(q->bytes + q->tail, &WRAP, sizeof(WRAP));
	length = (uint16_t)sum;
	memcpy(q->bytes + place, &length, sizeof(length));
	q->tail = place + sizeof(length);
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].iov_len)
			memcpy(q->bytes + q->tail, pieces[i].iov_base, pieces[i].iov_len);
		q->tail += pieces[i].iov_len;
	}
	q->n++;
	return true;
}

/* Where the oldest one's length is. */
static size_t oldest(const struct quic_queue *q, uint16_t *length)
{
	if (q->capacity - q->head >= sizeof(*length)) {
		memcpy(length, q->bytes + q->head, sizeof(*length));
		if (*length != WRAP)
			return q->head;
	}
	memcpy(length, q->bytes, sizeof(*length));
	return 0;
}

const uint8_t *quic_queue_first(const struct quic_queue *q, size_t *length)
{
	uint16_t n = 0;
	size_t at;

	if (q->n == 0)
		return nullptr;
	at = oldest(q, &n);
	*length = n;
	return q->bytes + at + sizeof(n);
}

void quic_queue_pop(struct quic_queue *q)
{
	uint16_t n = 0;
	size_t at;

	assert(q->n > 0);
	at = oldest(q, &n);
	q->head = at + sizeof(n) + n;
	q->n--;
}
