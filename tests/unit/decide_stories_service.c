/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

#define REFUSED                                                                   \
	"probe probe=injected outcome=refused answered=2|-packet packet=syn-ack|" \
	"packet origin=injected point=lan-in packet=rst count=2|"                 \
	"packet origin=injected point=tun-out packet=rst count=2|"                \
	"probe probe=own outcome=refused|"
#define HERE                                                                     \
	"config ownAddress|lookup question=forward type=local oif=lo table=255|" \
	"-lookup question=reverse|-lookup question=reverse-bare|-neighbour|"     \
	"-packet point=lan-out|-packet point=lan-in|"                            \
	"packet origin=injected point=host packet=syn toTarget count=2|"

static const struct story list[] = {
	{"port closed", REFUSED, .code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "port=3000"},
	{"port closed, IPv6", REFUSED, .code = CODE_SERVICE_PORT_CLOSED,
		.confidence = CONFIDENCE_CERTAIN, .six = true},
	{"port closed, passively",
		NO_PROBES
		"packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=1 distinct=1|"
		"packet origin=real point=lan-in packet=rst count=1 lladdr=02:00:00:00:01:50|"
		"packet origin=real point=tun-out packet=rst count=1",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_LIKELY, .passive = true},
	{"port closed to the gateway's address, passively",
		NO_PROBES
		"config mode=masquerade configured=masquerade|"
		"packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1|"
		"packet origin=real point=lan-out packet=syn toTarget count=1 distinct=1|"
		"packet origin=real point=lan-in packet=rst count=1 lladdr=02:00:00:00:01:50|"
		"packet origin=real point=tun-out packet=rst count=1",
		.code = CODE_SERVICE_PORT_CLOSED, .confidence = CONFIDENCE_UNDETERMINED,
		.passive = true, .candidate = CODE_NAT_HIDES_SOURCE},
	{"port closed here", HERE REFUSED "socket listening=no", .code = CODE_SERVICE_PORT_CLOSED,
		.confidence = CONFIDENCE_CERTAIN},
	{"bound to loopback", HERE REFUSED "socket listening loopbackOnly",
		.code = CODE_LOCAL_BOUND_LOOPBACK, .confidence = CONFIDENCE_CERTAIN},
	{"backlog full here",
		HERE "probe probe=injected outcome=silent answered=0|-packet packet=syn-ack|"
		     "socket listening reachable backlog=5 queue=6",
		.code = CODE_SERVICE_BACKLOG_FULL, .confidence = CONFIDENCE_CERTAIN},
	{"UDP port closed",
		"probe probe=injected outcome=refused icmpType=3 icmpCode=3|-packet|"
		"packet origin=injected point=tun-in packet=udp toTarget count=2|"
		"packet origin=injected point=lan-out packet=udp toTarget count=2|"
		"icmp origin=injected point=lan-in sender=10.0.1.50 type=3 code=3 "
		"aboutTargetDirection count=2|probe probe=own outcome=refused",
		.code = CODE_SERVICE_UDP_PORT_CLOSED, .confidence = CONFIDENCE_CERTAIN,
		.proto = IPPROTO_UDP},
	{"host firewall",
		DIES_BEYOND "probe probe=injected-other outcome=refused answered=1|"
			    "probe probe=injected-echo outcome=answered answered=1|"
			    "probe probe=own outcome=silent answered=0",
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_SERVICE_BACKLOG_FULL},
	{"host firewall, for all",
		DIES_BEYOND
		"probe probe=own outcome=silent answered=0|probe probe=own-other outcome=silent|"
		"probe probe=own-echo outcome=silent",
		.code = CODE_SERVICE_SILENT_DROP, .confidence = CONFIDENCE_UNDETERMINED},
	{"backlog full, sometimes an answer",
		"probe probe=injected outcome=answered sent=4 answered=1|"
		"probe probe=own outcome=answered sent=4 answered=2",
		.code = CODE_SERVICE_BACKLOG_FULL, .confidence = CONFIDENCE_LIKELY,
		.only_real = true},
	{"backlog full, real packets",
		"packet origin=real point=lan-out packet=ack toTarget count=1 firstUs=100|"
		"packet origin=real point=lan-in packet=syn-ack count=4 distinct=1 lastUs=900|"
		"packet origin=real point=tun-out packet=syn-ack count=4 distinct=1 "
		"source=10.0.1.50",
		.code = CODE_SERVICE_BACKLOG_FULL, .confidence = CONFIDENCE_LIKELY,
		.only_real = true},
	{"no answer", "l7 ask=http outcome=silent|l7 ask=tls outcome=closed",
		.code = CODE_SERVICE_ACCEPTS_NO_ANSWER, .confidence = CONFIDENCE_UNDETERMINED,
		.scheme = SCHEME_HTTP, .candidate = CODE_SERVICE_SLOW, .only_real = true},
	{"closes", "l7 ask=http outcome=closed|l7 ask=tls outcome=closed",
		.code = CODE_SERVICE_CLOSES_EARLY, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTP, .only_real = true},
	{"TLS expected", "l7 ask=http outcome=tls-spoken|l7 ask=tls outcome=ok",
		.code = CODE_SERVICE_EXPECTS_TLS, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTP, .only_real = true},
	{"TLS expected, says so", "l7 ask=http outcome=https-wanted status=400",
		.code = CODE_SERVICE_EXPECTS_TLS, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTP, .only_real = true},
	{"TLS expected, closes", "l7 ask=http outcome=closed|l7 ask=tls outcome=certificate",
		.code = CODE_SERVICE_EXPECTS_TLS, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTP, .only_real = true},
	{"plain text expected", "l7 ask=tls outcome=plain-spoken",
		.code = CODE_SERVICE_EXPECTS_PLAINTEXT, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTPS, .only_real = true},
	{"plain text expected, closes",
		"l7 ask=tls outcome=closed|l7 ask=http outcome=ok status=200",
		.code = CODE_SERVICE_EXPECTS_PLAINTEXT, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTPS, .only_real = true},
	{"certificate", "l7 ask=tls outcome=certificate text='expired'",
		.code = CODE_SERVICE_TLS_CERTIFICATE, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTPS, .attribute = "reason=expired", .only_real = true},
	{"TLS version", "l7 ask=tls outcome=alert alert=70", .code = CODE_SERVICE_TLS_PROTOCOL,
		.confidence = CONFIDENCE_CERTAIN, .scheme = SCHEME_HTTPS, .only_real = true},
	{"slow", "l7 ask=http outcome=ok status=200 firstByteUs=7000000", .code = CODE_SERVICE_SLOW,
		.confidence = CONFIDENCE_LIKELY, .scheme = SCHEME_HTTP, .only_real = true},
	{"the resolver does not answer",
		NO_PROBES "l7 ask=dns outcome=resolver text='Temporary failure in name resolution'",
		.code = CODE_NAME_NOT_RESOLVED, .confidence = CONFIDENCE_LIKELY,
		.scheme = SCHEME_HTTP, .attribute = "by=resolver", .only_real = true},
	{"no such name", NO_PROBES "l7 ask=dns outcome=name text=NXDOMAIN",
		.code = CODE_NAME_NOT_RESOLVED, .confidence = CONFIDENCE_CERTAIN,
		.scheme = SCHEME_HTTP, .only_real = true},
};
const struct stories stories_service = {list, sizeof(list) / sizeof(list[0])};
