/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * entry: the routing entry that a verdict blames, and whether it may go. It may where it is
 * nobody's who would put it back, and where nothing but the flow's own network is lost with it:
 * a blackhole of 10.0.0.0/8, a default route, or a route to other sites is there for a purpose.
 */
#include "verdict/verdict.h"

/* The lookup that it rests on, and whose route or refusing rule it blames; nullptr = none. A rule
 * has no match (AF_UNSPEC). */
const struct fact_lookup *entry_blamed(const struct verdict *v, const struct evidence *e);

/* Why a route of this rtm_protocol is not to be deleted here: a sentence without a full stop;
 * nullptr = it may be. */
const char *entry_keeper(int64_t protocol);

/* The network of the flow, or the range, of which the entry covers more than that; nullptr = it
 * does not. To be told which: *is_range. */
const struct prefix *entry_exceeds(
	const struct fact_lookup *l, const struct evidence *e, bool *is_range, struct prefix *buf);

/* Is it a route, and one that may go? */
bool entry_may_go(const struct fact_lookup *l, const struct evidence *e);

/* Of the flow: of the configuration, else its two ends alone. */
struct prefix evidence_network(const struct evidence *e);
struct prefix evidence_range(const struct evidence *e);

/* The next accept_ra=1 of an interface behind *at: where it is, forwarding of IPv6 takes away what
 * routers advertised. */
const struct fact_sysctl *evidence_hears_routers(const struct evidence *e, size_t *at);
