/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * set: sets of table inet meshgw and their elements, as messages of a transaction.
 *
 * Elements are written straight into the message, where libnftnl would allocate an object for each
 * of ten thousand. A list that is too long for one message goes on in the next by itself.
 */
#include "nft/allow.h"
#include "nft/expr.h"
#include "nft/txn.h"

enum nft_set_kind {
	NFT_SET_IFNAMES,    /* names */
	NFT_SET_HOSTS,      /* addresses, hash */
	NFT_SET_PREFIXES,   /* addresses, interval */
	NFT_SET_SOURCES,    /* prefix → chain to jump to */
	NFT_SET_FLOWS,      /* address, protocol, port; hash */
	NFT_SET_FLOW_BOXES, /* ranges of address, protocol, port, source */
	NFT_SET_SERVICES,   /* address, port; added by packets */
};

/* f is nullptr for interface names. size: number of elements when it is final, else 0; with it
 * the kernel takes its hash of fixed size, which is filled in half the time. */
void nft_set_add(struct nft_txn *t, const char *name, enum nft_set_kind kind,
	const struct nft_family *f, size_t size, const char *comment);

/* The list of elements of one set; `type` is NFT_MSG_NEWSETELEM or a way to remove. */
struct nft_elems {
	struct nft_txn *txn;
	const char *set;
	uint16_t type;
	struct nlmsghdr *nlh;
	struct nlattr *list;
};
void nft_elems_begin(struct nft_elems *e, struct nft_txn *t, uint16_t type, const char *set);
void nft_elems_end(struct nft_elems *e);

/* A set of kind NFT_SET_SERVICES, whose elements stay for timeout_s, at most so many. */
void nft_set_add_learned(struct nft_txn *t, const char *name, const struct nft_family *f,
	size_t most, uint32_t timeout_s, const char *comment);

/* Takes all elements out of a set. */
void nft_set_empty(struct nft_txn *t, const char *set);

void nft_elem_ifname(struct nft_elems *e, const char *name);
void nft_elem_host(struct nft_elems *e, const struct addr *host);
/* All addresses of the prefix; chain is nullptr, or where a map's packets jump to. */
void nft_elem_prefix(struct nft_elems *e, const struct prefix *p, const char *chain);
void nft_elem_flow(struct nft_elems *e, const struct nft_allow *a);
void nft_elem_flow_box(struct nft_elems *e, const struct nft_allow *a);
