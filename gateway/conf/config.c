/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/config.h"
#include "conf/arena.h"
#include "conf/check.h"
#include "conf/defaults.h"
#include "conf/diag.h"
#include "conf/doc.h"
#include "conf/duration.h"
#include "conf/schema.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *return_path_str(enum return_path mode)
{
	static const char *const names[] = {
		[RETURN_PATH_AUTO] = "auto",
		[RETURN_PATH_ROUTE] = "route",
		[RETURN_PATH_MASQUERADE] = "masquerade",
	};

	return names[mode];
}

const char *remedy_str(enum remedy remedy)
{
	static const char *const names[REMEDIES] = {[REMEDY_TAILSCALE_INPUT] = "tailscale-input"};

	assert(remedy < REMEDIES);
	return names[remedy];
}

const char *range_class_str(enum range_class kind)
{
	static const char *const names[RANGE_CLASSES] = {
		[RANGE_WORKERS] = "workers",
		[RANGE_DEVICES] = "devices",
		[RANGE_LOAD_BALANCERS] = "load_balancers",
		[RANGE_RESOLVED] = "resolved",
		[RANGE_SITES] = "sites",
	};

	assert(kind < RANGE_CLASSES);
	return names[kind];
}

const char *reveal_str(enum reveal reveal)
{
	static const char *const names[] = {
		[REVEAL_CODE] = "code",
		[REVEAL_EVIDENCE] = "evidence",
		[REVEAL_ALL] = "all",
	};

	return names[reveal];
}

const char *upstream_scheme_str(enum upstream_scheme scheme)
{
	static const char *const names[] = {
		[UPSTREAM_NONE] = "none",
		[UPSTREAM_HTTP] = "http",
		[UPSTREAM_HTTPS] = "https",
		[UPSTREAM_UNIX] = "unix",
	};

	return names[scheme];
}

const char *tunnel_role_str(enum tunnel_role role)
{
	static const char *const names[] = {
		[TUNNEL_NONE] = "none",
		[TUNNEL_CONNECTOR] = "connector",
		[TUNNEL_EDGE] = "edge",
	};

	return names[role];
}

const char *promotion_str(enum promotion promotion)
{
	static const char *const names[] = {
		[PROMOTION_AUTOMATIC] = "automatic",
		[PROMOTION_MANUAL] = "manual",
	};

	return names[promotion];
}

/* Puts the defaults in where the file is silent. */
static void fill_class(struct arena *arena, struct draft_class *to, enum range_class kind)
{
	if (!to->given) {
		const struct prefix *defaults = defaults_of_class(kind, &to->n);
		to->list = arena_alloc(arena, to->n, sizeof(*to->list));
		for (size_t i = 0; i < to->n; i++)
			to->list[i].prefix = defaults[i];
	}
	for (size_t i = 0; i < to->n; i++)
		to->list[i].class = kind;
}

static bool has_range(const struct draft *draft, uint8_t family)
{
	for (size_t i = 0; i < RANGE_CLASSES; i++)
		for (size_t j = 0; j < draft->classes[i].n; j++)
			if (draft->classes[i].list[j].prefix.addr.family == family)
				return true;
	return false;
}

static bool has_neighbor(const struct config_bgp *bgp, uint8_t family)
{
	for (size_t i = 0; i < bgp->n_neighbors; i++)
		if (bgp->neighbors[i].address.family == family)
			return true;
	return false;
}

/* A router without a word about families gets those of its own address's family, and the others
 * too if no neighbour has such an address. */
static void fill_families(const struct draft *draft)
{
	const struct config_bgp *bgp = &draft->config.bgp;
	bool spare4 = !has_neighbor(bgp, AF_INET) && has_range(draft, AF_INET);
	bool spare6 = !has_neighbor(bgp, AF_INET6) && has_range(draft, AF_INET6);

	for (size_t i = 0; i < bgp->n_neighbors; i++) {
		struct config_neighbor *neighbor = &bgp->neighbors[i];
		if (neighbor->families_own)
			continue;
		neighbor->ipv4 = spare4 || neighbor->address.family == AF_INET;
		neighbor->ipv6 = spare6 || neighbor->address.family == AF_INET6;
	}
}

/* FRR sets both times or none; RFC 4271 section 10 suggests a third. */
static void fill_timers(struct config_neighbor *neighbor)
{
	bool keepalive = neighbor->keepalive_s != DURATION_UNSET;
	bool hold = neighbor->hold_s != DURATION_UNSET;

	neighbor->timers_own = keepalive || hold;
	if (!keepalive)
		neighbor->keepalive_s = hold ? neighbor->hold_s / 3 : 0;
	if (!hold)
		neighbor->hold_s = keepalive ? 3 * neighbor->keepalive_s : 0;
}

static void fill_neighbors(const struct draft *draft)
{
	fill_families(draft);
	for (size_t i = 0; i < draft->config.bgp.n_neighbors; i++) {
		struct config_neighbor *neighbor = &draft->config.bgp.neighbors[i];
		fill_timers(neighbor);
		for (size_t j = 0; j < neighbor->n_accept; j++) {
			struct config_accept *accept = &neighbor->accept[j];
			if (accept->le == 0)
				accept->le = accept->prefix.len;
		}
	}
}

static void fill_defaults(struct arena *arena, struct draft *draft)
{
	struct config *config = &draft->config;

	if (config->mesh_interface[0] == '\0')
		strcpy(config->mesh_interface, DEFAULT_MESH_INTERFACE);
	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
		fill_class(arena, &draft->classes[kind], kind);
	for (size_t i = 0; i < config->n_lans; i++) {
		struct config_lan *lan = &config->lans[i];
		for (size_t j = 0; j < lan->n_networks; j++)
			if (!lan->networks[j].return_path_own)
				lan->networks[j].return_path = config->return_path;
	}
	fill_neighbors(draft);
	if (config->tunnel.connector.mark.line)
		config->tunnel.role = TUNNEL_CONNECTOR;
	else if (config->tunnel.edge.mark.line)
		config->tunnel.role = TUNNEL_EDGE;
}

static int cmp_range(const void *x, const void *y)
{
	const struct config_range *a = x, *b = y;

	return prefix_cmp(&a->prefix, &b->prefix);
}

static void take_ranges(struct arena *arena, const struct draft *draft, struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < RANGE_CLASSES; i++)
		n += draft->classes[i].n;
	config->ranges = arena_alloc(arena, n, sizeof(*config->ranges));
	for (size_t i = 0; i < RANGE_CLASSES; i++)
		for (size_t j = 0; j < draft->classes[i].n; j++)
			config->ranges[config->n_ranges++] = draft->classes[i].list[j];
	qsort(config->ranges, n, sizeof(*config->ranges), cmp_range);
}

static void take_sources(struct arena *arena, const struct draft *draft,
	const struct config_sources *sources, struct config_allow *allow)
{
	allow->from = arena_alloc(arena, sources->n, sizeof(*allow->from));
	for (size_t i = 0; i < sources->n; i++) {
		const struct config_source *source = &sources->list[i];
		allow->from_classes |= source->class_bit;
		if (!source->class_bit)
			allow->from[allow->n_from++] = source->prefix;
	}
	for (size_t i = 0; i < RANGE_CLASSES && sources->n == 0; i++)
		if (draft->classes[i].n > 0)
			allow->from_classes |= 1U << i;
}

static void take_allow(struct arena *arena, const struct draft *draft, struct config *config)
{
	config->n_allow = draft->n_allow;
	config->allow = arena_alloc(arena, draft->n_allow, sizeof(*config->allow));
	for (size_t i = 0; i < draft->n_allow; i++) {
		const struct draft_allow *entry = &draft->allow[i];
		config->allow[i] = (struct config_allow){
			.to = entry->to,
			.tcp = entry->tcp.list,
			.n_tcp = entry->tcp.n,
			.udp = entry->udp.list,
			.n_udp = entry->udp.n,
			.icmp = entry->icmp,
			.mark = entry->mark,
		};
		take_sources(arena, draft, &entry->from, &config->allow[i]);
	}
}

static void take_probe_sources(const struct draft *draft, struct config *config)
{
	for (size_t i = 0; i < draft->probe.n_sources; i++) {
		const struct addr *source = &draft->probe.sources[i].address;
		config->probe.source[source->family == AF_INET6] = *source;
	}
}

/* A draft without mistakes becomes a config, which owns the arena from here on. */
static struct config *config_new(struct arena *arena, const struct draft *draft)
{
	struct config *config = arena_alloc(arena, 1, sizeof(*config));

	*config = draft->config;
	config->arena = arena;
	take_ranges(arena, draft, config);
	take_allow(arena, draft, config);
	take_probe_sources(draft, config);
	return config;
}

/* nullptr when there were mistakes. */
static struct config *read_config(const char *text, size_t len, struct diag_list *diags)
{
	[[gnu::cleanup(yaml_document_delete)]] yaml_document_t doc = {};
	struct draft draft = {};

	if (doc_load(&doc, text, len, diags) < 0)
		return nullptr;

	struct arena *arena = arena_new();
	struct reader r = {.doc = &doc, .arena = arena, .diags = diags};
	schema_read(&r, &draft);
	fill_defaults(arena, &draft);
	if (!r.over_limit) /* else half of the file would be judged by the other half */
		check_draft(&draft, diags);
	if (diags->out.n == 0)
		return config_new(arena, &draft);
	arena_free(arena);
	return nullptr;
}

int config_parse(const char *text, size_t len, struct config **out, struct config_diags *diags)
{
	struct diag_list list = {};
	struct config *config = nullptr;

	if (len > CONFIG_MAX_BYTES)
		diag_add(&list, (struct config_mark){1, 1}, "",
			"larger than %zu bytes, which is the limit", CONFIG_MAX_BYTES);
	else
		config = read_config(text, len, &list);
	diag_finish(&list, diags);
	if (!config)
		return len > CONFIG_MAX_BYTES ? -EFBIG : -EINVAL;
	*out = config;
	return 0;
}

void config_free(struct config *config)
{
	if (config)
		arena_free(config->arena);
}
