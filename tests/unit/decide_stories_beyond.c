/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

#define ROUTER                                                        \
	"lookup question=forward gateway=10.0.1.1 match=10.7.0.0/16|" \
	"neighbour address=10.0.1.1 interface=eth0 state=reachable|"  \
	"-neighbour address=10.0.1.50|"
#define NONE_CAME "packet origin=injected point=lan-in packet=other count=0|"
#define BGP                                                                                      \
	"bgp configured daemon|bgp-neighbour address=10.0.1.1 concerns state=Established|"       \
	"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 originated advertised exportPolicy|" \
	"counter name=TcpExtTCPMD5Unexpected delta=0|"

static const struct story list[] = {
	{"no way back at the site", DIES_BEYOND NONE_CAME ROUTER,
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"no way back at the site, IPv6", DIES_BEYOND NONE_CAME,
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_FILTERS_RANGE, .six = true},
	{"no way back at the site, on a bare gateway",
		DIES_BEYOND NONE_CAME ROUTER
		"config up=no sourceKnown=no networkKnown=no allowed=no mode=none configured=none|"
		"lookup question=reverse oif=eth0 gateway=10.0.1.1 match=0.0.0.0/0|"
		"lookup question=reverse-bare oif=eth0",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.next = CODE_RETURN_ROUTE_MISSING, .covered = true},
	{"no way back at the site, and the port is closed",
		DIES_BEYOND NONE_CAME ROUTER "probe probe=own outcome=refused",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.next = CODE_SERVICE_PORT_CLOSED},
	{"filtered, other ports answer",
		DIES_BEYOND ROUTER "probe probe=injected-other outcome=refused answered=1|"
				   "probe probe=injected-echo outcome=answered answered=1",
		.code = CODE_UPSTREAM_FILTERS_RANGE, .confidence = CONFIDENCE_UNDETERMINED,
		.attribute = "port=3000"},
	{"a filter with a voice",
		ROUTER "probe probe=injected outcome=refused answered=1|-packet packet=syn-ack|"
		       "packet origin=injected point=lan-in packet=rst count=1|"
		       "packet origin=injected point=tun-out packet=rst count=1",
		.code = CODE_UPSTREAM_FILTERS_RANGE, .confidence = CONFIDENCE_CERTAIN},
	{"a router knows no way",
		DIES_BEYOND ROUTER
		"probe probe=injected outcome=error sender=10.0.1.1 icmpType=3 icmpCode=1|"
		"icmp origin=injected point=lan-in sender=10.0.1.1 type=3 code=1 "
		"aboutTargetDirection count=2|probe probe=own outcome=error sender=10.0.1.1",
		.code = CODE_UPSTREAM_ICMP_UNREACHABLE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "sender=10.0.1.1"},
	{"a router forbids it",
		DIES_BEYOND ROUTER
		"probe probe=injected outcome=error sender=10.0.1.1 icmpType=3 icmpCode=13|"
		"icmp origin=injected point=lan-in sender=10.0.1.1 type=3 code=13 "
		"aboutTargetDirection count=2",
		.code = CODE_UPSTREAM_ADMIN_PROHIBITED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "sender=10.0.1.1"},
	{"a router forbids it, IPv6",
		DIES_BEYOND
		"probe probe=injected outcome=error sender=2001:db8:1::1 icmpType=1 icmpCode=1",
		.code = CODE_UPSTREAM_ADMIN_PROHIBITED, .confidence = CONFIDENCE_CERTAIN,
		.six = true},
	{"a router forbids it to real packets, passively",
		NO_PROBES ROUTER
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=1|"
		"icmp origin=real point=lan-in sender=10.0.1.1 type=3 code=13 "
		"aboutTargetDirection count=2",
		.code = CODE_UPSTREAM_ADMIN_PROHIBITED, .confidence = CONFIDENCE_CERTAIN,
		.passive = true},
	{"silence, passively",
		NO_PROBES ROUTER
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=1|"
		"packet origin=real point=lan-in packet=other count=0|"
		"conntrack origin=real state=SYN_SENT",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED,
		.passive = true, .candidate = CODE_SERVICE_SILENT_DROP},
	{"silence, passively, and it worked a minute ago",
		NO_PROBES ROUTER
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=1|"
		"packet origin=real point=lan-in packet=other count=0|"
		"conntrack origin=real seenReply assured state=TIME_WAIT|"
		"conntrack origin=real state=SYN_SENT",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED,
		.passive = true, .candidate = CODE_SERVICE_SILENT_DROP},
	{"nobody is answered behind a router",
		DIES_BEYOND NONE_CAME ROUTER "probe probe=own outcome=silent answered=0|"
					     "probe probe=own-other outcome=silent answered=0|"
					     "probe probe=own-echo outcome=silent answered=0",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED},
	{"own packets do not leave",
		DIES_BEYOND NONE_CAME ROUTER
		"probe probe=own outcome=local error=111|probe probe=own-other outcome=local|"
		"probe probe=own-echo outcome=local",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_RETURN_ROUTE_MISSING},
	{"in a cloud", DIES_BEYOND NONE_CAME ROUTER "platform provider=aws vendor='Amazon EC2'",
		.code = CODE_PROVIDER_SOURCE_CHECK, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_RETURN_ROUTE_MISSING},
	{"answers to what never came",
		"packet origin=real point=tun-in packet=syn toTarget count=0|"
		"packet origin=real point=lan-in packet=syn-ack count=3 interface=eth0|"
		"drop origin=real reason=NETFILTER_DROP function=nft_do_chain count=3|"
		"trace origin=real family=inet table=fw chain=fwd hook=forward verdict=drop "
		"handle=3 ctInvalid",
		.code = CODE_ASYMMETRIC_PATH, .confidence = CONFIDENCE_CERTAIN, .only_real = true},
	{"answers to what never came, by the filter alone",
		"packet origin=real point=lan-in packet=syn-ack count=3 interface=eth0|"
		"drop origin=real reason=NETFILTER_DROP function=nft_do_chain count=3|"
		"trace origin=real family=inet table=fw chain=fwd hook=forward verdict=drop "
		"handle=3 ctInvalid",
		.code = CODE_ASYMMETRIC_PATH, .confidence = CONFIDENCE_LIKELY, .only_real = true},
	{"silence, passively, and nobody counted nothing",
		NO_PROBES ROUTER
		"packet origin=real point=tun-in packet=syn toTarget count=3 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=3 distinct=1",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED,
		.passive = true, .candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"the service wants to see who calls",
		"config mode=masquerade configured=masquerade|"
		"probe probe=injected outcome=refused answered=1|-packet packet=syn-ack|"
		"packet origin=injected point=lan-in packet=rst count=1|"
		"packet origin=injected point=tun-out packet=rst count=1|"
		"probe probe=own outcome=refused|probe probe=range outcome=answered answered=1",
		.code = CODE_NAT_HIDES_SOURCE, .confidence = CONFIDENCE_CERTAIN},

	{"FRR is gone", DIES_BEYOND NONE_CAME ROUTER BGP "bgp daemon=no|-bgp-neighbour|-bgp-prefix",
		.code = CODE_BGP_DAEMON_DOWN, .confidence = CONFIDENCE_LIKELY},
	{"session down",
		DIES_BEYOND NONE_CAME ROUTER BGP "bgp-neighbour address=10.0.1.1 state=Active",
		.code = CODE_BGP_SESSION_DOWN, .confidence = CONFIDENCE_LIKELY,
		.attribute = "state=Active"},
	{"session down, old reason",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Active reason=bgp-wrong-asn",
		.code = CODE_BGP_SESSION_DOWN, .confidence = CONFIDENCE_LIKELY},
	{"wrong AS number",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Idle reason=bgp-wrong-asn fresh",
		.code = CODE_BGP_WRONG_ASN, .confidence = CONFIDENCE_LIKELY,
		.attribute = "peer=10.0.1.1"},
	{"wrong password",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Connect reason=bgp-auth-mismatch fresh",
		.code = CODE_BGP_AUTH_MISMATCH, .confidence = CONFIDENCE_LIKELY},
	{"wrong password, the segments tell",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Idle reason=bgp-session-down fresh|"
		"counter name=TcpExtTCPMD5Unexpected delta=1 value=1",
		.code = CODE_BGP_AUTH_MISMATCH, .confidence = CONFIDENCE_LIKELY,
		.attribute = "state=Idle"},
	{"wrong AS number, beside segments that are signed",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Idle reason=bgp-wrong-asn fresh|"
		"counter name=TcpExtTCPMD5Unexpected delta=1 value=1",
		.code = CODE_BGP_WRONG_ASN, .confidence = CONFIDENCE_LIKELY,
		.attribute = "peer=10.0.1.1"},
	{"no way to the neighbour",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Active reason=bgp-neighbour-unreachable fresh",
		.code = CODE_BGP_NEIGHBOUR_UNREACHABLE, .confidence = CONFIDENCE_LIKELY},
	{"too many prefixes",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Idle reason=bgp-max-prefix fresh",
		.code = CODE_BGP_MAX_PREFIX, .confidence = CONFIDENCE_LIKELY},
	{"shut down there",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Idle reason=bgp-admin-shutdown fresh",
		.code = CODE_BGP_ADMIN_SHUTDOWN, .confidence = CONFIDENCE_LIKELY},
	{"no policy",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 advertised=no exportPolicy=no",
		.code = CODE_BGP_NO_EXPORT_POLICY, .confidence = CONFIDENCE_LIKELY},
	{"not originated",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 originated=no advertised=no",
		.code = CODE_BGP_PREFIX_NOT_ORIGINATED, .confidence = CONFIDENCE_LIKELY,
		.attribute = "prefix=100.64.0.0/12"},
	{"filtered here",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 advertised=no",
		.code = CODE_BGP_PREFIX_FILTERED_LOCALLY, .confidence = CONFIDENCE_LIKELY},
	{"not announced yet, by a session that has just come up",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-prefix prefix=100.64.0.0/12 neighbour=10.0.1.1 advertised=no pending",
		.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_BGP_ADVERTISED_NOT_USED},
	{"announced and not used", DIES_BEYOND NONE_CAME ROUTER BGP,
		.code = CODE_BGP_ADVERTISED_NOT_USED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_UPSTREAM_FILTERS_RANGE},
	{"announced, and a filter",
		DIES_BEYOND ROUTER BGP "probe probe=injected-other outcome=refused answered=1",
		.code = CODE_UPSTREAM_FILTERS_RANGE, .confidence = CONFIDENCE_UNDETERMINED},
	{"WARP's filter ends the session",
		DIES_BEYOND NONE_CAME ROUTER BGP
		"bgp-neighbour address=10.0.1.1 state=Active|"
		"probe probe=own outcome=local error=111|probe probe=own-other outcome=local|"
		"probe probe=own-echo outcome=local|trace origin=own toTarget family=inet "
		"table=cloudflare-warp chain=output hook=output handle=7 verdict=reject by=warp",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_LIKELY,
		.attribute = "by=warp"},
};
const struct stories stories_beyond = {list, sizeof(list) / sizeof(list[0])};
