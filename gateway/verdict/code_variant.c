/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_variant.h"

/* Terms of iptables for the flow's protocol and port, if it has one. */
#define TO_PORT "[ -p {l4} --dport {port}][ -p {echo}] -j ACCEPT"
#define FROM_PORT "[ -p {l4} --sport {port}][ -p {echo}] -j ACCEPT"
#define ANSWERS " -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"

/* Docker leaves this chain to others and jumps to it first, at each start. */
#define DOCKER_REMEDY                                                                           \
	"Accept the flow in the chain DOCKER-USER, which Docker leaves to others; a rule "      \
	"anywhere else is overtaken when Docker starts. Without the port it is for all of the " \
	"mesh range."
#define DOCKER_COMMANDS                                                      \
	{"{ipt} -I DOCKER-USER -i {mesh} -s {range}[ -d {network}]" TO_PORT, \
		"{ipt} -I DOCKER-USER -i {lan} -o {mesh} -d {range}" ANSWERS}

/* It has no word for ICMP; its own rules let echoes pass. */
#define UFW_REMEDY                                                                            \
	"Let ufw route the flow to the LAN; it keeps the rule. Without port and protocol it " \
	"is for all of the mesh range."
#define UFW_COMMANDS \
	{"ufw route allow in on {mesh} proto {l4} from {range} to {network} port {port}"}

/* Policies between ANY zones are looked at for interfaces that are in a zone by name only. */
#define FIREWALLD_REMEDY                                                                        \
	"Give firewalld a policy that accepts the flow; it keeps the policy. Without the port " \
	"it is for all of the mesh range."
#define FIREWALLD_COMMANDS                                                                   \
	{"firewall-cmd --get-zone-of-interface {mesh} || firewall-cmd --permanent "          \
	 "--zone \"$(firewall-cmd --get-default-zone)\" --add-interface {mesh}",             \
		"firewall-cmd --permanent --get-policies | grep -qw meshgw || firewall-cmd " \
		"--permanent --new-policy meshgw && firewall-cmd --permanent --policy "      \
		"meshgw --add-ingress-zone ANY && firewall-cmd --permanent --policy meshgw " \
		"--add-egress-zone ANY",                                                     \
		"firewall-cmd --permanent --policy meshgw --add-rich-rule "                  \
		"'rule family={fw} source address={range}[ destination address={network}]"   \
		"[ port port={port} protocol={l4}][ protocol value={echo}] accept'",         \
		"firewall-cmd --reload"}

/* nft's own "ct state" would make iptables refuse the whole table. */
#define IPTABLES_REMEDY                                                                       \
	"Accept the flow in that chain, in the way of the program that owns it; without the " \
	"port, the commands let all of the mesh range through."
#define IPT_PUT "{ipt} -t {table} -{at} {chain}"
#define IPTABLES_FROM_MESH IPT_PUT " -i {mesh} -s {range}[ -d {network}]" TO_PORT
#define IPTABLES_COMMANDS {IPTABLES_FROM_MESH, IPT_PUT " -i {lan} -d {range}" ANSWERS}
#define IPTABLES_STATELESS                                         \
	{IPT_PUT " -i {enters} -s {range}[ -d {network}]" TO_PORT, \
		IPT_PUT " -i {returns}[ -s {answersFrom}][ -d {answersTo}]" FROM_PORT}
#define IPTABLES_LEAVING \
	{IPT_PUT " -o {lan} -d {network}" TO_PORT, IPT_PUT " -o {mesh} -d {range}" FROM_PORT}

#define LEGACY_REMEDY "Accept the flow with iptables-legacy, or move the old rules to nftables."

#define ROUTE_REMEDY                                                                          \
	"Install the route of the range into the tunnel; once meshgw is configured, it does " \
	"so and keeps it."
#define ROUTE_COMMAND "ip -{v} route add {range} dev {mesh}"

/* What this gateway sends itself, as the HTTP bridge to its upstreams. */
#define OWN_REMEDY                                                                              \
	"Accept what this gateway sends to the target, and the answers, in that chain, in the " \
	"way of the program that owns it."

static const struct code_variant variants[] = {
	{CODE_NOT_ALLOWED, "from", "gateway",
		"Add the addresses that the upstream's name stands for to lan: networks: or to "
		"bridge: upstream_networks:, in /etc/meshgw/meshgw.yaml, and apply it.",
		{"meshgw apply"}},
	{CODE_FILTER_DROP_OUTPUT, "from", "gateway", OWN_REMEDY, {}},
	{CODE_FILTER_DROP_INPUT, "from", "gateway", OWN_REMEDY, {}},
	{CODE_FILTER_DROP_PREROUTING, "from", "gateway", OWN_REMEDY, {}},
	{CODE_FILTER_DROP_POSTROUTING, "from", "gateway", OWN_REMEDY, {}},
	{CODE_FILTER_DROP_LEGACY_XTABLES, "from", "gateway", OWN_REMEDY, {}},
	{CODE_UPSTREAM_ADMIN_PROHIBITED, "from", "gateway",
		"Allow this gateway in the filter of the machine that sends the error[, "
		"{sender}].",
		{}},
	{CODE_UPSTREAM_SILENT, "from", "gateway",
		"Look at the site's router and at the service: this gateway asks it directly, and "
		"nothing comes back.",
		{}},
	{CODE_FILTER_DROP_FORWARD, "by", "docker", DOCKER_REMEDY, DOCKER_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "by", "docker", DOCKER_REMEDY, DOCKER_COMMANDS},
	{CODE_FILTER_DROP_FORWARD, "by", "ufw", UFW_REMEDY, UFW_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "by", "ufw", UFW_REMEDY, UFW_COMMANDS},
	{CODE_FILTER_DROP_FORWARD, "by", "firewalld", FIREWALLD_REMEDY, FIREWALLD_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "by", "firewalld", FIREWALLD_REMEDY, FIREWALLD_COMMANDS},
	{CODE_FILTER_DROP_FORWARD, "iptables", "yes", IPTABLES_REMEDY, IPTABLES_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "iptables", "yes", IPTABLES_REMEDY, IPTABLES_COMMANDS},
	{CODE_FILTER_DROP_PREROUTING, "iptables", "yes", IPTABLES_REMEDY, IPTABLES_STATELESS},
	{CODE_FILTER_CT_INVALID_DROP, "iptables", "yes",
		"Let both directions of the flow cross this gateway; if that cannot be, accept it "
		"in front of the rule.",
		IPTABLES_STATELESS},
	{CODE_FILTER_DROP_POSTROUTING, "iptables", "yes", IPTABLES_REMEDY, IPTABLES_LEAVING},
	{CODE_FILTER_FIB_DROP, "by", "firewalld",
		"Mend the route to the packet's source first; if it is right, make firewalld's "
		"check loose.",
		{"sed -i 's/^IPv6_rpfilter=.*/IPv6_rpfilter=loose/' /etc/firewalld/firewalld.conf",
			"systemctl restart firewalld"}},
	{CODE_FILTER_DROP_INPUT, "by", "tailscale",
		"Accept this one port in front of Tailscale's rule against its own range; with "
		"remedies: [tailscale-input] in meshgw.yaml, meshgw accepts the mesh ranges there "
		"and keeps it so.",
		{"{ipt} -I ts-input -i {mesh} -s {range} -d {target}" TO_PORT}},
	{CODE_FILTER_DROP_INPUT, "iptables", "yes",
		"Accept this one port from the mesh range on the mesh interface, in the way of the "
		"program that owns the chain; the others stay closed.",
		{IPT_PUT " -i {mesh} -s {range} -d {target}" TO_PORT}},
	{CODE_FILTER_DROP_OUTPUT, "iptables", "yes",
		"Accept packets to the LAN in that chain; the tunnel's client does so for networks "
		"that its profile excludes.",
		{IPT_PUT " -o {lan} -d {network} -j ACCEPT",
			IPT_PUT " -o {mesh} -d {range}" FROM_PORT}},
	{CODE_FILTER_DROP_LEGACY_XTABLES, "table", "mangle", LEGACY_REMEDY,
		{"{ipt}-legacy -t mangle -I FORWARD -i {mesh} -s {range}[ -d {network}]" TO_PORT,
			"{ipt}-legacy -t mangle -I FORWARD -o {mesh} -d {range}" FROM_PORT}},
	{CODE_FILTER_DROP_LEGACY_XTABLES, "table", "raw", LEGACY_REMEDY,
		{"{ipt}-legacy -t raw -I PREROUTING -i {mesh} -s {range}[ -d {network}]" TO_PORT,
			"{ipt}-legacy -t raw -I PREROUTING -i {lan}[ -s {answersFrom}][ -d "
			"{answersTo}]" FROM_PORT}},
	{CODE_FILTER_DROP_BRIDGE, "iptables", "yes",
		"Accept the flow in that chain, whatever interfaces it is seen on. To switch "
		"bridge-nf-call off is simpler, and ends what containers' isolation and services "
		"rest on.",
		{IPT_PUT " -s {range}[ -d {network}]" TO_PORT,
			IPT_PUT "[ -s {network}] -d {range}" FROM_PORT}},
	{CODE_NAT_UNEXPECTED_OWNER, "iptables", "yes",
		"Exempt flows of the mesh to this network in front of that rule, in the way of the "
		"program that owns it.",
		{"{ipt} -t {table} -I {chain} -s {range}[ -d {network}] -j ACCEPT"}},
	{CODE_CONNTRACK_STALE_NAT, "stale", "others",
		"Delete the entries of this service that have no answer; those of live connections "
		"must stay, and meshgw can tell them apart.",
		{"meshgw fix conntrack-stale-nat"}},
	{CODE_ROUTE_HAIRPIN_TUNNEL, "table", "254",
		"Delete the route to the target's network that leads into the tunnel; its proto "
		"tells who made it. If it covers more than this network, leave it, and add a "
		"better one beside it.",
		{"ip -{v} route del {entry} dev {dev} table {table}[ metric {metric}]",
			"ip -{v} route add {uncovered} dev {lan}"}},
	{CODE_TC_OR_XDP_DROP, "reason", "XDP",
		"The XDP program belongs to somebody, and others may rest on it: find out who (ip "
		"link show[ dev {interface}]; bpftool net), and let it pass the mesh range.",
		{}},
	{CODE_TUNNEL_INTERFACE_DOWN, "link", "down", "Bring the interface up.",
		{"ip link set dev {mesh} up"}},
	{CODE_TUNNEL_INTERFACE_DOWN, "tunnel", "own",
		"Restart meshgwd and meshgw-tunnel, which hold the other end.",
		{"systemctl restart meshgwd meshgw-tunnel"}},
	{CODE_TUNNEL_INTERFACE_MISSING, "tunnel", "own",
		"meshgwd makes it by itself; its log (journalctl -u meshgwd) says why it cannot.",
		{"meshgw status"}},
	{CODE_TUNNEL_QUEUE_FULL, "tunnel", "own",
		"Restart meshgw-tunnel, which interrupts all flows of the mesh, and see whether it "
		"lacks CPU; a longer queue (ip link, txqueuelen) helps against bursts.",
		{"systemctl restart meshgw-tunnel"}},
	{CODE_RETURN_ROUTE_MISSING, "configuration", "none", ROUTE_REMEDY, {ROUTE_COMMAND}},
	{CODE_RP_FILTER_NO_ROUTE, "configuration", "none", ROUTE_REMEDY, {ROUTE_COMMAND}},
	{CODE_NAME_NOT_RESOLVED, "by", "resolver",
		"See why this gateway's resolver does not answer (/etc/resolv.conf, getent "
		"ahosts[ {host}]); the name may be right.",
		{}},
	{CODE_UPSTREAM_SILENT, "probed", "yes",
		"Probes of this gateway separate the causes no further: look at the site's router "
		"and at the service, whether packets arrive there and where the answers go.",
		{}},
	{CODE_UPSTREAM_RETURN_ROUTE_MISSING, "configuration", "none",
		"Give the site's router, or the service's host, a route to the mesh range[ "
		"{range}] by this gateway. Or write /etc/meshgw/meshgw.yaml and apply it: meshgw "
		"hides the callers until it is proven that answers come back.",
		{"meshgw apply"}},
};

const struct code_variant *code_variant_next(enum code code, size_t *at)
{
	while (*at < sizeof(variants) / sizeof(variants[0])) {
		const struct code_variant *v = &variants[(*at)++];
		if (v->code == code)
			return v;
	}
	return nullptr;
}
