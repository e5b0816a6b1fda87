/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * recall: an edge that was killed calls its peers back.
 *
 * A gateway that has nothing to say would learn of it no sooner than by its next keep-alive, and
 * until then nothing from the mesh could reach it. So each peer of the former process (roll.h) is
 * sent a stateless reset at once, and again after 100, 300 and 700 ms unless a connection has come
 * from its address meanwhile. It dials again, and what the kernel has for it waits so long
 * (recall_is_over(), waiting.h).
 */
#include "pump.h"
#include "roll.h"

struct recall;

/* All are borrowed; over: recall_is_over() from now on. nullptr: there is nobody to call. */
[[nodiscard]] struct recall *recall_new(sd_event *event, struct roll *roll, struct pump *pump,
	struct quic_endpoint *endpoint, void (*over)(void *arg), void *arg);
void recall_free(struct recall *r); /* nullptr is allowed */

/* Somebody has come: it is called no more; its tunnel is open: nothing waits for it any more. */
void recall_heard(struct recall *r, const struct quic_path *path);
void recall_found(struct recall *r, const struct quic_path *path);
/* All are back, or had their time. */
bool recall_is_over(const struct recall *r); /* nullptr is over */
