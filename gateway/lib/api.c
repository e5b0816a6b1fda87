/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/api.h"

/* The macros of sd-varlink-idl.h name the symbols vl_…; they stay inside this file. */
#define FIELD SD_VARLINK_DEFINE_FIELD
#define FIELD_OF SD_VARLINK_DEFINE_FIELD_BY_TYPE
#define INPUT SD_VARLINK_DEFINE_INPUT
#define INPUT_OF SD_VARLINK_DEFINE_INPUT_BY_TYPE
#define OUTPUT SD_VARLINK_DEFINE_OUTPUT
#define OUTPUT_OF SD_VARLINK_DEFINE_OUTPUT_BY_TYPE
#define NOTE SD_VARLINK_FIELD_COMMENT

static SD_VARLINK_DEFINE_STRUCT_TYPE(Diagnostic,
	NOTE("Name of the configuration, as the caller gave it"), FIELD(file, SD_VARLINK_STRING, 0),
	NOTE("Position, counted from 1; 0 where there is none"), FIELD(line, SD_VARLINK_INT, 0),
	FIELD(column, SD_VARLINK_INT, 0),
	NOTE("Path of the key, such as lan[0].networks[2].prefix"),
	FIELD(path, SD_VARLINK_STRING, 0), FIELD(message, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Change, NOTE("add or delete"),
	FIELD(action, SD_VARLINK_STRING, 0), NOTE("interface, range, network, host or allow"),
	FIELD(kind, SD_VARLINK_STRING, 0), FIELD(text, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Operation, NOTE("add, set or delete"),
	FIELD(action, SD_VARLINK_STRING, 0),
	NOTE("nft, sysctl, route, remedy, frr, proof, watch, bridge or tunnel; of Fix also rule, conntrack"),
	FIELD(kind, SD_VARLINK_STRING, 0), FIELD(name, SD_VARLINK_STRING, 0),
	FIELD(detail, SD_VARLINK_STRING, 0),
	NOTE("Of all but sysctl, route, remedy and frr: what the new configuration says otherwise; null: nothing"),
	FIELD_OF(changes, Change, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Object, FIELD(kind, SD_VARLINK_STRING, 0),
	FIELD(name, SD_VARLINK_STRING, 0), FIELD(wanted, SD_VARLINK_STRING, 0),
	NOTE("installed, waiting, failed or contested"), FIELD(state, SD_VARLINK_STRING, 0),
	NOTE("The kernel's reason, when it is not installed"),
	FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Condition, NOTE("Stable kebab-case code"),
	FIELD(code, SD_VARLINK_STRING, 0), NOTE("info, warning or error"),
	FIELD(severity, SD_VARLINK_STRING, 0), FIELD(subject, SD_VARLINK_STRING, 0),
	FIELD(message, SD_VARLINK_STRING, 0), NOTE("CLOCK_REALTIME, microseconds"),
	FIELD(since, SD_VARLINK_INT, 0), FIELD(remedy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Code of a condition that stands and of which this one is a consequence"),
	FIELD(dependsOn, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Witness, FIELD(address, SD_VARLINK_STRING, 0),
	FIELD(port, SD_VARLINK_INT, 0), NOTE("configured, learned or neighbor"),
	FIELD(origin, SD_VARLINK_STRING, 0),
	NOTE("What came of the last probe from the gateway's own address: answered, refused, "
	     "refused-by-router, silent, astray, filtered-locally, failed or unasked; bgp-session: a "
	     "neighbour is not asked so"),
	FIELD(own, SD_VARLINK_STRING, 0), NOTE("The same, from the mesh range"),
	FIELD(range, SD_VARLINK_STRING, 0), NOTE("null: never asked"),
	FIELD(askedSecondsAgo, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("When it last answered the mesh range; null: never"),
	FIELD(answeredSecondsAgo, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("Is it one of the site's routers, whose answers prove little?"),
	FIELD(router, SD_VARLINK_BOOL, 0),
	NOTE("Is this host masqueraded whatever its network is?"),
	FIELD(masqueraded, SD_VARLINK_BOOL, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Proof,
	NOTE("proven, unproven, lost, or adopted: as it was found when the daemon started"),
	FIELD(state, SD_VARLINK_STRING, 0), FIELD(why, SD_VARLINK_STRING, 0),
	NOTE("Since the last switch; null: none since the daemon's start"),
	FIELD(sinceSeconds, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("Rounds of probes since the daemon's start"), FIELD(rounds, SD_VARLINK_INT, 0),
	NOTE("What the last one said: good, open, weak, bad, silent, filtered or nothing"),
	FIELD(lastRound, SD_VARLINK_STRING, 0), NOTE("Good ones in a row"),
	FIELD(inARow, SD_VARLINK_INT, 0), FIELD_OF(witnesses, Witness, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Network, FIELD(prefix, SD_VARLINK_STRING, 0),
	FIELD(interface, SD_VARLINK_STRING, 0), NOTE("auto, route or masquerade, as configured"),
	FIELD(configured, SD_VARLINK_STRING, 0), NOTE("route or masquerade, as it is now"),
	FIELD(effective, SD_VARLINK_STRING, 0), NOTE("Of a network in mode auto"),
	FIELD_OF(proof, Proof, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Range,
	NOTE("workers, devices, load_balancers, resolved or sites"),
	FIELD(class, SD_VARLINK_STRING, 0), FIELD(prefix, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Counter, FIELD(name, SD_VARLINK_STRING, 0),
	NOTE("Of masqueraded: flows, each counted by its first packet"),
	FIELD(packets, SD_VARLINK_INT, 0), FIELD(bytes, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Pending, NOTE("Seconds until the change is rolled back"),
	FIELD(remainingSeconds, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Neighbor, FIELD(address, SD_VARLINK_STRING, 0),
	NOTE("A number, external or internal, as configured"),
	FIELD(remoteAs, SD_VARLINK_STRING, 0),
	NOTE("Of the session, in FRR's words (Established, Active, Idle ...), or unknown"),
	FIELD(state, SD_VARLINK_STRING, 0), NOTE("Of an established session"),
	FIELD(uptimeSeconds, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("How many of the ranges and sites it was sent"), FIELD(announced, SD_VARLINK_INT, 0),
	NOTE("How many prefixes were taken from it"), FIELD(accepted, SD_VARLINK_INT, 0),
	NOTE("Why there is no session, where that is known"),
	FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Announcement, FIELD(prefix, SD_VARLINK_STRING, 0),
	NOTE("Of FRR's static route: ours, foreign or missing"),
	FIELD(static, SD_VARLINK_STRING, 0), NOTE("Is it in FRR's BGP table because of us?"),
	FIELD(announced, SD_VARLINK_BOOL, 0), NOTE("Why not"),
	FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Bgp, FIELD(asn, SD_VARLINK_INT, 0),
	NOTE("Is it in FRR as configured? yes, waiting, working, failed or contested"),
	FIELD(state, SD_VARLINK_STRING, 0), FIELD_OF(neighbors, Neighbor, SD_VARLINK_ARRAY),
	FIELD_OF(announcements, Announcement, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Flow, NOTE("Such as tcp 10.0.1.50:3000"),
	FIELD(target, SD_VARLINK_STRING, 0), NOTE("A code of meshgw-codes(7)"),
	FIELD(code, SD_VARLINK_STRING, 0), FIELD(confidence, SD_VARLINK_STRING, 0),
	FIELD(summary, SD_VARLINK_STRING, 0), NOTE("Flows that ended so"),
	FIELD(count, SD_VARLINK_INT, 0), NOTE("CLOCK_REALTIME, microseconds"),
	FIELD(firstSeen, SD_VARLINK_INT, 0), FIELD(lastSeen, SD_VARLINK_INT, 0),
	NOTE("Whose flow the last one was"), FIELD(client, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(BridgeListener, FIELD(address, SD_VARLINK_STRING, 0),
	FIELD(port, SD_VARLINK_INT, 0),
	NOTE("Of the descriptors that came with the reply; null: of GetStatus"),
	FIELD(fd, SD_VARLINK_INT, SD_VARLINK_NULLABLE), NOTE("Why nothing listens there"),
	FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Bridge,
	NOTE("Has meshgw-bridge fetched its configuration, and does it wait for the next?"),
	FIELD(attached, SD_VARLINK_BOOL, 0), NOTE("Of what it was told last"),
	FIELD(generation, SD_VARLINK_INT, 0),
	NOTE("The last one that it said it serves; null: none yet"),
	FIELD(served, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("Why it refused one after that; null: it did not"),
	FIELD(refusal, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), FIELD(routes, SD_VARLINK_INT, 0),
	FIELD_OF(listeners, BridgeListener, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelSocket, FIELD(address, SD_VARLINK_STRING, 0),
	NOTE("As configured; 0: the kernel's choice"), FIELD(port, SD_VARLINK_INT, 0),
	NOTE("Of the descriptors that came with the reply; null: of GetStatus"),
	FIELD(fd, SD_VARLINK_INT, SD_VARLINK_NULLABLE), NOTE("Why it is not open"),
	FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelPeer, FIELD(address, SD_VARLINK_STRING, 0),
	NOTE("connecting; active or standby: of its node's replicas"),
	FIELD(state, SD_VARLINK_STRING, 0), NOTE("Its name, if it has one"),
	FIELD(node, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	FIELD(replica, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("Of the key exchange"),
	FIELD(group, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	FIELD(cipher, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("Since the handshake"),
	FIELD(seconds, SD_VARLINK_INT, 0), FIELD(rttUs, SD_VARLINK_INT, 0), NOTE("QUIC packets"),
	FIELD(lost, SD_VARLINK_INT, 0),
	NOTE("Bytes of the largest QUIC datagram that the path carries"),
	FIELD(payload, SD_VARLINK_INT, 0), NOTE("From the peer"),
	FIELD(packetsIn, SD_VARLINK_INT, 0), FIELD(packetsOut, SD_VARLINK_INT, 0),
	FIELD(dropped, SD_VARLINK_INT, 0),
	NOTE("Of the dropped: from an address that is not the peer's"),
	FIELD(badSource, SD_VARLINK_INT, 0), NOTE("The dropped by their reason"),
	FIELD(dropsIn, SD_VARLINK_INT, SD_VARLINK_NULLABLE | SD_VARLINK_MAP),
	FIELD(dropsOut, SD_VARLINK_INT, SD_VARLINK_NULLABLE | SD_VARLINK_MAP));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelReplica, FIELD(name, SD_VARLINK_STRING, 0),
	NOTE("By which it is known"), FIELD(pins, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	NOTE("active, standby or offline"), FIELD(state, SD_VARLINK_STRING, 0),
	NOTE("Since it came, or went; null: it was never there"),
	FIELD(seconds, SD_VARLINK_INT, SD_VARLINK_NULLABLE), NOTE("null: offline"),
	FIELD_OF(peer, TunnelPeer, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelWay, FIELD(packets, SD_VARLINK_INT, 0),
	FIELD(bytes, SD_VARLINK_INT, 0), NOTE("Packets that were dropped for the node's limits"),
	FIELD(limited, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelNode, FIELD(name, SD_VARLINK_STRING, 0),
	NOTE("automatic or manual"), FIELD(promotion, SD_VARLINK_STRING, 0),
	NOTE("As configured, and of the pool"),
	FIELD(addresses, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	FIELD(routes, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	NOTE("A second in each direction; null: no limit"),
	FIELD(packetsLimit, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	FIELD(bytesLimit, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("The replica that carries its traffic; null: none"),
	FIELD(active, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("first, lost, promoted, renewed, removed or silent; null: none ever was"),
	FIELD(why, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("Since that change"),
	FIELD(seconds, SD_VARLINK_INT, SD_VARLINK_NULLABLE), NOTE("Since the tunnel's start"),
	FIELD(changes, SD_VARLINK_INT, 0), NOTE("From the node"), FIELD_OF(in, TunnelWay, 0),
	FIELD_OF(out, TunnelWay, 0),
	NOTE("Packets from another node's address, which were dropped"),
	FIELD(foreignSource, SD_VARLINK_INT, 0),
	FIELD_OF(replicas, TunnelReplica, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelLimits, FIELD(connections, SD_VARLINK_INT, 0),
	NOTE("A second, of a /24 or a /56"), FIELD(handshakes, SD_VARLINK_INT, 0),
	FIELD(unauthenticated, SD_VARLINK_INT, 0), FIELD(retryAbove, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelEdge, FIELD(pool, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	NOTE("Nodes for which the pool has none left"), FIELD(withoutAddress, SD_VARLINK_INT, 0),
	FIELD_OF(limits, TunnelLimits, 0), FIELD_OF(nodes, TunnelNode, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelDial, NOTE("dialing, asked, open or pause"),
	FIELD(state, SD_VARLINK_STRING, 0), FIELD(edge, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Why the last connection ended, or came not about; null: nothing was wrong"),
	FIELD(error, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("Until the next attempt"),
	FIELD(pauseMs, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	TunnelRefusal, FIELD(prefix, SD_VARLINK_STRING, 0), FIELD(reason, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelWish, NOTE("No two are the same"),
	FIELD(id, SD_VARLINK_INT, 0), FIELD(node, SD_VARLINK_STRING, 0),
	FIELD(replica, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(TunnelPromoted, FIELD(id, SD_VARLINK_INT, 0),
	NOTE("done, active, offline, unknown or role"), FIELD(result, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Tunnel, NOTE("connector or edge"),
	FIELD(role, SD_VARLINK_STRING, 0),
	NOTE("Has meshgw-tunnel fetched its configuration, and does it wait for the next?"),
	FIELD(attached, SD_VARLINK_BOOL, 0), NOTE("Of what it was told last"),
	FIELD(generation, SD_VARLINK_INT, 0), NOTE("On the mesh interface"),
	FIELD(addresses, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	NOTE("Of a connector: what of the edge's routes is in force"),
	FIELD(routes, SD_VARLINK_STRING, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY),
	NOTE("The first of what the edge proposes and the configuration does not allow"),
	FIELD_OF(refused, TunnelRefusal, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY),
	FIELD_OF(sockets, TunnelSocket, SD_VARLINK_ARRAY), NOTE("Of a connector"),
	FIELD_OF(dial, TunnelDial, SD_VARLINK_NULLABLE),
	FIELD_OF(peers, TunnelPeer, SD_VARLINK_ARRAY),
	NOTE("So many more are not shown; null: that are all"),
	FIELD(peersMore, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("null: this host is a connector"), FIELD_OF(edge, TunnelEdge, SD_VARLINK_NULLABLE),
	NOTE("Since the tunnel's start; gateway/tunnel/README.md"),
	FIELD(counters, SD_VARLINK_INT, SD_VARLINK_NULLABLE | SD_VARLINK_MAP));

static SD_VARLINK_DEFINE_METHOD(GetStatus, OUTPUT(version, SD_VARLINK_STRING, 0),
	NOTE("up, down or unconfigured"), OUTPUT(phase, SD_VARLINK_STRING, 0),
	NOTE("CLOCK_REALTIME, microseconds: when meshgw was taken down"),
	OUTPUT(downSince, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	OUTPUT(meshInterface, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	OUTPUT_OF(ranges, Range, SD_VARLINK_ARRAY), OUTPUT_OF(networks, Network, SD_VARLINK_ARRAY),
	OUTPUT_OF(objects, Object, SD_VARLINK_ARRAY),
	OUTPUT_OF(conditions, Condition, SD_VARLINK_ARRAY),
	OUTPUT_OF(counters, Counter, SD_VARLINK_ARRAY),
	OUTPUT_OF(pending, Pending, SD_VARLINK_NULLABLE), NOTE("Repairs since the daemon's start"),
	OUTPUT(repairs, SD_VARLINK_INT, 0), NOTE("null: not configured"),
	OUTPUT_OF(bgp, Bgp, SD_VARLINK_NULLABLE),
	NOTE("What watching knows of flows that failed; null: not watching"),
	OUTPUT_OF(flows, Flow, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY),
	NOTE("null: not configured"), OUTPUT_OF(bridge, Bridge, SD_VARLINK_NULLABLE),
	NOTE("null: not configured"), OUTPUT_OF(tunnel, Tunnel, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(Plan, NOTE("Configuration text; null: the one that runs"),
	INPUT(content, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Name for diagnostics, shown only"),
	INPUT(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("What taking down would change, instead"),
	INPUT(down, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
	OUTPUT_OF(operations, Operation, SD_VARLINK_ARRAY),
	NOTE("What FRR would not be as wanted for; null: nothing"),
	OUTPUT_OF(conditions, Condition, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(Apply, INPUT(content, SD_VARLINK_STRING, 0),
	INPUT(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Roll back after so many seconds without Confirm, 1 to 86400; null: keep at once"),
	INPUT(confirmSeconds, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	OUTPUT_OF(operations, Operation, SD_VARLINK_ARRAY),
	OUTPUT_OF(pending, Pending, SD_VARLINK_NULLABLE),
	NOTE("What FRR did not take, or is not as wanted for; null: nothing"),
	OUTPUT_OF(conditions, Condition, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(Confirm);

static SD_VARLINK_DEFINE_METHOD(Undo, OUTPUT_OF(operations, Operation, SD_VARLINK_ARRAY),
	OUTPUT_OF(conditions, Condition, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(Down, OUTPUT_OF(operations, Operation, SD_VARLINK_ARRAY),
	OUTPUT_OF(conditions, Condition, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Check, FIELD(name, SD_VARLINK_STRING, 0),
	FIELD(title, SD_VARLINK_STRING, 0), NOTE("pass, warn, fail or skip"),
	FIELD(result, SD_VARLINK_STRING, 0), FIELD(reason, SD_VARLINK_STRING, 0),
	NOTE("What meshgw-codes(7) says more of"),
	FIELD(code, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	FIELD(remedy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(Diagnose,
	NOTE("ADDRESS:PORT, udp://ADDRESS:PORT, icmp://ADDRESS or http(s)://HOST[:PORT]/PATH"),
	INPUT(target, SD_VARLINK_STRING, 0),
	NOTE("Whose flow: workers (null), devices, or an address of the mesh"),
	INPUT(from, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("Send nothing, only look"),
	INPUT(passive, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
	NOTE("Hard limit, 500 to 60000; null: 10000"),
	INPUT(timeoutMs, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("id, code, class, confidence, candidates, attributes, point, summary, evidence, "
	     "consequences, next, remedy"),
	OUTPUT(verdict, SD_VARLINK_OBJECT, 0),
	NOTE("The evidence as it was recorded; the verdict can be made from it again"),
	OUTPUT(record, SD_VARLINK_OBJECT, 0));

static SD_VARLINK_DEFINE_METHOD(
	Recall, OUTPUT(verdict, SD_VARLINK_OBJECT, 0), OUTPUT(record, SD_VARLINK_OBJECT, 0));

static SD_VARLINK_DEFINE_METHOD(Doctor, OUTPUT_OF(checks, Check, SD_VARLINK_ARRAY),
	NOTE("The evidence as it was recorded"), OUTPUT(record, SD_VARLINK_OBJECT, 0));

static SD_VARLINK_DEFINE_METHOD(Fix, NOTE("A code of meshgw-codes(7), or leftovers"),
	INPUT(code, SD_VARLINK_STRING, 0),
	NOTE("As for Diagnose, where the repair is one of a flow's way"),
	INPUT(target, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("true: only say what would be done"), INPUT(preview, SD_VARLINK_BOOL, 0),
	NOTE("That of the preview, which nothing else is done than; null: for a preview"),
	INPUT(digest, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	OUTPUT_OF(operations, Operation, SD_VARLINK_ARRAY),
	NOTE("Of the diagnosis and these operations"), OUTPUT(digest, SD_VARLINK_STRING, 0),
	NOTE("What is left to the operator: shell commands that meshgw does not run; null: nothing"),
	OUTPUT(commands, SD_VARLINK_STRING, SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(Follow, SD_VARLINK_REQUIRES_MORE,
	NOTE("First what is known, then each one that changes"), OUTPUT_OF(flow, Flow, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(BridgeAttach, SD_VARLINK_SUPPORTS_MORE,
	NOTE("Grows by one with each reply that differs from the last"),
	OUTPUT(generation, SD_VARLINK_INT, 0),
	NOTE("Its part of the configuration, secrets included; null: there is nothing to serve"),
	OUTPUT(bridge, SD_VARLINK_OBJECT, SD_VARLINK_NULLABLE),
	NOTE("All sockets that are to be accepted from, instead of those of the reply before"),
	OUTPUT_OF(listeners, BridgeListener, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(BridgeReport, NOTE("Of the reply of BridgeAttach that it is about"),
	INPUT(generation, SD_VARLINK_INT, 0),
	NOTE("Why nothing of it is served; null: it is served"),
	INPUT(refusal, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(DiagnoseTarget,
	NOTE("HOST:PORT, an upstream of the configuration or one of bridge.diagnose.targets; with "
	     "from, an upstream as SCHEME://HOST:PORT"),
	INPUT(target, SD_VARLINK_STRING, 0),
	NOTE("gateway: the way of the bridge itself, which is tried; null: that of Workers"),
	INPUT(from, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Hard limit, 500 to 10000; null: 3000"),
	INPUT(deadlineMs, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("Probes may be sent; null: only look"),
	INPUT(active, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE), NOTE("As of Diagnose"),
	OUTPUT(verdict, SD_VARLINK_OBJECT, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(TunnelAttach, SD_VARLINK_SUPPORTS_MORE,
	NOTE("Grows by one with each reply that differs from the last in more than filters"),
	OUTPUT(generation, SD_VARLINK_INT, 0),
	NOTE("Its part of the configuration, secrets included; null: there is nothing to do"),
	OUTPUT(tunnel, SD_VARLINK_OBJECT, SD_VARLINK_NULLABLE),
	NOTE("The TUN device, of the descriptors that came with the reply"),
	OUTPUT(tun, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("All sockets, instead of those of the reply before"),
	OUTPUT_OF(sockets, TunnelSocket, SD_VARLINK_ARRAY),
	NOTE("Of an edge: memory that outlives the process, of the descriptors as well"),
	OUTPUT(memory, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("How often this host's packet filter has changed"), OUTPUT(filters, SD_VARLINK_INT, 0),
	NOTE("To be done once, and answered by TunnelReport"),
	OUTPUT_OF(promote, TunnelWish, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(EdgePromote, INPUT(node, SD_VARLINK_STRING, 0),
	INPUT(replica, SD_VARLINK_STRING, 0), OUTPUT(active, SD_VARLINK_STRING, 0),
	NOTE("null: none was"), OUTPUT(before, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(TunnelPropose, NOTE("That it was told"),
	INPUT(generation, SD_VARLINK_INT, 0),
	NOTE("All that the edge assigns and advertises at this time, as prefixes"),
	INPUT(addresses, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	INPUT(routes, SD_VARLINK_STRING, SD_VARLINK_ARRAY), NOTE("What is in force from now on"),
	OUTPUT(addresses, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	OUTPUT(routes, SD_VARLINK_STRING, SD_VARLINK_ARRAY), NOTE("The first of what is not"),
	OUTPUT_OF(refused, TunnelRefusal, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(TunnelResolve,
	NOTE("Of a host: labels of letters, digits, hyphens and underscores, of which the last is no "
	     "number"),
	INPUT(name, SD_VARLINK_STRING, 0), OUTPUT(addresses, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	NOTE("Why there is none: no-address, failed, late, busy; null: there are some"),
	OUTPUT(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("The same for people"),
	OUTPUT(message, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(TunnelReport, NOTE("That it was told"),
	INPUT(generation, SD_VARLINK_INT, 0),
	NOTE("With all its peers, instead of those reported before; gateway/tunnel/README.md"),
	INPUT(tunnel, SD_VARLINK_OBJECT, 0), NOTE("What became of a promotion"),
	INPUT_OF(promoted, TunnelPromoted, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ERROR(ConfigInvalid, FIELD_OF(diagnostics, Diagnostic, SD_VARLINK_ARRAY),
	NOTE("How many mistakes there are; null: as many as diagnostics"),
	FIELD(total, SD_VARLINK_INT, SD_VARLINK_NULLABLE));
static SD_VARLINK_DEFINE_ERROR(ConfirmPending, FIELD_OF(pending, Pending, 0));
static SD_VARLINK_DEFINE_ERROR(NothingPending);
static SD_VARLINK_DEFINE_ERROR(NothingToUndo);
static SD_VARLINK_DEFINE_ERROR(NotConfigured);
static SD_VARLINK_DEFINE_ERROR(ApplyFailed, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(DownIncomplete, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(TargetInvalid, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NotFixable, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(Busy, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NothingToRecall);
static SD_VARLINK_DEFINE_ERROR(NotWatching, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(TargetNotAllowed);
static SD_VARLINK_DEFINE_ERROR(NoVerdict, FIELD(message, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NotEdge);
static SD_VARLINK_DEFINE_ERROR(NotPromoted,
	NOTE("unknown-node, unknown-replica, offline, active, no-tunnel, no-answer or unknown"),
	FIELD(reason, SD_VARLINK_STRING, 0), FIELD(message, SD_VARLINK_STRING, 0));

#define SAYS SD_VARLINK_SYMBOL_COMMENT

const sd_varlink_interface api_interface = {
	.name = API_INTERFACE,
	.symbols =
		{
			SD_VARLINK_INTERFACE_COMMENT(
				"The gateway between a mesh tunnel and private networks"),
			SAYS("One mistake in a configuration"),
			&vl_type_Diagnostic,
			SAYS("A statement of the configuration that comes or goes"),
			&vl_type_Change,
			SAYS("One change to the kernel's state"),
			&vl_type_Operation,
			SAYS("A wanted object and what became of it"),
			&vl_type_Object,
			SAYS("Something that is not as it should be"),
			&vl_type_Condition,
			SAYS("A service that is asked whether its answers find their way back"),
			&vl_type_Witness,
			SAYS("Whether answers to the mesh range find their way back, and why so"),
			&vl_type_Proof,
			&vl_type_Network,
			&vl_type_Range,
			&vl_type_Counter,
			&vl_type_Pending,
			SAYS("A BGP neighbour of the configuration"),
			&vl_type_Neighbor,
			SAYS("A range or site as BGP announces it"),
			&vl_type_Announcement,
			SAYS("FRRouting, as far as meshgw uses it"),
			&vl_type_Bgp,
			SAYS("One check of this node, without a target"),
			&vl_type_Check,
			SAYS("Flows to one target that ended in the same way"),
			&vl_type_Flow,
			SAYS("Where the HTTP bridge listens"),
			&vl_type_BridgeListener,
			SAYS("The HTTP bridge"),
			&vl_type_Bridge,
			SAYS("A UDP socket of the tunnel"),
			&vl_type_TunnelSocket,
			SAYS("One end that the tunnel has to do with"),
			&vl_type_TunnelPeer,
			SAYS("What an edge proposed and the configuration does not allow"),
			&vl_type_TunnelRefusal,
			SAYS("One of those that can carry a node's traffic"),
			&vl_type_TunnelReplica,
			SAYS("Traffic in one direction"),
			&vl_type_TunnelWay,
			SAYS("A node of an edge"),
			&vl_type_TunnelNode,
			SAYS("What strangers may use up"),
			&vl_type_TunnelLimits,
			SAYS("An edge, and its nodes"),
			&vl_type_TunnelEdge,
			SAYS("How a connector fares"),
			&vl_type_TunnelDial,
			SAYS("The gateway's own tunnel"),
			&vl_type_Tunnel,
			SAYS("Another replica is to be the active one of its node"),
			&vl_type_TunnelWish,
			SAYS("What came of it"),
			&vl_type_TunnelPromoted,
			SAYS("What runs, what is wanted, what is wrong"),
			&vl_method_GetStatus,
			SAYS("The changes that an Apply would make, without making them"),
			&vl_method_Plan,
			SAYS("Takes over a configuration"),
			&vl_method_Apply,
			SAYS("Keeps a pending configuration"),
			&vl_method_Confirm,
			SAYS("Back to the configuration before this one, also while one is pending"),
			&vl_method_Undo,
			SAYS("Removes everything of ours from the kernel until the next Apply"),
			&vl_method_Down,
			SAYS("Why does a flow of the mesh not complete?"),
			&vl_method_Diagnose,
			SAYS("The last verdict of Diagnose, and its evidence"),
			&vl_method_Recall,
			SAYS("Is this node as it should be?"),
			&vl_method_Doctor,
			SAYS("Repairs what a verdict names, where meshgw knows how"),
			&vl_method_Fix,
			SAYS("Flows of the mesh that fail, as they do"),
			&vl_method_Follow,
			SAYS("Makes a replica the active one of its node"),
			&vl_method_EdgePromote,
			SAYS("What the HTTP bridge is to do; with more, each time that changes"),
			&vl_method_BridgeAttach,
			SAYS("What the HTTP bridge did with it"),
			&vl_method_BridgeReport,
			SAYS("Why does an upstream not answer? From what is known, kept for some seconds"),
			&vl_method_DiagnoseTarget,
			SAYS("What the tunnel is to do; with more, each time that changes"),
			&vl_method_TunnelAttach,
			SAYS("What the edge would like this host to have; judged by the configuration"),
			&vl_method_TunnelPropose,
			SAYS("The addresses of a name that a client of the edge wants to reach"),
			&vl_method_TunnelResolve,
			SAYS("How the tunnel fares"),
			&vl_method_TunnelReport,
			SAYS("The configuration has mistakes; nothing was changed"),
			&vl_error_ConfigInvalid,
			SAYS("Another change waits for its confirmation"),
			&vl_error_ConfirmPending,
			&vl_error_NothingPending,
			&vl_error_NothingToUndo,
			SAYS("There is no configuration to plan"),
			&vl_error_NotConfigured,
			SAYS("The kernel refused; the configuration before is back in place"),
			&vl_error_ApplyFailed,
			SAYS("Something of ours could not be removed"),
			&vl_error_DownIncomplete,
			SAYS("What was asked for is no target of a diagnosis"),
			&vl_error_TargetInvalid,
			SAYS("There is no repair for this code here"),
			&vl_error_NotFixable,
			SAYS("Too many diagnoses are under way; try again in a moment"),
			&vl_error_Busy,
			SAYS("There was no diagnosis since the daemon's start"),
			&vl_error_NothingToRecall,
			SAYS("Watching is switched off"),
			&vl_error_NotWatching,
			SAYS("The configuration does not name this target"),
			&vl_error_TargetNotAllowed,
			SAYS("There is no verdict now; another call may get one"),
			&vl_error_NoVerdict,
			SAYS("This host is no edge"),
			&vl_error_NotEdge,
			SAYS("The replica cannot be made the active one"),
			&vl_error_NotPromoted,
			nullptr,
		},
};
