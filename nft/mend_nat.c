/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/mend_nat.h"
#include "net/nl.h"
#include "nft/batch.h"
#include "nft/mend_int.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/txn.h"
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAT_TABLE "nat"

constexpr size_t WORD_LEN = 64;

/* The next word of a rule, without its quotation marks; nullptr = no more, or too long. */
static const char *next_word(const char **p, char word[static WORD_LEN])
{
	*p += strspn(*p, " ");
	size_t len = strcspn(*p, " ");
	bool quoted = len > 2 && (*p)[0] == '"' && (*p)[len - 1] == '"';
	if (!len || len >= WORD_LEN)
		return nullptr;
	snprintf(word, WORD_LEN, "%.*s", (int)(quoted ? len - 2 : len), *p + quoted);
	*p += len;
	return word;
}

static bool is_inside(const char *text, const struct nft_mend_nat *n)
{
	struct prefix p;

	if (prefix_parse(text, &p) < 0)
		return false;
	for (size_t i = 0; i < n->n_ranges; i++)
		if (prefix_contains(&n->ranges[i], &p))
			return true;
	return false;
}

/* By its name, or (iif, oif) by its number. */
static bool is_interface(const char *word, const char *name)
{
	char *end;
	unsigned long index = strtoul(word, &end, 10);

	return !strcmp(word, name) || (!*end && index && index == if_nametoindex(name));
}

bool nft_mend_is_nat(const char *rule, const struct nft_mend_nat *n)
{
	char what[WORD_LEN], value[WORD_LEN];
	bool from_mesh = false, to_lan = false;
	const char *p = rule;

	while (next_word(&p, what) && strcmp(what, "masquerade") != 0) {
		bool ip = !strcmp(what, "ip") || !strcmp(what, "ip6");
		if (ip && (!next_word(&p, what) || strcmp(what, "saddr") != 0))
			return false;
		if (!next_word(&p, value))
			return false;
		bool in = !strcmp(what, "iifname") || !strcmp(what, "iif");
		bool out = !strcmp(what, "oifname") || !strcmp(what, "oif");
		if ((in && !is_interface(value, n->mesh)) ||
			(out && !is_interface(value, n->lan)) || (ip && !is_inside(value, n)) ||
			!(in || out || ip))
			return false;
		from_mesh |= in || ip;
		to_lan |= out;
	}
	return !strcmp(what, "masquerade") && !p[strspn(p, " ")] &&
	       (from_mesh || (to_lan && n->alone));
}

struct table {
	size_t rules, others;
	char text[NFT_NAT_STRLEN]; /* of the rules */
	const struct nft_mend_nat *nat;
	bool is_nat;
};

static bool add_text(struct table *t, const char *rule)
{
	size_t at = strlen(t->text), len = strlen(rule), gap = at ? 2 : 0;

	if (at + gap + len >= sizeof(t->text))
		return false;
	memcpy(t->text + at, "; ", gap);
	memcpy(t->text + at + gap, rule, len + 1);
	return true;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct table *t = arg;
	struct nft_rule rule;

	t->rules++;
	t->is_nat &= nft_rule_read(nlh, &rule) == 0 &&
		     (!t->nat || nft_mend_is_nat(rule.text, t->nat)) && add_text(t, rule.text);
	return MNL_CB_OK;
}

static int on_other(const struct nlmsghdr *, void *arg)
{
	struct table *t = arg;

	t->others++;
	return MNL_CB_OK;
}

static void start_over(void *arg)
{
	const struct table *t = arg;
	*(struct table *)arg = (struct table){.nat = t->nat, .is_nat = true};
}

static int dump(struct nl_sock *s, uint16_t type, uint16_t table_attr, mnl_cb_t cb, struct table *t,
	struct err *err)
{
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	struct nl_message m;
	struct nlmsghdr *nlh = nl_begin(
		&m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, &header, sizeof(header));

	mnl_attr_put_strz(nlh, table_attr, NAT_TABLE);
	int r = nl_dump(s, nlh, cb, start_over, t, err);
	return r == -ENOENT ? 0 : r;
}

/* 1 = there is such a table and nothing else in it. */
static int look(struct nl_sock *s, struct table *t, uint32_t *generation, struct err *err)
{
	struct table rest = {};
	uint32_t after = 0;
	int r = nft_ruleset_generation(s, generation, err);

	t->is_nat = true;
	if (r >= 0)
		r = dump(s, NFT_MSG_GETRULE, NFTA_RULE_TABLE, on_rule, t, err);
	if (r >= 0)
		r = dump(s, NFT_MSG_GETSET, NFTA_SET_TABLE, on_other, &rest, err);
	if (r >= 0)
		r = dump(s, NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, on_other, &rest, err);
	if (r >= 0)
		r = nft_ruleset_generation(s, &after, err);
	if (r < 0)
		return err_ctx(err, "table inet " NAT_TABLE);
	return t->rules > 0 && t->is_nat && rest.others == 0 && after == *generation;
}

int nft_mend_find_nat(struct nl_sock *s, const struct nft_mend_nat *n,
	char text[static NFT_NAT_STRLEN], struct err *err)
{
	struct table t = {.nat = n};
	uint32_t generation = 0;
	int r = look(s, &t, &generation, err);

	memcpy(text, t.text, sizeof(t.text));
	return r;
}

static int look_again(struct nl_sock *s, const char *text, uint32_t *generation, struct err *err)
{
	struct table t = {};
	int r = look(s, &t, generation, err);

	return r > 0 ? !strcmp(t.text, text) : r;
}

int nft_mend_has_nat(struct nl_sock *s, const char *text, struct err *err)
{
	uint32_t generation = 0;
	return look_again(s, text, &generation, err);
}

static void build_delete(struct nft_txn *t, const void *)
{
	struct nlmsghdr *nlh = nft_mend_message(
		t, NFPROTO_INET, NFT_MSG_DELTABLE, 0, "table inet " NAT_TABLE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NAT_TABLE);
	nft_txn_push(t, nlh);
}

int nft_mend_delete_nat(struct nl_sock *s, const char *text, struct err *err)
{
	uint32_t generation = 0;
	int r = look_again(s, text, &generation, err);

	if (r == 0)
		return err_set(err, ENOENT,
			"table inet " NAT_TABLE " is gone, or does something else as well");
	return r < 0 ? r
		     : nft_mend_commit(
			       s, generation, build_delete, nullptr, "table inet " NAT_TABLE, err);
}
