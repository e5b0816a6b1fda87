/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct connip_prefixes roster_prefixes(const struct prefix_list *l)
{
	return (struct connip_prefixes){l->list, l->n};
}

static size_t count_replicas(const struct tunnel_edge *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_nodes; i++)
		n += config->nodes[i].n_replicas;
	return n;
}

/* Nodes find the edge itself, wherever its networks are. */
static struct prefix_list advertised(const struct tunnel_edge *config)
{
	size_t n = config->addresses.n + config->advertise.n;
	struct prefix *list = xcalloc(n, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = i < config->addresses.n ? config->addresses.list[i]
						  : config->advertise.list[i - config->addresses.n];
	return (struct prefix_list){list, n};
}

struct roster *roster_new(const struct tunnel_edge *config)
{
	struct roster *r = xcalloc(1, sizeof(*r));
	struct edge_replica *replica = xcalloc(count_replicas(config), sizeof(*replica));

	*r = (struct roster){
		.list = xcalloc(config->n_nodes, sizeof(*r->list)), .replicas = replica};
	for (size_t i = 0; i < config->n_nodes; i++) {
		const struct tunnel_node *n = &config->nodes[i];
		r->list[i] = (struct edge_node){.name = n->name,
			.replicas = replica,
			.n_replicas = n->n_replicas,
			.addresses = roster_prefixes(&n->addresses),
			.routes = roster_prefixes(&n->routes),
			.manual = n->manual,
			.packets = n->packets,
			.bytes = n->bytes};
		for (size_t k = 0; k < n->n_replicas; k++) {
			const struct tunnel_replica *from = &n->replicas[k];
			*replica++ = (struct edge_replica){from->name,
				(const uint8_t(*)[EDGE_KEY])from->pins.list, from->pins.n};
		}
	}
	r->nodes = (struct edge_nodes){.list = r->list,
		.n = config->n_nodes,
		.pool = roster_prefixes(&config->pool),
		.own = roster_prefixes(&config->addresses)};
	r->advertise = advertised(config);
	return r;
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	free(r->list);
	free(r->replicas);
	free(r->advertise.list);
	free(r);
}

bool roster_knows(const struct roster *r, const char *who)
{
	const char *slash = strchr(who, '/');
	size_t length = slash ? (size_t)(slash - who) : 0;

	for (size_t i = 0; slash && i < r->nodes.n; i++) {
		const struct edge_node *node = &r->list[i];
		if (strlen(node->name) != length || memcmp(node->name, who, length) != 0)
			continue;
		for (size_t k = 0; k < node->n_replicas; k++)
			if (strcmp(node->replicas[k].name, slash + 1) == 0)
				return true;
	}
	return false;
}
