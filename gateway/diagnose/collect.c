/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect.h"
#include "diagnose/collect_answer.h"
#include "diagnose/collect_counter.h"
#include "diagnose/collect_filter.h"
#include "diagnose/collect_flow.h"
#include "diagnose/collect_link.h"
#include "diagnose/collect_lookup.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/diag.h"
#include "nft/legacy.h"
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t ANSWERS_MAX = 64;
constexpr unsigned STEPS = 256; /* of a trace, read at once */

struct collect {
	struct collect_options o;
	struct flow flow;
	struct nl_sock *route, *netfilter;
	struct collect_scope scope;
	struct collect_way way;
	struct counter_set before;
	bool counting;
	struct neigh_watch *neighbour;
	bool verified;                   /* it was asked whether it is still there */
	struct evidence lookups, chains; /* as they were at the beginning */
	uint32_t generation;             /* of everybody's tables */
	struct nft_ruleset rules;
	struct nft_trace *trace;
	struct nft_ways ways;
	struct nft_diag *diag;
	struct nft_answer answers[ANSWERS_MAX];
	size_t n_answers;
};

/* ---- the beginning ---- */

/* May somebody rename answers? Who translates has conntrack awake, and nobody else needs it here:
 * the diagnosis must not wake it. It would track every flow of the host, and entries outlive the
 * rules that asked for them (so that nf_conntrack_count tells nothing): one of a flow that was
 * translated stands in the way of what now comes back untranslated (nf_ct_resolve_clash()). */
static bool is_translated(const struct collect *c)
{
	char names[NFT_LEGACY_LEN];

	for (size_t i = 0; i < c->rules.n; i++) {
		const struct nft_base_chain *chain = &c->rules.chains[i];
		if (chain->nat_source &&
			(chain->family == NFPROTO_INET || chain->family == c->flow.target.family))
			return true;
	}
	return nft_legacy_read("/proc", c->flow.target.family, names) == NFT_LEGACY_PRESENT &&
	       strstr(names, "nat");
}

static void open_diag(struct collect *c, struct evidence *e)
{
	const struct config *config = c->o.config;
	struct prefix *ranges = xcalloc(config->n_ranges, sizeof(*ranges));
	struct nft_diag_ask ask = {.client = c->flow.client,
		.target = c->flow.target,
		.proto = c->flow.proto,
		.port = c->flow.port,
		.unused = !c->scope.outgoing && strcmp(c->flow.from, "address") != 0,
		.ranges = ranges,
		.n_ranges = config->n_ranges,
		.with_ct = is_translated(c)};
	struct err err = {};

	if (c->flow.client.family != c->flow.target.family) {
		free(ranges);
		return; /* nothing leaves this host for want of a route */
	}
	if (c->o.injections) {
		ask.mine_first = c->o.injections->first_port;
		ask.mine_last = c->o.injections->last_port;
	}
	for (size_t i = 0; i < config->n_ranges; i++)
		ranges[i] = config->ranges[i].prefix;
	snprintf(ask.mesh_interface, sizeof(ask.mesh_interface), "%s", e->mesh);
	snprintf(ask.lan_interface, sizeof(ask.lan_interface), "%s", e->lan);
	/* The ear before the voice. */
	int r = nft_trace_open(&c->trace, &err);
	if (r >= 0)
		r = nft_diag_open(&ask, &c->diag, &err);
	if (r < 0)
		collect_missing(e, OBSERVER_NFT_TRACE, &err);
	free(ranges);
}

static void take(struct evidence *to, const struct evidence *from, enum fact_kind kind)
{
	size_t at = 0;
	for (const struct fact *f; (f = evidence_next(from, kind, &at));)
		*evidence_add(to, kind) = *f;
}

/* What this host sends itself has the address that its routing gives it. */
static void name_client(struct collect *c, struct evidence *e)
{
	c->flow.client = c->scope.own_target ? c->flow.target : c->way.own;
	e->flow.client = c->flow.client;
}

static void read_routes(struct collect *c, struct evidence *e)
{
	collect_links(&c->scope, e);
	collect_lookups(&c->scope, c->route, e, &c->way);
	if (c->scope.outgoing)
		name_client(c, e);
	take(&c->lookups, e, FACT_LOOKUP);
	collect_sysctls(&c->scope, e);
}

static void begin_listening(struct collect *c, struct evidence *e)
{
	struct err err = {};

	if (c->way.oif && c->way.next_hop.family != AF_UNSPEC &&
		neigh_watch_open(c->way.oif, &c->way.next_hop, &c->neighbour, &err) < 0)
		log_debug("diagnose", "neighbours are not watched: %s", err.msg);
	c->counting = collect_counters_read(&c->scope, c->route, c->way.egress, &c->before, &err) >=
		      0;
	if (!c->counting)
		collect_missing(e, OBSERVER_COUNTERS, &err);
}

struct collect *collect_begin(const struct collect_options *options, struct evidence *e)
{
	struct collect *c = xcalloc(1, sizeof(*c));
	struct err err = {};

	c->o = *options;
	c->flow = e->flow;
	int r = nl_open(NETLINK_ROUTE, &c->route, &err);
	if (r >= 0)
		r = collect_scope_init(&c->scope, c->route, options->config, &c->flow, &err);
	if (r >= 0) {
		read_routes(c, e);
		begin_listening(c, e);
		collect_socket(&c->scope, e);
	} else {
		collect_missing(e, OBSERVER_ROUTES, &err);
	}
	if (nl_open(NETLINK_NETFILTER, &c->netfilter, &err) < 0)
		collect_missing(e, OBSERVER_RULESET, &err);
	else
		collect_chains(&c->scope, c->netfilter, &c->rules, e);
	take(&c->chains, e, FACT_CHAIN);
	collect_platform(e);
	open_diag(c, e);
	/* What is written from now on is others'. */
	if (c->netfilter && nft_ruleset_generation(c->netfilter, &c->generation, nullptr) < 0)
		c->generation = c->rules.generation;
	return c;
}

struct addr collect_own_address(const struct collect *c)
{
	return c->way.own;
}

const char *collect_egress(const struct collect *c)
{
	return c->way.egress;
}

/* ---- meanwhile ---- */

void collect_poll(struct collect *c)
{
	struct err err = {};

	if (c->neighbour && neigh_watch_read(c->neighbour) < 0) {
		neigh_watch_close(c->neighbour);
		c->neighbour = nullptr;
	}
	if (c->trace && nft_trace_read(c->trace, STEPS, nft_ways_add, &c->ways) < 0) {
		nft_trace_close(c->trace);
		c->trace = nullptr;
	}
	if (!c->diag)
		return;
	int n = nft_diag_read(c->diag, c->answers, ANSWERS_MAX, &err);
	if (n < 0)
		log_debug("diagnose", "%s", err.msg);
	else
		c->n_answers = (size_t)n < ANSWERS_MAX ? (size_t)n : ANSWERS_MAX;
}

bool collect_answered(const struct collect *c, enum fact_probe_name probe)
{
	for (size_t i = 0; c->o.injections && i < c->n_answers; i++) {
		const struct injection *j = injection_of_port(c->o.injections, c->answers[i].mine);
		if (j && j->probe == probe)
			return true;
	}
	return false;
}

bool collect_heard(const struct collect *c)
{
	for (size_t i = 0; c->o.injections && i < c->n_answers; i++) {
		const struct injection *j = injection_of_port(c->o.injections, c->answers[i].mine);
		if (j && j->probe != PROBE_HOP)
			return true;
	}
	return false;
}

void collect_forget_drops(const struct collect *c, struct evidence *e)
{
	if (c->o.injections)
		collect_forget_ended(c->o.injections, c->answers, c->n_answers, e);
}

static bool has_neighbour(const struct collect *c)
{
	return c->way.oif && c->way.next_hop.family != AF_UNSPEC &&
	       !(c->scope.mesh && c->way.oif == c->scope.mesh->ifindex);
}

/* IPv6 asks with packets of this host, which pass its filters (net/ipv6/ndisc.c). */
static bool is_held_back(const struct collect *c)
{
	const struct fact *f;

	for (size_t at = 0; (f = evidence_next(&c->chains, FACT_CHAIN, &at));)
		if (c->flow.target.family == AF_INET6 && strcmp(f->chain.family, "ip") != 0 &&
			!strcmp(f->chain.hook, "output") && !strcmp(f->chain.policy, "drop"))
			return true;
	return false;
}

void collect_verify_neighbour(struct collect *c)
{
	struct err err = {};

	if (!has_neighbour(c) || is_held_back(c))
		return;
	c->verified = neigh_verify(c->route, c->way.oif, &c->way.next_hop, &err) == 0;
	if (!c->verified)
		log_debug("diagnose", "the next hop is not asked for: %s", err.msg);
}

bool collect_waits_for_neighbour(const struct collect *c)
{
	struct neigh neigh;

	return has_neighbour(c) &&
	       neigh_get(c->route, c->way.oif, &c->way.next_hop, &neigh, nullptr) >= 0 &&
	       neigh.state & (NUD_INCOMPLETE | (c->verified ? NUD_PROBE : 0));
}

bool collect_is_routed(const struct collect *c)
{
	return c->way.next_hop.family != AF_UNSPEC &&
	       addr_cmp(&c->way.next_hop, &c->flow.target) != 0;
}

/* ---- the end ---- */

static bool has_rerouted(const struct collect *c)
{
	struct evidence again = {};
	const struct fact *before, *now;
	size_t at = 0, at_now = 0;
	bool same;

	collect_answers_again(&c->scope, c->route, &again);
	do {
		before = evidence_next(&c->lookups, FACT_LOOKUP, &at);
		now = evidence_next(&again, FACT_LOOKUP, &at_now);
		same = before && now ? collect_same_answer(&before->lookup, &now->lookup)
				     : before == now;
	} while (same && before);
	evidence_clear(&again);
	return !same;
}

/* Others write all the time, in chains that packets of the mesh do not meet, or this host's. */
static bool is_on_way(const struct collect *c, const struct fact_chain *chain)
{
	if (c->scope.outgoing)
		return strcmp(chain->hook, "forward") != 0;
	return strcmp(chain->hook, "input") != 0 && strcmp(chain->hook, "output") != 0;
}

static const struct fact *next_chain(const struct collect *c, const struct evidence *e, size_t *at)
{
	const struct fact *f;

	while ((f = evidence_next(e, FACT_CHAIN, at)))
		if (is_on_way(c, &f->chain))
			return f;
	return nullptr;
}

static bool is_same_chain(const struct fact_chain *a, const struct fact_chain *b)
{
	return !strcmp(a->family, b->family) && !strcmp(a->table, b->table) &&
	       !strcmp(a->chain, b->chain) && !strcmp(a->hook, b->hook) &&
	       !strcmp(a->policy, b->policy) && a->priority == b->priority &&
	       a->rules == b->rules && a->legacy == b->legacy && a->nat_source == b->nat_source;
}

static bool has_refiltered(const struct collect *c)
{
	struct nft_ruleset rules = {};
	struct evidence again = {};
	const struct fact *before, *now;
	size_t at = 0, at_now = 0;
	uint32_t generation = 0;
	bool same;

	if (!c->netfilter || nft_ruleset_generation(c->netfilter, &generation, nullptr) < 0 ||
		generation == c->generation)
		return false;
	collect_chains(&c->scope, c->netfilter, &rules, &again);
	do {
		before = next_chain(c, &c->chains, &at);
		now = next_chain(c, &again, &at_now);
		same = before && now ? is_same_chain(&before->chain, &now->chain) : before == now;
	} while (same && before);
	nft_ruleset_clear(&rules);
	evidence_clear(&again);
	return !same;
}

static void end_counting(struct collect *c, struct evidence *e)
{
	struct counter_set after = {};
	struct err err = {};

	if (!c->counting)
		return;
	if (collect_counters_read(&c->scope, c->route, c->way.egress, &after, &err) >= 0)
		collect_counters(&c->before, &after, e);
	else
		collect_missing(e, OBSERVER_COUNTERS, &err);
	counter_set_clear(&after);
}

void collect_end(struct collect *c, uint32_t sent, struct evidence *e)
{
	struct collect_sent packets = {c->o.injections, sent};
	struct collect_ports own = {};

	collect_poll(c);
	if (c->o.injections)
		own = (struct collect_ports){
			c->o.injections->first_port, c->o.injections->last_port};
	if (c->scope.config) {
		collect_neighbour(&c->scope, c->route, &c->way, c->neighbour, e);
		if (c->verified)
			collect_link_answer(e);
		end_counting(c, e);
		e->changed = has_rerouted(c) || has_refiltered(c);
	}
	if (c->netfilter && c->scope.config) {
		if (!c->scope.outgoing)
			collect_conntrack(&c->scope, c->netfilter, &own, e);
		collect_traces(&c->scope, c->netfilter, &c->rules, c->o.injections, &c->ways, e);
	}
	if (c->diag && c->o.injections)
		collect_answers(&packets, c->answers, c->n_answers, c->scope.own_target, e);
}

void collect_free(struct collect *c)
{
	if (!c)
		return;
	nft_diag_close(c->diag);
	nft_trace_close(c->trace);
	nft_ways_clear(&c->ways);
	nft_ruleset_clear(&c->rules);
	neigh_watch_close(c->neighbour);
	counter_set_clear(&c->before);
	evidence_clear(&c->lookups);
	evidence_clear(&c->chains);
	collect_scope_clear(&c->scope);
	nl_close(c->netfilter);
	nl_close(c->route);
	free(c);
}
