/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fix.h"
#include "daemon/fix_int.h"
#include "verdict/entry.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fix_step *fix_add(struct fix *f, enum fix_kind kind)
{
	/* No planner has that many; a spare place is written again and again. */
	struct fix_step *step = &f->list[f->n];

	if (f->n + 1 < FIX_STEPS)
		f->n++;
	*step = (struct fix_step){.kind = kind, .sysctl.from = -1};
	return step;
}

const char *fix_attribute(const struct fix_subject *s, const char *name)
{
	const char *value = verdict_attribute(s->v, name);
	return value ? value : "";
}

int fix_refuse(struct err *err, const char *why)
{
	return err_set(err, EOPNOTSUPP, "%s", why);
}

/* ---- sysctls ---- */

/* sysctl(8) writes dots for slashes, and the other way round. */
static bool read_key(const char *dotted, char out[SYSCTL_KEY_LEN])
{
	if (strncmp(dotted, "net.", 4) != 0 || strlen(dotted) >= SYSCTL_KEY_LEN)
		return false;
	snprintf(out, SYSCTL_KEY_LEN, "%s", dotted + 4);
	for (char *c = out; *c; c++)
		if (*c == '.' || *c == '/')
			*c = (char)(*c == '.' ? '/' : '.');
	return true;
}

static int plan_value(const char *key, long long value, struct fix *out, struct err *err)
{
	char path[SYSCTL_KEY_LEN];

	if (value < 0 || value > INT32_MAX || !read_key(key, path))
		return fix_refuse(err, "the diagnosis does not name the setting");
	struct fix_sysctl *sysctl = &fix_add(out, FIX_SYSCTL)->sysctl;
	memcpy(sysctl->key, path, sizeof(path));
	sysctl->to = (int)value;
	return 0;
}

/* Forwarding of IPv6 ends the hearing of router advertisements, and with it routes that this host
 * may be reached by (addrconf_fixup_forwarding(), net/ipv6/addrconf.c). */
static int keep_advertised(const struct fix_subject *s, struct fix *out, struct err *err)
{
	const struct fact_sysctl *ra;
	int r = 0;

	if (strcmp(fix_attribute(s, "sysctl"), "net.ipv6.conf.all.forwarding") != 0)
		return 0;
	for (size_t at = 0; r >= 0 && (ra = evidence_hears_routers(s->e, &at));)
		r = plan_value(ra->key, 2, out, err);
	return r;
}

static int plan_sysctl(const struct fix_subject *s, struct fix *out, struct err *err)
{
	const char *wanted = fix_attribute(s, "wanted");
	char *end;
	long long value = strtoll(wanted, &end, 10);

	if (end == wanted || *end)
		value = -1;
	int r = keep_advertised(s, out, err);
	return r < 0 ? r : plan_value(fix_attribute(s, "sysctl"), value, out, err);
}

/* A table that is full: twice as large. */
static int plan_limit(const struct fix_subject *s, struct fix *out, struct err *err)
{
	const char *key = fix_attribute(s, "sysctl");
	long long max = strtoll(fix_attribute(s, "max"), nullptr, 10);
	const struct fact *f;

	if (!key[0])
		key = "net.netfilter.nf_conntrack_max";
	for (size_t at = 0; max <= 0 && (f = evidence_next(s->e, FACT_SYSCTL, &at));)
		if (!strcmp(f->sysctl.key, key))
			max = f->sysctl.value;
	if (max <= 0)
		return fix_refuse(err, "the diagnosis does not know the limit");
	int r = plan_value(key, 2 * max, out, err);
	if (r >= 0)
		out->list[out->n - 1].sysctl.at_least = true;
	return r;
}

/* ---- routes ---- */

static int add_route(
	const struct fix_subject *s, const struct fact_lookup *l, struct fix *out, struct err *err)
{
	char entry[PREFIX_STRLEN], text[PREFIX_STRLEN];
	struct prefix exceeded;
	bool is_range;

	if (l->match.len == 0)
		return fix_refuse(
			err, "it is the default route, without which this host may be cut off");
	const char *keeper = entry_keeper(l->protocol);
	if (keeper)
		return fix_refuse(err, keeper);
	if (entry_exceeds(l, s->e, &is_range, &exceeded))
		return err_set(err, EOPNOTSUPP,
			"the route to %s covers more than %s: add a route to that beside it",
			prefix_str(&l->match, entry), prefix_str(&exceeded, text));
	if (l->metric < 0 || l->table <= 0)
		return fix_refuse(err, "the diagnosis does not know the entry exactly");
	struct fix_route *r = &fix_add(out, FIX_ROUTE)->route;
	r->route = (struct route){.dst = l->match,
		.table = (uint32_t)l->table,
		.metric = (uint32_t)l->metric,
		.protocol = (uint8_t)l->protocol};
	FIX_PUT(r->type, l->type);
	if (!strcmp(l->type, "unicast"))
		FIX_PUT(r->interface, l->oif);
	return 0;
}

static bool refuses(const char *type)
{
	return !strcmp(type, "unreachable") || !strcmp(type, "blackhole") ||
	       !strcmp(type, "prohibit");
}

static int plan_refusing(const struct fix_subject *s, struct fix *out, struct err *err)
{
	const struct fact_lookup *l = entry_blamed(s->v, s->e);

	if (!l || !refuses(l->type))
		return fix_refuse(err, "the diagnosis does not name the entry that refuses");
	if (l->match.addr.family != AF_UNSPEC)
		return add_route(s, l, out, err);
	struct fix_step *step = fix_add(out, FIX_RULE_DEL);
	FIX_PUT(step->rule_text, l->rule);
	step->rule.family = s->e->flow.target.family;
	return 0;
}

static int plan_shadow(const struct fix_subject *s, struct fix *out, struct err *err)
{
	const struct fact_lookup *l = entry_blamed(s->v, s->e);

	if (!l)
		return fix_refuse(
			err, "the diagnosis does not name the route that stands in front");
	return add_route(s, l, out, err);
}

/* ---- rules ---- */

/* Only priority 0 stays in front: WARP puts its rule before all others at each reconnect. */
static int plan_rule(const struct prefix *to, const char *iif, struct fix *out, struct err *err)
{
	if (to->addr.family == AF_UNSPEC || to->len == 0)
		return fix_refuse(err, "the diagnosis does not name a network");
	struct rule *rule = &fix_add(out, FIX_RULE_ADD)->rule;
	*rule = (struct rule){.family = to->addr.family,
		.table = RT_TABLE_MAIN,
		.action = FR_ACT_TO_TBL,
		.to = *to,
		.suppress = -1};
	FIX_PUT(rule->iif, iif);
	return 0;
}

static bool is_masqueraded(const struct evidence *e)
{
	size_t at = 0;
	const struct fact *f = evidence_next(e, FACT_CONFIG, &at);

	return f && !strcmp(f->config.mode, "masquerade");
}

/* What went into the tunnel was not translated, and an echo or a datagram more, from the same port,
 * keeps that decision. A new TCP connection has a new port. */
static void add_untranslated(const struct fix_subject *s, struct fix *out)
{
	if (!is_masqueraded(s->e) || s->e->flow.proto == IPPROTO_TCP)
		return;
	struct fix_step *step = fix_add(out, FIX_CONNTRACK);
	step->from = s->range;
	step->to = prefix_of(&s->e->flow.target);
}

static int plan_network_rule(const struct fix_subject *s, struct fix *out, struct err *err)
{
	int r = plan_rule(&s->network, "", out, err);
	if (r >= 0)
		add_untranslated(s, out);
	return r;
}

static int plan_range_rule(const struct fix_subject *s, struct fix *out, struct err *err)
{
	return plan_rule(&s->range, "", out, err);
}

static int plan_lan_rule(const struct fix_subject *s, struct fix *out, struct err *err)
{
	if (!s->lan[0])
		return fix_refuse(err, "the diagnosis does not name the LAN interface");
	return plan_rule(&s->range, s->lan, out, err);
}

/* A route in main leads into the tunnel, or a rule leads to a table that does. */
static int plan_hairpin(const struct fix_subject *s, struct fix *out, struct err *err)
{
	return !strcmp(fix_attribute(s, "table"), "254") ? plan_shadow(s, out, err)
							 : plan_network_rule(s, out, err);
}

/* ---- the rest ---- */

static int plan_stale(const struct fix_subject *s, struct fix *out, struct err *)
{
	struct fix_step *step = fix_add(out, FIX_CONNTRACK);

	step->from = s->range;
	step->to = prefix_of(&s->e->flow.target);
	return 0;
}

static int plan_apply(const struct fix_subject *, struct fix *out, struct err *)
{
	fix_add(out, FIX_APPLY);
	return 0;
}

static const struct {
	enum code code;
	int (*plan)(const struct fix_subject *s, struct fix *out, struct err *err);
} planners[] = {
	{CODE_FORWARDING_DISABLED, plan_sysctl},
	{CODE_FORWARDING_DISABLED_ON_INTERFACE, plan_sysctl},
	{CODE_RP_FILTER_STRICT, plan_sysctl},
	{CODE_RP_FILTER_NO_ROUTE, plan_apply},
	{CODE_RP_FILTER_MARK_BLIND, plan_sysctl},
	{CODE_IPV6_DISABLED, plan_sysctl},
	{CODE_ROUTE_UNREACHABLE, plan_refusing},
	{CODE_ROUTE_BLACKHOLE, plan_refusing},
	{CODE_ROUTE_PROHIBIT, plan_refusing},
	{CODE_ROUTE_HAIRPIN_TUNNEL, plan_hairpin},
	{CODE_RETURN_ROUTE_MISSING, plan_apply},
	{CODE_RETURN_ROUTE_SHADOWED, plan_shadow},
	{CODE_POLICY_RULE_CAPTURES_RETURN, plan_range_rule},
	{CODE_WARP_TABLE_CAPTURES_LAN, plan_network_rule},
	{CODE_CGNAT_OVERLAP, plan_lan_rule},
	{CODE_FILTER_DROP_FORWARD, fix_plan_forward},
	{CODE_FILTER_REJECT_FORWARD, fix_plan_forward},
	{CODE_FILTER_DROP_PREROUTING, fix_plan_prerouting},
	{CODE_FILTER_DROP_INPUT, fix_plan_input},
	{CODE_FILTER_DROP_OUTPUT, fix_plan_output},
	{CODE_FILTER_DROP_POSTROUTING, fix_plan_postrouting},
	{CODE_CONNTRACK_TABLE_FULL, plan_limit},
	{CODE_CONNTRACK_STALE_NAT, plan_stale},
	{CODE_NEIGHBOUR_TABLE_FULL, plan_limit},
};

constexpr size_t PLANNERS = sizeof(planners) / sizeof(planners[0]);

static size_t planner_of(enum code code)
{
	size_t i = 0;
	while (i < PLANNERS && planners[i].code != code)
		i++;
	return i;
}

bool fix_knows(enum code code)
{
	return planner_of(code) < PLANNERS;
}

bool fix_applies(enum code code)
{
	size_t i = planner_of(code);
	return i < PLANNERS && planners[i].plan == plan_apply;
}

static struct fix_subject subject_of(const struct verdict *v, const struct evidence *e)
{
	struct fix_subject s = {.v = v, .e = e};
	const struct fact *f;

	s.range = evidence_range(e);
	s.network = evidence_network(e);
	FIX_PUT(s.mesh, e->mesh);
	FIX_PUT(s.lan, e->lan);
	for (size_t at = 0; (f = evidence_next(e, FACT_LINK, &at));) {
		if (!s.mesh[0] && f->link.role == ROLE_MESH)
			FIX_PUT(s.mesh, f->link.interface);
		if (!s.lan[0] && (f->link.role == ROLE_LAN || f->link.role == ROLE_EGRESS))
			FIX_PUT(s.lan, f->link.interface);
	}
	return s;
}

int fix_plan(const struct verdict *v, const struct evidence *e, struct fix *out, struct err *err)
{
	struct fix_subject s = subject_of(v, e);

	*out = (struct fix){};
	size_t i = planner_of(v->code);
	if (i < PLANNERS)
		return planners[i].plan(&s, out, err);
	return err_set(err, EOPNOTSUPP, "there is no repair of %s that meshgw could make here",
		code_str(v->code));
}
