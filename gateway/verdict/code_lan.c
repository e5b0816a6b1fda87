/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

constexpr enum code first = CODE_UPSTREAM_SILENT;

const struct code_row code_part_lan[] = {
	[CODE_UPSTREAM_SILENT - first] = {"upstream-silent", CODE_CLASS_LAN,
		"Packets leave towards the LAN and nothing comes back; what swallows them is not "
		"known.",
		"Packets of the flow leave by the LAN and no answer comes in; no probe separates "
		"the causes.",
		"Run meshgw diagnose without --passive, or look at the site's router and at the "
		"service.",
		{}, false},
	[CODE_UPSTREAM_RETURN_ROUTE_MISSING - first] = {"upstream-return-route-missing",
		CODE_CLASS_LAN,
		"Answers do not find their way back to this gateway: the LAN does not know that "
		"the mesh range is behind it.",
		"The same question is answered when it comes from the gateway's own address, and "
		"not when it comes from the mesh range.",
		"Give the site's router, or the service's host, a route to the mesh range[ "
		"{range}] by this gateway, by hand or by bgp:. Or hide the callers: in "
		"meshgw.yaml[, - {prefix: {network}, return_path: masquerade}], and apply it.",
		{"meshgw apply"}, false},
	[CODE_UPSTREAM_FILTERS_RANGE - first] = {"upstream-filters-range", CODE_CLASS_LAN,
		"Something in the LAN lets packets from the mesh range not pass.",
		"The service is silent towards the mesh range and answers the gateway's own "
		"address, while another port or host does answer the range: the way back exists.",
		"Allow the mesh range[ {range}] in the filter of the site's router or of the "
		"service's host.",
		{}, false},
	[CODE_UPSTREAM_ICMP_UNREACHABLE - first] = {"upstream-icmp-unreachable", CODE_CLASS_LAN,
		"A router or host in the LAN answers that the target cannot be reached.",
		"An ICMP error about the flow comes in from the LAN; its sender is who says so.",
		"Ask at the machine that sends the error[, {sender}]: its routes, and whether "
		"the target is up.",
		{}, false},
	[CODE_UPSTREAM_ADMIN_PROHIBITED - first] = {"upstream-admin-prohibited", CODE_CLASS_LAN,
		"A filter in the LAN refuses the flow and says so.",
		"An ICMP error \"administratively prohibited\" about the flow comes in from the "
		"LAN; its sender is the filter.",
		"Allow the mesh range[ {range}] in the filter of the machine that sends the "
		"error[, {sender}].",
		{}, false},
	[CODE_ASYMMETRIC_PATH - first] = {"asymmetric-path", CODE_CLASS_LAN,
		"The two directions of the flow take different ways, and this gateway sees only "
		"one.",
		"Answers come in by another interface or leave by another node; or answers are "
		"seen here without the packets that they answer.",
		"Let one node carry both directions: only the active replica may announce the "
		"mesh range; or use return_path: masquerade.",
		{}, false},
	[CODE_BGP_DAEMON_DOWN - first] = {"bgp-daemon-down", CODE_CLASS_NODE,
		"FRRouting does not run, so the LAN is not told of the mesh range.",
		"FRRouting, or one of its daemons that are needed, does not answer.",
		"Start it. If it runs and lacks a daemon, set bgpd=yes in /etc/frr/daemons and "
		"restart it, which ends all its sessions for a moment.",
		{"systemctl start frr"}, false},
	[CODE_BGP_SESSION_DOWN - first] = {"bgp-session-down", CODE_CLASS_LAN,
		"The BGP session with the site's router is down, so the LAN is not told of the "
		"mesh range.",
		"The session is not Established, and nothing fresh tells why.",
		"See the session here and the log of the site's router.",
		{"vtysh -c 'clear bgp {peer}'"}, false},
	[CODE_BGP_WRONG_ASN - first] = {"bgp-wrong-asn", CODE_CLASS_LAN,
		"The BGP session fails because the two sides expect other AS numbers.",
		"A fresh notification says \"bad peer AS\".",
		"Make remote_as in meshgw.yaml the router's number, and let the router expect "
		"ours.",
		{}, false},
	[CODE_BGP_AUTH_MISMATCH - first] = {"bgp-auth-mismatch", CODE_CLASS_LAN,
		"The BGP session fails because the two sides do not have the same password.",
		"The session does not come up, no notification passes, and counters of TCP MD5 "
		"failures grow.",
		"Give both sides the same password, or none.", {}, false},
	[CODE_BGP_NEIGHBOUR_UNREACHABLE - first] = {"bgp-neighbour-unreachable", CODE_CLASS_LAN,
		"The BGP session fails because the router cannot be reached from this gateway.",
		"FRRouting waits for a route to the neighbour, or its packets get no answer.",
		"Check the LAN interface, the neighbour's address[ {peer}], and ebgp_multihop "
		"when it is more than one hop away.",
		{}, false},
	[CODE_BGP_MAX_PREFIX - first] = {"bgp-max-prefix", CODE_CLASS_LAN,
		"The BGP session was ended because one side sent more prefixes than the other "
		"takes.",
		"A fresh notification says \"maximum number of prefixes reached\".",
		"Raise the limit on the side that ended the session, or announce less.", {}, false},
	[CODE_BGP_ADMIN_SHUTDOWN - first] = {"bgp-admin-shutdown", CODE_CLASS_LAN,
		"The BGP session was shut down by an operator.",
		"A fresh notification says \"administrative shutdown\", or the neighbour is shut "
		"down here.",
		"Ask the operator of the site's router; if it is shut down here, remove that "
		"statement.",
		{}, false},
	[CODE_BGP_NO_EXPORT_POLICY - first] = {"bgp-no-export-policy", CODE_CLASS_NODE,
		"BGP announces nothing, because no policy says what may be announced.",
		"The session is Established and nothing is sent: RFC 8212 wants a policy in each "
		"direction.",
		"Let meshgw configure the neighbour under bgp:, or give it a route-map for what "
		"goes out.",
		{}, false},
	[CODE_BGP_PREFIX_NOT_ORIGINATED - first] = {"bgp-prefix-not-originated", CODE_CLASS_NODE,
		"BGP does not announce the mesh range, because FRRouting does not have it.",
		"The session is Established, and the range is not in FRRouting's table, or not "
		"valid there.",
		"The range is announced while its route into the tunnel stands: see that the "
		"tunnel is up, and that bgp: announces this range.",
		{}, false},
	[CODE_BGP_PREFIX_FILTERED_LOCALLY - first] = {"bgp-prefix-filtered-locally",
		CODE_CLASS_NODE,
		"BGP does not announce the mesh range to this neighbour, because a policy here "
		"holds it back.",
		"The range is in FRRouting's table and not among what the neighbour was sent.",
		"See the outbound policy of the neighbour.", {}, false},
	[CODE_BGP_ADVERTISED_NOT_USED - first] = {"bgp-advertised-not-used", CODE_CLASS_LAN,
		"The site's router was told of the mesh range and does not use it.",
		"The session is Established and the range was sent, and yet answers do not come "
		"back. Why the router does not use it cannot be seen from here.",
		"Look at the site's router: its import policy, prefix filters, a better path, "
		"its kernel routes.",
		{}, false},
};
