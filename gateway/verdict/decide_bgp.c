/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_beyond.h"
#include "verdict/decide_filter.h"
#include <string.h>

static bool established(const struct fact *n)
{
	return !strcmp(n->bgp_neighbour.state, "Established");
}

static const struct fact *prefix_of_neighbour(const struct view *v, const struct fact *n)
{
	const struct addr *client = &v->e->flow.client;
	size_t at = 0;
	for (const struct fact *p; (p = view_next(v, FACT_BGP_PREFIX, &at));)
		if (!addr_cmp(&p->bgp_prefix.neighbour, &n->bgp_neighbour.address) &&
			(client->family == AF_UNSPEC ||
				prefix_contains_addr(&p->bgp_prefix.prefix, client)))
			return p;
	return nullptr;
}

/* The further it got, the more the site's router had to go by: only the best one counts. */
enum progress { NO_SESSION, NO_POLICY, NOT_ORIGINATED, NOT_SENT, NOT_SENT_YET, NOT_TOLD, SENT };

static enum progress progress_of(const struct view *v, const struct fact *n)
{
	const struct fact *p = prefix_of_neighbour(v, n);
	if (!established(n))
		return NO_SESSION;
	if (!p)
		return NOT_TOLD;
	if (!p->bgp_prefix.originated)
		return NOT_ORIGINATED;
	if (!p->bgp_prefix.export_policy)
		return NO_POLICY;
	if (p->bgp_prefix.advertised)
		return SENT;
	return p->bgp_prefix.pending ? NOT_SENT_YET : NOT_SENT;
}

static const struct fact *best_neighbour(const struct view *v)
{
	const struct fact *best = nullptr;
	size_t at = 0;
	for (const struct fact *n; (n = view_next(v, FACT_BGP_NEIGHBOUR, &at));)
		if (n->bgp_neighbour.concerns &&
			(!best || progress_of(v, n) > progress_of(v, best)))
			best = n;
	return best;
}

/* FRR goes on giving the reason of an older end; only a fresh one counts. */
static enum code reason_of(const struct fact *n)
{
	enum code code = n->bgp_neighbour.fresh ? code_parse(n->bgp_neighbour.reason) : CODES;
	return code >= CODE_BGP_SESSION_DOWN && code <= CODE_BGP_PREFIX_FILTERED_LOCALLY
		       ? code
		       : CODE_BGP_SESSION_DOWN;
}

/* Segments with a signature that is missing, wrong, or not asked for. The counters belong to no
 * connection: where two sessions wait, they accuse neither. */
static bool waits_alone(const struct view *v, const struct fact *n)
{
	size_t at = 0;
	for (const struct fact *o; (o = view_next(v, FACT_BGP_NEIGHBOUR, &at));)
		if (o != n && !established(o))
			return false;
	return true;
}

/* `known`: somebody has looked. */
static const struct fact *signature_refused(const struct view *v, const struct fact *n, bool *known)
{
	static const char *const names[] = {
		"TcpExtTCPMD5NotFound", "TcpExtTCPMD5Unexpected", "TcpExtTCPMD5Failure"};
	const struct fact *grew = nullptr;

	*known = false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		*known = *known || view_counter(v, names[i]);
		if (!grew)
			grew = view_grew(v, names[i]);
	}
	return waits_alone(v, n) ? grew : nullptr;
}

static void decided(struct finding *f, enum code code)
{
	f->code = code;
	f->confidence = CONFIDENCE_LIKELY;
	f->n_candidates = 0;
}

static void session_down(const struct view *v, const struct fact *n, struct finding *f)
{
	const struct fact *rule = filter_of_own(v);
	bool local = view_outcome(v, PROBE_OWN) == OUTCOME_LOCAL;

	finding_set_text(f, "state", n->bgp_neighbour.state);
	if (rule) {
		decided(f, CODE_FILTER_DROP_OUTPUT);
		filter_blame(rule, f);
		f->at = AT_GATEWAY;
		return;
	}
	bool known;
	const struct fact *signature = signature_refused(v, n, &known);
	decided(f, reason_of(n));
	if (f->code == CODE_BGP_SESSION_DOWN && signature)
		f->code = CODE_BGP_AUTH_MISMATCH;
	else
		finding_set_text(f, "reason", n->bgp_neighbour.text);
	if (f->code == CODE_BGP_AUTH_MISMATCH)
		finding_cite(f, signature);
	if (f->code == CODE_BGP_SESSION_DOWN && !known)
		FINDING_FAMILY(f, CODE_BGP_SESSION_DOWN, CODE_BGP_AUTH_MISMATCH);
	if (local && f->code == CODE_BGP_SESSION_DOWN)
		FINDING_FAMILY(f, CODE_BGP_SESSION_DOWN, CODE_FILTER_DROP_OUTPUT);
}

static void refine_by(const struct view *v, const struct fact *n, struct finding *f)
{
	const struct fact *p = prefix_of_neighbour(v, n);

	finding_cite(f, n);
	finding_cite(f, p);
	finding_set_addr(f, "peer", &n->bgp_neighbour.address);
	if (p)
		finding_set_prefix(f, "prefix", &p->bgp_prefix.prefix);
	switch (progress_of(v, n)) {
	case NO_SESSION:
		session_down(v, n, f);
		break;
	case NO_POLICY:
		decided(f, CODE_BGP_NO_EXPORT_POLICY);
		break;
	case NOT_ORIGINATED:
		decided(f, CODE_BGP_PREFIX_NOT_ORIGINATED);
		break;
	case NOT_SENT:
		decided(f, CODE_BGP_PREFIX_FILTERED_LOCALLY);
		break;
	case NOT_SENT_YET:
		finding_may_be(f, CODE_BGP_PREFIX_FILTERED_LOCALLY);
		finding_may_be(f, CODE_BGP_ADVERTISED_NOT_USED);
		break;
	case SENT:
		/* The router may not use it, or somebody filters: alike from here. */
		f->n_candidates = 0;
		FINDING_FAMILY(f, CODE_BGP_ADVERTISED_NOT_USED, CODE_UPSTREAM_FILTERS_RANGE,
			CODE_UPSTREAM_RETURN_ROUTE_MISSING);
		break;
	case NOT_TOLD:
		finding_may_be(f, CODE_BGP_PREFIX_NOT_ORIGINATED);
		finding_may_be(f, CODE_BGP_ADVERTISED_NOT_USED);
		break;
	}
}

bool bgp_refine(const struct view *v, struct finding *f)
{
	const struct fact *n = best_neighbour(v);

	if (v->bgp && !v->bgp->bgp.configured)
		return false;
	if (v->bgp && !v->bgp->bgp.daemon) {
		finding_cite(f, v->bgp);
		finding_set_text(f, "reason", v->bgp->bgp.text);
		decided(f, CODE_BGP_DAEMON_DOWN);
		return true;
	}
	if (n) {
		finding_cite(f, v->bgp);
		refine_by(v, n, f);
		return true;
	}
	if (v->bgp || v->missing[OBSERVER_FRR])
		finding_want(f, OBSERVER_FRR);
	if (filter_of_own(v))
		finding_may_be(f, CODE_FILTER_DROP_OUTPUT);
	return false;
}
