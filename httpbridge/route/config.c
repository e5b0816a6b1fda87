/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/xmalloc.h"
#include "route/config_read.h"
#include "route/match.h"
#include <string.h>

static struct store *store_of(const struct bridge_config *c)
{
	return (struct store *)(uintptr_t)((const char *)c - offsetof(struct store, config));
}

const struct bridge_config *bridge_config_ref(const struct bridge_config *c)
{
	atomic_fetch_add_explicit(&store_of(c)->refs, 1, memory_order_relaxed);
	return c;
}

void bridge_config_unref(const struct bridge_config *c)
{
	if (!c)
		return;
	struct store *s = store_of(c);
	/* Whoever frees it sees all that others did with it before they let go. */
	if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) {
		bridge_match_free(s->config.match);
		store_free(s);
	}
}

const char *bridge_scheme_str(enum bridge_scheme scheme)
{
	static const char *const names[] = {
		[BRIDGE_HTTP] = "http",
		[BRIDGE_HTTPS] = "https",
		[BRIDGE_UNIX] = "unix",
	};

	return scheme < BRIDGE_SCHEMES ? names[scheme] : "?";
}

static bool addresses_equal(const struct bridge_upstream *a, const struct bridge_upstream *b)
{
	if (a->n_addresses != b->n_addresses)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (addr_cmp(&a->addresses[i], &b->addresses[i]) != 0)
			return false;
	return true;
}

static bool health_equal(const struct bridge_health *a, const struct bridge_health *b)
{
	return strcmp(a->path, b->path) == 0 && a->interval_ms == b->interval_ms &&
	       a->timeout_ms == b->timeout_ms && a->failures == b->failures &&
	       a->successes == b->successes;
}

static bool tls_equal(const struct bridge_tls *a, const struct bridge_tls *b)
{
	return strcmp(a->server_name, b->server_name) == 0 && strcmp(a->ca, b->ca) == 0 &&
	       strcmp(a->certificate, b->certificate) == 0 && strcmp(a->key, b->key) == 0;
}

bool bridge_upstream_equal(const struct bridge_upstream *a, const struct bridge_upstream *b)
{
	return a->name_hash == b->name_hash && strcmp(a->name, b->name) == 0 &&
	       a->max_connections == b->max_connections && a->proxy_protocol == b->proxy_protocol &&
	       addresses_equal(a, b) && health_equal(&a->health, &b->health) &&
	       tls_equal(&a->tls, &b->tls);
}

const struct bridge_upstream *bridge_config_same_upstream(
	const struct bridge_config *c, const struct bridge_upstream *upstream)
{
	for (size_t i = 0; i < c->n_upstreams; i++)
		if (bridge_upstream_equal(&c->upstreams[i], upstream))
			return &c->upstreams[i];
	return nullptr;
}

bool bridge_config_allows_target(const struct bridge_config *c, const char *target)
{
	if (!target[0])
		return false;
	for (size_t i = 0; i < c->n_upstreams; i++)
		if (strcmp(c->upstreams[i].target, target) == 0)
			return true;
	for (size_t i = 0; i < c->n_targets; i++)
		if (strcmp(c->targets[i], target) == 0)
			return true;
	return false;
}
