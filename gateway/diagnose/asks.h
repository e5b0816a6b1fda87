/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * asks: what this host sends by sockets of its own for a diagnosis.
 *
 *   at once        the target itself, another port of it, an echo (own_probe.h)
 *   asks_hops()    the first hops on the way there
 *   asks_range()   packets from the mesh's range, where none can be injected (range_probe.h)
 */
#include "diagnose/own_probe.h"
#include "diagnose/range_probe.h"

constexpr size_t ASKS_HOPS = 3;
constexpr size_t ASKS_MAX = 3 + ASKS_HOPS;

/* All zero: nothing is sent. */
struct asks {
	const struct flow *flow;  /* borrowed */
	char interface[IFNAMSIZ]; /* they leave by this one; "" = as rules say */
	uint64_t began_us;
	struct own_probe *own[ASKS_MAX];
	size_t n;
	const struct injections *range;   /* borrowed; nullptr = none */
	uint32_t range_sent, range_tried; /* by bits in their order */
};

void asks_begin(struct asks *a, const struct flow *flow, const char *interface, uint64_t now_us);
void asks_hops(struct asks *a, uint64_t now_us);
void asks_range(struct asks *a, const struct injections *set);
void asks_clear(struct asks *a);

/* Looks for answers, and sends what is due. */
void asks_check(struct asks *a, uint64_t now_us);
/* The target itself has taken a connection, or answered. */
[[nodiscard]] bool asks_answered(const struct asks *a);
/* The target itself has said something, or it is known that it cannot be asked. */
[[nodiscard]] bool asks_ended(const struct asks *a);
/* Anybody has said anything to what was sent. */
[[nodiscard]] bool asks_heard(const struct asks *a);
void asks_tell(const struct asks *a, struct evidence *e);
