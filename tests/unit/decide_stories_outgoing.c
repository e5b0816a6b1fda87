/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

/* What is known of a connection that this host begins: nothing of the mesh. */
#define OWN                                                                             \
	NO_INJECTION "-packet|-probe probe=link|-lookup question=forward|"              \
		     "-lookup question=reverse|-lookup question=reverse-bare|"          \
		     "+chain family=inet table=meshgw chain=bridge_output hook=output|" \
		     "+trace origin=own toTarget family=inet table=meshgw "             \
		     "chain=bridge_output hook=output verdict=accept by=meshgw|"        \
		     "counter name=TcpExtIPReversePathFilter delta=0 value=1|"
#define SILENT "probe probe=own outcome=silent answered=0 sent=2|"
#define MUTE                                                      \
	SILENT "probe probe=own-other outcome=silent answered=0|" \
	       "probe probe=own-echo outcome=silent answered=0|"
#define NOT_LEFT "-trace origin=own|"

#define STORY(...) {.outgoing = true, __VA_ARGS__}

static const struct story list[] = {
	STORY(.name = "own: well", .facts = OWN, .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_CERTAIN, .only_real = true),
	STORY(.name = "own: well, but not spoken to", .facts = OWN, .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY, .scheme = SCHEME_HTTP, .only_real = true),
	STORY(.name = "own: port closed", .facts = OWN "probe probe=own outcome=refused",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "port=3000"),
	STORY(.name = "own: port closed, IPv6", .facts = OWN "probe probe=own outcome=refused",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_CERTAIN, .six = true),
	STORY(.name = "own: port closed, behind a router",
		.facts = OWN "lookup question=forward-bare gateway=10.0.1.1|-neighbour|"
			     "neighbour address=10.0.1.1 interface=eth0 state=reachable|"
			     "probe probe=own outcome=refused",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own: the service's firewall drops", .facts = OWN SILENT,
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_SERVICE_BACKLOG_FULL),
	STORY(.name = "own: the service's firewall drops all", .facts = OWN MUTE,
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED),
	STORY(.name = "own: the service's firewall rejects",
		.facts = OWN "probe probe=own outcome=refused icmpType=3 icmpCode=3 "
			     "sender=10.0.1.50",
		.code = CODE_UPSTREAM_ICMP_UNREACHABLE, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true),
	STORY(.name = "own: a router refuses",
		.facts = OWN "probe probe=own outcome=error icmpType=3 icmpCode=13 sender=10.0.1.1",
		.code = CODE_UPSTREAM_ADMIN_PROHIBITED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "sender=10.0.1.1"),
	STORY(.name = "own: a router knows no way",
		.facts = OWN "probe probe=own outcome=error icmpType=3 icmpCode=1 sender=10.0.1.1",
		.code = CODE_UPSTREAM_ICMP_UNREACHABLE, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own: the host is gone",
		.facts = OWN MUTE "neighbour address=10.0.1.50 state=failed|"
				  "probe probe=own outcome=local error=113",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "address=10.0.1.50"),
	STORY(.name = "own: the host is being asked for",
		.facts = OWN MUTE "neighbour address=10.0.1.50 state=incomplete",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_LIKELY,
		.only_real = true),
	STORY(.name = "own: the router is gone",
		.facts = OWN MUTE "lookup question=forward-bare gateway=10.0.1.1|-neighbour|"
				  "neighbour address=10.0.1.1 interface=eth0 state=failed|"
				  "probe probe=own outcome=local error=113",
		.code = CODE_NEIGHBOUR_UNRESOLVED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "address=10.0.1.1"),
	STORY(.name = "own: somewhere behind the router it is silent",
		.facts = OWN MUTE "lookup question=forward-bare gateway=10.0.1.1|-neighbour|"
				  "neighbour address=10.0.1.1 interface=eth0 state=reachable",
		.code = CODE_UPSTREAM_SILENT, .confidence = CONFIDENCE_UNDETERMINED),
	STORY(.name = "own: a filter here drops",
		.facts = OWN MUTE NOT_LEFT
		"trace origin=own toTarget family=inet table=site chain=out hook=output handle=4 "
		"verdict=drop rule='tcp dport 3000 drop'",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "table=site"),
	STORY(.name = "own: a filter here refuses",
		.facts = OWN NOT_LEFT
		"probe probe=own outcome=refused|"
		"trace origin=own toTarget family=inet table=site chain=out hook=output handle=4 "
		"verdict=reject",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true),
	STORY(.name = "own: a filter here drops late",
		.facts = OWN MUTE NOT_LEFT
		"trace origin=own toTarget family=inet table=site chain=c hook=postrouting "
		"handle=4 verdict=drop",
		.code = CODE_FILTER_DROP_POSTROUTING, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true),
	STORY(.name = "own: a filter here drops the answers",
		.facts = OWN SILENT
		"trace origin=own family=inet table=site chain=in hook=input handle=-1 "
		"verdict='policy drop'",
		.code = CODE_FILTER_DROP_INPUT, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "chain=in", .only_real = true),
	STORY(.name = "own: the wall",
		.facts = OWN "config allowed=no|probe probe=own outcome=silent",
		.code = CODE_NOT_ALLOWED, .confidence = CONFIDENCE_CERTAIN, .next = 0,
		.only_real = true),
	STORY(.name = "own: given back",
		.facts = OWN NOT_LEFT "probe probe=own outcome=local error=1",
		.code = CODE_FILTER_DROP_OUTPUT, .confidence = CONFIDENCE_UNDETERMINED),
	STORY(.name = "own: a blackhole",
		.facts = OWN NOT_LEFT
		"-lookup|lookup question=forward-bare to=10.0.1.50 error=22 type=blackhole entry "
		"match=10.0.1.50/32 table=254|probe probe=own outcome=local error=22",
		.code = CODE_ROUTE_BLACKHOLE, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own: no route",
		.facts = OWN NOT_LEFT "-lookup|-neighbour|"
				      "lookup question=forward-bare to=10.0.1.50 error=101|"
				      "probe probe=own outcome=local error=101",
		.code = CODE_NO_ROUTE_TO_DESTINATION, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own: the interface is down",
		.facts = OWN NOT_LEFT "-lookup|-neighbour|link role=lan up=no carrier=no|"
				      "lookup question=forward-bare to=10.0.1.50 error=101|"
				      "probe probe=own outcome=local error=101",
		.code = CODE_LAN_INTERFACE_DOWN, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true),
	STORY(.name = "own: the tunnel's client takes the LAN",
		.facts = OWN MUTE "lookup question=forward-bare oif=CloudflareWARP table=65743 "
				  "match=10.0.0.0/8|-neighbour",
		.code = CODE_WARP_TABLE_CAPTURES_LAN, .confidence = CONFIDENCE_LIKELY, .next = 0,
		.only_real = true),
	STORY(.name = "own: here, on loopback only",
		.facts = OWN "config ownAddress|lookup question=forward-bare type=local oif=lo|"
			     "-neighbour|probe probe=own outcome=refused|"
			     "socket listening loopbackOnly",
		.code = CODE_LOCAL_BOUND_LOOPBACK, .confidence = CONFIDENCE_CERTAIN,
		.only_real = true),
	STORY(.name = "own: no such name",
		.facts = OWN "-probe|-trace|l7 ask=dns outcome=name text=NXDOMAIN",
		.code = CODE_NAME_NOT_RESOLVED, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own: certificate",
		.facts = OWN "l7 ask=tls outcome=certificate text='expired'",
		.code = CODE_SERVICE_TLS_CERTIFICATE, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTPS, .only_real = true),
	STORY(.name = "own: closes",
		.facts = OWN "l7 ask=http outcome=closed|l7 ask=tls outcome=closed",
		.code = CODE_SERVICE_CLOSES_EARLY, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTP, .only_real = true),
	STORY(.name = "own: takes all and says nothing",
		.facts = OWN "l7 ask=http outcome=silent|l7 ask=tls outcome=closed",
		.code = CODE_SERVICE_ACCEPTS_NO_ANSWER, .confidence = CONFIDENCE_UNDETERMINED,
		.scheme = SCHEME_HTTP, .only_real = true),
	STORY(.name = "own: only looked", .facts = OWN "-probe|-trace", .passive = true,
		.code = CODE_NO_TRAFFIC_OBSERVED, .confidence = CONFIDENCE_INCONCLUSIVE),
};
const struct stories stories_outgoing = {list, sizeof(list) / sizeof(list[0])};
