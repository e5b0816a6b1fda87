/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/diagnose_config.h"
#include "conf/defaults.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, size_t len, struct config **out)
{
	struct config_diags diags = {};
	int r = config_parse(text, len, out, &diags);
	config_diags_clear(&diags);
	return r;
}

static bool is_fine(const char *text, size_t len)
{
	struct config *config = nullptr;
	bool fine = parse(text, len, &config) == 0;
	config_free(config);
	return fine;
}

int diagnose_config_text(const struct reload *r, char **text, size_t *len)
{
	if (r->running) {
		*text = xcalloc(1, r->running_len + 1);
		memcpy(*text, r->running_text, r->running_len);
		*len = r->running_len;
		return 0;
	}
	if (r->store && store_read_config(r->store, STORE_CONFIRMED, text, len, nullptr) >= 0) {
		if (is_fine(*text, *len))
			return 0;
		free(*text);
		*text = nullptr;
	}
	return config_read_file(r->path, text, len, nullptr) < 0 ? -ENOENT : 0;
}

static bool read_kept(const struct reload *r, struct config **out)
{
	autofree char *text = nullptr;
	size_t len = 0;

	return diagnose_config_text(r, &text, &len) == 0 && parse(text, len, out) == 0;
}

static bool is_lan(const struct link *l)
{
	return l && !(l->flags & IFF_LOOPBACK) && strcmp(l->name, DEFAULT_MESH_INTERFACE) != 0;
}

/* Where the kernel would send it, unless that is the tunnel; else the first that could be. */
static const struct link *find_lan(
	const struct gateway *g, const struct addr *target, struct route *route)
{
	struct route_question q = {.dst = *target};
	struct route_answer answer = {};
	struct kernel *k = g->kernel;

	q.fib_match = true;
	if (target->family != AF_UNSPEC && k->ops->route_ask(k, &q, &answer, nullptr) == 0 &&
		!answer.error) {
		*route = answer.route;
		const struct link *l = link_by_index(&g->seen.links, route->oif);
		if (is_lan(l))
			return l;
	}
	*route = (struct route){};
	for (size_t i = 0; i < g->seen.links.n; i++)
		if (is_lan(&g->seen.links.list[i]) && g->seen.links.list[i].flags & IFF_UP)
			return &g->seen.links.list[i];
	return nullptr;
}

static int parse_lan(const struct link *lan, const struct prefix *network, struct config **out)
{
	char text[IFNAMSIZ + PREFIX_STRLEN + 64], name[PREFIX_STRLEN];

	snprintf(text, sizeof(text), "lan: [{interface: \"%s\", networks: [\"%s\"]}]\n", lan->name,
		prefix_str(network, name));
	return parse(text, strlen(text), out);
}

/* A target that cannot be in a LAN, such as this host itself, leaves the network open; so
 * does none. */
static int parse_addresses(const struct gateway *g, const struct link *lan, struct config **out)
{
	int r = -ENODEV;

	for (size_t i = 0; r < 0 && i < g->seen.addresses.n; i++) {
		const struct ifaddr_entry *a = &g->seen.addresses.list[i];
		struct prefix network = observed_network(a);
		if (a->ifindex == lan->ifindex)
			r = parse_lan(lan, &network, out);
	}
	return r;
}

static int guess(
	const struct reload *r, const struct flow *flow, struct config **out, struct err *err)
{
	struct route route = {};
	const struct link *lan = find_lan(r->gateway, &flow->target, &route);
	struct prefix network = prefix_of(&flow->target);

	if (!lan)
		return err_set(err, ENODEV,
			"there is no configuration, and no interface that could be the LAN's");
	if (route.oif && route.gateway.family == AF_UNSPEC && route.dst.len > 0)
		network = route.dst;
	bool told = network.addr.family != AF_UNSPEC;
	if ((told && parse_lan(lan, &network, out) == 0) ||
		parse_addresses(r->gateway, lan, out) == 0)
		return 0;
	return err_set(err, EINVAL,
		"there is no configuration, and %s has no network that could be the LAN",
		lan->name);
}

int diagnose_config(
	const struct reload *reload, const struct flow *flow, struct config **out, struct err *err)
{
	return read_kept(reload, out) ? 0 : guess(reload, flow, out, err);
}
