/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * txn: the messages of one nftables transaction, in one buffer, and what each is about.
 *
 * The kernel applies everything between NFNL_MSG_BATCH_BEGIN and _END, or nothing, if it arrives
 * in one sendmsg(2); so the buffer grows in one piece. Message i carries sequence number
 * seq + i, by which an error finds its way back to a name that a person knows. Sends nothing.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <stddef.h>
#include <stdint.h>

constexpr size_t NFT_TXN_WHAT_LEN = 80;

struct nft_txn {
	const char *
		table; /* that its objects are in, family inet; borrowed. MARK_NFT_TABLE at first */
	char *buf;
	size_t len, cap;
	uint32_t seq; /* of the first message, NFNL_MSG_BATCH_BEGIN */
	char (*what)[NFT_TXN_WHAT_LEN];
	size_t n, cap_what;
	size_t last;     /* offset of the last message */
	uint32_t n_sets; /* for NFTA_SET_ID */
	struct {
		uint32_t chains, rules, sets, elements;
	} written;
};

void nft_txn_begin(struct nft_txn *t, uint32_t seq);
/* Right behind nft_txn_begin(): only while this is the ruleset's generation, else ERESTART. */
void nft_txn_require(struct nft_txn *t, uint32_t generation);
/* Asks for one acknowledgement, of the last message, and ends the transaction. */
void nft_txn_end(struct nft_txn *t);
void nft_txn_clear(struct nft_txn *t);

/* Room for one message of this NFT_MSG type, its header written. The caller adds attributes,
 * at most NFT_TXN_MSG_MAX bytes, and calls nft_txn_push() before the next nft_txn_msg(). */
constexpr size_t NFT_TXN_MSG_MAX = 64 * 1024;
[[gnu::format(printf, 4, 5)]] struct nlmsghdr *nft_txn_msg(
	struct nft_txn *t, uint16_t type, uint16_t flags, const char *what, ...);
void nft_txn_push(struct nft_txn *t, const struct nlmsghdr *nlh);

/* What the message with this sequence number is about ("set ranges4"), nullptr for a number that
 * is none of ours. */
const char *nft_txn_what(const struct nft_txn *t, uint32_t seq);
