/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health: the conditions that follow from what the gateway sees and could or could not do.
 * Reads, never changes. Conditions of the configuration's life (pending, invalid, taken down)
 * are added by reload.h.
 */
#include "daemon/gateway.h"

/* Appends to *out. queue_full: the tunnel's transmit drops have grown lately. */
void health_collect(const struct gateway *g, bool queue_full, struct conditions *out);
/* Of networks in mode auto; part of health_collect(). */
void health_prove(const struct gateway *g, struct conditions *out);
