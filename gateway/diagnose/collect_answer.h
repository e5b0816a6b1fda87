/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_answer: what came of the injected packets, by what the table of the diagnosis counted
 * (nft/diag.h). Pure. Facts of kinds probe, packet and icmp.
 */
#include "diagnose/injection.h"
#include "nft/diag.h"

/* What of it was sent: bit i is for set->list[i]. A packet that was not sent has no outcome. */
struct collect_sent {
	const struct injections *set;
	uint32_t sent;
};
static_assert(INJECTIONS_MAX <= 32);

/* The best outcome of one injected packet: an answer before a refusal before an error, and silence
 * at last. *by, which may be nullptr, is what tells it (nullptr = silence). own_target: what this
 * host says is the target's answer. */
enum fact_outcome collect_outcome(const struct evidence *e, const struct injection *in,
	const struct nft_answer *list, size_t n, bool own_target, const struct nft_answer **by);

/* Takes the answers that ended in that table out of the facts about drops. */
void collect_forget_ended(
	const struct injections *set, const struct nft_answer *list, size_t n, struct evidence *e);

/* One probe for each name (PROBE_HOP: and TTL) of which something was sent. Packets and errors are
 * told of those that are like the flow (PROBE_INJECTED): where they were about to leave, or for
 * errors of others, LAN_IN. */
void collect_answers(const struct collect_sent *sent, const struct nft_answer *list, size_t n,
	bool own_target, struct evidence *e);
