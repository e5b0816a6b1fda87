/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_lookup: questions to the kernel's routing, each with the rule and the entry that decide.
 *
 * The kernel's answer counts. Its reason is found by net/fib.h, since the kernel tells neither
 * rules nor entries that refuse, and told only where it explains the answer: where both disagree,
 * because a rule asks for what is not modelled or something changed in between, the fact has no
 * rule, and no entry unless the kernel names it.
 *
 * An error with an entry of type "unicast" has another reason than routing: EHOSTUNREACH that
 * forwarding is off, EINVAL and EXDEV that the source is refused. A rule that refuses by itself is
 * told as an entry of table 0 without a prefix, its type the rule's action.
 *
 * Routes are only read where an answer needs them to be explained: tables may hold a million.
 */
#include "diagnose/collect_scope.h"
#include "net/fib.h"

struct lookup {
	enum fact_question question;
	struct addr from; /* AF_UNSPEC = none */
	struct addr to;
	int iif; /* 0 = sent by this host */
	uint32_t mark;
	uint8_t proto;
	uint16_t sport, dport;
};

/* Asks alone; match: for the entry that decides (RTM_F_FIB_MATCH). */
[[nodiscard]] int lookup_ask(struct nl_sock *s, const struct lookup *q, bool match,
	struct route_answer *out, struct err *err);
/* Asks, and adds the fact. fib may hold rules alone. 0 and *answer when the kernel answered (also
 * with an error); -errno, told as missing, when it did not. */
[[nodiscard]] int collect_lookup(const struct collect_scope *scope, struct nl_sock *s,
	const struct fib *fib, const struct lookup *q, struct route_answer *answer,
	struct evidence *e);

/* The way from here to the target, as far as routes know it. */
struct collect_way {
	int oif; /* 0 = none */
	char egress[IFNAMSIZ];
	struct addr next_hop; /* the router, or the target itself on link; AF_UNSPEC = none */
	struct addr own;      /* the source that this host would use; AF_UNSPEC = none */
};

/* All questions about the flow, also with the marks that rules ask for, and those about BGP
 * neighbours. Links on the way that were not told before are. */
void collect_lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e,
	struct collect_way *way);
/* The same again, as the kernel answers, without what tables would explain. */
void collect_answers_again(
	const struct collect_scope *scope, struct nl_sock *s, struct evidence *e);
/* Is it the same question with the same answer? */
[[nodiscard]] bool collect_same_answer(const struct fact_lookup *a, const struct fact_lookup *b);
/* Of these, those about BGP neighbours alone. */
void collect_bgp_lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e);
