/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_xt: extensions of iptables in a rule of iptables-nft. They are bytes that only the extension
 * knows; those that matter to a diagnosis are read.
 */
#include "nft/rule_int.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>
#include <stddef.h>
#include <string.h>

/* The bits are those of nftables' ct state. */
static void say_states(struct nft_words *w, uint32_t states, bool inverted)
{
	char text[NFT_VALUE_LEN];
	const uint8_t *bits = (const uint8_t *)&states;

	nft_say(w, "ct state %s%s", inverted ? "!= " : "",
		nft_value_str(VALUE_CT_STATE, bits, sizeof(states), text));
	if (!inverted && states & XT_CONNTRACK_STATE_INVALID)
		w->rule->ct_invalid = true;
}

/* The states have the same place in revisions 2 and 3; revision 1 keeps eight bits of them there.
 */
static bool on_conntrack(struct nft_words *w, const uint8_t *info, uint32_t len, uint32_t revision)
{
	struct xt_conntrack_mtinfo2 i = {};

	static_assert(offsetof(struct xt_conntrack_mtinfo3, state_mask) ==
		      offsetof(struct xt_conntrack_mtinfo2, state_mask));
	if (len < sizeof(i) - sizeof(i.status_mask) || revision < 1)
		return false;
	memcpy(&i, info, len < sizeof(i) ? len : sizeof(i));
	if (!(i.match_flags & XT_CONNTRACK_STATE))
		return false;
	uint16_t states = revision == 1 ? info[offsetof(struct xt_conntrack_mtinfo1, state_mask)]
					: i.state_mask;
	say_states(w, states, i.invert_flags & XT_CONNTRACK_STATE);
	return true;
}

static bool on_state(struct nft_words *w, const uint8_t *info, uint32_t len, uint32_t)
{
	struct xt_state_info i;

	if (len < sizeof(i))
		return false;
	memcpy(&i, info, sizeof(i));
	say_states(w, i.statemask, false);
	return true;
}

static bool on_comment(struct nft_words *w, const uint8_t *info, uint32_t len, uint32_t)
{
	nft_say(w, "comment \"%.*s\"", (int)strnlen((const char *)info, len), (const char *)info);
	return true;
}

static bool on_rpfilter(struct nft_words *w, const uint8_t *, uint32_t, uint32_t)
{
	w->rule->fib = true;
	nft_say(w, "xt match rpfilter");
	return true;
}

static const struct {
	const char *name;
	bool (*say)(struct nft_words *w, const uint8_t *info, uint32_t len, uint32_t revision);
} matches[] = {
	{"conntrack", on_conntrack},
	{"state", on_state},
	{"comment", on_comment},
	{"rpfilter", on_rpfilter},
};

static void on_match(struct nft_words *w, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME);
	uint32_t len = 0;
	const uint8_t *info = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len);
	uint32_t revision = nftnl_expr_get_u32(e, NFTNL_EXPR_MT_REV);

	for (size_t i = 0; info && i < sizeof(matches) / sizeof(matches[0]); i++)
		if (!strcmp(matches[i].name, name) && matches[i].say(w, info, len, revision))
			return;
	nft_say(w, "xt match %s", name);
}

static void on_target(struct nft_words *w, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);

	w->rule->rejects |= !strcmp(name, "REJECT");
	w->rule->source_nat |= !strcmp(name, "MASQUERADE") || !strcmp(name, "SNAT") ||
			       !strcmp(name, "NETMAP");
	nft_say(w, "xt target %s", name);
}

const struct nft_word_row nft_words_xt[] = {
	{"match", on_match},
	{"target", on_target},
	{},
};
