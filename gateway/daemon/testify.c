/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/testify.h"
#include "conf/admits.h"
#include "daemon/bridge_names.h"
#include "daemon/frr_conditions.h"
#include "daemon/want.h"
#include <stdio.h>
#include <string.h>

#define PUT(field, ...) snprintf((field), sizeof(field), __VA_ARGS__)
/* What is too long ends early. */
#define PUT_CUT(field, text) PUT(field, "%.*s", (int)sizeof(field) - 1, (text))

/* ---- configuration ---- */

static bool is_alone(const struct prove_network *proof, const struct config_network *n,
	const struct addr *host, enum return_path *mode)
{
	for (size_t i = 0; i < n->n_hosts; i++)
		if (!addr_cmp(&n->hosts[i].address, host)) {
			*mode = n->hosts[i].return_path;
			return true;
		}
	if (!proof || !witness_host_excepted(&proof->witnesses, host))
		return false;
	*mode = RETURN_PATH_MASQUERADE;
	return true;
}

/* Where it is in force, also what has been proven counts. */
static void tell_mode(const struct gateway *g, const struct config_place *place,
	const struct addr *target, struct fact_config *f)
{
	enum return_path alone = RETURN_PATH_ROUTE;
	const struct config_network *network = place->network;
	const char *interface = place->lan->interface;
	const struct prove_network *proof = prove_find(&g->prove, interface, &network->prefix);
	bool masquerade = want_network_masquerades(&g->prove, interface, network);

	if (is_alone(proof, network, target, &alone)) {
		f->excepted = masquerade != (alone == RETURN_PATH_MASQUERADE);
		masquerade = alone == RETURN_PATH_MASQUERADE;
	}
	PUT(f->mode, "%s", masquerade ? "masquerade" : "route");
	if (proof)
		PUT(f->proof, "%s", prove_network_state(proof));
}

static void tell_network(const struct gateway *g, const struct config *config,
	const struct addr *target, struct fact_config *f)
{
	struct config_place place = config_place_of(config, target);

	if (!place.network)
		return;
	f->network_known = true;
	f->network = place.network->prefix;
	PUT(f->interface, "%s", place.lan->interface);
	PUT(f->configured, "%s", return_path_str(place.network->return_path));
	if (f->up)
		tell_mode(g, &place, target, f);
}

/* The wall around the bridge holds for what names stand for (daemon/bridge_names.h). */
bool testify_may_begin(
	const struct gateway *g, const struct config *config, const struct flow *flow)
{
	const struct config_bridge *b = config ? &config->bridge : nullptr;

	for (size_t i = 0; b && flow->host[0] && i < b->n_routes; i++)
		for (size_t j = 0; j < b->routes[i].n_upstreams; j++) {
			const struct config_upstream *up = &b->routes[i].upstreams[j];
			if (up->host && up->port == flow->port && !strcmp(up->host, flow->host))
				return bridge_name_may_be(config, &g->seen, &flow->target);
		}
	return true;
}

void testify_config(const struct gateway *g, const struct config *config, struct evidence *e)
{
	struct fact_config *f = &evidence_add(e, FACT_CONFIG)->config;
	const struct flow *flow = &e->flow;
	const struct config_range *range;

	PUT(f->mode, "none");
	f->own_address = observed_is_own(&g->seen, &flow->target);
	if (!config)
		return;
	range = config_range_of(config, &flow->client);
	f->up = g->phase == GATEWAY_UP && g->config;
	if (config->tunnel.role != TUNNEL_NONE)
		PUT(f->tunnel, "%s", tunnel_role_str(config->tunnel.role));
	f->source_known = range != nullptr;
	if (range)
		f->range = range->prefix;
	f->allowed = !f->up ||
		     config_allows(config, &flow->client, &flow->target, flow->proto, flow->port);
	if (flow_is_outgoing(flow))
		f->allowed = flow->target.family == AF_UNSPEC || testify_may_begin(g, config, flow);
	tell_network(g, config, &flow->target, f);
}

void testify_conditions(const struct conditions *all, struct evidence *e)
{
	for (size_t i = 0; i < all->n; i++) {
		struct fact_condition *f = &evidence_add(e, FACT_CONDITION)->condition;
		const struct condition *c = &all->list[i];
		PUT(f->code, "%s", condition_code_str(c->code));
		PUT(f->subject, "%s", c->subject);
		PUT_CUT(f->message, c->message);
		PUT_CUT(f->remedy, condition_remedy(c->code, all->own_tunnel));
	}
}

static bool is_told(const struct evidence *e, const char *key)
{
	const struct fact *f;

	for (size_t at = 0; (f = evidence_next(e, FACT_SYSCTL, &at));)
		if (!strcmp(f->sysctl.key, key))
			return true;
	return false;
}

void testify_routers(const struct gateway *g, struct evidence *e)
{
	for (size_t i = 0; e->flow.target.family == AF_INET6 && i < g->seen.n_ras; i++) {
		const struct link *l = link_by_index(&g->seen.links, g->seen.ras[i].ifindex);
		char key[FACT_NAME_LEN];
		if (!l || strchr(l->name, '.')) /* sysctl(8) writes those otherwise */
			continue;
		PUT(key, "net.ipv6.conf.%s.accept_ra", l->name);
		if (is_told(e, key))
			continue;
		struct fact_sysctl *f = &evidence_add(e, FACT_SYSCTL)->sysctl;
		memcpy(f->key, key, sizeof(key));
		f->value = g->seen.ras[i].accept_ra;
	}
}

/* ---- FRRouting ---- */

/* On the way to the target, as far as this node can tell: in the network by whose interface it is
 * reached. */
static bool concerns(const struct frr_sync *s, const struct flow *flow, const struct addr *peer)
{
	struct config_place to = config_place_of(s->config, &flow->target);
	struct config_place at = config_place_of(s->config, peer);
	return !to.lan || !at.lan || to.lan == at.lan;
}

static void tell_neighbour(const struct frr_sync *s, const struct conditions *found,
	const struct config_neighbor *to, struct evidence *e)
{
	char address[ADDR_STRLEN];
	const struct frr_session *n = frr_session_of(&s->view.show, &to->address);
	struct fact_bgp_neighbour *f = &evidence_add(e, FACT_BGP_NEIGHBOUR)->bgp_neighbour;

	addr_str(&to->address, address);
	f->address = to->address;
	f->concerns = concerns(s, &e->flow, &to->address);
	PUT(f->state, "%s", n ? frr_session_state_str(n->state) : "");
	if (n && n->reset.known)
		f->reset_age_s = (int64_t)(n->reset.age_ms / 1000);
	for (size_t i = 0; i < found->n; i++) {
		const struct condition *c = &found->list[i];
		if (strcmp(c->subject, address) != 0)
			continue;
		/* Only young reasons get that far (frr_conditions.h). */
		f->fresh = true;
		PUT(f->reason, "%s", condition_code_str(c->code));
		PUT_CUT(f->text, c->message);
		return;
	}
}

static bool sends(const struct config_neighbor *to, uint8_t family)
{
	return family == AF_INET ? to->ipv4 : to->ipv6;
}

/* bgpd collects for a second before its first update; what was sent once and is held back later is
 * no longer young. */
constexpr uint64_t FIRST_UPDATE_MS = 3'000;

/* FRR tells how many of ours a neighbour was sent, and not which, unless it is all or none. */
static void tell_prefix(const struct frr_sync *s, const struct frr_prefix_state *p,
	const struct config_neighbor *to, struct evidence *e)
{
	const struct frr_session *n = frr_session_of(&s->view.show, &to->address);
	uint8_t family = p->prefix.addr.family;
	struct fact_bgp_prefix *f = &evidence_add(e, FACT_BGP_PREFIX)->bgp_prefix;
	const struct frr_session_family *of = n ? &n->family[family == AF_INET6] : nullptr;

	f->prefix = p->prefix;
	f->neighbour = to->address;
	f->originated = p->in_bgp;
	f->export_policy = !of || !of->policy_missing_out;
	f->advertised = of && n->state == FRR_SESSION_ESTABLISHED && of->advertised > 0;
	f->pending = of && !f->advertised && n->uptime_ms < FIRST_UPDATE_MS;
	PUT(f->text, "%u of the ranges and sites were sent", of ? of->advertised : 0);
}

static void tell_neighbours(
	const struct frr_sync *s, const struct conditions *found, struct evidence *e)
{
	const struct config_bgp *bgp = &s->config->bgp;
	uint8_t asked = e->flow.target.family; /* AF_UNSPEC = both */

	for (size_t i = 0; i < bgp->n_neighbors; i++) {
		tell_neighbour(s, found, &bgp->neighbors[i], e);
		for (size_t j = 0; j < s->view.show.n_prefixes; j++) {
			const struct frr_prefix_state *p = &s->view.show.prefixes[j];
			uint8_t family = p->prefix.addr.family;
			if ((asked == AF_UNSPEC || family == asked) &&
				sends(&bgp->neighbors[i], family))
				tell_prefix(s, p, &bgp->neighbors[i], e);
		}
	}
}

void testify_bgp(const struct frr_sync *s, struct evidence *e)
{
	struct fact_bgp *f = &evidence_add(e, FACT_BGP)->bgp;
	struct conditions found = {};

	f->configured = s->config != nullptr;
	if (!s->config)
		return;
	f->asn = s->config->bgp.asn;
	const char *missing = s->view.answered ? frr_view_missing(&s->view) : nullptr;
	f->daemon = s->view.answered && !missing;
	if (missing)
		PUT(f->text, "%s does not answer", missing);
	else if (!s->view.answered)
		PUT_CUT(f->text, s->problem.code ? s->problem.msg : "FRRouting was not read yet");
	if (!s->view.answered)
		return;
	frr_sessions_collect(s, &found);
	tell_neighbours(s, &found, e);
	conditions_clear(&found);
}
