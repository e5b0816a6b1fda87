/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect: everything that a diagnosis reads from this kernel, in three steps: before anything is
 * sent, while answers are awaited, and at the end. It holds the table of the diagnosis (nft/diag.h)
 * and the sockets that listen; collect_clear() lets go of them, and they leave nothing behind.
 *
 * What cannot be read becomes a fact that says so (FACT_MISSING); nothing here fails as a whole.
 */
#include "conf/config.h"
#include "diagnose/injection.h"
#include "verdict/evidence.h"

struct collect;

struct collect_options {
	const struct config *config;         /* borrowed */
	const struct injections *injections; /* borrowed; nullptr = nothing is sent */
	bool passive;
};

/* Static facts, and the observers. *e is only written to here and in collect_end(). */
struct collect *collect_begin(const struct collect_options *options, struct evidence *e);
/* Reads what came, without waiting. */
void collect_poll(struct collect *c);

/* Has any injected packet of this name been answered? */
[[nodiscard]] bool collect_answered(const struct collect *c, enum fact_probe_name probe);
/* Anybody has said anything to an injected packet that was to arrive. */
[[nodiscard]] bool collect_heard(const struct collect *c);
/* Answers that the table of the diagnosis ended are no drops of anybody's filter. */
void collect_forget_drops(const struct collect *c, struct evidence *e);
/* Has the next hop asked whether it is still there, if it was. Not while it answers: where filters
 * hold back the question, the answer is that it is gone, and what works would end. */
void collect_verify_neighbour(struct collect *c);
/* The next hop's link address is still being asked for. */
[[nodiscard]] bool collect_waits_for_neighbour(const struct collect *c);

/* This host's address on the way to the target, and the interface of that way where it is not the
 * configuration's ("" = none). */
struct addr collect_own_address(const struct collect *c);
const char *collect_egress(const struct collect *c);

/* Is the next hop a router? */
[[nodiscard]] bool collect_is_routed(const struct collect *c);

/* Adds what came to *e, and what changed meanwhile. sent: which of the injections were, by bits in
 * their order. */
void collect_end(struct collect *c, uint32_t sent, struct evidence *e);
void collect_free(struct collect *c); /* nullptr is allowed */
