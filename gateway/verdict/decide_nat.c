/* SPDX-License-Identifier: Apache-2.0 */
/* Connection tracking and address translation. */
#include "verdict/decide_nat.h"
#include "verdict/decide_filter.h"
#include <string.h>

/* Is the table of connections full? 1, 0, -1 = not known. */
int nat_conntrack_full(const struct view *v)
{
	const struct fact *count = view_counter(v, "nf_conntrack_count");
	const struct fact *max = view_counter(v, "nf_conntrack_max");
	if (!count || !max)
		return -1;
	return count->counter.value * 100 >= max->counter.value * 98;
}

void nat_cite_conntrack(const struct view *v, struct finding *f)
{
	const struct fact *count = view_counter(v, "nf_conntrack_count");
	const struct fact *max = view_counter(v, "nf_conntrack_max");
	finding_cite(f, view_grew(v, "nf_conntrack.drop"));
	finding_cite(f, count);
	finding_cite(f, max);
	if (count)
		finding_set_number(f, "count", count->counter.value);
	if (max)
		finding_set_number(f, "max", max->counter.value);
}

static bool translates_source(const struct fact_trace *t)
{
	static const char *const words[] = {"masquerade", "MASQUERADE", "snat", "SNAT"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(t->rule, words[i]))
			return true;
	return false;
}

const struct fact *nat_in_play(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		if (origin_is_flow(t->trace.origin) && t->trace.to_target &&
			translates_source(&t->trace))
			return t;
	at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (c->conntrack.origin == ORIGIN_INJECTED && c->conntrack.source_nat)
			return c;
	return view_masqueraded(v) ? v->config : nullptr;
}

/* The address that a masqueraded packet would get is missing: nf_nat_masquerade drops. */
bool nat_no_source_address(const struct view *v, struct finding *f)
{
	const struct fact *lan = v->links[ROLE_LAN];
	const struct fact *drop = view_drop(v, "NETFILTER_DROP", "nft_do_chain*", true);

	if (!view_masqueraded(v) || !lan || !lan->link.exists || lan->link.has_address ||
		view_trace(v, true))
		return false;
	if (drop)
		finding_event(f, drop, drop->drop.origin);
	finding_cite(f, lan);
	finding_cite(f, v->config);
	finding_set_text(f, "interface", lan->link.interface);
	f->confidence = drop ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	return true;
}

/* No drop was seen, and the counters of connection tracking tell. */
static bool table_full(const struct view *v, struct finding *f)
{
	if (nat_conntrack_full(v) != 1 || !view_grew(v, "nf_conntrack.drop") ||
		view_drop(v, "", "", true) || view_trace(v, true))
		return false;
	nat_cite_conntrack(v, f);
	f->confidence = CONFIDENCE_LIKELY;
	f->stays = true;
	return view_outcome(v, PROBE_INJECTED) == OUTCOME_SILENT;
}

static const struct fact *nat_chain(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CHAIN, &at));)
		if (f->chain.nat_source && strcmp(f->chain.by, "meshgw") != 0)
			return f;
	return nullptr;
}

/* Packets that bear this host's address already, and did not leave. */
static const struct fact *translated_drop(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *d; (d = view_next(v, FACT_DROP, &at));)
		if (d->drop.origin == ORIGIN_OWN && d->drop.to_target &&
			!strcmp(d->drop.reason, "NETFILTER_DROP") &&
			!strncmp(d->drop.function, "nf_hook_slow", 12))
			return d;
	return nullptr;
}

/* Every port of the gateway's address is taken for this service: entries cannot be confirmed. */
static bool ports_exhausted(const struct view *v, struct finding *f)
{
	const struct packet_query left = {ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_KINDS, true};
	const struct fact *failed = view_grew(v, "nf_conntrack.insert_failed");
	const struct fact *nat = nat_in_play(v), *chain = nat_chain(v);

	if (!failed || failed->counter.delta < 2 || nat_conntrack_full(v) == 1 ||
		view_outcome(v, PROBE_INJECTED) != OUTCOME_SILENT || view_drop(v, "", "", true) ||
		view_packet(v, left) || !(nat || chain))
		return false;
	finding_cite(f, failed);
	finding_cite(f, nat);
	finding_cite(f, translated_drop(v));
	finding_cite(f, chain);
	nat_cite_conntrack(v, f);
	finding_set_addr(f, "target", &v->e->flow.target);
	finding_set_number(f, "port", v->e->flow.port);
	f->confidence = CONFIDENCE_LIKELY;
	f->stays = true; /* other ports are free */
	if (!nat)
		FINDING_FAMILY(f, CODE_NAT_PORT_EXHAUSTED, CODE_FILTER_DROP_LEGACY_XTABLES,
			CODE_FILTER_DROP_FORWARD);
	return true;
}

/* Somebody of the mesh tries now; else the entry is only not forgotten yet. */
static bool is_tried(const struct view *v)
{
	return view_packet(
		       v, (struct packet_query){ORIGIN_REAL, POINT_TUN_IN, PACKET_KINDS, true}) ||
	       view_packet(
		       v, (struct packet_query){ORIGIN_REAL, POINT_LAN_OUT, PACKET_KINDS, true});
}

static bool is_repeated(const struct view *v)
{
	const struct packet_query in = {ORIGIN_REAL, POINT_TUN_IN, PACKET_SYN, true};
	const struct packet_query out = {ORIGIN_REAL, POINT_LAN_OUT, PACKET_SYN, true};
	const struct fact *a = view_packet(v, in), *b = view_packet(v, out);
	return (a && packet_is_repeated(&a->packet)) || (b && packet_is_repeated(&b->packet));
}

/* Is a new flow translated? That of the injected one shows; else the configuration tells. 1, 0, -1
 * = not known. */
static int translates(const struct view *v, const struct fact **shown)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (c->conntrack.origin == ORIGIN_INJECTED && c->conntrack.seen_reply) {
			*shown = c;
			return c->conntrack.source_nat;
		}
	*shown = v->config;
	if (!v->config || !v->config->config.mode[0] || !strcmp(v->config->config.mode, "none"))
		return -1;
	return view_masqueraded(v);
}

/* An entry made before translation was switched keeps what it began with. */
static bool stale_nat(const struct view *v, struct finding *f)
{
	size_t at = 0;
	const struct fact *shown;
	int now = translates(v, &shown);
	/* Real flows that go on show that the entry is only not forgotten yet. */
	if (now < 0 || view_completed(v, ORIGIN_REAL))
		return false;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));) {
		if (c->conntrack.origin != ORIGIN_REAL || c->conntrack.seen_reply ||
			c->conntrack.source_nat == now)
			continue;
		finding_cite(f, c);
		finding_cite(f, shown);
		f->event = true;
		f->origin = ORIGIN_REAL;
		f->stays = true;
		const struct fact *fresh = view_completed(v, ORIGIN_INJECTED);
		if (!v->e->passive && !is_tried(v))
			return false;
		finding_cite(f, fresh);
		f->confidence = fresh && !v->udp ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		finding_set(
			f, "reason", "%s", c->conntrack.source_nat ? "translated" : "untranslated");
		finding_set_addr(f, "address", &c->conntrack.reply_to);
		if (v->tcp && !is_repeated(v))
			FINDING_FAMILY(f, CODE_CONNTRACK_STALE_NAT, CODE_HEALTHY);
		/* Without a fresh flow beside it the mapping may be somebody's intention. */
		if (!fresh && c->conntrack.source_nat)
			FINDING_FAMILY(f, CODE_CONNTRACK_STALE_NAT, CODE_NAT_UNEXPECTED_OWNER);
		return true;
	}
	return false;
}

/* The address that masquerading gives: that which this host asks with itself. */
static const struct addr *masquerade_source(const struct view *v)
{
	static const enum fact_probe_name names[] = {PROBE_OWN, PROBE_OWN_OTHER, PROBE_OWN_ECHO};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct fact *p = v->probes[names[i]];
		if (p && p->probe.source.family == v->e->flow.target.family)
			return &p->probe.source;
	}
	return nullptr;
}

/* Neither the caller's nor one that meshgw gives. */
static bool is_foreign(const struct view *v, const struct addr *source)
{
	const struct addr *own = masquerade_source(v);

	if (source->family == AF_UNSPEC || prefix_contains_addr(&v->config->config.range, source))
		return false;
	return !view_masqueraded(v) || (own && addr_cmp(own, source) != 0);
}

static const struct fact *left_foreign(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *p; (p = view_next(v, FACT_PACKET, &at));)
		if (p->packet.point == POINT_LAN_OUT && p->packet.to_target &&
			p->packet.count > 0 && p->packet.origin == ORIGIN_INJECTED &&
			is_foreign(v, &p->packet.source))
			return p;
	return nullptr;
}

static const struct fact *entry_foreign(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (c->conntrack.origin == ORIGIN_INJECTED && c->conntrack.source_nat &&
			(!view_masqueraded(v) || is_foreign(v, &c->conntrack.reply_to)))
			return c;
	return nullptr;
}

static void blame_chain(const struct fact *chain, struct finding *f)
{
	finding_cite(f, chain);
	finding_set_text(f, "by", chain->chain.by);
	finding_set_text(f, "family", chain->chain.family);
	finding_set_text(f, "table", chain->chain.table);
	finding_set_text(f, "chain", chain->chain.chain);
}

/* The packet left, with another's address, and nothing came of it. Of several addresses of this
 * host meshgw may have given another than the one that it asks with. */
static bool instead_of_masquerade(const struct view *v, bool chain, struct finding *f)
{
	const struct packet_query left = {ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_KINDS, true};

	if (!chain)
		FINDING_FAMILY(f, CODE_NAT_UNEXPECTED_OWNER, CODE_SERVICE_SILENT_DROP,
			CODE_UPSTREAM_SILENT, CODE_UPSTREAM_FILTERS_RANGE);
	return view_packet(v, left) && view_outcome(v, PROBE_INJECTED) == OUTCOME_SILENT &&
	       v->reach[ORIGIN_INJECTED].any < WAY_BACK_RECEIVE;
}

/* Somebody else's source NAT: the service sees an address that nobody here chose. */
static bool unexpected_nat(const struct view *v, struct finding *f)
{
	const struct fact *chain = nat_chain(v);

	if (!v->config || view_works(v) ||
		(!view_masqueraded(v) && strcmp(v->config->config.mode, "route") != 0))
		return false;
	const struct fact *out = left_foreign(v), *entry = entry_foreign(v);
	if (!out && !entry)
		return false;
	f->confidence = CONFIDENCE_LIKELY;
	if (view_masqueraded(v) && !instead_of_masquerade(v, chain, f))
		return false;
	finding_cite(f, out);
	finding_cite(f, entry);
	finding_set_addr(f, "address", out ? &out->packet.source : &entry->conntrack.reply_to);
	if (chain)
		blame_chain(chain, f);
	finding_cite(f, v->config);
	f->stays = v->state_reach <= WAY_LAN;
	return true;
}

/* The rule that gives the flow another target. */
static const struct fact *translates_target(const struct view *v)
{
	static const char *const words[] = {"dnat", "DNAT", "redirect", "REDIRECT"};
	size_t at = 0;
	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (t->trace.origin == ORIGIN_INJECTED && t->trace.to_target &&
				strstr(t->trace.rule, words[i]))
				return t;
	return nullptr;
}

static const struct fact *entry_elsewhere(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CONNTRACK, &at));)
		if (c->conntrack.origin == ORIGIN_INJECTED && c->conntrack.destination_nat)
			return c;
	return nullptr;
}

/* What is for this host may be published here for another. */
static bool is_own_target(const struct view *v)
{
	const struct fact *forward = v->lookups[ASK_FORWARD];
	return (v->config && v->config->config.own_address) ||
	       (forward && !strcmp(forward->lookup.type, "local"));
}

/* The flow is sent to somebody else than the target, and fails there. An entry is made when the
 * packet has passed all filters; a rule alone tells nothing of those behind it. */
static bool sent_elsewhere(const struct view *v, struct finding *f)
{
	const struct fact *entry = entry_elsewhere(v), *rule = translates_target(v);
	enum fact_outcome got = view_outcome(v, PROBE_INJECTED);
	bool dropped = view_drop(v, "", "", true) || view_trace(v, true);
	bool lost_back = got == OUTCOME_SILENT && v->reach[ORIGIN_INJECTED].any >= WAY_BACK_RECEIVE;

	if (!(entry || (rule && !dropped)) || got == OUTCOMES || view_works(v) || lost_back ||
		is_own_target(v))
		return false;
	finding_cite(f, entry);
	if (rule)
		filter_blame(rule, f);
	finding_cite(f, v->probes[PROBE_INJECTED]);
	finding_cite(f, v->probes[PROBE_OWN]);
	if (entry)
		finding_set_addr(f, "address", &entry->conntrack.reply_from);
	finding_set_addr(f, "target", &v->e->flow.target);
	f->stays = true;
	/* This host's own connections are not translated there: the target itself would answer. */
	f->confidence = entry && view_outcome(v, PROBE_OWN) == OUTCOME_ANSWERED ? CONFIDENCE_CERTAIN
										: CONFIDENCE_LIKELY;
	return true;
}

static const struct rule list[] = {
	{CODE_NAT_UNEXPECTED_OWNER, WAY_PREROUTING, sent_elsewhere},
	{CODE_NAT_NO_SOURCE_ADDRESS, WAY_POSTROUTING, nat_no_source_address},
	{CODE_CONNTRACK_TABLE_FULL, WAY_PREROUTING, table_full},
	{CODE_NAT_PORT_EXHAUSTED, WAY_POSTROUTING, ports_exhausted},
	{CODE_CONNTRACK_STALE_NAT, WAY_POSTROUTING, stale_nat},
	{CODE_NAT_UNEXPECTED_OWNER, WAY_POSTROUTING, unexpected_nat},
};
const struct rules rules_nat = {list, sizeof(list) / sizeof(list[0])};
