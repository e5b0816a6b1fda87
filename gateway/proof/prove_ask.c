/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove_ask: whom a round asks.
 *
 * All, up to a bound, and those that the configuration names before those that were learned. Where
 * there are more of a kind than places, half of the places are for those who said yes last, because
 * with them a loss begins, and half for those who waited longest. Suspects and exceptions are asked
 * beside them.
 */
#include "proof/prove_int.h"
#include <assert.h>

/* Sets of enum witness_origin. */
constexpr unsigned NAMED = 1U << WITNESS_CONFIGURED;
constexpr unsigned LEARNED = 1U << WITNESS_LEARNED;

static bool is_free(const struct witness *w)
{
	return w->origin != WITNESS_NEIGHBOR && w->port && !w->excepted && !w->fixed;
}

static bool may_sample(const struct witness *w)
{
	return is_free(w) && !w->asked && !w->suspect;
}

static bool is_speaker(const struct witness *w)
{
	return may_sample(w) && prove_is_voice(w) && (w->word == WITNESS_YES || w->turned);
}

static bool is_suspect(const struct witness *w)
{
	return w->suspect && !w->asked && !w->excepted;
}

static bool is_exception(const struct witness *w)
{
	return w->excepted && !w->asked && w->port;
}

/* A no that is new is confirmed or not by the next round. */
static bool speaks_first(const struct witness *a, const struct witness *b)
{
	return a->turned != b->turned ? a->turned : a->answered_us > b->answered_us;
}

static bool waited_longer(const struct witness *a, const struct witness *b)
{
	return a->asked_round < b->asked_round;
}

/* At most max of these origins and of those who may; how many there were. */
static size_t choose(struct prove_network *n, unsigned origins, size_t max,
	bool (*may)(const struct witness *w),
	bool (*before)(const struct witness *a, const struct witness *b))
{
	for (size_t chosen = 0; chosen < max; chosen++) {
		struct witness *best = nullptr;
		for (size_t i = 0; i < n->witnesses.n; i++) {
			struct witness *w = &n->witnesses.list[i];
			if (origins & 1U << w->origin && may(w) && (!best || before(w, best)))
				best = w;
		}
		if (!best)
			return chosen;
		best->asked = true;
	}
	return max;
}

/* An odd place is for the one and the other by turns. */
static size_t sample(struct prove_network *n, unsigned origin, size_t max)
{
	size_t places = (max + n->rounds % 2) / 2;
	size_t speakers = choose(n, origin, places, is_speaker, speaks_first);
	return speakers + choose(n, origin, max - speakers, may_sample, waited_longer);
}

static void choose_all(struct prove_network *n, size_t max)
{
	size_t named = sample(n, NAMED, max);
	sample(n, LEARNED, max - named);
	choose(n, NAMED | LEARNED, max, is_suspect, waited_longer);
	choose(n, NAMED | LEARNED, max, is_exception, waited_longer);
}

/* Half of the places are for those who waited. */
static size_t sample_rounds(size_t n, size_t places)
{
	return n <= places ? 1 : (2 * n + places - 1) / places;
}

struct prove_turn prove_turn(const struct prove *p, const struct prove_network *n)
{
	size_t max = p->probe.max_witnesses, named = 0, learned = 0, excepted = 0;
	assert(max > 0);
	for (size_t i = 0; i < n->witnesses.n; i++) {
		const struct witness *w = &n->witnesses.list[i];
		named += is_free(w) && w->origin == WITNESS_CONFIGURED;
		learned += is_free(w) && w->origin == WITNESS_LEARNED;
		excepted += w->excepted;
	}
	struct prove_turn turn = {.rounds = sample_rounds(named, max), .learned = named < max};
	size_t more = turn.learned ? sample_rounds(learned, max - named) : 1;
	size_t beside = (excepted + max - 1) / max;
	turn.rounds = more > turn.rounds ? more : turn.rounds;
	turn.rounds = beside > turn.rounds ? beside : turn.rounds;
	return turn;
}

/* Does it speak BGP with us, as far as is known? */
static bool has_session(const struct prove *p, const struct addr *neighbor)
{
	for (size_t i = 0; i < p->n_sessions; i++)
		if (!addr_cmp(&p->sessions[i].neighbor, neighbor))
			return true;
	return false;
}

/* Neighbours are left in peace while others give better proof. */
void prove_begin(struct prove *p, struct prove_network *n, uint64_t now_us)
{
	bool wants_neighbors = n->known.yes == 0;
	n->asking = true;
	n->asked_us = now_us;
	n->due_us = PROVE_NEVER;
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		w->asked = w->origin == WITNESS_NEIGHBOR && wants_neighbors;
		w->asking = (struct probe_pair){};
		if (w->port == PROVE_BGP_PORT && has_session(p, &w->address))
			w->asking.own = PROBE_SESSION;
		w->switched = false;
	}
	choose_all(n, p->probe.max_witnesses);
}
