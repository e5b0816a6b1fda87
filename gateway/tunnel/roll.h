/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * roll: who is connected, in memory that outlives the process.
 *
 * meshgwd makes the memory and keeps its descriptor; it never looks inside. Each connection of an
 * edge has a line there, always up to date, for a process that is killed has no time to write any.
 * The next process finds the lines of the one before and calls these peers (recall.h).
 *
 * What is found is checked for its form and believed no further: a line can make us send a packet
 * that nobody understands, and nothing else. Memory of another layout begins anew. When there are
 * more connections than lines the rest is not recorded.
 */
#include "lib/err.h"
#include "quic/trace.h"

struct roll;

constexpr unsigned ROLL_NONE = UINT32_MAX;

/* Takes the descriptor, also when it fails. */
[[nodiscard]] int roll_open(int take_fd, struct roll **out, struct err *err);
void roll_close(struct roll *r); /* nullptr is allowed; what is written stays */

/* The first line from `line` on that a former process wrote; ROLL_NONE = no more. */
unsigned roll_former(const struct roll *r, unsigned line, struct quic_trace *out);

/* A line for somebody; ROLL_NONE = none is free. */
unsigned roll_enter(struct roll *r, const struct quic_trace *trace);
void roll_change(struct roll *r, unsigned line, const struct quic_trace *trace);
void roll_strike(struct roll *r, unsigned line);
