/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, in both directions. */
#include "verdict/decide_filter.h"
#include "verdict/decide_nat.h"
#include <string.h>

/* The same hook on the way back. */
static const struct {
	const char *hook;
	enum code code, reject;
	enum way to, back;
} hooks[] = {
	{"ingress", CODE_FILTER_DROP_PREROUTING, CODE_FILTER_DROP_PREROUTING, WAY_RECEIVE,
		WAY_BACK_RECEIVE},
	{"prerouting", CODE_FILTER_DROP_PREROUTING, CODE_FILTER_DROP_PREROUTING, WAY_PREROUTING,
		WAY_BACK_PREROUTING},
	{"input", CODE_FILTER_DROP_INPUT, CODE_FILTER_DROP_INPUT, WAY_FORWARD, WAY_FORWARD},
	{"forward", CODE_FILTER_DROP_FORWARD, CODE_FILTER_REJECT_FORWARD, WAY_FORWARD,
		WAY_BACK_FORWARD},
	{"output", CODE_FILTER_DROP_OUTPUT, CODE_FILTER_DROP_OUTPUT, WAY_SERVICE, WAY_SERVICE},
	{"postrouting", CODE_FILTER_DROP_POSTROUTING, CODE_FILTER_DROP_POSTROUTING, WAY_POSTROUTING,
		WAY_BACK_POSTROUTING},
	{"egress", CODE_FILTER_DROP_POSTROUTING, CODE_FILTER_DROP_POSTROUTING, WAY_EGRESS,
		WAY_BACK_EGRESS},
};

static void classify(const struct fact_trace *t, struct finding *f)
{
	f->code = CODE_FILTER_DROP_FORWARD;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(hooks[i].hook, t->hook)) {
			f->code = !strcmp(t->verdict, "reject") ? hooks[i].reject : hooks[i].code;
			f->way = t->to_target ? hooks[i].to : hooks[i].back;
			/* Answers to the diagnosis end behind the forward hook. */
			if (f->way > WAY_BACK_FORWARD)
				f->until = WAY_TALK;
		}
	bool nat = strstr(t->rule, "masquerade") || strstr(t->rule, "MASQUERADE");
	if (nat && !strcmp(t->hook, "postrouting"))
		f->code =
			CODE_NAT_NO_SOURCE_ADDRESS; /* what translates drops only for want of one */
	else if (t->fib)
		f->code = CODE_FILTER_FIB_DROP;
	else if (t->ct_invalid)
		f->code = CODE_FILTER_CT_INVALID_DROP;
	else if (!strcmp(t->family, "bridge"))
		f->code = CODE_FILTER_DROP_BRIDGE;
}

/* meshgw refuses what its configuration does not allow; anything else of it is a filter like any
 * other. */
static void classify_own(const struct view *v, struct finding *f)
{
	if (!v->config) {
		FINDING_FAMILY(f, CODE_NOT_ALLOWED, f->code, CODE_TUNNEL_SOURCE_NOT_IN_RANGES);
		return;
	}
	const struct fact_config *c = &v->config->config;
	finding_cite(f, v->config);
	if (c->allowed && c->network_known) {
		/* A packet of somebody else then, to whom the same is not allowed. */
		if (f->origin == ORIGIN_REAL)
			FINDING_FAMILY(f, f->code, CODE_NOT_ALLOWED);
		return;
	}
	f->code = CODE_NOT_ALLOWED;
	finding_set_text(f, "reason", c->network_known ? "allow" : "networks");
}

const struct fact *filter_of_own(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *t; (t = view_next(v, FACT_TRACE, &at));)
		if (t->trace.origin == ORIGIN_OWN && !strcmp(t->trace.hook, "output") &&
			(strstr(t->trace.verdict, "drop") || !strcmp(t->trace.verdict, "reject")))
			return t;
	return nullptr;
}

void filter_blame(const struct fact *trace, struct finding *f)
{
	const struct fact_trace *t = &trace->trace;
	finding_cite(f, trace);
	finding_set_text(f, "by", t->by);
	finding_set_text(f, "family", t->family);
	finding_set_text(f, "table", t->table);
	finding_set_text(f, "chain", t->chain);
	finding_set_text(f, "hook", t->hook);
	finding_set_number(f, "handle", t->handle);
	finding_set_text(f, "rule", t->rule);
}

static void blame_trace(const struct fact *trace, struct finding *f)
{
	enum fact_origin origin = trace->trace.origin;
	finding_event(f, trace, origin == ORIGIN_OWN ? ORIGIN_INJECTED : origin);
	filter_blame(trace, f);
}

/* br_netfilter leads frames through chains that are meant for what is routed. Such a packet's
 * device is a port of the bridge, which none has that was routed. */
static void classify_bridged(const struct view *v, struct finding *f, bool to_target)
{
	const struct fact *drop = view_drop(v, "NETFILTER_DROP", "", to_target);
	const struct fact *lan = v->links[ROLE_LAN];
	const struct fact *call = v->v6 ? view_sysctl(v, "net.bridge.bridge-nf-call-ip6tables")
					: view_sysctl(v, "net.bridge.bridge-nf-call-iptables");
	bool port = lan && !strcmp(lan->link.master_kind, "bridge");

	if (f->code != CODE_FILTER_DROP_FORWARD || (lan && !port) ||
		(call ? !call->sysctl.value : !port))
		return;
	if (port && drop && strcmp(drop->drop.interface, lan->link.interface) != 0)
		return;
	if (port && drop && call) {
		f->code = CODE_FILTER_DROP_BRIDGE;
		finding_cite(f, lan);
		finding_cite(f, call);
		finding_set_text(f, "sysctl", call->sysctl.key);
	} else {
		FINDING_FAMILY(f, CODE_FILTER_DROP_FORWARD, CODE_FILTER_DROP_BRIDGE);
	}
}

static bool by_trace(const struct view *v, struct finding *f, bool to_target)
{
	const struct fact *trace = view_trace(v, to_target);
	if (!trace)
		return false;
	classify(&trace->trace, f);
	blame_trace(trace, f);
	finding_cite(f, view_drop(v, "NETFILTER_DROP", "", to_target));
	if (!strcmp(trace->trace.by, "meshgw"))
		classify_own(v, f);
	else
		classify_bridged(v, f, to_target);
	/* It takes what comes in by the LAN as if from the mesh: what is sent in a circle, too. */
	if (!strcmp(trace->trace.by, "meshgw") && f->code == CODE_FILTER_FIB_DROP)
		FINDING_FAMILY(f, CODE_FILTER_FIB_DROP, CODE_ROUTING_LOOP);
	if (f->code == CODE_NAT_NO_SOURCE_ADDRESS)
		finding_cite(f, v->links[ROLE_LAN]);
	size_t at = 0;
	for (const struct fact *c; (c = view_next(v, FACT_CHAIN, &at));)
		if (!strcmp(c->chain.table, trace->trace.table) &&
			!strcmp(c->chain.chain, trace->trace.chain))
			finding_cite(f, c);
	return true;
}

bool filter_traced(const struct view *v, struct finding *f)
{
	return by_trace(v, f, true);
}

bool filter_traced_back(const struct view *v, struct finding *f)
{
	return by_trace(v, f, false);
}

/* Statically: the table of meshgw refuses the flow, whatever else happens. */
static bool not_allowed(const struct view *v, struct finding *f)
{
	if (!v->config || !v->config->config.up || !v->config->config.source_known)
		return false;
	const struct fact_config *c = &v->config->config;
	if (c->own_address || (c->allowed && c->network_known))
		return false;
	finding_cite(f, v->config);
	finding_set(f, "by", "meshgw");
	f->stays = !view_works(v); /* other ports may be allowed */
	finding_set_text(f, "reason", c->network_known ? "allow" : "networks");
	finding_set_addr(f, "target", &v->e->flow.target);
	f->confidence = CONFIDENCE_LIKELY;
	return true;
}

const struct fact *filter_legacy(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CHAIN, &at));)
		if (f->chain.legacy)
			return f;
	return nullptr;
}

static void blame_legacy(const struct view *v, const struct fact *legacy, struct finding *f)
{
	f->code = CODE_FILTER_DROP_LEGACY_XTABLES;
	finding_cite(f, view_counter(v, "nf_conntrack.drop"));
	if (legacy) {
		finding_cite(f, legacy);
		finding_set_text(f, "table", legacy->chain.table);
		finding_set_text(f, "by", legacy->chain.by);
	} else {
		FINDING_FAMILY(f, CODE_FILTER_DROP_LEGACY_XTABLES, CODE_FILTER_DROP_FORWARD);
		finding_cite(f, v->missing[OBSERVER_RULESET]);
	}
}

static void blame_ports(
	const struct view *v, const struct fact *legacy, const struct fact *nat, struct finding *f)
{
	f->code = CODE_NAT_PORT_EXHAUSTED;
	f->way = WAY_POSTROUTING;
	finding_cite(f, view_grew(v, "nf_conntrack.insert_failed"));
	finding_cite(f, nat);
	nat_cite_conntrack(v, f);
	/* That it is configured does not say that the packet came so far. */
	if (nat->kind == FACT_CONFIG && (legacy || v->missing[OBSERVER_NFT_TRACE]))
		FINDING_FAMILY(f, CODE_NAT_PORT_EXHAUSTED, CODE_FILTER_DROP_LEGACY_XTABLES);
}

/* net/netfilter/core.c drops for hooks that are no nftables: conntrack, iptables-legacy; and IPVS
 * and programs of BPF, which nothing here shows: so none of them is certain but a full table. */
static void classify_slow(const struct view *v, const struct fact *drop, struct finding *f)
{
	const struct fact *dropped = view_counter(v, "nf_conntrack.drop");
	const struct fact *failed = view_counter(v, "nf_conntrack.insert_failed");
	const struct fact *legacy = filter_legacy(v), *nat = nat_in_play(v);
	const int64_t lost = drop->drop.count;
	int full = nat_conntrack_full(v);

	f->confidence = CONFIDENCE_LIKELY;
	if (full == 1 && dropped && dropped->counter.delta >= lost) {
		f->confidence = CONFIDENCE_CERTAIN;
		f->code = CODE_CONNTRACK_TABLE_FULL;
		f->way = way_is_back(f->way) ? WAY_BACK_PREROUTING : WAY_PREROUTING;
		nat_cite_conntrack(v, f);
	} else if (!full && nat && failed && failed->counter.delta >= lost) {
		blame_ports(v, legacy, nat, f);
	} else if (!full && dropped && !dropped->counter.delta &&
		   (legacy || v->missing[OBSERVER_RULESET])) {
		blame_legacy(v, legacy, f);
	} else {
		FINDING_FAMILY(f, CODE_FILTER_DROP_LEGACY_XTABLES, CODE_CONNTRACK_TABLE_FULL,
			CODE_NAT_PORT_EXHAUSTED, CODE_FILTER_DROP_FORWARD);
		finding_cite(f, legacy);
		nat_cite_conntrack(v, f);
		finding_want(f, OBSERVER_COUNTERS);
	}
}

static const struct fact *ingress_chain(const struct view *v)
{
	size_t at = 0;
	for (const struct fact *f; (f = view_next(v, FACT_CHAIN, &at));)
		if (!strcmp(f->chain.hook, "ingress"))
			return f;
	return nullptr;
}

/* A rule of nftables dropped it, and no trace says which. */
static void classify_here(struct finding *f, bool back)
{
	static const enum code there[] = {CODE_FILTER_DROP_INPUT, CODE_FILTER_DROP_PREROUTING,
		CODE_FILTER_FIB_DROP, CODE_FILTER_CT_INVALID_DROP, CODE_NOT_ALLOWED};
	static const enum code answers[] = {
		CODE_FILTER_DROP_OUTPUT, CODE_FILTER_DROP_POSTROUTING, CODE_FILTER_CT_INVALID_DROP};

	if (back)
		finding_family(f, sizeof(answers) / sizeof(answers[0]), answers);
	else
		finding_family(f, sizeof(there) / sizeof(there[0]), there);
}

static void classify_forwarded(const struct view *v, struct finding *f, bool back)
{
	static const enum code family[] = {CODE_FILTER_DROP_FORWARD, CODE_FILTER_REJECT_FORWARD,
		CODE_FILTER_DROP_PREROUTING, CODE_FILTER_FIB_DROP, CODE_FILTER_CT_INVALID_DROP,
		CODE_FILTER_DROP_POSTROUTING};
	const struct fact *ingress = ingress_chain(v), *lan = v->links[ROLE_LAN];

	/* An ingress chain lies in front of where a trace begins. */
	if (ingress)
		finding_may_be(f, CODE_FILTER_DROP_PREROUTING);
	finding_family(f, sizeof(family) / sizeof(family[0]), family);
	if (ingress)
		f->code = CODE_FILTER_DROP_PREROUTING;
	finding_cite(f, ingress);
	if (!v->config || !v->config->config.allowed || !v->config->config.network_known)
		finding_may_be(f, CODE_NOT_ALLOWED);
	if (!back && (!lan || !lan->link.has_address))
		finding_may_be(f, CODE_NAT_NO_SOURCE_ADDRESS);
	finding_may_be(f, CODE_FILTER_DROP_BRIDGE);
}

static void classify_nft(const struct view *v, struct finding *f, bool back)
{
	if (view_ends_here(v))
		classify_here(f, back);
	else
		classify_forwarded(v, f, back);
	finding_want(f, OBSERVER_NFT_TRACE);
}

static bool dropped(const struct view *v, struct finding *f, bool to_target)
{
	struct finding unused = *f;
	const struct fact *slow = view_drop(v, "NETFILTER_DROP", "nf_hook_slow*", to_target);
	const struct fact *drop = slow ? slow : view_drop(v, "NETFILTER_DROP", "", to_target);

	if (!drop || view_trace(v, to_target) || (to_target && nat_no_source_address(v, &unused)))
		return false;
	/* The table of the diagnosis ends the answers that reached it. */
	if (!to_target && !slow && drop->drop.origin == ORIGIN_INJECTED &&
		view_outcome(v, PROBE_INJECTED) != OUTCOME_SILENT)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "function", drop->drop.function);
	if (slow)
		classify_slow(v, slow, f);
	else
		classify_nft(v, f, !to_target);
	return true;
}

static bool dropped_forward(const struct view *v, struct finding *f)
{
	return dropped(v, f, true);
}

bool filter_dropped_back(const struct view *v, struct finding *f)
{
	return dropped(v, f, false);
}

static bool lsm(const struct view *v, struct finding *f)
{
	const struct fact *drop = view_drop(v, "SECURITY_HOOK", "", true);
	if (!drop)
		return false;
	finding_event(f, drop, drop->drop.origin);
	finding_set_text(f, "function", drop->drop.function);
	return true;
}

static const struct rule list[] = {
	{CODE_FILTER_DROP_FORWARD, WAY_FORWARD, filter_traced},
	{CODE_FILTER_DROP_FORWARD, WAY_FORWARD, dropped_forward},
	{CODE_NOT_ALLOWED, WAY_FORWARD, not_allowed},
	{CODE_LSM_DROP, WAY_FORWARD, lsm},
};
const struct rules rules_filter = {list, sizeof(list) / sizeof(list[0])};
