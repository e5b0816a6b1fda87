/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_lookup.h"
#include "diagnose/collect_link.h"
#include "lib/marks.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- names ---- */

static const char *type_str(uint8_t type)
{
	static const char *const names[RTN_MAX + 1] = {
		[RTN_UNICAST] = "unicast",
		[RTN_LOCAL] = "local",
		[RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast",
		[RTN_MULTICAST] = "multicast",
		[RTN_BLACKHOLE] = "blackhole",
		[RTN_UNREACHABLE] = "unreachable",
		[RTN_PROHIBIT] = "prohibit",
		[RTN_THROW] = "throw",
	};
	return type <= RTN_MAX && names[type] ? names[type] : "";
}

static const char *action_str(uint8_t action)
{
	static const char *const names[] = {
		[FR_ACT_BLACKHOLE] = "blackhole",
		[FR_ACT_UNREACHABLE] = "unreachable",
		[FR_ACT_PROHIBIT] = "prohibit",
	};
	return action < sizeof(names) / sizeof(names[0]) && names[action] ? names[action] : "";
}

/* As iproute2's rt_protos and FRR's have them. */
static const char *protocol_str(uint8_t protocol)
{
	static const char *const names[UINT8_MAX + 1] = {
		[RTPROT_REDIRECT] = "redirect",
		[RTPROT_KERNEL] = "kernel",
		[RTPROT_BOOT] = "boot",
		[RTPROT_STATIC] = "static",
		[RTPROT_GATED] = "gated",
		[RTPROT_RA] = "ra",
		[RTPROT_ZEBRA] = "zebra",
		[RTPROT_BIRD] = "bird",
		[RTPROT_DHCP] = "dhcp",
		[RTPROT_KEEPALIVED] = "keepalived",
		[RTPROT_BABEL] = "babel",
		[RTPROT_OPENR] = "openr",
		[MARK_RTPROT] = "meshgw",
		[RTPROT_BGP] = "bgp",
		[RTPROT_ISIS] = "isis",
		[RTPROT_OSPF] = "ospf",
		[RTPROT_RIP] = "rip",
		[RTPROT_EIGRP] = "eigrp",
		[196] = "frr-static",
	};
	return names[protocol] ? names[protocol] : "";
}

/* ---- one question ---- */

struct asked {
	const struct collect_scope *scope;
	const struct fib *fib;
	const struct lookup *q;
	struct route_answer answer; /* what becomes of the packet */
	struct route_answer entry;  /* the table's entry, valid if has_entry */
	bool has_entry;
	struct fib_flow flow;
	struct fib_result reason;
};

static struct fib_flow flow_of(const struct collect_scope *scope, const struct lookup *q)
{
	struct fib_flow f = {
		.from = q->from,
		.to = q->to,
		.iif = q->iif,
		.mark = q->mark,
		.proto = q->proto,
		.sport = q->sport,
		.dport = q->dport,
		.uid = q->iif ? 0 : geteuid(),
	};
	const struct link *in = link_by_index(&scope->links, q->iif);
	if (in) {
		const struct link *vrf = link_by_index(&scope->links, in->master);
		memcpy(f.iif_name, in->name, sizeof(f.iif_name));
		f.vrf_table = vrf ? vrf->vrf_table : 0;
	}
	return f;
}

/* Of an IPv4 address of this host the kernel names table main as long as there are no rules but its
 * own, since both tables are one then (net/ipv4/fib_trie.c, fib_trie_table). */
static bool is_same_entry(const struct route *found, const struct route *told)
{
	bool same_table = found->table == told->table ||
			  (found->table == RT_TABLE_LOCAL && told->table == RT_TABLE_MAIN);
	return same_table && found->metric == told->metric &&
	       prefix_cmp(&found->dst, &told->dst) == 0;
}

/* Does what the walk through the tables found explain the answer? Errors that come from elsewhere
 * (forwarding, source) do not speak against it. */
static bool explains(const struct asked *a)
{
	const struct fib_result *r = &a->reason;
	bool elsewhere = a->answer.error == EHOSTUNREACH || a->answer.error == EINVAL ||
			 a->answer.error == EXDEV;

	if (!r->rule || r->unsure)
		return false;
	if (a->answer.error)
		return r->error == a->answer.error || (r->error == 0 && a->q->iif && elsewhere);
	return r->error == 0 && a->has_entry && is_same_entry(r->entry, &a->entry.route);
}

static void tell_entry(const struct asked *a, const struct route *r, struct fact_lookup *f)
{
	f->entry = true;
	snprintf(f->type, sizeof(f->type), "%s", type_str(r->type));
	f->match = r->dst;
	f->table = r->table;
	f->metric = r->metric;
	f->protocol = r->protocol;
	snprintf(f->protocol_name, sizeof(f->protocol_name), "%s", protocol_str(r->protocol));
	f->linkdown = r->nexthop_flags & RTNH_F_LINKDOWN;
	if (f->oif[0] == '\0')
		snprintf(f->oif, sizeof(f->oif), "%s", collect_link_name(a->scope, r->oif));
	const struct link *mesh = a->scope->mesh;
	f->hides_mesh_route = mesh && r->oif != mesh->ifindex &&
			      fib_hidden(a->fib, &a->flow, &a->reason, mesh->ifindex);
}

static void tell_rule(const struct rule *r, struct fact_lookup *f)
{
	f->rule_priority = r->priority;
	rule_str(r, f->rule, sizeof(f->rule));
	if (r->action == FR_ACT_TO_TBL)
		return;
	f->entry = true;
	snprintf(f->type, sizeof(f->type), "%s", action_str(r->action));
}

static void tell_answer(const struct asked *a, struct fact_lookup *f)
{
	const struct lookup *q = a->q;
	f->question = q->question;
	f->from = q->from;
	f->to = q->to;
	snprintf(f->iif, sizeof(f->iif), "%s", collect_link_name(a->scope, q->iif));
	f->mark = q->mark;
	f->error = a->answer.error;
	if (a->answer.error)
		return;
	const struct route *r = &a->answer.route;
	snprintf(f->oif, sizeof(f->oif), "%s", collect_link_name(a->scope, r->oif));
	snprintf(f->type, sizeof(f->type), "%s", type_str(r->type));
	f->gateway = r->gateway;
	f->redirect = a->answer.redirect || (q->iif && q->iif == r->oif);
}

static void tell(const struct asked *a, struct evidence *e)
{
	struct fact_lookup *f = &evidence_add(e, FACT_LOOKUP)->lookup;
	tell_answer(a, f);
	if (explains(a)) {
		if (a->reason.entry)
			tell_entry(a, a->reason.entry, f);
		tell_rule(a->reason.rule, f);
	} else if (a->has_entry) {
		tell_entry(a, &a->entry.route, f);
	}
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

int lookup_ask(struct nl_sock *s, const struct lookup *q, bool match, struct route_answer *out,
	struct err *err)
{
	struct route_question question = {
		.src = q->from,
		.dst = q->to,
		.iif = q->iif,
		.mark = q->mark,
		.proto = q->proto,
		.sport = has_ports(q->proto) ? q->sport : 0,
		.dport = has_ports(q->proto) ? q->dport : 0,
		.fib_match = match,
	};
	return route_ask(s, &question, out, err);
}

int collect_lookup(const struct collect_scope *scope, struct nl_sock *s, const struct fib *fib,
	const struct lookup *q, struct route_answer *answer, struct evidence *e)
{
	struct asked a = {.scope = scope, .fib = fib, .q = q, .flow = flow_of(scope, q)};
	struct err err = {};

	int r = lookup_ask(s, q, false, &a.answer, &err);
	if (r < 0) {
		collect_missing(e, OBSERVER_ROUTES, &err);
		return r;
	}
	a.has_entry = a.answer.error == 0 && lookup_ask(s, q, true, &a.entry, nullptr) == 0 &&
		      a.entry.error == 0;
	/* Of a table that the kernel names, the rule is found without the rest of its routes: it is
	 * the first one that leads there. */
	struct route entry = a.entry.route;
	struct fib named = {.rules = fib->rules, .routes = {.list = &entry, .n = a.has_entry}};
	if (entry.type == RTN_LOCAL && entry.table == RT_TABLE_MAIN)
		entry.table = RT_TABLE_LOCAL; /* is_same_entry() says why */
	if (fib->routes.n == 0)
		a.fib = &named;
	fib_lookup(a.fib, &a.flow, &a.reason);
	tell(&a, e);
	*answer = a.answer;
	return 0;
}
