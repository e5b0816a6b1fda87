/* SPDX-License-Identifier: Apache-2.0 */
/* All questions about a flow; one by one they are collect_lookup.c's. */
#include "diagnose/collect_link.h"
#include "diagnose/collect_lookup.h"
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

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
	if (scope->outgoing || !q.iif || lookup_ask(s, &q, false, &a, nullptr) < 0 || a.error)
		if (lookup_ask(s, &bare, false, &a, nullptr) < 0)
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
static void read_rules(struct asking *x, uint8_t family)
{
	struct err err = {};
	if (rule_dump(x->s, family, &x->fib.rules, &err) < 0)
		collect_missing(x->e, OBSERVER_ROUTES, &err);
}

static void read_fib(struct asking *x, const struct about *about)
{
	struct err err = {};
	if (about->n && fib_read(x->s, about->list, about->n, &x->fib, &err) < 0)
		collect_missing(x->e, OBSERVER_ROUTES, &err);
}

/* Does an answer need routes to be explained: one that refuses, or that leads back elsewhere than
 * into the tunnel? Tables can be large, so they are not read for others. */
static bool needs_routes(const struct collect_scope *scope, const struct evidence *e)
{
	size_t at = 0;

	for (const struct fact *f; (f = evidence_next(e, FACT_LOOKUP, &at));) {
		const struct fact_lookup *l = &f->lookup;
		bool back = l->question == ASK_REVERSE || l->question == ASK_REVERSE_BARE;
		if (l->error || !l->entry || (back && strcmp(l->oif, scope->mesh_name) != 0))
			return true;
	}
	return false;
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

/* Asks, and if an answer needs it once more, with the routes about these addresses. */
static void ask_all(struct asking *x, uint8_t family, const struct about *about,
	void (*ask_these)(struct asking *x, const void *arg), const void *arg, bool explain)
{
	struct evidence answers = {}, *e = x->e;

	x->e = &answers;
	read_rules(x, family);
	ask_these(x, arg);
	if (explain && needs_routes(x->scope, &answers)) {
		evidence_clear(&answers);
		read_fib(x, about);
		ask_these(x, arg);
	}
	x->e = e;
	for (size_t i = 0; i < answers.n; i++)
		if (answers.facts[i].kind == FACT_LINK)
			collect_link(x->scope, ROLE_OTHER, answers.facts[i].link.interface, e);
		else
			*evidence_add(e, answers.facts[i].kind) = answers.facts[i];
	evidence_clear(&answers);
	fib_clear(&x->fib);
	x->fib = (struct fib){};
}

static void ask_neighbours_of(struct asking *x, const void *family)
{
	ask_neighbours(x, *(const uint8_t *)family);
}

static void read_and_ask_neighbours(struct asking *x, uint8_t family, bool explain)
{
	struct about about = {};
	about_neighbours(&x->scope->config->bgp, family, &about);
	if (about.n)
		ask_all(x, family, &about, ask_neighbours_of, &family, explain);
}

static bool is_routed(const struct collect_scope *scope, const struct collect_way *way)
{
	return way->next_hop.family == scope->flow->target.family &&
	       addr_cmp(&way->next_hop, &scope->flow->target) != 0;
}

static void ask_flow(struct asking *x, const void *arg)
{
	const struct collect_way *way = arg;

	if (x->scope->outgoing) {
		put(x, forward(x->scope, ASK_FORWARD_BARE), nullptr);
	} else {
		ask_forward(x);
		ask_reverse(x, way);
		ask_marked(x);
		ask_neighbours(x, x->scope->flow->target.family);
	}
	if (is_routed(x->scope, way))
		put(x, (struct lookup){.question = ASK_GATEWAY, .to = way->next_hop}, nullptr);
}

static void lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e,
	struct collect_way *way, bool explain)
{
	uint8_t family = scope->flow->target.family;
	struct asking x = {.scope = scope, .s = s, .e = e};
	struct about about = {
		.list = {scope->flow->target, scope->flow->client}, .n = scope->outgoing ? 1 : 2};

	*way = (struct collect_way){};
	find_way(scope, s, way);
	if (is_routed(scope, way))
		about.list[about.n++] = way->next_hop;
	about_neighbours(&scope->config->bgp, family, &about);
	collect_link(scope, ROLE_EGRESS, way->egress, e);
	ask_all(&x, family, &about, ask_flow, way, explain);
	if (!scope->outgoing)
		read_and_ask_neighbours(&x, family == AF_INET ? AF_INET6 : AF_INET, explain);
}

void collect_lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e,
	struct collect_way *way)
{
	lookups(scope, s, e, way, true);
}

void collect_answers_again(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e)
{
	struct collect_way way;
	lookups(scope, s, e, &way, false);
}

bool collect_same_answer(const struct fact_lookup *a, const struct fact_lookup *b)
{
	bool same = a->question == b->question && a->mark == b->mark && a->error == b->error &&
		    !strcmp(a->iif, b->iif) && addr_cmp(&a->from, &b->from) == 0 &&
		    addr_cmp(&a->to, &b->to) == 0 && addr_cmp(&a->gateway, &b->gateway) == 0;

	/* Why something is refused the kernel does not tell. */
	if (!same || a->error)
		return same;
	if (!a->entry || !b->entry)
		return !strcmp(a->oif, b->oif);
	return !strcmp(a->oif, b->oif) && a->table == b->table && a->metric == b->metric &&
	       a->protocol == b->protocol && !strcmp(a->type, b->type) &&
	       prefix_cmp(&a->match, &b->match) == 0;
}

void collect_bgp_lookups(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e)
{
	struct asking x = {.scope = scope, .s = s, .e = e};
	read_and_ask_neighbours(&x, AF_INET, true);
	read_and_ask_neighbours(&x, AF_INET6, true);
}
