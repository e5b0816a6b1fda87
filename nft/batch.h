/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * batch: writes table inet meshgw, always in one transaction (nfnetlink batch).
 *
 * Ownership in the kernel belongs to the netlink socket (NFT_TABLE_F_OWNER): one nft_conn does
 * all writes of a process, is opened once and closed last. With NFT_TABLE_F_PERSIST the table
 * outlives the process, orphaned, until the next owner adopts it in the batch that replaces it.
 * On a kernel that lacks the flags (EOPNOTSUPP, EINVAL) the table is written without them and
 * nft_conn_owns() says false: the caller must then watch for others' changes.
 */
#include "lib/err.h"
#include "nft/model.h"

struct nl_sock;
struct nft_conn;

/* s is a NETLINK_NETFILTER socket, borrowed for the connection's life. */
[[nodiscard]] int nft_conn_new(struct nl_sock *s, struct nft_conn **out, struct err *err);
void nft_conn_free(struct nft_conn *c);
bool nft_conn_owns(const struct nft_conn *c);

/* Replaces (or creates) the whole table by the model, counters starting from `start` (nullptr =
 * from zero). Atomic: on failure nothing has changed. -errno; the sentence names the object that
 * the kernel refused. */
[[nodiscard]] int nft_replace(struct nft_conn *c, const struct nft_model *model,
	const struct nft_counters *start, struct err *err);

/* Removes the table. -ENOENT when there is none; -EPERM when another process owns it. */
[[nodiscard]] int nft_remove(struct nft_conn *c, struct err *err);
