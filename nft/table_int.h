/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * table_int: what the files that build the table share. Each of them knows some of its chains;
 * table.h says which chains there are.
 */
#include "nft/allow.h"
#include "nft/expr.h"
#include "nft/txn.h"

constexpr size_t NFT_NAME_LEN = 40;

struct nft_build {
	struct nft_txn *t;
	const struct nft_model *m;
	struct nft_allow_sets allow;
};

bool nft_has_family(const struct nft_model *m, const struct nft_family *f);

/* flags: NFT_TABLE_F_x; how: NLM_F_CREATE, or with NLM_F_EXCL. */
void nft_add_table(struct nft_txn *t, uint32_t flags, uint16_t how, const char *comment);
/* type is nullptr for a chain that is only jumped to. */
void nft_add_chain(
	struct nft_txn *t, const char *name, const char *type, uint32_t hook, int32_t priority);
/* Consumes the rule. They are of the transaction's table. */
void nft_add_rule(struct nft_txn *t, struct nftnl_rule *take_rule, const char *comment);
/* The interval set NAME4 or NAME6, and the hash set. */
void nft_add_prefixes(const struct nft_build *b, const struct nft_family *f, const char *base,
	const struct prefix *list, size_t n, const char *comment);
void nft_add_hosts(const struct nft_build *b, const struct nft_family *f, const char *base,
	const struct addr *list, size_t n, const char *comment);

/* Elements of one family for a set that is there. */
void nft_fill_prefixes(struct nft_txn *t, const struct nft_family *f, const char *set,
	const struct prefix *list, size_t n);
void nft_fill_hosts(struct nft_txn *t, const struct nft_family *f, const char *set,
	const struct addr *list, size_t n);

/* table_allow.c: chain to_networks and what it asks. */
void nft_table_add_allow(const struct nft_build *b);

/* table_bridge.c */
void nft_table_add_bridge(const struct nft_build *b);

/* table_nat.c */
void nft_table_add_nat(const struct nft_build *b);

/* table_session.c: sets and a chain, and the rules of chain input or output that lead there. */
void nft_table_add_neighbors(const struct nft_build *b);
void nft_table_add_sessions(const struct nft_build *b, const char *chain);

/* table_probe.c. Chain output is for sessions as well. */
void nft_table_add_output(const struct nft_build *b);
void nft_table_add_probe(const struct nft_build *b);
/* The rule by which what answers a probe is not counted as a packet to the mesh. */
void nft_table_add_uncounted(const struct nft_build *b, const char *chain);
