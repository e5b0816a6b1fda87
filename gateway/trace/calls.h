/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * calls: the mesh's own flows to the target, each for itself: did it begin, was it answered, and
 * did its caller get what was sent to it?
 *
 * Facts about packets (gather.h) count all flows together, so that one that goes on hides one that
 * hangs. Here they are kept apart, by what passes the mesh interface. Of a flow that began before
 * anybody looked only what changes is known. Their number is bounded: flows that ended well make
 * room, and what is beyond is left out. No I/O; the caller tells the time.
 */
#include "trace/packet.h"
#include "verdict/fact.h"

constexpr size_t CALLS_MAX = 64;
constexpr size_t CALLS_TOLD = 8;

struct call {
	struct fact_call fact;
	bool asked_any, told_any;   /* the numbers below are known */
	uint32_t asked_from, asked; /* of TCP: the caller's first and next number */
	uint32_t told, taken; /* the next number that is sent to it, and what it acknowledged */
};

struct calls {
	struct call list[CALLS_MAX];
	size_t n;
};

/* A packet of such a flow passed the mesh interface. */
void calls_see(struct calls *c, const struct packet *p, bool to_target, uint64_t at_us);

/* Those that are worth telling, the ones that wait for something before the others. Returns how
 * many. */
size_t calls_told(const struct calls *c, const struct fact_call *out[static CALLS_TOLD]);
