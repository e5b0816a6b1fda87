/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_node.h"
#include "diagnose/collect_counter.h"
#include "diagnose/collect_flow.h"
#include "diagnose/collect_link.h"
#include "diagnose/collect_lookup.h"

/* What is asked for in one family. */
struct network_sample {
	struct addr address;
	const struct config_lan *lan;
};

struct samples {
	struct addr ranges[COLLECT_NODE_RANGES];
	size_t n_ranges;
	struct network_sample networks[COLLECT_NODE_NETWORKS];
	size_t n_networks;
};

static size_t lans_of(const struct config *c)
{
	return c->n_lans < COLLECT_NODE_LANS ? c->n_lans : COLLECT_NODE_LANS;
}

/* The last usable address that is not this host's own. */
static struct addr sample_of(const struct collect_scope *scope, const struct prefix *p)
{
	struct addr a = prefix_last(p);
	size_t last = addr_bytes(a.family) - 1;
	bool broadcast = a.family == AF_INET && p->len < 31;

	if (broadcast)
		a.b[last]--;
	/* Two steps are enough for a gateway and its virtual address. */
	for (unsigned i = 0; i < 2 && p->len + 3u < addr_bits(a.family); i++)
		if (collect_is_own(scope, &a))
			a.b[last]--;
	return a;
}

static void take_samples(const struct collect_scope *scope, uint8_t family, struct samples *out)
{
	const struct config *c = scope->config;

	*out = (struct samples){};
	for (size_t i = 0; i < c->n_ranges && out->n_ranges < COLLECT_NODE_RANGES; i++)
		if (c->ranges[i].prefix.addr.family == family)
			out->ranges[out->n_ranges++] = sample_of(scope, &c->ranges[i].prefix);
	for (size_t i = 0; i < lans_of(c); i++) {
		const struct config_lan *lan = &c->lans[i];
		for (size_t j = 0; j < lan->n_networks; j++)
			if (lan->networks[j].prefix.addr.family == family &&
				out->n_networks < COLLECT_NODE_NETWORKS)
				out->networks[out->n_networks++] = (struct network_sample){
					sample_of(scope, &lan->networks[j].prefix), lan};
	}
}

struct asking {
	const struct collect_scope *scope;
	struct nl_sock *s;
	struct fib fib;
	struct evidence *e;
};

static void put(struct asking *x, const struct lookup *q)
{
	struct route_answer answer;
	(void)collect_lookup(x->scope, x->s, &x->fib, q, &answer, x->e);
}

static void ask_networks(struct asking *x, const struct samples *all)
{
	if (!x->scope->mesh || all->n_ranges == 0)
		return;
	for (size_t i = 0; i < all->n_networks; i++) {
		struct lookup q = {.question = ASK_ADDRESS,
			.from = all->ranges[0],
			.to = all->networks[i].address,
			.iif = x->scope->mesh->ifindex};
		put(x, &q);
	}
}

/* By each interface of lan, from its first network of this family. */
static void ask_ranges(struct asking *x, const struct samples *all)
{
	for (size_t r = 0; r < all->n_ranges; r++) {
		struct lookup bare = {.question = ASK_REVERSE_BARE, .to = all->ranges[r]};
		const struct config_lan *asked = nullptr;
		for (size_t i = 0; i < all->n_networks; i++) {
			const struct config_lan *lan = all->networks[i].lan;
			const struct link *in = link_by_name(&x->scope->links, lan->interface);
			struct lookup q = {.question = ASK_REVERSE,
				.from = all->networks[i].address,
				.to = all->ranges[r],
				.iif = in ? in->ifindex : 0};
			if (in && lan != asked)
				put(x, &q);
			asked = lan;
		}
		put(x, &bare);
	}
}

static void ask_family(struct asking *x, uint8_t family)
{
	struct samples all;
	struct addr about[COLLECT_NODE_RANGES + COLLECT_NODE_NETWORKS];
	struct err err = {};
	size_t n = 0;

	take_samples(x->scope, family, &all);
	for (size_t i = 0; i < all.n_ranges; i++)
		about[n++] = all.ranges[i];
	for (size_t i = 0; i < all.n_networks; i++)
		about[n++] = all.networks[i].address;
	if (n == 0)
		return;
	if (fib_read(x->s, about, n, &x->fib, &err) < 0)
		collect_missing(x->e, OBSERVER_ROUTES, &err);
	ask_networks(x, &all);
	ask_ranges(x, &all);
	fib_clear(&x->fib);
}

static void tell_counters(const struct collect_scope *scope, struct nl_sock *s, struct evidence *e)
{
	struct counter_set now = {};
	struct err err = {};
	if (collect_counters_read(scope, s, "", &now, &err) < 0)
		collect_missing(e, OBSERVER_COUNTERS, &err);
	else
		collect_counters(&now, &now, e);
	counter_set_clear(&now);
}

void collect_node(struct nl_sock *s, const struct config *config, struct evidence *e)
{
	struct collect_scope scope;
	struct err err = {};

	if (collect_scope_init(&scope, s, config, nullptr, &err) < 0) {
		collect_missing(e, OBSERVER_ROUTES, &err);
		collect_scope_clear(&scope);
		return;
	}
	collect_links(&scope, e);
	for (size_t i = 0; i < lans_of(config); i++)
		collect_link(&scope, ROLE_LAN, config->lans[i].interface, e);
	struct asking x = {.scope = &scope, .s = s, .e = e};
	ask_family(&x, AF_INET);
	ask_family(&x, AF_INET6);
	collect_bgp_lookups(&scope, s, e);
	collect_sysctls(&scope, e);
	tell_counters(&scope, s, e);
	collect_platform(e);
	collect_scope_clear(&scope);
}
