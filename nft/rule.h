/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rule: anybody's rule in words, and what a diagnosis asks about it.
 *
 * The words are nft(8)'s where they are few; what is not known is named in brackets, and extensions
 * of iptables by "xt match NAME", "xt target NAME". Counters are left out, elements of sets are not
 * looked up. The words are for people: they may be cut, and hold names and comments of anybody,
 * unescaped.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include "nft/foreign_rule.h"
#include "nft/trace.h"
#include <net/if.h>

constexpr size_t NFT_RULE_TEXT_LEN = 400;

struct nft_rule {
	uint8_t family; /* NFPROTO_x */
	char table[NFT_STEP_NAME_LEN], chain[NFT_STEP_NAME_LEN];
	uint64_t handle;
	char text[NFT_RULE_TEXT_LEN];
	int verdict;                    /* NF_x, NFT_JUMP …; NFT_CONTINUE = none, or by a map */
	char target[NFT_STEP_NAME_LEN]; /* of NFT_JUMP and NFT_GOTO */
	bool rejects;                   /* with an ICMP error or a RST */
	bool fib;                       /* asks routing about the packet's source */
	bool ct_invalid;                /* is about packets that conntrack finds invalid */
	bool source_nat;                /* masquerades, or gives another source */
	/* What it asks of the packet, as far as it is in these two. */
	enum nft_term oif_term, source_term;
	char oif[IFNAMSIZ];
	bool oif_prefix; /* every name that begins so */
	struct prefix source;
};

/* Reads one NFT_MSG_NEWRULE message, of the kernel only: libnftnl trusts its form. 0 or -EBADMSG.
 */
[[nodiscard]] int nft_rule_read(const struct nlmsghdr *nlh, struct nft_rule *out);

struct nl_sock;
/* 0; -ENOENT when there is no such rule (any more); -errno. */
[[nodiscard]] int nft_rule_find(struct nl_sock *s, uint8_t family, const char *table,
	const char *chain, uint64_t handle, struct nft_rule *out, struct err *err);

/* "ip", "inet", "netdev" …; "" when it is none. */
const char *nft_family_str(uint8_t nfproto);
