/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * prober_int: what the files of the prober share: prober.c (rounds and probes), prober_know.c (what
 * is known of a network before its round).
 */
#include "daemon/gateway.h"

/* Of one network; more are not asked. */
constexpr size_t PROBER_NEIGHBORS_MAX = 8;

/* Read once for all rounds that begin at the same time. */
struct prober_knowledge {
	struct nft_witness *witnesses;
	size_t n_witnesses;
	struct addr *routers; /* of the site: next hops towards its networks, and BGP neighbours */
	size_t n_routers, cap_routers;
	struct ct_flow *unanswered; /* of the mesh; read when a network asks for them */
	size_t n_unanswered;
};
void prober_learn(struct gateway *g, struct prober_knowledge *out);
void prober_knowledge_clear(struct prober_knowledge *known);

/* Tells a network who can be asked, and who of them is a router. */
void prober_prepare(struct gateway *g, struct prober_knowledge *known, struct prove_network *n,
	uint64_t now_us);

/* Would the kernel lead a packet of the range from the tunnel to this witness by the network's
 * interface, and an answer that comes in there back into the tunnel? *via: the router
 * between, AF_UNSPEC = none. */
bool prober_paths_agree(struct gateway *g, const struct prove_network *n,
	const struct addr *witness, const struct addr *source, struct addr *via);
