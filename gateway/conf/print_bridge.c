/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/print_bridge.h"
#include "conf/authority.h"
#include "conf/duration.h"
#include "conf/print_value.h"
#include "conf/size.h"
#include <string.h>

static void print_listen(const struct config_bridge *bridge, FILE *out)
{
	char text[ADDR_STRLEN];

	fputs("  listen: [", out);
	for (size_t i = 0; i < bridge->n_listen; i++) {
		const struct config_listen *listen = &bridge->listen[i];
		bool v6 = listen->address.family == AF_INET6;
		fputs(i ? ", " : "", out);
		if (listen->address.family == AF_UNSPEC)
			fprintf(out, "%u", listen->port);
		else
			fprintf(out, "\"%s%s%s:%u\"", v6 ? "[" : "",
				addr_str(&listen->address, text), v6 ? "]" : "", listen->port);
	}
	fputs("]\n", out);
}

static void print_limits(const struct config_bridge *bridge, FILE *out)
{
	char bytes[SIZE_STRLEN], head[DURATION_STRLEN], idle[DURATION_STRLEN],
		drain[DURATION_STRLEN];

	fprintf(out,
		"  limits:\n    connections: %u\n    per_source: %u\n    head_bytes: %s\n"
		"    head: %s\n    idle: %s\n    drain: %s\n",
		bridge->connections, bridge->per_source, size_str(bridge->head_bytes, bytes),
		duration_str(bridge->head_ms * USEC_PER_MS, head),
		duration_str(bridge->idle_ms * USEC_PER_MS, idle),
		duration_str(bridge->drain_ms * USEC_PER_MS, drain));
}

void print_bridge_upstreams(const struct config_route *route, FILE *out)
{
	fputs("[", out);
	for (size_t i = 0; i < route->n_upstreams; i++) {
		const struct config_upstream *up = &route->upstreams[i];
		bool v6 = up->address.family == AF_INET6;
		fputs(i ? ", " : "", out);
		if (up->scheme == UPSTREAM_UNIX)
			fprintf(out, "\"unix:%s\"", up->path);
		else
			fprintf(out, "\"%s://%s%s%s:%u\"", upstream_scheme_str(up->scheme),
				v6 ? "[" : "", up->host, v6 ? "]" : "", up->port);
	}
	fputs("]", out);
}

static void print_sources(const struct config_sources *sources, FILE *out)
{
	if (sources->n == 0)
		return;
	fputs("      sources: [", out);
	for (size_t i = 0; i < sources->n; i++) {
		const struct config_source *source = &sources->list[i];
		fputs(i ? ", " : "", out);
		for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
			if (source->class_bit == 1U << kind)
				fputs(range_class_str(kind), out);
		if (!source->class_bit)
			print_prefix(out, &source->prefix);
	}
	fputs("]\n", out);
}

static void print_headers(const char *key, const struct config_headers *headers, FILE *out)
{
	if (headers->n_set + headers->n_remove == 0)
		return;
	fprintf(out, "      %s:\n", key);
	if (headers->n_set > 0)
		fputs("        set:\n", out);
	for (size_t i = 0; i < headers->n_set; i++) {
		fputs("          ", out);
		print_text(out, headers->set[i].name);
		fputs(": ", out);
		print_text(out, headers->set[i].value);
		fputs("\n", out);
	}
	print_texts("        remove", headers->remove, headers->n_remove, out);
}

static void print_timeouts(const struct config_route *route, FILE *out)
{
	char connect[DURATION_STRLEN], first[DURATION_STRLEN], idle[DURATION_STRLEN],
		total[DURATION_STRLEN], tunnel[DURATION_STRLEN];

	fprintf(out,
		"      timeouts: {connect: %s, first_byte: %s, idle: %s, total: %s, tunnel: %s}\n",
		duration_str(route->connect_ms * USEC_PER_MS, connect),
		duration_str(route->first_byte_ms * USEC_PER_MS, first),
		duration_str(route->idle_ms * USEC_PER_MS, idle),
		duration_str(route->total_ms * USEC_PER_MS, total),
		duration_str(route->tunnel_ms * USEC_PER_MS, tunnel));
}

static void print_tls(const struct config_bridge_tls *tls, FILE *out)
{
	const struct {
		const char *key, *text;
	} lines[] = {
		{"server_name", tls->server_name},
		{"ca_file", tls->ca_file},
		{"certificate_file", tls->certificate_file},
		{"key_file", tls->key_file},
	};
	const char *before = "      tls:\n";

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!lines[i].text)
			continue;
		fprintf(out, "%s        %s: ", before, lines[i].key);
		print_text(out, lines[i].text);
		fputs("\n", out);
		before = "";
	}
}

static void print_health(const struct config_bridge_health *health, FILE *out)
{
	char interval[DURATION_STRLEN], timeout[DURATION_STRLEN];

	if (!health->path)
		return;
	fputs("      health:\n        path: ", out);
	print_text(out, health->path);
	fprintf(out,
		"\n        interval: %s\n        timeout: %s\n        failures: %u\n"
		"        successes: %u\n",
		duration_str(health->interval_ms * USEC_PER_MS, interval),
		duration_str(health->timeout_ms * USEC_PER_MS, timeout), health->failures,
		health->successes);
}

void print_bridge_route(const struct config_route *route, FILE *out)
{
	char size[SIZE_STRLEN];

	fputs("    - host: ", out);
	print_text(out, route->host);
	fputs("\n      path: ", out);
	print_text(out, route->path);
	fprintf(out, "\n      strip_prefix: %s\n", route->strip_prefix ? "true" : "false");
	fputs("      upstream: ", out);
	print_bridge_upstreams(route, out);
	fputs("\n      host_header: ", out);
	print_text(out, route->host_header);
	fputs("\n", out);
	print_sources(&route->sources, out);
	print_texts("      token_files", route->token_files, route->n_token_files, out);
	print_headers("request_headers", &route->request, out);
	print_headers("response_headers", &route->response, out);
	fprintf(out, "      max_body: %s\n      retries: %u\n      max_connections: %u\n",
		size_str(route->max_body, size), route->retries, route->max_connections);
	if (route->proxy_protocol)
		fputs("      proxy_protocol: v2\n", out);
	print_timeouts(route, out);
	print_tls(&route->tls, out);
	print_health(&route->health, out);
}

void print_bridge_settings(const struct config_bridge *bridge, FILE *out)
{
	print_listen(bridge, out);
	fprintf(out, "  threads: %u\n  reveal: %s\n  admin: ", bridge->threads,
		reveal_str(bridge->reveal));
	print_text(out, bridge->admin[0] ? bridge->admin : "none");
	fputs("\n", out);
	print_limits(bridge, out);
	if (bridge->n_targets + bridge->n_token_files > 0)
		fputs("  diagnose:\n", out);
	print_texts("    targets", bridge->targets, bridge->n_targets, out);
	print_texts("    token_files", bridge->token_files, bridge->n_token_files, out);
	print_prefixes(
		"  upstream_networks", bridge->upstream_networks, bridge->n_upstream_networks, out);
}

void print_bridge(const struct config_bridge *bridge, FILE *out)
{
	fputs("bridge:\n", out);
	print_bridge_settings(bridge, out);
	fputs("  routes:\n", out);
	for (size_t i = 0; i < bridge->n_routes; i++)
		print_bridge_route(&bridge->routes[i], out);
}
