/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ruleset: the base chains of everybody, as they stand: what could decide about a packet, whose it
 * is, and whether it holds source NAT that could take flows of the mesh.
 *
 * Whose a chain is, where its own name tells nothing, is told by the chains that it leads to: most
 * likely of the program that sets the policy, as ufw and Docker do in chain FORWARD of iptables.
 * Source NAT is looked for in chains of type nat at postrouting and in all that they lead to; a
 * rule counts unless its interface or source rules the mesh out. Rules of iptables-legacy are in
 * none of this (legacy.h).
 */
#include "lib/err.h"
#include "lib/ip.h"
#include "nft/trace.h"
#include <net/if.h>

struct nl_sock;

struct nft_base_chain {
	uint8_t family; /* NFPROTO_x */
	char table[NFT_STEP_NAME_LEN], chain[NFT_STEP_NAME_LEN];
	char hook[16]; /* "prerouting" …; "" = one that this program does not know */
	char type[16]; /* "filter", "nat", "route" */
	int32_t priority;
	bool drops; /* policy */
	uint32_t rules;
	bool owned;            /* some process owns the table */
	char device[IFNAMSIZ]; /* of the ingress and egress hooks; the first of them */
	const char *by;        /* "" = not known */
	bool nat_source;
	/* The rule, when nat_source. */
	char nat_chain[NFT_STEP_NAME_LEN];
	uint64_t nat_handle;
	const char *nat_by;
};

/* Flows from these ranges that leave by these interfaces (none = by any). Borrowed. */
struct nft_leaving {
	const struct prefix *ranges;
	size_t n_ranges;
	const char (*interfaces)[IFNAMSIZ];
	size_t n_interfaces;
};

constexpr size_t NFT_BASE_CHAINS_MAX = 512;

struct nft_ruleset {
	struct nft_base_chain *chains; /* in the kernel's order */
	size_t n, cap;
	uint32_t generation;
};
void nft_ruleset_clear(struct nft_ruleset *r);

/* 0; -EAGAIN when the ruleset kept changing; -errno. *out is replaced only on success. */
[[nodiscard]] int nft_ruleset_read(struct nl_sock *s, const struct nft_leaving *leaving,
	struct nft_ruleset *out, struct err *err);
/* The ruleset's generation: another number = somebody changed something. */
[[nodiscard]] int nft_ruleset_generation(struct nl_sock *s, uint32_t *out, struct err *err);
/* nullptr = none of this name. */
const struct nft_base_chain *nft_ruleset_find(
	const struct nft_ruleset *r, uint8_t family, const char *table, const char *chain);
