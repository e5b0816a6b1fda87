/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

constexpr enum code first = CODE_TUNNEL_INTERFACE_MISSING;

const struct code_row code_part_tunnel[] = {
	[CODE_TUNNEL_INTERFACE_MISSING - first] = {"tunnel-interface-missing", CODE_CLASS_TUNNEL,
		"The tunnel's interface does not exist, so nothing can come from the mesh or go "
		"there.",
		"The kernel knows no interface of the name under mesh: interface:.",
		"Start the tunnel's client or reconnect it; meshgw puts its routes back by "
		"itself. If the interface has another name, set mesh: interface: to it.",
		{"systemctl restart warp-svc", "warp-cli connect"}, false},
	[CODE_TUNNEL_INTERFACE_DOWN - first] = {"tunnel-interface-down", CODE_CLASS_TUNNEL,
		"The tunnel's interface exists and does not work: it is down, or no program "
		"holds its other end.",
		"The interface is not up, or is up without carrier.",
		"Restart the tunnel's client, which holds the other end.",
		{"systemctl restart warp-svc"}, false},
	[CODE_TUNNEL_NOT_ATTACHED - first] = {"tunnel-not-attached", CODE_CLASS_TUNNEL,
		"The program that carries the gateway's own tunnel does not run, so nothing "
		"comes from the mesh or goes there.",
		"meshgw-tunnel has not fetched its configuration from meshgwd.",
		"Start meshgw-tunnel; its log (journalctl -u meshgw-tunnel) says why it ended.",
		{"systemctl restart meshgw-tunnel"}, false},
	[CODE_TUNNEL_NO_INTERFACE - first] = {"tunnel-no-interface", CODE_CLASS_TUNNEL,
		"The interface of the gateway's own tunnel cannot be made, so nothing comes from the "
		"mesh or goes there.",
		"There is no tunnel, and meshgwd could not make the interface that is named under "
		"mesh: interface:.",
		"End the program that has an interface of that name, or name another one under mesh: "
		"interface: and apply; /dev/net/tun must be there.",
		{}, false},
	[CODE_TUNNEL_NO_SOCKET - first] = {"tunnel-no-socket", CODE_CLASS_TUNNEL,
		"No UDP socket of the gateway's own tunnel can be opened, so nothing comes from the "
		"mesh or goes there.",
		"There is no tunnel, and meshgwd could open none of the sockets that it needs.",
		"End the program that has the port (ss -lunp), or name another one under tunnel: "
		"edge: listen: and apply.",
		{}, false},
	[CODE_TUNNEL_FILE_UNUSABLE - first] = {"tunnel-file-unusable", CODE_CLASS_TUNNEL,
		"The gateway's own tunnel has no certificate, key or authority to begin with, so "
		"nothing comes from the mesh or goes there.",
		"There is no tunnel, and a file that is named under tunnel: cannot be read, or "
		"holds what cannot be used.",
		"Make the file root:meshgw with mode 0640, mend what it holds, and apply.",
		{"meshgw apply"}, false},
	[CODE_TUNNEL_NOT_BEGUN - first] = {"tunnel-not-begun", CODE_CLASS_TUNNEL,
		"The gateway's own tunnel cannot begin, so nothing comes from the mesh or goes "
		"there.",
		"meshgwd has no tunnel to tell of, and does not tell what it lacks.",
		"See what meshgw status says of the files, the interface and the sockets.",
		{"meshgw status"}, false},
	[CODE_TUNNEL_EDGE_UNREACHED - first] = {"tunnel-edge-unreached", CODE_CLASS_TUNNEL,
		"The edge of the gateway's own tunnel does not answer, so nothing comes from the "
		"mesh or goes there.",
		"No edge is connected or heard of, and an edge that was dialled did not answer.",
		"See that the edge runs, and that UDP to it and from it passes every firewall.", {},
		false},
	[CODE_TUNNEL_EDGE_UNTRUSTED - first] = {"tunnel-edge-untrusted", CODE_CLASS_TUNNEL,
		"The edge of the gateway's own tunnel has another key than the configured one, "
		"so there is no tunnel.",
		"No edge is connected or heard of, and an edge that was dialled showed a key "
		"that no pin is "
		"for.",
		"If the edge has a new key, put its pin under tunnel: connector: peer: pins: and "
		"apply; otherwise somebody is in between.",
		{}, false},
	[CODE_TUNNEL_EDGE_CERTIFICATE - first] = {"tunnel-edge-certificate", CODE_CLASS_TUNNEL,
		"The certificate of the edge of the gateway's own tunnel is not valid, so there is "
		"no tunnel.",
		"No edge is connected or heard of, and the certificate of one that was dialled "
		"was refused "
		"here.",
		"Renew the edge's certificate, or put who signs it now into tunnel: connector: "
		"peer: ca_file: and apply; see that both clocks are right.",
		{}, false},
	[CODE_TUNNEL_CERTIFICATE_REFUSED - first] = {"tunnel-certificate-refused",
		CODE_CLASS_TUNNEL,
		"The edge refuses the certificate of this gateway's own tunnel, so there is no "
		"tunnel.",
		"No edge is connected or heard of, and one that was dialled ended the handshake "
		"because of "
		"the certificate.",
		"Let the edge know this node's pin, and see that the certificate has not expired.",
		{}, false},
	[CODE_TUNNEL_REQUEST_REFUSED - first] = {"tunnel-request-refused", CODE_CLASS_TUNNEL,
		"The edge refuses the request of this gateway's own tunnel, so there is no "
		"tunnel.",
		"No edge is connected or heard of, and one that was dialled answered the request "
		"with an "
		"error, or with none.",
		"See that template and authority are the edge's, and what the edge says of this "
		"node.",
		{}, false},
	[CODE_TUNNEL_PEER_SILENT - first] = {"tunnel-peer-silent", CODE_CLASS_TUNNEL,
		"Nothing is heard any more of a peer of the gateway's own tunnel, so nothing comes "
		"from there or goes there.",
		"It is connected, and has answered nothing for seconds.",
		"See that the peer runs, and that UDP to it and from it passes.", {}, false},
	[CODE_TUNNEL_PATH_NARROW - first] = {"tunnel-path-narrow", CODE_CLASS_TUNNEL,
		"The way to a peer of the gateway's own tunnel is narrow; where it is too narrow "
		"for the packets there is no tunnel.",
		"No edge is connected or heard of, and on the way to one packets of the tunnel's "
		"MTU did not "
		"get through.",
		"Widen the path, or lower tunnel: mtu:; IPv6 needs 1280.", {}, false},
	[CODE_TUNNEL_PEER_BREACH - first] = {"tunnel-peer-breach", CODE_CLASS_TUNNEL,
		"A peer of the gateway's own tunnel breaks the protocol, and is left for it.",
		"No edge is connected or heard of, and one that was left did what RFC 9484, "
		"HTTP/3 or QUIC "
		"forbids.",
		"Update or repair the peer; take its pin out if it is not to be trusted any more.",
		{}, false},
	[CODE_TUNNEL_PEER_DEAF - first] = {"tunnel-peer-deaf", CODE_CLASS_TUNNEL,
		"A peer of the gateway's own tunnel does not hear what is sent to it, and is left "
		"for it.",
		"No edge is connected or heard of, and one that was left acknowledged nothing "
		"while it went on "
		"sending.",
		"See that packets to the peer arrive: what comes from it does.", {}, false},
	[CODE_TUNNEL_DISCONNECTED - first] = {"tunnel-disconnected", CODE_CLASS_TUNNEL,
		"The gateway's own tunnel is connected to no edge, so nothing comes from the mesh "
		"or goes there.",
		"meshgw-tunnel runs and has no connection, and no edge that was dialled tells why.",
		"See that UDP to the edges passes, and that pins and certificates are each "
		"other's; meshgw doctor looks at the interface and the sockets, too.",
		{"meshgw doctor"}, false},
	[CODE_TUNNEL_NO_ADDRESS - first] = {"tunnel-no-address", CODE_CLASS_TUNNEL,
		"The gateway's own tunnel has no address that is taken from its edge, so nothing "
		"comes from the mesh or goes there.",
		"An edge has been connected for seconds, and gave no address, or none that the "
		"configuration and this host's other networks allow.",
		"See what is refused of the edge (meshgw status) and let it give this node another "
		"address, or set tunnel: connector: addresses:.",
		{"meshgw status"}, false},
	[CODE_TUNNEL_NO_INGRESS - first] = {"tunnel-no-ingress", CODE_CLASS_TUNNEL,
		"The flow's packets do not reach this gateway.",
		"Nothing of the flow entered by the mesh interface while it was watched, though "
		"other traffic did; and a packet like it, injected there, gets its answer.",
		"This gateway is not the cause. Look before it: the route of the network to this "
		"node, network policies, the split tunnel of the caller's profile, the virtual "
		"network.",
		{}, false},
	[CODE_TUNNEL_REPLICA_PASSIVE - first] = {"tunnel-replica-passive", CODE_CLASS_TUNNEL,
		"This node is connected and gets no traffic: another replica of it is the active "
		"one.",
		"The tunnel is up, and no packet of any flow of the mesh enters by it.",
		"Ask at the active replica, or make this one active. A passive replica must not "
		"attract answers, for example by BGP.",
		{}, false},
	[CODE_NODE_REGISTERED_AS_CLIENT - first] = {"node-registered-as-client", CODE_CLASS_TUNNEL,
		"This machine is enrolled as a client and not as a node: the tunnel captures its "
		"own traffic.",
		"The routing table of the tunnel's client holds the whole Internet, or its "
		"registration says so.",
		"Disconnect the client, from a console or by a way that is not the tunnel, and "
		"enrol this machine with the token of the node.",
		{"warp-cli disconnect"}, false},
	[CODE_TUNNEL_SOURCE_NOT_IN_RANGES - first] = {"tunnel-source-not-in-ranges",
		CODE_CLASS_TUNNEL,
		"The caller's address is in none of the mesh ranges that meshgw knows.",
		"Packets enter by the mesh interface from a source that is in no list under "
		"mesh: ranges:.",
		"Add the caller's range to mesh: ranges: in /etc/meshgw/meshgw.yaml, and apply "
		"it.",
		{"meshgw apply"}, false},
	[CODE_TUNNEL_QUEUE_FULL - first] = {"tunnel-queue-full", CODE_CLASS_TUNNEL,
		"The program behind the tunnel's interface reads too slowly, and answers are "
		"lost in front of it.",
		"The kernel drops answers with FULL_RING at the mesh interface, and its "
		"tx_dropped grows.",
		"Restart the tunnel's client, which interrupts all flows of the mesh, and see "
		"whether it lacks CPU; a longer queue (ip link, txqueuelen) helps against bursts.",
		{"systemctl restart warp-svc"}, false},
	[CODE_TUNNEL_DAEMON_REJECTS_SOURCE - first] = {"tunnel-daemon-rejects-source",
		CODE_CLASS_TUNNEL,
		"The tunnel's client refuses the answers because of their source address.",
		"Answers leave into the tunnel, the caller repeats its packet all the same, and "
		"the client's log complains of the source.",
		"Answers must come from an address that is announced for this node: announce the "
		"network at the provider, or mend the translation of addresses.",
		{}, false},
	[CODE_TUNNEL_RETURN_LOST - first] = {"tunnel-return-lost", CODE_CLASS_TUNNEL,
		"The answers leave into the tunnel and do not reach the caller.",
		"Answers were seen leaving by the mesh interface, and the caller goes on "
		"repeating its packet.",
		"This gateway is not the cause. Give the time and the captured packets to "
		"whoever runs the tunnel, and try a smaller MTU.",
		{}, false},
};
