/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fib: the kernel's routing decision, made again in this process from what the kernel dumps.
 *
 * RTM_GETROUTE tells where a packet goes, but not by which rule, and of entries that refuse
 * (blackhole, unreachable, prohibit) not even which; it also mixes them with what has nothing to do
 * with routes (forwarding off, a source that cannot be). fib_lookup() walks rules and tables as
 * net/core/fib_rules.c, net/ipv4/fib_trie.c and net/ipv6/route.c do and names both.
 *
 * It knows routing alone: no forwarding setting, no check of the source, no broadcast, no
 * multicast, no choice between the paths of one multipath route. Pure but for fib_read(). It is
 * held against the kernel by tests/unit/test_fib_kernel.c.
 */
#include "net/route.h"
#include "net/rule.h"

struct nl_sock;

/* One family's rules, and the routes that can matter to some addresses. */
struct fib {
	struct rule_set rules;
	struct route_set routes; /* all tables, in the kernel's order */
};

/* Reads the rules, and of all tables the routes that cover one of these addresses (n >= 1, all of
 * one family). 0 or -errno; *out is replaced only on success. */
[[nodiscard]] int fib_read(
	struct nl_sock *s, const struct addr *about, size_t n, struct fib *out, struct err *err);
void fib_clear(struct fib *fib);

struct fib_flow {
	struct addr from; /* AF_UNSPEC = none yet */
	struct addr to;
	int iif, oif; /* 0 = none: sent by this host, by any interface */
	char iif_name[IFNAMSIZ], oif_name[IFNAMSIZ]; /* "" likewise; rules go by names */
	uint32_t mark;
	uint8_t proto;
	uint16_t sport, dport;
	uint32_t uid;       /* 0 for what is forwarded */
	uint32_t vrf_table; /* of the VRF that iif or oif belongs to, 0 = none */
};

struct fib_result {
	/* 0; ENETUNREACH nothing matches, or a rule says unreachable; of the entry or rule that
	 * decides: EHOSTUNREACH unreachable, EINVAL blackhole, EACCES prohibit */
	int error;
	const struct rule *rule;   /* that decided, nullptr = none did */
	const struct route *entry; /* likewise; nullptr also when the rule itself refuses */
	bool unsure;               /* a rule before it asks for something that is not modelled */
};

/* flow->to has a family. The result borrows from fib. */
void fib_lookup(const struct fib *fib, const struct fib_flow *flow, struct fib_result *out);

/* A route of table main to the flow's destination by this interface that the decision passed over:
 * less specific, of a worse metric, or behind another table. nullptr = none. */
const struct route *fib_hidden(const struct fib *fib, const struct fib_flow *flow,
	const struct fib_result *result, int oif);
