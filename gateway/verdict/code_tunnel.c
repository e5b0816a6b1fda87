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
