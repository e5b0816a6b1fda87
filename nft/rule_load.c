/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_load: expressions that load something of the packet. Where one can also set it, that is said
 * at once.
 */
#include "nft/rule_int.h"
#include <linux/netfilter.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static struct nft_operand *load(
	struct nft_words *w, uint32_t reg, enum nft_value value, const char *name)
{
	struct nft_operand *o = nft_operand_add(w, reg);

	o->value = value;
	snprintf(o->name, sizeof(o->name), "%s", name);
	return o;
}

/* "NAME set VALUE" */
static void say_set(struct nft_words *w, const char *name, uint32_t reg, enum nft_value value)
{
	const struct nft_operand *o = nft_operand_at(w, reg);
	char buf[NFT_VALUE_LEN];

	if (!o)
		nft_say(w, "%s set [register]", name);
	else if (o->name[0])
		nft_say(w, "%s set %s", name, o->name);
	else
		nft_say(w, "%s set %s", name, nft_value_str(value, o->data, o->len, buf));
	w->n = 0;
}

/* ---- meta ---- */

static const struct meta {
	uint32_t key;
	enum nft_value value;
	const char *name;
} metas[] = {
	{NFT_META_IIFNAME, VALUE_NAME, "iifname"},
	{NFT_META_OIFNAME, VALUE_NAME, "oifname"},
	{NFT_META_IIF, VALUE_HOST, "iif"},
	{NFT_META_OIF, VALUE_HOST, "oif"},
	{NFT_META_L4PROTO, VALUE_PROTO, "meta l4proto"},
	{NFT_META_NFPROTO, VALUE_NFPROTO, "meta nfproto"},
	{NFT_META_PROTOCOL, VALUE_HEX, "meta protocol"},
	{NFT_META_MARK, VALUE_MARK, "meta mark"},
	{NFT_META_NFTRACE, VALUE_HOST, "meta nftrace"},
	{NFT_META_LEN, VALUE_HOST, "meta length"},
	{NFT_META_SKUID, VALUE_HOST, "meta skuid"},
	{NFT_META_SKGID, VALUE_HOST, "meta skgid"},
	{NFT_META_PKTTYPE, VALUE_HOST, "meta pkttype"},
	{NFT_META_IIFGROUP, VALUE_HOST, "iifgroup"},
	{NFT_META_OIFGROUP, VALUE_HOST, "oifgroup"},
	{NFT_META_IIFTYPE, VALUE_HOST, "iiftype"},
	{NFT_META_OIFTYPE, VALUE_HOST, "oiftype"},
	{NFT_META_IIFKIND, VALUE_NAME, "iifkind"},
	{NFT_META_OIFKIND, VALUE_NAME, "oifkind"},
	{NFT_META_BRI_IIFNAME, VALUE_NAME, "ibrname"},
	{NFT_META_BRI_OIFNAME, VALUE_NAME, "obrname"},
	{NFT_META_PRIORITY, VALUE_HOST, "meta priority"},
	{NFT_META_CGROUP, VALUE_HOST, "meta cgroup"},
	{NFT_META_PRANDOM, VALUE_HOST, "meta random"},
	{NFT_META_SECPATH, VALUE_FIB_EXISTS, "meta ipsec"},
};

static void on_meta(struct nft_words *w, const struct nftnl_expr *e)
{
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY);
	struct meta unknown = {key, VALUE_HEX, "[meta]"};
	const struct meta *m = &unknown;

	for (size_t i = 0; i < sizeof(metas) / sizeof(metas[0]); i++)
		if (metas[i].key == key)
			m = &metas[i];
	if (nftnl_expr_is_set(e, NFTNL_EXPR_META_SREG))
		say_set(w, m->name, nftnl_expr_get_u32(e, NFTNL_EXPR_META_SREG), m->value);
	else
		load(w, nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG), m->value, m->name);
}

/* ---- payload ---- */

/* proto: that the field needs; of the network header its version, 0 = any. */
static const struct field {
	uint32_t base, offset, len; /* len: at most */
	uint8_t proto;
	enum nft_value value;
	const char *name;
} fields[] = {
	{NFT_PAYLOAD_NETWORK_HEADER, 12, 4, NFPROTO_IPV4, VALUE_ADDRESS, "ip saddr"},
	{NFT_PAYLOAD_NETWORK_HEADER, 16, 4, NFPROTO_IPV4, VALUE_ADDRESS, "ip daddr"},
	{NFT_PAYLOAD_NETWORK_HEADER, 9, 1, NFPROTO_IPV4, VALUE_PROTO, "ip protocol"},
	{NFT_PAYLOAD_NETWORK_HEADER, 8, 1, NFPROTO_IPV4, VALUE_NUMBER, "ip ttl"},
	{NFT_PAYLOAD_NETWORK_HEADER, 2, 2, NFPROTO_IPV4, VALUE_NUMBER, "ip length"},
	{NFT_PAYLOAD_NETWORK_HEADER, 6, 2, NFPROTO_IPV4, VALUE_HEX, "ip frag-off"},
	{NFT_PAYLOAD_NETWORK_HEADER, 8, 16, NFPROTO_IPV6, VALUE_ADDRESS6, "ip6 saddr"},
	{NFT_PAYLOAD_NETWORK_HEADER, 24, 16, NFPROTO_IPV6, VALUE_ADDRESS6, "ip6 daddr"},
	{NFT_PAYLOAD_NETWORK_HEADER, 6, 1, NFPROTO_IPV6, VALUE_PROTO, "ip6 nexthdr"},
	{NFT_PAYLOAD_NETWORK_HEADER, 7, 1, NFPROTO_IPV6, VALUE_NUMBER, "ip6 hoplimit"},
	{NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, IPPROTO_TCP, VALUE_TCP_FLAGS, "tcp flags"},
	{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, IPPROTO_ICMP, VALUE_NUMBER, "icmp type"},
	{NFT_PAYLOAD_TRANSPORT_HEADER, 1, 1, IPPROTO_ICMP, VALUE_NUMBER, "icmp code"},
	{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, IPPROTO_ICMPV6, VALUE_NUMBER, "icmpv6 type"},
	{NFT_PAYLOAD_TRANSPORT_HEADER, 1, 1, IPPROTO_ICMPV6, VALUE_NUMBER, "icmpv6 code"},
};

static const struct field *find_field(
	const struct nft_words *w, uint32_t base, uint32_t offset, uint32_t len)
{
	uint8_t proto = base == NFT_PAYLOAD_NETWORK_HEADER ? w->nfproto : w->l4proto;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		bool address = f->value == VALUE_ADDRESS || f->value == VALUE_ADDRESS6;
		bool part = address && len > 0 && len < f->len;
		if (f->base == base && f->offset == offset && (len == f->len || part) &&
			f->proto == proto)
			return f;
	}
	return nullptr;
}

/* "tcp dport", or "th dport" while the protocol is not known. */
static bool name_port(const struct nft_words *w, uint32_t base, uint32_t offset, uint32_t len,
	char *name, size_t size)
{
	static const uint8_t tcp = IPPROTO_TCP, udp = IPPROTO_UDP;

	if (base != NFT_PAYLOAD_TRANSPORT_HEADER || len != 2 || (offset != 0 && offset != 2))
		return false;
	snprintf(name, size, "%s %s",
		w->l4proto == tcp   ? "tcp"
		: w->l4proto == udp ? "udp"
				    : "th",
		offset ? "dport" : "sport");
	return true;
}

static void name_bytes(uint32_t base, uint32_t offset, uint32_t len, char *name, size_t size)
{
	static const char *const bases[] = {"ll", "nh", "th", "ih"};

	snprintf(name, size, "@%s,%u,%u", base < 4 ? bases[base] : "", offset * 8, len * 8);
}

/* What the name of a field says need not be said before. */
static void imply(struct nft_words *w, uint32_t base, const char *name)
{
	bool icmp = !strncmp(name, "icmp", 4);

	if (base == NFT_PAYLOAD_NETWORK_HEADER ? name[0] == 'i' : icmp)
		w->nfproto_words[0] = '\0';
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && name[0] != '@' && strncmp(name, "th ", 3) != 0)
		w->l4proto_words[0] = '\0';
}

static void on_payload(struct nft_words *w, const struct nftnl_expr *e)
{
	uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE);
	uint32_t offset = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
	uint32_t len = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	const struct field *f = find_field(w, base, offset, len);
	enum nft_value value = f ? f->value : VALUE_HEX;
	char name[40];

	if (f)
		snprintf(name, sizeof(name), "%s", f->name);
	else if (name_port(w, base, offset, len, name, sizeof(name)))
		value = VALUE_NUMBER;
	else
		name_bytes(base, offset, len, name, sizeof(name));
	imply(w, base, name);
	if (nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_SREG))
		say_set(w, name, nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_SREG), value);
	else
		load(w, nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG), value, name);
}

/* ---- conntrack, routing ---- */

static const struct ct {
	uint32_t key;
	enum nft_value value;
	const char *name;
} cts[] = {
	{NFT_CT_STATE, VALUE_CT_STATE, "state"},
	{NFT_CT_STATUS, VALUE_CT_STATUS, "status"},
	{NFT_CT_MARK, VALUE_MARK, "mark"},
	{NFT_CT_DIRECTION, VALUE_CT_DIR, "direction"},
	{NFT_CT_L3PROTOCOL, VALUE_NFPROTO, "l3proto"},
	{NFT_CT_PROTOCOL, VALUE_PROTO, "protocol"},
	{NFT_CT_PROTO_SRC, VALUE_NUMBER, "proto-src"},
	{NFT_CT_PROTO_DST, VALUE_NUMBER, "proto-dst"},
	{NFT_CT_SRC_IP, VALUE_ADDRESS, "ip saddr"},
	{NFT_CT_DST_IP, VALUE_ADDRESS, "ip daddr"},
	{NFT_CT_SRC_IP6, VALUE_ADDRESS, "ip6 saddr"},
	{NFT_CT_DST_IP6, VALUE_ADDRESS, "ip6 daddr"},
	{NFT_CT_SRC, VALUE_ADDRESS, "saddr"},
	{NFT_CT_DST, VALUE_ADDRESS, "daddr"},
	{NFT_CT_ZONE, VALUE_HOST, "zone"},
	{NFT_CT_HELPER, VALUE_NAME, "helper"},
	{NFT_CT_EXPIRATION, VALUE_HOST, "expiration"},
};

static void on_ct(struct nft_words *w, const struct nftnl_expr *e)
{
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY);
	struct ct unknown = {key, VALUE_HEX, "[key]"};
	const struct ct *c = &unknown;
	const char *dir = "";
	char name[40];

	for (size_t i = 0; i < sizeof(cts) / sizeof(cts[0]); i++)
		if (cts[i].key == key)
			c = &cts[i];
	if (nftnl_expr_is_set(e, NFTNL_EXPR_CT_DIR))
		dir = nftnl_expr_get_u8(e, NFTNL_EXPR_CT_DIR) ? "reply " : "original ";
	snprintf(name, sizeof(name), "ct %s%s", dir, c->name);
	if (nftnl_expr_is_set(e, NFTNL_EXPR_CT_SREG))
		say_set(w, name, nftnl_expr_get_u32(e, NFTNL_EXPR_CT_SREG), c->value);
	else
		load(w, nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG), c->value, name);
}

static const struct {
	uint32_t flag;
	const char *name;
} fib_flags[] = {
	{NFTA_FIB_F_SADDR, "saddr"},
	{NFTA_FIB_F_DADDR, "daddr"},
	{NFTA_FIB_F_MARK, "mark"},
	{NFTA_FIB_F_IIF, "iif"},
	{NFTA_FIB_F_OIF, "oif"},
};
static const struct {
	enum nft_value value;
	const char *name;
} fib_results[] = {
	[NFT_FIB_RESULT_OIF] = {VALUE_HOST, "oif"},
	[NFT_FIB_RESULT_OIFNAME] = {VALUE_NAME, "oifname"},
	[NFT_FIB_RESULT_ADDRTYPE] = {VALUE_FIB_TYPE, "type"},
};

/* "fib saddr . iif oif" */
static void on_fib(struct nft_words *w, const struct nftnl_expr *e)
{
	uint32_t flags = nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_FLAGS);
	uint32_t result = nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_RESULT);
	enum nft_value value = VALUE_HEX;
	const char *what = "[result]";
	char name[80] = "fib";
	size_t at = strlen(name);

	for (size_t i = 0; i < sizeof(fib_flags) / sizeof(fib_flags[0]); i++)
		if (flags & fib_flags[i].flag)
			at += (size_t)snprintf(name + at, sizeof(name) - at, "%s %s",
				at > strlen("fib") ? " ." : "", fib_flags[i].name);
	if (result && result < sizeof(fib_results) / sizeof(fib_results[0])) {
		value = fib_results[result].value;
		what = fib_results[result].name;
	}
	if (flags & NFTA_FIB_F_PRESENT)
		value = VALUE_FIB_EXISTS;
	snprintf(name + at, sizeof(name) - at, " %s", what);
	load(w, nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_DREG), value, name);
	w->rule->fib |= flags & NFTA_FIB_F_SADDR;
}

/* ---- of what is loaded ---- */

static bool is_zero(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return false;
	return true;
}

static const uint8_t *data_of(const struct nftnl_expr *e, uint16_t attr, uint32_t *len)
{
	const uint8_t *data = nftnl_expr_is_set(e, attr) ? nftnl_expr_get(e, attr, len) : nullptr;

	return data && *len <= NFT_DATA_LEN ? data : nullptr;
}

/* A mask, or a mask and bits that are set: what is then written somewhere. */
static void on_bitwise(struct nft_words *w, const struct nftnl_expr *e)
{
	struct nft_operand *o = nft_operand_at(w, nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_SREG));
	uint32_t len = 0, xor_len = 0;
	const uint8_t *mask = data_of(e, NFTNL_EXPR_BITWISE_MASK, &len);
	const uint8_t *xor = data_of(e, NFTNL_EXPR_BITWISE_XOR, &xor_len);
	char mask_text[NFT_VALUE_LEN], xor_text[NFT_VALUE_LEN], name[sizeof(o->name)];

	if (!o)
		return;
	o->reg = nft_register(nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG));
	if (!mask || !xor|| o->masked) {
		snprintf(o->name, sizeof(o->name), "[bitwise]");
		return;
	}
	if (is_zero(xor, xor_len)) {
		o->masked = true;
		o->len = len;
		memcpy(o->data, mask, len);
		return;
	}
	snprintf(name, sizeof(name), "%s", o->name);
	snprintf(o->name, sizeof(o->name), "%.40s & %.16s ^ %.16s", name,
		nft_value_str(VALUE_MARK, mask, len, mask_text),
		nft_value_str(VALUE_MARK, xor, xor_len, xor_text));
}

/* In another order of bytes it is the same. */
static void on_byteorder(struct nft_words *w, const struct nftnl_expr *e)
{
	struct nft_operand *o = nft_operand_at(w, nftnl_expr_get_u32(e, NFTNL_EXPR_BYTEORDER_SREG));

	if (o)
		o->reg = nft_register(nftnl_expr_get_u32(e, NFTNL_EXPR_BYTEORDER_DREG));
}

const struct nft_word_row nft_words_load[] = {
	{"meta", on_meta},
	{"payload", on_payload},
	{"ct", on_ct},
	{"fib", on_fib},
	{"bitwise", on_bitwise},
	{"byteorder", on_byteorder},
	{},
};
