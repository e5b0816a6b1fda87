/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * waiting: packets for peers that are being called back (recall.h).
 *
 * A flow that begins just then does not lose its first packet, and who is back already is not held
 * up by who is not. Copies, in the order in which they came, in a bounded place; when it is full
 * the rest is lost. Nothing is allocated before the first packet.
 */
#include "connip/packet.h"

struct waiting {
	uint8_t *bytes;
	size_t n;
};

constexpr size_t WAITING_MAX = 256 * 1024;

/* False: there is no room. */
[[nodiscard]] bool waiting_keep(struct waiting *w, const struct packet_bytes *packet);
/* Each that waits; true: it has gone. The byte in front of its head is the taker's. */
void waiting_offer(
	struct waiting *w, bool (*take)(void *arg, const struct packet_bytes *packet), void *arg);
/* So many have not gone. */
size_t waiting_clear(struct waiting *w);
