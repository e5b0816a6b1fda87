/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * batch: writes table inet meshgw, always in one transaction (nfnetlink batch). Needs Linux 6.3
 * (NFT_MSG_DESTROYTABLE).
 *
 * Ownership in the kernel belongs to the netlink socket (NFT_TABLE_F_OWNER): one nft_conn does
 * all writes of a process, is opened once and closed last. With NFT_TABLE_F_PERSIST the table
 * outlives the process, orphaned, until the next owner replaces it. On a kernel that lacks the
 * flags (before 6.9) the table is written without them and nft_conn_owns() says false: the
 * caller must then watch for others' changes. Never owner without persist: the table would go
 * with the process.
 */
#include "lib/err.h"
#include "nft/model.h"

struct nl_sock;
struct nft_conn;
struct nft_txn;

/* s is a NETLINK_NETFILTER socket, borrowed for the connection's life. */
[[nodiscard]] int nft_conn_new(struct nl_sock *s, struct nft_conn **out, struct err *err);
void nft_conn_free(struct nft_conn *c);
bool nft_conn_owns(const struct nft_conn *c);
/* Table flags to ask for instead of owner and persist; for tests of tables that others can
 * change. */
void nft_conn_set_flags(struct nft_conn *c, uint32_t flags);

/* Replaces (or creates) the whole table by the model, counters starting from `start` (nullptr =
 * from zero). Atomic: on failure nothing has changed. -errno, and the sentence names the object
 * that the kernel refused; -EBUSY when another process owns the table, -EPERM without
 * CAP_NET_ADMIN. */
[[nodiscard]] int nft_replace(struct nft_conn *c, const struct nft_model *model,
	const struct nft_counters *start, struct err *err);

/* Removes the table. -ENOENT when there is none; -EBUSY when another process owns it. */
[[nodiscard]] int nft_remove(struct nft_conn *c, struct err *err);

/* Makes the table as it is masquerade what the model says (masquerade_networks, masquerade_hosts,
 * route_hosts), and leaves all else alone: a few messages, however long the allow list is. Where
 * the table was written from a model that differs in nothing else, it then reads back as if it had
 * been replaced. -ENOENT when the table or its source NAT does not exist. */
[[nodiscard]] int nft_set_modes(struct nft_conn *c, const struct nft_model *model, struct err *err);

/* Transactions about other tables: `where` is what errors call it. The transaction is cleared by
 * the caller. */
struct nl_sock *nft_conn_nl(const struct nft_conn *c);
void nft_conn_begin(const struct nft_conn *c, struct nft_txn *t);
[[nodiscard]] int nft_conn_commit(
	struct nft_conn *c, struct nft_txn *t, const char *where, struct err *err);
