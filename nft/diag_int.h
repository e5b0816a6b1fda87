/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diag_int: the sets in which answers are counted, as the rules fill them and as they are read.
 */
#include "nft/diag.h"
#include "nft/expr.h"
#include "nft/txn.h"

/* The sender's address, up to three pieces of the transport header, the interface it leaves by. */
constexpr size_t NFT_DIAG_FIELDS = 3;
constexpr uint32_t NFT_DIAG_QUOTE = 1U << 16; /* offset is in the transport header that an ICMP
						 error quotes */
struct nft_diag_field {
	uint32_t offset;
	uint8_t len; /* 0 = no more fields */
};

struct nft_diag_kind {
	const char *name;
	bool icmp, quotes; /* of the answer; proto is then that of the quoted packet */
	uint8_t proto;     /* IPPROTO_ICMP stands for ICMPv6 as well */
	struct nft_diag_field mine;
	struct nft_diag_field fields[NFT_DIAG_FIELDS];
};
extern const struct nft_diag_kind nft_diag_kinds[NFT_ANSWER_KINDS];

/* Can there be answers of this kind? */
bool nft_diag_expects(const struct nft_diag_ask *ask, enum nft_answer_kind kind);
constexpr size_t NFT_DIAG_SET_LEN = 24;
const char *nft_diag_set(enum nft_answer_kind kind, bool own, char buf[static NFT_DIAG_SET_LEN]);

/* Chains where packets come in begin so. */
#define NFT_DIAG_ARRIVE "arrive_"

/* All messages of the table that the transaction is about. */
void nft_diag_build(struct nft_txn *t, const struct nft_diag_ask *ask, bool at_ingress);
