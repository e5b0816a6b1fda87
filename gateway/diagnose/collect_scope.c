/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_scope.h"
#include "conf/admits.h"
#include <stdio.h>

int collect_scope_init(struct collect_scope *scope, struct nl_sock *s, const struct config *config,
	const struct flow *flow, struct err *err)
{
	*scope = (struct collect_scope){.config = config, .flow = flow};
	const struct config_lan *lan = flow ? config_place_of(config, &flow->target).lan : nullptr;
	snprintf(scope->mesh_name, sizeof(scope->mesh_name), "%s", config->mesh_interface);
	if (lan)
		snprintf(scope->lan_name, sizeof(scope->lan_name), "%s", lan->interface);

	int r = link_dump(s, &scope->links, err);
	if (r == 0)
		r = ifaddr_dump(s, &scope->addresses, err);
	if (r < 0)
		return r;
	scope->mesh = link_by_name(&scope->links, scope->mesh_name);
	scope->lan = link_by_name(&scope->links, scope->lan_name);
	scope->outgoing = flow && flow_is_outgoing(flow);
	scope->own_target = flow && collect_is_own(scope, &flow->target);
	return 0;
}

void collect_scope_clear(struct collect_scope *scope)
{
	link_set_clear(&scope->links);
	ifaddr_set_clear(&scope->addresses);
	*scope = (struct collect_scope){};
}

bool collect_is_own(const struct collect_scope *scope, const struct addr *a)
{
	for (size_t i = 0; i < scope->addresses.n; i++)
		if (addr_cmp(&scope->addresses.list[i].address, a) == 0)
			return true;
	return false;
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
