/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_session: the ends of BGP sessions, as packets for nfnetlink_log. Whoever ends a session,
 * our bgpd for want of BFD or the neighbour for good, sends a FIN or a RST.
 */
#include "lib/marks.h"
#include "nft/set.h"
#include "nft/table_int.h"
#include <stdio.h>

constexpr uint16_t BGP_PORT = 179;
/* Each may cost a round of probes; a neighbour's routers end no more at a time. */
constexpr uint32_t ENDS_PER_SECOND = 10;
constexpr uint32_t ENDS_AT_ONCE = 20;

static void add_log(const struct nft_build *b, void (*port)(struct nftnl_rule *r, uint16_t port),
	const char *comment)
{
	struct nftnl_rule *r = nft_rule_new("session_end");

	port(r, BGP_PORT);
	nft_expr_limit(r, ENDS_PER_SECOND, ENDS_AT_ONCE);
	nft_expr_log(r, MARK_NFLOG_GROUP);
	nft_add_rule(b->t, r, comment);
}

/* Our own probes of a neighbour, each of which would be the reason for the next; and connections
 * that never came about. Only where connections are tracked anyway. */
static void add_exceptions(const struct nft_build *b)
{
	if (!b->m->probe)
		return;
	struct nftnl_rule *r = nft_rule_new("session_end");
	nft_expr_ct_mark(r, MARK_PROBE_MASK, MARK_PROBE);
	nft_expr_verdict(r, NFT_RETURN, nullptr);
	nft_add_rule(b->t, r, "a probe");

	r = nft_rule_new("session_end");
	nft_expr_not_assured(r);
	nft_expr_verdict(r, NFT_RETURN, nullptr);
	nft_add_rule(b->t, r, "no session");
}

void nft_table_add_neighbors(const struct nft_build *b)
{
	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++)
		nft_add_hosts(
			b, f, "neighbors", b->m->neighbors, b->m->n_neighbors, "BGP neighbours");
	nft_add_chain(b->t, "session_end", nullptr, 0, 0);
	add_exceptions(b);
	add_log(b, nft_expr_source_port, "of a session that we opened");
	add_log(b, nft_expr_dest_port, "of a session that the other side opened");
}

void nft_table_add_sessions(const struct nft_build *b, const char *chain)
{
	bool in = chain[0] == 'i';
	char set[NFT_NAME_LEN];

	for (const struct nft_family *f = nft_families; f < nft_families + 2; f++) {
		struct nftnl_rule *r = nft_rule_new(chain);

		snprintf(set, sizeof(set), "neighbors%s", f->suffix);
		nft_expr_end(r);
		(in ? nft_expr_source_in : nft_expr_dest_in)(r, f, set);
		nft_expr_verdict(r, NFT_JUMP, "session_end");
		nft_add_rule(b->t, r, "the end of a connection with a BGP neighbour");
	}
}
