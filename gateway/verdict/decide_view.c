/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_view.h"
#include "lib/xmalloc.h"
#include "verdict/decide_reach.h"
#include "verdict/fact_table.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some total order; which one means nothing. */
static int fact_compare(const struct fact *a, const struct fact *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	for (const struct field *f = fact_shapes[a->kind].fields; f->name; f++) {
		const char *x = (const char *)fact_base_const(a) + f->offset;
		const char *y = (const char *)fact_base_const(b) + f->offset;
		int c = f->type == FIELD_TEXT ? strncmp(x, y, f->size) : memcmp(x, y, f->size);
		if (c)
			return c;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return fact_compare(*(const struct fact *const *)a, *(const struct fact *const *)b);
}

static void sort(struct view *v)
{
	v->n = v->e->n;
	v->facts = xcalloc(v->n, sizeof(const struct fact *));
	for (size_t i = 0; i < v->n; i++)
		v->facts[i] = &v->e->facts[i];
	qsort(v->facts, v->n, sizeof(const struct fact *), compare);
}

/* Of several tries the one that came furthest. */
static bool tells_more(const struct fact_probe *a, const struct fact_probe *b)
{
	static const int rank[OUTCOMES] = {
		[OUTCOME_ANSWERED] = 6,
		[OUTCOME_REFUSED] = 5,
		[OUTCOME_ASTRAY] = 4,
		[OUTCOME_ERROR] = 3,
		[OUTCOME_SILENT] = 2,
		[OUTCOME_LOCAL] = 1,
	};
	return rank[a->outcome] > rank[b->outcome];
}

static void note_probe(struct view *v, const struct fact *f)
{
	const struct fact **slot = &v->probes[f->probe.probe];
	if (!*slot || tells_more(&f->probe, &(*slot)->probe))
		*slot = f;
}

static void note_first(const struct fact **slot, const struct fact *f)
{
	if (!*slot)
		*slot = f;
}

static void note(struct view *v, const struct fact *f)
{
	switch (f->kind) {
	case FACT_LINK:
		note_first(&v->links[f->link.role], f);
		break;
	case FACT_LOOKUP:
		if (!f->lookup.mark)
			note_first(&v->lookups[f->lookup.question], f);
		break;
	case FACT_PROBE:
		note_probe(v, f);
		break;
	case FACT_CONFIG:
		note_first(&v->config, f);
		break;
	case FACT_PLATFORM:
		note_first(&v->platform, f);
		break;
	case FACT_BGP:
		note_first(&v->bgp, f);
		break;
	case FACT_SOCKET:
		note_first(&v->socket, f);
		break;
	case FACT_MISSING:
		note_first(&v->missing[f->missing.observer], f);
		break;
	default:
		break;
	}
}

/* Of several the one by which answers come in: that by which packets go out. */
static void choose_reverse(struct view *v)
{
	const struct fact *forward = v->lookups[ASK_FORWARD];
	const char *iif = forward && !forward->lookup.error && forward->lookup.oif[0] &&
					  strcmp(forward->lookup.oif, v->mesh) != 0
				  ? forward->lookup.oif
				  : v->lan;
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_LOOKUP, &at));)
		if (f->lookup.question == ASK_REVERSE && !f->lookup.mark &&
			!strcmp(f->lookup.iif, iif)) {
			v->lookups[ASK_REVERSE] = f;
			return;
		}
}

/* The neighbour that packets to the target are handed to. */
static const struct fact *next_hop(const struct view *v)
{
	const struct fact *forward = v->lookups[ASK_FORWARD], *found = nullptr;
	bool via = forward && forward->lookup.gateway.family != AF_UNSPEC;
	const struct addr *hop = via ? &forward->lookup.gateway : &v->e->flow.target;
	size_t at = 0;

	for (const struct fact *f; (f = view_next(v, FACT_NEIGHBOUR, &at));) {
		if (!addr_cmp(&f->neighbour.address, hop))
			return f;
		if (!forward)
			note_first(&found, f);
	}
	return found;
}

static const char *interface_name(const struct view *v, enum fact_role role, const char *configured)
{
	if (v->links[role] && v->links[role]->link.interface[0])
		return v->links[role]->link.interface;
	return configured;
}

void view_init(struct view *v, const struct evidence *e)
{
	const uint8_t proto = e->flow.proto;
	*v = (struct view){
		.e = e,
		.v6 = e->flow.target.family == AF_INET6,
		.tcp = proto == IPPROTO_TCP,
		.udp = proto == IPPROTO_UDP,
		.icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6,
		.outgoing = flow_is_outgoing(&e->flow),
	};
	sort(v);
	for (size_t i = 0; i < v->n; i++)
		note(v, v->facts[i]);
	v->mesh = interface_name(v, ROLE_MESH, e->mesh);
	if (!v->links[ROLE_LAN] && !e->lan[0])
		v->links[ROLE_LAN] = v->links[ROLE_EGRESS];
	v->lan = interface_name(v, ROLE_LAN, e->lan);
	choose_reverse(v);
	/* They enter by no interface: this is the question about them. */
	if (v->outgoing)
		v->lookups[ASK_FORWARD] = v->lookups[ASK_FORWARD_BARE];
	v->neighbour = next_hop(v);
	/* An echo is the flow itself when the flow is ICMP. */
	if (v->icmp && !v->probes[PROBE_INJECTED])
		v->probes[PROBE_INJECTED] = v->probes[PROBE_INJECTED_ECHO];
	if (v->icmp && !v->probes[PROBE_OWN])
		v->probes[PROBE_OWN] = v->probes[PROBE_OWN_ECHO];
	reach_measure(v);
}

void view_clear(struct view *v)
{
	free(v->facts);
	*v = (struct view){};
}

const struct fact *view_next(const struct view *v, enum fact_kind kind, size_t *at)
{
	while (*at < v->n) {
		const struct fact *f = v->facts[(*at)++];
		if (f->kind == kind)
			return f;
	}
	return nullptr;
}

size_t view_index(const struct view *v, const struct fact *f)
{
	return (size_t)(f - v->e->facts);
}

static bool packet_matches(const struct fact_packet *p, const struct packet_query *q)
{
	bool origin = q->origin == ORIGINS ? origin_is_flow(p->origin) : p->origin == q->origin;
	return origin && p->point == q->point && p->to_target == q->to_target &&
	       (q->packet == PACKET_KINDS || p->packet == q->packet);
}

const struct fact *view_packet(const struct view *v, struct packet_query q)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_PACKET, &at));)
		if (f->packet.count > 0 && packet_matches(&f->packet, &q))
			return f;
	return nullptr;
}

const struct fact *view_no_packet(const struct view *v, struct packet_query q)
{
	size_t at = 0;
	if (view_packet(v, q))
		return nullptr;
	for (const struct fact *f; (f = view_next(v, FACT_PACKET, &at));)
		if (!f->packet.count && packet_matches(&f->packet, &q))
			return f;
	return nullptr;
}

static bool named(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);
	if (len && wanted[len - 1] == '*')
		return !strncmp(name, wanted, len - 1);
	return !len || !strcmp(name, wanted);
}

/* Of two alike that of the injected flow: it is the one that is meant, and nothing of it is left
 * over from before. */
const struct fact *view_drop(
	const struct view *v, const char *reason, const char *function, bool to_target)
{
	const struct fact *real = nullptr;
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_DROP, &at));) {
		if (!origin_is_flow(f->drop.origin) || f->drop.to_target != to_target ||
			!named(f->drop.reason, reason) || !named(f->drop.function, function))
			continue;
		if (f->drop.origin == ORIGIN_INJECTED)
			return f;
		note_first(&real, f);
	}
	return real;
}

/* What this host answers for itself, as the target, is traced as its own. */
static bool is_of_flow(const struct view *v, const struct fact_trace *t)
{
	return origin_is_flow(t->origin) ||
	       (t->origin == ORIGIN_OWN && !t->to_target && !strcmp(t->hook, "output") &&
		       view_ends_here(v));
}

static bool ends_packet(const struct fact_trace *t)
{
	return strstr(t->verdict, "drop") || !strcmp(t->verdict, "reject");
}

const struct fact *view_trace(const struct view *v, bool to_target)
{
	const struct fact *real = nullptr;
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_TRACE, &at));) {
		if (!is_of_flow(v, &f->trace) || f->trace.to_target != to_target ||
			!ends_packet(&f->trace) || named(f->trace.table, "meshgw_diag_*"))
			continue;
		if (f->trace.origin == ORIGIN_INJECTED)
			return f;
		note_first(&real, f);
	}
	return real;
}

const struct fact *view_own_icmp(const struct view *v, int64_t type, int64_t code)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_ICMP, &at));)
		if (f->icmp.own && f->icmp.type == type && (code < 0 || f->icmp.code == code))
			return f;
	return nullptr;
}

const struct fact *view_condition(const struct view *v, const char *code)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CONDITION, &at));)
		if (!strcmp(f->condition.code, code))
			return f;
	return nullptr;
}

const struct fact *view_condition_of(const struct view *v, const char *code, const char *subject)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CONDITION, &at));)
		if (!strcmp(f->condition.code, code) && !strcmp(f->condition.subject, subject))
			return f;
	return nullptr;
}

const struct fact *view_edge_away(const struct view *v)
{
	const struct fact *none = view_condition(v, "tunnel-disconnected");

	if (none || !v->config || strcmp(v->config->config.tunnel, "connector") != 0)
		return none;
	return view_condition(v, "tunnel-peer-silent");
}

/* Interface "eth0.5" is eth0/5 for sysctl(8); both spellings are taken. */
static bool key_equal(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == '/' && *b == '.') && !(*a == '.' && *b == '/'))
			return false;
	return *a == *b;
}

const struct fact *view_sysctl(const struct view *v, const char *fmt, ...)
{
	char key[FACT_NAME_LEN];
	size_t at = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(key, sizeof(key), fmt, ap);
	va_end(ap);
	for (const struct fact *f; (f = view_next(v, FACT_SYSCTL, &at));)
		if (key_equal(f->sysctl.key, key))
			return f;
	return nullptr;
}

int64_t view_rp_filter(const struct view *v, const char *interface)
{
	const struct fact *all = view_sysctl(v, "net.ipv4.conf.all.rp_filter");
	const struct fact *own = view_sysctl(v, "net.ipv4.conf.%s.rp_filter", interface);

	if (v->v6)
		return 0; /* IPv6 has none */
	if (!all || !own)
		return -1;
	return all->sysctl.value > own->sysctl.value ? all->sysctl.value : own->sysctl.value;
}

int view_forwards(const struct view *v, const char *interface)
{
	const struct fact *f = v->v6 ? view_sysctl(v, "net.ipv6.conf.all.forwarding")
				     : view_sysctl(v, "net.ipv4.conf.%s.forwarding", interface);
	return f ? f->sysctl.value != 0 : -1;
}

const struct fact *view_counter(const struct view *v, const char *name)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_COUNTER, &at));)
		if (!strcmp(f->counter.name, name))
			return f;
	return nullptr;
}

const struct fact *view_grew(const struct view *v, const char *name)
{
	const struct fact *f = view_counter(v, name);
	return f && f->counter.delta > 0 ? f : nullptr;
}

/* The flow is led on to somebody else: what the address is here says nothing. */
static bool is_published(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (origin_is_flow(c->conntrack.origin) && c->conntrack.destination_nat)
			return true;
	return false;
}

bool view_ends_here(const struct view *v)
{
	const struct fact *forward = v->lookups[ASK_FORWARD];

	if (is_published(v))
		return false;
	return v->socket || (v->config && v->config->config.own_address) ||
	       (forward && !strcmp(forward->lookup.type, "local"));
}

bool view_is_lan(const struct view *v, const char *interface)
{
	const struct fact *lan = v->links[ROLE_LAN];
	return !strcmp(interface, v->lan) ||
	       (lan && lan->link.master[0] && !strcmp(interface, lan->link.master));
}

bool view_masqueraded(const struct view *v)
{
	return v->config && !strcmp(v->config->config.mode, "masquerade");
}

bool view_link_works(const struct view *v, enum fact_role role)
{
	const struct fact *f = v->links[role];
	return f && f->link.exists && f->link.up && f->link.carrier;
}

enum fact_outcome view_outcome(const struct view *v, enum fact_probe_name probe)
{
	return v->probes[probe] ? v->probes[probe]->probe.outcome : OUTCOMES;
}

bool view_entered(const struct view *v)
{
	return v->reach[ORIGIN_REAL].any > WAY_ENTER ||
	       (v->reach[ORIGIN_INJECTED].any > WAY_ENTER && !v->by_socket) ||
	       view_outcome(v, PROBE_INJECTED) < OUTCOMES;
}

bool view_turned(const struct view *v)
{
	const struct fact *forward = v->lookups[ASK_FORWARD];
	return forward && !forward->lookup.error && v->mesh[0] &&
	       !strcmp(forward->lookup.oif, v->mesh);
}
