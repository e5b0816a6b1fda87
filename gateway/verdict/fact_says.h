/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_says: what a fact says, in words. A sentence is put together unescaped and escaped once, as
 * a whole, by fact_says(). Private to this room.
 */
#include "verdict/fact.h"

/* A sentence as it grows; what does not fit is left out. */
struct words {
	char text[1536];
	size_t used;
};

[[gnu::format(printf, 2, 3)]] void say(struct words *w, const char *fmt, ...);
/* Nothing, when there is no condition, address, text, or a negative number. */
void say_if(struct words *w, bool condition, const char *text);
void say_addr(struct words *w, const char *before, const struct addr *a);
void say_text(struct words *w, const char *before, const char *text);
void say_number(struct words *w, const char *before, int64_t n, const char *after);
void say_by(struct words *w, const char *by); /* " (docker)" */
void say_errno(struct words *w, int64_t error);

/* Packets, and what became of them (fact_says_seen.c). */
void says_packet(const struct fact *fact, struct words *w);
void says_icmp(const struct fact *fact, struct words *w);
void says_drop(const struct fact *fact, struct words *w);
void says_call(const struct fact *fact, struct words *w);
void says_trace(const struct fact *fact, struct words *w);
void says_conntrack(const struct fact *fact, struct words *w);
void says_probe(const struct fact *fact, struct words *w);
void says_l7(const struct fact *fact, struct words *w);
