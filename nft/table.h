/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * table: the model as the messages that make table inet meshgw. Pure: it fills a transaction and
 * asks the kernel nothing. What the table says in nft(8)'s words is shown by tests/golden/nft.
 *
 * Chains, in the order a packet meets them:
 *   input     input, filter         sends packets of the LAN to from_lan
 *   forward   forward, filter       sends packets to the next three
 *   from_lan                        drops mesh sources that come in by the LAN
 *   to_mesh                         counts, clamps the MSS
 *   from_mesh                       counts, clamps the MSS, refuses what is not to a network
 *   to_networks                     judges by the allow list
 *   allow4_N, allow6_N              exact entries of one mesh range
 *   srcnat    postrouting, srcnat   sends flows of the ranges that leave by the LAN to the next
 *   masquerade4, masquerade6        route or masquerade, by destination
 *
 * and for probes of the way back and the ends of BGP sessions:
 *   probe_port output, raw          answers to probes find no socket
 *   input                           notes the RSTs that the gateway's own probes get
 *   output    output, mangle        marks probes; keeps what this host says to them
 *   probe_begin, probe_leaks        out of the tunnel
 *   answers   forward, very late    sees the answers to probes, and keeps them out of the tunnel;
 *   probe_answer, _proof, _end      remembers what answers the mesh
 *   probe_nat postrouting, before   probes keep their source
 *             srcnat
 *   session_end                     tells of FINs and RSTs of BGP neighbours
 *
 * and for the HTTP bridge, by the user of a socket:
 *   bridge_output output, filter    sends packets to the next two
 *   bridge                          connections to upstreams, and no others
 *   bridge_sockets                  no connection from a port that it listens on
 *
 * Only the allow list, source NAT and probes mention conntrack: without them the table does not
 * switch it on.
 */
#include "nft/model.h"
#include "nft/txn.h"

/* flags: NFT_TABLE_F_x. start: where the counters begin, nullptr = at zero. */
void nft_table_build(struct nft_txn *t, const struct nft_model *model, uint32_t flags,
	const struct nft_counters *start);
/* The sets of source NAT anew, in the table as it is. */
void nft_table_build_modes(struct nft_txn *t, const struct nft_model *model);
