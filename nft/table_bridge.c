/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_bridge: the wall around the HTTP bridge. Its user may begin TCP connections to the
 * configured upstreams, and send nothing else but what belongs to connections that exist.
 *
 * Only what begins is judged: sockets that the bridge accepted are its own as well, so a rule on
 * every packet would take the answers away. A packet's user is that of the process that made the
 * socket's file (nft_meta.c, nft_meta_get_eval_skugid()). For the listening sockets that is
 * meshgwd, and whoever holds one can turn it into one that connects (tcp_disconnect()); it keeps
 * its port, by which it is known.
 */
#include "lib/xmalloc.h"
#include "nft/set.h"
#include "nft/table_int.h"
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_refusal(const struct nft_build *b, struct nftnl_rule *r, const char *comment)
{
	nft_expr_counter(r, NFT_COUNTER_BRIDGE_DENIED);
	nft_expr_refuse(r);
	nft_add_rule(b->t, r, comment);
}

static void add_known(const struct nft_build *b, const char *chain)
{
	struct nftnl_rule *r = nft_rule_new(chain);

	nft_expr_not_syn(r);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "only a SYN begins a connection");
}

static int cmp_upstream(const void *x, const void *y)
{
	const struct nft_allow *a = x, *b = y;
	int order = addr_cmp(&a->to.addr, &b->to.addr);

	return order ? order : (a->port_first > b->port_first) - (a->port_first < b->port_first);
}

/* Each once: what is read back is counted. */
static void fill_upstreams(
	struct nft_elems *e, const struct nft_model *m, const struct nft_family *f)
{
	struct nft_allow *list = xcalloc(m->n_upstreams, sizeof(*list));

	if (m->n_upstreams) {
		memcpy(list, m->upstreams, m->n_upstreams * sizeof(*list));
		qsort(list, m->n_upstreams, sizeof(*list), cmp_upstream);
	}
	for (size_t i = 0; i < m->n_upstreams; i++)
		if (list[i].to.addr.family == f->family &&
			(i == 0 || cmp_upstream(&list[i - 1], &list[i]) != 0))
			nft_elem_flow(e, &list[i]);
	free(list);
}

static void add_upstreams(const struct nft_build *b, const struct nft_family *f)
{
	struct nft_elems e;
	char set[NFT_NAME_LEN];

	snprintf(set, sizeof(set), "upstreams%s", f->suffix);
	nft_set_add(b->t, set, NFT_SET_FLOWS, f, 0, "what the HTTP bridge may connect to");
	nft_elems_begin(&e, b->t, NFT_MSG_NEWSETELEM, set);
	fill_upstreams(&e, b->m, f);
	nft_elems_end(&e);

	struct nftnl_rule *r = nft_rule_new("bridge");
	nft_expr_flow_in(r, f, false, set);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "to an upstream");
}

static void add_user(
	const struct nft_build *b, uint32_t uid, const char *chain, const char *comment)
{
	struct nftnl_rule *r = nft_rule_new("bridge_output");

	nft_expr_user(r, uid);
	nft_expr_verdict(r, NFT_GOTO, chain);
	nft_add_rule(b->t, r, comment);
}

void nft_table_add_bridge(const struct nft_build *b)
{
	nft_add_chain(b->t, "bridge", nullptr, 0, 0);
	add_known(b, "bridge");
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		add_upstreams(b, f);
	add_refusal(b, nft_rule_new("bridge"), "no upstream");

	nft_add_chain(b->t, "bridge_sockets", nullptr, 0, 0);
	add_known(b, "bridge_sockets");
	for (size_t i = 0; i < b->m->n_bridge_ports; i++) {
		struct nftnl_rule *r = nft_rule_new("bridge_sockets");
		nft_expr_source_port(r, b->m->bridge_ports[i]);
		add_refusal(b, r, "a listening socket does not connect");
	}

	nft_add_chain(b->t, "bridge_output", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER);
	add_user(b, b->m->bridge_uid, "bridge", "the HTTP bridge");
	add_user(b, b->m->bridge_opener, "bridge_sockets", "sockets that it was given");
}
