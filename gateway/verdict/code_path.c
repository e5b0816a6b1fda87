/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

constexpr enum code first = CODE_FORWARDING_DISABLED;

/* What refuses more than the flow's network is there for a purpose; a better route is enough. */
#define REFUSING_REMEDY                                                                          \
	"Delete the entry, or ask its owner to; its proto tells who made it. If it covers more " \
	"than this network, leave it, and add the route that is missing beside it."
#define REFUSING_COMMANDS(type)                                                                  \
	{"ip -{v} route del " type " {entry} table {table}[ metric {metric}]",                   \
		"ip -{v} rule del {refusingRule...}", "ip -{v} route add {uncovered} dev {lan}", \
		"ip -{v} route add {uncoveredRange} dev {mesh}"}

/* What went into the tunnel was not translated, and each packet more keeps that decision. */
#define FORGET                                                                        \
	"conntrack -D -f {fw} -s {untranslated} -d {target} -p {udp} --dport {port}", \
		"conntrack -D -f {fw} -s {untranslated} -d {target} -p {echo}"

const struct code_row code_part_path[] = {
	[CODE_FORWARDING_DISABLED - first] = {"forwarding-disabled", CODE_CLASS_NODE,
		"The kernel of this gateway does not forward packets.",
		"net.ipv4.ip_forward or net.ipv6.conf.all.forwarding is 0. The kernel drops with "
		"IP_INADDRERRORS, IpInAddrErrors or Ip6InAddrErrors grows, and no ICMP error is "
		"sent.",
		"Switch forwarding on, and find out who switches it off: sysctl files that are "
		"read later, a firewall, a network manager. Of IPv6 it ends the hearing of router "
		"advertisements where accept_ra is not 2.",
		{"sysctl -w {acceptRa}=2", "sysctl -w {sysctl}={wanted}"}, true},
	[CODE_FORWARDING_DISABLED_ON_INTERFACE - first] = {"forwarding-disabled-on-interface",
		CODE_CLASS_NODE,
		"The kernel does not forward what enters by one interface of the way.",
		"Forwarding is on for the host and 0 for the interface that the packet enters "
		"by. Only IPv4 knows such a setting.",
		"Switch it on for the interface; to set the host's setting to what it is already "
		"does not help.",
		{"sysctl -w {sysctl}={wanted}"}, true},
	[CODE_RP_FILTER_STRICT - first] = {"rp-filter-strict", CODE_CLASS_NODE,
		"The kernel refuses the packet for its source: the strict reverse path filter "
		"expects it by another interface.",
		"rp_filter of the interface, or of all, is 1, and the route to the packet's "
		"source leads elsewhere. The kernel drops with IP_RPFILTER, and "
		"TcpExtIPReversePathFilter grows.",
		"Let the route to the source lead by the interface where its packets come in; if "
		"that cannot be, set the filter to loose (2).",
		{"sysctl -w {sysctl}={wanted}"}, true},
	[CODE_RP_FILTER_NO_ROUTE - first] = {"rp-filter-no-route", CODE_CLASS_NODE,
		"The kernel refuses the packet for its source, to which it has no route at all.",
		"rp_filter is on, also when it is loose (2), and a lookup of the packet's source "
		"finds no route.",
		"Install the route to the source. For a mesh range meshgw does so and keeps it.",
		{"meshgw apply"}, true},
	[CODE_RP_FILTER_MARK_BLIND - first] = {"rp-filter-mark-blind", CODE_CLASS_NODE,
		"The kernel refuses the answer for its source, because its check does not see "
		"the mark that routing goes by.",
		"rp_filter is 1, a policy rule with fwmark decides about the way, and "
		"src_valid_mark is 0.",
		"Set the filter to loose (2) on the interface, or let the check see the mark "
		"with src_valid_mark=1 where the mark is restored before routing.",
		{"sysctl -w {sysctl}={wanted}"}, true},
	[CODE_MARTIAN_SOURCE - first] = {"martian-source", CODE_CLASS_TUNNEL,
		"The packet's source is an address that nobody on a network can have.",
		"The source is loopback, multicast or broadcast. The kernel drops with "
		"IP_LOCALNET or IP_INVALID_SOURCE, and rt_cache.in_martian_src grows.",
		"Mend the sender, or the translation of addresses in front of the gateway.", {},
		false},
	[CODE_SOURCE_IS_OWN_ADDRESS - first] = {"source-is-own-address", CODE_CLASS_NODE,
		"The packet's source is an address of this gateway itself.",
		"A lookup of the source answers local, and the kernel drops with IP_LOCAL_SOURCE.",
		"If it is the caller's[, {address}], it is used twice: give up one of the two "
		"(ip address show to ADDRESS). If it is simply this machine's, nothing is wrong: "
		"diagnose with an address of a caller.",
		{}, false},
	[CODE_MARTIAN_DESTINATION - first] = {"martian-destination", CODE_CLASS_TUNNEL,
		"The target is an address that no other machine can have.",
		"The target is loopback or another address without a place on the network; "
		"rt_cache.in_martian_dst grows.",
		"Correct the target in the configuration of the caller.", {}, false},
	[CODE_IPV6_DISABLED - first] = {"ipv6-disabled", CODE_CLASS_NODE,
		"IPv6 is switched off on an interface of the way.",
		"disable_ipv6 is 1 for the interface. The kernel drops with IPV6DISABLED, and "
		"Ip6InDiscards grows.",
		"Switch IPv6 on for the interface; its addresses and routes may have to be "
		"configured again.",
		{"sysctl -w {sysctl}={wanted}"}, true},
	[CODE_NO_ROUTE_TO_DESTINATION - first] = {"no-route-to-destination", CODE_CLASS_NODE,
		"This gateway has no route to the target.",
		"A lookup of the target answers that the network is unreachable. The kernel "
		"drops with IP_INNOROUTES, and sends the caller an ICMP error.",
		"Add a route to the target's network: as below if it is connected to the LAN "
		"interface, else by way of the router in front of it.",
		{"ip -{v} route add {network} dev {lan}"}, false},
	[CODE_ROUTE_UNREACHABLE - first] = {"route-unreachable", CODE_CLASS_NODE,
		"A route or rule of type unreachable refuses the target.",
		"A lookup answers EHOSTUNREACH while forwarding is on, and a walk through rules "
		"and tables finds the entry.",
		REFUSING_REMEDY, REFUSING_COMMANDS("unreachable"), true},
	[CODE_ROUTE_BLACKHOLE - first] = {"route-blackhole", CODE_CLASS_NODE,
		"A route or rule of type blackhole swallows the packets without a word.",
		"A lookup answers EINVAL while the reverse path filter has nothing against the "
		"source, and a walk through rules and tables finds the entry.",
		REFUSING_REMEDY, REFUSING_COMMANDS("blackhole"), true},
	[CODE_ROUTE_PROHIBIT - first] = {"route-prohibit", CODE_CLASS_NODE,
		"A route or rule of type prohibit refuses the target.",
		"A lookup answers EACCES, the caller gets an ICMP error, and a walk through "
		"rules and tables finds the entry.",
		REFUSING_REMEDY, REFUSING_COMMANDS("prohibit"), true},
	[CODE_ROUTE_HAIRPIN_TUNNEL - first] = {"route-hairpin-tunnel", CODE_CLASS_NODE,
		"The route to the target leads back into the tunnel.",
		"A lookup of the target, entering by the mesh interface, answers the mesh "
		"interface again; packets leave by it as they came.",
		"Take the target's network out of what is routed into the tunnel; a rule at "
		"priority 0 sends it to table main until then.",
		{"ip -{v} rule add priority 0 to {network} lookup main", FORGET}, true},
	[CODE_ROUTE_WRONG_EGRESS - first] = {"route-wrong-egress", CODE_CLASS_NODE,
		"Packets to the target leave by another interface than the configuration names.",
		"A lookup of the target answers an interface that is not the one of its network "
		"under lan:.",
		"Remove the route that leads there, or add a better one by the right interface; "
		"or correct lan: in the configuration.",
		{"ip -{v} route del {entry} dev {dev} table {table}[ metric {metric}]",
			"ip -{v} route add {uncovered} dev {lan}"},
		false},
	[CODE_ROUTE_LINKDOWN - first] = {"route-linkdown", CODE_CLASS_NODE,
		"The route to the target leads to an interface without a link.",
		"The route that answers is marked linkdown.",
		"Check the cable, the switch port or the virtual link of the interface[ {dev}].",
		{"ip link set dev {dev} up"}, false},
	[CODE_RETURN_ROUTE_MISSING - first] = {"return-route-missing", CODE_CLASS_NODE,
		"Answers do not go back into the tunnel: this gateway has no route to the mesh "
		"range by it.",
		"A lookup of the caller, entering by the LAN, answers the LAN or the default "
		"route. Answers come in and leave towards the LAN again; redirects, expired TTLs "
		"and repeated packets only follow from it.",
		"Install the route of the range into the tunnel; meshgw does so and keeps it.",
		{"meshgw apply"}, true},
	[CODE_RETURN_ROUTE_SHADOWED - first] = {"return-route-shadowed", CODE_CLASS_NODE,
		"Answers do not go back into the tunnel: another route stands in front of the "
		"one that leads there.",
		"A lookup of the caller answers a more specific route, or one of a lower metric, "
		"than the range's route into the tunnel.",
		"Delete the other route, or give it a higher metric; its proto tells who made "
		"it. meshgw does not touch it by itself.",
		{"ip -{v} route del {entry} dev {dev} table {table}[ metric {metric}]"}, true},
	[CODE_ROUTING_LOOP - first] = {"routing-loop", CODE_CLASS_LAN,
		"Packets go in a circle until their hop count is used up.",
		"The same packet passes one interface three times or more with a falling TTL, "
		"and no lookup on this gateway explains it.",
		"Compare the routes of the routers on the way, to the target and to the mesh "
		"range: two of them point at each other.",
		{}, false},
	[CODE_POLICY_RULE_CAPTURES_RETURN - first] = {"policy-rule-captures-return",
		CODE_CLASS_NODE,
		"Answers are led away from the tunnel by a policy rule, before the main table is "
		"asked.",
		"A lookup of the caller is answered from another table than main, and the rule "
		"that leads there is named.",
		"Send the mesh range to table main by a rule in front. Only priority 0 stays in "
		"front: the tunnel's client puts its rule before all others.",
		{"ip -{v} rule add priority 0 to {range} lookup main"}, true},
	[CODE_WARP_TABLE_CAPTURES_LAN - first] = {"warp-table-captures-lan", CODE_CLASS_NODE,
		"The routing table of the tunnel's client holds the LAN, and takes packets to "
		"the target back into the tunnel.",
		"A lookup of the target answers the mesh interface, from the client's own table.",
		"Exclude the LAN in the device profile (split tunnel); a rule at priority 0 "
		"sends it to table main until then.",
		{"ip -{v} rule add priority 0 to {network} lookup main", FORGET}, true},
	[CODE_CGNAT_OVERLAP - first] = {"cgnat-overlap", CODE_CLASS_NODE,
		"Another overlay network on this gateway uses addresses of the mesh range, and "
		"takes the answers.",
		"A lookup of the caller answers another tunnel's interface, by a rule or route "
		"of its program.",
		"Split the address space: another range for the mesh, or another pool there. A "
		"rule for what comes from the LAN helps until then.",
		{"ip -{v} rule add priority 0 iif {lan} to {range} lookup main"}, true},
	[CODE_RANGE_OVERLAPS_LAN - first] = {"range-overlaps-lan", CODE_CLASS_NODE,
		"A network of the LAN lies inside a mesh range, and addresses of both cannot be "
		"told apart.",
		"A connected or learned route of the LAN lies inside a range of the "
		"configuration, or the other way round.",
		"Give the mesh range or the LAN other addresses; if only a part of the range is "
		"used, narrow mesh: ranges:.",
		{}, false},
	[CODE_VRF_MISMATCH - first] = {"vrf-mismatch", CODE_CLASS_NODE,
		"One interface of the way belongs to a VRF and the other does not: their routes "
		"do not meet.",
		"The mesh interface or the LAN interface has a VRF for a master, and lookups "
		"differ by it.",
		"Take the mesh interface out of the VRF; where the LAN's is in one, let routes "
		"leak between them: others may reach this machine by the VRF alone.",
		{"ip link set dev {captive} nomaster"}, false},
};
