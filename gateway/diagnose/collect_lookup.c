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

static int ask(struct nl_sock *s, const struct lookup *q, bool match, struct route_answer *out,
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

	int r = ask(s, q, false, &a.answer, &err);
	if (r < 0) {
		collect_missing(e, OBSERVER_ROUTES, &err);
		return r;
	}
	a.has_entry = a.answer.error == 0 && ask(s, q, true, &a.entry, nullptr) == 0 &&
		      a.entry.error == 0;
	fib_lookup(fib, &a.flow, &a.reason);
	tell(&a, e);
	*answer = a.answer;
	return 0;
}

/* ---- all of a flow ---- */

struct asking {
	const struct collect_scope *scope;
	struct nl_sock *s;
	struct fib fib;
	struct evidence *e;
};

static bool put(struct asking *x, struct lookup q, struct route_answer *answer)
{
	struct route_answer dropped;
	return collect_lookup(x->scope, x->s, &x->fib, &q, answer ? answer : &dropped, x->e) == 0;
}

static struct lookup forward(const struct collect_scope *scope, enum fact_question question)
{
	const struct flow *f = scope->flow;
	return (struct lookup){
		.question = question, .to = f->target, .proto = f->proto, .dport = f->port};
}

static struct lookup reverse(const struct collect_scope *scope, enum fact_question question)
{
	const struct flow *f = scope->flow;
	return (struct lookup){
		.question = question, .to = f->client, .proto = f->proto, .sport = f->port};
}

static bool leads_on(const struct route_answer *a)
{
	return a->error == 0 && a->route.type == RTN_UNICAST;
}

/* As the mesh's packets go; where those may not enter, as routes alone say. */
static void find_way(const struct collect_scope *scope, struct nl_sock *s, struct collect_way *way)
{
	struct lookup bare = forward(scope, ASK_FORWARD_BARE), q = bare;
	struct route_answer a = {};

	q.from = scope->flow->client;
	q.iif = scope->mesh ? scope->mesh->ifindex : 0;
	if (!q.iif || ask(s, &q, false, &a, nullptr) < 0 || a.error)
		if (ask(s, &bare, false, &a, nullptr) < 0)
			return;
	if (!leads_on(&a))
		return;
	way->oif = a.route.oif;
	snprintf(way->egress, sizeof(way->egress), "%s", collect_link_name(scope, way->oif));
	way->next_hop = a.route.gateway.family ? a.route.gateway : scope->flow->target;
	/* What this host sends itself may go elsewhere: by this interface, whatever rules say. */
	struct route_question own = {.dst = scope->flow->target, .oif = way->oif};
	if (route_ask(s, &own, &a, nullptr) == 0 && a.error == 0)
		way->own = a.route.prefsrc;
}

static void ask_forward(struct asking *x)
{
	struct lookup q = forward(x->scope, ASK_FORWARD);

	q.from = x->scope->flow->client;
	q.iif = x->scope->mesh ? x->scope->mesh->ifindex : 0;
	if (q.iif)
		put(x, q, nullptr);
	put(x, forward(x->scope, ASK_FORWARD_BARE), nullptr);
}

static void ask_reverse_by(struct asking *x, const struct link *in)
{
	struct lookup q = reverse(x->scope, ASK_REVERSE);
	struct route_answer a;

	if (!in)
		return;
	q.from = x->scope->flow->target;
	q.iif = in->ifindex;
	if (put(x, q, &a) && a.error == 0)
		collect_link(x->scope, ROLE_OTHER, collect_link_name(x->scope, a.route.oif), x->e);
}

/* Answers enter by the target's interface, or by the one that leads there in truth. */
static void ask_reverse(struct asking *x, const struct collect_way *way)
{
	const struct link *egress = link_by_index(&x->scope->links, way->oif);
	if (!x->scope->own_target) {
		ask_reverse_by(x, x->scope->lan);
		if (egress != x->scope->lan && egress != x->scope->mesh)
			ask_reverse_by(x, egress);
	}
	put(x, reverse(x->scope, ASK_REVERSE_BARE), nullptr);
}

constexpr size_t MARKS_MAX = 4;

/* The ways of marked packets: one that depends on a mark, which a packet lacks when its source is
 * validated, is refused although it is right. */
static void ask_marked(struct asking *x)
{
	uint32_t marks[MARKS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < x->fib.rules.n && n < MARKS_MAX; i++) {
		uint32_t mark = x->fib.rules.list[i].fwmark;
		bool known = mark == 0;
		for (size_t j = 0; j < n; j++)
			known |= marks[j] == mark;
		if (known)
			continue;
		marks[n++] = mark;
		struct lookup to = forward(x->scope, ASK_FORWARD_BARE);
		struct lookup back = reverse(x->scope, ASK_REVERSE_BARE);
		to.mark = back.mark = mark;
		put(x, to, nullptr);
		put(x, back, nullptr);
	}
}

/* ---- reading ---- */

constexpr size_t NEIGHBOURS_ASKED = 8;

struct about {
	struct addr list[3 + NEIGHBOURS_ASKED];
	size_t n;
};

static void about_neighbours(const struct config_bgp *bgp, uint8_t family, struct about *about)
{
	for (size_t i = 0; i < bgp->n_neighbors && i < NEIGHBOURS_ASKED; i++)
		if (bgp->neighbors[i].address.family == family)
			about->list[about->n++] = bgp->neighbors[i].address;
}

/* Without rules and routes the kernel's answers still stand. */
static void read_fib(struct asking *x, const struct about *about)
{
	struct err err = {};
	if (about->n && fib_read(x->s, about->list, about->n, &x->fib, &err) < 0)
		collect_missing(x->e, OBSERVER_ROUTES, &err);
}

static void ask_neighbours(struct asking *x, uint8_t family)
{
	struct about about = {};
	about_neighbours(&x->scope->config->bgp, family, &about);
	for (size_t i = 0; i < about.n; i++)
		put(x,
			(struct lookup){.question = ASK_NEIGHBOUR,
				.to = about.list[i],
				.proto = IPPROTO_TCP,
				.dport = 179},
			nullptr);
}

static void read_and_ask_neighbours(struct asking *x, uint8_t family)
{
	struct about about = {};
	about_neighbours(&x->scope->config->bgp, family, &about);
	if (about.n == 0)
		return;
	read_fib(x, &about);
	ask_neighbours(x, family);
}

void collect_lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e,
	struct collect_way *way)
{
	uint8_t family = scope->flow->target.family;
	struct asking x = {.scope = scope, .s = s, .e = e};
	struct about about = {.list = {scope->flow->target, scope->flow->client}, .n = 2};

	*way = (struct collect_way){};
	find_way(scope, s, way);
	bool routed = way->next_hop.family == family &&
		      addr_cmp(&way->next_hop, &scope->flow->target) != 0;
	if (routed)
		about.list[about.n++] = way->next_hop;
	about_neighbours(&scope->config->bgp, family, &about);
	read_fib(&x, &about);
	ask_forward(&x);
	collect_link(scope, ROLE_EGRESS, way->egress, e);
	ask_reverse(&x, way);
	ask_marked(&x);
	ask_neighbours(&x, family);
	if (routed)
		put(&x, (struct lookup){.question = ASK_GATEWAY, .to = way->next_hop}, nullptr);
	read_and_ask_neighbours(&x, family == AF_INET ? AF_INET6 : AF_INET);
	fib_clear(&x.fib);
}

void collect_bgp_lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e)
{
	struct asking x = {.scope = scope, .s = s, .e = e};
	read_and_ask_neighbours(&x, AF_INET);
	read_and_ask_neighbours(&x, AF_INET6);
	fib_clear(&x.fib);
}
