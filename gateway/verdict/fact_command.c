/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/fact_command.h"
#include "verdict/fact_table.h"
#include "verdict/flow_value.h"
#include "verdict/template.h"
#include <stdio.h>
#include <string.h>

static const char *lookup_template(const struct fact *f)
{
	return f->lookup.mark > 0 ? "ip -{v} route get {to}[ from {from}][ iif {iif}] mark {mark}"
				  : "ip -{v} route get {to}[ from {from}][ iif {iif}]";
}

static const char *icmp_template(const struct fact *f)
{
	return f->icmp.sender.family == AF_INET6 ? "tcpdump -ni any icmp6 and src host {sender}"
						 : "tcpdump -ni any icmp and src host {sender}";
}

static const char *chain_template(const struct fact *f)
{
	if (!f->chain.legacy)
		return "nft -a list chain {family} {table} {chain}";
	return strcmp(f->chain.family, "ip6") ? "iptables-legacy[ -t {table}] -S"
					      : "ip6tables-legacy[ -t {table}] -S";
}

/* By the beginning of the counter's name; one of a device has its name in front. */
static const char *counter_template(const struct fact *f)
{
	static const struct {
		const char *prefix, *template;
	} known[] = {
		{"nf_conntrack.", "conntrack -S"},
		{"nf_conntrack_", "sysctl net.netfilter.{name}"},
		{"rt_cache.", "cat /proc/net/stat/rt_cache"},
		{"arp_cache.", "cat /proc/net/stat/arp_cache"},
		{"ndisc_cache.", "cat /proc/net/stat/ndisc_cache"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(f->counter.name, known[i].prefix, strlen(known[i].prefix)))
			return known[i].template;
	return strchr(f->counter.name, '.') ? "ip -s link show dev {device}" : "nstat -az {name}";
}

/* What nobody else can send can at least be watched while the caller tries. */
static const char *probe_template(const struct fact *f)
{
	static const char *const templates[PROBE_NAMES] = {
		[PROBE_RANGE] = "tcpdump -ni any host {target}",
		[PROBE_INJECTED] = "tcpdump -ni any host {target}",
		[PROBE_INJECTED_OTHER] = "tcpdump -ni any host {target}",
		[PROBE_INJECTED_ECHO] = "tcpdump -ni any host {target}",
		[PROBE_HOP] = "tcpdump -ni any host {target}[ or src host {sender}]",
		[PROBE_OWN_ECHO] = "ping -{v} -c 1 -W 2[ -I {source}] {target}",
		[PROBE_OWN_HOP] = "traceroute -{v} -n[ -s {source}] {target}",
		[PROBE_LARGE] = "ping -{v} -c 1 -W 2 -M do -s {payload} {target}",
		[PROBE_LINK] = "ip -{v} neigh show to {target}",
	};

	if (f->probe.probe != PROBE_OWN && f->probe.probe != PROBE_OWN_OTHER)
		return templates[f->probe.probe];
	return "nc -{v}[{udp}]nvz -w 2[ -s {source}] {target} {port}";
}

static const char *l7_template(const struct fact *f)
{
	static const char *const templates[L7_ASKS] = {
		[L7_HTTP] = "curl -gsv -m 10 -o /dev/null {scheme}://{hostport}[{path}]",
		[L7_TLS] = "openssl s_client -connect {hostport}[ -servername {host}]",
		[L7_DNS] = "getent ahosts {host}",
	};
	return templates[f->l7.ask];
}

static const char *bgp_prefix_template(const struct fact *f)
{
	return f->bgp_prefix.neighbour.family == AF_UNSPEC
		       ? "vtysh -c 'show bgp {prefix}'"
		       : "vtysh -c 'show bgp {fw} unicast neighbors {neighbour} advertised-routes'";
}

/* A template, or the function that chooses it; neither where no command shows it. */
static const struct {
	const char *template;
	const char *(*choose)(const struct fact *);
} commands[FACT_KINDS] = {
	[FACT_LINK] = {"ip -d link show dev {interface}", nullptr},
	[FACT_SYSCTL] = {"sysctl {key}", nullptr},
	[FACT_LOOKUP] = {nullptr, lookup_template},
	[FACT_NEIGHBOUR] = {"ip -{v} neigh show to {address}[ dev {interface}]", nullptr},
	[FACT_PACKET] = {"tcpdump -ni {interface}[ host {source}]", nullptr},
	[FACT_ICMP] = {nullptr, icmp_template},
	[FACT_DROP] = {"perf trace --no-syscalls -e skb:kfree_skb", nullptr},
	[FACT_CALL] = {"tcpdump -ni any host {source}[ and port {port}]", nullptr},
	[FACT_TRACE] = {"nft -a list chain {family} {table} {chain}", nullptr},
	[FACT_CHAIN] = {nullptr, chain_template},
	[FACT_COUNTER] = {nullptr, counter_template},
	[FACT_CONNTRACK] = {"conntrack -L -f {fw} -r {replyFrom} -q {replyTo}", nullptr},
	[FACT_PROBE] = {nullptr, probe_template},
	[FACT_L7] = {nullptr, l7_template},
	[FACT_BGP] = {"vtysh -c 'show bgp summary'", nullptr},
	[FACT_BGP_NEIGHBOUR] = {"vtysh -c 'show bgp neighbors {address}'", nullptr},
	[FACT_BGP_PREFIX] = {nullptr, bgp_prefix_template},
	[FACT_CONFIG] = {"meshgw status", nullptr},
	[FACT_CONDITION] = {"meshgw status", nullptr},
	[FACT_SOCKET] = {"ss -Hln[ 'sport = :{port}']", nullptr},
	[FACT_PLATFORM] = {"cat /sys/class/dmi/id/sys_vendor", nullptr},
};

struct subject {
	const struct fact *fact;
	const struct flow *flow; /* nullptr = not known */
};

/* AF_UNSPEC when the fact has no address. */
static uint8_t fact_family(const struct fact *f)
{
	for (const struct field *row = fact_shapes[f->kind].fields; row->name; row++) {
		const void *at = (const char *)fact_base_const(f) + row->offset;
		uint8_t family = row->type == FIELD_ADDR ? ((const struct addr *)at)->family
				 : row->type == FIELD_PREFIX
					 ? ((const struct prefix *)at)->addr.family
					 : AF_UNSPEC;
		if (family != AF_UNSPEC)
			return family;
	}
	return AF_UNSPEC;
}

/* Values that are neither a member nor of the flow. */
static const char *special_value(
	const struct subject *s, const char *name, char buf[static FIELD_STRLEN])
{
	const struct fact *f = s->fact;

	if (f->kind == FACT_COUNTER && !strcmp(name, "device")) {
		const char *dot = strrchr(f->counter.name, '.');
		snprintf(buf, FIELD_STRLEN, "%.*s", dot ? (int)(dot - f->counter.name) : 0,
			f->counter.name);
		return buf;
	}
	if (!strcmp(name, "udp"))
		return s->flow && s->flow->proto == IPPROTO_UDP ? "u" : nullptr;
	if (!strcmp(name, "scheme"))
		return s->flow && s->flow->scheme == SCHEME_HTTPS ? "https" : "http";
	if (f->kind == FACT_PROBE && !strcmp(name, "payload") && f->probe.size > 48) {
		bool six = s->flow && s->flow->target.family == AF_INET6;
		snprintf(buf, FIELD_STRLEN, "%lld", (long long)f->probe.size - (six ? 48 : 28));
		return buf;
	}
	return nullptr;
}

static const char *subject_value(const void *of, const char *name, char buf[static FIELD_STRLEN])
{
	const struct subject *s = of;
	const struct field *row = field_find(fact_shapes[s->fact->kind].fields, name);
	const char *value = row ? field_str(row, fact_base_const(s->fact), buf) : nullptr;

	if (!value)
		value = special_value(s, name, buf);
	if (!value)
		value = family_value(fact_family(s->fact), name);
	if (!value && s->flow)
		value = flow_value(s->flow, name, buf);
	return value;
}

const char *fact_command_for(
	const struct fact *f, const struct flow *flow, char buf[static FACT_SAYS_LEN])
{
	struct subject subject = {f, flow};
	struct template_values values = {subject_value, &subject};
	const char *template = commands[f->kind].choose ? commands[f->kind].choose(f)
							: commands[f->kind].template;

	buf[0] = '\0';
	if (template)
		(void)template_command(template, &values, buf, FACT_SAYS_LEN);
	return buf;
}

const char *fact_command(const struct fact *f, char buf[static FACT_SAYS_LEN])
{
	return fact_command_for(f, nullptr, buf);
}
