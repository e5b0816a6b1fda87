/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove_known: what is known of all the hosts of a network.
 *
 * A round asks only some, and not evenly: suspects and exceptions come beside the sample, and the
 * sample holds on to those that said yes. So what a round heard cannot be counted by itself. Each
 * witness keeps its last word until it was its turn again, and hosts are counted by these words.
 *
 * Words grow old. When a way back ends, those who were asked just before still stand for yes; but
 * some of those are asked in every round, and when most of them now say no, that is the news: words
 * from before it do not count any more. There is no such rule for noes that become yeses, because a
 * proof may wait until everybody was asked, and one host that flaps would forget the others' noes.
 */
#include "proof/prove_int.h"

static bool is_answer(enum probe_result r)
{
	return r == PROBE_COMPLETED || r == PROBE_REFUSED;
}

/* A host that is gone has no word; what could not be asked leaves it its old one. */
static void take_word(struct prove_network *n, struct witness *w, uint64_t now_us)
{
	enum witness_says says = witness_says(w->asking);
	w->last = w->asking;
	w->asked_us = now_us;
	w->asked_round = n->rounds;
	if (is_answer(w->last.range))
		w->answered_us = now_us;
	bool gone = says == WITNESS_SILENT || says == WITNESS_WEAK;
	if (gone && !w->silences)
		w->silent_us = now_us;
	w->silences = gone ? w->silences + 1 : 0;
	bool spoke = says == WITNESS_YES || says == WITNESS_NO;
	if (!gone && !spoke)
		return;
	w->turned = says == WITNESS_NO && w->word == WITNESS_YES;
	w->word = spoke ? says : WITNESS_NOTHING;
	w->retired &= !spoke;
	w->word_round = n->rounds;
}

void prove_take_words(struct prove_network *n, uint64_t now_us)
{
	unsigned yes_before = 0, turned = 0;
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		enum witness_says before = w->word;
		if (!w->asked)
			continue;
		take_word(n, w, now_us);
		bool spoke = prove_is_voice(w) && w->word && w->word_round == n->rounds;
		yes_before += spoke && before == WITNESS_YES;
		turned += spoke && w->turned;
		n->tally.healed += spoke && before == WITNESS_NO && w->word == WITNESS_YES;
	}
	if (turned * 2 > yes_before)
		n->news_round = n->rounds;
}

/* Everybody had a turn since this round. */
static uint64_t turn_began(const struct prove_network *n, const struct prove_turn *turn)
{
	return n->rounds > turn->rounds ? n->rounds - turn->rounds + 1 : 1;
}

static bool has_turns(const struct witness *w, const struct prove_turn *turn)
{
	return w->port && (turn->learned || w->excepted || w->origin == WITNESS_CONFIGURED);
}

static bool same_host(const struct witness *a, const struct witness *b)
{
	return !addr_cmp(&a->address, &b->address);
}

static bool came_before(const struct witnesses *set, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_host(&set->list[j], &set->list[i]))
			return true;
	return false;
}

/* What counts: words from one round on, and who was not asked since another. */
struct span {
	struct prove_turn turn;
	uint64_t words, asked;
};

/* A proof waits for those whose words are from before the news, a loss does not. */
static struct span span_of(const struct prove *p, const struct prove_network *n)
{
	struct span s = {.turn = prove_turn(p, n)};
	uint64_t began = turn_began(n, &s.turn);
	s.words = began > n->news_round ? began : n->news_round;
	s.asked = n->route ? began : s.words;
	return s;
}

static bool says(const struct witness *w, enum witness_says word, const struct span *span)
{
	return w->word == word && w->word_round >= span->words;
}

/* One of whose services says no is masqueraded with all of them, so that it counts as a no. */
static void count_host(struct prove_known *known, const struct witnesses *set, size_t first,
	const struct span *span)
{
	bool yes = false, no = false, excepted = false, unasked = false;
	for (size_t i = first; i < set->n; i++) {
		const struct witness *w = &set->list[i];
		if (!same_host(w, &set->list[first]) || !prove_is_voice(w))
			continue;
		yes |= says(w, WITNESS_YES, span);
		no |= says(w, WITNESS_NO, span);
		excepted |= w->excepted;
		unasked |= has_turns(w, &span->turn) && w->asked_round < span->asked;
	}
	known->yes += yes && !no;
	known->no += no;
	known->excepted += no && excepted;
	known->unasked += unasked && !yes && !no;
}

struct prove_known prove_count_hosts(const struct prove *p, const struct prove_network *n)
{
	struct prove_known known = {};
	struct span span = span_of(p, n);
	for (size_t i = 0; i < n->witnesses.n; i++)
		if (!came_before(&n->witnesses, i))
			count_host(&known, &n->witnesses, i, &span);
	return known;
}
