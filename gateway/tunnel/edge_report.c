/* SPDX-License-Identifier: Apache-2.0 */
#include "edge_report.h"
#include "lib/json.h"

static uint64_t seconds_since(uint64_t since_ns, uint64_t now_ns)
{
	return (now_ns - since_ns) / 1'000'000'000;
}

static int replica_report(
	const struct edge_replica_status *s, uint64_t now_ns, sd_json_variant **list)
{
	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("name", s->config->name),
		SD_JSON_BUILD_PAIR_STRING("state", edge_state_str(s->state)),
		SD_JSON_BUILD_PAIR_CONDITION(s->since_ns != 0, "seconds",
			SD_JSON_BUILD_UNSIGNED(seconds_since(s->since_ns, now_ns))));
}

static int leases_report(const struct lease *lease, sd_json_variant **list)
{
	const struct addr *const both[] = {&lease->v4, &lease->v6};
	char text[ADDR_STRLEN];
	int r = sd_json_variant_new_array(list, nullptr, 0);

	for (size_t i = 0; r >= 0 && i < 2; i++)
		if (both[i]->family)
			r = sd_json_variant_append_arrayb(
				list, SD_JSON_BUILD_STRING(addr_str(both[i], text)));
	return r;
}

static int way_report(const struct edge_node_status *s, enum edge_way way, const char *name,
	sd_json_variant **out)
{
	autojson sd_json_variant *v = nullptr;
	int r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_UNSIGNED("packets", s->packets[way]),
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", s->bytes[way]),
		SD_JSON_BUILD_PAIR_UNSIGNED("limited", s->limited[way]));

	return r < 0 ? r : sd_json_variant_set_field(out, name, v);
}

static int node_values(const struct edge_node_status *s, uint64_t now_ns, sd_json_variant **out)
{
	autojson sd_json_variant *leases = nullptr;
	bool changed = s->why != EDGE_WHY_NONE;
	int r = leases_report(&s->lease, &leases);

	if (r < 0)
		return r;
	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_STRING("name", s->config->name),
		SD_JSON_BUILD_PAIR_CONDITION(
			s->active != nullptr, "active", SD_JSON_BUILD_STRING(s->active)),
		SD_JSON_BUILD_PAIR_CONDITION(
			changed, "why", SD_JSON_BUILD_STRING(edge_why_str(s->why))),
		SD_JSON_BUILD_PAIR_CONDITION(changed, "seconds",
			SD_JSON_BUILD_UNSIGNED(seconds_since(s->since_ns, now_ns))),
		SD_JSON_BUILD_PAIR_UNSIGNED("changes", s->changes),
		SD_JSON_BUILD_PAIR_UNSIGNED("foreign", s->foreign),
		SD_JSON_BUILD_PAIR_VARIANT("leases", leases));
}

static int replicas_report(
	const struct edge *e, size_t node, size_t n, uint64_t now_ns, sd_json_variant **list)
{
	struct edge_replica_status s;
	int r = sd_json_variant_new_array(list, nullptr, 0);

	for (size_t k = 0; r >= 0 && k < n; k++) {
		edge_replica_status(e, node, k, &s);
		r = replica_report(&s, now_ns, list);
	}
	return r;
}

static int node_report(const struct edge *e, size_t node, uint64_t now_ns, sd_json_variant **list)
{
	autojson sd_json_variant *v = nullptr, *replicas = nullptr;
	struct edge_node_status s;

	edge_node_status(e, node, &s);
	int r = node_values(&s, now_ns, &v);
	if (r >= 0)
		r = way_report(&s, EDGE_FROM_NODE, "in", &v);
	if (r >= 0)
		r = way_report(&s, EDGE_TO_NODE, "out", &v);
	if (r >= 0)
		r = replicas_report(e, node, s.config->n_replicas, now_ns, &replicas);
	if (r >= 0)
		r = sd_json_variant_set_field(&v, "replicas", replicas);
	return r < 0 ? r : sd_json_variant_append_array(list, v);
}

int edge_report(const struct edge *e, const struct edge_nodes *nodes, uint64_t now_ns,
	sd_json_variant **out)
{
	autojson sd_json_variant *list = nullptr;
	int r = sd_json_variant_new_array(&list, nullptr, 0);

	for (size_t i = 0; r >= 0 && i < nodes->n; i++)
		r = node_report(e, i, now_ns, &list);
	if (r < 0)
		return r;
	return sd_json_buildo(out,
		SD_JSON_BUILD_PAIR_UNSIGNED("withoutAddress", edge_without_address(e)),
		SD_JSON_BUILD_PAIR_VARIANT("nodes", list));
}
