/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * resolver: the addresses of names, from meshgwd: this program has no network to ask.
 *
 * Each question is a call of its own (lib/call.h). RESOLVER_AT_ONCE are under way, others wait, and
 * each is answered within a time that runs from when it was asked. Nothing is remembered.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

constexpr uint64_t RESOLVER_US = 4'000'000; /* more than meshgwd takes */
constexpr size_t RESOLVER_AT_ONCE = 4;      /* of the connections that meshgwd gives a user */
constexpr size_t RESOLVER_MAX = 64;         /* questions, with those that wait */
constexpr size_t RESOLVER_ADDRESSES_MAX = 16;

struct resolver;
struct resolver_question;

struct resolver_answer {
	struct prefix list[RESOLVER_ADDRESSES_MAX]; /* one address each */
	size_t n;                                   /* 0 = there is none, … */
	bool late;                                  /* … in time */
	const char *why;                            /* … for people; borrowed */
};

/* socket: meshgwd's; borrowed. limit_us: RESOLVER_US, but in tests. */
struct resolver *resolver_new(sd_event *event, const char *socket, uint64_t limit_us);
/* Nobody waits any more. */
void resolver_free(struct resolver *r); /* nullptr is allowed */

/* done() is called once, from the loop, and then the question is gone; not after resolver_cancel().
 * nullptr: there are too many. */
[[nodiscard]] struct resolver_question *resolver_ask(struct resolver *r, const char *name,
	void (*done)(void *arg, const struct resolver_answer *answer), void *arg);
void resolver_cancel(struct resolver_question *q); /* nullptr is allowed */
