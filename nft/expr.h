/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * expr: what our rules are made of. Each function appends to a rule the expressions that nft(8)
 * would write for the words in its comment. Out of memory aborts.
 */
#include "nft/model.h"
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

/* What differs between the twins of a rule. */
struct nft_family {
	uint8_t family;       /* AF_INET, AF_INET6 */
	uint8_t nfproto;      /* NFPROTO_x */
	const char *suffix;   /* "4", "6" in names of sets and chains */
	uint8_t addr_len;     /* bytes */
	uint8_t source, dest; /* offsets in the network header */
	uint32_t key_type;    /* nft(8)'s number of the address type */
};
extern const struct nft_family nft_families[2];

/* Where expressions look for an interface's name. */
enum nft_direction { NFT_IN = NFT_META_IIFNAME, NFT_OUT = NFT_META_OIFNAME };

struct nftnl_rule *nft_rule_new(const char *chain);

/* iifname "NAME" */
void nft_expr_ifname(struct nftnl_rule *r, enum nft_direction dir, const char *name);
/* iifname != "NAME" */
void nft_expr_ifname_not(struct nftnl_rule *r, enum nft_direction dir, const char *name);
/* iifname @SET */
void nft_expr_ifname_in(struct nftnl_rule *r, enum nft_direction dir, const char *set);
/* meta skuid UID */
void nft_expr_user(struct nftnl_rule *r, uint32_t uid);
/* ip saddr @SET, ip daddr @SET */
void nft_expr_source_in(struct nftnl_rule *r, const struct nft_family *f, const char *set);
void nft_expr_dest_in(struct nftnl_rule *r, const struct nft_family *f, const char *set);
/* ip daddr PREFIX; of the family */
void nft_expr_dest_prefix(
	struct nftnl_rule *r, const struct nft_family *f, const struct prefix *prefix);
/* ip saddr PREFIX, ip daddr PREFIX, in a table of that family alone */
void nft_expr_source_prefix(
	struct nftnl_rule *r, const struct nft_family *f, const struct prefix *prefix);
void nft_expr_to_prefix(
	struct nftnl_rule *r, const struct nft_family *f, const struct prefix *prefix);
/* ip saddr vmap @MAP */
void nft_expr_source_vmap(struct nftnl_rule *r, const struct nft_family *f, const char *map);
/* ip daddr . meta l4proto . th dport [. ip saddr] @SET */
void nft_expr_flow_in(
	struct nftnl_rule *r, const struct nft_family *f, bool with_source, const char *set);
/* fib saddr oifname "NAME" */
void nft_expr_source_routed(struct nftnl_rule *r, const char *name);
/* tcp flags & (syn | rst) == syn */
void nft_expr_syn(struct nftnl_rule *r);
/* tcp flags & (syn | rst | ack) != syn */
void nft_expr_not_syn(struct nftnl_rule *r);
/* tcp flags & (syn | rst | ack) == syn | ack */
void nft_expr_syn_ack(struct nftnl_rule *r);
/* tcp flags & rst == rst */
void nft_expr_rst(struct nftnl_rule *r);
/* tcp flags & (syn | fin | rst) != 0 */
void nft_expr_begins_or_ends(struct nftnl_rule *r);
/* tcp flags & (fin | rst) != 0 */
void nft_expr_end(struct nftnl_rule *r);
/* tcp sport PORT, tcp dport PORT */
void nft_expr_source_port(struct nftnl_rule *r, uint16_t port);
void nft_expr_dest_port(struct nftnl_rule *r, uint16_t port);
/* tcp option maxseg size set rt mtu */
void nft_expr_clamp_mss(struct nftnl_rule *r);
/* ct state established,related; ct state related; ct state invalid */
void nft_expr_known_flow(struct nftnl_rule *r);
void nft_expr_related(struct nftnl_rule *r);
void nft_expr_invalid(struct nftnl_rule *r);
/* ct direction reply */
void nft_expr_reply(struct nftnl_rule *r);
/* ct status & assured == 0 */
void nft_expr_not_assured(struct nftnl_rule *r);
/* meta mark & MASK == VALUE, ct mark & MASK == VALUE */
void nft_expr_mark(struct nftnl_rule *r, uint32_t mask, uint32_t value);
void nft_expr_ct_mark(struct nftnl_rule *r, uint32_t mask, uint32_t value);
/* ct mark set ct mark & ~MASK | VALUE */
void nft_expr_ct_mark_set(struct nftnl_rule *r, uint32_t mask, uint32_t value);

/* counter name "NAME" */
void nft_expr_counter(struct nftnl_rule *r, enum nft_counter counter);
/* counter */
void nft_expr_count(struct nftnl_rule *r);
/* accept, drop, return; jump CHAIN, goto CHAIN */
void nft_expr_verdict(struct nftnl_rule *r, int verdict, const char *chain);
/* reject with icmpx admin-prohibited */
void nft_expr_refuse(struct nftnl_rule *r);
/* reject with tcp reset, of a segment */
void nft_expr_reset(struct nftnl_rule *r);
/* masquerade */
void nft_expr_masquerade(struct nftnl_rule *r);
/* snat ip to ip saddr */
void nft_expr_keep_source(struct nftnl_rule *r, const struct nft_family *f);
/* update @SET { ip saddr . tcp sport }, { ip daddr . tcp dport } */
void nft_expr_remember_source(struct nftnl_rule *r, const struct nft_family *f, const char *set);
void nft_expr_remember_dest(struct nftnl_rule *r, const struct nft_family *f, const char *set);
/* tcp sport set tcp sport ^ BITS */
void nft_expr_source_port_flip(struct nftnl_rule *r, uint16_t bits);
/* limit rate RATE/second burst BURST packets */
void nft_expr_limit(struct nftnl_rule *r, uint32_t rate, uint32_t burst);
/* log group GROUP */
void nft_expr_log(struct nftnl_rule *r, uint16_t group);
