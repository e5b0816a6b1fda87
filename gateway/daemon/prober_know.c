/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prober_know: who can be asked about a network, and who of them is a router of the site.
 */
#include "daemon/prober_int.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>

/* After a switch to routes, flows that stay without an answer are looked for so long; for good
 * where services are known to the table that no round asks. */
constexpr uint64_t SUSPECT_US = 300'000'000;
constexpr size_t UNANSWERED_MAX = 1024;

static int ifindex_of(const struct gateway *g, const char *name)
{
	const struct link *l = link_by_name(&g->seen.links, name);
	return l ? l->ifindex : 0;
}

/* The kernel's answer, or false. */
static bool ask(const struct gateway *g, const struct route_question *q, struct route *out)
{
	struct route_answer answer = {};
	if (g->kernel->ops->route_ask(g->kernel, q, &answer, nullptr) < 0 || answer.error)
		return false;
	*out = answer.route;
	return true;
}

bool prober_paths_agree(struct gateway *g, const struct prove_network *n,
	const struct addr *witness, const struct addr *source, struct addr *via)
{
	int mesh = ifindex_of(g, g->config->mesh_interface), lan = ifindex_of(g, n->interface);
	struct route to = {}, back = {};
	if (!mesh || !lan)
		return false;
	if (!ask(g, &(struct route_question){.src = *source, .dst = *witness, .iif = mesh}, &to) ||
		!ask(g, &(struct route_question){.src = *witness, .dst = *source, .iif = lan},
			&back))
		return false;
	*via = to.gateway;
	return to.oif == lan && back.oif == mesh;
}

static void push_router(struct prober_knowledge *k, const struct addr *a)
{
	if (a->family == AF_UNSPEC)
		return;
	for (size_t i = 0; i < k->n_routers; i++)
		if (!addr_cmp(&k->routers[i], a))
			return;
	XGROW(k->routers, k->n_routers, k->cap_routers);
	k->routers[k->n_routers++] = *a;
}

/* The next hop of this destination by this interface, whatever policy rules say. */
static void push_next_hop(
	const struct gateway *g, struct prober_knowledge *k, const struct addr *dst, int oif)
{
	struct route r = {};
	if (oif && ask(g, &(struct route_question){.dst = *dst, .oif = oif}, &r))
		push_router(k, &r.gateway);
}

/* Networks for documentation (RFC 5737, RFC 3849): what leads there is the default route. */
static const struct addr elsewhere[] = {
	{.family = AF_INET, .b = {198, 51, 100, 1}},
	{.family = AF_INET6, .b = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 1}},
};

/* Parts of a network may lie behind routers of their own. */
static void push_vias(const struct prove *p, struct prober_knowledge *k)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = 0; j < p->networks[i].witnesses.n; j++)
			push_router(k, &p->networks[i].witnesses.list[j].via);
}

static void learn_routers(const struct gateway *g, struct prober_knowledge *k)
{
	const struct config *c = g->config;
	for (size_t i = 0; i < c->n_lans; i++) {
		int lan = ifindex_of(g, c->lans[i].interface);
		for (size_t j = 0; j < c->lans[i].n_networks; j++)
			push_next_hop(g, k, &c->lans[i].networks[j].prefix.addr, lan);
		for (size_t j = 0; j < 2; j++)
			push_next_hop(g, k, &elsewhere[j], lan);
	}
	for (size_t i = 0; i < c->bgp.n_neighbors; i++)
		push_router(k, &c->bgp.neighbors[i].address);
	push_vias(&g->prove, k);
}

static void locate_sessions(struct gateway *g)
{
	for (size_t i = 0; i < g->prove.n_sessions; i++) {
		struct prove_session *s = &g->prove.sessions[i];
		struct route r = {};
		const struct link *l = nullptr;
		if (ask(g, &(struct route_question){.dst = s->neighbor}, &r))
			l = link_by_index(&g->seen.links, r.oif);
		snprintf(s->interface, sizeof(s->interface), "%s", l ? l->name : "");
	}
}

void prober_learn(struct gateway *g, struct prober_knowledge *out)
{
	*out = (struct prober_knowledge){
		.witnesses = xcalloc(GATEWAY_WITNESSES, sizeof(*out->witnesses))};
	int n = g->kernel->ops->nft_witnesses(
		g->kernel, out->witnesses, GATEWAY_WITNESSES, nullptr);
	if (n > 0)
		out->n_witnesses = (size_t)n < GATEWAY_WITNESSES ? (size_t)n : GATEWAY_WITNESSES;
	learn_routers(g, out);
	locate_sessions(g);
}

void prober_knowledge_clear(struct prober_knowledge *known)
{
	free(known->witnesses);
	free(known->routers);
	free(known->unanswered);
	*known = (struct prober_knowledge){};
}

/* The BGP neighbours on this network's side. */
static void set_neighbors(struct gateway *g, struct prove_network *n)
{
	struct addr list[PROBER_NEIGHBORS_MAX];
	size_t count = 0;
	int lan = ifindex_of(g, n->interface);
	const struct config_bgp *bgp = &g->config->bgp;
	for (size_t i = 0; i < bgp->n_neighbors && count < PROBER_NEIGHBORS_MAX; i++) {
		const struct addr *a = &bgp->neighbors[i].address;
		struct route r = {};
		if (a->family == n->prefix.addr.family && lan &&
			ask(g, &(struct route_question){.dst = *a}, &r) && r.oif == lan)
			list[count++] = *a;
	}
	prove_set_neighbors(n, list, count);
}

static bool answered_before(const struct prober_knowledge *known, const struct prove_network *n,
	const struct ct_flow *f)
{
	if (witness_find(&n->witnesses, &f->to, f->to_port))
		return true;
	for (size_t i = 0; i < known->n_witnesses; i++)
		if (known->witnesses[i].port == f->to_port &&
			!addr_cmp(&known->witnesses[i].address, &f->to))
			return true;
	return false;
}

/* One walk through conntrack's table for all networks: it may be long. */
static void read_unanswered(const struct gateway *g, struct prober_knowledge *k)
{
	struct ct_scope scope = {.ranges = g->model->ranges, .n_ranges = g->model->n_ranges};
	k->unanswered = xcalloc(UNANSWERED_MAX, sizeof(*k->unanswered));
	int n = g->kernel->ops->ct_list(
		g->kernel, &scope, CT_UNREPLIED, k->unanswered, UNANSWERED_MAX, nullptr);
	if (n > 0)
		k->n_unanswered = (size_t)n < UNANSWERED_MAX ? (size_t)n : UNANSWERED_MAX;
}

/* Does a round ever ask this host, or does the configuration say what it gets? */
static bool is_judged(const struct prove_network *n, const struct addr *host)
{
	for (size_t i = 0; i < n->witnesses.n; i++)
		if (!addr_cmp(&n->witnesses.list[i].address, host))
			return true;
	for (size_t i = 0; i < n->n_hosts; i++)
		if (!addr_cmp(&n->hosts[i].address, host))
			return true;
	return false;
}

static bool all_judged(const struct prober_knowledge *known, const struct prove_network *n)
{
	for (size_t i = 0; i < known->n_witnesses; i++)
		if (prefix_contains_addr(&n->prefix, &known->witnesses[i].address) &&
			!is_judged(n, &known->witnesses[i].address))
			return false;
	return true;
}

static void suspect(const struct gateway *g, struct prober_knowledge *known,
	struct prove_network *n, uint64_t now_us)
{
	if (!n->route || n->adopted)
		return;
	if (now_us - n->since_us > SUSPECT_US && all_judged(known, n))
		return;
	if (!known->unanswered)
		read_unanswered(g, known);
	for (size_t i = 0; i < known->n_unanswered; i++) {
		const struct ct_flow *f = &known->unanswered[i];
		if (f->proto == IPPROTO_TCP && prefix_contains_addr(&n->prefix, &f->to) &&
			answered_before(known, n, f))
			prove_suspect(n, &f->to, f->to_port, now_us);
	}
}

void prober_prepare(
	struct gateway *g, struct prober_knowledge *known, struct prove_network *n, uint64_t now_us)
{
	for (size_t i = 0; i < known->n_witnesses; i++)
		if (prefix_contains_addr(&n->prefix, &known->witnesses[i].address))
			prove_learn(&g->prove, n, &known->witnesses[i].address,
				known->witnesses[i].port);
	set_neighbors(g, n);
	suspect(g, known, n, now_us);
	prove_set_routers(n, known->routers, known->n_routers);
}
