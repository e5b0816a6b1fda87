/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * foreign_rule: one rule of another program's table, as far as it speaks of where a packet comes
 * from: input interface, source address, verdict. Written by iptables-nft, by nft(8) or by the
 * program itself, these are the same few expressions.
 *
 * A rule that asks for anything else (a port, a state, a set) is not certain: whether it meets a
 * packet cannot be said from interface and source alone. Pure; a message may hold any bytes.
 */
#include "lib/ip.h"
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

enum nft_term { NFT_TERM_ABSENT, NFT_TERM_IS, NFT_TERM_IS_NOT };

struct nft_foreign_rule {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint64_t handle;
	bool certain;
	bool ours; /* carries MARK_REMEDY, as written by us or as iptables-restore(8) made of it */
	enum nft_term interface_term, source_term;
	uint8_t interface[IFNAMSIZ];
	uint8_t interface_len; /* bytes that are compared; without the NUL it is a prefix */
	struct prefix source;
	int verdict; /* NF_ACCEPT, NF_DROP, NFT_RETURN, NFT_JUMP …; NFT_CONTINUE = none */
	char target[NFT_CHAIN_MAXNAMELEN]; /* of NFT_JUMP and NFT_GOTO */
};

/* Reads one NFT_MSG_NEWRULE message. 0, or -EBADMSG: no rule of an IPv4 or IPv6 table. */
[[nodiscard]] int nft_foreign_rule_read(const struct nlmsghdr *nlh, struct nft_foreign_rule *out);

/* How much of what comes by this interface from this range the rule meets. */
enum nft_meets { NFT_MEETS_NONE, NFT_MEETS_SOME, NFT_MEETS_ALL };
enum nft_meets nft_foreign_rule_meets(
	const struct nft_foreign_rule *r, const char *interface, const struct prefix *range);

/* The length of a mask that is one of a prefix, or -1. */
int nft_mask_bits(const uint8_t *mask, size_t len);
