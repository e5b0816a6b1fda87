/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ask: verdicts of meshgwd by target, asked for once.
 *
 * A dead upstream under load costs one diagnosis, not thousands: a verdict is kept for some
 * seconds, and while a question is under way those who have the same one wait for its answer, as
 * long as their patience goes. It neither sends nor keeps time: the caller asks meshgwd when told
 * to (ASK_BEGIN), gives the answer back (ask_told), and runs ask_expire at ask_next().
 *
 * Of one thread. The number of targets is bounded; the oldest answer makes room.
 */
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-json.h>

struct ask;
struct ask_question;

/* Somebody who waits; embedded in a request, all zeros before its first use. It must be forgotten
 * before its memory goes. */
struct ask_waiter {
	struct ask_waiter *prev, *next; /* nullptr while it does not wait */
	const struct ask_question *question;
	uint64_t until_us;
	/* verdict is nullptr when there is none in time; borrowed. Called once, after it was taken
	 * out: it may free the waiter and ask again. */
	void (*told)(struct ask_waiter *w, sd_json_variant *verdict);
};

enum ask_result {
	ASK_KNOWN,   /* *verdict is set, with a reference for the caller; the waiter is not used */
	ASK_BEGIN,   /* waits, and the caller must put the question */
	ASK_WAIT,    /* waits for a question under way */
	ASK_REFUSED, /* too many questions at once, or the last one failed just now: go without */
};

/* keep_us: how long a verdict counts; at most max targets. */
[[nodiscard]] struct ask *ask_new(size_t max, uint64_t keep_us);
/* All who wait are told that there is none. */
void ask_free(struct ask *a);

/* w->told is set; it will wait until now + patience. */
enum ask_result ask_for(struct ask *a, const char *target, struct ask_waiter *w, uint64_t now_us,
	uint64_t patience_us, sd_json_variant **verdict);
/* The answer to a question that was begun: there must be one, also when meshgwd went away. nullptr:
 * it failed, and is not put again before keep_us. */
void ask_told(struct ask *a, const char *target, sd_json_variant *verdict, uint64_t now_us);
void ask_forget(struct ask_waiter *w); /* also one that does not wait */

/* When ask_expire has to run, UINT64_MAX = not at all. */
uint64_t ask_next(const struct ask *a);
void ask_expire(struct ask *a, uint64_t now_us);
