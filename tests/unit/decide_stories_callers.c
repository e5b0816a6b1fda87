/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

/* Flows of the mesh's own beside packets like theirs that are answered: what happens to somebody
 * else, or to a packet, is no fault of the flow that is meant. */
#define OTHERS_GO_ON                                                                           \
	"+packet origin=real point=tun-in packet=syn toTarget count=2 distinct=2|"             \
	"+packet origin=real point=tun-in packet=ack toTarget count=4 distinct=4|"             \
	"+packet origin=real point=lan-out packet=syn toTarget count=2 distinct=2|"            \
	"+packet origin=real point=lan-in packet=syn-ack count=2 distinct=2 source=10.0.1.50|" \
	"+packet origin=real point=tun-out packet=syn-ack count=2 distinct=2 source=10.0.1.50|"
#define ONE_REPEATS "+packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
#define DROPPED_REAL                                                               \
	"drop origin=real toTarget reason=NETFILTER_DROP function=nft_do_chain "   \
	"interface=CloudflareWARP count=3|trace origin=real toTarget family=inet " \
	"table=fw chain=fwd hook=forward handle=5 verdict=drop|"
#define HERE                                                                     \
	"config ownAddress|lookup question=forward type=local oif=lo table=255|" \
	"-lookup question=reverse|-lookup question=reverse-bare|-neighbour|"     \
	"-packet point=lan-out|-packet point=lan-in|"                            \
	"packet origin=injected point=host packet=syn toTarget count=2|"
#define PUBLISHED                                                                \
	"conntrack origin=injected seenReply destinationNat replyTo=100.64.0.9 " \
	"replyFrom=172.17.0.2|"

#define HEARD                                                                     \
	"call source=100.64.0.8 port=40001 begun answered acknowledged asked=80 " \
	"replied=150 ended firstUs=100 progressUs=9000 lastUs=9000"
#define FAILED(at, port)                                                              \
	"call source=100.64.0.8 port=" #port " begun answered acknowledged asked=80 " \
	"askedAgain=1 replied=150 ended firstUs=" #at "|"
#define WENT_WELL(at, port)                                                           \
	"call source=100.64.0.8 port=" #port " begun answered acknowledged asked=80 " \
	"replied=150 ended firstUs=" #at "|"
#define SENT_OUT                                                                              \
	"packet origin=real point=tun-in packet=syn toTarget count=2 distinct=1|"             \
	"packet origin=real point=lan-in packet=syn-ack count=3 distinct=1 source=10.0.1.50|" \
	"call source=100.64.0.7 port=40000 begun askedAgain=1 firstUs=100 lastUs=1100000|"
#define BY_SOCKET                                                                        \
	NO_INJECTION "missing observer=injection why='no BPF'|"                          \
		     "missing observer=drops why='no BPF'|"                              \
		     "probe probe=range outcome=answered sent=3 answered=3|"             \
		     "packet origin=injected point=lan-out packet=syn toTarget count=3|" \
		     "packet origin=injected point=lan-in packet=other count=3|"
#define HEARS_NOTHING                                                                \
	"call source=100.64.0.7 port=40000 begun answered askedAgain=1 toldAgain=2 " \
	"firstUs=100 lastUs=1100000|"                                                \
	"packet origin=real point=tun-out packet=syn-ack count=3 distinct=1 source=10.0.1.50|"

static const struct story list[] = {
	{"a caller is dropped and goes on trying, others like it are not", ONE_REPEATS DROPPED_REAL,
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"one caller is dropped, others go on", ONE_REPEATS OTHERS_GO_ON DROPPED_REAL,
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"a caller is dropped here, and the site knows no way back",
		DIES_BEYOND ONE_REPEATS DROPPED_REAL
		"packet origin=injected point=lan-in packet=other count=0",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_FILTERS_RANGE, .only_real = true},
	{"meshgw drops a caller that is not the one meant",
		ONE_REPEATS "trace origin=real toTarget family=inet table=meshgw chain=from_mesh "
			    "hook=forward handle=5 verdict=drop by=meshgw",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_NOT_ALLOWED, .only_real = true},
	{"healthy, an upload through a shaper",
		"packet origin=real point=tun-in packet=data toTarget count=900 distinct=32|"
		"packet origin=real point=lan-out packet=data toTarget count=860 distinct=32 "
		"lengthMax=1280|"
		"packet origin=real point=lan-in packet=ack count=400 distinct=1|"
		"packet origin=real point=tun-out packet=ack count=400 distinct=1|"
		"drop origin=real toTarget reason=QDISC_DROP function=__dev_queue_xmit "
		"interface=eth0 count=40",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy, a shaper takes some datagrams",
		"packet origin=real point=tun-in packet=udp toTarget count=900 distinct=32|"
		"packet origin=real point=lan-out packet=udp toTarget count=860 distinct=32|"
		"+drop origin=real toTarget reason=TC_EGRESS interface=eth0 count=1",
		.code = CODE_TC_OR_XDP_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_UDP, .candidate = CODE_HEALTHY, .only_real = true},
	{"healthy, one segment came broken",
		OTHERS_GO_ON "+packet origin=real point=tun-in packet=data toTarget count=1 "
			     "distinct=1 badL4Checksum",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"one SYN came broken, and its caller was not seen again",
		"packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1 "
		"badL4Checksum|packet origin=real point=lan-out packet=syn toTarget count=1",
		.code = CODE_CHECKSUM_BAD_L4, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"healthy, with more callers than are told apart",
		"packet origin=real point=tun-in packet=syn toTarget count=60 distinct=32|"
		"packet origin=real point=tun-out packet=syn-ack count=60 distinct=32|"
		"packet origin=real point=lan-in packet=syn-ack count=60 distinct=32|"
		"packet origin=real point=lan-out packet=ack toTarget count=60 distinct=32 "
		"firstUs=100 lastUs=900",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"a router refuses somebody else",
		ONE_REPEATS "icmp origin=real point=lan-in sender=10.0.1.1 type=3 code=13 "
			    "aboutTargetDirection count=3",
		.code = CODE_UPSTREAM_ADMIN_PROHIBITED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"healthy, the service refuses this host alone", "probe probe=own outcome=refused",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, a service resets what it has answered",
		"packet origin=real point=tun-in packet=data toTarget count=1|"
		"packet origin=real point=lan-in packet=rst count=1|-probe probe=own",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"healthy, this host publishes a port of somebody else",
		HERE PUBLISHED "socket listening=no", .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY},
	{"this host publishes a port, and it is closed",
		HERE PUBLISHED "probe probe=injected outcome=refused answered=2|"
			       "-packet packet=syn-ack|"
			       "packet origin=injected point=tun-out packet=rst count=2|"
			       "probe probe=own outcome=refused|socket listening=no",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_NEIGHBOUR_DUPLICATE_ADDRESS},
	{"no socket here, and silence",
		HERE UNANSWERED "-packet packet=syn-ack|probe probe=own outcome=silent|"
				"socket listening=no",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_LIKELY},
	{"a caller does not hear what is answered",
		HEARS_NOTHING
		"packet origin=real point=tun-in packet=syn toTarget count=2 distinct=1",
		.code = CODE_TUNNEL_RETURN_LOST, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_TUNNEL_QUEUE_FULL, .only_real = true},
	{"healthy, a caller of another range does not hear what is answered",
		"call source=100.96.0.7 port=40000 begun answered askedAgain=1 toldAgain=2 "
		"firstUs=100 lastUs=1100000|" HEARD,
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"healthy, one answer was lost", HEARS_NOTHING HEARD, .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY},
	{"large answers do not arrive",
		"packet origin=real point=tun-out packet=data count=12 distinct=7 lengthMax=1280|"
		"call source=100.64.0.7 port=40000 begun answered acknowledged asked=80 "
		"replied=9000 open=9000 toldAgain=3 firstUs=100 progressUs=9000 lastUs=1500000|"
		"call source=100.64.0.8 port=40000 begun answered acknowledged asked=80 "
		"replied=9000 open=9000 toldAgain=3 firstUs=100 progressUs=9000 lastUs=1500000",
		.code = CODE_PMTU_BLACKHOLE_TUNNEL, .confidence = CONFIDENCE_LIKELY,
		.only_real = true},
	{"healthy, one large answer does not arrive, others do",
		"packet origin=real point=tun-out packet=data count=12 distinct=7 lengthMax=1280|"
		"call source=100.64.0.7 port=40000 begun answered acknowledged asked=80 "
		"replied=9000 open=9000 toldAgain=3 firstUs=100 progressUs=9000 lastUs=1500000|"
		"call source=100.64.0.8 port=40000 begun answered acknowledged asked=80 "
		"replied=9000 ended firstUs=100 progressUs=9000 lastUs=10000",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"the service does not take a connection that its caller has",
		"packet origin=real point=lan-out packet=ack toTarget count=1|"
		"call source=100.64.0.7 port=40000 begun answered acknowledged asked=80 "
		"askedAgain=3 toldAgain=1 firstUs=100 progressUs=900 lastUs=1500000",
		.code = CODE_SERVICE_BACKLOG_FULL, .confidence = CONFIDENCE_LIKELY,
		.only_real = true},
	{"healthy, a lossy way to callers that are answered",
		"packet origin=real point=lan-out packet=ack toTarget count=14 distinct=10 "
		"firstUs=100|packet origin=real point=lan-in packet=syn-ack count=7 distinct=5 "
		"lastUs=900|packet origin=real point=lan-in packet=data count=7 distinct=7|" HEARD,
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN},
	{"an address of no range calls in vain",
		"packet origin=foreign point=tun-in packet=syn toTarget count=3 distinct=2 "
		"source=172.64.128.77",
		.code = CODE_TUNNEL_SOURCE_NOT_IN_RANGES, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .attribute = "address=172.64.128.77", .only_real = true},
	{"an address of another site calls and is answered",
		"packet origin=foreign point=tun-in packet=syn toTarget count=3 distinct=3 "
		"source=192.168.7.7|packet origin=foreign point=tun-in packet=ack toTarget "
		"count=9 distinct=9 source=192.168.7.7",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"an address of no range calls in vain, and the port is closed anyway",
		"packet origin=foreign point=tun-in packet=syn toTarget count=3 distinct=2 "
		"source=172.64.128.77|probe probe=injected outcome=refused answered=2|"
		"-packet packet=syn-ack|packet origin=injected point=lan-in packet=rst count=2|"
		"packet origin=injected point=tun-out packet=rst count=2|"
		"probe probe=own outcome=refused",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true},
	{"the first calls failed, and later ones do not",
		"packet origin=real point=tun-in packet=syn toTarget count=6 distinct=4|" FAILED(
			100, 40001) FAILED(900, 40002) WENT_WELL(1400000, 40003)
			WENT_WELL(1500000, 40004),
		.code = CODE_RECOVERED, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"healthy, some first packets are lost",
		"packet origin=real point=tun-in packet=syn toTarget count=6 distinct=4|" FAILED(
			100, 40001) WENT_WELL(900, 40002) FAILED(1400, 40003)
			WENT_WELL(1500000, 40004),
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"healthy, more first packets are lost than are told",
		"packet origin=real point=tun-in packet=syn toTarget count=12 distinct=8|" FAILED(
			100, 40001) FAILED(900, 40002) WENT_WELL(1400000, 40003)
			WENT_WELL(1500000, 40004),
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"a filter on the service's host refuses with an ICMP error",
		"probe probe=injected outcome=refused answered=0 sender=10.0.1.50 icmpType=3 "
		"icmpCode=3|-packet packet=syn-ack|probe probe=own outcome=refused icmpType=3 "
		"icmpCode=3|icmp origin=injected point=lan-in sender=10.0.1.50 type=3 code=3 "
		"aboutTargetDirection count=2",
		.code = CODE_UPSTREAM_ICMP_UNREACHABLE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "type=port"},
	{"a router refuses in the service's name",
		"probe probe=injected outcome=refused answered=2|-packet packet=syn-ack|"
		"packet origin=injected point=lan-in packet=rst count=2 ttlMin=64 ttlMax=64|"
		"packet origin=aside point=lan-in packet=rst count=2 ttlMin=63 ttlMax=63|"
		"packet origin=injected point=tun-out packet=rst count=2|"
		"probe probe=own outcome=refused",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_ADMIN_PROHIBITED, .only_real = true},
	{"large echoes are lost",
		"probe probe=large outcome=silent sent=2 answered=0 size=1280|"
		"packet origin=aside point=lan-out packet=echo toTarget count=3 lengthMax=1280",
		.code = CODE_PMTU_BLACKHOLE_LAN, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"healthy, a shaper here takes large echoes",
		"probe probe=large outcome=silent sent=2 answered=0 size=1280|"
		"packet origin=aside point=lan-out packet=echo toTarget count=1 lengthMax=44|"
		"drop origin=aside toTarget reason=QDISC_DROP length=1280 count=2",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY},
	{"healthy, large echoes are lost and large answers arrive",
		"probe probe=large outcome=silent sent=2 answered=0 size=1280|"
		"packet origin=aside point=lan-out packet=echo toTarget count=3 lengthMax=1280|"
		"call source=100.64.0.8 port=40001 begun answered acknowledged asked=80 "
		"replied=9000 ended firstUs=100 progressUs=9000 lastUs=9000",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"nobody called, and the service repeats an answer of long ago",
		"packet origin=real point=tun-out packet=syn-ack count=1 distinct=1|"
		"packet origin=real point=lan-in packet=syn-ack count=1 distinct=1|"
		"call source=100.64.0.7 port=40000 answered open=1 progressUs=500",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_TUNNEL_NO_INGRESS, .only_real = true},
	{"answers get another source at the last",
		SENT_OUT "trace origin=real family=ip table=site chain=post hook=postrouting "
			 "verdict=accept",
		.code = CODE_TUNNEL_DAEMON_REJECTS_SOURCE, .confidence = CONFIDENCE_LIKELY,
		.attribute = "chain=post", .only_real = true},
	{"answers do not leave, and no rule is known", SENT_OUT,
		.code = CODE_TUNNEL_DAEMON_REJECTS_SOURCE, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_FILTER_DROP_POSTROUTING, .only_real = true},
	{"nothing leaves by the LAN interface",
		DIES_INSIDE
		"neighbour address=10.0.1.50 state=incomplete lladdr=''|"
		"probe probe=link outcome=silent answered=0|counter name=eth0.tx_packets delta=0|"
		"probe probe=own outcome=silent answered=0|probe probe=own-other outcome=silent|"
		"probe probe=own-echo outcome=silent",
		.code = CODE_EGRESS_QUEUE_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_NEIGHBOUR_UNRESOLVED},
	{"a socket's packets do not pass what enters by the tunnel",
		BY_SOCKET "packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
			  "trace origin=real toTarget family=inet table=fw chain=fwd hook=forward "
			  "handle=5 verdict=drop",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_CERTAIN},
	{"a socket's packets do not show that forwarding is on",
		BY_SOCKET "sysctl key=net.ipv4.ip_forward value=0|"
			  "sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
			  "sysctl key=net.ipv4.conf.eth0.forwarding value=0",
		.code = CODE_FORWARDING_DISABLED, .confidence = CONFIDENCE_LIKELY},
	{"healthy, by a socket and callers that were let through",
		BY_SOCKET "trace origin=real toTarget family=inet table=meshgw chain=forward "
			  "hook=forward verdict=accept by=meshgw",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"a filter here takes all that is large",
		"drop origin=real reason=NETFILTER_DROP function=nft_do_chain interface=eth0 "
		"length=1280 count=6|call source=100.64.0.7 port=40000 begun answered "
		"acknowledged asked=80 firstUs=100 lastUs=900 progressUs=900",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"healthy, what is too fast is dropped here and the rest is not",
		"drop origin=real reason=NETFILTER_DROP function=nft_do_chain interface=eth0 "
		"length=1280 count=6|call source=100.64.0.7 port=40000 begun answered "
		"acknowledged asked=80 replied=90000 open=14000 toldAgain=9 firstUs=100 "
		"lastUs=900000 progressUs=890000",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"a filter here takes the end of handshakes",
		"drop origin=real toTarget reason=NETFILTER_DROP function=nft_do_chain "
		"interface=CloudflareWARP length=52 count=6|call source=100.64.0.7 port=40000 "
		"begun answered acknowledged asked=80 askedAgain=3 toldAgain=1 firstUs=100 "
		"progressUs=900 lastUs=1500000",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY, .only_real = true},
	{"passively, a caller of another range is dropped",
		NO_PROBES "call source=100.96.0.7 port=40000 begun askedAgain=2|"
			  "packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
			  "trace origin=real toTarget family=inet table=fw chain=fwd hook=forward "
			  "handle=5 verdict=drop",
		.code = CODE_FILTER_DROP_FORWARD, .confidence = CONFIDENCE_UNDETERMINED,
		.passive = true, .candidate = CODE_HEALTHY, .only_real = true},
	{"healthy, somebody traces the path and nobody calls",
		"packet origin=real point=tun-in packet=syn toTarget count=4 distinct=4 ttlMin=1 "
		"ttlMax=4|drop origin=real toTarget reason=IP_INHDR function=ip_forward count=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=3",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"healthy, a service that answers after its time",
		"l7 ask=http outcome=silent|call source=100.64.0.7 port=4000 begun answered "
		"acknowledged asked=90 replied=900 firstUs=100 progressUs=3100000|"
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=3|"
		"packet origin=real point=tun-out packet=data count=3 distinct=3",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .scheme = SCHEME_HTTP,
		.only_real = true},
	{"datagrams that nobody answers, and a silent host",
		DIES_BEYOND "-packet|packet origin=injected point=lan-out packet=udp toTarget "
			    "count=3|probe probe=own outcome=silent answered=0|"
			    "probe probe=own-other outcome=silent|-probe probe=own-echo|"
			    "call source=100.64.0.7 port=4000 begun asked=90",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED,
		.proto = IPPROTO_UDP, .candidate = CODE_HEALTHY, .only_real = true},
	{"callers are dropped here, and how the others ended nobody saw",
		"-packet origin=injected point=lan-out|-packet point=lan-in|"
		"-packet point=tun-out|" UNANSWERED
		"packet origin=real point=tun-in packet=syn toTarget count=6 distinct=5|"
		"drop origin=real toTarget reason=IP_INADDRERRORS function=ip_error "
		"interface=CloudflareWARP length=60 count=6|"
		"sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0",
		.code = CODE_FORWARDING_DISABLED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_SILENT},
	{"the configured interface is not there, and the target is reached by another",
		NO_INJECTION
		"link role=lan interface=eth9 exists=no|missing observer=trace why=gone|"
		"-packet",
		.code = CODE_ROUTE_WRONG_EGRESS, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_LAN_INTERFACE_MISSING, .only_real = true},
	{"rules let callers through, and there are others of which no trace tells",
		NO_INJECTION "missing observer=trace why=gone|-packet|"
			     "chain legacy table=filter family=ip|"
			     "trace origin=real toTarget family=inet table=meshgw chain=forward "
			     "hook=forward verdict=accept by=meshgw|trace origin=real family=inet "
			     "table=meshgw chain=forward hook=forward verdict=accept by=meshgw",
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_FILTER_DROP_LEGACY_XTABLES, .only_real = true},
	{"what comes in by the LAN as if from the mesh may go in a circle",
		DIES_INSIDE "trace origin=injected toTarget family=inet table=meshgw "
			    "chain=prerouting hook=prerouting handle=4 verdict=drop by=meshgw fib",
		.code = CODE_FILTER_FIB_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_ROUTING_LOOP},
	{"legacy tables, and somebody else's entries clash",
		DIES_INSIDE "drop origin=injected toTarget reason=NETFILTER_DROP "
			    "function=nf_hook_slow interface=CloudflareWARP count=3|"
			    "chain legacy table=filter family=ip|"
			    "counter name=nf_conntrack.insert_failed delta=2 value=90",
		.code = CODE_FILTER_DROP_LEGACY_XTABLES, .confidence = CONFIDENCE_LIKELY},
};
const struct stories stories_callers = {list, sizeof(list) / sizeof(list[0])};
