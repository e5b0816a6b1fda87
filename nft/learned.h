/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * learned: what packets have left in the sets of table inet meshgw. A replacement of the table
 * begins anew; who wants to keep something remembers it.
 */
#include "lib/err.h"
#include "nft/model.h"

struct nl_sock;

/* A service that answered a flow of the mesh: nft_model.learn_networks. */
struct nft_witness {
	struct addr address;
	uint16_t port;
	uint64_t age_us; /* since the last answer */
};

/* At most NFT_WITNESSES of each family. Fills out[0..max) in no order; returns how many (also when
 * there are more), or -errno; 0 when the table learns nothing or does not exist. */
[[nodiscard]] int nft_learned_witnesses(
	struct nl_sock *s, struct nft_witness *out, size_t max, struct err *err);

/* Has a RST come for the probe with this source, in the last NFT_RESET_S seconds? Conntrack forgets
 * the flow of a SYN that is answered so. 1, 0, or -errno. */
[[nodiscard]] int nft_learned_reset(
	struct nl_sock *s, const struct addr *source, uint16_t port, struct err *err);
