/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nftnl: libnftnl objects that are there or the program is not (lib/xmalloc.h), and that end with
 * their scope (lib/own.h).
 */
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <stdlib.h>

[[gnu::returns_nonnull]] static inline void *nftnl_need(void *p)
{
	if (!p)
		abort();
	return p;
}

#define NFTNL_AUTO(kind)                                              \
	static inline void nftnl_auto_##kind(struct nftnl_##kind **p) \
	{                                                             \
		if (*p)                                               \
			nftnl_##kind##_free(*p);                      \
	}
NFTNL_AUTO(table)
NFTNL_AUTO(chain)
NFTNL_AUTO(obj)
NFTNL_AUTO(set)
NFTNL_AUTO(rule)
NFTNL_AUTO(udata_buf)
#undef NFTNL_AUTO

#define autonftnl(kind) [[gnu::cleanup(nftnl_auto_##kind)]] struct nftnl_##kind

/* nft(8)'s user data: one comment. type is NFTNL_UDATA_x_COMMENT. */
static inline struct nftnl_udata_buf *nftnl_comment(uint8_t type, const char *text)
{
	struct nftnl_udata_buf *u = nftnl_need(
		nftnl_udata_buf_alloc(2 * NFTNL_UDATA_COMMENT_MAXLEN));

	nftnl_udata_put_strz(u, type, text);
	return u;
}
