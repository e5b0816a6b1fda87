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

/* What a configuration makes of the flow: the one that runs, or, where none is in force, the one
 * by which the flow is judged (diagnose_config.h); then nothing is refused and nothing hidden.
 * nullptr: nothing is known. */
void testify_config(const struct gateway *g, const struct config *config, struct evidence *e);
/* May the bridge begin such a connection? Everybody else may. */
[[nodiscard]] bool testify_may_begin(
	const struct gateway *g, const struct config *config, const struct flow *flow);
void testify_conditions(const struct conditions *all, struct evidence *e);
/* For a flow of IPv6: where this host has an address by a router's advertisement, on the way of the
 * flow or not, it would lose its routes when forwarding is switched on (accept_ra). */
void testify_routers(const struct gateway *g, struct evidence *e);
void testify_bgp(const struct frr_sync *s, struct evidence *e);
