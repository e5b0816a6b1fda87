/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove_decide: the end of a round, from what the witnesses said to what follows.
 */
#include "lib/log.h"
#include "proof/prove_int.h"
#include <stdbit.h>
#include <stdio.h>

constexpr unsigned WINDOW_BITS = 32;
/* One round's silence may be a lost packet's. */
constexpr unsigned SILENT_ROUNDS = 3;

static unsigned count_of_last(uint32_t bits, unsigned n)
{
	uint32_t mask = n < WINDOW_BITS ? (1U << n) - 1 : UINT32_MAX;
	return stdc_count_ones(bits & mask);
}

static void log_network(int level, const struct prove_network *n, const char *what)
{
	char name[PREFIX_STRLEN];
	const struct prove_tally *t = &n->tally;
	const struct prove_known *k = &n->known;
	log_line(level, "prove",
		"%s: network=%s interface=%s round=%s in-a-row=%u hosts-yes=%u hosts-no=%u "
		"hosts-excepted=%u hosts-unasked=%u asked=%u yes=%u no=%u silent=%u filtered=%u "
		"excepted=%u routers-yes=%u routers-no=%u astray=%u",
		what, prefix_str(&n->prefix, name), n->interface, prove_verdict_str(n->verdict),
		n->row, k->yes, k->no, k->excepted, k->unasked, t->asked, t->yes, t->no, t->silent,
		t->filtered, t->excepted, t->weak_yes, t->weak_no, t->astray);
}

static void log_host(const struct witness *w, const char *what)
{
	char name[ADDR_STRLEN];
	log_info("prove", "%s: host=%s port=%u own=%s range=%s", what, addr_str(&w->address, name),
		w->port, probe_result_str(w->last.own), probe_result_str(w->last.range));
}

static void tally_strong(struct prove_tally *t, const struct witness *w, enum witness_says says)
{
	t->yes += says == WITNESS_YES;
	t->weak_yes += says == WITNESS_WEAK;
	t->no += says == WITNESS_NO && !w->excepted;
	t->excepted += says == WITNESS_NO && w->excepted;
	t->silent += says == WITNESS_SILENT;
	t->filtered += says == WITNESS_FILTERED;
	t->astray += says == WITNESS_NO && w->last.range == PROBE_ASTRAY;
}

static void tally_router(struct prove_tally *t, enum witness_says says)
{
	t->weak_yes += says == WITNESS_YES || says == WITNESS_WEAK;
	t->weak_no += says == WITNESS_NO;
}

static void tally(const struct prove_network *n, struct prove_tally *t)
{
	for (size_t i = 0; i < n->witnesses.n; i++) {
		const struct witness *w = &n->witnesses.list[i];
		if (!w->asked)
			continue;
		t->asked++;
		if (w->router)
			tally_router(t, witness_says(w->last));
		else
			tally_strong(t, w, witness_says(w->last));
	}
}

/* By a majority of all hosts; where they are as many, the noes are exceptions. Those who were not
 * asked yet may turn the scale towards a loss or against it; a proof waits for them in any case,
 * lest somebody's flows break by it. Exceptions alone do not begin a loss, or it would look like
 * one when some of the others are switched off. */
static enum prove_verdict weigh(const struct prove_known *k, bool route)
{
	if (k->no <= k->yes)
		return k->unasked && !route ? PROVE_OPEN : PROVE_GOOD;
	if (route && k->no == k->excepted && k->yes)
		return PROVE_GOOD;
	return route && k->no <= k->yes + k->unasked ? PROVE_OPEN : PROVE_BAD;
}

/* What is known is weighed when somebody spoke in this round. */
static enum prove_verdict judge(const struct prove_network *n, bool accept_neighbor)
{
	const struct prove_tally *t = &n->tally;
	if (t->yes || t->no)
		return weigh(&n->known, n->route);
	if (accept_neighbor && (t->weak_yes || t->weak_no))
		return t->weak_yes ? PROVE_GOOD : PROVE_BAD;
	if (t->weak_yes)
		return PROVE_WEAK;
	if (t->filtered)
		return PROVE_FILTERED;
	if (t->silent)
		return PROVE_SILENT;
	return t->excepted ? weigh(&n->known, n->route) : PROVE_NOTHING;
}

static void except(struct witness *w, uint64_t now_us)
{
	w->excepted = true;
	w->excepted_us = now_us;
	w->yes_row = 0;
	w->switched = true;
	log_host(w, "masqueraded alone");
}

static bool may_except(const struct prove_network *n, const struct witness *w)
{
	size_t excepted = 0;
	for (size_t i = 0; i < n->witnesses.n; i++)
		excepted += n->witnesses.list[i].excepted;
	return !w->excepted && !w->router && !w->fixed && excepted < PROVE_EXCEPTIONS_MAX;
}

/* While the network does not say yes, a no may be everybody's, and is held against nobody. */
static void note_host(const struct prove_network *n, struct witness *w)
{
	bool good = n->verdict == PROVE_GOOD;
	enum witness_says says = witness_says(w->last);
	if (!good)
		w->denials = 0;
	else if (says == WITNESS_YES || says == WITNESS_NO)
		w->denials = w->denials << 1 | (says == WITNESS_NO);
	if (says == WITNESS_YES)
		w->yes_row++;
	else if (says == WITNESS_NO)
		w->yes_row = 0;
	if (says == WITNESS_YES || says == WITNESS_NO)
		w->denied = says == WITNESS_NO && n->known.yes;
}

/* Does it say no right now, while the network says yes? One that falls silent after a no says
 * nothing. */
static bool denies(const struct witness *w)
{
	return w->asked && w->denials & 1 && witness_says(w->last) == WITNESS_NO;
}

static bool judge_host(
	const struct prove *p, struct prove_network *n, struct witness *w, uint64_t now_us)
{
	const struct config_probe *c = &p->probe;
	bool suspect = w->suspect;
	w->suspect = false;
	if (w->excepted && w->yes_row >= c->proven_rounds &&
		(!w->excepted_us || now_us - w->excepted_us >= c->proven_hold_us)) {
		w->excepted = false;
		w->denials = 0;
		w->switched = true;
		log_host(w, "no longer masqueraded alone");
		return true;
	}
	unsigned needed = suspect ? 1 : c->lost_rounds;
	if (!denies(w) || count_of_last(w->denials, c->lost_of) < needed || !may_except(n, w))
		return false;
	except(w, now_us);
	return true;
}

static bool may_retire(const struct prove_network *n)
{
	size_t retired = 0;
	for (size_t i = 0; i < n->witnesses.n; i++)
		retired += n->witnesses.list[i].retired;
	return retired < PROVE_RETIRED_MAX;
}

/* It stays a witness: should it come back and still say no, it becomes one again. Silence of all
 * says nothing about one. */
static bool expire(const struct prove_network *n, struct witness *w, uint64_t now_us)
{
	if (!w->excepted || w->origin == WITNESS_CONFIGURED || w->silences < SILENT_ROUNDS ||
		now_us - w->silent_us < PROVE_EXCEPTION_SILENT_US || !n->heard_us ||
		now_us - n->heard_us < PROVE_EXCEPTION_HEARD_US)
		return false;
	w->excepted = false;
	w->retired = may_retire(n);
	w->denials = 0;
	w->switched = true;
	log_host(w, "silent for long, no longer masqueraded alone");
	return true;
}

static bool judge_hosts(struct prove *p, struct prove_network *n, uint64_t now_us)
{
	bool changed = false;
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		if (!w->asked)
			continue;
		note_host(n, w);
		changed |= judge_host(p, n, w, now_us);
		changed |= expire(n, w, now_us);
	}
	return changed;
}

/* One that is off now may have been among those who kept the network masqueraded, and comes back.
 */
static bool has_denied(const struct witness *w, uint64_t now_us)
{
	return w->word == WITNESS_NO ||
	       (w->denied && w->silences && now_us - w->silent_us < PROVE_EXCEPTION_SILENT_US);
}

/* Whose last word was no must not lose its flows to a switch, asked in this round or not. */
static void except_deniers(struct prove_network *n, uint64_t now_us)
{
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		if (has_denied(w, now_us) && may_except(n, w))
			except(w, now_us);
	}
}

static void enter(struct prove_network *n, bool route, uint64_t now_us)
{
	n->route = route;
	n->adopted = false;
	n->since_us = now_us;
	if (!route)
		n->lost_us = now_us;
	log_network(LOG_INFO, n,
		route ? "masquerade -> route (the way back is proven)"
		      : "route -> masquerade (the proof is lost)");
	n->row = 0;
	n->window = 0;
}

static void note_round(struct prove_network *n, uint64_t now_us)
{
	if (!n->known.yes && !n->known.no)
		n->heard_us = 0;
	else if (!n->heard_us)
		n->heard_us = now_us;
	if (n->verdict == PROVE_GOOD || (n->verdict == PROVE_OPEN && !n->route))
		n->row++;
	else if (n->verdict != PROVE_FILTERED && n->verdict != PROVE_NOTHING)
		n->row = 0;
	if (n->verdict == PROVE_GOOD || n->verdict == PROVE_BAD)
		n->window = n->window << 1 | (n->verdict == PROVE_BAD);
}

static uint64_t hold_until(const struct prove *p, const struct prove_network *n)
{
	return n->lost_us ? n->lost_us + p->probe.proven_hold_us : 0;
}

static unsigned judge_network(struct prove *p, struct prove_network *n, uint64_t now_us)
{
	const struct config_probe *c = &p->probe;
	if (n->route) {
		if (n->verdict == PROVE_GOOD)
			n->adopted = false;
		if (n->verdict != PROVE_BAD ||
			count_of_last(n->window, c->lost_of) < c->lost_rounds)
			return 0;
		enter(n, false, now_us);
		return PROVE_TO_MASQUERADE;
	}
	if (n->verdict != PROVE_GOOD || n->row < c->proven_rounds || now_us < hold_until(p, n))
		return 0;
	except_deniers(n, now_us);
	enter(n, true, now_us);
	return PROVE_TO_ROUTE;
}

static bool host_in_doubt(const struct prove_network *n)
{
	for (size_t i = 0; i < n->witnesses.n; i++) {
		const struct witness *w = &n->witnesses.list[i];
		if (denies(w) && may_except(n, w))
			return true;
	}
	return false;
}

/* May the next round bring a proof nearer? One that is not complete, or that has come nearer. */
static bool is_nearing(const struct prove_network *n)
{
	return n->verdict == PROVE_OPEN || (n->verdict == PROVE_BAD && n->tally.healed);
}

/* A loss that begins to show is confirmed without a pause, a proof with a short one. */
static uint64_t next_round(const struct prove *p, const struct prove_network *n, uint64_t now_us)
{
	const struct config_probe *c = &p->probe;
	uint64_t next = now_us + c->interval_us;
	if (n->route && (n->verdict == PROVE_BAD || n->verdict == PROVE_OPEN || host_in_doubt(n)))
		return now_us;
	if (n->hurried)
		return now_us +
		       (c->timeout_us < c->after_event_us ? c->timeout_us : c->after_event_us);
	if (n->route || (n->verdict != PROVE_GOOD && !is_nearing(n)))
		return next;
	uint64_t hold = hold_until(p, n);
	bool wait = n->verdict == PROVE_GOOD && n->row >= c->proven_rounds;
	uint64_t sooner = wait ? hold : now_us + c->after_event_us;
	return sooner > now_us && sooner < next ? sooner : next;
}

unsigned prove_end(struct prove *p, struct prove_network *n, uint64_t now_us)
{
	n->asking = false;
	n->rounds++;
	n->hurried -= n->hurried > 0;
	n->tally = (struct prove_tally){};
	prove_take_words(n, now_us);
	tally(n, &n->tally);
	n->known = prove_count_hosts(p, n);
	n->verdict = judge(n, p->probe.accept_neighbor);
	note_round(n, now_us);
	log_network(LOG_DEBUG, n, "round");
	unsigned change = judge_hosts(p, n, now_us) ? PROVE_HOSTS : 0;
	change |= judge_network(p, n, now_us);
	uint64_t next = next_round(p, n, now_us);
	if (next < n->due_us)
		n->due_us = next;
	for (size_t i = 0; i < n->witnesses.n; i++)
		n->witnesses.list[i].asked = false;
	return change;
}
