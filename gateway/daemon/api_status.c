/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_status: GetStatus. Reads what the gateway knows; the only question to the kernel is for
 * the counters.
 */
#include "daemon/clock.h"
#include "daemon/flow_watch.h"
#include "daemon/objects.h"
#include "daemon/reply.h"
#include "daemon/reply_bgp.h"
#include "daemon/reply_bridge.h"
#include "daemon/reply_tunnel.h"
#include "daemon/server.h"
#include <stdlib.h>

/* Appends one object to the array *v. */
#define APPEND(v, ...)                                                    \
	do {                                                              \
		if (sd_json_variant_append_arraybo((v), __VA_ARGS__) < 0) \
			abort();                                          \
	} while (0)

static void fill_ranges(const struct config *c, sd_json_variant **v)
{
	char text[PREFIX_STRLEN];
	for (size_t i = 0; c && i < c->n_ranges; i++)
		APPEND(v, SD_JSON_BUILD_PAIR_STRING("class", range_class_str(c->ranges[i].class)),
			SD_JSON_BUILD_PAIR_STRING(
				"prefix", prefix_str(&c->ranges[i].prefix, text)));
}

static void fill_networks(const struct gateway *g, sd_json_variant **v)
{
	char text[PREFIX_STRLEN];
	const struct config *c = g->config;
	for (size_t i = 0; c && i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++) {
			const struct config_network *n = &c->lans[i].networks[j];
			const char *interface = c->lans[i].interface;
			bool masquerade = want_network_masquerades(&g->prove, interface, n);
			autojson sd_json_variant *proof = reply_proof(&g->prove,
				prove_find(&g->prove, interface, &n->prefix), clock_monotonic_us());
			APPEND(v, SD_JSON_BUILD_PAIR_STRING("prefix", prefix_str(&n->prefix, text)),
				SD_JSON_BUILD_PAIR_STRING("interface", interface),
				SD_JSON_BUILD_PAIR_STRING(
					"configured", return_path_str(n->return_path)),
				SD_JSON_BUILD_PAIR_STRING(
					"effective", masquerade ? "masquerade" : "route"),
				SD_JSON_BUILD_PAIR_CONDITION(
					proof != nullptr, "proof", SD_JSON_BUILD_VARIANT(proof)));
		}
}

static void fill_objects(const struct gateway *g, sd_json_variant **v)
{
	struct objects objects = {};
	objects_collect(g, &objects);
	for (size_t i = 0; i < objects.n; i++) {
		const struct object *o = &objects.list[i];
		APPEND(v, SD_JSON_BUILD_PAIR_STRING("kind", op_kind_str(o->kind)),
			SD_JSON_BUILD_PAIR_STRING("name", o->name),
			SD_JSON_BUILD_PAIR_STRING("wanted", o->wanted),
			SD_JSON_BUILD_PAIR_STRING("state", object_state_str(o->state)),
			SD_JSON_BUILD_PAIR_CONDITION(
				o->reason[0] != 0, "reason", SD_JSON_BUILD_STRING(o->reason)));
	}
	objects_clear(&objects);
}

static void fill_counters(const struct gateway *g, sd_json_variant **v)
{
	struct nft_counters counters = {};
	if (!g->config || g->kernel->ops->nft_counters(g->kernel, &counters, nullptr) < 0)
		return;
	for (enum nft_counter c = 0; c < NFT_COUNTERS; c++)
		APPEND(v, SD_JSON_BUILD_PAIR_STRING("name", nft_counter_str(c)),
			SD_JSON_BUILD_PAIR_UNSIGNED("packets", counters.of[c].packets),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", counters.of[c].bytes));
}

struct lists {
	sd_json_variant *ranges, *networks, *objects, *conditions, *counters;
};

static void lists_fill(struct lists *l, const struct server_context *c)
{
	const struct gateway *g = c->reload->gateway;
	sd_json_variant **all[] = {&l->ranges, &l->networks, &l->objects, &l->counters};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (sd_json_variant_new_array(all[i], nullptr, 0) < 0)
			abort();
	l->conditions = reply_conditions(c->conditions);
	fill_ranges(g->config, &l->ranges);
	fill_networks(g, &l->networks);
	fill_objects(g, &l->objects);
	fill_counters(g, &l->counters);
}

static void lists_clear(struct lists *l)
{
	sd_json_variant_unref(l->ranges);
	sd_json_variant_unref(l->networks);
	sd_json_variant_unref(l->objects);
	sd_json_variant_unref(l->conditions);
	sd_json_variant_unref(l->counters);
}

int api_get_status(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	const struct server_context *c = server_heard(userdata);
	const struct gateway *g = c->reload->gateway;
	const struct state *state = &c->reload->state;
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	if (server_drops(link))
		return server_deny(link);
	struct lists l = {};
	autojson sd_json_variant *bgp = c->frr ? reply_bgp(c->frr) : nullptr;
	autojson sd_json_variant *flows = flow_watch_rows(c->flow_watch);
	autojson sd_json_variant *bridge = c->bridge ? reply_bridge(c->bridge) : nullptr;
	autojson sd_json_variant *tunnel = c->tunnel ? reply_tunnel(c->tunnel) : nullptr;
	lists_fill(&l, c);
	unsigned left = reload_remaining(c->reload, clock_boottime_us());
	const char *mesh = g->config ? g->config->mesh_interface : nullptr;
	const char *phase = state->down ? "down" : gateway_phase_str(g->phase);
	r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("version", MESHGW_VERSION),
		SD_JSON_BUILD_PAIR_STRING("phase", phase),
		SD_JSON_BUILD_PAIR_CONDITION(
			state->down, "downSince", SD_JSON_BUILD_UNSIGNED(state->down_since)),
		SD_JSON_BUILD_PAIR_CONDITION(
			mesh != nullptr, "meshInterface", SD_JSON_BUILD_STRING(mesh)),
		SD_JSON_BUILD_PAIR_VARIANT("ranges", l.ranges),
		SD_JSON_BUILD_PAIR_VARIANT("networks", l.networks),
		SD_JSON_BUILD_PAIR_VARIANT("objects", l.objects),
		SD_JSON_BUILD_PAIR_VARIANT("conditions", l.conditions),
		SD_JSON_BUILD_PAIR_VARIANT("counters", l.counters),
		SD_JSON_BUILD_PAIR_CONDITION(left != 0, "pending",
			SD_JSON_BUILD_OBJECT(
				SD_JSON_BUILD_PAIR_UNSIGNED("remainingSeconds", left))),
		SD_JSON_BUILD_PAIR_UNSIGNED("repairs", g->repairs),
		SD_JSON_BUILD_PAIR_CONDITION(bgp != nullptr, "bgp", SD_JSON_BUILD_VARIANT(bgp)),
		SD_JSON_BUILD_PAIR_CONDITION(
			flows != nullptr, "flows", SD_JSON_BUILD_VARIANT(flows)),
		SD_JSON_BUILD_PAIR_CONDITION(
			bridge != nullptr, "bridge", SD_JSON_BUILD_VARIANT(bridge)),
		SD_JSON_BUILD_PAIR_CONDITION(
			tunnel != nullptr, "tunnel", SD_JSON_BUILD_VARIANT(tunnel)));
	lists_clear(&l);
	return r;
}
