/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

constexpr enum code first = CODE_NOT_ALLOWED;

/* In front of the rule that is to blame, or behind all where it is the chain's policy; never wider
 * than the flow's protocol and port, for the rest of the chain is somebody's intention. */
#define NFT_PUT "nft {put} rule {family} {table} {chain}[ handle {handle}]"
#define TO_PORT "[ {l4} dport {port}][ meta l4proto {echo}] accept"
#define FROM_PORT "[ {l4} sport {port}][ meta l4proto {echo}] accept"

#define ACCEPT_FROM_MESH NFT_PUT " iifname {mesh} {l3} saddr {range}[ {l3} daddr {network}]" TO_PORT
/* Where packets are not routed yet, the direction alone that is dropped (place.h). */
#define ACCEPT_ENTERING \
	NFT_PUT " iifname {enters} {l3} saddr {range}[ {l3} daddr {network}]" TO_PORT
#define ACCEPT_RETURNING \
	NFT_PUT " iifname {returns}[ {l3} saddr {answersFrom}][ {l3} daddr {answersTo}]" FROM_PORT
#define ACCEPT_ANSWERS \
	NFT_PUT " iifname {lan} {l3} daddr {range} ct state established,related accept"

#define IPT_TO_PORT "[ -p {l4} --dport {port}][ -p {echo}] -j ACCEPT"
#define IPT_FROM_PORT "[ -p {l4} --sport {port}][ -p {echo}] -j ACCEPT"

#define ACCEPT_REMEDY                                                                         \
	"Accept the flow in that chain, in the way of the program that owns it; without the " \
	"port, the commands let all of the mesh range through."

const struct code_row code_part_filter[] = {
	[CODE_NOT_ALLOWED - first] = {"not-allowed", CODE_CLASS_NODE,
		"The configuration of meshgw does not let this flow pass.",
		"The target is in no network under lan:, or no entry under allow: matches; a "
		"rule of the table inet meshgw refuses the packet.",
		"Add the target to lan: networks:, or the flow to allow:, in "
		"/etc/meshgw/meshgw.yaml, and apply it.",
		{"meshgw apply"}, false},
	[CODE_FILTER_DROP_FORWARD - first] = {"filter-drop-forward", CODE_CLASS_NODE,
		"A packet filter on this gateway drops the packet where it is forwarded.",
		"The trace of a packet ends with drop, or with a policy of drop, in a chain at "
		"hook forward; the kernel drops with NETFILTER_DROP in nft_do_chain.",
		ACCEPT_REMEDY, {ACCEPT_FROM_MESH, ACCEPT_ANSWERS}, true},
	[CODE_FILTER_REJECT_FORWARD - first] = {"filter-reject-forward", CODE_CLASS_NODE,
		"A packet filter on this gateway rejects the packet where it is forwarded.",
		"The trace of a packet ends with reject in a chain at hook forward, and the "
		"caller gets an ICMP error or a reset.",
		ACCEPT_REMEDY, {ACCEPT_FROM_MESH, ACCEPT_ANSWERS}, true},
	[CODE_FILTER_DROP_LEGACY_XTABLES - first] = {"filter-drop-legacy-xtables", CODE_CLASS_NODE,
		"A rule of the old iptables drops the packet, which nft does not show.",
		"The kernel drops with NETFILTER_DROP in nf_hook_slow, the trace of nftables "
		"ends with accept, the table of connections is not full, and "
		"/proc/net/ip_tables_names is not empty.",
		"Accept the flow with iptables-legacy, or move the old rules to nftables.",
		{"{ipt}-legacy -I FORWARD -i {mesh} -s {range}[ -d {network}]" IPT_TO_PORT,
			"{ipt}-legacy -I FORWARD -o {mesh} -d {range}" IPT_FROM_PORT},
		false},
	[CODE_FILTER_DROP_PREROUTING - first] = {"filter-drop-prerouting", CODE_CLASS_NODE,
		"A packet filter on this gateway drops the packet before it is routed.",
		"The trace of a packet ends with drop in a chain at hook prerouting or ingress.",
		ACCEPT_REMEDY, {ACCEPT_ENTERING, ACCEPT_RETURNING}, true},
	[CODE_FILTER_FIB_DROP - first] = {"filter-fib-drop", CODE_CLASS_NODE,
		"A packet filter drops the packet because routing would not send answers by "
		"where it came in.",
		"The trace of a packet ends with drop at a rule with a fib expression.",
		"Mend the route to the packet's source first; if it is right, accept the flow "
		"in front of the rule, or make the check loose.",
		{ACCEPT_ENTERING, ACCEPT_RETURNING}, false},
	[CODE_FILTER_CT_INVALID_DROP - first] = {"filter-ct-invalid-drop", CODE_CLASS_NODE,
		"A packet filter drops the packet because connection tracking does not know its "
		"connection.",
		"The trace of a packet ends with drop at a rule with ct state invalid, and "
		"nf_conntrack.invalid grows.",
		"Let both directions of the flow cross this gateway; if that cannot be, accept "
		"it in front of the rule.",
		{ACCEPT_ENTERING, ACCEPT_RETURNING}, false},
	[CODE_FILTER_DROP_BRIDGE - first] = {"filter-drop-bridge", CODE_CLASS_NODE,
		"The packet is dropped by filter rules that bridged frames are made to pass.",
		"An interface of the way is part of a bridge, and bridge-nf-call-iptables or a "
		"chain of family bridge decides about its frames.",
		"Accept the flow in that chain, whatever interfaces it is seen on. To switch "
		"bridge-nf-call off is simpler, and ends what containers' isolation and services "
		"rest on.",
		{NFT_PUT " {l3} saddr {range}[ {l3} daddr {network}]" TO_PORT,
			NFT_PUT "[ {l3} saddr {network}] {l3} daddr {range}" FROM_PORT},
		false},
	[CODE_FILTER_DROP_INPUT - first] = {"filter-drop-input", CODE_CLASS_NODE,
		"A packet filter drops what is meant for this gateway itself.",
		"The target is an address of this gateway, and the trace of a packet ends with "
		"drop in a chain at hook input.",
		"Accept this one port from the mesh range on the mesh interface, in the way of "
		"the program that owns the chain; the others stay closed.",
		{NFT_PUT " iifname {mesh} {l3} saddr {range} {l3} daddr {target}" TO_PORT}, true},
	[CODE_FILTER_DROP_OUTPUT - first] = {"filter-drop-output", CODE_CLASS_NODE,
		"A packet filter drops packets that this gateway itself sends: probes, BGP, ICMP "
		"errors, answers.",
		"An own packet fails with an error of this host while forwarded ones pass, or "
		"the trace ends with drop in a chain at hook output.",
		"Accept packets to the LAN in that chain; the tunnel's client does so for "
		"networks that its profile excludes.",
		{NFT_PUT " oifname {lan} {l3} daddr {network} accept",
			NFT_PUT " oifname {mesh} {l3} daddr {range}" FROM_PORT},
		true},
	[CODE_FILTER_DROP_POSTROUTING - first] = {"filter-drop-postrouting", CODE_CLASS_NODE,
		"A packet filter on this gateway drops the packet when it is about to leave.",
		"The trace of a packet ends with drop in a chain at hook postrouting or egress.",
		ACCEPT_REMEDY,
		{NFT_PUT " oifname {lan} {l3} daddr {network}" TO_PORT,
			NFT_PUT " oifname {mesh} {l3} daddr {range}" FROM_PORT},
		true},
	[CODE_TC_OR_XDP_DROP - first] = {"tc-or-xdp-drop", CODE_CLASS_NODE,
		"A program or filter attached to the interface drops the packet before or after "
		"everything else.",
		"The kernel drops with TC_INGRESS, TC_EGRESS or XDP; or packets vanish at an "
		"interface that has such a program.",
		"It belongs to somebody, and others may rest on it: find out who (tc filter show"
		"[ dev {interface}]; bpftool net), and let it pass the mesh range. Delete at most "
		"the one filter, never its queueing discipline.",
		{}, false},
	[CODE_LSM_DROP - first] = {"lsm-drop", CODE_CLASS_NODE,
		"A security module of this gateway drops the packet.",
		"The kernel drops with SECURITY_HOOK.",
		"See the log of the security module (SELinux, AppArmor, BPF LSM), and allow "
		"forwarding of the packet's label.",
		{}, false},
	[CODE_CONNTRACK_TABLE_FULL - first] = {"conntrack-table-full", CODE_CLASS_NODE,
		"The table of connections is full, and new ones are dropped.",
		"nf_conntrack_count has reached nf_conntrack_max and nf_conntrack.drop grows; "
		"the kernel drops with NETFILTER_DROP in nf_hook_slow.",
		"Raise the limit, and find out who opens so many connections.",
		{"sysctl -w net.netfilter.nf_conntrack_max={wanted}"}, true},
	[CODE_CONNTRACK_STALE_NAT - first] = {"conntrack-stale-nat", CODE_CLASS_NODE,
		"The connection keeps an old decision about translation that is no longer right.",
		"An entry without an answer is older than the rules, and its translation is not "
		"what the mode asks for; each repeated packet keeps it alive.",
		"Delete the entries of this service that have no answer; those of live "
		"connections must stay.",
		{"conntrack -D -f {fw} -s {range} -d {target} -p {tcp} --dport {port} --state "
		 "SYN_SENT",
			"conntrack -D -f {fw} -s {asker} -d {target} -p {udp} --dport {port}",
			"conntrack -D -f {fw} -s {asker} -d {target} -p {echo}"},
		true},
	[CODE_NAT_NO_SOURCE_ADDRESS - first] = {"nat-no-source-address", CODE_CLASS_NODE,
		"The source is to be translated, and the LAN interface has no address to take.",
		"Masquerading is in force for the flow, and the interface by which it leaves has "
		"no address of the family; the kernel drops although no rule does.",
		"Give the interface[ {interface}] an address of this family, or see why DHCP "
		"gives none.",
		{}, false},
	[CODE_NAT_PORT_EXHAUSTED - first] = {"nat-port-exhausted", CODE_CLASS_NODE,
		"All ports for translated connections to this service are in use.",
		"nf_conntrack.insert_failed grows, and very many entries lead to the one service.",
		"Give the LAN interface more addresses, or use return_path: route for the "
		"network.",
		{}, false},
	[CODE_NAT_HIDES_SOURCE - first] = {"nat-hides-source", CODE_CLASS_NODE,
		"The service refuses the source that it sees: translation hides the caller, or "
		"fails to.",
		"The service answers and refuses, while the same question from another source is "
		"accepted.",
		"Choose return_path: route or masquerade for the network or the host, as its "
		"access list expects; or change the list.",
		{}, false},
	[CODE_NAT_UNEXPECTED_OWNER - first] = {"nat-unexpected-owner", CODE_CLASS_NODE,
		"A rule of another program translates an address of the flow.",
		"Packets leave with a source that is neither the caller's nor one that meshgw "
		"gives, or are sent to another target.",
		"Exempt flows of the mesh to this network in front of that rule, in the way of "
		"the program that owns it.",
		{"nft insert rule {family} {table} {chain}[ handle {handle}] {l3} saddr {range}"
		 "[ {l3} daddr {network}] accept"},
		false},
};
