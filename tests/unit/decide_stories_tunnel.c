/* SPDX-License-Identifier: Apache-2.0 */
#include "decide_stories.h"

/* The gateway's own tunnel. What is injected enters behind it and is answered: that callers are
 * away its conditions alone tell, so that each story is only_real. */
#define OF_TUNNEL(what) "+condition code=tunnel-" what " subject=CloudflareWARP message=why|"
#define OF_EDGE(what) "+condition code=tunnel-" what " subject=192.0.2.1:443 message=why|"
#define NO_SOCKET "+condition code=tunnel-no-socket subject=[::]:443 message=why|"
#define NOT_BEGUN(subject) "+condition code=tunnel-not-begun subject=" subject " message=why|"
#define NO_KEY "+condition code=tunnel-file-unusable subject=/k message=why|"
#define NO_EDGE OF_TUNNEL("disconnected")

#define STORY(...) {.only_real = true, __VA_ARGS__}
#define WHY(text, what, found, sure)                                                        \
	STORY(.name = "own tunnel: " text, .facts = NO_EDGE OF_EDGE(what), .code = (found), \
		.confidence = (sure), .attribute = "subject=192.0.2.1:443")

static const struct story list[] = {
	WHY("the edge does not answer", "edge-unreached", CODE_TUNNEL_EDGE_UNREACHED,
		CONFIDENCE_CERTAIN),
	WHY("the edge has another key", "edge-untrusted", CODE_TUNNEL_EDGE_UNTRUSTED,
		CONFIDENCE_CERTAIN),
	WHY("the edge's certificate has expired", "edge-certificate", CODE_TUNNEL_EDGE_CERTIFICATE,
		CONFIDENCE_CERTAIN),
	WHY("the edge refuses the certificate", "certificate-refused",
		CODE_TUNNEL_CERTIFICATE_REFUSED, CONFIDENCE_CERTAIN),
	WHY("the edge refuses the request", "request-refused", CODE_TUNNEL_REQUEST_REFUSED,
		CONFIDENCE_CERTAIN),
	WHY("the way to the edge is narrow", "path-narrow", CODE_TUNNEL_PATH_NARROW,
		CONFIDENCE_CERTAIN),
	WHY("the edge broke the protocol", "peer-breach", CODE_TUNNEL_PEER_BREACH,
		CONFIDENCE_LIKELY),
	WHY("the edge is deaf", "peer-deaf", CODE_TUNNEL_PEER_DEAF, CONFIDENCE_LIKELY),
	/* Its connection stands for a while. */
	STORY(.name = "own tunnel: nothing is heard of the edge",
		.facts = "config tunnel=connector|" OF_EDGE("peer-silent"),
		.code = CODE_TUNNEL_PEER_SILENT, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: nothing is heard of the edge, nor when it is dialled",
		.facts = "config tunnel=connector|" OF_EDGE("peer-silent")
			OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: the edge is heard again",
		.facts =
			"config tunnel=connector|packet origin=real point=tun-in packet=syn toTarget "
			"count=1 distinct=1|" OF_EDGE("peer-silent") OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_UNDETERMINED,
		.candidate = CODE_HEALTHY),
	STORY(.name = "own tunnel: a node is silent, of several",
		.facts = "config tunnel=edge|" OF_EDGE("peer-silent"), .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own tunnel: no edge, and nobody knows why", .facts = NO_EDGE,
		.code = CODE_TUNNEL_DISCONNECTED, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "subject=CloudflareWARP"),
	STORY(.name = "own tunnel: its program does not run",
		.facts = OF_TUNNEL("not-attached") OF_EDGE("peer-breach"),
		.code = CODE_TUNNEL_NOT_ATTACHED, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: its program has died, and answers fill its queue",
		.facts = "packet origin=real point=tun-in packet=syn toTarget count=4 distinct=1|"
			 "drop origin=real reason=FULL_RING function=tun_net_xmit "
			 "interface=CloudflareWARP count=4|"
			 "counter name=CloudflareWARP.tx_dropped delta=4|" OF_TUNNEL(
				 "not-attached"),
		.code = CODE_TUNNEL_NOT_ATTACHED, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own tunnel: no key", .facts = NOT_BEGUN("/k") NO_KEY,
		.code = CODE_TUNNEL_FILE_UNUSABLE, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: its interface cannot be made",
		.facts = DIES_INSIDE
		"-packet point=tun-in|link role=mesh exists=no up=no carrier=no|" OF_TUNNEL(
			"not-begun") OF_TUNNEL("no-interface"),
		.code = CODE_TUNNEL_NO_INTERFACE, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: its interface is another program's",
		.facts = OF_TUNNEL("not-begun") OF_TUNNEL("no-interface"),
		.code = CODE_TUNNEL_NO_INTERFACE, .confidence = CONFIDENCE_CERTAIN,
		.attribute = "subject=CloudflareWARP"),
	STORY(.name = "own tunnel: its interface lacks something, and it carries",
		.facts = "config tunnel=connector|" OF_TUNNEL("no-interface"), .code = CODE_HEALTHY,
		.confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own tunnel: another program has its port",
		.facts = NOT_BEGUN("[::]:443") NO_SOCKET, .code = CODE_TUNNEL_NO_SOCKET,
		.confidence = CONFIDENCE_CERTAIN, .attribute = "subject=[::]:443"),
	STORY(.name = "own tunnel: no socket, and so no edge",
		.facts = NOT_BEGUN("[::]:443") NO_EDGE NO_SOCKET, .code = CODE_TUNNEL_NO_SOCKET,
		.confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: one socket of two", .facts = "config tunnel=edge|" NO_SOCKET,
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own tunnel: one socket of two, and no key",
		.facts = NOT_BEGUN("/k") NO_SOCKET NO_KEY, .code = CODE_TUNNEL_FILE_UNUSABLE,
		.confidence = CONFIDENCE_CERTAIN, .attribute = "subject=/k"),
	STORY(.name = "own tunnel: one socket of two, and why it does not begin nobody knows",
		.facts = NOT_BEGUN("meshgw-tunnel") NO_SOCKET, .code = CODE_TUNNEL_NOT_BEGUN,
		.confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: one socket of two, and by the other no edge is reached",
		.facts = NO_EDGE NO_SOCKET OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: it cannot begin, and nobody knows why",
		.facts = OF_TUNNEL("not-begun") OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_NOT_BEGUN, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: it goes on with the key that it had",
		.facts = "config tunnel=connector|" OF_TUNNEL("file-unusable"),
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own tunnel: it would go on with the key that it had",
		.facts = NO_EDGE OF_TUNNEL("file-unusable") OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: no address",
		.facts = OF_TUNNEL("no-address") OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_NO_ADDRESS, .confidence = CONFIDENCE_CERTAIN),
	STORY(.name = "own tunnel: no edge, IPv6", .facts = NO_EDGE OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_CERTAIN, .six = true),
	/* Entries of callers outlive it. */
	STORY(.name = "own tunnel: no edge, passively",
		.facts = NO_PROBES
		"packet origin=real point=tun-in packet=other toTarget count=0|"
		"conntrack origin=real seenReply assured state=ESTABLISHED|" NO_EDGE OF_EDGE(
			"edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_CERTAIN,
		.passive = true),
	STORY(.name = "own tunnel: it went away while callers were seen",
		.facts =
			"packet origin=real point=tun-in packet=syn toTarget count=1 distinct=1|" NO_EDGE
				OF_EDGE("edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_LIKELY),
	STORY(.name = "own tunnel: no edge, and not forwarding",
		.facts = DIES_INSIDE
		"sysctl key=net.ipv4.ip_forward value=0|"
		"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=0|"
		"sysctl key=net.ipv4.conf.eth0.forwarding value=0|"
		"lookup question=forward error=113 oif='' type='' entry=no|"
		"lookup question=reverse error=113 oif='' type='' entry=no|" NO_EDGE OF_EDGE(
			"edge-unreached"),
		.code = CODE_TUNNEL_EDGE_UNREACHED, .confidence = CONFIDENCE_CERTAIN,
		.next = CODE_FORWARDING_DISABLED),
	STORY(.name = "own tunnel: its interface is gone",
		.facts = DIES_INSIDE
		"-packet point=tun-in|link role=mesh exists=no up=no carrier=no|" NO_EDGE,
		.code = CODE_TUNNEL_INTERFACE_MISSING, .confidence = CONFIDENCE_CERTAIN),
	/* One edge of two, and what others do to a tunnel that carries. */
	STORY(.name = "own tunnel: another edge carries",
		.facts = OF_EDGE("edge-unreached") OF_EDGE("peer-breach") OF_EDGE("path-lossy")
			OF_TUNNEL("flooded"),
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_LIKELY),
	/* What this host sends itself does not need it. */
	STORY(.name = "own: the tunnel has no edge",
		.facts = NO_INJECTION "-packet|" NO_EDGE OF_EDGE("edge-unreached"),
		.code = CODE_HEALTHY, .confidence = CONFIDENCE_CERTAIN, .outgoing = true),
};
const struct stories stories_tunnel = {list, sizeof(list) / sizeof(list[0])};
