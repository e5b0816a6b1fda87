/* SPDX-License-Identifier: Apache-2.0 */
/* From the gateway's LAN interface to the next hop: neighbours, queues. */
#include "verdict/decide_filter.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool state_in(const struct fact *n, const char *a, const char *b)
{
	return n && (!strcmp(n->neighbour.state, a) || !strcmp(n->neighbour.state, b));
}

/* IPv6 gives its neighbours' drops no reason of their own. */
static const struct fact *unresolved_drop(const struct view *v)
{
	const struct fact *drop = view_drop(v, "NEIGH_FAILED", "", true);
	return drop ? drop : view_drop(v, "NOT_SPECIFIED", "neigh_invalidate", true);
}

static const struct fact *host_unreachable(const struct view *v)
{
	return v->v6 ? view_own_icmp(v, 1, 3) : view_own_icmp(v, 3, 1);
}

static void blame_neighbour(const struct view *v, struct finding *f)
{
	const struct fact *n = v->neighbour;
	finding_cite(f, n);
	finding_set_addr(f, "address", n ? &n->neighbour.address : &v->e->flow.target);
	finding_set_text(f, "interface", n ? n->neighbour.interface : v->lan);
	finding_set_text(f, "dev", n ? n->neighbour.interface : v->lan);
}

static const struct fact *output_chain(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));)
		if (!strcmp(c->chain.hook, "output") && !strcmp(c->chain.policy, "drop"))
			return c;
	return nullptr;
}

/* IPv6 asks for its neighbours with packets of this host, which a filter may hold back; those are
 * not counted then (net/ipv6/ndisc.c). ARP passes no such filter. */
static void held_back(const struct view *v, struct finding *f, bool now)
{
	const struct fact *asked = view_counter(v, "Icmp6OutNeighborSolicits");
	const struct fact *rule = filter_of_own(v), *chain = output_chain(v);

	if (!v->v6 || (!rule && !chain) || (asked && asked->counter.delta > 0))
		return;
	/* A failure may be of before; then nobody asked. */
	if (!asked || !now) {
		if (rule)
			FINDING_FAMILY(f, CODE_NEIGHBOUR_UNRESOLVED, CODE_FILTER_DROP_OUTPUT);
		return;
	}
	f->code = CODE_FILTER_DROP_OUTPUT;
	f->confidence = CONFIDENCE_LIKELY;
	f->at = AT_GATEWAY;
	finding_cite(f, asked);
	finding_cite(f, chain);
	/* Neighbours ask as well, and tell thereby where they are. */
	if (view_outcome(v, PROBE_INJECTED) == OUTCOMES && !v->outgoing)
		FINDING_FAMILY(f, CODE_FILTER_DROP_OUTPUT, CODE_NEIGHBOUR_UNRESOLVED, CODE_HEALTHY);
	if (rule) {
		filter_blame(rule, f);
		return;
	}
	finding_set_text(f, "by", chain->chain.by);
	finding_set_text(f, "family", chain->chain.family);
	finding_set_text(f, "table", chain->chain.table);
	finding_set_text(f, "chain", chain->chain.chain);
}

/* Nothing at all leaves by the interface, questions for the neighbour included. A neighbour that
 * failed before is not asked for while nobody sends. */
static void unsent(const struct view *v, struct finding *f)
{
	char name[FACT_NAME_LEN];
	snprintf(name, sizeof(name), "%s.tx_packets",
		v->neighbour ? v->neighbour->neighbour.interface : v->lan);
	const struct fact *sent = view_counter(v, name);

	if ((sent && sent->counter.delta > 0) || f->confidence >= CONFIDENCE_UNDETERMINED ||
		(sent && v->e->passive && state_in(v->neighbour, "failed", "failed")))
		return;
	finding_cite(f, sent);
	if (sent)
		FINDING_FAMILY(f, CODE_EGRESS_QUEUE_DROP, CODE_NEIGHBOUR_UNRESOLVED);
	else
		FINDING_FAMILY(f, CODE_NEIGHBOUR_UNRESOLVED, CODE_EGRESS_QUEUE_DROP);
}

/* What this host sent waited for the link address, in vain (net/ipv4/arp.c, arp_error_report()). */
static bool own_gave_up(const struct view *v)
{
	const struct fact *own = v->outgoing ? v->probes[PROBE_OWN] : nullptr;

	return own && own->probe.outcome == OUTCOME_LOCAL && own->probe.error == EHOSTUNREACH;
}

static bool unresolved(const struct view *v, struct finding *f)
{
	const struct fact *drop = unresolved_drop(v), *icmp = host_unreachable(v);
	bool failed = state_in(v->neighbour, "failed", "incomplete");
	bool silent = view_outcome(v, PROBE_LINK) == OUTCOME_SILENT;
	bool answers = view_outcome(v, PROBE_LINK) == OUTCOME_ANSWERED;

	if ((!drop && !failed && !silent) || (!drop && answers))
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	blame_neighbour(v, f);
	if (silent)
		finding_cite(f, v->probes[PROBE_LINK]);
	/* Packets may have left by what was known before; answers show that it is right still, and
	 * that the question did not leave. */
	f->stays = failed && silent && !view_works(v);
	finding_cite(f, icmp);
	finding_cite(f, view_grew(v, "arp_cache.res_failed"));
	/* Two witnesses: a state alone may be left over from before. */
	bool witness = drop || (failed && (silent || icmp || own_gave_up(v)));
	f->confidence = witness ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	bool now = drop || silent || state_in(v->neighbour, "incomplete", "incomplete");
	held_back(v, f, now);
	if (f->code == CODE_NEIGHBOUR_UNRESOLVED)
		unsent(v, f);
	const struct fact *lan = v->links[ROLE_LAN];
	if (f->code == CODE_NEIGHBOUR_UNRESOLVED && (!lan || !lan->link.exists))
		FINDING_FAMILY(f, CODE_NEIGHBOUR_UNRESOLVED, CODE_LAN_INTERFACE_DOWN,
			CODE_ROUTE_LINKDOWN, CODE_LAN_INTERFACE_MISSING);
	return true;
}

static bool duplicate(const struct view *v, struct finding *f)
{
	size_t at = 0;
	if (view_works(v))
		return false;
	for (const struct fact *n; (n = view_next(v, FACT_NEIGHBOUR, &at));) {
		if (!n->neighbour.lladdr_other[0])
			continue;
		finding_cite(f, n);
		finding_set_addr(f, "address", &n->neighbour.address);
		finding_set_text(f, "interface", n->neighbour.interface);
		finding_set_text(f, "lladdr", n->neighbour.lladdr);
		finding_set(f, "reason", "also %s", n->neighbour.lladdr_other);
		f->confidence = CONFIDENCE_LIKELY;
		f->stays = true;
		return true;
	}
	return false;
}

static bool table_full(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "NEIGH_CREATEFAIL", "", true);
	const struct fact *fulls = view_grew(
		v, v->v6 ? "ndisc_cache.table_fulls" : "arp_cache.table_fulls");
	/* A queue also fills while one neighbour is asked for. */
	if (!drop && fulls)
		drop = view_drop(v, "NEIGH_QUEUEFULL", "", true);
	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_cite(f, fulls);
	finding_set(f, "sysctl", "net.%s.neigh.default.gc_thresh3", v->v6 ? "ipv6" : "ipv4");
	return true;
}

static const char *const queue_reasons[] = {"QDISC_*", "FQ_*", "CAKE_*"};

static bool queue(const struct view *v, struct finding *f)
{
	for (size_t i = 0; i < sizeof(queue_reasons) / sizeof(queue_reasons[0]); i++) {
		const struct fact *drop = view_drop(v, queue_reasons[i], "", true);
		/* A queue that is full now and then is at work; the caller repeats. */
		if (!drop || (drop->drop.origin == ORIGIN_REAL && drop->drop.count < 2))
			continue;
		finding_event(f, drop, drop->drop.origin);
		finding_set_text(f, "interface", drop->drop.interface);
		finding_set_text(f, "dev", drop->drop.interface);
		finding_set_text(f, "reason", drop->drop.reason);
		return true;
	}
	return false;
}

static bool tc_egress(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "TC_EGRESS", "", true);
	if (!drop)
		drop = view_drop(v, "BPF_CGROUP_EGRESS", "", true);
	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "interface", drop->drop.interface);
	finding_set_text(f, "dev", drop->drop.interface);
	finding_set_text(f, "reason", drop->drop.reason);
	return true;
}

/* A copy that comes back with a smaller TTL: the next router sends it here again. */
static bool loop(const struct view *v, struct finding *f)
{
	size_t at = 0;
	const struct fact *drop = view_drop(v, "IP_INHDR", "ip*_forward", true);

	if (!drop)
		drop = view_drop(v, "IP_INHDR", "", true);
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));) {
		const struct fact_packet *k = &p->packet;
		if (!k->to_target || k->point != POINT_LAN_IN || k->count < 2 ||
			!origin_is_flow(k->origin))
			continue;
		finding_cite(f, p);
		finding_cite(f, drop);
		finding_cite(f, v->lookups[ASK_FORWARD]);
		if (v->lookups[ASK_FORWARD])
			finding_set_addr(f, "gateway", &v->lookups[ASK_FORWARD]->lookup.gateway);
		finding_set_text(f, "lladdr", k->lladdr);
		finding_set_number(f, "count", k->count);
		f->confidence = k->ttl_max > k->ttl_min ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		f->at = AT_LAN;
		return true;
	}
	return false;
}

/* What callers sent came with no hop left; nullptr: not so, or not known. `all`: none of theirs
 * came otherwise. */
static const struct fact *came_spent(const struct view *v, bool *all)
{
	const struct fact *spent = nullptr;
	size_t at = 0;

	*all = true;
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));) {
		const struct fact_packet *k = &p->packet;
		if (k->origin != ORIGIN_REAL || k->point != POINT_TUN_IN || !k->to_target ||
			!k->count)
			continue;
		if (k->ttl_max < 0 || k->ttl_max > 1)
			*all = false;
		if (!spent && k->ttl_min >= 0 && k->ttl_min <= 1 && k->ttl_max <= 2)
			spent = p;
	}
	return spent;
}

static void cite_expired(const struct view *v, struct finding *f)
{
	finding_cite(f, v->v6 ? view_own_icmp(v, 3, 0) : view_own_icmp(v, 11, 0));
	finding_cite(f, view_grew(v, "IcmpOutTimeExcds"));
}

/* It came with many hops, and went nowhere from here: they were taken on this gateway. */
static bool spent_here(const struct view *v, const struct fact *drop, struct finding *f)
{
	const struct packet_query in = {ORIGIN_INJECTED, POINT_TUN_IN, PACKET_KINDS, true};
	const struct packet_query lan = {ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_KINDS, true};
	const struct packet_query tun = {ORIGIN_INJECTED, POINT_TUN_OUT, PACKET_KINDS, true};
	const struct fact *came = view_packet(v, in);

	if (strcmp(drop->drop.function, v->v6 ? "ip6_forward" : "ip_forward") != 0 ||
		view_packet(v, lan) || view_packet(v, tun))
		return false;
	finding_event(f, drop, ORIGIN_INJECTED);
	cite_expired(v, f);
	finding_cite(f, came);
	if (!came || came->packet.ttl_min <= 2 || v->missing[OBSERVER_PACKETS])
		FINDING_FAMILY(f, CODE_TTL_EXPIRED, CODE_ROUTING_LOOP, CODE_ROUTE_WRONG_EGRESS);
	return true;
}

static bool ttl_expired(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "IP_INHDR", "", true);
	bool all;

	/* What comes again from the LAN goes in a circle. */
	if (!drop ||
		view_packet(v, (struct packet_query){ORIGINS, POINT_LAN_IN, PACKET_KINDS, true}))
		return false;
	if (drop->drop.origin == ORIGIN_INJECTED)
		return spent_here(v, drop, f);
	const struct fact *spent = came_spent(v, &all);
	if (!spent && view_completed(v, ORIGIN_INJECTED))
		return false; /* somebody traces the path */
	finding_event(f, drop, ORIGIN_REAL);
	cite_expired(v, f);
	if (!spent) {
		FINDING_FAMILY(f, CODE_TTL_EXPIRED, CODE_ROUTING_LOOP, CODE_ROUTE_WRONG_EGRESS);
		return true;
	}
	finding_cite(f, spent);
	finding_set_number(f, "value", spent->packet.ttl_min);
	if (drop->drop.count < 2)
		FINDING_FAMILY(f, CODE_TTL_EXPIRED, CODE_HEALTHY);
	/* What goes back is the rest of what came before. */
	f->stays = all;
	return true;
}

static const struct rule list[] = {
	{CODE_TTL_EXPIRED, WAY_FORWARD, ttl_expired},
	{CODE_NEIGHBOUR_TABLE_FULL, WAY_EGRESS, table_full},
	{CODE_NEIGHBOUR_UNRESOLVED, WAY_EGRESS, unresolved},
	{CODE_TC_OR_XDP_DROP, WAY_EGRESS, tc_egress},
	{CODE_EGRESS_QUEUE_DROP, WAY_EGRESS, queue},
	{CODE_NEIGHBOUR_DUPLICATE_ADDRESS, WAY_EGRESS, duplicate},
	{CODE_ROUTING_LOOP, WAY_LAN, loop},
};
const struct rules rules_lan = {list, sizeof(list) / sizeof(list[0])};

static const struct rule own[] = {
	{CODE_NEIGHBOUR_UNRESOLVED, WAY_EGRESS, unresolved},
	{CODE_NEIGHBOUR_DUPLICATE_ADDRESS, WAY_EGRESS, duplicate},
};
const struct rules rules_lan_own = {own, sizeof(own) / sizeof(own[0])};
