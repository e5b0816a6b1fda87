/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

constexpr enum code first = CODE_LAN_INTERFACE_MISSING;

/* "rt mtu" is the smaller one of both directions (net/netfilter/nft_rt.c). Of the mesh's
 * connections alone. */
#define CLAMP_CHAIN                                                                      \
	"nft 'add table inet mss_clamp; add chain inet mss_clamp forward { type filter " \
	"hook forward priority mangle; }'"
#define CLAMP_RULE(way, size)                                                                      \
	"nft add rule inet mss_clamp forward " way " {mesh} tcp flags syn tcp option maxseg size " \
	"set " size
#define CLAMP(size) CLAMP_CHAIN, CLAMP_RULE("iifname", size), CLAMP_RULE("oifname", size)

const struct code_row code_part_link[] = {
	[CODE_LAN_INTERFACE_MISSING - first] = {"lan-interface-missing", CODE_CLASS_NODE,
		"The interface to the LAN does not exist.",
		"The kernel knows no interface of the name under lan:.",
		"Check the name under lan: in the configuration, and the hardware.", {}, false},
	[CODE_LAN_INTERFACE_DOWN - first] = {"lan-interface-down", CODE_CLASS_NODE,
		"The interface to the LAN is down or has no link.",
		"The interface is not up, or has no carrier.",
		"Bring the interface up, or check its cable.", {"ip link set dev {interface} up"},
		false},
	[CODE_NEIGHBOUR_UNRESOLVED - first] = {"neighbour-unresolved", CODE_CLASS_LAN,
		"Nobody on the LAN answers for the address of the target, or of the router in "
		"front of it.",
		"The neighbour entry is incomplete or failed; packets wait in vain and the "
		"kernel drops them with NEIGH_FAILED. The caller gets host unreachable after "
		"some seconds.",
		"See that the machine[ {address}] is up and in this segment; check its VLAN, its "
		"address and the length of prefixes.",
		{}, false},
	[CODE_NEIGHBOUR_DUPLICATE_ADDRESS - first] = {"neighbour-duplicate-address", CODE_CLASS_LAN,
		"Two machines on the LAN answer for the same address.",
		"Two link-layer addresses were seen for one address within the diagnosis.",
		"Find the second machine by its link-layer address[, {lladdr},] and give it "
		"another address.",
		{}, false},
	[CODE_NEIGHBOUR_TABLE_FULL - first] = {"neighbour-table-full", CODE_CLASS_NODE,
		"The table of neighbours is full, so that addresses of the LAN cannot be "
		"resolved.",
		"The kernel drops with NEIGH_CREATEFAIL or NEIGH_QUEUEFULL, or table_fulls of "
		"the neighbour cache grows.",
		"Raise the limit, and find out who asks for so many addresses.",
		{"sysctl -w {sysctl}={wanted}"}, true},
	[CODE_EGRESS_QUEUE_DROP - first] = {"egress-queue-drop", CODE_CLASS_NODE,
		"The queue of the interface drops the packet on its way out.",
		"The kernel drops with QDISC_DROP or the like at the interface, and its queueing "
		"discipline counts drops.",
		"See what drops (tc -s qdisc show[ dev {interface}]), and raise the rate or the "
		"limit of that class, where the interface's shaping comes from; to delete the "
		"discipline would end it for everybody's packets.",
		{}, false},
	[CODE_PROVIDER_SOURCE_CHECK - first] = {"provider-source-check", CODE_CLASS_LAN,
		"The cloud or hypervisor drops what this machine sends with addresses that are "
		"not its own.",
		"A packet with the gateway's own address is answered, one with the caller's is "
		"not, and the machine runs at a provider that checks sources.",
		"Switch the check of source and destination off for this machine's interface, "
		"and route the mesh range to it in the provider's network; or use return_path: "
		"masquerade.",
		{}, false},
	[CODE_PMTU_BLACKHOLE_LAN - first] = {"pmtu-blackhole-lan", CODE_CLASS_NODE,
		"Small packets pass and large ones do not: the service sends larger ones than "
		"the tunnel takes, and does not hear that it should not.",
		"The handshake succeeds, large answers come in from the LAN again and again and "
		"none leaves; the kernel drops with PKT_TOO_BIG and sends ICMP errors that "
		"change nothing.",
		"Lower the segment size of TCP connections to that of the way, and let ICMP "
		"\"fragmentation needed\" pass in the LAN.",
		{CLAMP("rt mtu")}, false},
	[CODE_PMTU_ERRORS_FILTERED_LOCALLY - first] = {"pmtu-errors-filtered-locally",
		CODE_CLASS_NODE,
		"Large packets do not pass, and the errors that would tell the sender are "
		"dropped on this gateway.",
		"The kernel drops with PKT_TOO_BIG, and its ICMP error is dropped by a chain at "
		"hook output right after.",
		"Accept ICMP errors of this gateway in that chain, and lower the segment size of "
		"TCP connections.",
		{"nft {put} rule {family} {table} {chain}[ handle {handle}] {nfticmp} type "
		 "{tooBig} accept",
			CLAMP("rt mtu")},
		false},
	[CODE_PMTU_BLACKHOLE_TUNNEL - first] = {"pmtu-blackhole-tunnel", CODE_CLASS_TUNNEL,
		"Small packets pass and large ones do not: they are lost inside the tunnel or "
		"behind it.",
		"Large answers leave into the tunnel again and again and are not acknowledged, "
		"small ones are.",
		"Lower the segment size of TCP connections further than the tunnel's MTU asks "
		"for, or the MTU of the tunnel.",
		{CLAMP("1200")}, false},
	[CODE_MSS_NOT_CLAMPED - first] = {"mss-not-clamped", CODE_CLASS_NODE,
		"Connections may begin with larger segments than the tunnel takes; that is a "
		"risk, not a fault by itself.",
		"A SYN to the LAN carries a segment size above the tunnel's MTU less its headers.",
		"Lower the segment size of TCP connections to that of the way.", {CLAMP("rt mtu")},
		false},
	[CODE_TTL_EXPIRED - first] = {"ttl-expired", CODE_CLASS_TUNNEL,
		"The packet's hop count is used up at this gateway.",
		"The packet enters with a TTL of 1, the kernel drops with IP_INHDR in ip_forward "
		"and sends time exceeded; and there is no loop.",
		"Let the caller send with a higher TTL; a traceroute looks the same and is no "
		"fault.",
		{}, false},
	[CODE_CHECKSUM_BAD_IP - first] = {"checksum-bad-ip", CODE_CLASS_TUNNEL,
		"The packet comes out of the tunnel with a wrong IP checksum.",
		"The kernel drops with IP_CSUM, and IpInHdrErrors grows.",
		"It is a fault of the sender or of the program that writes to the tunnel's "
		"interface: update it.",
		{}, false},
	[CODE_CHECKSUM_BAD_L4 - first] = {"checksum-bad-l4", CODE_CLASS_TUNNEL,
		"The packet comes out of the tunnel with a wrong TCP, UDP or ICMP checksum; the "
		"service drops it in silence.",
		"The checksum is wrong in the packet as it enters; the gateway forwards it, and "
		"only nf_conntrack.invalid may grow.",
		"Update the kernel and the tunnel's client; switching offloads of the interface "
		"off may help until then.",
		{"ethtool -K {mesh} gro off tx off"}, false},
	[CODE_FRAGMENTS_LOST - first] = {"fragments-lost", CODE_CLASS_TUNNEL,
		"Only a part of a fragmented packet arrives.",
		"First fragments are seen and later ones are not, or reassembly fails "
		"(IpReasmFails, FRAG_REASM_TIMEOUT).",
		"Send packets that need no fragments: smaller datagrams, or a smaller MTU at the "
		"sender.",
		{}, false},
};
