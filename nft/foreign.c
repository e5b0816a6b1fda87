/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/foreign.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/batch.h"
#include "nft/expr.h"
#include "nft/foreign_rule.h"
#include "nft/nftnl.h"
#include "nft/txn.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr unsigned RETRIES = 5;

/* The chain to which the base chain jumps, and the base chain. */
enum { TS_INPUT, INPUT, CHAINS };
static const char *const chain_names[CHAINS] = {NFT_FOREIGN_CHAIN, "INPUT"};

struct filter {
	uint8_t family;
	uint32_t generation;
	struct rules {
		struct nft_foreign_rule *list;
		size_t n, cap;
	} chains[CHAINS];
};

static void filter_clear(struct filter *f)
{
	for (size_t i = 0; i < CHAINS; i++)
		free(f->chains[i].list);
	*f = (struct filter){};
}

void nft_foreign_clear(struct nft_foreign *f)
{
	free(f->dropped);
	*f = (struct nft_foreign){};
}

/* ---- reading ---- */

static struct nlmsghdr *request(struct nl_message *m, uint8_t family, uint16_t type)
{
	struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0};

	return nl_begin(
		m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, &header, sizeof(header));
}

static int on_generation(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *id = nft_attr_find(nlh, NFT_HEADER, NFTA_GEN_ID);

	if (id && mnl_attr_validate(id, MNL_TYPE_U32) >= 0)
		*(uint32_t *)arg = ntohl(mnl_attr_get_u32(id));
	return MNL_CB_OK;
}

static int read_generation(struct nl_sock *s, uint32_t *out, struct err *err)
{
	struct nl_message m;

	return nl_query(s, request(&m, AF_UNSPEC, NFT_MSG_GETGEN), on_generation, out, err);
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct rules *rules = arg;
	struct nft_foreign_rule rule;

	if (nft_foreign_rule_read(nlh, &rule) < 0)
		return MNL_CB_OK;
	XGROW(rules->list, rules->n, rules->cap);
	rules->list[rules->n++] = rule;
	return MNL_CB_OK;
}

static void start_over(void *arg)
{
	((struct rules *)arg)->n = 0;
}

static int read_chain(
	struct nl_sock *s, uint8_t family, const char *chain, struct rules *out, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = request(&m, family, NFT_MSG_GETRULE);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_FOREIGN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	out->n = 0;
	int r = nl_dump(s, nlh, on_rule, start_over, out, err);
	return r == -ENOENT ? 0 : r;
}

/* One attempt. 1 = somebody changed the ruleset meanwhile. Without a chain ts-input there is
 * nothing to say of the other. */
static int read_once(struct nl_sock *s, struct filter *f, struct err *err)
{
	uint32_t after = 0;
	int r = read_generation(s, &f->generation, err);

	if (r == 0)
		r = read_chain(s, f->family, chain_names[TS_INPUT], &f->chains[TS_INPUT], err);
	f->chains[INPUT].n = 0;
	if (r == 0 && f->chains[TS_INPUT].n)
		r = read_chain(s, f->family, chain_names[INPUT], &f->chains[INPUT], err);
	if (r == -EAGAIN)
		return 1;
	if (r == 0)
		r = read_generation(s, &after, err);
	return r < 0 ? r : f->generation != after;
}

static int read_filter(struct nl_sock *s, uint8_t family, struct filter *out, struct err *err)
{
	int r = 1;

	*out = (struct filter){.family = family};
	for (unsigned i = 0; r > 0 && i < RETRIES; i++)
		r = read_once(s, out, err);
	if (r > 0)
		r = err_set(err, EAGAIN, "the ruleset kept changing while it was read");
	if (r < 0) {
		filter_clear(out);
		err_ctx(err, "table %s %s", family == AF_INET ? "ip" : "ip6", NFT_FOREIGN_TABLE);
	}
	return r;
}

/* ---- following a packet ---- */

enum fate { FATE_OPEN, FATE_PASSED, FATE_DROPPED };

struct packet {
	const char *interface;
	const struct prefix *range;
	bool with_ours;
	uint64_t dropper; /* handle of the rule that dropped it */
};

/* A drop of a part counts, an accept of a part does not. */
static bool is_met(const struct nft_foreign_rule *r, const struct packet *p)
{
	enum nft_meets meets = nft_foreign_rule_meets(r, p->interface, p->range);

	if (!r->certain || (r->ours && !p->with_ours))
		return false;
	return r->verdict == NF_DROP ? meets != NFT_MEETS_NONE : meets == NFT_MEETS_ALL;
}

static enum fate follow_guest(const struct filter *f, struct packet *p)
{
	const struct rules *rules = &f->chains[TS_INPUT];

	for (size_t i = 0; i < rules->n; i++) {
		const struct nft_foreign_rule *r = &rules->list[i];
		if (!is_met(r, p))
			continue;
		if (r->verdict == NF_ACCEPT)
			return FATE_PASSED;
		if (r->verdict == NFT_RETURN)
			return FATE_OPEN;
		if (r->verdict == NF_DROP) {
			p->dropper = r->handle;
			return FATE_DROPPED;
		}
	}
	return FATE_OPEN;
}

/* A drop in INPUT itself is somebody else's, and none that we could say anything about. */
static enum fate follow(const struct filter *f, struct packet *p)
{
	const struct rules *rules = &f->chains[INPUT];

	for (size_t i = 0; i < rules->n; i++) {
		const struct nft_foreign_rule *r = &rules->list[i];
		bool jumps = (r->verdict == NFT_JUMP || r->verdict == NFT_GOTO) &&
			     !strcmp(r->target, chain_names[TS_INPUT]);
		if (!is_met(r, p))
			continue;
		if (r->verdict == NF_ACCEPT || r->verdict == NF_DROP || r->verdict == NFT_RETURN)
			return r->verdict == NF_ACCEPT ? FATE_PASSED : FATE_OPEN;
		enum fate fate = jumps ? follow_guest(f, p) : FATE_OPEN;
		if (fate != FATE_OPEN)
			return fate;
	}
	return FATE_OPEN;
}

static bool is_for(const struct nft_foreign_rule *r, const char *interface, const struct prefix *p)
{
	return r->ours && r->certain && r->verdict == NF_ACCEPT &&
	       r->interface_term == NFT_TERM_IS && r->interface_len > strlen(interface) &&
	       r->source_term == NFT_TERM_IS && !prefix_cmp(&r->source, p) &&
	       nft_foreign_rule_meets(r, interface, p) == NFT_MEETS_ALL;
}

static bool has_rule_for(const struct filter *f, const char *interface, const struct prefix *range)
{
	const struct rules *rules = &f->chains[TS_INPUT];

	for (size_t i = 0; i < rules->n; i++)
		if (is_for(&rules->list[i], interface, range))
			return true;
	return false;
}

static void judge(const struct filter *f, const struct nft_mesh *mesh, struct nft_foreign *out)
{
	const struct rules *guest = &f->chains[TS_INPUT];

	*out = (struct nft_foreign){.dropped = xcalloc(mesh->n_ranges, sizeof(*out->dropped))};
	for (size_t i = 0; i < guest->n; i++)
		out->n_ours += guest->list[i].ours;
	out->passed = true;
	for (size_t i = 0; i < mesh->n_ranges; i++) {
		const struct prefix *range = &mesh->ranges[i];
		struct packet p = {.interface = mesh->interface, .range = range};
		if (range->addr.family != f->family || follow(f, &p) != FATE_DROPPED)
			continue;
		if (!out->n_dropped)
			out->handle = p.dropper;
		out->dropped[out->n_dropped++] = *range;
		p.with_ours = true;
		out->passed &= follow(f, &p) == FATE_PASSED &&
			       has_rule_for(f, mesh->interface, range);
	}
	out->passed &= out->n_ours == out->n_dropped;
}

int nft_foreign_read(struct nl_sock *s, uint8_t family, const struct nft_mesh *mesh,
	struct nft_foreign *out, struct err *err)
{
	struct filter f;
	int r = read_filter(s, family, &f, err);

	if (r < 0)
		return r;
	nft_foreign_clear(out);
	judge(&f, mesh, out);
	filter_clear(&f);
	return 0;
}

bool nft_foreign_concerns(const struct nlmsghdr *nlh)
{
	uint16_t type = NFNL_MSG_TYPE(nlh->nlmsg_type);
	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
		(type != NFT_MSG_NEWRULE && type != NFT_MSG_DELRULE) ||
		mnl_nlmsg_get_payload_len(nlh) < NFT_HEADER)
		return false;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *table = nft_attr_find(nlh, NFT_HEADER, NFTA_RULE_TABLE);
	const struct nlattr *chain = nft_attr_find(nlh, NFT_HEADER, NFTA_RULE_CHAIN);
	if ((nfg->nfgen_family != NFPROTO_IPV4 && nfg->nfgen_family != NFPROTO_IPV6) || !table ||
		!chain || mnl_attr_validate(table, MNL_TYPE_NUL_STRING) < 0 ||
		mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) < 0 ||
		strcmp(mnl_attr_get_str(table), NFT_FOREIGN_TABLE) != 0)
		return false;
	return !strcmp(mnl_attr_get_str(chain), chain_names[TS_INPUT]) ||
	       !strcmp(mnl_attr_get_str(chain), chain_names[INPUT]);
}

/* ---- writing ---- */

/* Our transactions speak of family inet otherwise. */
static struct nlmsghdr *message(
	struct nft_txn *t, const struct filter *f, uint16_t type, uint16_t flags, const char *what)
{
	struct nlmsghdr *nlh = nft_txn_msg(t, type, flags, "chain %s: %s", NFT_FOREIGN_CHAIN, what);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->nfgen_family = f->family;
	return nlh;
}

static void add_delete(struct nft_txn *t, const struct filter *f, uint64_t handle)
{
	struct nlmsghdr *nlh = message(t, f, NFT_MSG_DELRULE, 0, "our rule");

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_FOREIGN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, NFT_FOREIGN_CHAIN);
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(handle));
	nft_txn_push(t, nlh);
}

/* Without NLM_F_APPEND a rule goes to the head of its chain (nf_tables_newrule()). In the words
 * and the order that iptables-nft(8) can list. */
static void add_accept(struct nft_txn *t, const struct filter *f, const struct nft_mesh *mesh,
	const struct prefix *range)
{
	autonftnl(rule) *r = nft_rule_new(NFT_FOREIGN_CHAIN);
	autonftnl(udata_buf) *u = nftnl_comment(NFTNL_UDATA_RULE_COMMENT, MARK_REMEDY);

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, f->family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, NFT_FOREIGN_TABLE);
	nft_expr_source_prefix(r, &nft_families[f->family == AF_INET6], range);
	nft_expr_ifname(r, NFT_IN, mesh->interface);
	nft_expr_count(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nftnl_rule_set_data(
		r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	struct nlmsghdr *nlh = message(t, f, NFT_MSG_NEWRULE, NLM_F_CREATE, "accept of a range");
	nftnl_rule_nlmsg_build_payload(nlh, r);
	nft_txn_push(t, nlh);
}

static void build(struct nft_txn *t, const struct filter *f, const struct nft_mesh *mesh,
	const struct nft_foreign *state, bool pass)
{
	const struct rules *guest = &f->chains[TS_INPUT];

	for (size_t i = 0; i < guest->n; i++)
		if (guest->list[i].ours)
			add_delete(t, f, guest->list[i].handle);
	for (size_t i = state->n_dropped; pass && i-- > 0;)
		add_accept(t, f, mesh, &state->dropped[i]);
}

/* One attempt. -ERESTART: the ruleset is not any more what was looked at. */
static int write_once(
	struct nft_conn *c, uint8_t family, const struct nft_mesh *mesh, bool pass, struct err *err)
{
	struct filter f;
	struct nft_foreign state = {};
	struct nft_txn t;
	int r = read_filter(nft_conn_nl(c), family, &f, err);

	if (r < 0)
		return r;
	judge(&f, mesh, &state);
	if (pass ? !state.passed : state.n_ours > 0) {
		nft_conn_begin(c, &t);
		nft_txn_require(&t, f.generation);
		build(&t, &f, mesh, &state, pass);
		r = nft_conn_commit(
			c, &t, family == AF_INET ? "table ip filter" : "table ip6 filter", err);
		nft_txn_clear(&t);
	}
	nft_foreign_clear(&state);
	filter_clear(&f);
	return r;
}

int nft_foreign_write(
	struct nft_conn *c, uint8_t family, const struct nft_mesh *mesh, bool pass, struct err *err)
{
	for (unsigned i = 0; i < RETRIES; i++) {
		int r = write_once(c, family, mesh, pass, err);
		if (r != -ERESTART)
			return r;
	}
	return err_set(err, EAGAIN, "table %s filter: the ruleset kept changing",
		family == AF_INET ? "ip" : "ip6");
}
