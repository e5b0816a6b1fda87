/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/remedy_value.h"
#include "verdict/entry.h"
#include "verdict/flow_value.h"
#include "verdict/place.h"
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool attribute_is(const struct verdict *v, const char *name, const char *value)
{
	const char *is = verdict_attribute(v, name);

	return is && !strcmp(is, value);
}

/* The policy rule to blame, if it is one that refuses, as ip-rule(8) takes it: "priority 100 from
 * all to 10.0.0.0/8 unreachable". Several may share a priority, so all of it. One that looks up a
 * table is never to be deleted: it may be that of main. */
static const char *refusing_rule(const struct verdict *v, char buf[static FIELD_STRLEN])
{
	const char *rule = verdict_attribute(v, "rule");
	size_t digits = rule ? strspn(rule, "0123456789") : 0;

	if (!digits || strncmp(rule + digits, ": ", 2) != 0 || strstr(rule, "lookup") ||
		strlen(rule) >= FACT_TEXT_LEN - 1 || /* cut */
		(!strstr(rule, "unreachable") && !strstr(rule, "blackhole") &&
			!strstr(rule, "prohibit")))
		return nullptr;
	snprintf(buf, FIELD_STRLEN, "priority %.*s %s", (int)digits, rule, rule + digits + 2);
	return buf;
}

static const char *doubled(const char *limit, char buf[static FIELD_STRLEN])
{
	long long value = limit ? strtoll(limit, nullptr, 10) : 0;

	if (value <= 0 || value > 1LL << 30)
		return nullptr;
	snprintf(buf, FIELD_STRLEN, "%lld", 2 * value);
	return buf;
}

static const struct fact_config *config_of(const struct remedy_subject *s)
{
	size_t at = 0;
	const struct fact *f = evidence_next(s->evidence, FACT_CONFIG, &at);

	return f ? &f->config : nullptr;
}

static const struct fact_link *link_of(const struct remedy_subject *s, enum fact_role role)
{
	const struct fact *f;

	for (size_t at = 0; (f = evidence_next(s->evidence, FACT_LINK, &at));)
		if (f->link.role == role)
			return &f->link;
	return nullptr;
}

/* Where the configuration tells nothing, the flow alone is better than nothing. */
static const char *prefix_value(const struct prefix *p, const struct remedy_subject *s,
	const char *otherwise, char buf[static FIELD_STRLEN])
{
	if (p && p->addr.family != AF_UNSPEC)
		return prefix_str(p, buf);
	return flow_value(&s->evidence->flow, otherwise, buf);
}

static const char *network_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);

	return prefix_value(config ? &config->network : nullptr, s, "target", buf);
}

static const char *from_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	return flow_is_outgoing(&s->evidence->flow) ? FLOW_FROM_GATEWAY : nullptr;
}

/* What this host sends itself has nothing to do with the mesh. */
static const char *range_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	if (flow_is_outgoing(&s->evidence->flow))
		return nullptr;
	const struct fact_config *config = config_of(s);

	return prefix_value(config ? &config->range : nullptr, s, "client", buf);
}

static const char *mesh_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	const struct fact_link *link = link_of(s, ROLE_MESH);

	return s->evidence->mesh[0] || !link ? s->evidence->mesh : link->interface;
}

static const char *lan_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	const struct fact_link *lan = link_of(s, ROLE_LAN);
	const struct fact_link *link = lan ? lan : link_of(s, ROLE_EGRESS);

	return s->evidence->lan[0] || !link ? s->evidence->lan : link->interface;
}

static const char *tcp_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	return s->evidence->flow.proto == IPPROTO_TCP ? "tcp" : nullptr;
}

static const char *refusing_rule_value(
	const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return refusing_rule(s->verdict, buf);
}

/* ---- the route to blame ---- */

/* It may go: nobody would put it back, and nothing but this flow's network goes with it. */
static const char *entry_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	const struct fact_lookup *l = entry_blamed(s->verdict, s->evidence);

	return l && entry_may_go(l, s->evidence) ? prefix_str(&l->match, buf) : nullptr;
}

static const char *exceeded_value(
	const struct remedy_subject *s, bool range, char buf[static FIELD_STRLEN])
{
	const struct fact_lookup *l = entry_blamed(s->verdict, s->evidence);
	struct prefix exceeded;
	bool is_range;

	if (!l || l->match.addr.family == AF_UNSPEC ||
		!entry_exceeds(l, s->evidence, &is_range, &exceeded) || is_range != range)
		return nullptr;
	return prefix_str(&exceeded, buf);
}

static const char *uncovered_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return exceeded_value(s, false, buf);
}

static const char *uncovered_range_value(
	const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return exceeded_value(s, true, buf);
}

/* ---- the flow's protocol ---- */

static const char *l4_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	uint8_t proto = s->evidence->flow.proto;

	return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" : nullptr;
}

static const char *udp_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	return s->evidence->flow.proto == IPPROTO_UDP ? "udp" : nullptr;
}

static bool is_echo(const struct remedy_subject *s)
{
	uint8_t proto = s->evidence->flow.proto;
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static const char *echo_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return is_echo(s) ? flow_value(&s->evidence->flow, "icmp", buf) : nullptr;
}

/* Who was asked for by address: else others' entries have other sources. */
static const char *asker_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	bool asked = !s->evidence->flow.from[0] || !strcmp(s->evidence->flow.from, "address");

	return asked ? flow_value(&s->evidence->flow, "client", buf) : nullptr;
}

/* The same, where masquerading is what the flow should meet. A new TCP connection has a new port,
 * and no old entry. */
static const char *untranslated_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);
	bool masqueraded = config && !strcmp(config->mode, "masquerade");

	return masqueraded && s->evidence->flow.proto != IPPROTO_TCP ? asker_value(s, buf)
								     : nullptr;
}

/* Entries of datagrams tell nothing by themselves about being answered (conntrack(8)). */
static const char *stale_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	bool tcp = s->evidence->flow.proto == IPPROTO_TCP;
	return tcp || asker_value(s, buf) ? nullptr : "others";
}

/* ---- the place in a chain ---- */

/* The interface by which packets come in there, if their direction is to be accepted. */
static const char *enters_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return place_of(s->verdict, s->evidence).there ? mesh_value(s, buf) : nullptr;
}

static const char *returns_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return place_of(s->verdict, s->evidence).back ? lan_value(s, buf) : nullptr;
}

static const char *answers_from_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return place_of(s->verdict, s->evidence).translated ? network_value(s, buf) : nullptr;
}

static const char *answers_to_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return place_of(s->verdict, s->evidence).translated ? nullptr : range_value(s, buf);
}

static const char *put_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	return verdict_attribute(s->verdict, "handle") ? "insert" : "add";
}

static const char *at_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	return verdict_attribute(s->verdict, "handle") ? "I" : "A";
}

/* ---- the rest ---- */

/* Of the interfaces of the way, one that would lose its default route by IPv6's forwarding
 * (addrconf_fixup_forwarding(), net/ipv6/addrconf.c). */
static const char *accept_ra_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	size_t at = 0;

	if (!attribute_is(s->verdict, "sysctl", "net.ipv6.conf.all.forwarding"))
		return nullptr;
	const struct fact_sysctl *ra = evidence_hears_routers(s->evidence, &at);
	return ra ? ra->key : nullptr;
}

/* The mesh interface, where it is what somebody put into a VRF. */
static const char *captive_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	const char *mesh = mesh_value(s, buf);

	return mesh && attribute_is(s->verdict, "interface", mesh) ? mesh : nullptr;
}

static const char *wanted_value(const struct remedy_subject *s, char buf[static FIELD_STRLEN])
{
	return doubled(verdict_attribute(s->verdict, "max"), buf);
}

static const char *configuration_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);

	return config && config->up ? "up" : "none";
}

static const char *tunnel_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);

	return config && config->tunnel[0] ? "own" : "other";
}

static bool is_among(const char *name, const char *const names[], size_t n)
{
	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* The base chains that iptables-nft makes, which nobody else spells so. */
static bool is_iptables_base(const char *chain)
{
	static const char *const names[] = {
		"INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"};
	return is_among(chain, names, sizeof(names) / sizeof(names[0]));
}

/* Has the table to blame such a base chain? 1, 0; -1 = its base chains are not known. */
static int has_iptables_base(const struct remedy_subject *s, const char *table)
{
	const struct fact *f;
	int has = -1;

	for (size_t at = 0; (f = evidence_next(s->evidence, FACT_CHAIN, &at));) {
		const struct fact_chain *c = &f->chain;
		if (!c->legacy && !strcmp(c->table, table) &&
			attribute_is(s->verdict, "family", c->family))
			has = has == 1 || is_iptables_base(c->chain);
	}
	return has;
}

/* Is the chain to blame one of iptables-nft? Where nobody saw its table's base chains, by its name:
 * a table of the same name that was made by nft has base chains in lower case, by custom. */
static const char *iptables_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	static const char *const tables[] = {"filter", "mangle", "raw", "nat", "security"};
	static const char *const custom[] = {
		"input", "forward", "output", "prerouting", "postrouting"};
	const char *table = verdict_attribute(s->verdict, "table");
	const char *chain = verdict_attribute(s->verdict, "chain");
	bool family = attribute_is(s->verdict, "family", "ip") ||
		      attribute_is(s->verdict, "family", "ip6");

	if (!family || !is_among(table, tables, sizeof(tables) / sizeof(tables[0])))
		return "no";
	if (is_iptables_base(chain))
		return "yes";
	int has = has_iptables_base(s, table);
	if (has < 0)
		has = !is_among(chain, custom, sizeof(custom) / sizeof(custom[0]));
	return has ? "yes" : "no";
}

/* Was anything asked, and by this gateway itself? */
static const char *probed_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	size_t at = 0;
	bool probed = !s->evidence->passive && evidence_next(s->evidence, FACT_PROBE, &at);

	return probed ? "yes" : "no";
}

static const char *mesh_link_value(const struct remedy_subject *s, char[static FIELD_STRLEN])
{
	const struct fact_link *link = link_of(s, ROLE_MESH);

	return !link ? nullptr : link->up ? "up" : "down";
}

static const char *derived_value(
	const struct remedy_subject *s, const char *name, char buf[static FIELD_STRLEN])
{
	static const struct {
		const char *name;
		const char *(*value)(const struct remedy_subject *s, char buf[static FIELD_STRLEN]);
	} derived[] = {
		{"acceptRa", accept_ra_value},
		{"answersFrom", answers_from_value},
		{"answersTo", answers_to_value},
		{"asker", asker_value},
		{"at", at_value},
		{"captive", captive_value},
		{"configuration", configuration_value},
		{"echo", echo_value},
		{"enters", enters_value},
		{"entry", entry_value},
		{"from", from_value},
		{"iptables", iptables_value},
		{"l4", l4_value},
		{"lan", lan_value},
		{"link", mesh_link_value},
		{"mesh", mesh_value},
		{"network", network_value},
		{"probed", probed_value},
		{"put", put_value},
		{"range", range_value},
		{"refusingRule", refusing_rule_value},
		{"returns", returns_value},
		{"stale", stale_value},
		{"tcp", tcp_value},
		{"tunnel", tunnel_value},
		{"udp", udp_value},
		{"uncovered", uncovered_value},
		{"uncoveredRange", uncovered_range_value},
		{"untranslated", untranslated_value},
		{"wanted", wanted_value},
	};

	for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++)
		if (!strcmp(derived[i].name, name))
			return derived[i].value(s, buf);
	return nullptr;
}

const char *remedy_value(const void *of, const char *name, char buf[static FIELD_STRLEN])
{
	const struct remedy_subject *s = of;
	const char *value = verdict_attribute(s->verdict, name);

	if (!value || !value[0])
		value = derived_value(s, name, buf);
	if (!value || !value[0])
		value = flow_value(&s->evidence->flow, name, buf);
	return value;
}
