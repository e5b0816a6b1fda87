/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/prober.h"
#include "daemon/prober_int.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdlib.h>
#include <string.h>

constexpr uint64_t FIRST_LOOK_US = 1'000;
constexpr uint64_t PAUSE_MAX_US = 50'000;
/* Our table is not in place; nothing can be asked. */
constexpr uint64_t NOT_NOW_US = 500'000;

struct flight {
	size_t network, witness;
	bool range;
	int mesh;        /* ifindex of the tunnel, and … */
	uint64_t tables; /* … how many tables were written, when it left */
	struct probe probe;
};

struct prober {
	struct gateway *gateway;
	uint64_t generation; /* of gateway->prove, to which the flights belong */
	struct flight flights[PROBER_MAX];
	size_t n;
	uint64_t pause_us, look_us; /* between looks for answers, and the next */
};

struct prober *prober_new(struct gateway *gateway)
{
	struct prober *p = xcalloc(1, sizeof(*p));
	p->gateway = gateway;
	return p;
}

static int mesh_index(const struct gateway *g)
{
	const struct link *l = link_by_name(&g->seen.links, g->config->mesh_interface);
	return l ? l->ifindex : 0;
}

static struct witness *witness_of(struct prober *p, const struct flight *f)
{
	return &p->gateway->prove.networks[f->network].witnesses.list[f->witness];
}

static void land(struct prober *p, size_t i)
{
	struct kernel *k = p->gateway->kernel;
	k->ops->probe_close(k, &p->flights[i].probe);
	p->flights[i] = p->flights[--p->n];
}

static void land_all(struct prober *p)
{
	while (p->n)
		land(p, p->n - 1);
}

void prober_free(struct prober *p)
{
	if (!p)
		return;
	land_all(p);
	free(p);
}

static void settle(struct prober *p, const struct flight *f, enum probe_result result)
{
	struct probe_pair *pair = &witness_of(p, f)->asking;
	if (f->range)
		pair->range = result;
	else
		pair->own = result;
}

/* ---- Answers ---- */

/* What a connection from the own address met. A refusal of which conntrack knows nothing was made
 * on this host: a filter here rejected the packet before it left. */
static enum probe_result own_result(struct kernel *k, const struct probe *probe, int r)
{
	struct ct_state state;
	if (r == 1)
		return PROBE_COMPLETED;
	if (r == -EINPROGRESS)
		return PROBE_UNASKED;
	if (r == -ETIMEDOUT)
		return PROBE_SILENT;
	if (k->ops->ct_lookup(k, &probe->flow, &state, nullptr) == -ENOENT)
		return PROBE_FILTERED;
	if (r == -EHOSTDOWN)
		return PROBE_SILENT;
	return r == -ECONNREFUSED || r == -ECONNRESET ? PROBE_REFUSED : PROBE_ROUTER;
}

/* What table inet meshgw saw of the answer. An ICMP error may be the host's or a router's: which
 * of them is judged with the answer to the own address (finish()). */
static enum probe_result range_result(const struct ct_state *state)
{
	if (state->status & IPS_SRC_NAT)
		return PROBE_FAILED;
	if (state->mark & MARK_PROBE_ANSWERED)
		return state->mark & MARK_PROBE_REFUSED ? PROBE_ROUTER : PROBE_COMPLETED;
	if (state->mark & MARK_PROBE_REFUSED)
		return PROBE_REFUSED;
	if (state->mark & (MARK_PROBE_ASTRAY | MARK_PROBE_DIVERTED))
		return PROBE_ASTRAY;
	return PROBE_UNASKED;
}

static enum probe_result look(struct kernel *k, const struct flight *f)
{
	struct ct_state state = {};
	if (!f->range)
		return own_result(k, &f->probe, k->ops->probe_check(k, &f->probe));
	int r = k->ops->ct_lookup(k, &f->probe.flow, &state, nullptr);
	if (r == -ENOENT)
		return PROBE_FILTERED;
	return r < 0 ? PROBE_FAILED : range_result(&state);
}

/* An answer that did not come, or went astray, tells of the site only if everything here was in its
 * place all the time. */
static bool was_seen(const struct prober *p, const struct flight *f)
{
	struct gateway *g = p->gateway;
	const struct prove_network *n = &g->prove.networks[f->network];
	struct addr via;
	return g->seen.nft_current && f->tables == g->nft_tables && f->mesh == mesh_index(g) &&
	       prober_paths_agree(g, n, &f->probe.flow.to, &f->probe.flow.from, &via);
}

/* Ends a flight with what became of it. */
static void judge(struct prober *p, size_t i, enum probe_result result)
{
	const struct flight *f = &p->flights[i];
	bool missed = result == PROBE_SILENT || result == PROBE_ASTRAY;
	settle(p, f, f->range && missed && !was_seen(p, f) ? PROBE_FAILED : result);
	land(p, i);
}

static void look_for_answers(struct prober *p, uint64_t now_us)
{
	for (size_t i = 0; i < p->n;) {
		enum probe_result result = look(p->gateway->kernel, &p->flights[i]);
		if (result != PROBE_UNASKED)
			judge(p, i, result);
		else
			i++;
	}
	p->pause_us = p->pause_us * 2 < PAUSE_MAX_US ? p->pause_us * 2 : PAUSE_MAX_US;
	p->look_us = now_us + p->pause_us;
}

/* ---- A round's end ---- */

static size_t flights_of(const struct prober *p, size_t network)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += p->flights[i].network == network;
	return n;
}

static void give_up(struct prober *p, size_t network)
{
	for (size_t i = p->n; i-- > 0;)
		if (p->flights[i].network == network)
			judge(p, i, PROBE_SILENT);
}

/* Whose word an ICMP error is: that of the host itself where no router is between, or where the
 * host refused the own address as well. */
static void name_sender(struct witness *w)
{
	bool on_link = w->via.family == AF_UNSPEC;
	if (on_link && w->asking.own == PROBE_ROUTER)
		w->asking.own = PROBE_REFUSED;
	if (w->asking.range == PROBE_ROUTER && (on_link || w->asking.own == PROBE_REFUSED))
		w->asking.range = PROBE_REFUSED;
}

/* Without our table nobody saw an answer. */
static void finish(struct prober *p, size_t network, uint64_t now_us, bool *changed)
{
	struct gateway *g = p->gateway;
	struct prove_network *n = &g->prove.networks[network];
	give_up(p, network);
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		name_sender(w);
		if (!g->seen.nft_current && w->asking.range != PROBE_COMPLETED)
			w->asking.range = PROBE_FAILED;
	}
	gateway_switch(g, n, prove_end(&g->prove, n, now_us));
	*changed = true;
}

static void finish_rounds(struct prober *p, uint64_t now_us, bool *changed)
{
	struct prove *prove = &p->gateway->prove;
	for (size_t i = 0; i < prove->n; i++) {
		const struct prove_network *n = &prove->networks[i];
		if (n->asking &&
			(flights_of(p, i) == 0 || now_us >= n->asked_us + prove->probe.timeout_us))
			finish(p, i, now_us, changed);
	}
}

/* ---- A round's beginning ---- */

/* 0 or -errno; what could not be sent says nothing. */
static int try_send(struct prober *p, struct flight *f, struct err *err)
{
	struct gateway *g = p->gateway;
	const struct prove_network *n = &g->prove.networks[f->network];
	struct witness *w = witness_of(p, f);
	struct probe_target target = {.address = w->address, .port = w->port};
	memcpy(target.interface, n->interface, IFNAMSIZ);
	if (f->range) {
		target.source = want_probe_source(g->config, w->address.family);
		if (!prober_paths_agree(g, n, &w->address, &target.source, &w->via))
			return err_set(err, EHOSTUNREACH,
				"no path from the tunnel to the witness and back");
	}
	return g->kernel->ops->probe_send(g->kernel, &target, &f->probe, err);
}

static void send_probe(struct prober *p, size_t network, size_t witness, bool range)
{
	struct gateway *g = p->gateway;
	struct flight f = {.network = network,
		.witness = witness,
		.range = range,
		.mesh = mesh_index(g),
		.tables = g->nft_tables};
	struct err err = {};
	int r = p->n < PROBER_MAX ? try_send(p, &f, &err) : -EAGAIN;
	if (r >= 0) {
		p->flights[p->n++] = f;
		return;
	}
	log_debug("prober", "%s", err.msg);
	settle(p, &f, r == -ECONNREFUSED ? PROBE_FILTERED : PROBE_FAILED);
}

/* Of a neighbour, however it became a witness. */
static bool is_bgp(const struct gateway *g, const struct witness *w)
{
	const struct config_bgp *bgp = &g->config->bgp;
	for (size_t i = 0; w->port == PROVE_BGP_PORT && i < bgp->n_neighbors; i++)
		if (!addr_cmp(&bgp->neighbors[i].address, &w->address))
			return true;
	return false;
}

static void begin(struct prober *p, size_t network, uint64_t now_us)
{
	struct gateway *g = p->gateway;
	struct prove_network *n = &g->prove.networks[network];
	prove_begin(&g->prove, n, now_us);
	for (size_t i = 0; i < n->witnesses.n; i++) {
		if (!n->witnesses.list[i].asked)
			continue;
		if (!is_bgp(g, &n->witnesses.list[i]))
			send_probe(p, network, i, false);
		send_probe(p, network, i, true);
	}
	p->pause_us = FIRST_LOOK_US;
	p->look_us = now_us + FIRST_LOOK_US;
}

/* How many probes a round may need: the witnesses of a round, as many suspects and exceptions, and
 * the neighbours. */
static bool has_room(const struct prober *p, const struct prove_network *n)
{
	size_t most = 2 * n->witnesses.n;
	size_t bound = 2 * (3 * p->gateway->prove.probe.max_witnesses + PROBER_NEIGHBORS_MAX);
	return p->n + (most < bound ? most : bound) <= PROBER_MAX || p->n == 0;
}

/* Whose round has been due for longest: where there are more than can be asked in time, all have
 * their turn. prove->n = none is due. */
static size_t longest_due(const struct prove *prove, uint64_t now_us)
{
	size_t found = prove->n;
	for (size_t i = 0; i < prove->n; i++) {
		const struct prove_network *n = &prove->networks[i];
		if (!n->asking && n->due_us <= now_us &&
			(found == prove->n || n->due_us < prove->networks[found].due_us))
			found = i;
	}
	return found;
}

static void begin_rounds(struct prober *p, uint64_t now_us)
{
	struct gateway *g = p->gateway;
	struct prove *prove = &g->prove;
	struct prober_knowledge known = {};
	size_t i = longest_due(prove, now_us);
	if (i == prove->n || !has_room(p, &prove->networks[i]))
		return;
	prober_learn(g, &known);
	for (; i < prove->n; i = longest_due(prove, now_us)) {
		struct prove_network *n = &prove->networks[i];
		prober_prepare(g, &known, n, now_us);
		if (!has_room(p, n))
			break;
		begin(p, i, now_us);
	}
	prober_knowledge_clear(&known);
}

/* ---- The owner's side ---- */

static uint64_t sooner(uint64_t a_us, uint64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

/* A round that is due and found no room waits for the end of another one. */
static uint64_t next_call(const struct prober *p, uint64_t now_us)
{
	const struct prove *prove = &p->gateway->prove;
	uint64_t next = p->n ? p->look_us : PROVE_NEVER;
	for (size_t i = 0; i < prove->n; i++) {
		const struct prove_network *n = &prove->networks[i];
		if (n->asking)
			next = sooner(next, n->asked_us + prove->probe.timeout_us);
		else if (n->due_us > now_us)
			next = sooner(next, n->due_us);
	}
	if (next == PROVE_NEVER)
		return 0;
	return next > now_us ? next : now_us + 1;
}

uint64_t prober_run(struct prober *p, uint64_t now_us, bool *changed)
{
	struct gateway *g = p->gateway;
	if (p->generation != g->prove.generation)
		land_all(p);
	p->generation = g->prove.generation;
	if (gateway_was_stirred(g))
		prove_event(&g->prove, now_us);
	if (p->n)
		look_for_answers(p, now_us);
	finish_rounds(p, now_us, changed);
	if (g->phase != GATEWAY_UP || g->prove.n == 0)
		return 0;
	if (!g->seen.nft_current)
		return now_us + NOT_NOW_US;
	begin_rounds(p, now_us);
	return next_call(p, now_us);
}

void prober_session_ended(struct prober *p, const struct addr *neighbor, uint64_t now_us)
{
	char name[ADDR_STRLEN];
	bool one = neighbor->family != AF_UNSPEC;
	if (prove_hurry(&p->gateway->prove, now_us))
		log_info("prober", "a BGP session ended, asking at once: neighbor=%s",
			one ? addr_str(neighbor, name) : "unknown");
}
