/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * testify: what the daemon itself can say about a flow, as facts for a diagnosis: what the
 * configuration makes of it, which conditions stand, and what FRRouting showed last. Reads only.
 *
 * A flow without a target (AF_UNSPEC) stands for the node as a whole: then the configuration says
 * only whether it is in force, and BGP speaks of everything.
 */
#include "daemon/server.h"
#include "verdict/evidence.h"

/* The configuration that speaks: the one that runs; nullptr = none is in force. */
void testify_config(const struct gateway *g, struct evidence *e);
void testify_conditions(const struct conditions *all, struct evidence *e);
void testify_bgp(const struct frr_sync *s, struct evidence *e);
