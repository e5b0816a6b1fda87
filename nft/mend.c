/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/mend.h"
#include "lib/marks.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/batch.h"
#include "nft/expr_int.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/txn.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAT_TABLE "nat"

constexpr size_t WORD_LEN = 64;
constexpr size_t ACCEPT_MSG_LEN = 8192; /* an accept takes some 1200 */

/* ---- one transaction ---- */

static struct nlmsghdr *message(
	struct nft_txn *t, uint8_t family, uint16_t type, uint16_t flags, const char *what)
{
	struct nlmsghdr *nlh = nft_txn_msg(t, type, flags, "%s", what);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->nfgen_family = family;
	return nlh;
}

static int commit(struct nl_sock *s, uint32_t generation,
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

/* ---- accepts ---- */

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
	struct nlmsghdr *nlh = message(
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
	return commit(s, generation, build_accepts, &all, where, err);
}

/* ---- a masquerade that somebody left behind ---- */

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
	struct nlmsghdr *nlh = message(
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
		     : commit(s, generation, build_delete, nullptr, "table inet " NAT_TABLE, err);
}
