/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * budget: how many handshakes a part of the network may begin.
 *
 * A token bucket for each /24 of IPv4 and each /56 of IPv6, which is what one household or one
 * server gets. The table is of fixed size; when it is full, the bucket that was used longest ago
 * among a few candidates makes room, so an attacker with many prefixes costs no memory, and a
 * prefix in use keeps its state. Buckets fill by time; nothing has to be called for that.
 *
 * Pure: no clock, no random but the key it is given, so that a stranger cannot choose which buckets
 * meet in the table.
 */
#include <stdint.h>

#include "quic/address.h"

struct quic_budget;

/* rate tokens a second, up to `burst` of them. */
struct quic_budget *quic_budget_new(unsigned int rate, unsigned int burst, uint64_t key);
void quic_budget_free(struct quic_budget *b);

/* Takes a token of the source's prefix; false = there is none. */
bool quic_budget_take(struct quic_budget *b, const union quic_address *source, uint64_t now_ns);

/* One bucket for itself, for what has no source. Starts full. */
struct quic_bucket {
	uint64_t credit_ns; /* unused time, at most burst / rate */
	uint64_t last_ns;
};

bool quic_bucket_take(
	struct quic_bucket *b, unsigned int rate, unsigned int burst, uint64_t now_ns);
