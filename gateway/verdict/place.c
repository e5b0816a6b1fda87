/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/place.h"
#include <linux/netfilter_ipv4.h>
#include <string.h>

static const struct fact_trace *trace_blamed(const struct verdict *v, const struct evidence *e)
{
	for (size_t i = 0; i < v->n_evidence; i++) {
		size_t at = v->evidence[i];
		if (at < e->n && e->facts[at].kind == FACT_TRACE)
			return &e->facts[at].trace;
	}
	return nullptr;
}

static bool is_early(const struct verdict *v, const struct fact_trace *t)
{
	const char *table = verdict_attribute(v, "table");

	if (t)
		return !strcmp(t->family, "netdev") || !strcmp(t->hook, "ingress") ||
		       (!strcmp(t->hook, "prerouting") && t->priority < NF_IP_PRI_NAT_DST);
	return v->code == CODE_FILTER_DROP_LEGACY_XTABLES && table && !strcmp(table, "raw");
}

static bool is_masqueraded(const struct evidence *e)
{
	const struct fact *f;
	size_t at = 0;

	if ((f = evidence_next(e, FACT_CONFIG, &at)) && !strcmp(f->config.mode, "masquerade"))
		return true;
	for (at = 0; (f = evidence_next(e, FACT_CONNTRACK, &at));)
		if (f->conntrack.source_nat)
			return true;
	return false;
}

struct place place_of(const struct verdict *v, const struct evidence *e)
{
	const struct fact_trace *t = trace_blamed(v, e);
	/* A policy is behind the rules for both directions. */
	bool one = t && t->handle > 0;

	return (struct place){
		.there = !one || t->to_target,
		.back = !one || !t->to_target,
		.translated = is_early(v, t) && is_masqueraded(e),
	};
}
