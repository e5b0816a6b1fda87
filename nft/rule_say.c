/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_say: expressions that ask something of what is loaded, and those that do something.
 */
#include "nft/rule_int.h"
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

static bool is_named(const struct nft_operand *o, const char *name)
{
	return !strcmp(o->name, name);
}

static bool is_zero(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return false;
	return true;
}

/* ---- what a diagnosis asks about the rule ---- */

static void note_oif(struct nft_rule *r, enum nft_term term, const uint8_t *data, size_t len)
{
	size_t n = strnlen((const char *)data, len);

	if (r->oif_term != NFT_TERM_ABSENT || n >= sizeof(r->oif))
		return;
	memcpy(r->oif, data, n);
	r->oif_prefix = n == len;
	r->oif_term = term;
}

static void note_source(struct nft_rule *r, enum nft_term term, const struct nft_operand *o,
	const uint8_t *data, size_t len)
{
	int bits = !o->masked ? (int)len * 8 : o->len == len ? nft_mask_bits(o->data, len) : -1;
	uint8_t family = is_named(o, "ip saddr") ? AF_INET : AF_INET6;

	if (r->source_term != NFT_TERM_ABSENT || bits < 0 || len > addr_bytes(family))
		return;
	r->source = (struct prefix){.addr.family = family, .len = (uint8_t)bits};
	memcpy(r->source.addr.b, data, len);
	r->source_term = term;
}

static void note_ct_state(struct nft_rule *r, uint32_t op, const struct nft_operand *o,
	const uint8_t *data, size_t len)
{
	uint32_t bits = 0;
	const uint8_t *from = o->masked ? o->data : data;

	if (o->masked ? op != NFT_CMP_NEQ || !is_zero(data, len) : op != NFT_CMP_EQ)
		return;
	memcpy(&bits, from, len < sizeof(bits) ? len : sizeof(bits));
	if (bits & NF_CT_STATE_INVALID_BIT)
		r->ct_invalid = true;
}

static void note_cmp(struct nft_words *w, uint32_t op, const struct nft_operand *o,
	const uint8_t *data, size_t len)
{
	enum nft_term term = op == NFT_CMP_EQ ? NFT_TERM_IS : NFT_TERM_IS_NOT;

	if (op != NFT_CMP_EQ && op != NFT_CMP_NEQ)
		return;
	if (is_named(o, "oifname"))
		note_oif(w->rule, term, data, len);
	else if (is_named(o, "ip saddr") || is_named(o, "ip6 saddr"))
		note_source(w->rule, term, o, data, len);
	else if (o->value == VALUE_CT_STATE)
		note_ct_state(w->rule, op, o, data, len);
	else if (op == NFT_CMP_EQ && o->value == VALUE_PROTO && !o->masked)
		w->l4proto = data[0];
	else if (op == NFT_CMP_EQ && o->value == VALUE_NFPROTO)
		w->nfproto = data[0];
}

/* ---- comparisons ---- */

static const char *const operators[] = {
	[NFT_CMP_EQ] = "",
	[NFT_CMP_NEQ] = "!= ",
	[NFT_CMP_LT] = "< ",
	[NFT_CMP_LTE] = "<= ",
	[NFT_CMP_GT] = "> ",
	[NFT_CMP_GTE] = ">= ",
};

static const char *operator_str(uint32_t op)
{
	return op < sizeof(operators) / sizeof(operators[0]) ? operators[op] : "? ";
}

static bool is_bits(enum nft_value value)
{
	return value == VALUE_CT_STATE || value == VALUE_CT_STATUS || value == VALUE_TCP_FLAGS;
}

static void say_masked(struct nft_words *w, uint32_t op, const struct nft_operand *o,
	const uint8_t *data, uint32_t len)
{
	char mask[NFT_VALUE_LEN], value[NFT_VALUE_LEN];
	int bits = nft_mask_bits(o->data, o->len);

	nft_value_str(o->value, data, len, value);
	nft_value_str(o->value, o->data, o->len, mask);
	if ((o->value == VALUE_ADDRESS || o->value == VALUE_ADDRESS6) && bits >= 0)
		nft_say(w, "%s %s%s/%d", o->name, operator_str(op), value, bits);
	else if (is_bits(o->value) && is_zero(data, len) && op == NFT_CMP_NEQ)
		nft_say(w, "%s %s", o->name, mask);
	else
		nft_say(w, "%s & %s %s %s", o->name, mask,
			op == NFT_CMP_EQ ? "==" : operator_str(op),
			is_zero(data, len) ? "0" : value);
}

/* A range is two comparisons. */
static void say_compared(struct nft_words *w, uint32_t op, const struct nft_operand *o,
	const uint8_t *data, uint32_t len)
{
	char value[NFT_VALUE_LEN];
	bool end = w->open && op == NFT_CMP_LTE;

	nft_value_str(o->value, data, len, value);
	if (end) {
		nft_say_on(w, value);
	} else if (op == NFT_CMP_GTE) {
		nft_say(w, "%s %s-", o->name, value);
		w->open = true;
	} else {
		nft_say(w, "%s %s%s", o->name, operator_str(op), value);
	}
}

/* Is it said later, perhaps? */
static bool defer(struct nft_words *w, uint32_t op, const struct nft_operand *o,
	const uint8_t *data, uint32_t len)
{
	char value[NFT_VALUE_LEN];
	char *words = is_named(o, "meta nfproto")   ? w->nfproto_words
		      : is_named(o, "meta l4proto") ? w->l4proto_words
						    : nullptr;

	if (!words || op != NFT_CMP_EQ || words[0])
		return false;
	snprintf(words, sizeof(w->l4proto_words), "%.16s %.20s", o->name,
		nft_value_str(o->value, data, len, value));
	return true;
}

static void on_cmp(struct nft_words *w, const struct nftnl_expr *e)
{
	const struct nft_operand *o = nft_operand_at(w, nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG));
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP), len = 0;
	const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);

	if (!o || !data || !len || len > NFT_DATA_LEN) {
		nft_say(w, "[cmp]");
		return;
	}
	note_cmp(w, op, o, data, len);
	if (o->masked)
		say_masked(w, op, o, data, len);
	else if (!defer(w, op, o, data, len))
		say_compared(w, op, o, data, len);
	if (!w->open)
		w->n = 0;
}

static void on_range(struct nft_words *w, const struct nftnl_expr *e)
{
	const struct nft_operand *o = nft_operand_at(
		w, nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_SREG));
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_OP), len = 0, to_len = 0;
	const uint8_t *from = nftnl_expr_get(e, NFTNL_EXPR_RANGE_FROM_DATA, &len);
	const uint8_t *to = nftnl_expr_get(e, NFTNL_EXPR_RANGE_TO_DATA, &to_len);
	char first[NFT_VALUE_LEN], last[NFT_VALUE_LEN];

	if (!o || !from || !to) {
		nft_say(w, "[range]");
		return;
	}
	nft_say(w, "%s %s%s-%s", o->name, op == NFT_RANGE_NEQ ? "!= " : "",
		nft_value_str(o->value, from, len, first),
		nft_value_str(o->value, to, to_len, last));
	w->n = 0;
}

/* ---- sets ---- */

/* All that is loaded, as a concatenation. */
static void join_operands(struct nft_words *w, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < w->n && at < size; i++)
		at += (size_t)snprintf(
			buf + at, size - at, "%s%s", i ? " . " : "", w->operands[i].name);
	w->n = 0;
}

static void on_lookup(struct nft_words *w, const struct nftnl_expr *e)
{
	const char *set = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
	bool is_map = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG);
	uint32_t to = is_map ? nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG) : 0;
	bool inverted = nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	char key[200];

	/* Whoever decides by a map of states drops the invalid ones, if any. */
	if (is_map && to == NFT_REG_VERDICT && w->n && w->operands[0].value == VALUE_CT_STATE)
		w->rule->ct_invalid = true;
	join_operands(w, key, sizeof(key));
	if (!is_map) {
		nft_say(w, "%s %s@%s", key, inverted ? "!= " : "", set);
	} else if (to == NFT_REG_VERDICT) {
		nft_say(w, "%s vmap @%s", key, set);
	} else {
		struct nft_operand *o = nft_operand_add(w, to);
		snprintf(o->name, sizeof(o->name), "%.40s map @%.30s", key, set);
	}
}

static void on_dynset(struct nft_words *w, const struct nftnl_expr *e)
{
	static const char *const ops[] = {"add", "update", "delete"};
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_DYNSET_OP);
	char key[200];

	join_operands(w, key, sizeof(key));
	nft_say(w, "%s @%s { %s }", op < 3 ? ops[op] : "?",
		nftnl_expr_get_str(e, NFTNL_EXPR_DYNSET_SET_NAME), key);
}

/* ---- verdicts ---- */

static const struct {
	int verdict;
	const char *name;
} verdicts[] = {
	{NF_ACCEPT, "accept"},
	{NF_DROP, "drop"},
	{NFT_RETURN, "return"},
	{NFT_CONTINUE, "continue"},
	{NFT_JUMP, "jump "},
	{NFT_GOTO, "goto "},
};

static void on_verdict(struct nft_words *w, const struct nftnl_expr *e)
{
	struct nft_rule *r = w->rule;
	const char *chain = nftnl_expr_is_set(e, NFTNL_EXPR_IMM_CHAIN)
				    ? nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN)
				    : "";

	r->verdict = (int)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);
	snprintf(r->target, sizeof(r->target), "%s", chain);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (verdicts[i].verdict == r->verdict)
			nft_say(w, "%s%s", verdicts[i].name, chain);
}

static void on_immediate(struct nft_words *w, const struct nftnl_expr *e)
{
	uint32_t len = 0;

	if (nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT)) {
		on_verdict(w, e);
		return;
	}
	const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &len);
	struct nft_operand *o = nft_operand_add(w, nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG));
	if (data && len <= sizeof(o->data)) {
		memcpy(o->data, data, len);
		o->len = len;
	}
}

/* RFC 792, RFC 4443; icmpx is nftables' own (enum nft_reject_inet_code). */
static const struct {
	uint8_t kind, code; /* 4 = ICMP, 6 = ICMPv6, 0 = icmpx */
	const char *name;
} reject_codes[] = {
	{4, 0, "net-unreachable"},
	{4, 1, "host-unreachable"},
	{4, 2, "prot-unreachable"},
	{4, 3, "port-unreachable"},
	{4, 9, "net-prohibited"},
	{4, 10, "host-prohibited"},
	{4, 13, "admin-prohibited"},
	{6, 0, "no-route"},
	{6, 1, "admin-prohibited"},
	{6, 3, "addr-unreachable"},
	{6, 4, "port-unreachable"},
	{0, NFT_REJECT_ICMPX_NO_ROUTE, "no-route"},
	{0, NFT_REJECT_ICMPX_PORT_UNREACH, "port-unreachable"},
	{0, NFT_REJECT_ICMPX_HOST_UNREACH, "host-unreachable"},
	{0, NFT_REJECT_ICMPX_ADMIN_PROHIBITED, "admin-prohibited"},
};

static void on_reject(struct nft_words *w, const struct nftnl_expr *e)
{
	uint32_t type = nftnl_expr_get_u32(e, NFTNL_EXPR_REJECT_TYPE);
	uint8_t code = nftnl_expr_get_u8(e, NFTNL_EXPR_REJECT_CODE);
	uint8_t kind = type == NFT_REJECT_ICMPX_UNREACH ? 0 : w->nfproto == NFPROTO_IPV6 ? 6 : 4;
	const char *name = "";

	w->rule->rejects = true;
	w->rule->verdict = NF_DROP;
	if (type == NFT_REJECT_TCP_RST) {
		w->l4proto_words[0] = '\0';
		nft_say(w, "reject with tcp reset");
		return;
	}
	for (size_t i = 0; i < sizeof(reject_codes) / sizeof(reject_codes[0]); i++)
		if (reject_codes[i].kind == kind && reject_codes[i].code == code)
			name = reject_codes[i].name;
	nft_say(w, "reject with %s %s", kind == 0 ? "icmpx" : kind == 6 ? "icmpv6" : "icmp", name);
}

/* ---- address translation ---- */

static void on_masq(struct nft_words *w, const struct nftnl_expr *)
{
	w->rule->source_nat = true;
	nft_say(w, "masquerade");
}

static const char *given(struct nft_words *w, const struct nftnl_expr *e, uint16_t attr,
	enum nft_value value, char buf[static NFT_VALUE_LEN])
{
	const struct nft_operand *o = nftnl_expr_is_set(e, attr)
					      ? nft_operand_at(w, nftnl_expr_get_u32(e, attr))
					      : nullptr;

	buf[0] = '\0';
	if (o && o->name[0])
		snprintf(buf, NFT_VALUE_LEN, "%s", o->name);
	else if (o)
		nft_value_str(value, o->data, o->len, buf);
	return buf;
}

static void on_nat(struct nft_words *w, const struct nftnl_expr *e)
{
	bool source = nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_SNAT;
	char address[NFT_VALUE_LEN], port[NFT_VALUE_LEN];

	given(w, e, NFTNL_EXPR_NAT_REG_ADDR_MIN, VALUE_ADDRESS, address);
	given(w, e, NFTNL_EXPR_NAT_REG_PROTO_MIN, VALUE_NUMBER, port);
	nft_say(w, "%s to %s%s%s", source ? "snat" : "dnat", address, port[0] ? ":" : "", port);
	w->rule->source_nat |= source;
	w->n = 0;
}

static void on_redir(struct nft_words *w, const struct nftnl_expr *e)
{
	char port[NFT_VALUE_LEN];

	given(w, e, NFTNL_EXPR_REDIR_REG_PROTO_MIN, VALUE_NUMBER, port);
	nft_say(w, "redirect%s%s", port[0] ? " to :" : "", port);
	w->n = 0;
}

/* ---- the rest ---- */

static void on_limit(struct nft_words *w, const struct nftnl_expr *e)
{
	uint64_t unit = nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_UNIT);
	bool over = nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_FLAGS) & NFT_LIMIT_F_INV;
	bool bytes = nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_TYPE) == NFT_LIMIT_PKT_BYTES;

	nft_say(w, "limit rate %s%llu%s/%s", over ? "over " : "",
		(unsigned long long)nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_RATE),
		bytes ? " bytes" : "",
		unit == 1      ? "second"
		: unit == 60   ? "minute"
		: unit == 3600 ? "hour"
			       : "day");
}

static void on_log(struct nft_words *w, const struct nftnl_expr *e)
{
	if (nftnl_expr_is_set(e, NFTNL_EXPR_LOG_PREFIX))
		nft_say(w, "log prefix \"%s\"", nftnl_expr_get_str(e, NFTNL_EXPR_LOG_PREFIX));
	else
		nft_say(w, "log");
}

static void on_queue(struct nft_words *w, const struct nftnl_expr *e)
{
	nft_say(w, "queue to %u", nftnl_expr_get_u16(e, NFTNL_EXPR_QUEUE_NUM));
}

static void on_objref(struct nft_words *w, const struct nftnl_expr *e)
{
	if (nftnl_expr_is_set(e, NFTNL_EXPR_OBJREF_IMM_NAME) &&
		nftnl_expr_get_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE) != NFT_OBJECT_COUNTER)
		nft_say(w, "[object %s]", nftnl_expr_get_str(e, NFTNL_EXPR_OBJREF_IMM_NAME));
}

static void on_offload(struct nft_words *w, const struct nftnl_expr *e)
{
	nft_say(w, "flow add @%s", nftnl_expr_get_str(e, NFTNL_EXPR_FLOW_TABLE_NAME));
}

static void on_notrack(struct nft_words *w, const struct nftnl_expr *)
{
	nft_say(w, "notrack");
}

static void on_nothing(struct nft_words *, const struct nftnl_expr *)
{
}

const struct nft_word_row nft_words_say[] = {
	{"cmp", on_cmp},
	{"range", on_range},
	{"lookup", on_lookup},
	{"dynset", on_dynset},
	{"immediate", on_immediate},
	{"reject", on_reject},
	{"masq", on_masq},
	{"nat", on_nat},
	{"redir", on_redir},
	{"limit", on_limit},
	{"log", on_log},
	{"queue", on_queue},
	{"objref", on_objref},
	{"flow_offload", on_offload},
	{"notrack", on_notrack},
	{"counter", on_nothing},
	{"last", on_nothing},
	{},
};
