/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

#define ASTRAY                                                                  \
	"-packet point=tun-out|probe probe=injected outcome=astray answered=0|" \
	"probe probe=injected-other outcome=astray answered=0|"                 \
	"probe probe=injected-echo outcome=astray answered=0|"

static const struct story list[] = {
	{"no tunnel interface",
		DIES_INSIDE "-packet point=tun-in|link role=mesh exists=no up=no carrier=no|"
			    "lookup question=reverse oif=eth0 match=0.0.0.0/0 gateway=10.0.1.1|"
			    "lookup question=reverse-bare oif=eth0",
		.code = CODE_TUNNEL_INTERFACE_MISSING, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "interface=CloudflareWARP"},
	{"tunnel interface down",
		DIES_INSIDE "-packet point=tun-in|link role=mesh up=no carrier=no|"
			    "lookup question=reverse oif=eth0 match=0.0.0.0/0|"
			    "lookup question=reverse-bare oif=eth0",
		.code = CODE_TUNNEL_INTERFACE_DOWN, .confidence = CONFIDENCE_CERTAIN},
	{"tunnel without its program",
		DIES_ON_RETURN "link role=mesh carrier=no|drop origin=injected reason=QDISC_DROP "
			       "function=__dev_queue_xmit interface=CloudflareWARP count=2|"
			       "lookup question=reverse linkdown",
		.code = CODE_TUNNEL_INTERFACE_DOWN, .confidence = CONFIDENCE_CERTAIN},
	{"enrolled as a client",
		DIES_INSIDE "-packet point=tun-in|condition code=node-registered-as-client",
		.code = CODE_NODE_REGISTERED_AS_CLIENT, .confidence = CONFIDENCE_LIKELY},
	{"source outside of the ranges",
		ASTRAY "config sourceKnown=no allowed=no|packet origin=real point=tun-in "
		       "packet=syn toTarget count=3 distinct=1|lookup question=reverse oif=eth0 "
		       "match=0.0.0.0/0|lookup question=reverse-bare oif=eth0",
		.code = CODE_TUNNEL_SOURCE_NOT_IN_RANGES, .confidence = CONFIDENCE_CERTAIN,
		.client = "100.112.3.4", .attribute = "address=100.112.3.4"},
	{"tunnel's reader stalls",
		"packet origin=real point=tun-in packet=syn toTarget count=4 distinct=1|"
		"drop origin=real reason=FULL_RING function=tun_net_xmit interface=CloudflareWARP "
		"count=4|counter name=CloudflareWARP.tx_dropped delta=4",
		.code = CODE_TUNNEL_QUEUE_FULL, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true},
	{"answers are lost behind the tunnel, and one was seen",
		"packet origin=real point=tun-in packet=syn toTarget count=2 distinct=1 "
		"firstUs=20000 lastUs=1030000|"
		"packet origin=real point=lan-out packet=syn toTarget count=2 distinct=1|"
		"packet origin=real point=lan-in packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1 "
		"source=10.0.1.50 firstUs=21000 lastUs=21000",
		.code = CODE_TUNNEL_RETURN_LOST, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_TUNNEL_DAEMON_REJECTS_SOURCE, .only_real = true},
	{"answers are lost behind the tunnel",
		"packet origin=real point=tun-in packet=syn toTarget count=4 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=4 distinct=1|"
		"packet origin=real point=lan-in packet=syn-ack count=4 distinct=1|"
		"packet origin=real point=tun-out packet=syn-ack count=4 distinct=1 "
		"source=10.0.1.50",
		.code = CODE_TUNNEL_RETURN_LOST, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_TUNNEL_DAEMON_REJECTS_SOURCE, .only_real = true},
	{"the tunnel's program rejects the source",
		"packet origin=real point=tun-in packet=syn toTarget count=4 distinct=1|"
		"packet origin=real point=tun-out packet=syn-ack count=4 distinct=1 "
		"source=10.0.9.1",
		.code = CODE_TUNNEL_DAEMON_REJECTS_SOURCE, .confidence = CONFIDENCE_LIKELY,
		.attribute = "address=10.0.9.1", .only_real = true},

	{"forwarding off",
		DIES_INSIDE "sysctl key=net.ipv4.ip_forward value=0|"
			    "sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
			    "sysctl key=net.ipv4.conf.eth0.forwarding value=0|"
			    "lookup question=forward error=113 oif='' type='' entry=no|"
			    "lookup question=reverse error=113 oif='' type='' entry=no|"
			    "drop origin=injected toTarget reason=IP_INADDRERRORS "
			    "function=ip_error interface=CloudflareWARP count=2|"
			    "counter name=IpInAddrErrors delta=2",
		.code = CODE_FORWARDING_DISABLED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "sysctl=net.ipv4.ip_forward"},
	{"forwarding off, and no route back",
		DIES_INSIDE
		"sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0|"
		"lookup question=forward error=113|"
		"lookup question=reverse error=113 oif=eth0 type=unicast entry match=0.0.0.0/0 "
		"table=254 protocolName=boot|"
		"lookup question=reverse-bare oif=eth0 type=unicast entry match=0.0.0.0/0 "
		"gateway=10.0.1.1 table=254 protocolName=boot|"
		"drop origin=injected toTarget reason=IP_INADDRERRORS "
		"function=ip_error interface=CloudflareWARP count=2",
		.code = CODE_FORWARDING_DISABLED, .confidence = CONFIDENCE_CERTAIN,
		.next = CODE_RETURN_ROUTE_MISSING, .covered = true},
	{"forwarding off on the mesh interface",
		DIES_INSIDE "sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
			    "lookup question=forward error=113 oif='' type='' entry=no|"
			    "drop origin=injected toTarget reason=IP_INADDRERRORS "
			    "function=ip_error count=2",
		.code = CODE_FORWARDING_DISABLED_ON_INTERFACE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "interface=CloudflareWARP"},
	{"forwarding off on the LAN interface",
		DIES_ON_RETURN "sysctl key=net.ipv4.conf.eth0.forwarding value=0|"
			       "lookup question=reverse error=113 oif='' type='' entry=no|"
			       "drop origin=injected reason=IP_INADDRERRORS function=ip_error "
			       "interface=eth0 count=2",
		.code = CODE_FORWARDING_DISABLED_ON_INTERFACE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "interface=eth0"},
	{"forwarding off, IPv6",
		DIES_INSIDE "sysctl key=net.ipv6.conf.all.forwarding value=0|"
			    "drop origin=injected toTarget reason=IP_INADDRERRORS "
			    "function=ip6_forward count=2|counter name=Ip6InAddrErrors delta=2",
		.code = CODE_FORWARDING_DISABLED, .confidence = CONFIDENCE_CERTAIN, .six = true},
	{"forwarding off, nobody watched",
		NO_INJECTION "sysctl key=net.ipv4.ip_forward value=0|"
			     "sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
			     "sysctl key=net.ipv4.conf.eth0.forwarding value=0|"
			     "lookup question=forward error=113 oif='' type='' entry=no|"
			     "lookup question=reverse error=113 oif='' type='' entry=no|"
			     "missing observer=trace why=gone",
		.code = CODE_FORWARDING_DISABLED, .confidence = CONFIDENCE_LIKELY},

	{"strict source validation",
		DIES_INSIDE "sysctl key=net.ipv4.conf.CloudflareWARP.rp_filter value=1|"
			    "lookup question=forward error=22 oif='' type='' entry=no|"
			    "lookup question=reverse-bare oif=eth0|"
			    "lookup question=reverse oif=eth0 match=0.0.0.0/0|"
			    "drop origin=injected toTarget reason=IP_RPFILTER "
			    "function=ip_rcv_finish_core count=2|"
			    "counter name=TcpExtIPReversePathFilter delta=2",
		.code = CODE_RP_FILTER_STRICT, .confidence = CONFIDENCE_CERTAIN,
		.next = CODE_RETURN_ROUTE_MISSING,
		.attribute = "sysctl=net.ipv4.conf.CloudflareWARP.rp_filter", .covered = true},
	{"strict by the value for all",
		DIES_INSIDE "sysctl key=net.ipv4.conf.all.rp_filter value=1|"
			    "lookup question=forward error=22 oif='' type='' entry=no|"
			    "lookup question=reverse-bare oif=wg0|"
			    "drop origin=injected toTarget reason=IP_RPFILTER "
			    "function=ip_rcv_finish_core count=2",
		.code = CODE_RP_FILTER_STRICT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "sysctl=net.ipv4.conf.CloudflareWARP.rp_filter"},
	{"loose, and no route at all",
		DIES_INSIDE "sysctl key=net.ipv4.conf.CloudflareWARP.rp_filter value=2|"
			    "lookup question=forward error=22 oif='' type='' entry=no|"
			    "lookup question=reverse-bare error=101 oif='' type='' entry=no|"
			    "lookup question=reverse error=101 oif='' type='' entry=no|"
			    "drop origin=injected toTarget reason=IP_RPFILTER "
			    "function=ip_rcv_finish_core count=2",
		.code = CODE_RP_FILTER_NO_ROUTE, .confidence = CONFIDENCE_CERTAIN,
		.next = CODE_RETURN_ROUTE_MISSING, .covered = true},
	{"strict for answers",
		DIES_ON_RETURN "sysctl key=net.ipv4.conf.eth0.rp_filter value=1|"
			       "lookup question=forward-bare oif=eth1|"
			       "drop origin=injected reason=IP_RPFILTER "
			       "function=ip_rcv_finish_core interface=eth0 count=2|"
			       "lookup question=reverse error=22 oif='' type='' entry=no",
		.code = CODE_RP_FILTER_STRICT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "interface=eth0"},
	{"strict, and blind to marks",
		DIES_ON_RETURN "sysctl key=net.ipv4.conf.eth0.rp_filter value=1|"
			       "+lookup question=forward-bare mark=52 oif=eth0|"
			       "+lookup question=reverse-bare mark=52 oif=eth1|"
			       "lookup question=forward-bare oif=wg0|"
			       "conntrack origin=injected seenReply mark=52|"
			       "drop origin=injected reason=IP_RPFILTER "
			       "function=ip_rcv_finish_core interface=eth0 count=2",
		.code = CODE_RP_FILTER_MARK_BLIND, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "sysctl=net.ipv4.conf.all.src_valid_mark"},
	{"martian source",
		DIES_INSIDE "drop origin=injected toTarget reason=IP_LOCALNET "
			    "function=ip_route_input_slow count=1",
		.code = CODE_MARTIAN_SOURCE, .confidence = CONFIDENCE_CERTAIN,
		.client = "127.0.0.9"},
	{"martian destination",
		DIES_INSIDE
		"drop origin=injected toTarget reason=IP_LOCALNET "
		"function=ip_route_input_slow count=1|config networkKnown=no allowed=no",
		.code = CODE_MARTIAN_DESTINATION, .confidence = CONFIDENCE_CERTAIN,
		.target = "127.0.0.1"},
	{"the source is this gateway's",
		DIES_INSIDE "drop origin=injected toTarget reason=IP_LOCAL_SOURCE "
			    "function=ip_route_input_slow count=1|"
			    "lookup question=reverse-bare type=local oif=lo table=255|"
			    "lookup question=reverse type=local oif=lo table=255",
		.code = CODE_SOURCE_IS_OWN_ADDRESS, .confidence = CONFIDENCE_CERTAIN},
	{"IPv6 is off",
		DIES_INSIDE "sysctl key=net.ipv6.conf.CloudflareWARP.disable_ipv6 value=1|"
			    "drop origin=injected toTarget reason=IPV6DISABLED "
			    "function=ip6_rcv_core count=2|counter name=Ip6InDiscards delta=2",
		.code = CODE_IPV6_DISABLED, .confidence = CONFIDENCE_CERTAIN, .six = true,
		.attribute = "interface=CloudflareWARP"},

	{"no route to the service",
		DIES_INSIDE "lookup question=forward error=101 oif='' type='' entry=no|"
			    "lookup question=forward-bare error=101 oif='' type='' entry=no|"
			    "drop origin=injected toTarget reason=IP_INNOROUTES function=ip_error "
			    "count=2|icmp origin=injected point=tun-out own type=3 code=0 count=2|"
			    "probe probe=own outcome=local error=101|-probe probe=own-other|"
			    "-probe probe=own-echo|-probe probe=link",
		.code = CODE_NO_ROUTE_TO_DESTINATION, .confidence = CONFIDENCE_CERTAIN},
	{"blackhole",
		DIES_INSIDE "lookup question=forward error=22 oif='' type=blackhole "
			    "match=10.0.1.0/24 protocolName=static|"
			    "drop origin=injected toTarget reason=NOT_SPECIFIED function=ip_error "
			    "count=2",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "prefix=10.0.1.0/24"},
	{"unreachable",
		DIES_INSIDE "lookup question=forward error=113 oif='' type=unreachable|"
			    "drop origin=injected toTarget reason=NOT_SPECIFIED function=ip_error "
			    "count=2",
		.code = CODE_ROUTE_UNREACHABLE, .confidence = CONFIDENCE_CERTAIN},
	{"blackhole for packets that bear a mark",
		DIES_INSIDE "+lookup question=forward-bare to=10.0.1.50 mark=9 error=22 "
			    "type=blackhole entry match=0.0.0.0/0 table=99 rulePriority=100 "
			    "rule='fwmark 0x9 lookup 99'|"
			    "+lookup question=reverse-bare to=100.64.0.9 mark=9 error=22 "
			    "type=blackhole entry match=0.0.0.0/0 table=99|"
			    "drop origin=injected toTarget reason=NOT_SPECIFIED function=ip_error "
			    "count=2",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_LIKELY,
		.attribute = "mark=9"},
	{"several marks lead to entries that refuse",
		DIES_INSIDE "+lookup question=forward-bare to=10.0.1.50 mark=7 error=22 "
			    "type=blackhole entry match=0.0.0.0/0 table=97|"
			    "+lookup question=forward-bare to=10.0.1.50 mark=9 error=13 "
			    "type=prohibit entry match=0.0.0.0/0 table=99|"
			    "+lookup question=forward-bare to=10.0.1.50 mark=8 error=22 "
			    "type=blackhole entry match=0.0.0.0/0 table=98|"
			    "drop origin=injected toTarget reason=NOT_SPECIFIED function=ip_error "
			    "count=2",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_ROUTE_PROHIBIT},
	{"some rule leads to an entry that refuses",
		DIES_INSIDE "drop origin=injected toTarget reason=NOT_SPECIFIED function=ip_error "
			    "count=2",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_ROUTE_UNREACHABLE},
	{"prohibit",
		DIES_INSIDE "lookup question=forward error=13 oif='' type=prohibit|"
			    "drop origin=injected toTarget reason=NOT_SPECIFIED function=ip_error "
			    "count=2",
		.code = CODE_ROUTE_PROHIBIT, .confidence = CONFIDENCE_CERTAIN},
	{"blackhole, IPv6",
		DIES_INSIDE "lookup question=forward error=22 oif='' type=blackhole|"
			    "drop origin=injected toTarget reason=NOT_SPECIFIED "
			    "function=dst_discard_out count=2",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_CERTAIN, .six = true},
	{"blackhole for answers",
		DIES_ON_RETURN
		"lookup question=reverse error=22 oif='' type=blackhole "
		"match=100.64.0.0/12 protocolName=static hidesMeshRoute|"
		"lookup question=reverse-bare error=22 oif='' type=blackhole|"
		"drop origin=injected reason=NOT_SPECIFIED function=ip_error count=2",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "prefix=100.64.0.0/12"},
	{"sent back into the tunnel",
		DIES_INSIDE "lookup question=forward oif=CloudflareWARP redirect "
			    "match=10.0.0.0/16 table=254|"
			    "+packet origin=injected point=tun-out packet=syn toTarget count=2",
		.code = CODE_ROUTE_HAIRPIN_TUNNEL, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "prefix=10.0.0.0/16"},
	{"Cloudflare's table has the LAN",
		DIES_INSIDE "lookup question=forward oif=CloudflareWARP redirect "
			    "match=10.0.0.0/8 table=65743|"
			    "+packet origin=injected point=tun-out packet=syn toTarget count=2",
		.code = CODE_WARP_TABLE_CAPTURES_LAN, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "table=65743"},
	{"Cloudflare's table has the LAN, and the tunnel says that it does not take it",
		DIES_INSIDE "lookup question=forward oif=CloudflareWARP redirect "
			    "match=10.0.0.0/8 table=65743|"
			    "+packet origin=injected point=tun-out packet=syn toTarget count=2|"
			    "probe probe=injected outcome=error sender=10.0.1.50 icmpType=3 "
			    "icmpCode=13|icmp origin=injected point=tun-in sender=10.0.1.50 type=3 "
			    "code=13 aboutTargetDirection count=2",
		.code = CODE_WARP_TABLE_CAPTURES_LAN, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "table=65743"},
	{"another interface",
		DIES_BEYOND "lookup question=forward oif=eth1 gateway=192.0.2.1 match=0.0.0.0/0|"
			    "lookup question=forward-bare oif=eth1 gateway=192.0.2.1|"
			    "packet origin=injected point=lan-out packet=syn toTarget "
			    "interface=eth1|probe probe=own outcome=silent|-neighbour",
		.code = CODE_ROUTE_WRONG_EGRESS, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "dev=eth1"},
	{"out by the Internet and back by the tunnel",
		DIES_BEYOND "lookup question=forward oif=wan0 gateway=192.0.2.1 match=10.0.1.50/32|"
			    "link role=lan interface=wan0|"
			    "packet origin=injected point=tun-in packet=syn toTarget count=96 "
			    "distinct=3 ttlMin=2 ttlMax=64|packet origin=injected point=lan-out "
			    "packet=syn toTarget count=96 distinct=3 ttlMin=1 ttlMax=63 "
			    "interface=wan0|probe probe=own outcome=silent answered=0|-neighbour|"
			    "drop origin=real toTarget reason=IP_INHDR function=ip_forward count=5",
		.code = CODE_ROUTE_WRONG_EGRESS, .confidence = CONFIDENCE_LIKELY,
		.attribute = "prefix=10.0.1.50/32"},
	{"carrier of the LAN gone",
		DIES_INSIDE "link role=lan carrier=no|lookup question=forward linkdown|"
			    "neighbour address=10.0.1.50 state=failed|"
			    "probe probe=own outcome=local error=113|-probe probe=own-other|"
			    "-probe probe=own-echo|probe probe=link outcome=silent",
		.code = CODE_ROUTE_LINKDOWN, .confidence = CONFIDENCE_CERTAIN},
	{"LAN interface down",
		DIES_INSIDE "link role=lan up=no carrier=no|"
			    "lookup question=forward error=101 oif='' type='' entry=no|"
			    "lookup question=forward-bare error=101 oif='' type='' entry=no|"
			    "drop origin=injected toTarget reason=IP_INNOROUTES function=ip_error "
			    "count=2|-neighbour|probe probe=own outcome=local error=101|"
			    "-probe probe=own-other|-probe probe=own-echo|-probe probe=link",
		.code = CODE_LAN_INTERFACE_DOWN, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "interface=eth0"},
	{"no LAN interface",
		DIES_INSIDE "link role=lan exists=no up=no carrier=no|"
			    "lookup question=forward error=101 oif='' type='' entry=no|"
			    "-lookup question=forward-bare|-neighbour|"
			    "probe probe=own outcome=local|"
			    "-probe probe=own-other|-probe probe=own-echo|-probe probe=link",
		.code = CODE_LAN_INTERFACE_MISSING, .confidence = CONFIDENCE_CERTAIN},
	{"tunnel in a VRF",
		DIES_INSIDE "link role=mesh master=blue masterType=vrf|"
			    "lookup question=forward error=101 oif='' type='' entry=no|"
			    "lookup question=reverse oif=eth0 match=0.0.0.0/0|"
			    "drop origin=injected toTarget reason=IP_INNOROUTES function=ip_error "
			    "count=2",
		.code = CODE_VRF_MISMATCH, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=blue"},
	{"LAN inside of the range",
		DIES_INSIDE "config network=100.64.8.0/24 range=100.64.0.0/12|"
			    "lookup question=forward oif=CloudflareWARP redirect "
			    "match=100.64.0.0/12",
		.code = CODE_RANGE_OVERLAPS_LAN, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "network=100.64.8.0/24"},

	{"no return route",
		ASTRAY "lookup question=reverse oif=eth0 gateway=10.0.1.1 match=0.0.0.0/0 "
		       "protocolName=dhcp|lookup question=reverse-bare oif=eth0 match=0.0.0.0/0|"
		       "icmp origin=injected point=lan-out own type=5 code=1 count=2",
		.code = CODE_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "gateway=10.0.1.1"},
	{"no return route, and a loop with the router",
		ASTRAY "lookup question=reverse oif=eth0 gateway=10.0.1.1 match=0.0.0.0/0|"
		       "lookup question=reverse-bare oif=eth0 match=0.0.0.0/0|"
		       "packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
		       "packet origin=real point=lan-out packet=syn toTarget count=3 distinct=1|"
		       "packet origin=real point=lan-in packet=syn-ack count=62 distinct=1 "
		       "ttlMin=2 ttlMax=64|packet origin=real point=lan-out packet=syn-ack "
		       "count=62 distinct=1 ttlMin=1 ttlMax=63|"
		       "drop origin=real reason=IP_INHDR function=ip_forward count=1|"
		       "icmp origin=real point=lan-out own type=11 code=0 count=1",
		.code = CODE_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_CERTAIN},
	{"no return route, IPv6",
		ASTRAY "lookup question=reverse oif=eth0 match=::/0|"
		       "lookup question=reverse-bare oif=eth0",
		.code = CODE_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_CERTAIN, .six = true},
	{"no return route, masqueraded",
		ASTRAY "config mode=masquerade configured=masquerade|"
		       "packet origin=injected point=lan-out packet=syn toTarget source=10.0.1.2|"
		       "lookup question=reverse oif=eth0 match=0.0.0.0/0|"
		       "lookup question=reverse-bare oif=eth0",
		.code = CODE_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_CERTAIN},
	{"no return route, by state alone",
		NO_INJECTION
		"lookup question=reverse oif=eth0 match=0.0.0.0/0|"
		"lookup question=reverse-bare oif=eth0|missing observer=trace why=gone",
		.code = CODE_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_LIKELY},
	{"return route shadowed",
		ASTRAY "lookup question=reverse oif=eth0 match=100.64.0.0/16 protocolName=bird "
		       "hidesMeshRoute|lookup question=reverse-bare oif=eth0",
		.code = CODE_RETURN_ROUTE_SHADOWED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "proto=bird"},
	{"a rule takes the answers",
		ASTRAY "lookup question=reverse oif=eth1 match=0.0.0.0/0 table=100 "
		       "rulePriority=100 rule='100: from 10.0.1.0/24 lookup 100'",
		.code = CODE_POLICY_RULE_CAPTURES_RETURN, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "table=100"},
	{"Tailscale has the range",
		ASTRAY "lookup question=reverse oif=tailscale0 match=100.64.0.0/10 table=52 "
		       "rulePriority=5270|lookup question=reverse-bare oif=tailscale0 table=52",
		.code = CODE_CGNAT_OVERLAP, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "dev=tailscale0"},
};
const struct stories stories_gateway = {list, sizeof(list) / sizeof(list[0])};
