/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_filter.h"
#include "conf/admits.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "nft/by.h"
#include "nft/diag.h"
#include "nft/legacy.h"
#include "nft/rule.h"
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

constexpr size_t TRACES_MAX = 64;

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%.*s", (int)size - 1, text);
}

/* ---- base chains ---- */

static bool is_diagnosis(const char *table)
{
	return !strncmp(table, NFT_DIAG_TABLE, strlen(NFT_DIAG_TABLE));
}

static void add_chain(const struct nft_base_chain *c, struct evidence *e)
{
	struct fact_chain *f = &evidence_add(e, FACT_CHAIN)->chain;

	copy(f->family, sizeof(f->family), nft_family_str(c->family));
	copy(f->table, sizeof(f->table), c->table);
	copy(f->chain, sizeof(f->chain), c->chain);
	copy(f->hook, sizeof(f->hook), c->hook);
	copy(f->type, sizeof(f->type), c->type);
	copy(f->policy, sizeof(f->policy), c->drops ? "drop" : "accept");
	copy(f->by, sizeof(f->by), c->nat_source && c->nat_by[0] ? c->nat_by : c->by);
	f->priority = c->priority;
	f->rules = c->rules;
	f->nat_source = c->nat_source;
}

static void add_legacy(uint8_t family, const char *name, struct evidence *e)
{
	char names[NFT_LEGACY_LEN];
	struct err err = {};

	switch (nft_legacy_read("/proc", family, names)) {
	case NFT_LEGACY_NONE:
		break;
	case NFT_LEGACY_PRESENT:
		struct fact_chain *f = &evidence_add(e, FACT_CHAIN)->chain;
		copy(f->family, sizeof(f->family), name);
		copy(f->table, sizeof(f->table), names);
		f->legacy = true;
		break;
	case NFT_LEGACY_UNKNOWN:
		(void)err_set(&err, EACCES, "only root may list tables of iptables-legacy (%s)%s%s",
			name, names[0] ? ", which has in some namespace: " : "", names);
		collect_missing(e, OBSERVER_RULESET, &err);
		break;
	}
}

static void add_legacies(const struct collect_scope *scope, struct evidence *e)
{
	if (!scope->flow || scope->flow->target.family == AF_INET)
		add_legacy(AF_INET, "ip", e);
	if (!scope->flow || scope->flow->target.family == AF_INET6)
		add_legacy(AF_INET6, "ip6", e);
}

void collect_chains(const struct collect_scope *scope, struct nl_sock *s, struct nft_ruleset *out,
	struct evidence *e)
{
	const struct config *config = scope->config;
	autofree struct prefix *ranges = xcalloc(config->n_ranges, sizeof(*ranges));
	autofree char(*lans)[IFNAMSIZ] = xcalloc(config->n_lans, sizeof(*lans));
	const struct nft_leaving leaving = {ranges, config->n_ranges, lans, config->n_lans};
	struct err err = {};

	for (size_t i = 0; i < config->n_ranges; i++)
		ranges[i] = config->ranges[i].prefix;
	for (size_t i = 0; i < config->n_lans; i++)
		memcpy(lans[i], config->lans[i].interface, IFNAMSIZ);
	if (nft_ruleset_read(s, &leaving, out, &err) < 0)
		collect_missing(e, OBSERVER_RULESET, &err);
	for (size_t i = 0; i < out->n; i++)
		if (!is_diagnosis(out->chains[i].table))
			add_chain(&out->chains[i], e);
	add_legacies(scope, e);
}

/* ---- traces ---- */

static bool is_mine(const struct injections *set, uint16_t port)
{
	return set && set->last_port && port >= set->first_port && port <= set->last_port;
}

static bool is(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

static enum fact_origin injected_as(const struct injections *set, uint16_t port)
{
	const struct injection *in = injection_of_port(set, port);

	return in && in->probe != PROBE_INJECTED ? ORIGIN_ASIDE : ORIGIN_INJECTED;
}

static bool is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* meshgw's probes of the way back go to the same services; their answers end in chains of their
 * own (nft/table_probe.c). */
static bool ends_probe(const struct nft_step *last)
{
	return !strcmp(last->table, MARK_NFT_TABLE) &&
	       !strncmp(last->chain, "probe_", strlen("probe_"));
}

/* Like the flow, whoever sent it: to the service, or from it. */
static bool is_alike(const struct flow *flow, const struct nft_step_packet *p, bool to_target)
{
	if (is_icmp(flow->proto))
		return is_icmp(p->proto) && (to_target || is(&p->from, &flow->target));
	return p->proto == flow->proto &&
	       (to_target ? p->dport == flow->port
			  : is(&p->from, &flow->target) && p->sport == flow->port);
}

/* Whose packet it is; ORIGINS = none that this is about: others trace packets, too. Source NAT may
 * have hidden whom an answer is for; the port tells, as a rule. Which packet an ICMP error quotes
 * is not told, so it is beside the flow. */
static enum fact_origin origin_of(const struct collect_scope *scope, const struct injections *set,
	const struct nft_way *way, bool to_target, bool forwarded)
{
	const struct flow *flow = scope->flow;
	const struct nft_step_packet *p = &way->packet;
	bool error = is_icmp(p->proto) && !p->sport;

	if (way->local)
		return ORIGIN_OWN;
	if (to_target && is(&p->from, &flow->client) && is_mine(set, p->sport))
		return injected_as(set, p->sport);
	if (!to_target && is(&p->from, &flow->target) && is_mine(set, p->dport))
		return injected_as(set, p->dport);
	if (error && is(&p->to, &flow->client))
		return ORIGIN_ASIDE;
	if (error || ends_probe(&way->last) || !is_alike(flow, p, to_target))
		return ORIGINS;
	return to_target || forwarded || config_range_of(scope->config, &p->to) ? ORIGIN_REAL
										: ORIGIN_OWN;
}

static const struct nft_base_chain *base_of(
	const struct nft_ruleset *rules, const struct nft_way *way)
{
	return nft_ruleset_find(rules, way->base.family, way->base.table, way->base.chain);
}

/* Behind source NAT an answer to the mesh is for this host by its address, and goes on. */
static bool is_forwarded(const struct nft_ruleset *rules, const struct nft_way *way)
{
	const struct nft_base_chain *base = base_of(rules, way);

	return base && (!strcmp(base->hook, "forward") || !strcmp(base->hook, "postrouting"));
}

static void tell_rule(struct nl_sock *s, const struct nft_step *step, struct fact_trace *f)
{
	struct nft_rule r;

	f->handle = (int64_t)step->handle;
	if (nft_rule_find(s, step->family, step->table, step->chain, step->handle, &r, nullptr) < 0)
		return;
	copy(f->rule, sizeof(f->rule), r.text);
	f->fib = r.fib;
	f->ct_invalid = r.ct_invalid;
	if (r.rejects)
		copy(f->verdict, sizeof(f->verdict), "reject");
}

static void tell_by(
	const struct nft_step *step, const struct nft_base_chain *base, struct fact_trace *f)
{
	const char *by = nft_by(step->table, step->chain);

	/* The base chain is theirs who set its policy; a rule in it can be anybody's. */
	if (!by[0] && step->type == NFT_STEP_POLICY && base)
		by = base->by;
	copy(f->by, sizeof(f->by), by);
}

static const char *verdict_of(const struct nft_way *way)
{
	switch (way->fate) {
	case NFT_FATE_DROPPED:
		return way->last.type == NFT_STEP_POLICY ? "policy drop" : "drop";
	case NFT_FATE_QUEUED:
		return "queue";
	default:
		return "accept";
	}
}

static void describe(const struct nft_way *way, const struct nft_ruleset *rules, struct nl_sock *s,
	struct fact_trace *f)
{
	const struct nft_step *last = &way->last;
	const struct nft_base_chain *base = base_of(rules, way);

	copy(f->family, sizeof(f->family), nft_family_str(last->family));
	copy(f->table, sizeof(f->table), last->table);
	copy(f->chain, sizeof(f->chain), last->chain);
	copy(f->verdict, sizeof(f->verdict), verdict_of(way));
	f->handle = -1;
	if (base) {
		copy(f->hook, sizeof(f->hook), base->hook);
		f->priority = base->priority;
	}
	if (last->type == NFT_STEP_RULE && last->handle)
		tell_rule(s, last, f);
	tell_by(last, base, f);
}

/* Of two packets of one origin and direction: the same last word? */
static bool is_same_word(const struct nft_way *a, const struct nft_way *b)
{
	return a->fate == b->fate && a->last.type == b->last.type &&
	       a->last.handle == b->last.handle && a->last.family == b->last.family &&
	       !strcmp(a->last.table, b->last.table) && !strcmp(a->last.chain, b->last.chain) &&
	       !strcmp(a->base.chain, b->base.chain);
}

void collect_traces(const struct collect_scope *scope, struct nl_sock *s,
	const struct nft_ruleset *rules, const struct injections *set, const struct nft_ways *ways,
	struct evidence *e)
{
	const struct nft_way *told[TRACES_MAX];
	struct fact_trace f[TRACES_MAX];
	struct err err = {};
	size_t n = 0;

	if (ways->lost) {
		(void)err_set(&err, ENOBUFS, "nft trace: more packets than could be followed");
		collect_missing(e, OBSERVER_NFT_TRACE, &err);
	}
	for (size_t i = 0; i < ways->n && n < TRACES_MAX; i++) {
		const struct nft_way *way = &ways->list[i];
		size_t j = 0;

		if (way->packet.from.family == AF_UNSPEC || !way->last.table[0])
			continue;
		f[n] = (struct fact_trace){.to_target = is(&way->packet.to, &scope->flow->target)};
		f[n].origin = origin_of(scope, set, way, f[n].to_target, is_forwarded(rules, way));
		if (f[n].origin == ORIGINS)
			continue;
		while (j < n && !(f[j].origin == f[n].origin && f[j].to_target == f[n].to_target &&
					is_same_word(told[j], way)))
			j++;
		if (j < n)
			continue;
		describe(way, rules, s, &f[n]);
		evidence_add(e, FACT_TRACE)->trace = f[n];
		told[n++] = way;
	}
}
