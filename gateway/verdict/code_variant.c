/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_variant.h"

/* Docker leaves this chain to others and jumps to it first, at each start. */
#define DOCKER_REMEDY                                                                            \
	"Accept the mesh range in the chain DOCKER-USER, which Docker leaves to others; a rule " \
	"anywhere else is overtaken when Docker starts."
#define DOCKER_COMMANDS                                         \
	{"{ipt} -I DOCKER-USER -i {mesh} -s {range} -j ACCEPT", \
		"{ipt} -I DOCKER-USER -o {mesh} -d {range} -j ACCEPT"}

#define UFW_REMEDY "Let ufw route the mesh range to the LAN; it keeps the rule."
#define UFW_COMMANDS {"ufw route allow in on {mesh} from {range}[ to {network}]"}

/* Policies between ANY zones are looked at for interfaces that are in a zone by name only. */
#define FIREWALLD_REMEDY "Give firewalld a policy that accepts the mesh range; it keeps the policy."
#define FIREWALLD_COMMANDS                                                                   \
	{"firewall-cmd --get-zone-of-interface {mesh} || firewall-cmd --permanent "          \
	 "--zone \"$(firewall-cmd --get-default-zone)\" --add-interface {mesh}",             \
		"firewall-cmd --permanent --get-policies | grep -qw meshgw || firewall-cmd " \
		"--permanent --new-policy meshgw && firewall-cmd --permanent --policy "      \
		"meshgw --add-ingress-zone ANY && firewall-cmd --permanent --policy meshgw " \
		"--add-egress-zone ANY",                                                     \
		"firewall-cmd --permanent --policy meshgw --add-rich-rule "                  \
		"'rule family={fw} source address={range} accept'",                          \
		"firewall-cmd --reload"}

/* nft's own "ct state" would make iptables refuse the whole table. */
#define IPTABLES_REMEDY \
	"Accept the mesh range in that chain, in the way of the program that owns it."
#define IPTABLES_COMMANDS                                                             \
	{"{ipt} -t {table} -I {chain} -i {mesh} -s {range}[ -d {network}] -j ACCEPT", \
		"{ipt} -t {table} -I {chain} -i {lan} -d {range} -m conntrack "       \
		"--ctstate ESTABLISHED,RELATED -j ACCEPT"}

#define LEGACY_REMEDY \
	"Accept the mesh range with iptables-legacy, or move the old rules to nftables."

#define ROUTE_REMEDY                                                                          \
	"Install the route of the range into the tunnel; once meshgw is configured, it does " \
	"so and keeps it."
#define ROUTE_COMMAND "ip -{v} route add {range} dev {mesh}"

static const struct code_variant variants[] = {
	{CODE_FILTER_DROP_FORWARD, "by", "docker", DOCKER_REMEDY, DOCKER_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "by", "docker", DOCKER_REMEDY, DOCKER_COMMANDS},
	{CODE_FILTER_DROP_FORWARD, "by", "ufw", UFW_REMEDY, UFW_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "by", "ufw", UFW_REMEDY, UFW_COMMANDS},
	{CODE_FILTER_DROP_FORWARD, "by", "firewalld", FIREWALLD_REMEDY, FIREWALLD_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "by", "firewalld", FIREWALLD_REMEDY, FIREWALLD_COMMANDS},
	{CODE_FILTER_DROP_FORWARD, "iptables", "yes", IPTABLES_REMEDY, IPTABLES_COMMANDS},
	{CODE_FILTER_REJECT_FORWARD, "iptables", "yes", IPTABLES_REMEDY, IPTABLES_COMMANDS},
	{CODE_FILTER_FIB_DROP, "by", "firewalld",
		"Mend the route to the packet's source first; if it is right, make firewalld's "
		"check loose.",
		{"sed -i 's/^IPv6_rpfilter=.*/IPv6_rpfilter=loose/' /etc/firewalld/firewalld.conf",
			"systemctl restart firewalld"}},
	{CODE_FILTER_DROP_INPUT, "by", "tailscale",
		"Accept the mesh range in front of Tailscale's rule against its own range; with "
		"remedies: [tailscale-input] in meshgw.yaml, meshgw does so and keeps it.",
		{"{ipt} -I ts-input -i {mesh} -s {range} -j ACCEPT"}},
	{CODE_FILTER_DROP_LEGACY_XTABLES, "table", "mangle", LEGACY_REMEDY,
		{"{ipt}-legacy -t mangle -I FORWARD -i {mesh} -s {range} -j ACCEPT",
			"{ipt}-legacy -t mangle -I FORWARD -o {mesh} -d {range} -j ACCEPT"}},
	{CODE_FILTER_DROP_LEGACY_XTABLES, "table", "raw", LEGACY_REMEDY,
		{"{ipt}-legacy -t raw -I PREROUTING -i {mesh} -s {range} -j ACCEPT",
			"{ipt}-legacy -t raw -I PREROUTING -i {lan} -d {range} -j ACCEPT"}},
	{CODE_FILTER_DROP_BRIDGE, "family", "bridge",
		"Accept the mesh range in that chain, in the way of the program that owns it.",
		{"nft insert rule bridge {table} {chain} {l3} saddr {range} accept",
			"nft insert rule bridge {table} {chain} {l3} daddr {range} accept"}},
	{CODE_ROUTE_HAIRPIN_TUNNEL, "table", "254",
		"Delete the route to the target's network that leads into the tunnel; its proto "
		"tells who made it.",
		{"ip -{v} route del {prefix} dev {dev} table {table}[ metric {metric}]"}},
	{CODE_TC_OR_XDP_DROP, "reason", "XDP",
		"Let the XDP program of the interface pass the mesh range, or detach it.",
		{"ip link set dev {interface} xdpgeneric off",
			"ip link set dev {interface} xdp off"}},
	{CODE_TUNNEL_INTERFACE_DOWN, "link", "down", "Bring the interface up.",
		{"ip link set dev {mesh} up"}},
	{CODE_RETURN_ROUTE_MISSING, "configuration", "none", ROUTE_REMEDY, {ROUTE_COMMAND}},
	{CODE_RP_FILTER_NO_ROUTE, "configuration", "none", ROUTE_REMEDY, {ROUTE_COMMAND}},
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
