/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rivals: who else has a part of the mesh ranges' address space, and whether it takes answers
 * away from the mesh.
 *
 * The default ranges lie in 100.64.0.0/10, which others use as well: Tailscale gives each of its
 * hosts an address of it and routes these in a table of its own, and a site may have hosts there
 * behind a router. Longest prefix keeps both alive in both directions, since an address is either
 * theirs or the mesh's. So single addresses that somebody set are shown (cgnat-overlap) and are no
 * error. What takes answers to mesh sources away is one: a wider prefix, a route to nowhere, a
 * route that a routing protocol brought (nobody here chose it, and no neighbour of the
 * configuration may bring it), and an address that the configuration names as a source. Such a
 * route of table main is return-route-shadowed, one of another table policy-rule-captures-return.
 *
 * Which flows the mesh really has is not looked at: a list of conntrack entries would cost more
 * than it tells, and an unused address today is used tomorrow.
 */
#include "conf/config.h"
#include "daemon/condition.h"
#include "daemon/kernel.h"
#include "daemon/observed.h"

/* Reads rules, and from the tables that they lead to what concerns the ranges, into seen->tables;
 * links must have been read. 0, or -errno and what is known stays. */
[[nodiscard]] int rivals_read(
	struct kernel *k, const struct config *config, struct observed *seen, struct err *err);

/* Could this route of somebody else's, outside of table main, be one of those? */
bool rivals_concern(const struct config *config, const struct route *r);

/* Is what a lookup of this address answered one of the routes that rivals_check() judges? */
bool rivals_have(const struct observed *seen, const struct addr *a, const struct route *answer);

/* Adds conditions about seen->tables, and about routes of table main inside the ranges. mesh must
 * exist. A lookup from `lan`, which may be nullptr, tells whether a route is taken at all. */
void rivals_check(struct kernel *k, const struct config *config, const struct observed *seen,
	const struct link *mesh, const struct link *lan, struct conditions *found);
