/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/rule.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/rule_int.h"
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct nft_words *w, const char *text)
{
	char *out = w->rule->text;
	size_t room = sizeof(w->rule->text) - w->len, n = strlen(text);

	if (n >= room)
		n = room - 1;
	memcpy(out + w->len, text, n);
	w->len += n;
	out[w->len] = '\0';
}

static void append_word(struct nft_words *w, const char *text)
{
	if (w->len)
		append(w, " ");
	append(w, text);
}

static void append_deferred(struct nft_words *w, char *words)
{
	if (words[0])
		append_word(w, words);
	words[0] = '\0';
}

void nft_say(struct nft_words *w, const char *fmt, ...)
{
	char text[NFT_RULE_TEXT_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	append_deferred(w, w->nfproto_words);
	append_deferred(w, w->l4proto_words);
	append_word(w, text);
	w->open = false;
}

void nft_say_on(struct nft_words *w, const char *text)
{
	append(w, text);
	w->open = false;
}

uint32_t nft_register(uint32_t reg)
{
	return reg < NFT_REG32_00 ? (reg - NFT_REG_1) * 4 : reg - NFT_REG32_00;
}

struct nft_operand *nft_operand_at(struct nft_words *w, uint32_t reg)
{
	for (size_t i = w->n; i-- > 0;)
		if (w->operands[i].reg == nft_register(reg))
			return &w->operands[i];
	return nullptr;
}

struct nft_operand *nft_operand_add(struct nft_words *w, uint32_t reg)
{
	if (w->n == NFT_OPERANDS)
		w->n = 0;
	struct nft_operand *o = &w->operands[w->n++];
	*o = (struct nft_operand){.reg = nft_register(reg)};
	return o;
}

static bool say_by(const struct nft_word_row *rows, struct nft_words *w, const char *name,
	const struct nftnl_expr *e)
{
	for (; rows->name; rows++) {
		if (strcmp(rows->name, name) != 0)
			continue;
		rows->say(w, e);
		return true;
	}
	return false;
}

static int on_expr(struct nftnl_expr *e, void *words)
{
	struct nft_words *w = words;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	if (!name || say_by(nft_words_load, w, name, e) || say_by(nft_words_say, w, name, e) ||
		say_by(nft_words_xt, w, name, e))
		return 0;
	nft_say(w, "[%s]", name);
	return 0;
}

/* libnftnl's user data: type, length, value (include/libnftnl/udata.h). */
static void say_comment(struct nft_words *w, const struct nftnl_rule *r)
{
	uint32_t left = 0;
	const uint8_t *at = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &left);

	while (at && left >= 2 && left - 2U >= at[1]) {
		uint32_t len = at[1];
		if (at[0] == NFTNL_UDATA_RULE_COMMENT)
			nft_say(w, "comment \"%.*s\"", (int)len, (const char *)at + 2);
		at += 2 + len;
		left -= 2 + len;
	}
}

/* Of what all packets in a table are. */
static uint8_t one_family(uint8_t family)
{
	return family == NFPROTO_IPV4 || family == NFPROTO_IPV6 ? family : 0;
}

static void copy_name(char out[static NFT_STEP_NAME_LEN], const char *name)
{
	snprintf(out, NFT_STEP_NAME_LEN, "%s", name ? name : "");
}

int nft_rule_read(const struct nlmsghdr *nlh, struct nft_rule *out)
{
	autonftnl(rule) *r = nftnl_need(nftnl_rule_alloc());

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) ||
		mnl_nlmsg_get_payload_len(nlh) < NFT_HEADER || nftnl_rule_nlmsg_parse(nlh, r) < 0 ||
		!nftnl_rule_is_set(r, NFTNL_RULE_HANDLE))
		return -EBADMSG;
	*out = (struct nft_rule){
		.family = (uint8_t)nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY),
		.handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE),
		.verdict = NFT_CONTINUE,
	};
	copy_name(out->table, nftnl_rule_get_str(r, NFTNL_RULE_TABLE));
	copy_name(out->chain, nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
	struct nft_words w = {.rule = out, .nfproto = one_family(out->family)};
	nftnl_expr_foreach(r, on_expr, &w);
	append_deferred(&w, w.nfproto_words);
	append_deferred(&w, w.l4proto_words);
	say_comment(&w, r);
	return 0;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	if (nft_rule_read(nlh, arg) == 0)
		return MNL_CB_OK;
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

int nft_rule_find(struct nl_sock *s, uint8_t family, const char *table, const char *chain,
	uint64_t handle, struct nft_rule *out, struct err *err)
{
	struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0};
	struct nl_message m;
	struct nlmsghdr *nlh = nl_begin(
		&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0, &header, sizeof(header));

	if (strlen(table) >= NFT_STEP_NAME_LEN || strlen(chain) >= NFT_STEP_NAME_LEN)
		return err_set(err, ENAMETOOLONG, "rule: the name of its chain is too long");
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(handle));
	int r = nl_query(s, nlh, on_rule, out, err);
	return r < 0 ? err_ctx(err, "rule %llu of chain %s", (unsigned long long)handle, chain) : 0;
}

const char *nft_family_str(uint8_t nfproto)
{
	static const char *const names[] = {
		[NFPROTO_INET] = "inet",
		[NFPROTO_IPV4] = "ip",
		[NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev",
		[NFPROTO_BRIDGE] = "bridge",
		[NFPROTO_IPV6] = "ip6",
	};

	return nfproto < sizeof(names) / sizeof(names[0]) && names[nfproto] ? names[nfproto] : "";
}
