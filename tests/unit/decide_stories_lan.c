/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

#define UNSOLICITED                                                                      \
	"neighbour address=2001:db8:1::50 state=failed lladdr=''|"                       \
	"drop origin=injected toTarget reason=NOT_SPECIFIED function=neigh_invalidate "  \
	"interface=eth0 count=2|probe probe=own outcome=local error=1|"                  \
	"probe probe=own-other outcome=local|probe probe=own-echo outcome=local|"        \
	"-probe probe=link|chain family=inet table=cloudflare-warp chain=output "        \
	"hook=output policy=drop rules=8 by=warp|trace origin=own toTarget family=inet " \
	"table=cloudflare-warp chain=output hook=output handle=7 verdict=drop by=warp|"

static const struct story list[] = {
	{"no neighbour",
		DIES_INSIDE
		"neighbour address=10.0.1.50 state=failed lladdr=''|"
		"drop origin=injected toTarget reason=NEIGH_FAILED "
		"function=neigh_invalidate interface=eth0 count=2|"
		"probe probe=link outcome=silent answered=0|"
		"probe probe=own outcome=local error=113|"
		"probe probe=own-other outcome=local|probe probe=own-echo outcome=local|"
		"icmp origin=injected point=tun-out own type=3 code=1 count=1",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "address=10.0.1.50"},
	{"no neighbour, IPv6",
		DIES_INSIDE
		"neighbour address=2001:db8:1::50 state=incomplete lladdr=''|"
		"drop origin=injected toTarget reason=NOT_SPECIFIED "
		"function=neigh_invalidate interface=eth0 count=2|"
		"probe probe=link outcome=silent answered=0|"
		"probe probe=own outcome=local error=113|"
		"probe probe=own-other outcome=local|probe probe=own-echo outcome=local",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN, .six = true},
	{"a strict filter holds solicitations back",
		DIES_INSIDE UNSOLICITED "counter name=Icmp6OutNeighborSolicits delta=0 value=7",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_LIKELY, .six = true,
		.attribute = "by=warp", .candidate = CODE_FILTER_DROP_OUTPUT},
	{"no neighbour beside a strict filter",
		DIES_INSIDE UNSOLICITED "counter name=Icmp6OutNeighborSolicits delta=3 value=7",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN, .six = true},
	{"healthy, and a strict filter holds back the question whether the neighbour is there",
		"neighbour address=2001:db8:1::50 state=failed lladdr=''|"
		"probe probe=link outcome=silent answered=0|probe probe=own outcome=silent answered=0|"
		"probe probe=own-other outcome=silent|counter name=Icmp6OutNeighborSolicits delta=0|"
		"trace origin=own toTarget family=inet table=cloudflare-warp chain=output "
		"hook=output handle=7 verdict=reject by=warp",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .six = true,
		.only_real = true},
	{"no neighbour: the router",
		DIES_INSIDE
		"lookup question=forward gateway=10.0.1.1|"
		"neighbour address=10.0.1.1 interface=eth0 state=failed|"
		"-neighbour address=10.0.1.50|probe probe=link outcome=silent answered=0|"
		"probe probe=own outcome=silent answered=0|"
		"probe probe=own-other outcome=silent|probe probe=own-echo outcome=silent",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "address=10.0.1.1"},
	{"a neighbour that went away while packets left",
		DIES_BEYOND
		"neighbour address=10.0.1.50 state=incomplete lladdr=''|"
		"probe probe=link outcome=silent answered=0|"
		"probe probe=own outcome=silent answered=0|"
		"probe probe=own-other outcome=silent|probe probe=own-echo outcome=silent",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "address=10.0.1.50"},
	{"one address, two hosts",
		"probe probe=injected outcome=refused answered=1|"
		"-packet packet=syn-ack|packet origin=injected point=lan-in packet=rst count=1|"
		"packet origin=injected point=tun-out packet=rst count=1|"
		"probe probe=own outcome=refused|"
		"neighbour address=10.0.1.50 lladdrOther=02:00:00:00:09:99",
		.code = CODE_NEIGHBOUR_DUPLICATE_ADDRESS, .confidence = CONFIDENCE_LIKELY,
		.next = 0, .attribute = "lladdr=02:00:00:00:01:50"},
	{"no room for neighbours",
		DIES_INSIDE "drop origin=injected toTarget reason=NEIGH_CREATEFAIL "
			    "function=ip_finish_output2 count=2|"
			    "counter name=arp_cache.table_fulls delta=9|-neighbour",
		.code = CODE_NEIGHBOUR_TABLE_FULL, .confidence = CONFIDENCE_CERTAIN},
	{"queue of the LAN interface",
		DIES_INSIDE "drop origin=injected toTarget reason=QDISC_DROP "
			    "function=__dev_queue_xmit interface=eth0 count=2",
		.code = CODE_EGRESS_QUEUE_DROP, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "dev=eth0"},
	{"TTL",
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1 ttlMin=1 "
		"ttlMax=1|drop origin=real toTarget reason=IP_INHDR function=ip_forward count=3|"
		"icmp origin=real point=tun-out own type=11 code=0 count=3",
		.code = CODE_TTL_EXPIRED, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"TTL, while older answers still leave",
		"packet origin=real point=tun-in packet=ack toTarget count=1 distinct=1 ttlMin=1 "
		"ttlMax=1|drop origin=real toTarget reason=IP_INHDR function=ip_forward count=1|"
		"packet origin=real point=lan-in packet=data count=1 distinct=1|"
		"packet origin=real point=tun-out packet=data count=1 distinct=1|"
		"icmp origin=real point=tun-out own type=11 code=0 count=1",
		.code = CODE_TTL_EXPIRED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"a rule here takes the hops",
		DIES_INSIDE
		"packet origin=injected point=tun-in packet=syn toTarget count=1 distinct=1 "
		"ttlMin=64 ttlMax=64|drop origin=injected toTarget reason=IP_INHDR "
		"function=ip_forward count=1|probe probe=injected outcome=local sent=1 answered=0 "
		"icmpType=11 icmpCode=0|icmp origin=injected point=tun-out own type=11 code=0 "
		"aboutTargetDirection count=1",
		.code = CODE_TTL_EXPIRED, .confidence = CONFIDENCE_CERTAIN},
	{"a rule here takes most of the hops",
		DIES_BEYOND
		"packet origin=injected point=lan-out packet=syn toTarget ttlMin=1 ttlMax=1|"
		"probe probe=injected outcome=error sender=10.0.1.1 icmpType=11 icmpCode=0|"
		"icmp origin=injected point=lan-in sender=10.0.1.1 type=11 code=0 "
		"aboutTargetDirection count=2",
		.code = CODE_TTL_EXPIRED, .confidence = CONFIDENCE_LIKELY, .attribute = "value=1"},
	{"hops end somewhere beyond",
		DIES_BEYOND
		"probe probe=injected outcome=error sender=10.9.9.9 icmpType=11 icmpCode=0|"
		"icmp origin=injected point=lan-in sender=10.9.9.9 type=11 code=0 "
		"aboutTargetDirection count=2",
		.code = CODE_ROUTING_LOOP, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_TTL_EXPIRED},
	{"a neighbour that failed before, and nobody sends",
		DIES_INSIDE NO_PROBES "neighbour address=10.0.1.50 state=failed lladdr=''|"
				      "counter name=eth0.tx_packets delta=0",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_LIKELY,
		.passive = true},
	{"a loop with the next router",
		DIES_BEYOND
		"packet origin=injected point=lan-in packet=syn toTarget count=60 "
		"distinct=2 ttlMin=1 ttlMax=62|packet origin=injected point=lan-out "
		"packet=syn toTarget count=62 distinct=2 ttlMin=1 ttlMax=63|"
		"lookup question=forward gateway=10.0.1.1 match=10.7.0.0/16|"
		"neighbour address=10.0.1.1 interface=eth0 state=reachable|"
		"drop origin=injected toTarget reason=IP_INHDR function=ip_forward "
		"count=2|probe probe=own outcome=silent answered=0|"
		"probe probe=own-other outcome=silent|probe probe=own-echo outcome=silent",
		.code = CODE_ROUTING_LOOP, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "gateway=10.0.1.1"},
	{"bad checksum of IP",
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1 "
		"badIpChecksum|drop origin=real toTarget reason=IP_CSUM function=ip_rcv_core "
		"count=3",
		.code = CODE_CHECKSUM_BAD_IP, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"bad checksum of TCP",
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1 "
		"badL4Checksum|packet origin=real point=lan-out packet=syn toTarget count=3|"
		"packet origin=real point=lan-in packet=syn-ack count=0",
		.code = CODE_CHECKSUM_BAD_L4, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"answers too large, and their sender does not listen",
		"drop origin=real reason=PKT_TOO_BIG function=ip_forward interface=eth0 length=1500 "
		"count=6|icmp origin=real point=lan-out own type=3 code=4 mtu=1280 count=6|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"counter name=IpFragFails delta=6",
		.code = CODE_PMTU_BLACKHOLE_LAN, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "mtu=1280", .only_real = true},
	{"answers too large, but for their head",
		"drop origin=real reason=PKT_TOO_BIG function=ip_forward interface=eth0 length=1500 "
		"count=1|icmp origin=real point=lan-out own type=3 code=4 mtu=1280 count=4|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=tun-out packet=data count=1 distinct=1 lengthMax=194",
		.code = CODE_PMTU_BLACKHOLE_LAN, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true},
	{"healthy, and the sender shrinks",
		"drop origin=real reason=PKT_TOO_BIG function=ip_forward interface=eth0 length=1500 "
		"count=1|icmp origin=real point=lan-out own type=3 code=4 mtu=1280 count=1|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=tun-out packet=data count=80 distinct=32 lengthMax=1280",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"answers too large, and the error does not leave",
		"drop origin=real reason=PKT_TOO_BIG function=ip_forward interface=eth0 length=1500 "
		"count=6|trace origin=own toTarget family=inet table=cloudflare-warp chain=output "
		"hook=output handle=7 verdict=drop by=warp|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1",
		.code = CODE_PMTU_ERRORS_FILTERED_LOCALLY, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=warp", .only_real = true},
	{"too large for the tunnel",
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=tun-out packet=data count=9 distinct=2 lengthMax=1280",
		.code = CODE_PMTU_BLACKHOLE_TUNNEL, .confidence = CONFIDENCE_LIKELY,
		.only_real = true},
	{"fragments",
		"drop origin=real toTarget reason=FRAG_REASM_TIMEOUT function=ip_expire count=4|"
		"counter name=IpReasmFails delta=4|"
		"packet origin=real point=tun-in packet=fragment toTarget count=4",
		.code = CODE_FRAGMENTS_LOST, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"one datagram of which a fragment was lost",
		"drop origin=real toTarget reason=FRAG_REASM_TIMEOUT function=ip_expire count=1|"
		"counter name=IpReasmFails delta=1",
		.code = CODE_FRAGMENTS_LOST, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .proto = IPPROTO_UDP, .only_real = true},
	{"healthy, one datagram of which a fragment was lost, and others are answered",
		"drop origin=real toTarget reason=FRAG_REASM_TIMEOUT function=ip_expire count=1|"
		"packet origin=real point=tun-in packet=udp toTarget count=3|"
		"packet origin=real point=tun-out packet=udp count=3|"
		"call source=100.64.0.7 port=4000 begun answered asked=90 replied=90",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .proto = IPPROTO_UDP,
		.only_real = true},
	{"MSS", "packet origin=injected point=lan-out packet=syn toTarget mss=1460",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY,
		.next = CODE_MSS_NOT_CLAMPED},
};
const struct stories stories_lan = {list, sizeof(list) / sizeof(list[0])};
