/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gateway.h"
#include "daemon/gateway_int.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* A pass that changed something looks again; more rounds than this mean a mistake of ours. */
constexpr unsigned MAX_ROUNDS = 4;

const char *gateway_phase_str(enum gateway_phase phase)
{
	static const char *const names[] = {[GATEWAY_UNCONFIGURED] = "unconfigured",
		[GATEWAY_UP] = "up",
		[GATEWAY_DOWN] = "down"};
	return names[phase];
}

void gateway_init(struct gateway *g, struct kernel *kernel, gateway_save save, void *arg)
{
	*g = (struct gateway){.kernel = kernel,
		.save = save,
		.save_arg = arg,
		.dirty = DIRTY_ALL,
		.ip_forward = true};
}

void gateway_clear(struct gateway *g)
{
	want_model_free(g->model);
	prove_clear(&g->prove);
	want_clear(&g->want);
	observed_clear(&g->seen);
	tracks_clear(&g->tracks);
	check_clear(&g->checks);
	free(g->records.list);
	free(g->bridge.resolved);
	*g = (struct gateway){};
}

void gateway_enter(struct gateway *g, enum gateway_phase phase, const struct config *config)
{
	g->phase = phase;
	g->config = config;
	g->entered++;
	prove_configure(&g->prove, config);
	struct nft_model *model = config ? want_model(config, &g->prove, g->hears_bgp, &g->bridge)
					 : nullptr;
	if (!model || !g->model || !nft_model_equal(model, g->model))
		g->nft_digest = 0; /* of another model */
	want_model_free(g->model);
	g->model = model;
	g->seen.nft_current = false;
	g->dirty = DIRTY_ALL;
	tracks_clear(&g->tracks);
	check_clear(&g->checks);
}

void gateway_set_bridge(struct gateway *g, const struct want_bridge *take_bridge)
{
	free(g->bridge.resolved);
	g->bridge = *take_bridge;
	if (!g->model)
		return;
	struct nft_model *model = want_model(g->config, &g->prove, g->hears_bgp, &g->bridge);
	bool same = nft_model_equal(model, g->model);
	want_model_free(g->model);
	g->model = model;
	if (same)
		return;
	g->nft_digest = 0;
	g->seen.nft_current = false;
	gateway_mark(g, DIRTY_PASS | DIRTY_NFT);
}

void gateway_mark(struct gateway *g, unsigned dirty)
{
	g->dirty |= dirty;
}

static int now_value(void *arg, const char *key, int *value)
{
	struct kernel *k = arg;
	return k->ops->sysctl_get(k, key, value);
}

static bool still_ours(const struct gateway *g, const struct sysctl_record *r)
{
	int now;
	return now_value(g->kernel, r->key, &now) >= 0 && now == r->ours;
}

/* Interfaces whose rp_filter must be loose: where a check has just shown it, and where it is so
 * because of us (the check then finds nothing any more). */
static struct want_loose loose_interfaces(const struct gateway *g)
{
	int *list = xcalloc(g->checks.n_strict + g->records.n + 1, sizeof(*list));
	struct want_loose loose = {.ifindex = list};
	for (size_t i = 0; i < g->checks.n_strict; i++)
		list[loose.n++] = g->checks.strict[i];
	for (size_t i = 0; i < g->records.n; i++) {
		const struct sysctl_record *r = &g->records.list[i];
		bool known = false;
		for (size_t j = 0; j < loose.n; j++)
			known |= list[j] == r->ifindex;
		if (!known && strstr(r->key, "/rp_filter") && still_ours(g, r))
			list[loose.n++] = r->ifindex;
	}
	return loose;
}

static void make_plan(struct gateway *g, struct ops *ops)
{
	struct want_loose loose = loose_interfaces(g);
	want_compute(g->config, &g->seen, loose, &g->want);
	free((void *)(uintptr_t)loose.ifindex);
	plan_diff(&g->want, &g->seen, &g->records, now_value, g->kernel, ops);
}

/* Who raises net.ipv4.ip_forward writes 1 into every interface's key as well
 * (net/ipv4/devinet.c, inet_forward_change): what was there before us must not come back. */
static bool ip_forward_raised(struct gateway *g)
{
	const struct netconf *all = netconf_find(&g->seen.netconfs, AF_INET, NETCONFA_IFINDEX_ALL);
	bool before = g->ip_forward;
	g->ip_forward = !all || all->forwarding;
	return g->ip_forward && !before;
}

static bool is_forwarding4(const struct sysctl_record *r)
{
	return strncmp(r->key, "ipv4/", 5) == 0 && strstr(r->key, "/forwarding");
}

/* Forgets what can never be put back, so that the next change remembers anew what was there. */
static void drop_spent_records(struct gateway *g)
{
	size_t kept = 0, before = g->records.n;
	bool raised = ip_forward_raised(g);
	for (size_t i = 0; i < before; i++) {
		const struct sysctl_record *r = &g->records.list[i];
		if (!(raised && is_forwarding4(r)) &&
			!plan_record_spent(&g->want, &g->seen, r, now_value, g->kernel))
			g->records.list[kept++] = *r;
	}
	g->records.n = kept;
	if (kept < before)
		(void)gateway_save_records(g, nullptr);
}

static void soonest(uint64_t *next, uint64_t at_us)
{
	if (!*next || at_us < *next)
		*next = at_us;
}

static void settle(struct gateway *g, uint64_t now_us, uint64_t *next)
{
	for (size_t i = 0; i < g->tracks.n; i++) {
		struct track *t = &g->tracks.list[i];
		if (!t->planned)
			track_forgive(t);
		track_settle(t, now_us);
		if (t->contested)
			soonest(next, now_us + TRACK_FIGHT_US);
	}
	if (g->doubt)
		gateway_verify_at(g, now_us + GATEWAY_VERIFY_US);
	g->doubt = false;
	if (g->verify_us)
		soonest(next, g->verify_us);
}

static void begin_pass(struct gateway *g, uint64_t now_us)
{
	g->passes++;
	g->route_dumps = 0;
	g->dirty |= g->unread;
	g->unread = 0;
	if (!g->verify_us || now_us < g->verify_us)
		return;
	g->verify_us = 0;
	gateway_mark(g, DIRTY_ROUTES);
}

/* What must be read again after such changes. */
static void mark_changed(struct gateway *g, unsigned kinds)
{
	if (kinds & 1U << OP_SYSCTL)
		gateway_mark(g, DIRTY_LINKS);
	if (kinds && g->phase == GATEWAY_DOWN)
		gateway_mark(g, DIRTY_ROUTES | DIRTY_NFT | DIRTY_INPUT);
}

uint64_t gateway_pass(struct gateway *g, uint64_t now_us)
{
	uint64_t next = 0;
	begin_pass(g, now_us);
	for (unsigned round = 0; round < MAX_ROUNDS; round++) {
		struct ops ops = {};
		bool check = g->dirty & (DIRTY_CHECK | DIRTY_LINKS | DIRTY_ROUTES | DIRTY_FOREIGN |
						DIRTY_TABLES);
		if (!gateway_look(g))
			return now_us + track_pause_us(g->observe_failures);
		if (g->phase == GATEWAY_UNCONFIGURED)
			return 0;
		gateway_adopt_modes(g);
		make_plan(g, &ops);
		drop_spent_records(g);
		struct gateway_applied done = gateway_apply(g, &ops, now_us);
		ops_clear(&ops);
		next = done.next;
		mark_changed(g, done.kinds);
		if (g->config && (done.kinds || check))
			check_run(g->kernel, g->config, &g->seen, &g->checks);
		if (!done.kinds && !g->dirty && !g->checks.n_strict)
			break;
	}
	if (g->dirty)
		soonest(&next, now_us + TRACK_RETRY_US);
	if (g->unread)
		soonest(&next, now_us + track_pause_us(g->observe_failures));
	settle(g, now_us, &next);
	return next;
}

static bool adds_route(const struct ops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->list[i].kind == OP_ROUTE && ops->list[i].action == OP_ADD)
			return true;
	return false;
}

/* A return route that is still missing makes rp_filter drop what it will not drop later. */
static void plan_loose(struct gateway *g, struct ops *ops)
{
	if (!g->config || adds_route(ops))
		return;
	check_run(g->kernel, g->config, &g->seen, &g->checks);
	ops_clear(ops);
	make_plan(g, ops);
}

/* What is proven now will be so under the configuration to come as well. */
static void inherit_proof(
	struct gateway *g, enum gateway_phase phase, const struct gateway *current)
{
	g->hears_bgp = current->hears_bgp;
	g->bridge = current->bridge;
	g->bridge.resolved = xcalloc(current->bridge.n_resolved, sizeof(*g->bridge.resolved));
	for (size_t i = 0; i < current->bridge.n_resolved; i++)
		g->bridge.resolved[i] = current->bridge.resolved[i];
	gateway_enter(g, phase, current->config);
	for (size_t i = 0; i < current->prove.n; i++) {
		const struct prove_network *now = &current->prove.networks[i];
		struct prove_network *n = prove_find(&g->prove, now->interface, &now->prefix);
		if (!n)
			continue;
		prove_adopt(n, now->route);
		for (size_t j = 0; j < now->witnesses.n; j++)
			if (now->witnesses.list[j].excepted)
				prove_adopt_exception(n, &now->witnesses.list[j].address);
	}
}

int gateway_plan(struct kernel *k, enum gateway_phase phase, const struct config *config,
	const struct gateway *current, struct ops *ops, struct err *err)
{
	struct gateway g;
	gateway_init(&g, k, nullptr, nullptr);
	if (current)
		inherit_proof(&g, phase, current);
	gateway_enter(&g, phase, config);
	if (current && g.model && current->model && nft_model_equal(g.model, current->model))
		g.nft_digest = current->nft_digest;
	for (size_t i = 0; current && i < current->records.n; i++) {
		XGROW(g.records.list, g.records.n, g.records.cap);
		g.records.list[g.records.n++] = current->records.list[i];
	}
	int r = gateway_observe(&g, err);
	if (r >= 0 && phase != GATEWAY_UNCONFIGURED) {
		make_plan(&g, ops);
		plan_loose(&g, ops);
		plan_explain(ops, current ? current->config : nullptr, config, &g.seen.nft,
			current ? current->nft_digest : 0);
	}
	gateway_clear(&g);
	return r < 0 ? r : 0;
}

static bool waits(const struct gateway *g, const struct track *t)
{
	bool absent = t->error == ENODEV || t->error == ENETDOWN;
	return g->phase == GATEWAY_UP && (t->kind == OP_REMEDY || (t->kind == OP_ROUTE && absent));
}

const struct track *gateway_failure(const struct gateway *g)
{
	for (size_t i = 0; i < g->tracks.n; i++)
		if (g->tracks.list[i].error && !waits(g, &g->tracks.list[i]))
			return &g->tracks.list[i];
	return nullptr;
}
