/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * foreign: what Tailscale's filter does to packets that the mesh sends to this host itself, and
 * our rules that let them pass (remedies: [tailscale-input]).
 *
 * Tailscale drops what comes from 100.64.0.0/10 by any other interface than its own, in chain
 * ts-input, to which INPUT jumps (its util/linuxfw; iptables-nft and its own nftables code make
 * the same tables, ip filter and ip6 filter). A packet of each mesh range is followed through the
 * two chains. Rules that ask for more than interface and source are passed over: neither is their
 * accept believed nor their drop reported. Chains of iptables-legacy are not seen.
 *
 * What is ours in there carries MARK_REMEDY as comment; it is all that is ever written or deleted.
 * Our rules stand at the head of ts-input, one for each range that is dropped without them, and
 * none where nothing is dropped: an accept there also passes by what INPUT says later.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct nl_sock;
struct nft_conn;

#define NFT_FOREIGN_TABLE "filter"
#define NFT_FOREIGN_CHAIN "ts-input"

/* What comes from the mesh. Borrowed. Without ranges only rules of ours are looked for. */
struct nft_mesh {
	const char *interface;
	const struct prefix *ranges; /* of both families */
	size_t n_ranges;
};

/* The filter of one family. */
struct nft_foreign {
	struct prefix *dropped; /* ranges, wholly or in part; our own rules left out of account */
	size_t n_dropped;
	uint64_t handle; /* of the rule that drops the first of them */
	size_t n_ours;   /* rules with our mark */
	bool passed;     /* ours let pass exactly what is dropped without them */
};
void nft_foreign_clear(struct nft_foreign *f);

/* family: AF_INET, AF_INET6. No such table is no error: nothing is dropped then. 0 or -errno,
 * -EAGAIN when the ruleset kept changing; *out is replaced only on success. */
[[nodiscard]] int nft_foreign_read(struct nl_sock *s, uint8_t family, const struct nft_mesh *mesh,
	struct nft_foreign *out, struct err *err);

/* Puts our rules right, or takes them all away (pass = false), in one transaction that fails if
 * anybody has changed the ruleset since it was looked at. 0, also when nothing had to be done;
 * -EAGAIN when the ruleset kept changing; -errno. */
[[nodiscard]] int nft_foreign_write(struct nft_conn *c, uint8_t family, const struct nft_mesh *mesh,
	bool pass, struct err *err);

/* Is this notification about a rule of such a filter? */
bool nft_foreign_concerns(const struct nlmsghdr *nlh);
