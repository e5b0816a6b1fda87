/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reply_edge.h"
#include "daemon/json_make.h"
#include "daemon/reply_tunnel.h"
#include <stdlib.h>
#include <string.h>

/* The peers that are somebody, in an order in which they can be found. */
struct peers {
	const struct tunnel_peer **list;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct tunnel_peer *const *x = a, *const *y = b;
	int r = strcmp((*x)->node, (*y)->node);

	return r ? r : strcmp((*x)->replica, (*y)->replica);
}

/* A connection whose request is not answered yet, or that another one has replaced, is none. */
static struct peers sort_peers(const struct tunnel_report *report)
{
	struct peers p = {.list = xcalloc(report->n_peers, sizeof(struct tunnel_peer *))};

	for (size_t i = 0; i < report->n_peers; i++)
		if (report->peers[i].open)
			p.list[p.n++] = &report->peers[i];
	if (p.n)
		qsort(p.list, p.n, sizeof(struct tunnel_peer *), compare);
	return p;
}

static const struct tunnel_peer *find_peer(
	const struct peers *peers, const char *node, const char *replica)
{
	size_t low = 0, high = peers->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tunnel_peer *p = peers->list[middle];
		int r = strcmp(p->node, node);
		r = r ? r : strcmp(p->replica, replica);
		if (r == 0)
			return p;
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return nullptr;
}

static sd_json_variant *pins(const struct config_replica *replica)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < replica->n_pins; i++)
		json_append_text(&v, replica->pins[i].text);
	return v;
}

static const char *state_str(const struct tunnel_replica_state *s)
{
	if (!s || !s->connected)
		return "offline";
	return s->active ? "active" : "standby";
}

static void append_replica(sd_json_variant **list, const struct config_replica *replica,
	const struct tunnel_replica_state *s, const struct tunnel_peer *peer)
{
	uint64_t seconds = s ? s->seconds : TUNNEL_NEVER;
	autojson sd_json_variant *keys = pins(replica), *end = s && s->connected && peer
								       ? reply_tunnel_peer(peer)
								       : nullptr;

	if (sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_STRING("name", replica->name),
		    SD_JSON_BUILD_PAIR_VARIANT("pins", keys),
		    SD_JSON_BUILD_PAIR_STRING("state", state_str(s)),
		    PAIR_SECONDS("seconds", seconds), PAIR_OBJECT("peer", end)) < 0)
		out_of_memory();
}

static sd_json_variant *replicas(const struct config_node *node,
	const struct tunnel_node_state *state, const struct peers *peers)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < node->n_replicas; i++) {
		const struct config_replica *r = &node->replicas[i];
		append_replica(&v, r, tunnel_report_replica(state, r->name),
			find_peer(peers, node->name, r->name));
	}
	return v;
}

/* Those of the configuration, and those of the pool. */
static sd_json_variant *addresses(
	const struct config_node *node, const struct tunnel_node_state *state)
{
	sd_json_variant *v = json_sources(node->addresses, node->n_addresses);

	for (size_t i = 0; i < state->n_leases; i++) {
		struct prefix p = prefix_of(&state->leases[i]);
		json_append_prefix(&v, &p);
	}
	return v;
}

static sd_json_variant *way(const struct tunnel_way *w)
{
	sd_json_variant *v = nullptr;

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_UNSIGNED("packets", w->packets),
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", w->bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("limited", w->limited));
	return v;
}

static void append_node(sd_json_variant **list, const struct config_node *node,
	const struct tunnel_node_state *state, const struct peers *peers)
{
	static const struct tunnel_node_state unknown = {.seconds = TUNNEL_NEVER};
	const struct tunnel_node_state *s = state ? state : &unknown;
	autojson sd_json_variant *own = addresses(node, s),
				 *routes = json_sources(node->routes, node->n_routes),
				 *all = replicas(node, state, peers), *in = way(&s->in),
				 *out = way(&s->out);

	if (sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_STRING("name", node->name),
		    SD_JSON_BUILD_PAIR_STRING("promotion", promotion_str(node->promotion)),
		    SD_JSON_BUILD_PAIR_VARIANT("addresses", own),
		    SD_JSON_BUILD_PAIR_VARIANT("routes", routes),
		    SD_JSON_BUILD_PAIR_CONDITION(node->packets != 0, "packetsLimit",
			    SD_JSON_BUILD_UNSIGNED(node->packets)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    node->bytes != 0, "bytesLimit", SD_JSON_BUILD_UNSIGNED(node->bytes)),
		    PAIR_TEXT("active", s->active), PAIR_TEXT("why", s->why),
		    PAIR_SECONDS("seconds", s->seconds),
		    SD_JSON_BUILD_PAIR_UNSIGNED("changes", s->changes),
		    SD_JSON_BUILD_PAIR_VARIANT("in", in), SD_JSON_BUILD_PAIR_VARIANT("out", out),
		    SD_JSON_BUILD_PAIR_UNSIGNED("foreignSource", s->foreign),
		    SD_JSON_BUILD_PAIR_VARIANT("replicas", all)) < 0)
		out_of_memory();
}

sd_json_variant *reply_edge(const struct config *config, const struct tunnel_report *report)
{
	const struct config_edge *e = &config->tunnel.edge;
	struct peers peers = sort_peers(report);
	autojson sd_json_variant *pool = json_sources(e->pool, e->n_pool), *nodes = json_array();
	sd_json_variant *v = nullptr;

	for (size_t i = 0; i < e->n_nodes; i++)
		append_node(&nodes, &e->nodes[i], tunnel_report_node(report, e->nodes[i].name, i),
			&peers);
	free(peers.list);
	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_VARIANT("pool", pool),
		SD_JSON_BUILD_PAIR_UNSIGNED("withoutAddress", report->without_address),
		SD_JSON_BUILD_PAIR_OBJECT("limits",
			SD_JSON_BUILD_PAIR_UNSIGNED("connections", e->connections),
			SD_JSON_BUILD_PAIR_UNSIGNED("handshakes", e->handshakes),
			SD_JSON_BUILD_PAIR_UNSIGNED("unauthenticated", e->unauthenticated),
			SD_JSON_BUILD_PAIR_UNSIGNED("retryAbove", e->retry_above)),
		SD_JSON_BUILD_PAIR_VARIANT("nodes", nodes));
	return v;
}
