/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mend: accepts of ours in others' chains, and the removal of a table that somebody left behind, as
 * `meshgw fix` is told to by its operator. Nothing here is ever done by the daemon itself.
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

/* What a table inet nat looks like that somebody made so that the mesh finds back: each rule of it
 * masquerades, and only what comes from the mesh: from inside a range, or by its interface. One
 * that masquerades all that leaves by the LAN counts where nothing else could come that way: as
 * often it serves a VPN or containers. */
struct nft_mend_nat {
	const char *mesh, *lan; /* interfaces */
	const struct prefix *ranges;
	size_t n_ranges;
	bool alone; /* this host has no other interfaces than these */
};
constexpr size_t NFT_NAT_STRLEN = 256;

/* Does this rule (in the words of nft/rule.h) do so and nothing else? */
bool nft_mend_is_nat(const char *rule, const struct nft_mend_nat *n);
/* Is there such a table, and nothing else in it? 1, and its rules in text; 0; -errno. */
[[nodiscard]] int nft_mend_find_nat(struct nl_sock *s, const struct nft_mend_nat *n,
	char text[static NFT_NAT_STRLEN], struct err *err);
/* Is there a table inet nat with these rules and nothing else? 1, 0, -errno. */
[[nodiscard]] int nft_mend_has_nat(struct nl_sock *s, const char *text, struct err *err);
/* Deletes it. -ENOENT when it is not there, or has become another. */
[[nodiscard]] int nft_mend_delete_nat(struct nl_sock *s, const char *text, struct err *err);
