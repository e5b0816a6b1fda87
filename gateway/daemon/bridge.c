/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge.h"
#include "daemon/attached.h"
#include "daemon/bridge_ask.h"
#include "daemon/bridge_json.h"
#include "daemon/bridge_names.h"
#include "daemon/bridge_store.h"
#include "daemon/clock.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bridge {
	sd_event *event;
	struct server_context *context;
	struct attached_user user;
	char node[64];
	const struct config *config; /* in force, if it has a bridge */
	uint64_t entered;            /* the configuration that was looked at (struct gateway) */
	struct bridge_secrets secrets;
	struct bridge_names *names;
	struct bridge_asks *asks;
	struct bridge_listeners listeners;
	sd_json_variant *json; /* what was told last; nullptr = nothing to serve */
	bool stale;            /* it has to be made anew */
	uint64_t generation;
	uint64_t served; /* as the bridge says */
	bool serves;
	char refusal[200]; /* "" = of nothing */
	struct attached attached;
};

/* ---- telling ---- */

/* The descriptors travel with the message that is sent next. */
static sd_json_variant *push_listeners(const struct bridge *b, sd_varlink *link)
{
	sd_json_variant *v = nullptr;
	char address[ADDR_STRLEN];

	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		out_of_memory();
	for (size_t i = 0; i < b->listeners.n; i++) {
		const struct bridge_listener *l = &b->listeners.list[i];
		int index = l->fd >= 0 ? sd_varlink_push_dup_fd(link, l->fd) : -1;
		if (index < 0)
			continue;
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("address", addr_str(&l->address, address)),
			    SD_JSON_BUILD_PAIR_UNSIGNED("port", l->port),
			    SD_JSON_BUILD_PAIR_INTEGER("fd", index)) < 0)
			out_of_memory();
	}
	return v;
}

static sd_json_variant *message(const void *arg, sd_varlink *link)
{
	const struct bridge *b = arg;
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *listeners = push_listeners(b, link);

	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_UNSIGNED("generation", b->generation),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    b->json != nullptr, "bridge", SD_JSON_BUILD_VARIANT(b->json)),
		    SD_JSON_BUILD_PAIR_VARIANT("listeners", listeners)) < 0)
		out_of_memory();
	return v;
}

int bridge_reply(struct bridge *b, sd_varlink *link)
{
	autojson sd_json_variant *v = message(b, link);
	return sd_varlink_reply(link, v);
}

/* ---- who is attached ---- */

/* The last one. What is said of it holds no more. */
static void on_gone(void *arg)
{
	struct bridge *b = arg;

	b->serves = false;
	b->refusal[0] = '\0';
}

int bridge_attach(struct bridge *b, sd_varlink *link, void *client)
{
	int r = attached_add(&b->attached, link, client);

	if (r >= 0)
		bridge_step(b); /* sockets that a bridge held for another meshgwd can be had now */
	return r;
}

/* Text of a program that reads what strangers send. */
void bridge_report(struct bridge *b, uint64_t generation, const char *refusal)
{
	if (refusal) {
		escape_text(refusal, strlen(refusal), b->refusal, sizeof(b->refusal));
		return;
	}
	b->serves = true;
	b->served = generation;
	b->refusal[0] = '\0';
}

bool bridge_admits(const struct bridge *b, uid_t uid)
{
	return attached_user_admits(&b->user, uid);
}

gid_t bridge_group(const struct bridge *b)
{
	return b->user.known ? b->user.gid : (gid_t)-1;
}

/* ---- what there is to tell ---- */

static const struct addr *addresses_of(const void *arg, const char *name, size_t *n)
{
	return bridge_names_addresses(arg, name, n);
}

static sd_json_variant *make_json(const struct bridge *b)
{
	const struct bridge_resolver names = {addresses_of, b->names};

	return b->config ? bridge_json(b->config, &b->secrets, &names, b->node) : nullptr;
}

/* What names stand for goes into the table, at the next pass. */
static void tell_table(struct bridge *b)
{
	struct want_bridge to = {
		.has_user = b->user.known, .uid = b->user.uid, .opener = (uint32_t)geteuid()};
	size_t cap = 0;

	for (size_t i = 0; b->config && i < b->config->bridge.n_routes; i++) {
		const struct config_route *route = &b->config->bridge.routes[i];
		for (size_t j = 0; j < route->n_upstreams; j++) {
			const struct config_upstream *up = &route->upstreams[j];
			size_t n = 0;
			const struct addr *list =
				up->host ? bridge_names_addresses(b->names, up->host, &n) : nullptr;
			for (size_t k = 0; k < n; k++) {
				XGROW(to.resolved, to.n_resolved, cap);
				to.resolved[to.n_resolved++] = want_upstream(&list[k], up->port);
			}
		}
	}
	gateway_set_bridge(b->context->reload->gateway, &to);
}

/* Has what is told changed? */
static bool renew_json(struct bridge *b)
{
	if (!b->stale)
		return false;
	b->stale = false;
	sd_json_variant *v = make_json(b);
	bool same = v && b->json ? sd_json_variant_equal(v, b->json) : !v && !b->json;

	sd_json_variant_unref(b->json);
	b->json = v;
	return !same;
}

static void look(struct bridge *b, const struct gateway *g)
{
	bool up = g->phase == GATEWAY_UP && g->config && g->config->bridge.configured;

	if (b->config == (up ? g->config : nullptr) && b->entered == g->entered)
		return;
	if (!b->config && up)
		b->attached.alone_us = clock_monotonic_us();
	b->config = up ? g->config : nullptr;
	b->entered = g->entered;
	b->stale = true;
	if (b->config)
		bridge_secrets_read(&b->secrets, &b->config->bridge);
	else
		bridge_secrets_clear(&b->secrets);
	bridge_names_configure(b->names, b->config, &g->seen);
	tell_table(b);
}

void bridge_step(struct bridge *b)
{
	const struct gateway *g = b->context->reload->gateway;

	look(b, g);
	bool changed = bridge_listeners_update(
		&b->listeners, b->config, &g->seen, b->attached.n > 0, clock_monotonic_us());
	changed |= renew_json(b);
	if (changed)
		b->generation++;
	attached_tell(&b->attached, changed);
}

static void on_names(void *arg)
{
	struct bridge *b = arg;

	b->stale = true;
	tell_table(b); /* so that the pass opens the way before the bridge is told */
	b->context->changed(b->context->arg);
}

/* ---- life ---- */

/* It is written into headers (Via, RFC 9110 section 7.6.3: a pseudonym is a token). */
static void find_node(struct bridge *b)
{
	if (gethostname(b->node, sizeof(b->node) - 1) < 0 || b->node[0] == '\0')
		strncpy(b->node, "meshgw", sizeof(b->node) - 1);
	for (char *c = b->node; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			*c = '-';
}

struct bridge *bridge_new(
	sd_event *event, struct server_context *context, const char *user, const char *probe_socket)
{
	struct bridge *b = xcalloc(1, sizeof(*b));

	b->event = sd_event_ref(event);
	b->context = context;
	b->attached = (struct attached){.token = "bridge",
		.message = message,
		.gone = on_gone,
		.arg = b,
		.alone_us = clock_monotonic_us()};
	b->user = attached_user_find("bridge", user);
	find_node(b);
	b->asks = bridge_asks_new(event, context);
	b->names = bridge_names_new(event, probe_socket, on_names, b);
	tell_table(b);
	return b;
}

void bridge_adopt(struct bridge *b, const char *name, int take_fd)
{
	bridge_store_take(&b->listeners, name, take_fd);
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	attached_clear(&b->attached);
	bridge_asks_free(b->asks);
	bridge_names_free(b->names);
	bridge_listeners_clear(&b->listeners);
	bridge_secrets_clear(&b->secrets);
	sd_json_variant_unref(b->json);
	sd_event_unref(b->event);
	free(b);
}

/* ---- showing ---- */

const struct bridge_secrets *bridge_secrets(const struct bridge *b)
{
	return &b->secrets;
}

struct bridge_asks *bridge_asks(const struct bridge *b)
{
	return b->asks;
}

struct bridge_view bridge_view(const struct bridge *b)
{
	return (struct bridge_view){.config = b->config,
		.attached = b->attached.n > 0,
		.generation = b->generation,
		.served = b->serves ? &b->served : nullptr,
		.refusal = *b->refusal ? b->refusal : nullptr,
		.listeners = &b->listeners};
}

static void listener_health(const struct bridge_listeners *all, struct conditions *out)
{
	char name[BRIDGE_LISTENER_STRLEN];
	uint64_t now = clock_monotonic_us();

	for (size_t i = 0; i < all->n; i++) {
		const struct bridge_listener *l = &all->list[i];
		/* It may be the bridge's, from before we were restarted. */
		bool waits = l->error == EADDRINUSE && now < l->held_us + BRIDGE_HELD_US;
		if (l->error && !waits)
			conditions_add(out, COND_BRIDGE_NOT_LISTENING, bridge_listener_str(l, name),
				"cannot listen there: %s", strerror(l->error));
	}
}

static void cut_health(const struct bridge *b, struct conditions *out)
{
	char name[BRIDGE_LISTENER_STRLEN];

	if (b->listeners.is_cut)
		conditions_add(out, COND_BRIDGE_TOO_MANY_LISTENERS, b->config->mesh_interface,
			"more than %zu addresses and ports to listen on; %s is one of those left "
			"out",
			BRIDGE_LISTENERS, bridge_listener_str(&b->listeners.cut, name));
}

static void name_health(const struct bridge *b, struct conditions *out)
{
	const char *why, *name;

	for (size_t i = 0; (name = bridge_names_problem(b->names, i, &why)); i++)
		if (why)
			conditions_add(out, COND_BRIDGE_NAME_UNUSABLE, name, "%s", why);
}

static void file_health(const struct bridge_secrets *all, struct conditions *out)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i].text)
			conditions_add(out, COND_BRIDGE_FILE_UNUSABLE, all->list[i].path,
				"%.160s; what needs it serves nobody", all->list[i].problem.msg);
}

void bridge_health(const struct bridge *b, struct conditions *out)
{
	if (!b || !b->config)
		return;
	if (!b->user.known)
		conditions_add(out, COND_BRIDGE_NOT_ATTACHED, BRIDGE_USER,
			"there is no user " BRIDGE_USER ", so no rule holds the bridge back");
	else if (!b->attached.n && clock_monotonic_us() >= b->attached.alone_us + BRIDGE_MISSING_US)
		conditions_add(out, COND_BRIDGE_NOT_ATTACHED, BRIDGE_USER,
			"meshgw-bridge has not fetched its configuration; connections wait");
	if (*b->refusal)
		conditions_add(out, COND_BRIDGE_CONFIG_REFUSED, BRIDGE_USER, "%s", b->refusal);
	if (b->listeners.n == 0)
		conditions_add(out, COND_BRIDGE_NOT_LISTENING, b->config->mesh_interface,
			"the mesh interface has no address to listen on");
	listener_health(&b->listeners, out);
	cut_health(b, out);
	file_health(&b->secrets, out);
	name_health(b, out);
}
