/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/glance.h"
#include "diagnose/collect_flow.h"
#include "diagnose/collect_link.h"
#include "diagnose/collect_lookup.h"
#include "net/nl.h"
#include <errno.h>
#include <stdio.h>

static void tell_missing(struct evidence *e)
{
	static const enum fact_observer absent[] = {OBSERVER_TRACE, OBSERVER_DROPS,
		OBSERVER_INJECTION, OBSERVER_NFT_TRACE, OBSERVER_PROBES, OBSERVER_L7};
	struct err err = {};

	(void)err_set(&err, EOPNOTSUPP, "watching sends nothing and captures nothing");
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		collect_missing(e, absent[i], &err);
}

void glance_collect(const struct config *config, struct evidence *e)
{
	struct collect_scope scope = {};
	struct collect_way way = {};
	struct nl_sock *s = nullptr;
	struct err err = {};

	e->passive = true;
	int r = nl_open(NETLINK_ROUTE, &s, &err);
	if (r >= 0)
		r = collect_scope_init(&scope, s, config, &e->flow, &err);
	snprintf(e->mesh, sizeof(e->mesh), "%s", scope.mesh_name);
	snprintf(e->lan, sizeof(e->lan), "%s", scope.lan_name);
	if (r >= 0) {
		collect_links(&scope, e);
		collect_lookups(&scope, s, e, &way);
		collect_sysctls(&scope, e);
		collect_neighbour(&scope, s, &way, nullptr, e);
		collect_socket(&scope, e);
	} else {
		collect_missing(e, OBSERVER_ROUTES, &err);
	}
	tell_missing(e);
	collect_scope_clear(&scope);
	nl_close(s);
}
