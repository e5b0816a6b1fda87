/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nft_models: models that the tests of nft/ share, by name. Interfaces are mesh0 and lan0.
 */
#include "nft/model.h"

struct nft_named_model {
	const char *name;
	struct nft_model model;
};

constexpr size_t NFT_MODELS = 7;
/* Built on the first call, valid for the life of the program. */
const struct nft_named_model *nft_models(void);
/* Aborts when there is none. */
const struct nft_model *nft_model(const char *name);

/* An allow list of n exact entries, alternating between the first two ranges; xmalloc'ed. */
struct nft_allow *nft_models_exact(size_t n);

/* "100.64.0.0/12 10.0.1.0/24 tcp 80-90"; "icmp", "ipv6-icmp" and "any" take no ports. Aborts on
 * a text that is none. */
struct nft_allow nft_models_allow(const char *text);
