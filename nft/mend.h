/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mend: accepts of ours in others' chains, as `meshgw fix` is told to by its operator. Nothing here
 * is ever done by the daemon itself.
 *
 * What is written carries MARK_FIX as comment; it is not kept up, and goes with its chain. Each
 * change is one transaction, which fails if anybody has changed the ruleset since it was looked
 * at: a rule that is blamed is read again, and must say what was said of it.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

struct nl_sock;

struct nft_accept {
	char iif[IFNAMSIZ], oif[IFNAMSIZ]; /* "" = any */
	struct prefix from, to;            /* AF_UNSPEC = any */
	uint8_t proto;                     /* IPPROTO_x, 0 = any */
	uint16_t sport, dport;             /* of TCP and UDP, 0 = any */
};

/* In front of which rule of whose chain. */
struct nft_mend_place {
	uint8_t family; /* NFPROTO_x of the table */
	const char *table, *chain;
	uint64_t handle;  /* of the rule that is to blame; 0 = its policy: behind all rules */
	const char *text; /* what that rule said (nft/rule.h), or how it begins; nullptr = any */
};

/* 0; 1 when they stand there already, and nothing is to be done; -ESTALE when the rule is gone or
 * says something else; -ENOENT, -EAGAIN, -errno. check = true changes nothing. */
[[nodiscard]] int nft_mend_accept(struct nl_sock *s, const struct nft_mend_place *place,
	const struct nft_accept *list, size_t n, bool check, struct err *err);
/* The words of the rule that it writes: `iifname "eth0" ip saddr 10.0.1.0/24 tcp dport 80 accept`.
 */
constexpr size_t NFT_ACCEPT_STRLEN = 256;
const char *nft_accept_str(const struct nft_accept *a, char buf[static NFT_ACCEPT_STRLEN]);
