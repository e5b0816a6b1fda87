/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_modes: which networks are masqueraded, in the table and in the flows that live.
 *
 * A switch changes the sets of source NAT and nothing else of the table, and then ends what can
 * only win by it. A flow's mapping stays in its conntrack entry: entries that saw no answer go in
 * every case, so that a repeated SYN takes the new way; where the way back was lost, also those of
 * datagrams, which go on with another source. A live TCP flow is never touched: its entry is what
 * carries it, and without it the gateway would answer with RST.
 */
#include "daemon/gateway.h"
#include "daemon/gateway_int.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

static void remodel(struct gateway *g)
{
	want_model_free(g->model);
	g->model = want_model(g->config, &g->prove, g->hears_bgp, &g->bridge);
}

static bool covered(const struct nft_modes *modes, const struct prefix *p)
{
	struct addr last = prefix_last(p);
	for (size_t i = 0; i < modes->n_networks; i++) {
		const struct nft_interval *v = &modes->networks[i];
		if (v->first.family == p->addr.family && addr_cmp(&v->first, &p->addr) <= 0 &&
			addr_cmp(&v->last, &last) >= 0)
			return true;
	}
	return false;
}

static struct prove_network *network_of(struct prove *p, const struct addr *a)
{
	for (size_t i = 0; i < p->n; i++)
		if (prefix_contains_addr(&p->networks[i].prefix, a))
			return &p->networks[i];
	return nullptr;
}

static void adopt(struct prove *p, const struct nft_modes *modes)
{
	char name[PREFIX_STRLEN];
	for (size_t i = 0; i < p->n; i++) {
		struct prove_network *n = &p->networks[i];
		prove_adopt(n, !covered(modes, &n->prefix));
		log_info("gateway", "network=%s interface=%s goes on as before: %s",
			prefix_str(&n->prefix, name), n->interface,
			n->route ? "route" : "masquerade");
	}
	for (size_t i = 0; i < modes->n_hosts; i++) {
		struct prove_network *n = network_of(p, &modes->hosts[i]);
		if (n)
			prove_adopt_exception(n, &modes->hosts[i]);
	}
}

/* What the table remembers of services goes with its replacement. */
static void adopt_witnesses(struct gateway *g)
{
	struct nft_witness *list = xcalloc(GATEWAY_WITNESSES, sizeof(*list));
	int n = g->kernel->ops->nft_witnesses(g->kernel, list, GATEWAY_WITNESSES, nullptr);
	for (int i = 0; i < n && (size_t)i < GATEWAY_WITNESSES; i++) {
		struct prove_network *network = network_of(&g->prove, &list[i].address);
		if (network)
			prove_learn(&g->prove, network, &list[i].address, list[i].port);
	}
	free(list);
}

void gateway_adopt_modes(struct gateway *g)
{
	struct nft_modes modes = {};
	struct err err = {};
	if (g->adopted || g->phase != GATEWAY_UP)
		return;
	g->adopted = true;
	if (!g->seen.nft.exists || g->prove.n == 0)
		return;
	int r = g->kernel->ops->nft_modes(g->kernel, &modes, &err);
	if (r < 0)
		log_warn("gateway", "what was masqueraded before cannot be read: %s", err.msg);
	if (r > 0) {
		if (!g->interrupted) /* else it may route what was never proven */
			adopt(&g->prove, &modes);
		adopt_witnesses(g);
		remodel(g);
	}
	nft_modes_clear(&modes);
}

/* The hosts of a network whose exceptions came or went, as the round left them. */
static struct prefix *switched_hosts(const struct prove_network *n, bool excepted, size_t *count)
{
	struct prefix *hosts = xcalloc(n->witnesses.n, sizeof(*hosts));
	*count = 0;
	for (size_t i = 0; i < n->witnesses.n; i++) {
		const struct witness *w = &n->witnesses.list[i];
		if (w->switched && w->excepted == excepted)
			hosts[(*count)++] = prefix_of(&w->address);
	}
	return hosts;
}

/* Hosts with a mode of their own, which the network's does not move. */
static struct prefix *settled_hosts(const struct prove_network *n, size_t *count)
{
	struct prefix *hosts = xcalloc(n->n_hosts + n->witnesses.n, sizeof(*hosts));
	*count = 0;
	for (size_t i = 0; i < n->n_hosts; i++)
		hosts[(*count)++] = prefix_of(&n->hosts[i].address);
	for (size_t i = 0; i < n->witnesses.n; i++)
		if (n->witnesses.list[i].excepted)
			hosts[(*count)++] = prefix_of(&n->witnesses.list[i].address);
	return hosts;
}

static void end_flows(struct gateway *g, const struct prefix *networks, size_t n_networks,
	const struct prefix *except, size_t n_except, unsigned kinds)
{
	struct err err = {};
	struct ct_scope scope = {.ranges = g->model->ranges,
		.n_ranges = g->model->n_ranges,
		.networks = networks,
		.n_networks = n_networks,
		.except = except,
		.n_except = n_except};
	if (n_networks == 0)
		return;
	int n = g->kernel->ops->ct_delete(g->kernel, &scope, kinds, &err);
	if (n < 0)
		log_warn("gateway", "conntrack: %s", err.msg);
	else if (n > 0)
		log_info("gateway", "conntrack entries deleted, so that their flows begin anew: %d",
			n);
}

static void end_host_flows(struct gateway *g, const struct prove_network *n)
{
	for (unsigned excepted = 0; excepted < 2; excepted++) {
		size_t count;
		struct prefix *hosts = switched_hosts(n, excepted, &count);
		end_flows(g, hosts, count, nullptr, 0,
			excepted ? CT_UNREPLIED | CT_DATAGRAMS : CT_UNREPLIED);
		free(hosts);
	}
}

static void end_network_flows(struct gateway *g, const struct prove_network *n, unsigned change)
{
	size_t count;
	struct prefix *settled = settled_hosts(n, &count);
	end_flows(g, &n->prefix, 1, settled, count,
		change & PROVE_TO_MASQUERADE ? CT_UNREPLIED | CT_DATAGRAMS : CT_UNREPLIED);
	free(settled);
}

/* The sets alone; if that fails, the next pass replaces the table. */
static void write_modes(struct gateway *g)
{
	struct err err = {};
	int r = g->kernel->ops->nft_set_modes(g->kernel, g->model, &err);
	g->nft_writes++;
	if (r >= 0)
		r = gateway_read_back(g, &err);
	if (r >= 0)
		return;
	log_warn("gateway", "source NAT cannot be switched, the table is replaced: %s", err.msg);
	g->nft_digest = 0;
	g->seen.nft_current = false;
	gateway_mark(g, DIRTY_PASS | DIRTY_NFT);
}

void gateway_switch(struct gateway *g, const struct prove_network *n, unsigned change)
{
	if (g->phase != GATEWAY_UP || !change)
		return;
	remodel(g);
	if (!g->seen.nft_current)
		return;
	write_modes(g);
	if (change & PROVE_HOSTS)
		end_host_flows(g, n);
	if (change & (PROVE_TO_ROUTE | PROVE_TO_MASQUERADE))
		end_network_flows(g, n, change);
}
