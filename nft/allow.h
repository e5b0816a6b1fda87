/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * allow: an allow list, sorted into the sets that the kernel can hold.
 *
 * An entry with one destination host, one protocol, one port and a whole mesh range as source is
 * *exact*: it goes into a hash set of that range, whose lookup costs the same for ten entries and
 * ten thousand. Every other entry is a *box* (source, destination, protocols, ports) for an
 * interval set.
 *
 * The kernel refuses a box that overlaps another one of the same set (nft_set_pipapo.c), but
 * overlapping boxes are legal to us: allowed twice is allowed. So boxes of the same prefixes and
 * protocol have their ports united, a box inside another one is dropped, and those that still
 * overlap are spread over several sets, each into the first that has room for it: never more sets
 * than the list has combinations of prefix lengths and protocol width, one or two in practice.
 *
 * Pure; the kernel's side is table_allow.c.
 */
#include "nft/model.h"

struct nft_allow_set {
	uint8_t family;
	bool exact;
	struct prefix from; /* exact sets: the range all entries have in common */
	const struct nft_allow *list;
	size_t n;
};

struct nft_allow_sets {
	struct nft_allow_set *sets; /* exact ones first; IPv4 before IPv6 */
	size_t n;
	struct nft_allow *entries; /* storage behind the sets' lists */
};

void nft_allow_sort(const struct nft_model *model, struct nft_allow_sets *out);
void nft_allow_sets_clear(struct nft_allow_sets *s);
