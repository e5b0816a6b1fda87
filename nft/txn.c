/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/txn.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <arpa/inet.h>
#include <assert.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char *reserve(struct nft_txn *t)
{
	if (t->cap - t->len < NFT_TXN_MSG_MAX) {
		t->cap = 2 * t->cap + NFT_TXN_MSG_MAX;
		t->buf = xreallocarray(t->buf, t->cap, 1);
	}
	return t->buf + t->len;
}

static uint32_t next_seq(const struct nft_txn *t)
{
	return t->seq + (uint32_t)t->n;
}

static char *next_what(struct nft_txn *t)
{
	XGROW(t->what, t->n, t->cap_what);
	return t->what[t->n];
}

void nft_txn_push(struct nft_txn *t, const struct nlmsghdr *nlh)
{
	assert((const char *)nlh == t->buf + t->len && nlh->nlmsg_len <= NFT_TXN_MSG_MAX);
	t->last = t->len;
	t->len += (nlh->nlmsg_len + MNL_ALIGNTO - 1U) & ~(MNL_ALIGNTO - 1U);
	t->n++;
}

void nft_txn_begin(struct nft_txn *t, uint32_t seq)
{
	*t = (struct nft_txn){.table = MARK_NFT_TABLE, .seq = seq};
	snprintf(next_what(t), NFT_TXN_WHAT_LEN, "transaction");
	nft_txn_push(t, nftnl_batch_begin(reserve(t), next_seq(t)));
}

/* nfnetlink_rcv_skb_batch(), nf_tables_valid_genid() */
void nft_txn_require(struct nft_txn *t, uint32_t generation)
{
	assert(t->n == 1);
	struct nlmsghdr *begin = (struct nlmsghdr *)(t->buf + t->last);
	mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(generation));
	t->len = begin->nlmsg_len;
}

void nft_txn_end(struct nft_txn *t)
{
	((struct nlmsghdr *)(t->buf + t->last))->nlmsg_flags |= NLM_F_ACK;
	snprintf(next_what(t), NFT_TXN_WHAT_LEN, "transaction");
	nft_txn_push(t, nftnl_batch_end(reserve(t), next_seq(t)));
}

void nft_txn_clear(struct nft_txn *t)
{
	free(t->buf);
	free(t->what);
	*t = (struct nft_txn){};
}

struct nlmsghdr *nft_txn_msg(
	struct nft_txn *t, uint16_t type, uint16_t flags, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	vsnprintf(next_what(t), NFT_TXN_WHAT_LEN, what, ap);
	va_end(ap);
	return nftnl_nlmsg_build_hdr(reserve(t), type, NFPROTO_INET, flags, next_seq(t));
}

const char *nft_txn_what(const struct nft_txn *t, uint32_t seq)
{
	uint32_t i = seq - t->seq;

	return i < t->n ? t->what[i] : nullptr;
}
