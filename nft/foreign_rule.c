/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/foreign_rule.h"
#include "lib/marks.h"
#include "nft/attr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

/* libnftnl's user data: type, length, value (include/libnftnl/udata.h). */
constexpr uint8_t UDATA_COMMENT = 0;

/* What a register holds while the expressions of a rule are followed. */
struct reading {
	struct nft_foreign_rule *rule;
	enum { HOLDS_NOTHING, HOLDS_INTERFACE, HOLDS_SOURCE } holds;
	uint32_t reg;
	uint8_t len;  /* bytes of the source that were loaded … */
	uint8_t bits; /* … and how many of their bits count */
};

/* Numbers are in network order; 0 if it is absent. */
static uint32_t number(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a = nft_attr_nested_find(nest, type);

	return a && mnl_attr_validate(a, MNL_TYPE_U32) >= 0 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

/* nullptr if it is absent or not a string. */
static const char *string(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : nullptr;
}

/* The bytes of a NFTA_x_DATA attribute, at most max of them. */
static const uint8_t *bytes(const struct nlattr *nest, uint16_t type, size_t max, size_t *len)
{
	const struct nlattr *value = nft_attr_nested_find(
		nft_attr_nested_find(nest, type), NFTA_DATA_VALUE);

	*len = value ? mnl_attr_get_payload_len(value) : 0;
	return *len && *len <= max ? mnl_attr_get_payload(value) : nullptr;
}

/* Each of these answers: is it understood? */

static bool read_meta(struct reading *rd, const struct nlattr *data)
{
	if (number(data, NFTA_META_KEY) != NFT_META_IIFNAME ||
		!nft_attr_nested_find(data, NFTA_META_DREG))
		return false;
	rd->holds = HOLDS_INTERFACE;
	rd->reg = number(data, NFTA_META_DREG);
	return true;
}

/* Offsets of the source in the headers of IPv4 and IPv6 (RFC 791, RFC 8200). */
static bool read_payload(struct reading *rd, const struct nlattr *data)
{
	uint8_t family = rd->rule->family;
	uint32_t len = number(data, NFTA_PAYLOAD_LEN);

	if (number(data, NFTA_PAYLOAD_BASE) != NFT_PAYLOAD_NETWORK_HEADER ||
		number(data, NFTA_PAYLOAD_OFFSET) != (family == AF_INET ? 12 : 8) || !len ||
		len > addr_bytes(family))
		return false;
	rd->holds = HOLDS_SOURCE;
	rd->reg = number(data, NFTA_PAYLOAD_DREG);
	rd->len = (uint8_t)len;
	rd->bits = (uint8_t)(len * 8);
	return true;
}

int nft_mask_bits(const uint8_t *mask, size_t len)
{
	int bits = 0;

	while ((size_t)bits < len * 8 && mask[bits / 8] & 0x80 >> bits % 8)
		bits++;
	for (size_t i = (size_t)bits; i < len * 8; i++)
		if (mask[i / 8] & 0x80 >> i % 8)
			return -1;
	return bits;
}

static bool read_bitwise(struct reading *rd, const struct nlattr *data)
{
	static const uint8_t zero[16];
	size_t len, xor_len;
	const uint8_t *mask = bytes(data, NFTA_BITWISE_MASK, sizeof(zero), &len);
	const uint8_t *xor = bytes(data, NFTA_BITWISE_XOR, sizeof(zero), &xor_len);

	if (rd->holds != HOLDS_SOURCE || number(data, NFTA_BITWISE_SREG) != rd->reg || !mask ||
		!xor|| len != rd->len || xor_len != len || memcmp(xor, zero, len) != 0 ||
		number(data, NFTA_BITWISE_OP) != 0 /* mask and xor */)
		return false;
	int bits = nft_mask_bits(mask, len);
	if (bits < 0)
		return false;
	rd->bits = (uint8_t)bits;
	rd->reg = number(data, NFTA_BITWISE_DREG);
	return true;
}

static bool compare_interface(struct reading *rd, enum nft_term term, const struct nlattr *data)
{
	struct nft_foreign_rule *r = rd->rule;
	size_t len;
	const uint8_t *name = bytes(data, NFTA_CMP_DATA, sizeof(r->interface), &len);

	if (!name || r->interface_term != NFT_TERM_ABSENT)
		return false;
	memcpy(r->interface, name, len);
	r->interface_len = (uint8_t)len;
	r->interface_term = term;
	return true;
}

static bool compare_source(struct reading *rd, enum nft_term term, const struct nlattr *data)
{
	struct nft_foreign_rule *r = rd->rule;
	size_t len;
	const uint8_t *value = bytes(data, NFTA_CMP_DATA, rd->len, &len);

	if (!value || len != rd->len || r->source_term != NFT_TERM_ABSENT)
		return false;
	r->source = (struct prefix){.addr.family = r->family, .len = rd->bits};
	memcpy(r->source.addr.b, value, len);
	r->source_term = term;
	return true;
}

static bool read_cmp(struct reading *rd, const struct nlattr *data)
{
	uint32_t op = number(data, NFTA_CMP_OP);

	if (rd->holds == HOLDS_NOTHING || number(data, NFTA_CMP_SREG) != rd->reg ||
		(op != NFT_CMP_EQ && op != NFT_CMP_NEQ))
		return false;
	enum nft_term term = op == NFT_CMP_EQ ? NFT_TERM_IS : NFT_TERM_IS_NOT;
	return rd->holds == HOLDS_INTERFACE ? compare_interface(rd, term, data)
					    : compare_source(rd, term, data);
}

static bool read_immediate(struct reading *rd, const struct nlattr *data)
{
	struct nft_foreign_rule *r = rd->rule;
	const struct nlattr *verdict = nft_attr_nested_find(
		nft_attr_nested_find(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
	const char *chain = string(nft_attr_nested_find(verdict, NFTA_VERDICT_CHAIN));

	if (!verdict || number(data, NFTA_IMMEDIATE_DREG) != NFT_REG_VERDICT)
		return false;
	r->verdict = (int)number(verdict, NFTA_VERDICT_CODE);
	if (chain && strlen(chain) < sizeof(r->target))
		memcpy(r->target, chain, strlen(chain) + 1);
	return true;
}

/* What iptables-restore(8) makes of a comment: xt_comment, which says nothing about packets. */
static bool read_match(struct reading *rd, const struct nlattr *data)
{
	const char *name = string(nft_attr_nested_find(data, NFTA_MATCH_NAME));
	const struct nlattr *info = nft_attr_nested_find(data, NFTA_MATCH_INFO);

	if (!name || strcmp(name, "comment") != 0)
		return false;
	if (info && mnl_attr_get_payload_len(info) >= sizeof(MARK_REMEDY) &&
		!memcmp(mnl_attr_get_payload(info), MARK_REMEDY, sizeof(MARK_REMEDY)))
		rd->rule->ours = true;
	return true;
}

static bool read_nothing(struct reading *, const struct nlattr *)
{
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct reading *rd, const struct nlattr *data);
} expressions[] = {
	{"meta", read_meta},
	{"payload", read_payload},
	{"bitwise", read_bitwise},
	{"cmp", read_cmp},
	{"immediate", read_immediate},
	{"match", read_match},
	{"counter", read_nothing},
	{"log", read_nothing},
};

static bool read_expression(struct reading *rd, const struct nlattr *expr)
{
	const char *name = string(nft_attr_nested_find(expr, NFTA_EXPR_NAME));

	for (size_t i = 0; name && i < sizeof(expressions) / sizeof(expressions[0]); i++)
		if (strcmp(name, expressions[i].name) == 0)
			return expressions[i].read(rd, nft_attr_nested_find(expr, NFTA_EXPR_DATA));
	return false;
}

static bool has_our_comment(const struct nlattr *userdata)
{
	const uint8_t *at = mnl_attr_get_payload(userdata);
	size_t left = mnl_attr_get_payload_len(userdata);

	while (left >= 2 && left - 2 >= at[1]) {
		size_t len = at[1];
		if (at[0] == UDATA_COMMENT && len == sizeof(MARK_REMEDY) &&
			!memcmp(at + 2, MARK_REMEDY, len))
			return true;
		at += 2 + len;
		left -= 2 + len;
	}
	return false;
}

static uint8_t family_of(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return AF_UNSPEC;
	return nfg->nfgen_family == NFPROTO_IPV4 || nfg->nfgen_family == NFPROTO_IPV6
		       ? nfg->nfgen_family
		       : AF_UNSPEC;
}

int nft_foreign_rule_read(const struct nlmsghdr *nlh, struct nft_foreign_rule *out)
{
	static_assert(NFPROTO_IPV4 == AF_INET && NFPROTO_IPV6 == AF_INET6);
	struct nft_foreign_rule rule = {
		.family = family_of(nlh), .certain = true, .verdict = NFT_CONTINUE};
	struct reading rd = {.rule = &rule};

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) || !rule.family)
		return -EBADMSG;
	const struct nlattr *handle = nft_attr_find(nlh, NFT_HEADER, NFTA_RULE_HANDLE);
	const struct nlattr *userdata = nft_attr_find(nlh, NFT_HEADER, NFTA_RULE_USERDATA);
	const struct nlattr *list = nft_attr_find(nlh, NFT_HEADER, NFTA_RULE_EXPRESSIONS);
	if (!handle || mnl_attr_validate(handle, MNL_TYPE_U64) < 0)
		return -EBADMSG;
	rule.handle = be64toh(mnl_attr_get_u64(handle));
	rule.ours = userdata && has_our_comment(userdata);
	const struct nlattr *expr = list ? nft_attr_nested_first(list) : nullptr;
	for (; expr; expr = nft_attr_nested_next(list, expr))
		rule.certain &= read_expression(&rd, expr);
	*out = rule;
	return 0;
}

static bool is_interface(const struct nft_foreign_rule *r, const char *interface)
{
	uint8_t padded[IFNAMSIZ] = {};

	memcpy(padded, interface, strnlen(interface, IFNAMSIZ - 1));
	return memcmp(padded, r->interface, r->interface_len) == 0;
}

static enum nft_meets meets_source(const struct nft_foreign_rule *r, const struct prefix *range)
{
	bool is = r->source_term != NFT_TERM_IS_NOT;

	if (r->source_term == NFT_TERM_ABSENT || prefix_contains(&r->source, range))
		return is ? NFT_MEETS_ALL : NFT_MEETS_NONE;
	if (prefix_overlaps(&r->source, range))
		return NFT_MEETS_SOME;
	return is ? NFT_MEETS_NONE : NFT_MEETS_ALL;
}

enum nft_meets nft_foreign_rule_meets(
	const struct nft_foreign_rule *r, const char *interface, const struct prefix *range)
{
	bool entered = r->interface_term == NFT_TERM_ABSENT ||
		       is_interface(r, interface) == (r->interface_term == NFT_TERM_IS);

	return entered ? meets_source(r, range) : NFT_MEETS_NONE;
}
