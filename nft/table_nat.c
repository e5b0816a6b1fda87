/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_nat: source NAT of the mesh, and the sets that say which destinations it is for. They are
 * filled anew in the table as it is, so that a switch of modes is a change of elements alone.
 */
#include "nft/set.h"
#include "nft/table.h"
#include "nft/table_int.h"
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>

/* Sets of destinations; "4" or "6" follows their names. The later one is asked first. */
enum mode_set { MASQUERADE_NETWORKS, MASQUERADE_HOSTS, ROUTE_HOSTS, MODE_SETS };

static const struct {
	const char *name, *set_comment, *rule_comment;
} mode_sets[MODE_SETS] = {
	[MASQUERADE_NETWORKS] = {"masquerade_networks", "networks that see the gateway's address",
		"networks: masquerade"},
	[MASQUERADE_HOSTS] = {"masquerade_hosts", "hosts that see the gateway's address",
		"single hosts: masquerade"},
	[ROUTE_HOSTS] = {"route_hosts", "hosts that see the mesh address", "single hosts: route"},
};

static void mode_set_name(enum mode_set which, const struct nft_family *f, char name[NFT_NAME_LEN])
{
	snprintf(name, NFT_NAME_LEN, "%s%s", mode_sets[which].name, f->suffix);
}

static void fill_mode_sets(struct nft_txn *t, const struct nft_model *m, const struct nft_family *f)
{
	char name[NFT_NAME_LEN];

	mode_set_name(MASQUERADE_NETWORKS, f, name);
	nft_fill_prefixes(t, f, name, m->masquerade_networks, m->n_masquerade_networks);
	mode_set_name(MASQUERADE_HOSTS, f, name);
	nft_fill_hosts(t, f, name, m->masquerade_hosts, m->n_masquerade_hosts);
	mode_set_name(ROUTE_HOSTS, f, name);
	nft_fill_hosts(t, f, name, m->route_hosts, m->n_route_hosts);
}

static void add_mode_rule(const struct nft_build *b, const struct nft_family *f, const char *chain,
	enum mode_set which)
{
	struct nftnl_rule *r = nft_rule_new(chain);
	char set[NFT_NAME_LEN];

	mode_set_name(which, f, set);
	nft_expr_dest_in(r, f, set);
	if (which == ROUTE_HOSTS) {
		nft_expr_verdict(r, NFT_RETURN, nullptr);
	} else {
		nft_expr_counter(r, NFT_COUNTER_MASQUERADED);
		nft_expr_masquerade(r);
	}
	nft_add_rule(b->t, r, mode_sets[which].rule_comment);
}

/* Sets exist even when they are empty: their elements come and go while the table stays. */
static void add_masquerade(const struct nft_build *b, const struct nft_family *f)
{
	char name[NFT_NAME_LEN];

	for (enum mode_set i = 0; i < MODE_SETS; i++) {
		mode_set_name(i, f, name);
		nft_set_add(b->t, name, i == MASQUERADE_NETWORKS ? NFT_SET_PREFIXES : NFT_SET_HOSTS,
			f, 0, mode_sets[i].set_comment);
	}
	fill_mode_sets(b->t, b->m, f);

	snprintf(name, sizeof(name), "masquerade%s", f->suffix);
	nft_add_chain(b->t, name, nullptr, 0, 0);
	for (enum mode_set i = MODE_SETS; i-- > 0;)
		add_mode_rule(b, f, name, i);
}

void nft_table_build_modes(struct nft_txn *t, const struct nft_model *model)
{
	char name[NFT_NAME_LEN];

	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(model, f))
			continue;
		for (enum mode_set i = 0; i < MODE_SETS; i++) {
			mode_set_name(i, f, name);
			nft_set_empty(t, name);
		}
		fill_mode_sets(t, model, f);
	}
}

void nft_table_add_nat(const struct nft_build *b)
{
	char set[NFT_NAME_LEN], chain[NFT_NAME_LEN];

	nft_add_chain(b->t, "srcnat", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		add_masquerade(b, f);
		snprintf(set, sizeof(set), "ranges%s", f->suffix);
		snprintf(chain, sizeof(chain), "masquerade%s", f->suffix);
		struct nftnl_rule *r = nft_rule_new("srcnat");
		nft_expr_ifname(r, NFT_IN, b->m->mesh_interface);
		nft_expr_ifname_in(r, NFT_OUT, "lan");
		nft_expr_source_in(r, f, set);
		nft_expr_verdict(r, NFT_JUMP, chain);
		nft_add_rule(b->t, r, "from the mesh to the LAN");
	}
}
