/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * mend_int: how a repair is written, whatever it is: one transaction, over a ruleset that is still
 * the one that was looked at.
 */
#include "lib/err.h"
#include "net/nl.h"
#include "nft/txn.h"

/* A message of the transaction about an object of this family; what: for errors. */
struct nlmsghdr *nft_mend_message(
	struct nft_txn *t, uint8_t family, uint16_t type, uint16_t flags, const char *what);
/* What build() adds, in one transaction. -EAGAIN: the ruleset has another generation by now. */
[[nodiscard]] int nft_mend_commit(struct nl_sock *s, uint32_t generation,
	void (*build)(struct nft_txn *t, const void *arg), const void *arg, const char *where,
	struct err *err);
