/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_edge: what an operator may tell an edge.
 */
#include "conf/suggest.h"
#include "daemon/server.h"
#include "daemon/tunnel.h"
#include "lib/api.h"
#include <string.h>

struct promote_parameters {
	const char *node, *replica;
};

static const struct config_node *find_node(const struct config_edge *edge, const char *name)
{
	for (size_t i = 0; i < edge->n_nodes; i++)
		if (strcmp(edge->nodes[i].name, name) == 0)
			return &edge->nodes[i];
	return nullptr;
}

static bool has_replica(const struct config_node *node, const char *name)
{
	for (size_t i = 0; i < node->n_replicas; i++)
		if (strcmp(node->replicas[i].name, name) == 0)
			return true;
	return false;
}

static int refuse_node(sd_varlink *link, const struct config_edge *edge, const char *name)
{
	struct suggestion best = {};

	for (size_t i = 0; i < edge->n_nodes; i++)
		suggest_offer(&best, name, edge->nodes[i].name);
	if (best.word)
		return tunnel_wish_refuse(link, "unknown-node",
			"there is no node \"%.100s\"; did you mean %s?", name, best.word);
	return tunnel_wish_refuse(link, "unknown-node", "there is no node \"%.100s\"", name);
}

static int refuse_replica(sd_varlink *link, const struct config_node *node, const char *name)
{
	struct suggestion best = {};

	for (size_t i = 0; i < node->n_replicas; i++)
		suggest_offer(&best, name, node->replicas[i].name);
	if (best.word)
		return tunnel_wish_refuse(link, "unknown-replica",
			"node %s has no replica \"%.100s\"; did you mean %s?", node->name, name,
			best.word);
	return tunnel_wish_refuse(
		link, "unknown-replica", "node %s has no replica \"%.100s\"", node->name, name);
}

int api_edge_promote(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"node", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct promote_parameters, node), SD_JSON_MANDATORY},
		{"replica", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct promote_parameters, replica), SD_JSON_MANDATORY},
		{},
	};
	struct promote_parameters p = {};
	const struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	struct tunnel_view view = c->tunnel ? tunnel_view(c->tunnel) : (struct tunnel_view){};
	if (!view.config || view.config->tunnel.role != TUNNEL_EDGE)
		return sd_varlink_error(link, API_ERROR_NOT_EDGE, nullptr);
	const struct config_node *node = find_node(&view.config->tunnel.edge, p.node);
	if (!node)
		return refuse_node(link, &view.config->tunnel.edge, p.node);
	if (!has_replica(node, p.replica))
		return refuse_replica(link, node, p.replica);
	return tunnel_promote(c->tunnel, link, userdata, p.node, p.replica);
}
