/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * glance: the evidence about one flow that costs little: links, routes, settings, neighbour and
 * sockets as they stand, looked at once. Nothing is sent, captured or installed; observers that
 * would do so are told as missing.
 */
#include "conf/config.h"
#include "verdict/evidence.h"

/* e->flow says which flow, with both addresses; config is borrowed. Adds to *e. */
void glance_collect(const struct config *config, struct evidence *e);
