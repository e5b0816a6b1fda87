/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_diff_bridge: the section `bridge` as statements. A route is one: its host, path and
 * upstreams, and behind them the lines of its canonical form that are not the defaults.
 */
#include "conf/defaults.h"
#include "conf/print_bridge.h"
#include "daemon/config_diff_int.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <string.h>

static char *settings_text(const struct config_bridge *bridge)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		out_of_memory();
	print_bridge_settings(bridge, out);
	fclose(out);
	return text;
}

static char *route_text(const struct config_route *route)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		out_of_memory();
	print_bridge_route(route, out);
	fclose(out);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; (at = strstr(at, line)) != nullptr; at += len)
		if ((at == text || at[-1] == '\n') && (at[len] == '\n' || at[len] == '\0'))
			return true;
	return false;
}

/* What text has and usual has not, in one line; begins with before wherever something follows. */
static void write_unusual(FILE *out, char *text, const char *usual, const char *before)
{
	char *rest = nullptr;

	for (char *line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(nullptr, "\n", &rest)) {
		if (has_line(usual, line, strlen(line)))
			continue;
		fprintf(out, "%s%s", before, line + strspn(line, " "));
		before = "; ";
	}
}

static void state_route(const struct config_route *route, struct config_changes *out)
{
	struct config_route usual = default_route;
	usual.host = route->host;
	usual.path = route->path;
	usual.upstreams = route->upstreams;
	usual.n_upstreams = route->n_upstreams;
	autofree char *text = route_text(route), *other = route_text(&usual), *said = nullptr;
	size_t len;
	FILE *f = open_memstream(&said, &len);

	if (!f)
		out_of_memory();
	fprintf(f, "%s%s to ", route->host, strcmp(route->path, "/") != 0 ? route->path : "");
	print_bridge_upstreams(route, f);
	write_unusual(f, text, other, "; ");
	fclose(f);
	config_state(out, CHANGE_BRIDGE, nullptr, "%s", said);
}

void config_state_bridge(const struct config_bridge *bridge, struct config_changes *out)
{
	struct config_bridge usual = default_bridge;
	autofree char *text = settings_text(bridge), *other = settings_text(&usual);
	char *rest = nullptr;

	if (!bridge->configured)
		return;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(nullptr, "\n", &rest))
		if (!has_line(other, line, strlen(line)))
			config_state(out, CHANGE_BRIDGE, nullptr, "%s", line + strspn(line, " "));
	for (size_t i = 0; i < bridge->n_routes; i++)
		state_route(&bridge->routes[i], out);
}
