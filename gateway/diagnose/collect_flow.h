/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_flow: what this machine remembers of a flow, or keeps ready for it: the link address of
 * the next hop, entries of connection tracking, a listening socket; and whose machine it is.
 */
#include "diagnose/collect_lookup.h"
#include "net/neigh.h"

/* The next hop's entry. watch, which may be nullptr, has heard of it meanwhile. */
void collect_neighbour(const struct collect_scope *scope, struct nl_sock *s,
	const struct collect_way *way, const struct neigh_watch *watch, struct evidence *e);

/* What came of the question whether it is still there, by that fact. */
void collect_link_answer(struct evidence *e);

/* Source ports (ICMP: identifiers) of packets that the diagnosis itself sent as a client of the
 * mesh; 0..0 = none. */
struct collect_ports {
	uint16_t first, last;
};

/* Entries of flows from the mesh to the target: of real ones that which will be forgotten last,
 * answered and not answered apart, and the same of our own. s is a NETLINK_NETFILTER socket. */
void collect_conntrack(const struct collect_scope *scope, struct nl_sock *s,
	const struct collect_ports *own, struct evidence *e);

/* Who listens, if the target is this host. */
void collect_socket(const struct collect_scope *scope, struct evidence *e);

void collect_platform(struct evidence *e);
