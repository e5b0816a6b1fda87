/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

/* What alarms and is innocent, what works, and what cannot be told. */
#define DOWNLOAD                                                                            \
	"packet origin=real point=tun-out packet=data count=12 distinct=12 lengthMax=1280 " \
	"firstUs=120000 lastUs=127000|"

static const struct story list[] = {
	{"healthy", "", .code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, IPv6", "", .code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .six = true},
	{"healthy, masqueraded",
		"config mode=masquerade configured=auto|packet origin=injected point=lan-out "
		"packet=syn toTarget source=10.0.1.2|"
		"conntrack origin=injected seenReply sourceNat replyTo=10.0.1.2",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, HTTP", "l7 ask=http outcome=ok status=503 firstByteUs=1500000",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .scheme = SCHEME_HTTP},
	{"healthy, only meshgw's own forwarding switches", "sysctl key=net.ipv4.ip_forward value=0",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, with a scan going on",
		"drop origin=injected reason=NETFILTER_DROP function=nft_do_chain count=4|"
		"counter name=nf_conntrack.invalid delta=900|counter name=IpInAddrErrors delta=12|"
		"counter name=TcpExtIPReversePathFilter delta=40",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, one real packet lost",
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=2|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=2|"
		"packet origin=real point=lan-in packet=syn-ack count=2 distinct=2|"
		"packet origin=real point=tun-out packet=syn-ack count=2 distinct=2|"
		"packet origin=real point=tun-in packet=ack toTarget count=2 distinct=2|"
		"drop origin=real toTarget reason=QDISC_DROP interface=eth0 count=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, the caller resets",
		"packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=tun-in packet=rst toTarget count=1 distinct=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy, callers reset as soon as they have asked",
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=3|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=3|"
		"packet origin=real point=lan-in packet=syn-ack count=3 distinct=3|"
		"packet origin=real point=tun-out packet=syn-ack count=3 distinct=3|"
		"packet origin=real point=tun-in packet=data toTarget count=3 distinct=3|"
		"packet origin=real point=lan-out packet=data toTarget count=3 distinct=3|"
		"packet origin=real point=lan-in packet=ack count=3 distinct=3|"
		"packet origin=real point=tun-out packet=ack count=3 distinct=3|"
		"packet origin=real point=tun-in packet=rst toTarget count=6 distinct=3",
		.code = CODE_HEALTHY, .only_real = true},
	{"healthy, a service repeats an answer of long ago",
		"packet origin=real point=lan-in packet=syn-ack count=2 distinct=2|"
		"packet origin=real point=tun-out packet=syn-ack count=2 distinct=2",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_UNDETERMINED},
	{"healthy, one own SYN lost", "probe probe=injected sent=2 answered=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, own packets do not leave",
		"probe probe=own outcome=local error=111|trace origin=own toTarget family=inet "
		"table=cloudflare-warp chain=output hook=output verdict=reject by=warp handle=3",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, another port is dropped",
		"chain family=ip table=filter chain=FORWARD hook=forward policy=drop by=docker|"
		"trace origin=injected toTarget family=inet table=fw chain=fwd hook=forward "
		"handle=9 verdict=drop|drop origin=injected toTarget reason=NETFILTER_DROP "
		"function=nft_do_chain count=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, a peer is down",
		"bgp configured daemon|bgp-neighbour address=10.0.1.7 concerns state=Active "
		"reason=bgp-wrong-asn fresh",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, full neighbour of another address",
		"neighbour address=10.0.1.99 interface=eth0 state=failed", .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY},
	{"healthy, high counters that stand still",
		"counter name=nf_conntrack.drop delta=0 value=90000|"
		"counter name=CloudflareWARP.tx_dropped delta=0 value=70",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, legacy tables", "chain legacy table=filter family=ip", .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY},
	{"UDP service that says nothing",
		"probe probe=injected outcome=silent answered=0|probe probe=own outcome=silent "
		"answered=0|-packet|packet origin=injected point=tun-in packet=udp toTarget count=2|"
		"packet origin=injected point=lan-out packet=udp toTarget count=2",
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_UDP, .candidate = CODE_HEALTHY},
	{"healthy UDP service that says nothing to probes",
		"probe probe=injected outcome=silent answered=0|probe probe=own outcome=silent "
		"answered=0|-packet|packet origin=injected point=tun-in packet=udp toTarget count=2|"
		"packet origin=injected point=lan-out packet=udp toTarget count=2|"
		"packet origin=real point=tun-in packet=udp toTarget count=3|"
		"packet origin=real point=lan-out packet=udp toTarget count=3|"
		"packet origin=real point=lan-in packet=udp count=3|"
		"packet origin=real point=tun-out packet=udp count=3",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .proto = IPPROTO_UDP},
	{"UDP: the range is not answered, this host is",
		"probe probe=injected outcome=silent answered=0|-packet|"
		"probe probe=injected-other outcome=silent|probe probe=injected-echo outcome=silent|"
		"packet origin=injected point=tun-in packet=udp toTarget count=2|"
		"packet origin=injected point=lan-out packet=udp toTarget count=2",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_UDP, .candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"healthy, beside a path that is traced",
		"packet origin=real point=tun-in packet=syn toTarget count=4 distinct=4 ttlMin=1 "
		"ttlMax=63|packet origin=real point=tun-out packet=syn-ack count=3 distinct=3 "
		"source=10.0.1.50|drop origin=real toTarget reason=IP_INHDR function=ip_forward "
		"count=1|icmp origin=real point=tun-out own type=11 code=0 count=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy, the first packet was lost",
		"packet origin=real point=tun-in packet=syn toTarget count=2 distinct=1 "
		"firstUs=20000 lastUs=1030000|"
		"packet origin=real point=lan-out packet=syn toTarget count=2 distinct=1|"
		"packet origin=real point=lan-in packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1 "
		"source=10.0.1.50 firstUs=1031000 lastUs=1031000",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy ping",
		"-probe probe=injected|-probe probe=own|-packet|"
		"packet origin=injected point=tun-out packet=echo-reply count=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .proto = IPPROTO_ICMP},
	{"healthy, large datagrams",
		"packet origin=real point=tun-in packet=fragment toTarget count=2 distinct=2|"
		"packet origin=real point=lan-out packet=fragment toTarget count=2 distinct=2|"
		"packet origin=real point=lan-in packet=udp count=1 distinct=1|"
		"packet origin=real point=tun-out packet=udp count=1 distinct=1",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .proto = IPPROTO_UDP},
	{"large datagrams are not answered, small ones are",
		"packet origin=real point=tun-in packet=fragment toTarget count=2 distinct=2|"
		"packet origin=real point=lan-out packet=fragment toTarget count=2 distinct=2",
		.code = CODE_FRAGMENTS_LOST, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_UDP, .candidate = CODE_HEALTHY, .only_real = true},
	{"full segments are not acknowledged",
		DOWNLOAD "packet origin=real point=tun-in packet=ack toTarget count=2 distinct=2 "
			 "firstUs=119000 lastUs=120300",
		.code = CODE_PMTU_BLACKHOLE_TUNNEL, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true, .took_us = 460000},
	{"healthy, segments that are acknowledged at once",
		DOWNLOAD "packet origin=real point=tun-in packet=ack toTarget count=2 distinct=2 "
			 "firstUs=119000 lastUs=127400|"
			 "packet origin=real point=lan-out packet=ack toTarget count=2 distinct=2 "
			 "firstUs=119000 lastUs=127500",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .took_us = 460000},
	{"ping without a way back, and this host may not ping",
		"-probe probe=injected|-probe probe=own|-packet|-probe probe=injected-other|"
		"-probe probe=own-echo|probe probe=injected-echo outcome=silent answered=0|"
		"packet origin=injected point=tun-in packet=echo toTarget count=1|"
		"packet origin=injected point=lan-out packet=echo toTarget count=1",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_ICMP, .candidate = CODE_SERVICE_SILENT_DROP},
	{"ping is not answered, other packets are",
		"-probe probe=injected|-probe probe=own|-packet|-probe probe=own-echo|"
		"probe probe=injected-echo outcome=silent answered=0|"
		"packet origin=injected point=tun-in packet=echo toTarget count=1|"
		"packet origin=injected point=lan-out packet=echo toTarget count=1",
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_ICMP, .candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"ping without a way back",
		"-probe probe=injected|-probe probe=own|-packet|-probe probe=injected-other|"
		"probe probe=injected-echo outcome=silent answered=0|"
		"packet origin=injected point=tun-in packet=echo toTarget count=1|"
		"packet origin=injected point=lan-out packet=echo toTarget count=1",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_ICMP, .candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"answers of an older attempt are no success",
		DIES_INSIDE "drop origin=injected toTarget reason=NETFILTER_DROP "
			    "function=nft_do_chain count=3|trace origin=injected toTarget "
			    "family=ip table=filter chain=FORWARD hook=forward handle=-1 "
			    "verdict='policy drop' by=ufw|"
			    "packet origin=real point=lan-in packet=syn-ack count=1 distinct=1|"
			    "packet origin=real point=tun-out packet=syn-ack count=1 distinct=1",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "by=ufw"},
	{"what this host drops of its own is not the flow's",
		DIES_BEYOND "drop origin=own toTarget reason=NETFILTER_DROP function=nft_do_chain "
			    "count=9|drop origin=own reason=IP_RPFILTER count=2|"
			    "packet origin=injected point=lan-in packet=other count=0",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"no ICMP error came, since this gateway holds them back",
		DIES_INSIDE "lookup question=forward error=101 oif='' type='' entry=no|"
			    "drop origin=injected toTarget reason=IP_INNOROUTES function=ip_error "
			    "count=3|counter name=IcmpOutRateLimitHost delta=3",
		.code = CODE_NO_ROUTE_TO_DESTINATION, .confidence = CONFIDENCE_CERTAIN},
	{"EHOSTUNREACH, and forwarding is on",
		DIES_INSIDE "lookup question=forward error=113 oif='' type='' entry=no",
		.code = CODE_ROUTE_UNREACHABLE, .confidence = CONFIDENCE_CERTAIN},
	{"EINVAL, and nothing is refused for its source",
		DIES_INSIDE "lookup question=forward error=22 oif='' type='' entry=no",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_CERTAIN},
	{"the next router answers, and the service does not",
		DIES_BEYOND "packet origin=injected point=lan-in packet=other count=0|"
			    "probe probe=hop outcome=error sender=10.0.1.1 ttl=2 icmpType=11 "
			    "icmpCode=0",
		.code = CODE_UPSTREAM_FILTERS_RANGE, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_RETURN_ROUTE_MISSING},
	{"IPv6 knows no forwarding of an interface",
		"sysctl key=net.ipv6.conf.CloudflareWARP.forwarding value=0|"
		"sysctl key=net.ipv6.conf.eth0.forwarding value=0",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .six = true},
	{"one port is dropped, others are not",
		DIES_INSIDE "probe probe=injected-other outcome=refused answered=1|"
			    "probe probe=injected-echo outcome=answered answered=1|"
			    "packet origin=aside point=lan-out packet=syn toTarget count=2|"
			    "packet origin=aside point=lan-in packet=rst count=2|"
			    "drop origin=aside reason=NETFILTER_DROP function=nft_do_chain count=2|"
			    "drop origin=injected toTarget reason=NETFILTER_DROP "
			    "function=nft_do_chain count=3|trace origin=injected toTarget "
			    "family=inet table=fw chain=fwd hook=forward handle=2 verdict=drop",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "handle=2"},
	{"other ports are dropped here, this one beyond",
		DIES_BEYOND "drop origin=aside toTarget reason=NETFILTER_DROP "
			    "function=nft_do_chain count=3|trace origin=aside toTarget "
			    "family=inet table=fw chain=fwd hook=forward handle=2 verdict=drop",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"others call, and nobody calls this target",
		"counter name=CloudflareWARP.rx_packets delta=8", .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_UNDETERMINED, .candidate = CODE_TUNNEL_NO_INGRESS,
		.only_real = true},
	{"healthy, others call as well",
		"counter name=CloudflareWARP.rx_packets delta=800|"
		"packet origin=real point=tun-in packet=syn toTarget count=2 distinct=2|"
		"packet origin=real point=tun-out packet=syn-ack count=2 distinct=2|"
		"trace origin=real toTarget family=inet table=meshgw chain=forward hook=forward "
		"verdict=accept by=meshgw|"
		"trace origin=real family=inet table=meshgw chain=forward hook=forward "
		"verdict=accept by=meshgw",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy under load",
		"packet origin=real point=tun-in packet=syn toTarget count=9 distinct=9|"
		"packet origin=real point=tun-in packet=ack toTarget count=90 distinct=32|"
		"packet origin=real point=tun-out packet=syn-ack count=9 distinct=9|"
		"packet origin=real point=tun-out packet=data count=165 distinct=32 lengthMax=1280|"
		"drop origin=real reason=FULL_RING function=tun_net_xmit count=46|"
		"counter name=CloudflareWARP.tx_dropped delta=70",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy, answers take the other replica",
		DIES_BEYOND
		"packet origin=real point=tun-in packet=syn toTarget count=2 distinct=2|"
		"packet origin=real point=lan-out packet=syn toTarget count=2 distinct=2|"
		"packet origin=real point=tun-in packet=ack toTarget count=4 distinct=4",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"healthy, an old entry, and real flows",
		"config mode=masquerade configured=masquerade|"
		"packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1|"
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"conntrack origin=injected seenReply sourceNat replyTo=10.0.1.2|"
		"conntrack origin=real state=SYN_SENT replyTo=100.64.0.33 replyFrom=10.0.1.50",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy, an old entry of connection tracking",
		"config mode=masquerade configured=masquerade|"
		"conntrack origin=real state=SYN_SENT replyTo=100.64.0.33 replyFrom=10.0.1.50",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"a filter stops it, other things alarm",
		DIES_INSIDE
		"drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain count=2|"
		"trace origin=injected toTarget family=inet table=fw chain=pre hook=prerouting "
		"handle=2 verdict=drop|"
		"chain family=ip table=filter chain=FORWARD hook=forward policy=drop by=docker|"
		"chain legacy table=filter family=ip|"
		"bgp configured daemon|bgp-neighbour address=10.0.1.7 concerns state=Active|"
		"platform provider=aws|counter name=nf_conntrack.invalid delta=3",
		.code = CODE_FILTER_DROP_PREROUTING, .confidence = CONFIDENCE_CERTAIN},
	{"a filter first, then no return route",
		DIES_INSIDE
		"drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain count=2|"
		"trace origin=injected toTarget family=inet table=fw chain=fwd hook=forward "
		"handle=2 verdict=drop|lookup question=reverse oif=eth0 match=0.0.0.0/0",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN,
		.next = CODE_RETURN_ROUTE_MISSING},
	{"a filter first, then forwarding",
		DIES_INSIDE
		"drop origin=injected toTarget reason=NETFILTER_DROP function=nft_do_chain count=2|"
		"trace origin=injected toTarget family=inet table=fw chain=pre hook=prerouting "
		"handle=2 verdict=drop|sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0",
		.code = CODE_FILTER_DROP_PREROUTING, .confidence = CONFIDENCE_CERTAIN,
		.next = CODE_FORWARDING_DISABLED},
	{"no return route first, then a closed port",
		"-packet point=tun-out|probe probe=injected outcome=astray answered=0|"
		"probe probe=injected-other outcome=astray answered=0|"
		"probe probe=injected-echo outcome=astray answered=0|"
		"probe probe=own outcome=refused|lookup question=reverse oif=eth0 match=0.0.0.0/0|"
		"lookup question=reverse-bare oif=eth0",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_LIKELY,
		.next = CODE_RETURN_ROUTE_MISSING},
	{"an answered connection, passively",
		NO_PROBES "packet origin=real point=tun-in packet=other toTarget count=0|"
			  "conntrack origin=real seenReply assured state=ESTABLISHED",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .passive = true},
	{"it worked a minute ago, passively",
		NO_PROBES "packet origin=real point=tun-in packet=other toTarget count=0|"
			  "conntrack origin=real seenReply assured state=TIME_WAIT",
		.code = CODE_NO_TRAFFIC_OBSERVED, .confidence = CONFIDENCE_INCONCLUSIVE,
		.passive = true, .candidate = CODE_TUNNEL_NO_INGRESS},
	{"it worked, and somebody waits, passively",
		NO_PROBES "packet origin=real point=tun-in packet=other toTarget count=0|"
			  "conntrack origin=real seenReply assured state=ESTABLISHED|"
			  "conntrack origin=real state=SYN_SENT",
		.code = CODE_NO_TRAFFIC_OBSERVED, .confidence = CONFIDENCE_INCONCLUSIVE,
		.passive = true, .candidate = CODE_TUNNEL_NO_INGRESS, .only_real = true},
	{"nobody came, passively",
		NO_PROBES "packet origin=real point=tun-in packet=other toTarget "
			  "count=0",
		.code = CODE_NO_TRAFFIC_OBSERVED, .confidence = CONFIDENCE_INCONCLUSIVE,
		.passive = true, .candidate = CODE_TUNNEL_NO_INGRESS},
	{"real packets, passively",
		NO_PROBES "packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1|"
			  "packet origin=real point=lan-out packet=syn toTarget count=1 distinct=1|"
			  "packet origin=real point=lan-in packet=syn-ack count=1 distinct=1|"
			  "packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
			  "packet origin=real point=tun-in packet=data toTarget count=4 distinct=4",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .passive = true},
	{"nothing could be injected", NO_INJECTION "missing observer=trace why='no such socket'",
		.code = CODE_OBSERVER_LIMITED, .confidence = CONFIDENCE_INCONCLUSIVE},
	{"nothing was permitted",
		NO_INJECTION "missing observer=trace why='bpf: Operation not permitted'",
		.code = CODE_INSUFFICIENT_PRIVILEGE, .confidence = CONFIDENCE_INCONCLUSIVE},
	{"a socket of the range is answered, nothing else",
		NO_INJECTION "missing observer=trace why='no such socket'|"
			     "probe probe=range outcome=answered sent=1 answered=1",
		.code = CODE_OBSERVER_LIMITED, .confidence = CONFIDENCE_INCONCLUSIVE},
	{"silence inside, and nobody saw where",
		DIES_INSIDE "-packet point=tun-in|missing observer=drops why='no BTF'",
		.code = CODE_OBSERVER_LIMITED, .confidence = CONFIDENCE_INCONCLUSIVE,
		.candidate = CODE_FILTER_DROP_FORWARD},
	{"changed meanwhile",
		DIES_INSIDE "sysctl key=net.ipv4.ip_forward value=0|"
			    "sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
			    "sysctl key=net.ipv4.conf.eth0.forwarding value=0",
		.code = CODE_CONFIG_CHANGED_DURING_ANALYSIS, .confidence = CONFIDENCE_INCONCLUSIVE,
		.changed = true, .candidate = CODE_FORWARDING_DISABLED},
};
const struct stories stories_decoys = {list, sizeof(list) / sizeof(list[0])};
