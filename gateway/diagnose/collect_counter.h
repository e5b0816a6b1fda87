/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_counter: what the kernel counted while a diagnosis ran.
 *
 * Only counters that can speak about a flow of the mesh become facts, also when they did not grow:
 * a counter that was watched and stood still is evidence, too.
 */
#include "diagnose/collect_scope.h"
#include "net/counter.h"

/* A snapshot: of this namespace, and of the flow's interfaces (egress may be ""). 0, or -errno
 * with *out empty. */
[[nodiscard]] int collect_counters_read(const struct collect_scope *scope, struct nl_sock *s,
	const char *egress, struct counter_set *out, struct err *err);

/* The difference of two, as facts. */
void collect_counters(
	const struct counter_set *before, const struct counter_set *after, struct evidence *e);
