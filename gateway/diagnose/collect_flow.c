/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_flow.h"
#include "conf/admits.h"
#include "lib/marks.h"
#include "net/ct.h"
#include "net/nl.h"
#include "net/platform.h"
#include "net/sockdiag.h"
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <string.h>

/* ---- neighbour ---- */

void collect_neighbour(const struct collect_scope *scope, struct nl_sock *s,
	const struct collect_way *way, const struct neigh_watch *watch, struct evidence *e)
{
	struct err err = {};
	struct neigh n = {};

	/* On the mesh interface there are no link addresses. */
	if (way->next_hop.family == AF_UNSPEC || (scope->mesh && way->oif == scope->mesh->ifindex))
		return;
	int r = neigh_get(s, way->oif, &way->next_hop, &n, &err);
	if (r < 0 && r != -ENOENT) {
		collect_missing(e, OBSERVER_ROUTES, &err);
		return;
	}
	struct fact_neighbour *f = &evidence_add(e, FACT_NEIGHBOUR)->neighbour;
	f->address = way->next_hop;
	snprintf(f->interface, sizeof(f->interface), "%s", way->egress);
	snprintf(f->state, sizeof(f->state), "%s", neigh_state_str(n.state));
	snprintf(f->lladdr, sizeof(f->lladdr), "%s", n.lladdr);
	/* One that failed meanwhile has lost its own. */
	const char *first = n.lladdr[0] || !watch ? n.lladdr : neigh_watch_lladdr(watch, 0);
	for (size_t i = 0; watch && *neigh_watch_lladdr(watch, i); i++)
		if (strcmp(neigh_watch_lladdr(watch, i), first) != 0)
			snprintf(f->lladdr_other, sizeof(f->lladdr_other), "%s",
				neigh_watch_lladdr(watch, i));
}

void collect_link_answer(struct evidence *e)
{
	size_t at = 0;
	const struct fact *f = evidence_next(e, FACT_NEIGHBOUR, &at);

	if (!f)
		return;
	bool answered = !strcmp(f->neighbour.state, neigh_state_str(NUD_REACHABLE));
	bool silent = !strcmp(f->neighbour.state, neigh_state_str(NUD_PROBE)) ||
		      !strcmp(f->neighbour.state, neigh_state_str(NUD_FAILED)) ||
		      !strcmp(f->neighbour.state, neigh_state_str(NUD_INCOMPLETE));
	if (!answered && !silent)
		return;
	struct fact_probe *p = &evidence_add(e, FACT_PROBE)->probe;
	p->probe = PROBE_LINK;
	p->outcome = answered ? OUTCOME_ANSWERED : OUTCOME_SILENT;
	p->sent = 1;
	p->answered = answered;
}

/* ---- connection tracking ---- */

enum kind {
	KIND_REAL,
	KIND_REAL_ANSWERED,
	KIND_REAL_ENDED, /* answered, and over since */
	KIND_OURS,
	KIND_OURS_ANSWERED,
	KINDS
};

struct tracked {
	const struct collect_scope *scope;
	const struct collect_ports *own;
	struct ct_entry best[KINDS];
	bool found[KINDS];
};

static bool is_ours(const struct tracked *t, const struct ct_entry *e)
{
	uint16_t port = e->flow.from_port ? e->flow.from_port : e->icmp_id;
	return t->own->last && port >= t->own->first && port <= t->own->last &&
	       addr_cmp(&e->flow.from, &t->scope->flow->client) == 0;
}

/* Not what this host sent in the mesh's name before, or to find the way back. */
static bool is_callers(const struct tracked *t, const struct ct_entry *e)
{
	const struct flow *flow = t->scope->flow;
	bool named = !strcmp(flow->from, "address") && !addr_cmp(&flow->client, &e->flow.from);

	return (e->state.mark & MARK_PROBE_MASK) != MARK_PROBE &&
	       config_range_of(t->scope->config, &e->flow.from) &&
	       (named || !config_is_trial_source(t->scope->config, &e->flow.from));
}

static enum kind kind_of(const struct ct_entry *e, bool ours)
{
	bool answered = e->state.status & IPS_SEEN_REPLY;

	if (ours)
		return answered ? KIND_OURS_ANSWERED : KIND_OURS;
	if (!answered)
		return KIND_REAL;
	return conntrack_is_over(ct_tcp_state_str(e->tcp_state)) ? KIND_REAL_ENDED
								 : KIND_REAL_ANSWERED;
}

static void see_entry(const struct ct_entry *e, void *arg)
{
	struct tracked *t = arg;
	bool ours = is_ours(t, e);

	if (!ours && !is_callers(t, e))
		return;
	enum kind kind = kind_of(e, ours);
	/* Each packet sets the time that is left. */
	if (t->found[kind] && t->best[kind].timeout_s >= e->timeout_s)
		return;
	t->found[kind] = true;
	t->best[kind] = *e;
}

static void tell_entry(const struct ct_entry *e, bool ours, struct evidence *out)
{
	struct fact_conntrack *f = &evidence_add(out, FACT_CONNTRACK)->conntrack;
	f->origin = ours ? ORIGIN_INJECTED : ORIGIN_REAL;
	f->seen_reply = e->state.status & IPS_SEEN_REPLY;
	f->assured = e->state.status & IPS_ASSURED;
	snprintf(f->state, sizeof(f->state), "%s", ct_tcp_state_str(e->tcp_state));
	f->source_nat = e->state.status & IPS_SRC_NAT;
	f->destination_nat = e->state.status & IPS_DST_NAT;
	f->reply_to = e->reply.to;
	f->reply_from = e->reply.from;
	f->mark = e->state.mark;
}

void collect_conntrack(const struct collect_scope *scope, struct nl_sock *s,
	const struct collect_ports *own, struct evidence *e)
{
	struct tracked t = {.scope = scope, .own = own};
	const struct flow *f = scope->flow;
	struct err err = {};

	if (ct_visit_to(s, f->proto, &f->target, f->port, see_entry, &t, &err) < 0) {
		collect_missing(e, OBSERVER_CONNTRACK, &err);
		return;
	}
	for (size_t i = 0; i < KINDS; i++)
		if (t.found[i])
			tell_entry(&t.best[i], i >= KIND_OURS, e);
}

/* ---- sockets ---- */

static void tell_listeners(
	const struct listener_set *set, const struct addr *target, struct evidence *e)
{
	struct fact_socket *f = &evidence_add(e, FACT_SOCKET)->socket;
	f->listening = set->n > 0;
	f->reachable = false;
	f->loopback_only = set->n > 0;
	f->backlog = f->queue = -1;
	for (size_t i = 0; i < set->n; i++) {
		const struct listener *l = &set->list[i];
		f->loopback_only &= listener_is_loopback(l);
		if (!listener_takes(l, target))
			continue;
		f->reachable = true;
		f->backlog = l->backlog;
		f->queue = l->queue;
	}
}

void collect_socket(const struct collect_scope *scope, struct evidence *e)
{
	const struct flow *flow = scope->flow;
	struct listener_set set = {};
	struct nl_sock *s = nullptr;
	struct err err = {};

	if (!scope->own_target || (flow->proto != IPPROTO_TCP && flow->proto != IPPROTO_UDP))
		return;
	int r = nl_open(NETLINK_SOCK_DIAG, &s, &err);
	if (r == 0)
		r = sockdiag_listeners(s, flow->proto, flow->port, &set, &err);
	if (r == 0)
		tell_listeners(&set, &flow->target, e);
	else
		collect_missing(e, OBSERVER_PROBES, &err);
	listener_set_clear(&set);
	nl_close(s);
}

void collect_platform(struct evidence *e)
{
	struct platform p;
	if (platform_read(PLATFORM_DMI, &p) < 0)
		return; /* a container, or a machine without DMI */
	struct fact_platform *f = &evidence_add(e, FACT_PLATFORM)->platform;
	snprintf(f->vendor, sizeof(f->vendor), "%s", p.vendor);
	snprintf(f->provider, sizeof(f->provider), "%s", p.provider);
}
