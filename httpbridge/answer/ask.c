/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/ask.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct ask_question {
	char *target; /* nullptr = unused */
	bool under_way;
	sd_json_variant *verdict; /* nullptr: under way, or failed */
	uint64_t until_us;        /* the answer counts, or the failure */
};

struct ask {
	size_t max;
	uint64_t keep_us;
	struct ask_waiter waiting; /* head of a ring, those whose patience ends first in front */
	struct ask_question questions[];
};

static void ring_init(struct ask_waiter *head)
{
	head->prev = head->next = head;
}

static void ring_add(struct ask_waiter *before, struct ask_waiter *w)
{
	w->next = before;
	w->prev = before->prev;
	w->prev->next = w;
	before->prev = w;
}

static void ring_take(struct ask_waiter *w)
{
	w->prev->next = w->next;
	w->next->prev = w->prev;
	w->prev = w->next = nullptr;
}

struct ask *ask_new(size_t max, uint64_t keep_us)
{
	struct ask *a = xcalloc(1, sizeof(*a) + max * sizeof(a->questions[0]));

	a->max = max;
	a->keep_us = keep_us;
	ring_init(&a->waiting);
	return a;
}

static void question_clear(struct ask_question *q)
{
	free(q->target);
	sd_json_variant_unref(q->verdict);
	*q = (struct ask_question){};
}

/* Tells those of a ring that nobody else sees any more: each may do what it wants, also to the
 * others. */
static void tell(struct ask_waiter *ring, sd_json_variant *verdict)
{
	while (ring->next != ring) {
		struct ask_waiter *w = ring->next;
		ring_take(w);
		w->told(w, verdict);
	}
}

void ask_free(struct ask *a)
{
	if (!a)
		return;
	tell(&a->waiting, nullptr);
	for (size_t i = 0; i < a->max; i++)
		question_clear(&a->questions[i]);
	free(a);
}

static struct ask_question *question_find(struct ask *a, const char *target)
{
	for (size_t i = 0; i < a->max; i++)
		if (a->questions[i].target && strcmp(a->questions[i].target, target) == 0)
			return &a->questions[i];
	return nullptr;
}

/* An unused one, or the one whose answer is the oldest. */
static struct ask_question *question_new(struct ask *a, const char *target)
{
	struct ask_question *oldest = nullptr;

	for (size_t i = 0; i < a->max; i++) {
		struct ask_question *q = &a->questions[i];
		if (q->under_way)
			continue;
		if (!oldest || !q->target || (oldest->target && q->until_us < oldest->until_us))
			oldest = q;
	}
	if (!oldest)
		return nullptr;
	question_clear(oldest);
	oldest->target = xstrdup(target);
	return oldest;
}

static void wait_for(struct ask *a, struct ask_question *q, struct ask_waiter *w, uint64_t until_us)
{
	struct ask_waiter *before = &a->waiting;

	while (before->prev != &a->waiting && before->prev->until_us > until_us)
		before = before->prev;
	w->question = q;
	w->until_us = until_us;
	ring_add(before, w);
}

enum ask_result ask_for(struct ask *a, const char *target, struct ask_waiter *w, uint64_t now_us,
	uint64_t patience_us, sd_json_variant **verdict)
{
	struct ask_question *q = question_find(a, target);

	if (q && q->under_way) {
		wait_for(a, q, w, now_us + patience_us);
		return ASK_WAIT;
	}
	if (q && now_us < q->until_us) {
		if (!q->verdict)
			return ASK_REFUSED;
		*verdict = sd_json_variant_ref(q->verdict);
		return ASK_KNOWN;
	}
	if (!q)
		q = question_new(a, target);
	if (!q)
		return ASK_REFUSED;
	q->verdict = sd_json_variant_unref(q->verdict);
	q->under_way = true;
	wait_for(a, q, w, now_us + patience_us);
	return ASK_BEGIN;
}

void ask_told(struct ask *a, const char *target, sd_json_variant *verdict, uint64_t now_us)
{
	struct ask_question *q = question_find(a, target);
	struct ask_waiter theirs;

	if (!q || !q->under_way)
		return;
	q->under_way = false;
	q->verdict = sd_json_variant_ref(verdict);
	q->until_us = now_us + a->keep_us;
	ring_init(&theirs);
	for (struct ask_waiter *w = a->waiting.next, *next; w != &a->waiting; w = next) {
		next = w->next;
		if (w->question != q)
			continue;
		ring_take(w);
		ring_add(&theirs, w);
	}
	tell(&theirs, verdict);
}

void ask_forget(struct ask_waiter *w)
{
	if (w->next)
		ring_take(w);
}

uint64_t ask_next(const struct ask *a)
{
	return a->waiting.next == &a->waiting ? UINT64_MAX : a->waiting.next->until_us;
}

void ask_expire(struct ask *a, uint64_t now_us)
{
	struct ask_waiter theirs;

	ring_init(&theirs);
	while (a->waiting.next != &a->waiting && a->waiting.next->until_us <= now_us) {
		struct ask_waiter *w = a->waiting.next;
		ring_take(w);
		ring_add(&theirs, w);
	}
	tell(&theirs, nullptr);
}
