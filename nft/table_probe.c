/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_probe: the chains that mark probes, see their answers, and keep them out of the tunnel; and
 * the sets in which services are remembered.
 *
 * An answer is judged at the end of the forward hook: what comes that far has passed rp_filter,
 * found its route, and was refused by no filter of others. It goes no further: the service is told
 * to forget the connection, and nothing of it enters the tunnel.
 */
#include "lib/marks.h"
#include "nft/set.h"
#include "nft/table_int.h"
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <string.h>

/* Behind those who filter (0 to 50, security) and those who watch (225, SELinux' last). */
constexpr int32_t PRIORITY_LAST = NF_IP_PRI_SELINUX_LAST + 1;
constexpr uint32_t FLAGS = MARK_PROBE_ANSWERED | MARK_PROBE_ASTRAY | MARK_PROBE_REFUSED |
			   MARK_PROBE_DIVERTED;
constexpr uint32_t ALL_BITS = MARK_PROBE_MASK | MARK_PROBE_LAN_MASK | FLAGS;
constexpr size_t LANS_MAX = MARK_PROBE_LAN_MASK >> MARK_PROBE_LAN_SHIFT;

static_assert(((MARK_PROBE_MASK | ALL_BITS) & 0xff0000) == 0); /* Tailscale */
static_assert((ALL_BITS & 0x100cf) == 0);                      /* Cloudflare's client */

/* Runs over the LAN interfaces: number and name of the next one. */
static const char *next_lan(const struct nft_model *m, size_t *number)
{
	return *number < m->n_lan_interfaces && *number < LANS_MAX ? m->lan_interfaces[(*number)++]
								   : nullptr;
}

static uint32_t lan_mark(size_t number)
{
	return (uint32_t)number << MARK_PROBE_LAN_SHIFT;
}

/* A rule of one expression, or two, and a verdict. */
static void add_goto(
	const struct nft_build *b, struct nftnl_rule *r, const char *chain, const char *comment)
{
	nft_expr_verdict(r, NFT_GOTO, chain);
	nft_add_rule(b->t, r, comment);
}

/* Before conntrack, which then knows the flow by the port that is seen outside. */
static void add_port(const struct nft_build *b)
{
	char set[NFT_NAME_LEN];

	nft_add_chain(b->t, "probe_port", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		struct nftnl_rule *r = nft_rule_new("probe_port");

		snprintf(set, sizeof(set), "probe_sources%s", f->suffix);
		nft_expr_mark(r, MARK_PROBE_MASK, MARK_PROBE);
		nft_expr_source_in(r, f, set);
		nft_expr_source_port_flip(r, MARK_PROBE_PORT_BIT);
		nft_add_rule(b->t, r, "the answer finds no socket here");
	}
}

/* Each SYN clears what an earlier probe of the same ports left behind. */
static void add_begin(const struct nft_build *b)
{
	const char *lan;

	nft_add_chain(b->t, "probe_begin", nullptr, 0, 0);
	struct nftnl_rule *r = nft_rule_new("probe_begin");
	nft_expr_ct_mark_set(r, ALL_BITS, MARK_PROBE);
	nft_add_rule(b->t, r, "a probe");
	for (size_t i = 0; (lan = next_lan(b->m, &i));) {
		r = nft_rule_new("probe_begin");
		nft_expr_ifname(r, NFT_OUT, lan);
		nft_expr_ct_mark_set(r, MARK_PROBE_LAN_MASK, lan_mark(i));
		nft_add_rule(b->t, r, "left by this interface");
	}
}

static void add_late(const struct nft_build *b, const char *chain)
{
	char set[NFT_NAME_LEN];

	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		struct nftnl_rule *r = nft_rule_new(chain);

		snprintf(set, sizeof(set), "probe_sources%s", f->suffix);
		nft_expr_invalid(r);
		nft_expr_dest_in(r, f, set);
		nft_expr_verdict(r, NF_DROP, nullptr);
		nft_add_rule(b->t, r, "to a probe that nobody remembers");
	}
}

/* What a filter of this host says to a probe (a RST, an ICMP error) would go into the tunnel. */
static void add_leaks(const struct nft_build *b)
{
	nft_add_chain(b->t, "probe_leaks", nullptr, 0, 0);
	struct nftnl_rule *r = nft_rule_new("probe_leaks");
	nft_expr_ct_mark(r, MARK_PROBE_MASK, MARK_PROBE);
	nft_expr_reply(r);
	nft_expr_verdict(r, NF_DROP, nullptr);
	nft_add_rule(b->t, r, "to a probe");
	add_late(b, "probe_leaks");
}

/* Before the filters of others, whose RSTs carry the mark of what they refuse. */
void nft_table_add_output(const struct nft_build *b)
{
	if (!b->m->probe && b->m->n_neighbors == 0)
		return;
	if (b->m->probe) {
		for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
			if (nft_has_family(b->m, f))
				nft_add_hosts(b, f, "probe_sources", b->m->probe_sources,
					b->m->n_probe_sources, "what probes are sent from");
		add_port(b);
		add_begin(b);
		add_leaks(b);
	}
	nft_add_chain(b->t, "output", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE);
	if (b->m->probe) {
		struct nftnl_rule *r = nft_rule_new("output");
		nft_expr_mark(r, MARK_PROBE_MASK, MARK_PROBE);
		add_goto(b, r, "probe_begin", "probes of the way back");
		r = nft_rule_new("output");
		nft_expr_ifname(r, NFT_OUT, b->m->mesh_interface);
		add_goto(b, r, "probe_leaks", "into the tunnel");
	}
	if (b->m->n_neighbors)
		nft_table_add_sessions(b, "output");
}

static void add_seen(
	const struct nft_build *b, struct nftnl_rule *r, uint32_t flags, const char *comment)
{
	nft_expr_ct_mark_set(r, flags, flags);
	add_goto(b, r, "probe_end", comment);
}

/* Nothing of the mesh has this mark, so nothing real ends here. */
static void add_end(const struct nft_build *b)
{
	nft_add_chain(b->t, "probe_end", nullptr, 0, 0);
	struct nftnl_rule *r = nft_rule_new("probe_end");
	nft_expr_syn_ack(r);
	nft_expr_reset(r);
	nft_add_rule(b->t, r, "the service can forget it");

	r = nft_rule_new("probe_end");
	nft_expr_verdict(r, NF_DROP, nullptr);
	nft_add_rule(b->t, r, "nothing enters the tunnel");
}

/* A RST takes the flow with it, and the mark (nf_conntrack_proto_tcp.c, nf_conntrack_tcp_packet).
 */
static void add_reset_sets(const struct nft_build *b)
{
	char set[NFT_NAME_LEN];

	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		snprintf(set, sizeof(set), "probe_resets%s", f->suffix);
		if (nft_has_family(b->m, f))
			nft_set_add_learned(b->t, set, f, NFT_RESETS, NFT_RESET_S,
				"probes that were answered with a RST");
	}
}

/* r has what tells that it is a probe's. */
static void add_reset(const struct nft_build *b, struct nftnl_rule *r, const struct nft_family *f)
{
	char set[NFT_NAME_LEN];

	snprintf(set, sizeof(set), "probe_resets%s", f->suffix);
	nft_expr_rst(r);
	nft_expr_remember_dest(r, f, set);
	nft_add_rule(b->t, r, "refused");
}

/* Probes from the gateway's own address hear it themselves, but not whether it was this host that
 * refused. */
static void add_own_resets(const struct nft_build *b)
{
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		struct nftnl_rule *r = nft_rule_new("input");
		nft_expr_ifname_in(r, NFT_IN, "lan");
		nft_expr_ct_mark(r, MARK_PROBE_MASK, MARK_PROBE);
		nft_expr_reply(r);
		add_reset(b, r, f);
	}
}

static void add_proof(const struct nft_build *b)
{
	nft_add_chain(b->t, "probe_proof", nullptr, 0, 0);
	struct nftnl_rule *r = nft_rule_new("probe_proof");
	nft_expr_syn_ack(r);
	add_seen(b, r, MARK_PROBE_ANSWERED, "answered");

	r = nft_rule_new("probe_proof");
	nft_expr_related(r);
	add_seen(b, r, MARK_PROBE_ANSWERED | MARK_PROBE_REFUSED, "answered by an ICMP error");

	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		if (nft_has_family(b->m, f))
			add_reset(b, nft_rule_new("probe_proof"), f);

	r = nft_rule_new("probe_proof");
	add_goto(b, r, "probe_end", "anything else");
}

static void add_answer(const struct nft_build *b)
{
	const char *lan;

	nft_add_chain(b->t, "probe_answer", nullptr, 0, 0);
	struct nftnl_rule *r = nft_rule_new("probe_answer");
	nft_expr_ifname_not(r, NFT_OUT, b->m->mesh_interface);
	add_seen(b, r, MARK_PROBE_DIVERTED, "leaves elsewhere");
	for (size_t i = 0; (lan = next_lan(b->m, &i));) {
		r = nft_rule_new("probe_answer");
		nft_expr_ifname(r, NFT_IN, lan);
		nft_expr_ct_mark(r, MARK_PROBE_LAN_MASK, lan_mark(i));
		add_goto(b, r, "probe_proof", "came back by the interface it left by");
	}
	r = nft_rule_new("probe_answer");
	add_seen(b, r, MARK_PROBE_ASTRAY, "came by another interface");
}

static void add_learning(const struct nft_build *b, const struct nft_family *f)
{
	char networks[NFT_NAME_LEN], witnesses[NFT_NAME_LEN];

	nft_add_prefixes(b, f, "learn", b->m->learn_networks, b->m->n_learn_networks,
		"where services are remembered");
	snprintf(networks, sizeof(networks), "learn%s", f->suffix);
	snprintf(witnesses, sizeof(witnesses), "witnesses%s", f->suffix);
	nft_set_add_learned(b->t, witnesses, f, NFT_WITNESSES, b->m->learn_s,
		"services that answered the mesh");

	struct nftnl_rule *r = nft_rule_new("answers");
	nft_expr_syn_ack(r);
	nft_expr_ifname_in(r, NFT_IN, "lan");
	nft_expr_reply(r);
	nft_expr_source_in(r, f, networks);
	nft_expr_remember_source(r, f, witnesses);
	nft_add_rule(b->t, r, "answers to the mesh are remembered");
}

/* In front of everybody's source NAT: a probe with the gateway's address proves nothing. */
static void add_keep_source(const struct nft_build *b)
{
	nft_add_chain(b->t, "probe_nat", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC - 1);
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		if (!nft_has_family(b->m, f))
			continue;
		struct nftnl_rule *r = nft_rule_new("probe_nat");
		nft_expr_mark(r, MARK_PROBE_MASK, MARK_PROBE);
		nft_expr_keep_source(r, f);
		nft_add_rule(b->t, r, "probes keep their source");
	}
}

void nft_table_add_uncounted(const struct nft_build *b, const char *chain)
{
	struct nftnl_rule *r = nft_rule_new(chain);

	nft_expr_ct_mark(r, MARK_PROBE_MASK, MARK_PROBE);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "answers to probes go no further");
}

void nft_table_add_probe(const struct nft_build *b)
{
	add_reset_sets(b);
	add_own_resets(b);
	add_end(b);
	add_proof(b);
	add_answer(b);
	nft_add_chain(b->t, "answers", "filter", NF_INET_FORWARD, PRIORITY_LAST);
	struct nftnl_rule *r = nft_rule_new("answers");
	nft_expr_ct_mark(r, MARK_PROBE_MASK, MARK_PROBE);
	nft_expr_reply(r);
	add_goto(b, r, "probe_answer", "answers to probes");
	r = nft_rule_new("answers");
	nft_expr_ifname_not(r, NFT_OUT, b->m->mesh_interface);
	nft_expr_verdict(r, NF_ACCEPT, nullptr);
	nft_add_rule(b->t, r, "not into the tunnel");
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		if (nft_has_family(b->m, f) && b->m->n_learn_networks)
			add_learning(b, f);
	add_late(b, "answers");
	add_keep_source(b);
}
