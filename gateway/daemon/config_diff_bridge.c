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

static void print_settings(const void *bridge, FILE *out)
{
	print_bridge_settings(bridge, out);
}

static void print_route(const void *route, FILE *out)
{
	print_bridge_route(route, out);
}

static void state_route(const struct config_route *route, struct config_changes *out)
{
	struct config_route usual = default_route;
	usual.host = route->host;
	usual.path = route->path;
	usual.upstreams = route->upstreams;
	usual.n_upstreams = route->n_upstreams;
	autofree char *text = config_print_text(print_route, route),
		      *other = config_print_text(print_route, &usual), *said = nullptr;
	size_t len;
	FILE *f = open_memstream(&said, &len);

	if (!f)
		out_of_memory();
	fprintf(f, "%s%s to ", route->host, strcmp(route->path, "/") != 0 ? route->path : "");
	print_bridge_upstreams(route, f);
	config_write_unusual(f, text, other, "; ");
	fclose(f);
	config_state(out, CHANGE_BRIDGE, nullptr, "%s", said);
}

void config_state_bridge(const struct config_bridge *bridge, struct config_changes *out)
{
	struct config_bridge usual = default_bridge;
	autofree char *text = config_print_text(print_settings, bridge),
		      *other = config_print_text(print_settings, &usual);

	if (!bridge->configured)
		return;
	config_state_unusual(out, CHANGE_BRIDGE, text, other);
	for (size_t i = 0; i < bridge->n_routes; i++)
		state_route(&bridge->routes[i], out);
}
