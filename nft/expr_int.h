/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * expr_int: single expressions, for the files that put rules together (expr.h, diag_rule.h). What a
 * rule looks at is loaded into registers and compared there.
 */
#include "nft/expr.h"
#include "nft/nftnl.h"
#include <libnftnl/expr.h>
#include <string.h>

/* A concatenation fills 32-bit registers one after the other; NFT_REG_1 is the first four. */
constexpr uint32_t REG = NFT_REG_1;

static inline uint32_t reg_after(unsigned bytes)
{
	return NFT_REG32_00 + (bytes + 3) / 4;
}

static inline struct nftnl_expr *expr_add(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_need(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(r, e);
	return e;
}

static inline void expr_meta(struct nftnl_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static inline void expr_cmp(struct nftnl_rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static inline void expr_bitwise(
	struct nftnl_rule *r, const void *mask, const void * xor, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "bitwise");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, xor, len);
}

static inline void expr_mask(struct nftnl_rule *r, const void *mask, uint32_t len)
{
	static const uint8_t zero[sizeof(struct in6_addr)];

	expr_bitwise(r, mask, zero, len);
}

static inline void expr_payload(
	struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

/* An offset in the network header means something for one family only. */
static inline void expr_family(struct nftnl_rule *r, const struct nft_family *f)
{
	expr_meta(r, NFT_META_NFPROTO, REG);
	expr_cmp(r, NFT_CMP_EQ, &f->nfproto, sizeof(f->nfproto));
}

static inline void expr_address(
	struct nftnl_rule *r, const struct nft_family *f, uint8_t offset, uint32_t reg)
{
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, f->addr_len, reg);
}

static inline void expr_l4proto(struct nftnl_rule *r, uint8_t proto)
{
	expr_meta(r, NFT_META_L4PROTO, REG);
	expr_cmp(r, NFT_CMP_EQ, &proto, sizeof(proto));
}

static inline struct nftnl_expr *expr_ct(struct nftnl_rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr_add(r, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, REG);
	return e;
}
