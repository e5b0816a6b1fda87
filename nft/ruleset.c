/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/ruleset.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/by.h"
#include "nft/rule.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr unsigned RETRIES = 5;
constexpr size_t VISITS = 256; /* chains looked at from one base chain */

void nft_ruleset_clear(struct nft_ruleset *r)
{
	free(r->chains);
	*r = (struct nft_ruleset){};
}

const struct nft_base_chain *nft_ruleset_find(
	const struct nft_ruleset *r, uint8_t family, const char *table, const char *chain)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct nft_base_chain *c = &r->chains[i];
		if (c->family == family && !strcmp(c->table, table) && !strcmp(c->chain, chain))
			return c;
	}
	return nullptr;
}

/* ---- messages ---- */

static struct nlmsghdr *request(struct nl_message *m, uint8_t family, uint16_t type)
{
	struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0};

	return nl_begin(
		m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, &header, sizeof(header));
}

static uint8_t family_of(const struct nlmsghdr *nlh)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family;
}

static uint32_t number(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_U32) >= 0 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static void copy_text(char *out, size_t size, const struct nlattr *a)
{
	if (a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(out, size, "%s", mnl_attr_get_str(a));
}

static int on_generation(const struct nlmsghdr *nlh, void *arg)
{
	*(uint32_t *)arg = number(nft_attr_find(nlh, NFT_HEADER, NFTA_GEN_ID));
	return MNL_CB_OK;
}

int nft_ruleset_generation(struct nl_sock *s, uint32_t *out, struct err *err)
{
	struct nl_message m;
	int r = nl_query(s, request(&m, AF_UNSPEC, NFT_MSG_GETGEN), on_generation, out, err);

	return r < 0 ? err_ctx(err, "ruleset") : 0;
}

/* ---- base chains ---- */

/* enum nf_inet_hooks, also of bridges; NF_ARP_x; enum nf_dev_hooks */
static const char *const inet_hooks[] = {
	"prerouting", "input", "forward", "output", "postrouting", "ingress"};
static const char *const arp_hooks[] = {"input", "output", "forward"};
static const char *const dev_hooks[] = {"ingress", "egress"};

static const char *hook_str(uint8_t family, uint32_t hook)
{
	const char *const *hooks = inet_hooks;
	size_t n = sizeof(inet_hooks) / sizeof(inet_hooks[0]);

	if (family == NFPROTO_ARP) {
		hooks = arp_hooks;
		n = sizeof(arp_hooks) / sizeof(arp_hooks[0]);
	} else if (family == NFPROTO_NETDEV) {
		hooks = dev_hooks;
		n = sizeof(dev_hooks) / sizeof(dev_hooks[0]);
	}
	return hook < n ? hooks[hook] : "";
}

static void read_device(const struct nlattr *hook, char out[static IFNAMSIZ])
{
	const struct nlattr *list = nft_attr_nested_find(hook, NFTA_HOOK_DEVS);
	const struct nlattr *one = nft_attr_nested_find(hook, NFTA_HOOK_DEV);

	copy_text(out, IFNAMSIZ, list ? nft_attr_nested_find(list, NFTA_DEVICE_NAME) : one);
}

static int on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_ruleset *r = arg;
	const struct nlattr *hook = nft_attr_find(nlh, NFT_HEADER, NFTA_CHAIN_HOOK);
	struct nft_base_chain c = {.family = family_of(nlh), .by = "", .nat_by = ""};

	if (!hook || r->n == NFT_BASE_CHAINS_MAX)
		return MNL_CB_OK;
	copy_text(c.table, sizeof(c.table), nft_attr_find(nlh, NFT_HEADER, NFTA_CHAIN_TABLE));
	copy_text(c.chain, sizeof(c.chain), nft_attr_find(nlh, NFT_HEADER, NFTA_CHAIN_NAME));
	copy_text(c.type, sizeof(c.type), nft_attr_find(nlh, NFT_HEADER, NFTA_CHAIN_TYPE));
	snprintf(c.hook, sizeof(c.hook), "%s",
		hook_str(c.family, number(nft_attr_nested_find(hook, NFTA_HOOK_HOOKNUM))));
	c.priority = (int32_t)number(nft_attr_nested_find(hook, NFTA_HOOK_PRIORITY));
	read_device(hook, c.device);
	const struct nlattr *policy = nft_attr_find(nlh, NFT_HEADER, NFTA_CHAIN_POLICY);
	c.drops = policy && number(policy) == NF_DROP;
	/* Nothing else refers to a base chain. */
	c.rules = number(nft_attr_find(nlh, NFT_HEADER, NFTA_CHAIN_USE));
	XGROW(r->chains, r->n, r->cap);
	r->chains[r->n++] = c;
	return MNL_CB_OK;
}

static void chains_restart(void *arg)
{
	((struct nft_ruleset *)arg)->n = 0;
}

static int on_table(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_ruleset *r = arg;
	char name[NFT_STEP_NAME_LEN] = "";

	if (!nft_attr_find(nlh, NFT_HEADER, NFTA_TABLE_OWNER))
		return MNL_CB_OK;
	copy_text(name, sizeof(name), nft_attr_find(nlh, NFT_HEADER, NFTA_TABLE_NAME));
	for (size_t i = 0; i < r->n; i++)
		if (r->chains[i].family == family_of(nlh) && !strcmp(r->chains[i].table, name))
			r->chains[i].owned = true;
	return MNL_CB_OK;
}

/* ---- what is in them ---- */

/* One walk from a base chain through all that it leads to. */
struct walk {
	struct nl_sock *s;
	const struct nft_leaving *leaving;
	struct nft_base_chain *base;
	char (*targets)[NFT_STEP_NAME_LEN]; /* chains to look at, in the order they were found */
	size_t n, cap, at, before;
	struct nft_base_chain found; /* before this dump */
};

static bool may_hold_nat(const struct nft_base_chain *c)
{
	return !strcmp(c->type, "nat") && !strcmp(c->hook, "postrouting");
}

static bool is_interface(const struct nft_rule *r, const char *name)
{
	return r->oif_prefix ? !strncmp(name, r->oif, strlen(r->oif)) : !strcmp(name, r->oif);
}

/* Can it meet what leaves by one of the interfaces? */
static bool leaves(const struct nft_rule *r, const struct nft_leaving *l)
{
	if (r->oif_term == NFT_TERM_ABSENT || l->n_interfaces == 0)
		return true;
	for (size_t i = 0; i < l->n_interfaces; i++)
		if (is_interface(r, l->interfaces[i]) == (r->oif_term == NFT_TERM_IS))
			return true;
	return false;
}

static bool comes(const struct nft_rule *r, const struct nft_leaving *l)
{
	if (r->source_term == NFT_TERM_ABSENT)
		return true;
	for (size_t i = 0; i < l->n_ranges; i++) {
		const struct prefix *range = &l->ranges[i];
		bool met = r->source_term == NFT_TERM_IS ? prefix_overlaps(&r->source, range)
							 : !prefix_contains(&r->source, range);
		if (met && range->addr.family == r->source.addr.family)
			return true;
	}
	return false;
}

static void add_target(struct walk *w, const char *chain)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->targets[i], chain))
			return;
	if (w->n == VISITS)
		return;
	XGROW(w->targets, w->n, w->cap);
	snprintf(w->targets[w->n++], NFT_STEP_NAME_LEN, "%s", chain);
}

static void note_nat(struct walk *w, const struct nft_rule *r)
{
	struct nft_base_chain *c = w->base;
	const char *by = nft_by(r->table, r->chain);

	if (c->nat_source || !may_hold_nat(c))
		return;
	c->nat_source = true;
	c->nat_handle = r->handle;
	c->nat_by = by[0] ? by : c->by;
	snprintf(c->nat_chain, sizeof(c->nat_chain), "%s", r->chain);
}

/* Whose word on the policy weighs more: ufw sets it always, Docker where it switched forwarding on,
 * others leave it and live with it. Tailscale only puts its jumps there. */
static int weight(const char *by)
{
	if (!strcmp(by, "ufw"))
		return 3;
	if (!strcmp(by, "docker"))
		return 2;
	return by[0] && strcmp(by, "tailscale") != 0 ? 1 : 0;
}

static void note_guest(struct nft_base_chain *c, const char *by)
{
	if (weight(by) > weight(c->by))
		c->by = by;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;
	struct nft_rule r;

	if (nft_rule_read(nlh, &r) < 0)
		return MNL_CB_OK;
	if (w->at == 0)
		note_guest(w->base, nft_by("", r.target));
	if (!leaves(&r, w->leaving) || !comes(&r, w->leaving))
		return MNL_CB_OK;
	if (r.source_nat)
		note_nat(w, &r);
	if (r.target[0])
		add_target(w, r.target);
	return MNL_CB_OK;
}

static void walk_restart(void *arg)
{
	struct walk *w = arg;

	w->n = w->before;
	*w->base = w->found;
}

static int walk_one(struct walk *w, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = request(&m, w->base->family, NFT_MSG_GETRULE);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, w->base->table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, w->targets[w->at]);
	w->before = w->n;
	w->found = *w->base;
	return nl_dump(w->s, nlh, on_rule, walk_restart, w, err);
}

static int look_into(struct nl_sock *s, const struct nft_leaving *leaving, struct nft_base_chain *c,
	struct err *err)
{
	struct walk w = {.s = s, .leaving = leaving, .base = c};
	int r = 0;

	c->by = nft_by(c->table, c->chain);
	if (c->by[0] && !may_hold_nat(c))
		return 0;
	add_target(&w, c->chain);
	for (; r == 0 && w.at < w.n && (w.at == 0 || may_hold_nat(c)); w.at++)
		r = walk_one(&w, err);
	free(w.targets);
	return r == -ENOENT ? 0 : r;
}

static int read_all(struct nl_sock *s, const struct nft_leaving *leaving, struct nft_ruleset *out,
	struct err *err)
{
	struct nl_message m;
	int r = nl_dump(s, request(&m, NFPROTO_UNSPEC, NFT_MSG_GETCHAIN), on_chain, chains_restart,
		out, err);

	if (r == 0)
		r = nl_dump(s, request(&m, NFPROTO_UNSPEC, NFT_MSG_GETTABLE), on_table, nullptr,
			out, err);
	for (size_t i = 0; r == 0 && i < out->n; i++)
		r = look_into(s, leaving, &out->chains[i], err);
	return r;
}

/* One attempt. 1 = somebody changed the ruleset meanwhile. */
static int read_once(struct nl_sock *s, const struct nft_leaving *leaving, struct nft_ruleset *out,
	struct err *err)
{
	uint32_t after = 0;
	int r = nft_ruleset_generation(s, &out->generation, err);

	out->n = 0;
	if (r == 0)
		r = read_all(s, leaving, out, err);
	if (r == -EAGAIN)
		return 1;
	if (r == 0)
		r = nft_ruleset_generation(s, &after, err);
	return r < 0 ? r : after != out->generation;
}

int nft_ruleset_read(struct nl_sock *s, const struct nft_leaving *leaving, struct nft_ruleset *out,
	struct err *err)
{
	struct nft_ruleset rs = {};
	int r = 1;

	for (unsigned i = 0; r > 0 && i < RETRIES; i++)
		r = read_once(s, leaving, &rs, err);
	if (r > 0)
		r = err_set(err, EAGAIN, "the ruleset kept changing while it was read");
	if (r < 0) {
		nft_ruleset_clear(&rs);
		return err_ctx(err, "ruleset");
	}
	nft_ruleset_clear(out);
	*out = rs;
	return 0;
}
