/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_filter: what filters and translations there are, and what they said to packets of the
 * flow. Facts of kinds chain and trace.
 */
#include "diagnose/collect_scope.h"
#include "diagnose/injection.h"
#include "nft/ruleset.h"
#include "nft/way.h"

/* Everybody's base chains, and iptables-legacy. *out stays as it was when they cannot be read; it
 * is the caller's to clear. s is a NETLINK_NETFILTER socket. */
void collect_chains(const struct collect_scope *scope, struct nl_sock *s, struct nft_ruleset *out,
	struct evidence *e);

/* The last word about each traced packet of the flow; packets alike in who sent them and in that
 * word are one fact. Rules that are gone meanwhile are told without their words. */
void collect_traces(const struct collect_scope *scope, struct nl_sock *s,
	const struct nft_ruleset *rules, const struct injections *set, const struct nft_ways *ways,
	struct evidence *e);
