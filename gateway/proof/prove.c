/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/prove.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

/* More are known than are asked in one round. */
constexpr size_t LEARNED_PER_ASKED = 4;
constexpr size_t SUSPECTS_MAX = 256;
/* What ends a session may take its routes away only a moment later. */
constexpr unsigned HURRIED_ROUNDS = 5;

static void network_clear(struct prove_network *n)
{
	witnesses_clear(&n->witnesses);
}

void prove_clear(struct prove *p)
{
	for (size_t i = 0; i < p->n; i++)
		network_clear(&p->networks[i]);
	free(p->networks);
	free(p->sessions);
	*p = (struct prove){};
}

struct prove_network *prove_find(
	const struct prove *p, const char *interface, const struct prefix *prefix)
{
	for (size_t i = 0; i < p->n; i++)
		if (!prefix_cmp(&p->networks[i].prefix, prefix) &&
			!strncmp(p->networks[i].interface, interface, IFNAMSIZ))
			return &p->networks[i];
	return nullptr;
}

static const struct config_host *host_of(const struct prove_network *n, const struct addr *a)
{
	for (size_t i = 0; i < n->n_hosts; i++)
		if (!addr_cmp(&n->hosts[i].address, a))
			return &n->hosts[i];
	return nullptr;
}

static bool is_configured(const struct config_network *c, const struct witness *w)
{
	for (size_t i = 0; i < c->n_witnesses; i++)
		if (c->witnesses[i].port == w->port &&
			!addr_cmp(&c->witnesses[i].address, &w->address))
			return true;
	return false;
}

/* Those that the configuration names come and go with it; what is known of the others stays. */
static void take_witnesses(struct prove_network *n, const struct config_network *c)
{
	size_t kept = 0;
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		bool wanted = is_configured(c, w);
		if (wanted || w->origin == WITNESS_NEIGHBOR || (n->learn && w->excepted) ||
			(n->learn && w->origin == WITNESS_LEARNED)) {
			if (!wanted && w->origin == WITNESS_CONFIGURED)
				w->origin = WITNESS_LEARNED;
			n->witnesses.list[kept++] = *w;
		}
	}
	n->witnesses.n = kept;
	for (size_t i = 0; i < c->n_witnesses; i++) {
		const struct config_witness *want = &c->witnesses[i];
		struct witness *w = witness_find(&n->witnesses, &want->address, want->port);
		if (w)
			w->origin = WITNESS_CONFIGURED;
		else
			witness_add(&n->witnesses, &want->address, want->port, WITNESS_CONFIGURED);
	}
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		w->fixed = host_of(n, &w->address);
		w->excepted = w->excepted && !w->fixed;
		w->asked = false;
	}
}

static struct prove_network take_network(
	struct prove *old, const char *interface, const struct config_network *c)
{
	struct prove_network n = {.prefix = c->prefix};
	struct prove_network *before = prove_find(old, interface, &c->prefix);
	if (before) {
		n = *before;
		before->witnesses = (struct witnesses){};
	}
	memcpy(n.interface, interface, IFNAMSIZ);
	n.learn = c->learn_witnesses;
	n.hosts = c->hosts;
	n.n_hosts = c->n_hosts;
	n.due_us = 0;
	n.asking = false;
	n.hurried = 0;
	take_witnesses(&n, c);
	return n;
}

void prove_configure(struct prove *p, const struct config *config)
{
	struct prove old = *p;
	size_t cap = 0;
	*p = (struct prove){.generation = old.generation + 1,
		.sessions = TAKE_PTR(old.sessions),
		.n_sessions = old.n_sessions};
	if (config)
		p->probe = config->probe;
	for (size_t i = 0; config && i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++) {
			const struct config_network *c = &config->lans[i].networks[j];
			if (c->return_path != RETURN_PATH_AUTO)
				continue;
			XGROW(p->networks, p->n, cap);
			p->networks[p->n++] = take_network(&old, config->lans[i].interface, c);
		}
	prove_clear(&old);
}

void prove_adopt(struct prove_network *n, bool route)
{
	n->route = route;
	n->adopted = route;
}

/* Its port comes when it is learned again; until then it stays as it was. */
void prove_adopt_exception(struct prove_network *n, const struct addr *host)
{
	struct witness *w = nullptr;
	if (host_of(n, host) || witness_host_excepted(&n->witnesses, host))
		return;
	for (size_t i = 0; i < n->witnesses.n && !w; i++)
		if (!addr_cmp(&n->witnesses.list[i].address, host))
			w = &n->witnesses.list[i];
	if (!w)
		w = witness_add(&n->witnesses, host, 0, WITNESS_LEARNED);
	w->excepted = true;
}

static void due_at(struct prove_network *n, uint64_t at_us)
{
	if (at_us < n->due_us)
		n->due_us = at_us;
}

void prove_event(struct prove *p, uint64_t now_us)
{
	for (size_t i = 0; i < p->n; i++)
		due_at(&p->networks[i], now_us + p->probe.after_event_us);
}

static bool same_sessions(const struct prove *p, const struct prove_session *list, size_t n)
{
	if (p->n_sessions != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (addr_cmp(&p->sessions[i].neighbor, &list[i].neighbor) ||
			p->sessions[i].sent4 != list[i].sent4 ||
			p->sessions[i].sent6 != list[i].sent6)
			return false;
	return true;
}

void prove_set_sessions(
	struct prove *p, const struct prove_session *list, size_t n, uint64_t now_us)
{
	if (same_sessions(p, list, n))
		return;
	free(p->sessions);
	p->sessions = xcalloc(n, sizeof(*list));
	p->n_sessions = n;
	if (n)
		memcpy(p->sessions, list, n * sizeof(*list));
	prove_event(p, now_us);
}

uint64_t prove_pace_us(const struct prove *p)
{
	const struct config_probe *c = &p->probe;
	return c->timeout_us < c->after_event_us ? c->timeout_us : c->after_event_us;
}

bool prove_hurry(struct prove *p, uint64_t now_us)
{
	bool began = false;
	for (size_t i = 0; i < p->n; i++) {
		struct prove_network *n = &p->networks[i];
		uint64_t at = n->hurried ? n->asked_us + prove_pace_us(p) : now_us;
		began |= !n->hurried;
		n->hurried = HURRIED_ROUNDS;
		due_at(n, at > now_us ? at : now_us);
	}
	return began;
}

/* Exceptions are kept beside the bound, and would outvote the others without a place for one of
 * them for each exception. */
static size_t learned_max(const struct prove *p, const struct prove_network *n)
{
	size_t max = LEARNED_PER_ASKED * p->probe.max_witnesses;
	for (size_t i = 0; i < n->witnesses.n; i++)
		max += n->witnesses.list[i].excepted;
	return max;
}

void prove_learn(struct prove *p, struct prove_network *n, const struct addr *a, uint16_t port)
{
	if (!n->learn || !port || host_of(n, a))
		return;
	struct witness *w = witness_find(&n->witnesses, a, 0);
	if (w)
		w->port = port;
	else
		(void)witness_learn(&n->witnesses, a, port, learned_max(p, n));
}

void prove_set_neighbors(struct prove_network *n, const struct addr *list, size_t count)
{
	witness_sync(&n->witnesses, WITNESS_NEIGHBOR, list, count, PROVE_BGP_PORT);
}

void prove_set_routers(struct prove_network *n, const struct addr *list, size_t count)
{
	for (size_t i = 0; i < n->witnesses.n; i++) {
		struct witness *w = &n->witnesses.list[i];
		w->router = w->origin == WITNESS_NEIGHBOR;
		for (size_t j = 0; j < count; j++)
			w->router |= !addr_cmp(&list[j], &w->address);
	}
}

void prove_suspect(struct prove_network *n, const struct addr *a, uint16_t port, uint64_t now_us)
{
	if (!n->learn || host_of(n, a))
		return;
	struct witness *w = witness_learn(&n->witnesses, a, port, SUSPECTS_MAX);
	if (!w || w->excepted || w->suspect)
		return;
	w->suspect = true;
	due_at(n, now_us);
}

uint64_t prove_due_us(const struct prove *p)
{
	uint64_t due = PROVE_NEVER;
	for (size_t i = 0; i < p->n; i++)
		if (!p->networks[i].asking && p->networks[i].due_us < due)
			due = p->networks[i].due_us;
	return due;
}
