/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_json.h"
#include "daemon/json_make.h"

struct maker {
	const struct config *config;
	const struct bridge_secrets *secrets;
	const struct bridge_resolver *names;
};

static void append_secret(sd_json_variant **array, const char *text)
{
	autojson sd_json_variant *v = json_secret(text);

	if (sd_json_variant_append_array(array, v) < 0)
		out_of_memory();
}

static sd_json_variant *texts(const struct config_text *list, size_t n)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < n; i++)
		json_append_text(&v, list[i].text);
	return v;
}

static sd_json_variant *tokens(const struct maker *m, const struct config_text *files, size_t n)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < n; i++) {
		const char *text = bridge_secret(m->secrets, SECRET_TEXT_TOKEN, files[i].text);
		if (text)
			append_secret(&v, text);
	}
	return v;
}

/* ---- who may use a route ---- */

static void append_class(const struct maker *m, uint32_t classes, sd_json_variant **array)
{
	for (size_t i = 0; i < m->config->n_ranges; i++)
		if (classes & 1U << m->config->ranges[i].class)
			json_append_prefix(array, &m->config->ranges[i].prefix);
}

static bool usable(const struct maker *m, enum secret_text_kind kind, const char *path)
{
	return !path || bridge_secret(m->secrets, kind, path);
}

/* Of several tokens one is enough. */
static bool is_closed(const struct maker *m, const struct config_route *route)
{
	bool token = route->n_token_files == 0;

	for (size_t i = 0; i < route->n_token_files; i++)
		token |= usable(m, SECRET_TEXT_TOKEN, route->token_files[i].text);
	return !token || !usable(m, SECRET_TEXT_CERTIFICATE, route->tls.ca_file) ||
	       !usable(m, SECRET_TEXT_CERTIFICATE, route->tls.certificate_file) ||
	       !usable(m, SECRET_TEXT_KEY, route->tls.key_file);
}

static sd_json_variant *sources(const struct maker *m, const struct config_route *route)
{
	sd_json_variant *v = json_array();

	if (is_closed(m, route))
		return v;
	if (route->sources.n == 0)
		append_class(m, UINT32_MAX, &v);
	for (size_t i = 0; i < route->sources.n; i++) {
		const struct config_source *source = &route->sources.list[i];
		if (source->class_bit)
			append_class(m, source->class_bit, &v);
		else
			json_append_prefix(&v, &source->prefix);
	}
	return v;
}

/* ---- where a route leads ---- */

static sd_json_variant *addresses(const struct maker *m, const struct config_upstream *up)
{
	sd_json_variant *v = json_array();
	char text[ADDR_STRLEN];
	size_t n = 1;
	const struct addr *list = &up->address;

	if (up->scheme == UPSTREAM_UNIX)
		return v;
	if (up->address.family == AF_UNSPEC)
		list = m->names->addresses(m->names->arg, up->host, &n);
	for (size_t i = 0; i < n; i++)
		json_append_text(&v, addr_str(&list[i], text));
	return v;
}

static sd_json_variant *upstreams(const struct maker *m, const struct config_route *route)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < route->n_upstreams; i++) {
		const struct config_upstream *up = &route->upstreams[i];
		autojson sd_json_variant *list = addresses(m, up);
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("scheme", upstream_scheme_str(up->scheme)),
			    SD_JSON_BUILD_PAIR_STRING("host", up->host ? up->host : ""),
			    SD_JSON_BUILD_PAIR_UNSIGNED("port", up->port),
			    SD_JSON_BUILD_PAIR_STRING("unix", up->path ? up->path : ""),
			    SD_JSON_BUILD_PAIR_VARIANT("addresses", list)) < 0)
			out_of_memory();
	}
	return v;
}

static sd_json_variant *edit(const struct config_headers *headers)
{
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *set = json_array(),
				 *remove = texts(headers->remove, headers->n_remove);

	for (size_t i = 0; i < headers->n_set; i++)
		if (sd_json_variant_append_arrayb(
			    &set, SD_JSON_BUILD_ARRAY(SD_JSON_BUILD_STRING(headers->set[i].name),
					  SD_JSON_BUILD_STRING(headers->set[i].value))) < 0)
			out_of_memory();
	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_VARIANT("set", set),
		SD_JSON_BUILD_PAIR_VARIANT("remove", remove));
	return v;
}

static const char *file_text(const struct maker *m, enum secret_text_kind kind, const char *path)
{
	const char *text = path ? bridge_secret(m->secrets, kind, path) : nullptr;

	return text ? text : "";
}

/* A certificate goes with its key or not at all. */
static sd_json_variant *tls(const struct maker *m, const struct config_bridge_tls *tls)
{
	sd_json_variant *v = nullptr;
	bool pair = usable(m, SECRET_TEXT_KEY, tls->key_file) &&
		    usable(m, SECRET_TEXT_CERTIFICATE, tls->certificate_file);
	autojson sd_json_variant *key = json_secret(
		pair ? file_text(m, SECRET_TEXT_KEY, tls->key_file) : "");
	const char *certificate =
		pair ? file_text(m, SECRET_TEXT_CERTIFICATE, tls->certificate_file) : "";

	JSON_OBJECT(v,
		SD_JSON_BUILD_PAIR_STRING("serverName", tls->server_name ? tls->server_name : ""),
		SD_JSON_BUILD_PAIR_STRING(
			"ca", file_text(m, SECRET_TEXT_CERTIFICATE, tls->ca_file)),
		SD_JSON_BUILD_PAIR_STRING("certificate", certificate),
		SD_JSON_BUILD_PAIR_VARIANT("key", key));
	return v;
}

static sd_json_variant *health(const struct config_bridge_health *h)
{
	sd_json_variant *v = nullptr;

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("path", h->path ? h->path : ""),
		SD_JSON_BUILD_PAIR_UNSIGNED("intervalMs", h->interval_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("timeoutMs", h->timeout_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("failures", h->failures),
		SD_JSON_BUILD_PAIR_UNSIGNED("successes", h->successes));
	return v;
}

static sd_json_variant *timeouts(const struct config_route *route)
{
	sd_json_variant *v = nullptr;

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_UNSIGNED("connectMs", route->connect_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("firstByteMs", route->first_byte_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("idleMs", route->idle_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("totalMs", route->total_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("tunnelMs", route->tunnel_ms));
	return v;
}

static void append_route(
	const struct maker *m, const struct config_route *route, sd_json_variant **array)
{
	autojson sd_json_variant *up = upstreams(m, route), *from = sources(m, route),
				 *secrets = tokens(m, route->token_files, route->n_token_files),
				 *request = edit(&route->request),
				 *response = edit(&route->response), *times = timeouts(route),
				 *with = tls(m, &route->tls), *checks = health(&route->health);

	if (sd_json_variant_append_arraybo(array, SD_JSON_BUILD_PAIR_STRING("host", route->host),
		    SD_JSON_BUILD_PAIR_STRING("path", route->path),
		    SD_JSON_BUILD_PAIR_BOOLEAN("stripPrefix", route->strip_prefix),
		    SD_JSON_BUILD_PAIR_VARIANT("upstreams", up),
		    SD_JSON_BUILD_PAIR_STRING("hostHeader", route->host_header),
		    SD_JSON_BUILD_PAIR_VARIANT("sources", from),
		    SD_JSON_BUILD_PAIR_VARIANT("tokens", secrets),
		    SD_JSON_BUILD_PAIR_VARIANT("requestHeaders", request),
		    SD_JSON_BUILD_PAIR_VARIANT("responseHeaders", response),
		    SD_JSON_BUILD_PAIR_UNSIGNED("maxBody", route->max_body),
		    SD_JSON_BUILD_PAIR_UNSIGNED("retries", route->retries),
		    SD_JSON_BUILD_PAIR_UNSIGNED("maxConnections", route->max_connections),
		    SD_JSON_BUILD_PAIR_BOOLEAN("proxyProtocol", route->proxy_protocol),
		    SD_JSON_BUILD_PAIR_VARIANT("timeouts", times),
		    SD_JSON_BUILD_PAIR_VARIANT("tls", with),
		    SD_JSON_BUILD_PAIR_VARIANT("health", checks)) < 0)
		out_of_memory();
}

static sd_json_variant *limits(const struct config_bridge *b)
{
	sd_json_variant *v = nullptr;

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_UNSIGNED("connections", b->connections),
		SD_JSON_BUILD_PAIR_UNSIGNED("perSource", b->per_source),
		SD_JSON_BUILD_PAIR_UNSIGNED("headBytes", b->head_bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("headMs", b->head_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("idleMs", b->idle_ms),
		SD_JSON_BUILD_PAIR_UNSIGNED("drainMs", b->drain_ms));
	return v;
}

static sd_json_variant *diagnose(const struct maker *m, const struct config_bridge *b)
{
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *list = texts(b->targets, b->n_targets),
				 *secrets = tokens(m, b->token_files, b->n_token_files);

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_VARIANT("targets", list),
		SD_JSON_BUILD_PAIR_VARIANT("tokens", secrets));
	return v;
}

sd_json_variant *bridge_json(const struct config *config, const struct bridge_secrets *secrets,
	const struct bridge_resolver *names, const char *node)
{
	const struct config_bridge *b = &config->bridge;
	const struct maker m = {config, secrets, names};
	sd_json_variant *v = nullptr;
	autojson sd_json_variant *bounds = limits(b), *ask = diagnose(&m, b),
				 *routes = json_array();

	for (size_t i = 0; i < b->n_routes; i++)
		append_route(&m, &b->routes[i], &routes);
	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("node", node),
		SD_JSON_BUILD_PAIR_STRING("admin", b->admin),
		SD_JSON_BUILD_PAIR_UNSIGNED("threads", b->threads),
		SD_JSON_BUILD_PAIR_STRING("reveal", reveal_str(b->reveal)),
		SD_JSON_BUILD_PAIR_VARIANT("limits", bounds),
		SD_JSON_BUILD_PAIR_VARIANT("diagnose", ask),
		SD_JSON_BUILD_PAIR_VARIANT("routes", routes));
	sd_json_variant_sensitive(v);
	return v;
}
