/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * place: what a packet looks like where a filter dropped it, so that a rule which accepts it there
 * matches it.
 *
 * Where source NAT is in force, an answer has this gateway's own address for its destination until
 * destinations are translated: in chains of netdev and at hook ingress, and at prerouting in front
 * of priority -100 (NF_IP_PRI_NAT_DST). It is known by its source alone there.
 */
#include "verdict/verdict.h"

struct place {
	bool there, back; /* the directions to be accepted: those that are dropped */
	bool translated;  /* answers still have the gateway's address */
};

/* Of the trace that the verdict rests on; without one, both directions. */
struct place place_of(const struct verdict *v, const struct evidence *e);
