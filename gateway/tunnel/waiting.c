/* SPDX-License-Identifier: Apache-2.0 */
#include "waiting.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

/* In front of each packet; its last byte is the one that takers may write to. */
struct record {
	uint32_t n;
	bool gone;
	uint8_t front[3];
};

bool waiting_keep(struct waiting *w, const struct packet_bytes *packet)
{
	struct record r = {.n = (uint32_t)(packet->head_n + packet->rest_n)};

	if (w->n + sizeof(r) + r.n > WAITING_MAX)
		return false;
	if (!w->bytes)
		w->bytes = xcalloc(1, WAITING_MAX);
	memcpy(w->bytes + w->n, &r, sizeof(r));
	w->n += sizeof(r);
	memcpy(w->bytes + w->n, packet->head, packet->head_n);
	if (packet->rest_n)
		memcpy(w->bytes + w->n + packet->head_n, packet->rest, packet->rest_n);
	w->n += r.n;
	return true;
}

void waiting_offer(
	struct waiting *w, bool (*take)(void *arg, const struct packet_bytes *packet), void *arg)
{
	struct record r;

	for (size_t at = 0; at < w->n; at += sizeof(r) + r.n) {
		memcpy(&r, w->bytes + at, sizeof(r));
		const struct packet_bytes packet = {
			.head = w->bytes + at + sizeof(r), .head_n = r.n};
		if (r.gone || !take(arg, &packet))
			continue;
		r.gone = true;
		memcpy(w->bytes + at, &r, sizeof(r));
	}
}

size_t waiting_clear(struct waiting *w)
{
	size_t left = 0;
	struct record r;

	for (size_t at = 0; at < w->n; at += sizeof(r) + r.n) {
		memcpy(&r, w->bytes + at, sizeof(r));
		left += !r.gone;
	}
	free(w->bytes);
	*w = (struct waiting){};
	return left;
}
