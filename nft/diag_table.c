/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag_table: the table of a diagnosis as messages of a transaction. Pure.
 */
#include "lib/marks.h"
#include "nft/diag_int.h"
#include "nft/expr_int.h"
#include "nft/table_int.h"
#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>

/* Of packets that others send, a few are enough. */
constexpr uint32_t TRACED_PER_SECOND = 20;
constexpr size_t SET_SIZE = 512;

/* nft(8)'s numbers of data types, include/datatype.h; a concatenation is made of six-bit pieces. */
constexpr uint32_t TYPE_INET_SERVICE = 13;
constexpr uint32_t TYPE_TCP_FLAG = 15;
constexpr uint32_t TYPE_IFNAME = 41;
constexpr uint32_t TYPE_BITS = 6;

/* The headers that an ICMP error quotes begin behind its own eight bytes (RFC 792, RFC 4443). */
constexpr uint32_t QUOTE = 8;

const struct nft_diag_kind nft_diag_kinds[NFT_ANSWER_KINDS] = {
	[NFT_ANSWER_TCP] = {"tcp", false, false, IPPROTO_TCP, {2, 2}, {{0, 2}, {2, 2}, {13, 1}}},
	[NFT_ANSWER_UDP] = {"udp", false, false, IPPROTO_UDP, {2, 2}, {{0, 2}, {2, 2}}},
	[NFT_ANSWER_ECHO] = {"echo", true, false, IPPROTO_ICMP, {4, 2}, {{0, 2}, {4, 2}}},
	[NFT_ANSWER_TCP_ERROR] = {"tcp_error", true, true, IPPROTO_TCP, {NFT_DIAG_QUOTE, 2},
		{{0, 2}, {NFT_DIAG_QUOTE, 2}, {NFT_DIAG_QUOTE + 2, 2}}},
	[NFT_ANSWER_UDP_ERROR] = {"udp_error", true, true, IPPROTO_UDP, {NFT_DIAG_QUOTE, 2},
		{{0, 2}, {NFT_DIAG_QUOTE, 2}, {NFT_DIAG_QUOTE + 2, 2}}},
	[NFT_ANSWER_ECHO_ERROR] = {"echo_error", true, true, IPPROTO_ICMP, {NFT_DIAG_QUOTE + 4, 2},
		{{0, 2}, {NFT_DIAG_QUOTE + 4, 2}}},
};

/* What differs between IPv4 and IPv6 beyond expr.h. */
static const struct version {
	uint8_t icmp, echo, echo_reply;
	uint8_t header;     /* bytes, without options */
	uint8_t proto;      /* offset of the next protocol */
	uint32_t ct_source; /* NFT_CT_x */
} versions[2] = {
	{IPPROTO_ICMP, ICMP_ECHO, ICMP_ECHOREPLY, 20, 9, NFT_CT_SRC_IP},
	{IPPROTO_ICMPV6, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY, 40, 6, NFT_CT_SRC_IP6},
};

struct build {
	struct nft_txn *t;
	const struct nft_diag_ask *ask;
	const struct nft_family *f;
	const struct version *v;
};

bool nft_diag_expects(const struct nft_diag_ask *ask, enum nft_answer_kind kind)
{
	uint8_t proto = nft_diag_kinds[kind].proto;

	return ask->mine_last && (proto == ask->proto || proto == IPPROTO_ICMP);
}

const char *nft_diag_set(enum nft_answer_kind kind, bool own, char buf[static NFT_DIAG_SET_LEN])
{
	snprintf(buf, NFT_DIAG_SET_LEN, "%s%s", own ? "own_" : "", nft_diag_kinds[kind].name);
	return buf;
}

/* ---- what rules look at ---- */

static uint32_t offset_of(const struct build *b, uint32_t offset)
{
	return offset & NFT_DIAG_QUOTE ? (offset & ~NFT_DIAG_QUOTE) + QUOTE + b->v->header : offset;
}

/* @th,OFFSET,BITS DATA */
static void match_transport(struct nftnl_rule *r, uint32_t offset, const void *data, uint32_t len)
{
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, len, REG);
	expr_cmp(r, NFT_CMP_EQ, data, len);
}

static void match_port(struct nftnl_rule *r, uint32_t offset, uint16_t port)
{
	uint16_t port_be = htons(port);

	match_transport(r, offset, &port_be, sizeof(port_be));
}

static void cmp_ports(struct nftnl_rule *r, uint16_t first, uint16_t last)
{
	first = htons(first);
	last = htons(last);
	expr_cmp(r, NFT_CMP_GTE, &first, sizeof(first));
	expr_cmp(r, NFT_CMP_LTE, &last, sizeof(last));
}

static void cmp_block(const struct build *b, struct nftnl_rule *r)
{
	cmp_ports(r, b->ask->mine_first, b->ask->mine_last);
}

/* @th,OFFSET,16 FIRST-LAST: one of our ports stands there. */
static void match_mine(const struct build *b, struct nftnl_rule *r, uint32_t offset)
{
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset_of(b, offset), 2, REG);
	cmp_block(b, r);
}

static void match_source(const struct build *b, struct nftnl_rule *r, const struct addr *a)
{
	expr_family(r, b->f);
	expr_address(r, b->f, b->f->source, REG);
	expr_cmp(r, NFT_CMP_EQ, a->b, b->f->addr_len);
}

static void match_dest(const struct build *b, struct nftnl_rule *r, const struct addr *a)
{
	expr_family(r, b->f);
	expr_address(r, b->f, b->f->dest, REG);
	expr_cmp(r, NFT_CMP_EQ, a->b, b->f->addr_len);
}

/* An ICMP error quotes a packet of this protocol with this address at `field`. */
static void match_quote(const struct build *b, struct nftnl_rule *r, uint8_t proto, uint8_t field,
	const struct addr *a)
{
	match_transport(r, QUOTE + b->v->proto, &proto, sizeof(proto));
	match_transport(r, QUOTE + field, a->b, b->f->addr_len);
}

/* ICMP has another number in IPv6. */
static uint8_t proto_of(const struct build *b, uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? b->v->icmp : proto;
}

static bool is_icmp(const struct nft_diag_ask *ask)
{
	return ask->proto == IPPROTO_ICMP || ask->proto == IPPROTO_ICMPV6;
}

/* meta nftrace set 1 */
static void add_trace(const struct build *b, struct nftnl_rule *r, const char *comment)
{
	static const uint8_t one = 1;
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, REG);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &one, sizeof(one));
	e = expr_add(r, "meta");
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_NFTRACE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, REG);
	nft_add_rule(b->t, r, comment);
}

static void add_trace_few(const struct build *b, struct nftnl_rule *r, const char *comment)
{
	nft_expr_limit(r, TRACED_PER_SECOND, TRACED_PER_SECOND);
	add_trace(b, r, comment);
}

/* ---- tracing ---- */

static void trace_injected(const struct build *b, const char *chain)
{
	struct nftnl_rule *r = nft_rule_new(chain);

	if (!is_icmp(b->ask)) {
		match_source(b, r, &b->ask->client);
		expr_l4proto(r, b->ask->proto);
		match_mine(b, r, 0);
		add_trace(b, r, "injected");
		r = nft_rule_new(chain);
	}
	match_source(b, r, &b->ask->client);
	expr_l4proto(r, b->v->icmp);
	match_transport(r, 0, &b->v->echo, sizeof(b->v->echo));
	match_mine(b, r, 4);
	add_trace(b, r, "injected echo");
}

/* Not by the client's address, which source NAT may have hidden. */
static void trace_answers(const struct build *b, const char *chain)
{
	for (enum nft_answer_kind k = 0; k < NFT_ANSWER_KINDS; k++) {
		const struct nft_diag_kind *kind = &nft_diag_kinds[k];
		if (!nft_diag_expects(b->ask, k))
			continue;
		struct nftnl_rule *r = nft_rule_new(chain);
		if (kind->quotes) {
			expr_family(r, b->f);
			expr_l4proto(r, b->v->icmp);
			match_quote(b, r, proto_of(b, kind->proto), b->f->dest, &b->ask->target);
		} else {
			match_source(b, r, &b->ask->target);
			expr_l4proto(r, proto_of(b, kind->proto));
		}
		match_mine(b, r, kind->mine.offset);
		add_trace_few(b, r, "answers to injected packets");
	}
}

/* Packets of the flow's kind to (field dest) or from the target. Of TCP those that begin or end a
 * connection. */
static void trace_flow(
	const struct build *b, struct nftnl_rule *r, bool to_target, const char *comment)
{
	const struct nft_diag_ask *ask = b->ask;

	(to_target ? match_dest : match_source)(b, r, &ask->target);
	expr_l4proto(r, proto_of(b, ask->proto));
	if (is_icmp(ask)) {
		uint8_t type = to_target ? b->v->echo : b->v->echo_reply;
		match_transport(r, 0, &type, sizeof(type));
	} else {
		match_port(r, to_target ? 2 : 0, ask->port);
	}
	if (ask->proto == IPPROTO_TCP)
		nft_expr_begins_or_ends(r);
	add_trace_few(b, r, comment);
}

static void trace_real(const struct build *b, const char *chain)
{
	for (size_t i = 0; i < b->ask->n_ranges; i++) {
		const struct prefix *range = &b->ask->ranges[i];
		if (range->addr.family != b->f->family)
			continue;
		struct nftnl_rule *r = nft_rule_new(chain);
		expr_family(r, b->f);
		nft_expr_source_prefix(r, b->f, range);
		trace_flow(b, r, true, "real flows");
	}
	trace_flow(b, nft_rule_new(chain), false, "answers to anybody");
}

/* Answers to the gateway's own address, under whatever port source NAT chose. */
static void trace_renamed(const struct build *b)
{
	static const uint8_t reply = IP_CT_DIR_REPLY, original = IP_CT_DIR_ORIGINAL;
	struct nftnl_rule *r = nft_rule_new("enter_ct");

	nft_add_chain(b->t, "enter_ct", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_CONNTRACK + 1);
	expr_family(r, b->f);
	expr_ct(r, NFT_CT_DIRECTION);
	expr_cmp(r, NFT_CMP_EQ, &reply, sizeof(reply));
	nftnl_expr_set_u8(expr_ct(r, b->v->ct_source), NFTNL_EXPR_CT_DIR, original);
	expr_cmp(r, NFT_CMP_EQ, b->ask->client.b, b->f->addr_len);
	nftnl_expr_set_u8(expr_ct(r, NFT_CT_PROTO_SRC), NFTNL_EXPR_CT_DIR, original);
	cmp_block(b, r);
	add_trace_few(b, r, "answers to injected packets, translated");
}

static void add_rules(const struct build *b, const char *chain)
{
	if (b->ask->mine_last) {
		trace_injected(b, chain);
		trace_answers(b, chain);
	}
	trace_real(b, chain);
}

static void add_ingress(const struct build *b, const char *name, const char *device)
{
	autonftnl(chain) *chain = nftnl_need(nftnl_chain_alloc());

	nftnl_chain_set_u32(chain, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, b->t->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_INGRESS);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, INT32_MIN);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, device);
	struct nlmsghdr *nlh = nft_txn_msg(
		b->t, NFT_MSG_NEWCHAIN, NLM_F_CREATE, "ingress of %s", device);
	nftnl_chain_nlmsg_build_payload(nlh, chain);
	nft_txn_push(b->t, nlh);
	add_rules(b, name);
}

static void add_entrances(const struct build *b, bool at_ingress)
{
	const char *mesh = b->ask->mesh_interface, *lan = b->ask->lan_interface;

	if (at_ingress && mesh[0])
		add_ingress(b, NFT_DIAG_ARRIVE "mesh", mesh);
	if (at_ingress && lan[0] && strcmp(mesh, lan) != 0)
		add_ingress(b, NFT_DIAG_ARRIVE "lan", lan);
	nft_add_chain(b->t, "enter", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_FIRST);
	add_rules(b, "enter");
}

static void add_tracing(const struct build *b, bool at_ingress)
{
	add_entrances(b, at_ingress);
	if (b->ask->mine_last && b->ask->with_ct)
		trace_renamed(b);

	/* Its own probes of the target, and what it says to either side. */
	nft_add_chain(b->t, "leave", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FIRST);
	trace_flow(b, nft_rule_new("leave"), true, "from this host");
	const struct addr *ends[] = {&b->ask->target, &b->ask->client};
	for (size_t i = 0; i < 2; i++) {
		struct nftnl_rule *r = nft_rule_new("leave");
		match_dest(b, r, ends[i]);
		expr_l4proto(r, b->v->icmp);
		add_trace_few(b, r, "ICMP of this host");
	}
}

/* ---- answers ---- */

static uint32_t set_type(const struct build *b, const struct nft_diag_kind *kind, uint32_t *len)
{
	uint32_t type = b->f->key_type;

	*len = b->f->addr_len;
	for (size_t i = 0; i < NFT_DIAG_FIELDS && kind->fields[i].len; i++) {
		type = type << TYPE_BITS |
		       (kind->fields[i].len == 1 ? TYPE_TCP_FLAG : TYPE_INET_SERVICE);
		*len += sizeof(uint32_t);
	}
	*len += IFNAMSIZ;
	return type << TYPE_BITS | TYPE_IFNAME;
}

static void add_set(const struct build *b, enum nft_answer_kind k, const char *name)
{
	autonftnl(set) *s = nftnl_need(nftnl_set_alloc());
	uint32_t len, type = set_type(b, &nft_diag_kinds[k], &len);

	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, b->t->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, ++b->t->n_sets);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_EVAL);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, len);
	nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, SET_SIZE);
	struct nlmsghdr *nlh = nft_txn_msg(b->t, NFT_MSG_NEWSET, NLM_F_CREATE, "set %s", name);
	nftnl_set_nlmsg_build_payload(nlh, s);
	nft_txn_push(b->t, nlh);
}

/* add @SET { saddr . FIELDS . oifname counter } */
static void add_count(const struct build *b, enum nft_answer_kind k, const char *name)
{
	const struct nft_diag_kind *kind = &nft_diag_kinds[k];
	struct nftnl_rule *r = nft_rule_new(name);
	unsigned at = b->f->addr_len;

	expr_family(r, b->f);
	expr_address(r, b->f, b->f->source, REG);
	for (size_t i = 0; i < NFT_DIAG_FIELDS && kind->fields[i].len; i++, at += 4)
		expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset_of(b, kind->fields[i].offset),
			kind->fields[i].len, reg_after(at));
	expr_meta(r, NFT_META_OIFNAME, reg_after(at));

	struct nftnl_expr *e = expr_add(r, "dynset");
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, REG);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, name);
	nftnl_expr_add_expr(
		e, NFTNL_EXPR_DYNSET_EXPRESSIONS, nftnl_need(nftnl_expr_alloc("counter")));
	nft_add_rule(b->t, r, "counted");
}

/* Also of an answer that is led astray: else the service repeats it for a minute, when this table
 * is long gone. */
static void add_reset(const struct build *b, const char *name)
{
	struct nftnl_rule *r = nft_rule_new(name);

	nft_expr_syn_ack(r);
	nft_expr_reset(r);
	nft_add_rule(b->t, r, "the service can forget it");
}

/* The chain and the set of one kind, and the rule that leads there. A client that somebody has may
 * use one of our ports for another target. */
static void add_kind(const struct build *b, enum nft_answer_kind k, bool own)
{
	const struct nft_diag_kind *kind = &nft_diag_kinds[k];
	char name[NFT_DIAG_SET_LEN];
	struct nftnl_rule *r = nft_rule_new(own ? "said" : "answers");

	nft_diag_set(k, own, name);
	add_set(b, k, name);
	nft_add_chain(b->t, name, nullptr, 0, 0);
	add_count(b, k, name);
	if (k == NFT_ANSWER_TCP)
		add_reset(b, name);
	struct nftnl_rule *end = nft_rule_new(name);
	nft_expr_verdict(end, NF_DROP, nullptr);
	nft_add_rule(b->t, end, "nothing enters the tunnel");

	match_dest(b, r, &b->ask->client);
	if (!kind->quotes && !b->ask->unused)
		match_source(b, r, &b->ask->target);
	expr_l4proto(r, kind->icmp ? b->v->icmp : kind->proto);
	if (kind->quotes)
		match_quote(b, r, proto_of(b, kind->proto), b->f->source, &b->ask->client);
	else if (kind->icmp)
		match_transport(r, 0, &b->v->echo_reply, sizeof(b->v->echo_reply));
	match_mine(b, r, kind->mine.offset);
	nft_expr_verdict(r, NFT_GOTO, name);
	nft_add_rule(b->t, r, own ? "what this host answers" : "answers to injected packets");
}

static void add_answers(const struct build *b, bool own)
{
	nft_add_chain(b->t, own ? "said" : "answers", "filter",
		own ? NF_INET_LOCAL_OUT : NF_INET_FORWARD, NF_IP_PRI_LAST);
	for (enum nft_answer_kind k = 0; k < NFT_ANSWER_KINDS; k++)
		if (nft_diag_expects(b->ask, k))
			add_kind(b, k, own);
}

/* A socket of this host imitates the client. Before conntrack, which then knows the flow by the
 * port that is seen outside. */
static void add_port(const struct build *b)
{
	struct nftnl_rule *r = nft_rule_new("port");

	nft_add_chain(b->t, "port", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW);
	match_source(b, r, &b->ask->client);
	expr_l4proto(r, IPPROTO_TCP);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, REG);
	cmp_ports(r, b->ask->mine_first ^ MARK_PROBE_PORT_BIT,
		b->ask->mine_last ^ MARK_PROBE_PORT_BIT);
	nft_expr_source_port_flip(r, MARK_PROBE_PORT_BIT);
	nft_add_rule(b->t, r, "the answer finds no socket here");
}

void nft_diag_build(struct nft_txn *t, const struct nft_diag_ask *ask, bool at_ingress)
{
	unsigned six = ask->target.family == AF_INET6;
	const struct build b = {t, ask, &nft_families[six], &versions[six]};

	nft_add_table(t, NFT_TABLE_F_OWNER, NLM_F_CREATE | NLM_F_EXCL,
		"a diagnosis of meshgw; ends with it");
	add_tracing(&b, at_ingress);
	if (!ask->mine_last)
		return;
	add_answers(&b, false);
	add_answers(&b, true);
	if (ask->proto == IPPROTO_TCP)
		add_port(&b);
}
