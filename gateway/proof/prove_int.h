/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * prove_int: what the parts of prove share: who is asked (prove_ask.c), what is known of the hosts
 * (prove_known.c), and what follows from it (prove_decide.c).
 */
#include "proof/prove.h"

/* How many rounds it takes until each witness that has turns was asked at least once, and whether
 * those that were learned have any beside those that the configuration names. */
struct prove_turn {
	uint64_t rounds;
	bool learned;
};
struct prove_turn prove_turn(const struct prove *p, const struct prove_network *n);

/* Does it speak for the network? Not the site's routers, and not hosts with a configured mode. */
static inline bool prove_is_voice(const struct witness *w)
{
	return !w->router && !w->fixed && w->origin != WITNESS_NEIGHBOR;
}

/* Takes over what those who were asked have said. */
void prove_take_words(struct prove_network *n, uint64_t now_us);
struct prove_known prove_count_hosts(const struct prove *p, const struct prove_network *n);
