/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/condition.h"
#include "verdict/code_variant.h"
#include "verdict/verdict.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_names(void **)
{
	for (enum code code = 0; code < CODES; code++) {
		const char *name = code_str(code);
		assert_non_null(name);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-46"), strlen(name));
		assert_int_equal(code_parse(name), code); /* and none comes twice */
	}
	assert_int_equal(code_parse("gremlins"), CODES);
	assert_int_equal(code_parse(""), CODES);
	/* Each is where its enumerator says. */
	assert_string_equal(code_str(CODE_TUNNEL_RETURN_LOST), "tunnel-return-lost");
	assert_string_equal(code_str(CODE_FORWARDING_DISABLED), "forwarding-disabled");
	assert_string_equal(code_str(CODE_VRF_MISMATCH), "vrf-mismatch");
	assert_string_equal(code_str(CODE_NOT_ALLOWED), "not-allowed");
	assert_string_equal(code_str(CODE_FRAGMENTS_LOST), "fragments-lost");
	assert_string_equal(code_str(CODE_UPSTREAM_SILENT), "upstream-silent");
	assert_string_equal(code_str(CODE_SERVICE_PORT_CLOSED), "service-port-closed");
	assert_string_equal(
		code_str(CODE_CONFIG_CHANGED_DURING_ANALYSIS), "config-changed-during-analysis");
}

static void check_text(const char *name, const char *text)
{
	if (!text || !text[0] || text[strlen(text) - 1] != '.')
		fail_msg("%s: \"%s\" is no sentence", name, text ? text : "");
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '\\')
			fail_msg("%s: \"%s\" has a character that is not plain", name, text);
}

/* In a sentence values stand in brackets only, since any of them may be missing. */
static void check_sentence(const char *name, const char *text)
{
	bool optional = false;

	check_text(name, text);
	if (strlen(text) + strlen("2606:4700:cf1:5000::/64 This mends  as well.") + 36 >
		FACT_SAYS_LEN)
		fail_msg("%s: \"%s\" is too long with its values", name, text);
	for (const char *p = text; *p; p++) {
		optional = *p == '[' ? true : *p == ']' ? false : optional;
		if (*p == '{' && !optional)
			fail_msg("%s: \"%s\" needs a value", name, text);
	}
	assert_false(optional);
}

static void test_texts(void **)
{
	for (enum code code = 0; code < CODES; code++) {
		const struct code_row *row = code_row(code);
		assert_in_range(row->class, 0, CODE_CLASSES - 1);
		check_text(row->name, row->title);
		check_text(row->name, row->evidence);
		check_sentence(row->name, row->remedy);
		assert_null(strchr(row->title, '{'));
		size_t at = 0;
		for (const struct code_variant *v; (v = code_variant_next(code, &at));)
			check_sentence(row->name, v->remedy);
	}
}

/* Names that the decision gives, or that are known of every flow. */
static void check_name(const char *code, const char *name, size_t len)
{
	static const char *const names[] = {
		"acceptRa",
		"address",
		"answersFrom",
		"answersTo",
		"asker",
		"at",
		"captive",
		"chain",
		"client",
		"dev",
		"echo",
		"enters",
		"entry",
		"family",
		"fw",
		"gateway",
		"handle",
		"host",
		"icmp",
		"interface",
		"ipt",
		"l3",
		"l4",
		"lan",
		"lladdr",
		"mesh",
		"metric",
		"mtu",
		"network",
		"nfticmp",
		"peer",
		"port",
		"put",
		"range",
		"refusingRule...",
		"returns",
		"sender",
		"sysctl",
		"table",
		"target",
		"tcp",
		"tooBig",
		"udp",
		"uncovered",
		"uncoveredRange",
		"untranslated",
		"v",
		"wanted",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strlen(names[i]) == len && !strncmp(names[i], name, len))
			return;
	fail_msg("%s: nobody knows {%.*s}", code, (int)len, name);
}

static void check_command(const char *code, const char *command)
{
	int open = 0, quotes = 0;

	for (const char *p = command; *p; p++) {
		open += *p == '[' ? 1 : *p == ']' ? -1 : 0;
		assert_in_range(open, 0, 1);
		quotes += *p == '\'';
		assert_true(*p >= ' ' && *p <= '~' && *p != '\\');
		size_t len = *p == '{' ? strcspn(p + 1, " }") : 0;
		if (len && p[1 + len] == '}')
			check_name(code, p + 1, len);
	}
	assert_int_equal(open, 0);
	assert_int_equal(quotes % 2, 0);
}

/* What would take from others as well. */
static void check_harm(const char *code, const char *const commands[CODE_COMMANDS])
{
	static const char *const harms[] = {"flush", "qdisc del", "xdp", "bridge-nf-call",
		"route del {prefix}", "rule del priority", "restart frr", "conntrack -F"};

	for (size_t i = 0; i < CODE_COMMANDS && commands[i]; i++) {
		const char *c = commands[i];
		for (size_t j = 0; j < COUNT(harms); j++)
			if (strstr(c, harms[j]))
				fail_msg("%s: \"%s\" takes from others as well", code, c);
		/* Nothing but this host's own packets to the LAN is accepted on all ports. */
		bool accepts = !strncmp(c, "nft", 3) && strstr(c, " accept");
		accepts |= strstr(c, "-j ACCEPT") || !strncmp(c, "ufw", 3);
		if (accepts && !strstr(c, "port") && !strstr(c, "ESTABLISHED") &&
			!strstr(c, "established") && !strstr(c, "type {tooBig}") &&
			strcmp(code, "filter-drop-output") != 0 &&
			strcmp(code, "nat-unexpected-owner") != 0)
			fail_msg("%s: \"%s\" opens all ports", code, c);
	}
}

static void test_commands(void **)
{
	for (enum code code = 0; code < CODES; code++) {
		const struct code_row *row = code_row(code);
		size_t at = 0;
		for (size_t i = 0; i < CODE_COMMANDS && row->commands[i]; i++)
			check_command(row->name, row->commands[i]);
		const struct code_variant *v;
		while ((v = code_variant_next(code, &at)))
			for (size_t i = 0; i < CODE_COMMANDS && v->commands[i]; i++)
				check_command(row->name, v->commands[i]);
		/* What the program can do it can also show. */
		if (row->fix)
			assert_non_null(row->commands[0]);
		check_harm(row->name, row->commands);
		for (at = 0; (v = code_variant_next(code, &at));)
			check_harm(row->name, v->commands);
	}
}

/* The same name is the same cause. These are about the daemon and no packet's fate. */
static void test_conditions_are_codes(void **)
{
	static const char *const of_the_daemon[] = {
		"unconfigured",
		"taken-down",
		"config-invalid",
		"config-unreadable",
		"config-missing",
		"config-not-applied",
		"confirm-pending",
		"rolled-back",
		"state-not-saved",
		"capability-missing",
		"kernel-feature-missing",
		"nft-table-missing",
		"nft-table-taken",
		"nft-table-unowned",
		"state-contested",
		"return-path-unproven",
		"return-path-lost",
		"frr-not-installed",
		"frr-not-answering",
		"frr-config-locked",
		"frr-config-rejected",
		"frr-not-in-place",
		"frr-asn-mismatch",
		"frr-neighbor-foreign",
		"bgp-password-unreadable",
		"ranges-leak-to-foreign-neighbour",
		"frr-import-check-off",
		"frr-saved",
		"frr-static-foreign",
		"remedy-not-in-place",
		"witness-silent",
		"witness-missing",
		"probe-filtered-locally",
		"host-masqueraded",
		"bridge-not-attached",
		"bridge-config-refused",
		"bridge-not-listening",
		"bridge-too-many-listeners",
		"bridge-file-unusable",
		"bridge-name-unusable",
		"tunnel-proposal-refused",
		"tunnel-flooded",
		"tunnel-peer-excess",
		"tunnel-peer-spoofed",
		"tunnel-path-lossy",
		/* A network at once: a diagnosis tells which of the three kinds of route it is. */
		"route-refused",
	};
	size_t n = 0;

	for (enum condition_code c = 0; c < COND_CODES; c++) {
		bool daemon = false;
		for (size_t i = 0; i < COUNT(of_the_daemon); i++)
			daemon |= !strcmp(of_the_daemon[i], condition_code_str(c));
		bool code = code_parse(condition_code_str(c)) < CODES;
		if (daemon == code)
			fail_msg("%s: %s", condition_code_str(c),
				code ? "a code, and said to be none" : "no code");
		n += daemon;
	}
	assert_int_equal(n, COUNT(of_the_daemon));
}

static struct prefix P(const char *text) {
	struct prefix p = {};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* Attributes are "name=value". */
static void
check_remedy(enum code code, const struct evidence *e, const char *const *attributes,
	const char *const *want)
{
	struct verdict v = {.code = code, .next = CODES};
	struct verdict_remedy remedy;

	for (; *attributes; attributes++) {
		struct verdict_attribute *a = &v.attributes[v.n_attributes++];
		const char *equals = strchr(*attributes, '=');
		snprintf(
			a->name, sizeof(a->name), "%.*s", (int)(equals - *attributes), *attributes);
		snprintf(a->value, sizeof(a->value), "%s", equals + 1);
	}
	for (; v.n_evidence < e->n && v.n_evidence < VERDICT_EVIDENCE; v.n_evidence++)
		v.evidence[v.n_evidence] = v.n_evidence;
	verdict_remedy(&v, e, &remedy);
	size_t n = 0;
	for (; want[n]; n++)
		assert_string_equal(n < remedy.n_commands ? remedy.commands[n] : "", want[n]);
	assert_int_equal(remedy.n_commands, n);
	assert_int_equal(remedy.applicable, code_row(code)->fix && n > 0);
	check_text(code_str(code), remedy.text);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) nullptr})

/* The flow is to port 3000 of 10.0.1.50, and a configuration knows its ends. */
static struct fact_config *add_service(struct evidence *e)
{
	struct err err;

	assert_int_equal(flow_parse("10.0.1.50:3000", &e->flow, &err), 0);
	struct fact_config *config = &evidence_add(e, FACT_CONFIG)->config;
	config->range = P("100.64.0.0/12");
	config->network = P("10.0.1.0/24");
	return config;
}

/* For port 3000 of 10.0.1.50, with meshgw up. */
static const struct {
	enum code code;
	const char *const *found, *const *wanted;
} remedies[] = {
	{CODE_ROUTE_UNREACHABLE, LIST("rule=100: from all to 10.0.1.0/24 fwmark 0x9 unreachable"),
		LIST("ip -4 rule del priority 100 from all to 10.0.1.0/24 fwmark 0x9 unreachable")},
	{CODE_ROUTE_UNREACHABLE, LIST("rule=100: from all iif $(id) unreachable"), LIST()},
	{CODE_ROUTE_UNREACHABLE, LIST("rule=100: from all lookup 7"), LIST()},
	{CODE_FILTER_DROP_FORWARD, LIST("family=inet", "table=site", "chain=fw", "handle=12"),
		LIST("nft insert rule inet site fw handle 12 iifname CloudflareWARP ip saddr "
		     "100.64.0.0/12 ip daddr 10.0.1.0/24 tcp dport 3000 accept",
			"nft insert rule inet site fw handle 12 iifname eth0 ip daddr "
			"100.64.0.0/12 ct state established,related accept")},
	/* Its policy: behind what it says of others. */
	{CODE_FILTER_DROP_FORWARD, LIST("family=inet", "table=site", "chain=fw"),
		LIST("nft add rule inet site fw iifname CloudflareWARP ip saddr 100.64.0.0/12 "
		     "ip daddr 10.0.1.0/24 tcp dport 3000 accept",
			"nft add rule inet site fw iifname eth0 ip daddr 100.64.0.0/12 ct state "
			"established,related accept")},
	{CODE_FILTER_DROP_INPUT, LIST("family=inet", "table=site", "chain=in", "handle=4"),
		LIST("nft insert rule inet site in handle 4 iifname CloudflareWARP ip saddr "
		     "100.64.0.0/12 ip daddr 10.0.1.50 tcp dport 3000 accept")},
	{CODE_FILTER_DROP_INPUT,
		LIST("by=tailscale", "family=ip", "table=filter", "chain=ts-input", "handle=4"),
		LIST("iptables -I ts-input -i CloudflareWARP -s 100.64.0.0/12 -d 10.0.1.50 -p tcp "
		     "--dport 3000 -j ACCEPT")},
	{CODE_FILTER_DROP_FORWARD, LIST("by=docker", "family=ip", "table=filter", "chain=FORWARD"),
		LIST("iptables -I DOCKER-USER -i CloudflareWARP -s 100.64.0.0/12 -d 10.0.1.0/24 "
		     "-p tcp --dport 3000 -j ACCEPT",
			"iptables -I DOCKER-USER -i eth0 -o CloudflareWARP -d 100.64.0.0/12 -m "
			"conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")},
	{CODE_FILTER_REJECT_FORWARD,
		LIST("by=libvirt", "family=ip", "table=filter", "chain=LIBVIRT_FWI", "handle=7"),
		LIST("iptables -t filter -I LIBVIRT_FWI -i CloudflareWARP -s 100.64.0.0/12 -d "
		     "10.0.1.0/24 -p tcp --dport 3000 -j ACCEPT",
			"iptables -t filter -I LIBVIRT_FWI -i eth0 -d 100.64.0.0/12 -m conntrack "
			"--ctstate ESTABLISHED,RELATED -j ACCEPT")},
	{CODE_FILTER_DROP_FORWARD, LIST("by=ufw"),
		LIST("ufw route allow in on CloudflareWARP proto tcp from 100.64.0.0/12 to "
		     "10.0.1.0/24 port 3000")},
	{CODE_FILTER_DROP_BRIDGE, LIST("family=ip", "table=filter", "chain=FORWARD", "handle=2"),
		LIST("iptables -t filter -I FORWARD -s 100.64.0.0/12 -d 10.0.1.0/24 -p tcp --dport "
		     "3000 -j ACCEPT",
			"iptables -t filter -I FORWARD -s 10.0.1.0/24 -d 100.64.0.0/12 -p tcp "
			"--sport 3000 -j ACCEPT")},
	{CODE_FILTER_DROP_BRIDGE, LIST("family=bridge", "table=b", "chain=f", "handle=3"),
		LIST("nft insert rule bridge b f handle 3 ip saddr 100.64.0.0/12 ip daddr "
		     "10.0.1.0/24 tcp dport 3000 accept",
			"nft insert rule bridge b f handle 3 ip saddr 10.0.1.0/24 ip daddr "
			"100.64.0.0/12 tcp sport 3000 accept")},
	{CODE_CONNTRACK_TABLE_FULL, LIST("max=65536"),
		LIST("sysctl -w net.netfilter.nf_conntrack_max=131072")},
	{CODE_CONNTRACK_STALE_NAT, LIST(),
		LIST("conntrack -D -f ipv4 -s 100.64.0.0/12 -d 10.0.1.50 -p tcp --dport 3000 "
		     "--state SYN_SENT")},
	{CODE_MSS_NOT_CLAMPED, LIST(),
		LIST("nft 'add table inet mss_clamp; add chain inet mss_clamp forward { type "
		     "filter hook forward priority mangle; }'",
			"nft add rule inet mss_clamp forward iifname CloudflareWARP tcp flags syn "
			"tcp option maxseg size set rt mtu",
			"nft add rule inet mss_clamp forward oifname CloudflareWARP tcp flags syn "
			"tcp option maxseg size set rt mtu")},
	/* Somebody else's, or nothing wrong at all. */
	{CODE_SOURCE_IS_OWN_ADDRESS, LIST("address=10.0.1.11"), LIST()},
	{CODE_TC_OR_XDP_DROP, LIST("interface=eth0"), LIST()},
	{CODE_TC_OR_XDP_DROP, LIST("interface=eth0", "reason=XDP"), LIST()},
	{CODE_EGRESS_QUEUE_DROP, LIST("interface=eth0"), LIST()},
	{CODE_VRF_MISMATCH, LIST("interface=eth0", "by=mgmt"), LIST()},
	{CODE_VRF_MISMATCH, LIST("interface=CloudflareWARP", "by=red"),
		LIST("ip link set dev CloudflareWARP nomaster")},
};

/* Whose program it is decides whom to restart. */
static void test_remedies_of_a_tunnel(void **)
{
	static const enum code codes[] = {
		CODE_TUNNEL_INTERFACE_MISSING, CODE_TUNNEL_INTERFACE_DOWN, CODE_TUNNEL_QUEUE_FULL};

	for (size_t i = 0; i < COUNT(codes); i++)
		for (int own = 0; own < 2; own++) {
			struct evidence e = {.mesh = "mesh0"};
			struct verdict v = {.code = codes[i], .next = CODES};
			struct verdict_remedy remedy;
			snprintf(evidence_add(&e, FACT_CONFIG)->config.tunnel, 12, "%s",
				own ? "edge" : "");
			verdict_remedy(&v, &e, &remedy);
			assert_int_equal(strstr(remedy.commands[0], "warp-svc") != nullptr, !own);
			evidence_clear(&e);
		}
}

static void test_remedies(void **)
{
	struct evidence e = {.mesh = "CloudflareWARP", .lan = "eth0"};

	struct fact_config *config = add_service(&e);

	check_remedy(CODE_FORWARDING_DISABLED, &e, LIST("sysctl=net.ipv4.ip_forward", "wanted=1"),
		LIST("sysctl -w net.ipv4.ip_forward=1"));
	check_remedy(CODE_FORWARDING_DISABLED, &e, LIST("wanted=1"), LIST());
	check_remedy(CODE_RETURN_ROUTE_MISSING, &e, LIST(),
		LIST("ip -4 route add 100.64.0.0/12 dev CloudflareWARP"));
	config->up = true;
	check_remedy(CODE_RETURN_ROUTE_MISSING, &e, LIST(), LIST("meshgw apply"));
	for (size_t i = 0; i < COUNT(remedies); i++)
		check_remedy(remedies[i].code, &e, remedies[i].found, remedies[i].wanted);
	/* Whose table it is, its base chains tell. */
	struct fact_chain *base = &evidence_add(&e, FACT_CHAIN)->chain;
	*base = (struct fact_chain){
		.family = "ip", .table = "nat", .chain = "post", .hook = "postrouting"};
	check_remedy(CODE_NAT_UNEXPECTED_OWNER, &e, LIST("family=ip", "table=nat", "chain=post"),
		LIST("nft insert rule ip nat post ip saddr 100.64.0.0/12 ip daddr 10.0.1.0/24 "
		     "accept"));
	snprintf(base->chain, sizeof(base->chain), "POSTROUTING");
	check_remedy(CODE_NAT_UNEXPECTED_OWNER, &e,
		LIST("family=ip", "table=nat", "chain=KUBE-POSTROUTING"),
		LIST("iptables -t nat -I KUBE-POSTROUTING -s 100.64.0.0/12 -d 10.0.1.0/24 -j "
		     "ACCEPT"));
	evidence_clear(&e);
}

/* Of the entry that a lookup found. */
static const struct {
	enum code code;
	enum fact_question question;
	const char *match, *attributes[4], *command, *text;
	int64_t protocol;
} entries[] = {
	{CODE_ROUTE_BLACKHOLE, ASK_FORWARD, "10.0.1.0/24",
		{"prefix=10.0.1.0/24", "table=254", "metric=0"},
		"ip -4 route del blackhole 10.0.1.0/24 table 254 metric 0", "", 4},
	/* A guard for addresses that nobody has. */
	{CODE_ROUTE_BLACKHOLE, ASK_FORWARD, "10.0.0.0/8", {"prefix=10.0.0.0/8", "table=254"},
		"ip -4 route add 10.0.1.0/24 dev eth0", "", 4},
	{CODE_ROUTE_BLACKHOLE, ASK_REVERSE, "100.64.0.0/10", {"prefix=100.64.0.0/10", "table=254"},
		"ip -4 route add 100.64.0.0/12 dev CloudflareWARP", "", 4},
	{CODE_ROUTE_WRONG_EGRESS, ASK_FORWARD, "10.0.1.0/25",
		{"prefix=10.0.1.0/25", "dev=eth1", "table=254"},
		"ip -4 route del 10.0.1.0/25 dev eth1 table 254", "", 3},
	/* Never the machine's way to the world, nor what its owner puts back. */
	{CODE_ROUTE_WRONG_EGRESS, ASK_FORWARD, "0.0.0.0/0",
		{"prefix=0.0.0.0/0", "dev=eth1", "table=254"},
		"ip -4 route add 10.0.1.0/24 dev eth0", "", 3},
	{CODE_RETURN_ROUTE_SHADOWED, ASK_REVERSE, "100.64.7.0/24",
		{"prefix=100.64.7.0/24", "dev=eth0", "table=254"}, "", "The kernel made this route",
		2},
	{CODE_RETURN_ROUTE_SHADOWED, ASK_REVERSE, "100.64.7.0/24",
		{"prefix=100.64.7.0/24", "dev=eth0", "table=254"}, "", "DHCP made this route", 16},
	{CODE_ROUTE_HAIRPIN_TUNNEL, ASK_FORWARD, "10.0.1.0/24",
		{"prefix=10.0.1.0/24", "dev=CloudflareWARP", "table=254"},
		"ip -4 route del 10.0.1.0/24 dev CloudflareWARP table 254", "", 4},
	/* Other sites are reached by it. */
	{CODE_ROUTE_HAIRPIN_TUNNEL, ASK_FORWARD, "10.0.0.0/8",
		{"prefix=10.0.0.0/8", "dev=CloudflareWARP", "table=254"},
		"ip -4 route add 10.0.1.0/24 dev eth0", "", 4},
};

static void test_remedies_of_entries(void **)
{
	for (size_t i = 0; i < COUNT(entries); i++) {
		struct evidence e = {.mesh = "CloudflareWARP", .lan = "eth0"};
		struct verdict v = {.code = entries[i].code, .next = CODES};
		struct verdict_remedy remedy;

		(void)add_service(&e);
		struct fact_lookup *l = &evidence_add(&e, FACT_LOOKUP)->lookup;
		l->question = entries[i].question;
		l->entry = true;
		l->match = P(entries[i].match);
		l->protocol = entries[i].protocol;
		v.evidence[v.n_evidence++] = 1;
		for (const char *const *a = entries[i].attributes; *a; a++) {
			struct verdict_attribute *to = &v.attributes[v.n_attributes++];
			const char *equals = strchr(*a, '=');
			snprintf(to->name, sizeof(to->name), "%.*s", (int)(equals - *a), *a);
			snprintf(to->value, sizeof(to->value), "%s", equals + 1);
		}
		verdict_remedy(&v, &e, &remedy);
		assert_string_equal(remedy.commands[0], entries[i].command);
		assert_int_equal(remedy.n_commands, entries[i].command[0] != '\0');
		/* What would not be done is not offered. */
		assert_int_equal(remedy.applicable,
			code_row(v.code)->fix && strstr(remedy.commands[0], "route del"));
		assert_non_null(strstr(remedy.text, entries[i].text));
		evidence_clear(&e);
	}
}

static void test_remedies_of_ipv6(void **)
{
	struct evidence e = {.mesh = "CloudflareWARP", .lan = "eth0"};
	struct err err;

	assert_int_equal(flow_parse("udp://[2001:db8:1::50]:53", &e.flow, &err), 0);
	assert_int_equal(addr_parse("2606:4700:cf1:5000::9", &e.flow.client), 0);
	/* Without a configuration the caller alone is known. */
	check_remedy(CODE_RETURN_ROUTE_MISSING, &e, LIST(),
		LIST("ip -6 route add 2606:4700:cf1:5000::9 dev CloudflareWARP"));
	check_remedy(CODE_FILTER_DROP_LEGACY_XTABLES, &e, LIST("table=filter"),
		LIST("ip6tables-legacy -I FORWARD -i CloudflareWARP -s "
		     "2606:4700:cf1:5000::9 -d 2001:db8:1::50 -p udp --dport 53 -j ACCEPT",
			"ip6tables-legacy -I FORWARD -o CloudflareWARP -d "
			"2606:4700:cf1:5000::9 -p udp --sport 53 -j ACCEPT"));
	/* Datagrams of others may be alive. */
	check_remedy(CODE_CONNTRACK_STALE_NAT, &e, LIST("range=2606:4700:cf1:5000::/64"),
		LIST("conntrack -D -f ipv6 -s 2606:4700:cf1:5000::9 -d 2001:db8:1::50 -p udp "
		     "--dport 53"));
	snprintf(e.flow.from, sizeof(e.flow.from), "workers");
	check_remedy(CODE_CONNTRACK_STALE_NAT, &e, LIST("range=2606:4700:cf1:5000::/64"),
		LIST("meshgw fix conntrack-stale-nat"));
	check_remedy(CODE_PMTU_ERRORS_FILTERED_LOCALLY, &e,
		LIST("family=inet", "table=t", "chain=output", "handle=9"),
		LIST("nft insert rule inet t output handle 9 icmpv6 type packet-too-big accept",
			"nft 'add table inet mss_clamp; add chain inet mss_clamp forward { type "
			"filter hook forward priority mangle; }'",
			"nft add rule inet mss_clamp forward iifname CloudflareWARP tcp flags syn "
			"tcp option maxseg size set rt mtu",
			"nft add rule inet mss_clamp forward oifname CloudflareWARP tcp flags syn "
			"tcp option maxseg size set rt mtu"));
	/* This host may be reached by what routers advertise. */
	struct fact_sysctl *ra = &evidence_add(&e, FACT_SYSCTL)->sysctl;
	snprintf(ra->key, sizeof(ra->key), "net.ipv6.conf.eth0.accept_ra");
	ra->value = 1;
	check_remedy(CODE_FORWARDING_DISABLED, &e,
		LIST("sysctl=net.ipv6.conf.all.forwarding", "wanted=1"),
		LIST("sysctl -w net.ipv6.conf.eth0.accept_ra=2",
			"sysctl -w net.ipv6.conf.all.forwarding=1"));
	evidence_clear(&e);
}

static void test_remedies_of_echoes(void **)
{
	struct evidence e = {.mesh = "CloudflareWARP", .lan = "eth0"};
	struct err err;

	assert_int_equal(flow_parse("icmp://10.0.1.50", &e.flow, &err), 0);
	assert_int_equal(addr_parse("100.64.0.9", &e.flow.client), 0);
	check_remedy(CODE_FILTER_DROP_INPUT, &e,
		LIST("family=inet", "table=site", "chain=in", "handle=4"),
		LIST("nft insert rule inet site in handle 4 iifname CloudflareWARP ip saddr "
		     "100.64.0.9 ip daddr 10.0.1.50 meta l4proto icmp accept"));
	check_remedy(CODE_FILTER_DROP_POSTROUTING, &e,
		LIST("family=ip", "table=mangle", "chain=POSTROUTING"),
		LIST("iptables -t mangle -A POSTROUTING -o eth0 -d 10.0.1.50 -p icmp -j ACCEPT",
			"iptables -t mangle -A POSTROUTING -o CloudflareWARP -d 100.64.0.9 -p icmp "
			"-j ACCEPT"));
	check_remedy(CODE_CONNTRACK_STALE_NAT, &e, LIST(),
		LIST("conntrack -D -f ipv4 -s 100.64.0.9 -d 10.0.1.50 -p icmp"));
	/* The entry that the tunnel left behind. */
	check_remedy(CODE_WARP_TABLE_CAPTURES_LAN, &e, LIST(),
		LIST("ip -4 rule add priority 0 to 10.0.1.50 lookup main"));
	struct fact_config *config = &evidence_add(&e, FACT_CONFIG)->config;
	snprintf(config->mode, sizeof(config->mode), "masquerade");
	check_remedy(CODE_WARP_TABLE_CAPTURES_LAN, &e, LIST(),
		LIST("ip -4 rule add priority 0 to 10.0.1.50 lookup main",
			"conntrack -D -f ipv4 -s 100.64.0.9 -d 10.0.1.50 -p icmp"));
	e.flow.proto = IPPROTO_TCP;
	check_remedy(CODE_WARP_TABLE_CAPTURES_LAN, &e, LIST(),
		LIST("ip -4 rule add priority 0 to 10.0.1.50 lookup main"));
	evidence_clear(&e);
}

static void test_both_covered(void **)
{
	struct evidence e = {};
	struct verdict v = {.code = CODE_UPSTREAM_RETURN_ROUTE_MISSING,
		.next = CODE_RETURN_ROUTE_MISSING,
		.both_covered = true};
	struct verdict_remedy remedy;

	verdict_remedy(&v, &e, &remedy);
	assert_non_null(strstr(remedy.text, "This mends return-route-missing as well."));
}

static const char *remedy_text(enum code code, const struct evidence *e)
{
	static struct verdict_remedy remedy;
	struct verdict v = {.code = code, .next = CODES};

	verdict_remedy(&v, e, &remedy);
	return remedy.text;
}

/* In front of NAT a masqueraded answer has the gateway's own address; and only the direction that
 * is dropped is opened. */
static void test_remedies_before_nat(void **)
{
	struct evidence e = {.mesh = "CloudflareWARP", .lan = "eth0"};

	struct fact_config *config = add_service(&e);
	snprintf(config->mode, sizeof(config->mode), "masquerade");
	evidence_add(&e, FACT_TRACE);
	struct fact_trace *t = &e.facts[1].trace;
	*t = (struct fact_trace){.family = "netdev", .hook = "ingress", .handle = 4};
	check_remedy(CODE_FILTER_DROP_PREROUTING, &e,
		LIST("family=netdev", "table=site", "chain=in", "handle=4"),
		LIST("nft insert rule netdev site in handle 4 iifname eth0 ip saddr 10.0.1.0/24 "
		     "tcp sport 3000 accept"));
	*t = (struct fact_trace){
		.family = "ip", .hook = "prerouting", .priority = -300, .handle = 4};
	check_remedy(CODE_FILTER_DROP_PREROUTING, &e,
		LIST("family=ip", "table=raw", "chain=PREROUTING", "handle=4"),
		LIST("iptables -t raw -I PREROUTING -i eth0 -s 10.0.1.0/24 -p tcp --sport 3000 -j "
		     "ACCEPT"));
	t->priority = -100;
	check_remedy(CODE_FILTER_CT_INVALID_DROP, &e,
		LIST("family=inet", "table=site", "chain=pre", "handle=4"),
		LIST("nft insert rule inet site pre handle 4 iifname eth0 ip daddr 100.64.0.0/12 "
		     "tcp sport 3000 accept"));
	t->to_target = true;
	check_remedy(CODE_FILTER_FIB_DROP, &e,
		LIST("family=inet", "table=site", "chain=pre", "handle=4"),
		LIST("nft insert rule inet site pre handle 4 iifname CloudflareWARP ip saddr "
		     "100.64.0.0/12 ip daddr 10.0.1.0/24 tcp dport 3000 accept"));
	evidence_clear(&e);
}

/* Nobody is told to do what was done. */
static void test_silence_after_probes(void **)
{
	struct evidence e = {};

	assert_null(strstr(code_row(CODE_UPSTREAM_SILENT)->title, "not asked"));
	assert_non_null(strstr(remedy_text(CODE_UPSTREAM_SILENT, &e), "--passive"));
	evidence_add(&e, FACT_PROBE);
	assert_null(strstr(remedy_text(CODE_UPSTREAM_SILENT, &e), "--passive"));
	e.passive = true;
	assert_non_null(strstr(remedy_text(CODE_UPSTREAM_SILENT, &e), "--passive"));
	evidence_clear(&e);
}

/* To apply what is there would change nothing: the line that is to be written. */
static void test_shows_the_edit(void **)
{
	struct evidence e = {};

	struct fact_config *config = &evidence_add(&e, FACT_CONFIG)->config;
	config->up = true;
	config->network = P("10.0.1.0/24");
	assert_non_null(strstr(remedy_text(CODE_UPSTREAM_RETURN_ROUTE_MISSING, &e),
		"{prefix: 10.0.1.0/24, return_path: masquerade}"));
	evidence_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_conditions_are_codes),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_remedies_of_a_tunnel),
		cmocka_unit_test(test_remedies_of_entries),
		cmocka_unit_test(test_remedies_of_ipv6),
		cmocka_unit_test(test_remedies_of_echoes),
		cmocka_unit_test(test_both_covered),
		cmocka_unit_test(test_remedies_before_nat),
		cmocka_unit_test(test_silence_after_probes),
		cmocka_unit_test(test_shows_the_edit),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
