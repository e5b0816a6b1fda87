/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * model: what table inet meshgw shall hold, as plain data.
 *
 * The model says *what* (these ranges, these networks masqueraded, these flows allowed); table.c
 * turns it into chains, sets and rules, read.c reads back what the kernel has. The caller owns
 * every array a model points to. No policy here: the daemon's plan decides what goes in.
 *
 * Lists need no order, and may repeat themselves or hold prefixes inside each other; what the
 * kernel would refuse is folded on the way.
 */
#include "lib/ip.h"
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

/* One accepted kind of new flow from the mesh. */
struct nft_allow {
	struct prefix from;
	struct prefix to;                /* same family as from */
	uint8_t proto_first, proto_last; /* one IPPROTO_x, or 0..255 for everything; nothing else */
	uint16_t port_first, port_last;  /* destination port; 0..65535 when the protocol has none */
};

/* So many services of one family are remembered at a time; so many RSTs, and for so long. */
constexpr size_t NFT_WITNESSES = 256;
constexpr size_t NFT_RESETS = 1024;
constexpr uint32_t NFT_RESET_S = 30;

struct nft_model {
	char mesh_interface[IFNAMSIZ];
	const char (*lan_interfaces)[IFNAMSIZ];
	size_t n_lan_interfaces;
	const struct prefix *ranges; /* all mesh ranges */
	size_t n_ranges;
	const struct prefix *networks; /* what the ranges may reach at all */
	size_t n_networks;

	/* Source NAT. Without `nat` no NAT chain exists and nothing needs conntrack. A flow from a
	 * range that leaves by a LAN interface is masqueraded when its destination is in
	 * masquerade_hosts, or in masquerade_networks, and not in route_hosts. */
	bool nat;
	const struct prefix *masquerade_networks;
	size_t n_masquerade_networks;
	const struct addr *masquerade_hosts;
	size_t n_masquerade_hosts;
	const struct addr *route_hosts;
	size_t n_route_hosts;

	/* Probes of the way back (lib/marks.h), whose answers are seen and kept out of the tunnel.
	 * probe_sources: what they are sent from. At most 63 LAN interfaces can be told apart. */
	bool probe;
	const struct addr *probe_sources;
	size_t n_probe_sources;
	/* Services in these networks that answered a flow of the mesh are remembered for so many
	 * seconds (nft_read_witnesses()). Only with `probe`. */
	const struct prefix *learn_networks;
	size_t n_learn_networks;
	uint32_t learn_s;

	/* BGP neighbours; the end of a session with one is told to MARK_NFLOG_GROUP. The kernel
	 * refuses the table if it lacks nfnetlink_log, so ask net/nflog.h first. */
	const struct addr *neighbors;
	size_t n_neighbors;

	/* The HTTP bridge: a user that may connect to these and to nothing else, on ports that
	 * sockets of another user, who opened them for it, listen on. `from` means nothing, the
	 * destination is a host, the protocol TCP. */
	bool bridge;
	uint32_t bridge_uid, bridge_opener;
	const struct nft_allow *upstreams;
	size_t n_upstreams;
	const uint16_t *bridge_ports;
	size_t n_bridge_ports;

	/* Flows are tracked although nothing above or below needs it. */
	bool track;

	/* The allow list judges new flows from the mesh to the networks. */
	bool allow_list;
	const struct nft_allow *allow;
	size_t n_allow;
};

/* Do both ask for the same table? Lists in another order count as different. */
bool nft_model_equal(const struct nft_model *a, const struct nft_model *b);

/* Named counters of the table; they survive a replacement of the table. */
enum nft_counter {
	NFT_COUNTER_FROM_MESH,     /* forwarded, entered by the mesh interface */
	NFT_COUNTER_TO_MESH,       /* forwarded, leaves by the mesh interface only */
	NFT_COUNTER_MASQUERADED,   /* new flows given the gateway's source address */
	NFT_COUNTER_DENIED,        /* refused: not to a network, or not in the allow list */
	NFT_COUNTER_SPOOFED,       /* dropped: a mesh source that came in by a LAN interface */
	NFT_COUNTER_BRIDGE_DENIED, /* refused: the HTTP bridge's, and to no upstream */
	NFT_COUNTERS,
};
const char *nft_counter_str(enum nft_counter c); /* the counter's name in the table */

struct nft_counters {
	struct {
		uint64_t packets, bytes;
	} of[NFT_COUNTERS];
};
