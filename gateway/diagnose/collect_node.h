/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_node: this machine without a target, for `meshgw doctor`.
 *
 * Links: the mesh interface and every one of lan. Lookups, with a sample address of each range and
 * network: ASK_ADDRESS from the mesh to each network, ASK_REVERSE from each interface of lan to
 * each range, ASK_REVERSE_BARE to each range, ASK_NEIGHBOUR. Then sysctls of both families,
 * counters as they stand (delta 0), and the platform. Samples are the last usable addresses, the
 * ones that check.h of the daemon asks for; what is wrong with a part of a range only its
 * conditions show.
 */
#include "diagnose/collect_scope.h"

/* At most so many networks, ranges and interfaces of lan; what is beyond is left out. */
constexpr size_t COLLECT_NODE_NETWORKS = 32;
constexpr size_t COLLECT_NODE_RANGES = 16;
constexpr size_t COLLECT_NODE_LANS = 8;

void collect_node(struct nl_sock *s, const struct config *config, struct evidence *e);
