/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_policy: what an edge proposes, judged by the configuration. Pure.
 *
 * The tunnel reads what a stranger sends, so what it says is a proposal and nothing more. An
 * address must lie in what may be accepted, and in no LAN network; routes likewise, and there is a
 * limit to their number. What is refused stays known, with its reason, up to a bound.
 *
 * Nobody says which network this host is managed from. It may be any that the host stands in by an
 * interface of its own, so an edge gets none of them: not an address there, a part of it, or more
 * than it, but for a default route that the configuration names. An address without a network
 * around it (a VPN's, a loopback's) is only itself, and may lie in a range. Most such networks lie
 * outside of mesh.ranges, and so does nothing of an edge's.
 */
#include "conf/config.h"
#include "net/link.h"

constexpr size_t TUNNEL_ADDRESSES_MAX = 16;
constexpr size_t TUNNEL_ROUTES_MAX = 4096;
constexpr size_t TUNNEL_REFUSED_MAX = 16;

struct tunnel_refusal {
	bool route; /* else an address */
	struct prefix prefix;
	const char *reason; /* static text: "outside of accept.routes" */
};

/* Lists are the caller's to free. */
struct tunnel_proposal {
	struct prefix *addresses, *routes;
	size_t n_addresses, n_routes;
};

struct tunnel_verdict {
	struct prefix addresses[TUNNEL_ADDRESSES_MAX]; /* accepted ones */
	size_t n_addresses;
	struct prefix *routes; /* owned */
	size_t n_routes;
	struct tunnel_refusal refused[TUNNEL_REFUSED_MAX];
	size_t n_refused; /* of all; the first TUNNEL_REFUSED_MAX are kept */
};

/* Networks and addresses of this host's other interfaces, those that touch the ranges. */
struct tunnel_near {
	struct prefix *list; /* owned */
	size_t n;
};
/* But those of `mesh`, an interface. True: they are others than before. */
bool tunnel_near_update(struct tunnel_near *near, const struct config *config,
	const struct ifaddr_set *seen, int mesh);
void tunnel_near_clear(struct tunnel_near *near);

/* config: with a connector. *out is replaced. */
void tunnel_judge(const struct config *config, const struct tunnel_near *near,
	const struct tunnel_proposal *proposal, struct tunnel_verdict *out);
/* config: with an edge, to whom nobody proposes anything: its own addresses. *out is replaced. */
void tunnel_judge_edge(const struct config *config, struct tunnel_verdict *out);
void tunnel_verdict_clear(struct tunnel_verdict *v);
bool tunnel_verdict_equal(const struct tunnel_verdict *a, const struct tunnel_verdict *b);
