/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_routes: which ranges may be announced, from what the kernel has.
 *
 * FRR itself sees to that while it checks its own table: an interface that is gone takes the
 * announcement along, and brings it back without us. What FRR does not see is a route that the
 * kernel drops silently below it; then the announcement is taken back here, after
 * FRR_ROUTE_GRACE_US, in which the gateway mends it as a rule.
 */
#include "daemon/gateway.h"

constexpr uint64_t FRR_ROUTE_GRACE_US = 1'000'000;

/* In the order of config->ranges. */
struct frr_routes {
	bool *usable;      /* the kernel leads it into the tunnel, which carries packets */
	bool *announce;    /* FRR shall have a network statement */
	uint64_t *lost_us; /* when the route was missed first, 0 = it is there */
	size_t n;
	uint64_t next_us; /* when to look again, 0 = only after a pass */
};

/* Looks at what the last pass left. import_check: FRR announces only what it has a route for. Has
 * it become another set of announcements? */
bool frr_routes_look(
	struct frr_routes *routes, const struct gateway *g, bool import_check, uint64_t now_us);
void frr_routes_clear(struct frr_routes *routes);
