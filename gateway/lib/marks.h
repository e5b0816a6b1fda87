/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * marks: the names and numbers by which our kernel state is known. What carries one of them is
 * ours; nothing else is.
 */
#include <stdint.h>

/* rtm_protocol of our routes. No name in iproute2's rt_protos and none in FRR, so zebra treats
 * the route as a foreign kernel route. Named "meshgw" by /etc/iproute2/rt_protos.d/meshgw.conf. */
constexpr uint8_t MARK_RTPROT = 107;

/* Metric of our routes. zebra reads an administrative distance from the top byte of a kernel
 * route's metric: 0xFE is 254, so a static route of FRR's stays best and announced, and ours
 * remains behind it when FRR dies. Not 0xFF, which zebra takes as unreachable. */
constexpr uint32_t MARK_METRIC = 0xFE000000;

/* The alias of the tunnel's interface, where we made it. */
#define MARK_LINK_ALIAS "meshgw tunnel"

/* Family inet, name meshgw. */
#define MARK_NFT_TABLE "meshgw"

constexpr uint32_t MARK_RT_TABLE = 254; /* RT_TABLE_MAIN */

/* The comment of our rules in other programs' tables (key remedies). */
#define MARK_REMEDY "meshgw remedy"
/* The same of what `meshgw fix` wrote there: its operator's, and left alone by the daemon. */
#define MARK_FIX "meshgw fix"

/* Packets that ask whether answers find their way back to a mesh address: their packet mark, and
 * in the conntrack mark of their flow what table inet meshgw saw of the answer. Both stay clear of
 * the bits of Cloudflare's client (0x100cf) and of Tailscale (0xff0000). */
constexpr uint32_t MARK_PROBE = 0x4d000000;
constexpr uint32_t MARK_PROBE_MASK = 0xff000000;
/* Bits of the conntrack mark only. An answer "came back" when it entered by the interface that the
 * probe had left by and was on its way into the tunnel, behind rp_filter, routing and the filters
 * of others:
 *   ANSWERED             a SYN-ACK came back
 *   ANSWERED | REFUSED   an ICMP error came back
 *   REFUSED              a RST came back; it ends the conntrack entry, so this is never in one, but
 *                        what nft_learned_reset() knows is told so (daemon/kernel.h)
 *   ASTRAY               an answer entered by another interface
 *   DIVERTED             an answer was about to leave by another interface than the tunnel's */
constexpr uint32_t MARK_PROBE_ANSWERED = 0x10;
constexpr uint32_t MARK_PROBE_ASTRAY = 0x20;
constexpr uint32_t MARK_PROBE_REFUSED = 0x100;
constexpr uint32_t MARK_PROBE_DIVERTED = 0x200;
/* The interface that the probe left by: 1.. in the order of the table's model. */
constexpr uint32_t MARK_PROBE_LAN_MASK = 0xfc00;
constexpr unsigned MARK_PROBE_LAN_SHIFT = 10;

/* On its way out the source port of a probe from the mesh changes in this bit. Its answer then
 * finds no socket here: one that it did find, the kernel would drop instead of forwarding it
 * (net/ipv4/tcp_ipv4.c, tcp_v4_early_demux; net/ipv4/ip_forward.c; IPv6 likewise). */
constexpr uint16_t MARK_PROBE_PORT_BIT = 0x8000;

/* nfnetlink_log group of the ends of BGP sessions. */
constexpr uint16_t MARK_NFLOG_GROUP = 0x6d67;
/* FRR. The tag of our static routes (below 2^32 - 1, and nobody's round number), the beginning of
 * the names of our route-maps, prefix-lists and BFD profiles, and the description of our
 * neighbours: this word alone, or followed by ": " and a text. */
constexpr uint32_t MARK_FRR_TAG = 4294901867;
#define MARK_FRR_NAME "MESHGW"
#define MARK_FRR_DESCRIPTION "meshgw"
