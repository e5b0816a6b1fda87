/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_scope.h"
#include "conf/admits.h"
#include <stdio.h>

static bool is_own(const struct ifaddr_set *set, const struct addr *a)
{
	for (size_t i = 0; i < set->n; i++)
		if (addr_cmp(&set->list[i].address, a) == 0)
			return true;
	return false;
}

int collect_scope_init(struct collect_scope *scope, struct nl_sock *s, const struct config *config,
	const struct flow *flow, struct err *err)
{
	*scope = (struct collect_scope){.config = config, .flow = flow};
	struct config_place place = config_place_of(config, &flow->target);
	snprintf(scope->mesh_name, sizeof(scope->mesh_name), "%s", config->mesh_interface);
	if (place.lan)
		snprintf(scope->lan_name, sizeof(scope->lan_name), "%s", place.lan->interface);

	int r = link_dump(s, &scope->links, err);
	if (r == 0)
		r = ifaddr_dump(s, &scope->addresses, err);
	if (r < 0)
		return r;
	scope->mesh = link_by_name(&scope->links, scope->mesh_name);
	scope->lan = link_by_name(&scope->links, scope->lan_name);
	scope->own_target = is_own(&scope->addresses, &flow->target);
	return 0;
}

void collect_scope_clear(struct collect_scope *scope)
{
	link_set_clear(&scope->links);
	ifaddr_set_clear(&scope->addresses);
	*scope = (struct collect_scope){};
}

const char *collect_link_name(const struct collect_scope *scope, int ifindex)
{
	const struct link *l = link_by_index(&scope->links, ifindex);
	return l ? l->name : "";
}

void collect_missing(struct evidence *e, enum fact_observer observer, const struct err *why)
{
	struct fact_missing *m = &evidence_add(e, FACT_MISSING)->missing;
	m->observer = observer;
	snprintf(m->why, sizeof(m->why), "%.*s", (int)sizeof(m->why) - 1, why->msg);
}
