/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * read: what the kernel has in table inet meshgw.
 *
 * nft_read() gives existence, flags, and a digest of chains, rules, sets and elements (without
 * handles and counter values). After a replacement the digest read back is remembered by the
 * caller; a different digest later means that somebody changed the table. It is read between two
 * looks at the ruleset's generation, so it is never half of one table and half of another; but the
 * kernel counts that up before a commit can be seen in whole, so while another process commits it
 * may be a part of the new one. The notification of the commit's end is a reason to read again.
 *
 * Elements that packets add by themselves (learned.h) are not part of that.
 */
#include "lib/err.h"
#include "nft/model.h"

struct nl_sock;

struct nft_state {
	bool exists;
	bool owned;      /* some process owns it */
	bool persistent; /* outlives its owner */
	uint32_t n_chains, n_rules, n_sets;
	uint32_t n_elements; /* as the kernel counts: an interval of one field is two */
	uint64_t digest;
	struct nft_counters counters;
};

/* 0 (state->exists may be false) or -errno; -EAGAIN when the ruleset kept changing. */
[[nodiscard]] int nft_read(struct nl_sock *s, struct nft_state *state, struct err *err);
/* Only the counters, cheap. -ENOENT without the table. */
[[nodiscard]] int nft_read_counters(struct nl_sock *s, struct nft_counters *out, struct err *err);
/* What a correct table of this model has: exists and the four numbers, for comparison with
 * nft_read(). */
void nft_expect(const struct nft_model *model, struct nft_state *out);
