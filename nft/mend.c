/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/mend.h"
#include "lib/marks.h"
#include "net/nl.h"
#include "nft/batch.h"
#include "nft/expr_int.h"
#include "nft/mend_int.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/txn.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

constexpr size_t ACCEPT_MSG_LEN = 8192; /* an accept takes some 1200 */

struct nlmsghdr *nft_mend_message(
	struct nft_txn *t, uint8_t family, uint16_t type, uint16_t flags, const char *what)
{
	struct nlmsghdr *nlh = nft_txn_msg(t, type, flags, "%s", what);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->nfgen_family = family;
	return nlh;
}

int nft_mend_commit(struct nl_sock *s, uint32_t generation,
	void (*build)(struct nft_txn *t, const void *arg), const void *arg, const char *where,
	struct err *err)
{
	struct nft_conn *c = nullptr;
	struct nft_txn t;
	int r = nft_conn_new(s, &c, err);

	if (r < 0)
		return r;
	nft_conn_begin(c, &t);
	nft_txn_require(&t, generation);
	build(&t, arg);
	r = nft_conn_commit(c, &t, where, err);
	nft_txn_clear(&t);
	nft_conn_free(c);
	return r == -ERESTART ? err_set(err, EAGAIN, "%s: the ruleset has just changed", where) : r;
}

static void say_interface(char *buf, const char *word, const char *name)
{
	size_t at = strlen(buf);
	if (name[0])
		snprintf(buf + at, NFT_ACCEPT_STRLEN - at, "%s %s ", word, name);
}

static void say_prefix(char *buf, const char *word, const struct prefix *p)
{
	char text[PREFIX_STRLEN];
	size_t at = strlen(buf);
	if (p->addr.family != AF_UNSPEC)
		snprintf(buf + at, NFT_ACCEPT_STRLEN - at, "%s %s %s ",
			p->addr.family == AF_INET ? "ip" : "ip6", word, prefix_str(p, text));
}

static void say_ports(char *buf, const struct nft_accept *a)
{
	size_t at = strlen(buf);
	bool port = a->sport || a->dport;
	const char *name = a->proto == IPPROTO_TCP ? "tcp" : "udp";

	if (a->proto == IPPROTO_ICMP || a->proto == IPPROTO_ICMPV6)
		name = a->proto == IPPROTO_ICMP ? "icmp" : "ipv6-icmp";
	if (port)
		snprintf(buf + at, NFT_ACCEPT_STRLEN - at, "%s %s %u ", name,
			a->dport ? "dport" : "sport", a->dport ? a->dport : a->sport);
	else if (a->proto)
		snprintf(buf + at, NFT_ACCEPT_STRLEN - at, "meta l4proto %s ", name);
}

const char *nft_accept_str(const struct nft_accept *a, char buf[static NFT_ACCEPT_STRLEN])
{
	buf[0] = '\0';
	say_interface(buf, "iifname", a->iif);
	say_interface(buf, "oifname", a->oif);
	say_prefix(buf, "saddr", &a->from);
	say_prefix(buf, "daddr", &a->to);
	say_ports(buf, a);
	size_t at = strlen(buf);
	snprintf(buf + at, NFT_ACCEPT_STRLEN - at, "accept");
	return buf;
}

struct accepts {
	const struct nft_mend_place *place;
	const struct nft_accept *list;
	size_t n;
};

/* Of TCP and UDP alike. */
static void add_port(struct nftnl_rule *r, uint32_t offset, uint16_t port)
{
	uint16_t port_be = htons(port);

	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(port_be), REG);
	expr_cmp(r, NFT_CMP_EQ, &port_be, sizeof(port_be));
}

/* In family netdev no packet has a family yet (nft_pf()). */
static void add_protocol(struct nftnl_rule *r, uint8_t family)
{
	uint16_t protocol_be = htons(family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);

	expr_meta(r, NFT_META_PROTOCOL, REG);
	expr_cmp(r, NFT_CMP_EQ, &protocol_be, sizeof(protocol_be));
}

/* In a table of one family alone nothing asks for it: iptables-nft(8) would not know the words. */
static void add_terms(struct nftnl_rule *r, uint8_t table, const struct nft_accept *a)
{
	uint8_t family = a->from.addr.family ? a->from.addr.family : a->to.addr.family;
	const struct nft_family *f = &nft_families[family == AF_INET6];

	if (a->iif[0])
		nft_expr_ifname(r, NFT_IN, a->iif);
	if (a->oif[0])
		nft_expr_ifname(r, NFT_OUT, a->oif);
	if (family && table == NFPROTO_NETDEV)
		add_protocol(r, family);
	else if (family && table != NFPROTO_IPV4 && table != NFPROTO_IPV6)
		expr_family(r, f);
	if (a->from.addr.family)
		nft_expr_source_prefix(r, f, &a->from);
	if (a->to.addr.family)
		nft_expr_to_prefix(r, f, &a->to);
	if (a->proto)
		expr_l4proto(r, a->proto);
	if (a->sport)
		add_port(r, offsetof(struct udphdr, uh_sport), a->sport);
	if (a->dport)
		add_port(r, offsetof(struct udphdr, uh_dport), a->dport);
}

static struct nftnl_rule *accept_new(const struct nft_mend_place *place, const struct nft_accept *a)
{
	struct nftnl_rule *r = nft_rule_new(place->chain);
	autonftnl(udata_buf) *u = nftnl_comment(NFTNL_UDATA_RULE_COMMENT, MARK_FIX);

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, place->family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, place->table);
	add_terms(r, place->family, a);
	nft_expr_count(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nftnl_rule_set_data(
		r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	return r;
}

static void add_accept(
	struct nft_txn *t, const struct nft_mend_place *place, const struct nft_accept *a)
{
	autonftnl(rule) *r = accept_new(place, a);
	char what[NFT_ACCEPT_STRLEN];
	/* In front of the position without NLM_F_APPEND (nf_tables_newrule()). */
	uint16_t flags = NLM_F_CREATE | (place->handle ? 0 : NLM_F_APPEND);

	if (place->handle)
		nftnl_rule_set_u64(r, NFTNL_RULE_POSITION, place->handle);
	struct nlmsghdr *nlh = nft_mend_message(
		t, place->family, NFT_MSG_NEWRULE, flags, nft_accept_str(a, what));
	nftnl_rule_nlmsg_build_payload(nlh, r);
	nft_txn_push(t, nlh);
}

static void build_accepts(struct nft_txn *t, const void *arg)
{
	const struct accepts *all = arg;

	for (size_t i = 0; i < all->n; i++)
		add_accept(t, all->place, &all->list[i]);
}

static int check_rule(struct nl_sock *s, const struct nft_mend_place *place, struct err *err)
{
	struct nft_rule rule;

	if (!place->handle)
		return 0;
	int r = nft_rule_find(
		s, place->family, place->table, place->chain, place->handle, &rule, err);
	if (r == -ENOENT || (r >= 0 && place->text &&
				    strncmp(rule.text, place->text, strlen(place->text)) != 0))
		return err_set(err, ESTALE,
			"the rule with handle %llu of chain %s is not what it was; diagnose again",
			(unsigned long long)place->handle, place->chain);
	return r;
}

/* A rule that is there already: what an earlier repair wrote. */
struct standing {
	const struct nft_mend_place *place;
	struct nft_rule want;
	bool found, passed; /* passed: behind the rule that is to blame */
};

static int on_standing(const struct nlmsghdr *nlh, void *arg)
{
	struct standing *s = arg;
	struct nft_rule rule;

	if (nft_rule_read(nlh, &rule) < 0)
		return MNL_CB_OK;
	s->passed |= s->place->handle && rule.handle == s->place->handle;
	s->found |= !s->passed && !strcmp(rule.text, s->want.text);
	return MNL_CB_OK;
}

static void read_again(void *arg)
{
	struct standing *s = arg;
	s->found = s->passed = false;
}

/* In the words of a rule that was read, which is how two are compared. */
static bool say_accept(
	const struct nft_mend_place *place, const struct nft_accept *a, struct nft_rule *out)
{
	autonftnl(rule) *r = accept_new(place, a);
	alignas(struct nlmsghdr) char buf[ACCEPT_MSG_LEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
	nfg->nfgen_family = place->family;
	nftnl_rule_set_u64(r, NFTNL_RULE_HANDLE, 1);
	nftnl_rule_nlmsg_build_payload(nlh, r);
	return nft_rule_read(nlh, out) == 0;
}

/* 1 = it stands in front of that rule, and another would do no more. */
static int is_standing(struct nl_sock *s, const struct nft_mend_place *place,
	const struct nft_accept *a, struct err *err)
{
	struct nfgenmsg header = {.nfgen_family = place->family, .version = NFNETLINK_V0};
	struct standing standing = {.place = place};
	struct nl_message m;

	if (!say_accept(place, a, &standing.want))
		return 0;
	struct nlmsghdr *nlh = nl_begin(
		&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0, &header, sizeof(header));
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, place->table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, place->chain);
	int r = nl_dump(s, nlh, on_standing, read_again, &standing, err);
	return r < 0 ? r : standing.found;
}

static int are_standing(struct nl_sock *s, const struct accepts *all, struct err *err)
{
	int r = 1;

	for (size_t i = 0; r > 0 && i < all->n; i++)
		r = is_standing(s, all->place, &all->list[i], err);
	return r;
}

int nft_mend_accept(struct nl_sock *s, const struct nft_mend_place *place,
	const struct nft_accept *list, size_t n, bool check, struct err *err)
{
	struct accepts all = {place, list, n};
	uint32_t generation = 0;
	char where[128];

	snprintf(where, sizeof(where), "chain %s %.40s %.40s", nft_family_str(place->family),
		place->table, place->chain);
	int r = nft_ruleset_generation(s, &generation, err);
	if (r >= 0)
		r = check_rule(s, place, err);
	if (r >= 0)
		r = are_standing(s, &all, err);
	if (r != 0 || check)
		return r;
	return nft_mend_commit(s, generation, build_accepts, &all, where, err);
}
