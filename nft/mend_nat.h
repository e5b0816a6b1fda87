/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mend_nat: the removal of a table inet nat that somebody left behind, as `meshgw fix` is told to
 * by its operator. Nothing here is ever done by the daemon itself.
 *
 * A table is judged by all that is in it: one rule that does something else, a set or an object,
 * and it is let alone. What is deleted is what was shown: the transaction fails if anybody has
 * changed the ruleset since it was looked at.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <stddef.h>

struct nl_sock;

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
