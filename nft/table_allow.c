/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_allow: the allow list, as the sets, maps and chains by which chain to_networks judges.
 */
#include "nft/nftnl.h"
#include "nft/set.h"
#include "nft/table_int.h"
#include <linux/netfilter.h>
#include <stdio.h>

static const struct nft_family *family_of(const struct nft_allow_set *s)
{
	return &nft_families[s->family == AF_INET6];
}

/* Sets are numbered from 1 within kind and family. */
static void allow_name(
	const struct nft_build *b, const struct nft_allow_set *s, char name[NFT_NAME_LEN])
{
	unsigned number = 1;

	for (const struct nft_allow_set *o = b->allow.sets; o < s; o++)
		number += o->exact == s->exact && o->family == s->family;
	snprintf(name, NFT_NAME_LEN, "allow%s_%s%u", family_of(s)->suffix,
		s->exact ? "" : "ranges_", number);
}

/* "packet accept" of a set. */
static void add_allow_rule(
	struct nft_txn *t, const struct nft_allow_set *s, const char *chain, const char *set)
{
	struct nftnl_rule *r = nft_rule_new(chain);

	nft_expr_flow_in(r, family_of(s), !s->exact, set);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(t, r, "allowed");
}

static void add_allow_set(const struct nft_build *b, const struct nft_allow_set *s)
{
	char name[NFT_NAME_LEN], comment[NFTNL_UDATA_COMMENT_MAXLEN] = "ranges of flows";
	char prefix[PREFIX_STRLEN];
	struct nft_elems e;

	allow_name(b, s, name);
	if (s->exact)
		snprintf(comment, sizeof(comment), "flows from %s", prefix_str(&s->from, prefix));
	if (s->exact)
		nft_set_add(b->t, name, NFT_SET_FLOWS, family_of(s), s->n, comment);
	else
		nft_set_add(b->t, name, NFT_SET_FLOW_BOXES, family_of(s), 0, comment);
	nft_elems_begin(&e, b->t, NFT_MSG_NEWSETELEM, name);
	for (size_t i = 0; i < s->n; i++)
		(s->exact ? nft_elem_flow : nft_elem_flow_box)(&e, &s->list[i]);
	nft_elems_end(&e);
	if (s->exact) {
		nft_add_chain(b->t, name, nullptr, 0, 0);
		add_allow_rule(b->t, s, name, name);
	}
}

/* The map from a mesh range to the chain of its exact entries, and the rule that asks it. */
static void add_allow_map(const struct nft_build *b, const struct nft_family *f)
{
	char map[NFT_NAME_LEN], chain[NFT_NAME_LEN];
	struct nft_elems e = {};

	snprintf(map, sizeof(map), "allow%s_sources", f->suffix);
	for (const struct nft_allow_set *s = b->allow.sets; s < b->allow.sets + b->allow.n; s++) {
		if (!s->exact || s->family != f->family)
			continue;
		if (!e.txn) {
			nft_set_add(b->t, map, NFT_SET_SOURCES, f, 0, "the chain of each source");
			nft_elems_begin(&e, b->t, NFT_MSG_NEWSETELEM, map);
		}
		allow_name(b, s, chain);
		nft_elem_prefix(&e, &s->from, chain);
	}
	if (!e.txn)
		return;
	nft_elems_end(&e);

	struct nftnl_rule *r = nft_rule_new("to_networks");
	nft_expr_source_vmap(r, f, map);
	nft_add_rule(b->t, r, "exact entries, by source");
}

/* Conntrack calls a flow new that it has not seen the beginning of: because nothing tracked it
 * before, or because somebody flushed the entries. Such TCP flows go on; those that begin here
 * need a SYN. */
static void add_allow_known(const struct nft_build *b)
{
	struct nftnl_rule *r = nft_rule_new("to_networks");
	nft_expr_known_flow(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "only new flows are judged");

	r = nft_rule_new("to_networks");
	nft_expr_not_syn(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "only a SYN begins a flow");
}

void nft_table_add_allow(const struct nft_build *b)
{
	char name[NFT_NAME_LEN];

	nft_add_chain(b->t, "to_networks", nullptr, 0, 0);
	for (size_t i = 0; i < b->allow.n; i++)
		add_allow_set(b, &b->allow.sets[i]);
	add_allow_known(b);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		add_allow_map(b, f);
	for (const struct nft_allow_set *s = b->allow.sets; s < b->allow.sets + b->allow.n; s++)
		if (!s->exact) {
			allow_name(b, s, name);
			add_allow_rule(b->t, s, "to_networks", name);
		}

	struct nftnl_rule *r = nft_rule_new("to_networks");
	nft_expr_counter(r, NFT_COUNTER_DENIED);
	nft_expr_refuse(r);
	nft_add_rule(b->t, r, "not in the allow list");
}
