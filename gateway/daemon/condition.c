/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/condition.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum condition_severity severity;
	enum condition_code depends_on;
	const char *remedy;
} table[COND_CODES] = {
	[COND_UNCONFIGURED] = {"unconfigured", COND_ERROR, COND_CONFIG_UNREADABLE,
		"Write /etc/meshgw/meshgw.yaml and run: meshgw apply"},
	[COND_TAKEN_DOWN] = {"taken-down", COND_WARNING, COND_CODES,
		"Bring it back with: meshgw apply"},
	[COND_CONFIG_INVALID] = {"config-invalid", COND_ERROR, COND_CODES,
		"Mend the file; meshgw check shows every mistake in it"},
	[COND_CONFIG_UNREADABLE] = {"config-unreadable", COND_ERROR, COND_CODES,
		"Make the file readable for user meshgw, and not larger than 1 MiB"},
	[COND_CONFIG_MISSING] = {"config-missing", COND_INFO, COND_CODES,
		"Write the file again; what runs is /var/lib/meshgw/confirmed.yaml"},
	[COND_CONFIG_NOT_APPLIED] = {"config-not-applied", COND_WARNING, COND_CODES,
		"See the difference with: meshgw plan; take it over with: meshgw apply"},
	[COND_CONFIRM_PENDING] = {"confirm-pending", COND_INFO, COND_CODES,
		"Keep the change with: meshgw confirm; go back at once with: meshgw undo"},
	[COND_ROLLED_BACK] = {"rolled-back", COND_WARNING, COND_CODES,
		"Apply again and confirm in time, if the change was right"},
	[COND_STATE_NOT_SAVED] = {"state-not-saved", COND_ERROR, COND_CODES,
		"Make /var/lib/meshgw writable for user meshgw and free space there"},
	[COND_CAPABILITY_MISSING] = {"capability-missing", COND_ERROR, COND_CODES,
		"Start meshgwd by its unit, which grants AmbientCapabilities=CAP_NET_ADMIN"},
	[COND_KERNEL_FEATURE_MISSING] = {"kernel-feature-missing", COND_ERROR, COND_CODES,
		"Load the module (nf_tables, nft_fib_inet, nft_masq) or use a kernel that has it"},
	[COND_OBSERVER_LIMITED] = {"observer-limited", COND_WARNING, COND_CODES, ""},
	[COND_TUNNEL_INTERFACE_MISSING] = {"tunnel-interface-missing", COND_ERROR, COND_CODES,
		"Start or reconnect the tunnel (warp-cli connect); meshgw goes on by itself"},
	[COND_TUNNEL_INTERFACE_DOWN] = {"tunnel-interface-down", COND_ERROR, COND_CODES,
		"Restart the tunnel (systemctl restart warp-svc); meshgw goes on by itself"},
	[COND_TUNNEL_QUEUE_FULL] = {"tunnel-queue-full", COND_ERROR, COND_CODES,
		"The tunnel's program does not read its interface: restart it "
		"(systemctl restart warp-svc) or give it more CPU"},
	[COND_LAN_INTERFACE_MISSING] = {"lan-interface-missing", COND_ERROR, COND_CODES,
		"Check the name under lan: in the configuration, and the hardware"},
	[COND_LAN_INTERFACE_DOWN] = {"lan-interface-down", COND_ERROR, COND_CODES,
		"Bring the interface up, or check its cable"},
	[COND_IPV6_DISABLED] = {"ipv6-disabled", COND_ERROR, COND_TUNNEL_INTERFACE_MISSING,
		"Switch IPv6 on for the interface (disable_ipv6=0), or remove the IPv6 ranges"},
	[COND_FORWARDING_DISABLED] = {"forwarding-disabled", COND_ERROR,
		COND_TUNNEL_INTERFACE_MISSING, "Find out who resets the sysctl"},
	[COND_RP_FILTER_STRICT] = {"rp-filter-strict", COND_ERROR, COND_RETURN_ROUTE_MISSING,
		"Set rp_filter=2 on the interface"},
	[COND_RANGE_OVERLAPS_LAN] = {"range-overlaps-lan", COND_ERROR, COND_CODES,
		"Take the network out of the range under mesh: ranges:, or renumber one of them"},
	[COND_RETURN_ROUTE_MISSING] = {"return-route-missing", COND_ERROR,
		COND_TUNNEL_INTERFACE_MISSING, "See the kernel's reason beside the route"},
	[COND_RETURN_ROUTE_SHADOWED] = {"return-route-shadowed", COND_ERROR,
		COND_RETURN_ROUTE_MISSING,
		"Remove the other route or point it at the mesh interface; meshgw does not "
		"touch it"},
	[COND_POLICY_RULE_CAPTURES_RETURN] = {"policy-rule-captures-return", COND_ERROR,
		COND_RETURN_ROUTE_MISSING,
		"See ip rule show; exempt the mesh ranges from the rule in front"},
	[COND_WARP_TABLE_CAPTURES_LAN] = {"warp-table-captures-lan", COND_ERROR, COND_CODES,
		"Take the LAN out of the networks that the device profile routes into the tunnel"},
	[COND_ROUTE_WRONG_EGRESS] = {"route-wrong-egress", COND_ERROR, COND_LAN_INTERFACE_DOWN,
		"Check the LAN interface of this network in the configuration, and ip route"},
	[COND_NO_ROUTE_TO_DESTINATION] = {"no-route-to-destination", COND_ERROR,
		COND_LAN_INTERFACE_DOWN, "Add a route to the network"},
	[COND_ROUTE_REFUSED] = {"route-refused", COND_ERROR, COND_LAN_INTERFACE_DOWN,
		"See ip route and ip rule for a blackhole, unreachable or prohibit entry"},
	[COND_NAT_NO_SOURCE_ADDRESS] = {"nat-no-source-address", COND_ERROR,
		COND_LAN_INTERFACE_DOWN, "Give the LAN interface an address, or wait for DHCP"},
	[COND_NFT_TABLE_MISSING] = {"nft-table-missing", COND_ERROR, COND_CODES,
		"See the kernel's reason beside the table"},
	[COND_NFT_TABLE_TAKEN] = {"nft-table-taken", COND_ERROR, COND_CODES,
		"End the process that holds the table: another meshgwd in this network "
		"namespace (pgrep -a meshgwd), or nft"},
	[COND_NFT_TABLE_UNOWNED] = {"nft-table-unowned", COND_INFO, COND_CODES,
		"A kernel from 6.9 on protects the table against other programs"},
	[COND_STATE_CONTESTED] = {"state-contested", COND_ERROR, COND_CODES,
		"Find the program that keeps undoing it (ip monitor, nft monitor) and stop it"},
	[COND_RETURN_PATH_UNPROVEN] = {"return-path-unproven", COND_INFO, COND_CODES,
		"Give the site's routers a route to the mesh ranges, by bgp: or by hand"},
	[COND_FRR_NOT_INSTALLED] = {"frr-not-installed", COND_ERROR, COND_CODES,
		"Install FRRouting (apt install frr) and start it; kernel routes work without it"},
	[COND_BGP_DAEMON_DOWN] = {"bgp-daemon-down", COND_ERROR, COND_FRR_NOT_INSTALLED,
		"Start it: systemctl restart frr; see that /etc/frr/daemons has bgpd=yes"},
	[COND_FRR_NOT_ANSWERING] = {"frr-not-answering", COND_ERROR, COND_BGP_DAEMON_DOWN,
		"See what vtysh -c 'show version' says to user meshgw; systemctl restart frr"},
	[COND_FRR_CONFIG_LOCKED] = {"frr-config-locked", COND_ERROR, COND_BGP_DAEMON_DOWN,
		"If it stays for a minute: systemctl restart frr, which ends its BGP sessions for "
		"some seconds; vtysh -c 'write memory' first keeps what others typed"},
	[COND_FRR_CONFIG_REJECTED] = {"frr-config-rejected", COND_ERROR, COND_CODES,
		"Mend the line of meshgw.yaml that the message names, and apply"},
	[COND_FRR_NOT_IN_PLACE] = {"frr-not-in-place", COND_ERROR, COND_BGP_DAEMON_DOWN,
		"See vtysh -c 'show running-config'; meshgwd tries again by itself"},
	[COND_FRR_ASN_MISMATCH] = {"frr-asn-mismatch", COND_ERROR, COND_CODES,
		"Set bgp: asn: to the number that FRRouting has, or remove its router bgp"},
	[COND_FRR_NEIGHBOR_FOREIGN] = {"frr-neighbor-foreign", COND_ERROR, COND_CODES,
		"Set adopt: true at the neighbour in meshgw.yaml, or remove it from FRRouting; against "
		"a listen range only the latter helps"},
	[COND_BGP_PASSWORD_UNREADABLE] = {"bgp-password-unreadable", COND_ERROR, COND_CODES,
		"Make the file root:meshgw with mode 0640, one line"},
	[COND_BGP_SESSION_DOWN] = {"bgp-session-down", COND_ERROR, COND_BGP_DAEMON_DOWN,
		"See vtysh -c 'show bgp neighbors', and the site router's log"},
	[COND_BGP_NEIGHBOUR_UNREACHABLE] = {"bgp-neighbour-unreachable", COND_ERROR,
		COND_BGP_DAEMON_DOWN,
		"Check the LAN interface, the neighbour's address, and ebgp_multihop"},
	[COND_BGP_WRONG_ASN] = {"bgp-wrong-asn", COND_ERROR, COND_CODES,
		"Make remote_as the neighbour's number, and the neighbour's ours"},
	[COND_BGP_AUTH_MISMATCH] = {"bgp-auth-mismatch", COND_ERROR, COND_CODES,
		"Give both sides the same password, or none"},
	[COND_BGP_MAX_PREFIX] = {"bgp-max-prefix", COND_ERROR, COND_CODES,
		"Raise the limit at the side that the message names"},
	[COND_BGP_ADMIN_SHUTDOWN] = {"bgp-admin-shutdown", COND_ERROR, COND_CODES,
		"Ask the neighbour's operator; or remove the shutdown statement here"},
	[COND_BGP_NO_EXPORT_POLICY] = {"bgp-no-export-policy", COND_ERROR, COND_CODES,
		"See vtysh -c 'show bgp neighbors'; RFC 8212 wants a policy in each direction"},
	[COND_BGP_PREFIX_NOT_ORIGINATED] = {"bgp-prefix-not-originated", COND_ERROR,
		COND_RETURN_ROUTE_MISSING,
		"See vtysh -c 'show bgp'; the range is announced again when its route is back"},
	[COND_BGP_PREFIX_FILTERED_LOCALLY] = {"bgp-prefix-filtered-locally", COND_ERROR, COND_CODES,
		"See the neighbour's outbound policy: vtysh -c 'show running-config bgpd'"},
	[COND_BGP_ADVERTISED_NOT_USED] = {"bgp-advertised-not-used", COND_WARNING, COND_CODES,
		"Look at the site router: import policy, prefix filter, a better path, its kernel routes"},
	[COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR] = {"ranges-leak-to-foreign-neighbour", COND_WARNING,
		COND_CODES, "Filter there, or consent with bgp: announce_to_others: true"},
	[COND_FRR_IMPORT_CHECK_OFF] = {"frr-import-check-off", COND_WARNING, COND_CODES,
		"Remove no bgp network import-check from FRRouting"},
	[COND_FRR_SAVED] = {"frr-saved", COND_WARNING, COND_CODES,
		"Save again without them: vtysh -c 'write memory', after meshgw down"},
	[COND_FRR_STATIC_FOREIGN] = {"frr-static-foreign", COND_INFO, COND_CODES, ""},
	[COND_CGNAT_OVERLAP] = {"cgnat-overlap", COND_WARNING, COND_CODES,
		"Split the address space: another range at Cloudflare, or another IP pool there"},
	[COND_FILTER_DROP_INPUT] = {"filter-drop-input", COND_WARNING, COND_REMEDY_NOT_IN_PLACE,
		"Allow remedies: [tailscale-input], or accept the ranges on the mesh interface there"},
	[COND_REMEDY_NOT_IN_PLACE] = {"remedy-not-in-place", COND_ERROR, COND_CODES,
		"See the kernel's reason; the other program may have changed its chains"},
	[COND_RETURN_PATH_LOST] = {"return-path-lost", COND_WARNING, COND_CODES,
		"See at the site's routers what became of their route to the mesh ranges"},
	[COND_WITNESS_SILENT] = {"witness-silent", COND_WARNING, COND_CODES,
		"Check the witnesses in the configuration; the mode stays as it is"},
	[COND_WITNESS_MISSING] = {"witness-missing", COND_INFO, COND_CODES,
		"Name one with witness: ADDRESS:PORT, or let mesh traffic show one"},
	[COND_PROBE_FILTERED_LOCALLY] = {"probe-filtered-locally", COND_WARNING, COND_CODES,
		"Exclude the LAN in the device profile, or accept packets with the probe's mark "
		"in the output chain"},
	[COND_HOST_MASQUERADED] = {"host-masqueraded", COND_INFO, COND_CODES,
		"Let the host admit the mesh ranges if it shall see who calls"},
	[COND_BRIDGE_NOT_ATTACHED] = {"bridge-not-attached", COND_ERROR, COND_CODES,
		"Start it: systemctl restart meshgw-bridge; see journalctl -u meshgw-bridge"},
	[COND_BRIDGE_CONFIG_REFUSED] = {"bridge-config-refused", COND_ERROR, COND_CODES,
		"It serves what it was told before. Mend the file that the message names; if it names "
		"none, the versions differ: systemctl restart meshgw-bridge"},
	[COND_BRIDGE_NOT_LISTENING] = {"bridge-not-listening", COND_ERROR,
		COND_TUNNEL_INTERFACE_MISSING,
		"Find who has the port (ss -ltnp), or name another one under bridge: listen:"},
	[COND_BRIDGE_TOO_MANY_LISTENERS] = {"bridge-too-many-listeners", COND_ERROR, COND_CODES,
		"Name fewer ports under bridge: listen:, or ADDRESS:PORT for those that matter"},
	[COND_BRIDGE_FILE_UNUSABLE] = {"bridge-file-unusable", COND_ERROR, COND_CODES,
		"Make the file root:meshgw with mode 0640, mend what it holds, and apply"},
	[COND_BRIDGE_NAME_UNUSABLE] = {"bridge-name-unusable", COND_WARNING, COND_CODES,
		"Ask for it with getent ahosts; name its network under bridge: upstream_networks:"},
	[COND_TUNNEL_NOT_ATTACHED] = {"tunnel-not-attached", COND_ERROR, COND_CODES,
		"Start it: systemctl restart meshgw-tunnel; see journalctl -u meshgw-tunnel"},
	[COND_TUNNEL_NO_INTERFACE] = {"tunnel-no-interface", COND_ERROR, COND_CODES,
		"Name another mesh: interface:, or end the program that made it; /dev/net/tun must be "
		"there"},
	[COND_TUNNEL_NO_SOCKET] = {"tunnel-no-socket", COND_ERROR, COND_CODES,
		"Find who has the port (ss -lunp), or name another one under tunnel: edge: listen:"},
	[COND_TUNNEL_FILE_UNUSABLE] = {"tunnel-file-unusable", COND_ERROR, COND_CODES,
		"Make the file root:meshgw with mode 0640, mend what it holds, and apply"},
	[COND_TUNNEL_NOT_BEGUN] = {"tunnel-not-begun", COND_ERROR, COND_TUNNEL_FILE_UNUSABLE,
		"Mend what is wrong with its interface or sockets, and it begins by itself; after "
		"files are mended: meshgw apply"},
	[COND_TUNNEL_DISCONNECTED] = {"tunnel-disconnected", COND_ERROR, COND_TUNNEL_NOT_ATTACHED,
		"See that UDP to the edges passes, and that pins and certificates are each other's"},
	[COND_TUNNEL_NO_ADDRESS] = {"tunnel-no-address", COND_ERROR, COND_TUNNEL_PROPOSAL_REFUSED,
		"Let the edge give this node an address, or set tunnel: connector: addresses:"},
	[COND_TUNNEL_EDGE_UNREACHED] = {"tunnel-edge-unreached", COND_WARNING, COND_CODES,
		"See that the edge runs, and that UDP to it and from it passes every firewall"},
	[COND_TUNNEL_EDGE_UNTRUSTED] = {"tunnel-edge-untrusted", COND_WARNING, COND_CODES,
		"If the edge has a new key, put its pin under tunnel: connector: peer: pins:; otherwise "
		"somebody is in between"},
	[COND_TUNNEL_EDGE_CERTIFICATE] = {"tunnel-edge-certificate", COND_WARNING, COND_CODES,
		"Renew the edge's certificate, or put who signs it now into tunnel: connector: peer: "
		"ca_file:; see that both clocks are right"},
	[COND_TUNNEL_CERTIFICATE_REFUSED] = {"tunnel-certificate-refused", COND_WARNING, COND_CODES,
		"Let the edge know this node's pin, and see that the certificate has not expired"},
	[COND_TUNNEL_REQUEST_REFUSED] = {"tunnel-request-refused", COND_WARNING, COND_CODES,
		"See that template and authority are the edge's, and what the edge says of this node"},
	[COND_TUNNEL_PROPOSAL_REFUSED] = {"tunnel-proposal-refused", COND_WARNING, COND_CODES,
		"Widen mesh: ranges: or tunnel: connector: accept:, or renumber what it overlaps, "
		"if the edge is right"},
	[COND_TUNNEL_FLOODED] = {"tunnel-flooded", COND_WARNING, COND_CODES,
		"The tunnel holds out. If the peers' addresses are known, let a firewall in front admit "
		"no others"},
	[COND_TUNNEL_PEER_BREACH] = {"tunnel-peer-breach", COND_WARNING, COND_CODES,
		"Update or repair the peer; take its pin out if it is not to be trusted any more"},
	[COND_TUNNEL_PEER_EXCESS] = {"tunnel-peer-excess", COND_WARNING, COND_CODES,
		"Raise tunnel: connector: accept: max_routes: if the peer is right"},
	[COND_TUNNEL_PEER_SPOOFED] = {"tunnel-peer-spoofed", COND_WARNING, COND_CODES,
		"Find out who sends there; if the network is the node's own, name it under its routes:"},
	[COND_TUNNEL_PEER_DEAF] = {"tunnel-peer-deaf", COND_WARNING, COND_CODES,
		"See that packets to the peer arrive: what comes from it does"},
	[COND_TUNNEL_PEER_SILENT] = {"tunnel-peer-silent", COND_WARNING, COND_TUNNEL_EDGE_UNREACHED,
		"See that the peer runs, and that UDP to it and from it passes"},
	[COND_TUNNEL_PATH_LOSSY] = {"tunnel-path-lossy", COND_WARNING, COND_CODES,
		"Look for a bad or overloaded link on the way to the peer: mtr -u ADDRESS"},
	[COND_TUNNEL_PATH_NARROW] = {"tunnel-path-narrow", COND_WARNING, COND_CODES,
		"Widen the path, or lower tunnel: mtu:; IPv6 needs 1280"},
};

const char *condition_code_str(enum condition_code code)
{
	return table[code].name;
}

enum condition_severity condition_severity(enum condition_code code)
{
	return table[code].severity;
}

const char *condition_severity_str(enum condition_severity severity)
{
	static const char *const names[] = {
		[COND_INFO] = "info", [COND_WARNING] = "warning", [COND_ERROR] = "error"};
	return names[severity];
}

/* What more than one thing can bring about. */
static const struct {
	enum condition_code code, cause;
} causes[] = {
	{COND_TUNNEL_NOT_BEGUN, COND_TUNNEL_NO_INTERFACE},
	{COND_TUNNEL_NOT_BEGUN, COND_TUNNEL_NO_SOCKET},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_NOT_BEGUN},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_EDGE_UNREACHED},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_EDGE_UNTRUSTED},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_EDGE_CERTIFICATE},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_CERTIFICATE_REFUSED},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_REQUEST_REFUSED},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_PATH_NARROW},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_PEER_BREACH},
	{COND_TUNNEL_DISCONNECTED, COND_TUNNEL_PEER_DEAF},
};

bool condition_follows(enum condition_code code, enum condition_code cause)
{
	if (table[code].depends_on == cause)
		return true;
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (causes[i].code == code && causes[i].cause == cause)
			return true;
	return false;
}

/* Where the table's are about another program, such as Cloudflare's client. */
static const struct {
	enum condition_code code;
	const char *remedy;
} of_own_tunnel[] = {
	{COND_TUNNEL_INTERFACE_MISSING,
		"meshgwd makes it by itself; see why it cannot: journalctl -u meshgwd"},
	{COND_TUNNEL_INTERFACE_DOWN,
		"Bring it up (ip link set), or restart what holds it: systemctl restart meshgwd "
		"meshgw-tunnel"},
	{COND_TUNNEL_QUEUE_FULL,
		"meshgw-tunnel does not read its interface: restart it (systemctl restart "
		"meshgw-tunnel) or give it more CPU"},
};

const char *condition_remedy(enum condition_code code, bool own_tunnel)
{
	for (size_t i = 0; own_tunnel && i < sizeof(of_own_tunnel) / sizeof(*of_own_tunnel); i++)
		if (of_own_tunnel[i].code == code)
			return of_own_tunnel[i].remedy;
	return table[code].remedy;
}

void conditions_add(
	struct conditions *set, enum condition_code code, const char *subject, const char *fmt, ...)
{
	XGROW(set->list, set->n, set->cap);
	struct condition *c = &set->list[set->n++];
	*c = (struct condition){.code = code};
	snprintf(c->subject, sizeof(c->subject), "%s", subject);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->message, sizeof(c->message), fmt, ap);
	va_end(ap);
}

static int compare(const void *a, const void *b)
{
	const struct condition *x = a, *y = b;
	return x->code != y->code ? (x->code < y->code ? -1 : 1) : strcmp(x->subject, y->subject);
}

static void sort_unique(struct conditions *set)
{
	if (!set->n)
		return;
	qsort(set->list, set->n, sizeof(*set->list), compare);
	size_t kept = 1;
	for (size_t i = 1; i < set->n; i++)
		if (compare(&set->list[i], &set->list[kept - 1]))
			set->list[kept++] = set->list[i];
	set->n = kept;
}

const struct condition *conditions_find(
	const struct conditions *set, enum condition_code code, const char *subject)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].code == code && !strcmp(set->list[i].subject, subject))
			return &set->list[i];
	return nullptr;
}

static void log_condition(const char *what, const struct condition *c)
{
	static const int levels[] = {
		[COND_INFO] = LOG_INFO, [COND_WARNING] = LOG_WARNING, [COND_ERROR] = LOG_ERR};
	log_line(levels[condition_severity(c->code)], "condition", "%s %s subject=%s: %s", what,
		condition_code_str(c->code), c->subject, c->message);
}

void conditions_commit(struct conditions *current, struct conditions *next, uint64_t realtime_us)
{
	sort_unique(next);
	for (size_t i = 0; i < next->n; i++) {
		struct condition *c = &next->list[i];
		const struct condition *before = conditions_find(current, c->code, c->subject);
		c->since_us = before ? before->since_us : realtime_us;
		if (!before)
			log_condition("begin", c);
	}
	for (size_t i = 0; i < current->n; i++) {
		const struct condition *c = &current->list[i];
		if (!conditions_find(next, c->code, c->subject))
			log_info("condition", "end %s subject=%s", condition_code_str(c->code),
				c->subject);
	}
	conditions_clear(current);
	*current = *next;
	*next = (struct conditions){};
}

void conditions_clear(struct conditions *set)
{
	free(set->list);
	*set = (struct conditions){};
}
