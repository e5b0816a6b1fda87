/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_tunnel: what meshgw-tunnel may say.
 */
#include "daemon/json_make.h"
#include "daemon/reply_tunnel.h"
#include "daemon/server.h"
#include "daemon/tunnel.h"
#include "daemon/tunnel_names.h"
#include "lib/api.h"
#include "lib/own.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* It may bring what a daemon before us gave it. */
static void take_back(struct tunnel *t, sd_varlink *link)
{
	for (size_t i = 0; i < TUNNEL_RETURNED_MAX; i++) {
		int fd = sd_varlink_take_fd(link, i);
		if (fd < 0)
			return;
		tunnel_take_back(t, fd);
	}
}

int api_tunnel_attach(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata)
{
	struct server_context *c = server_heard(userdata);
	int r = server_no_parameters(link, parameters);

	if (r != 0)
		return r;
	if (!c->tunnel || server_drops(link))
		return server_deny(link);
	take_back(c->tunnel, link);
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return tunnel_reply(c->tunnel, link);
	return tunnel_attach(c->tunnel, link, userdata) < 0 ? server_deny(link) : 0;
}

/* ---- Propose ---- */

struct prefix_list {
	struct prefix *list;
	size_t n;
};

static void prefix_list_clear(struct prefix_list *l)
{
	free(l->list);
	*l = (struct prefix_list){};
}

/* More than the bound are no mistake but a peer's doing: one more than is taken stands for all. */
static int read_prefixes(sd_json_variant *array, size_t max, struct prefix_list *out)
{
	size_t n = sd_json_variant_elements(array);

	n = n > max ? max + 1 : n;
	out->list = xcalloc(n, sizeof(*out->list));
	for (size_t i = 0; i < n; i++) {
		sd_json_variant *v = sd_json_variant_by_index(array, i);
		if (!sd_json_variant_is_string(v) ||
			prefix_parse(sd_json_variant_string(v), &out->list[i]) < 0)
			return -EINVAL;
	}
	out->n = n;
	return 0;
}

static int reply_verdict(sd_varlink *link, const struct tunnel_verdict *verdict)
{
	autojson sd_json_variant *addresses = json_prefixes(
		verdict->addresses, verdict->n_addresses);
	autojson sd_json_variant *routes = json_prefixes(verdict->routes, verdict->n_routes);
	autojson sd_json_variant *refused = reply_tunnel_refusals(verdict);

	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("addresses", addresses),
		SD_JSON_BUILD_PAIR_VARIANT("routes", routes),
		SD_JSON_BUILD_PAIR_VARIANT("refused", refused));
}

struct propose_parameters {
	uint64_t generation;
	sd_json_variant *addresses, *routes;
};

int api_tunnel_propose(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"generation", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
			offsetof(struct propose_parameters, generation), SD_JSON_MANDATORY},
		{"addresses", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref,
			offsetof(struct propose_parameters, addresses), SD_JSON_MANDATORY},
		{"routes", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref,
			offsetof(struct propose_parameters, routes), SD_JSON_MANDATORY},
		{},
	};
	struct propose_parameters p = {};
	const struct server_context *c = server_heard(userdata);
	[[gnu::cleanup(prefix_list_clear)]] struct prefix_list addresses = {}, routes = {};
	const struct tunnel_verdict *verdict;
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	if (!c->tunnel || server_drops(link))
		return server_deny(link);
	if (read_prefixes(p.addresses, TUNNEL_ADDRESSES_MAX, &addresses) < 0)
		return sd_varlink_error_invalid_parameter_name(link, "addresses");
	if (read_prefixes(p.routes, TUNNEL_ROUTES_MAX, &routes) < 0)
		return sd_varlink_error_invalid_parameter_name(link, "routes");
	const struct tunnel_proposal proposal = {
		addresses.list, routes.list, addresses.n, routes.n};
	if (tunnel_propose(c->tunnel, &proposal, &verdict) < 0)
		return sd_varlink_error(link, API_ERROR_NOT_CONFIGURED, nullptr);
	return reply_verdict(link, verdict);
}

/* ---- TunnelResolve ---- */

struct resolve_parameters {
	const char *name;
};

/* Who wants no answer asks nothing. */
int api_tunnel_resolve(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct resolve_parameters, name), SD_JSON_MANDATORY},
		{},
	};
	struct resolve_parameters p = {};
	const struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	if (!c->tunnel || server_drops(link))
		return server_deny(link);
	if (flags & SD_VARLINK_METHOD_ONEWAY)
		return 0;
	if (!tunnel_name_is_host(p.name))
		return sd_varlink_error_invalid_parameter_name(link, "name");
	r = tunnel_resolve(c->tunnel, link, userdata, p.name);
	return r == -ENOENT ? sd_varlink_error(link, API_ERROR_NOT_CONFIGURED, nullptr) : r;
}

/* ---- TunnelReport ---- */

struct promoted {
	uint64_t id;
	const char *result; /* nullptr = nothing was to be promoted */
};

struct report_parameters {
	uint64_t generation;
	sd_json_variant *tunnel;
	struct promoted promoted;
};

static int read_promoted(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		{"id", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
			offsetof(struct promoted, id), SD_JSON_MANDATORY},
		{"result", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct promoted, result), SD_JSON_MANDATORY},
		{},
	};

	return sd_json_variant_is_null(v) ? 0 : sd_json_dispatch(v, fields, 0, to);
}

int api_tunnel_report(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"generation", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
			offsetof(struct report_parameters, generation), SD_JSON_MANDATORY},
		{"tunnel", SD_JSON_VARIANT_OBJECT, sd_json_dispatch_variant_noref,
			offsetof(struct report_parameters, tunnel), SD_JSON_MANDATORY},
		{"promoted", SD_JSON_VARIANT_OBJECT, read_promoted,
			offsetof(struct report_parameters, promoted), SD_JSON_NULLABLE},
		{},
	};
	struct report_parameters p = {};
	struct tunnel_report report;
	struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	if (!c->tunnel || server_drops(link))
		return server_deny(link);
	if (tunnel_report_read(p.tunnel, &report) < 0)
		return sd_varlink_error_invalid_parameter_name(link, "tunnel");
	tunnel_report(c->tunnel, &report);
	if (p.promoted.result)
		tunnel_promoted(c->tunnel, p.promoted.id, p.promoted.result);
	c->changed(c->arg);
	return sd_varlink_reply(link, nullptr);
}
