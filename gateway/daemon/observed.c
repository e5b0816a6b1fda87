/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observed.h"
#include <stdlib.h>

bool observed_is_route(const struct route *r, const struct route *want)
{
	return !prefix_cmp(&r->dst, &want->dst) && r->oif == want->oif &&
	       r->metric == want->metric && r->type == want->type &&
	       r->gateway.family == want->gateway.family;
}

bool observed_has_route(const struct observed *o, const struct route *want)
{
	for (size_t i = 0; i < o->ours.n; i++)
		if (observed_is_route(&o->ours.list[i], want))
			return true;
	for (size_t i = 0; want->dst.addr.family == AF_INET6 && i < o->foreign.n; i++)
		if (observed_is_route(&o->foreign.list[i], want))
			return true;
	return false;
}

void observed_clear(struct observed *o)
{
	link_set_clear(&o->links);
	ifaddr_set_clear(&o->addresses);
	netconf_set_clear(&o->netconfs);
	route_set_clear(&o->ours);
	route_set_clear(&o->foreign);
	for (size_t i = 0; i < OBSERVED_FAMILIES; i++)
		nft_foreign_clear(&o->inputs[i]);
	free(o->ras);
	*o = (struct observed){};
}
