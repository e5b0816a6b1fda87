/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_prove: the conditions of networks in mode auto.
 */
#include "daemon/health.h"
#include <string.h>

static void mode_health(const struct prove *p, const struct prove_network *n, const char *name,
	struct conditions *out)
{
	char why[PROVE_WHY_LEN];
	if (n->route)
		return;
	conditions_add(out, n->lost_us ? COND_RETURN_PATH_LOST : COND_RETURN_PATH_UNPROVEN, name,
		"%s is masqueraded: %s", name, prove_why(p, n, why));
}

static bool has_witness(const struct prove_network *n)
{
	for (size_t i = 0; i < n->witnesses.n; i++)
		if (n->witnesses.list[i].port && !n->witnesses.list[i].router &&
			!n->witnesses.list[i].fixed)
			return true;
	return false;
}

static void round_health(const struct prove_network *n, const char *name, struct conditions *out)
{
	const char *mode = n->route ? "route" : "masquerade";
	if (!n->rounds)
		return;
	if (!has_witness(n))
		conditions_add(out, COND_WITNESS_MISSING, name,
			"nobody in %s is known who could show the way back; its mode stays %s",
			name, mode);
	else if (n->verdict == PROVE_SILENT)
		conditions_add(out, COND_WITNESS_SILENT, name,
			"no witness in %s answers, neither the gateway nor the mesh; its mode "
			"stays %s",
			name, mode);
	else if (n->verdict == PROVE_FILTERED)
		conditions_add(out, COND_PROBE_FILTERED_LOCALLY, name,
			"probes into %s do not leave this host; its mode stays %s", name, mode);
}

static void host_health(const struct prove_network *n, const char *name, struct conditions *out)
{
	char host[ADDR_STRLEN];
	for (size_t i = 0; n->route && i < n->witnesses.n; i++) {
		const struct witness *w = &n->witnesses.list[i];
		bool still = witness_says(w->last) == WITNESS_NO;
		if (w->excepted)
			conditions_add(out, COND_HOST_MASQUERADED, addr_str(&w->address, host),
				"%s %s the gateway and not the mesh (%s%s, %s), others in %s "
				"answer both; it alone is masqueraded",
				host, still ? "answers" : "answered", still ? "" : "now ",
				probe_result_str(w->last.own), probe_result_str(w->last.range),
				name);
	}
}

/* The session stands and the ranges were sent, and still nothing comes back. Where some hosts
 * answer it may be the others that admit only the LAN. */
static void session_health(const struct prove *p, const struct prove_network *n, const char *name,
	struct conditions *out)
{
	char neighbor[ADDR_STRLEN];
	for (size_t i = 0; n->verdict == PROVE_BAD && !n->known.yes && i < p->n_sessions; i++) {
		const struct prove_session *s = &p->sessions[i];
		bool sent = n->prefix.addr.family == AF_INET ? s->sent4 : s->sent6;
		if (sent && !strncmp(s->interface, n->interface, IFNAMSIZ))
			conditions_add(out, COND_BGP_ADVERTISED_NOT_USED,
				addr_str(&s->neighbor, neighbor),
				"%s was sent the mesh ranges, and answers from %s do not come back "
				"by them",
				neighbor, name);
	}
}

void health_prove(const struct gateway *g, struct conditions *out)
{
	const struct prove *p = &g->prove;
	char name[PREFIX_STRLEN];
	for (size_t i = 0; i < p->n; i++) {
		const struct prove_network *n = &p->networks[i];
		prefix_str(&n->prefix, name);
		mode_health(p, n, name, out);
		round_health(n, name, out);
		host_health(n, name, out);
		session_health(p, n, name, out);
	}
}
