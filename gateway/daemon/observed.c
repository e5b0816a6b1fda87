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

bool observed_is_own(const struct observed *seen, const struct addr *a)
{
	for (size_t i = 0; i < seen->addresses.n; i++)
		if (!addr_cmp(&seen->addresses.list[i].address, a))
			return true;
	return false;
}

static void step_back(struct addr *a)
{
	for (size_t i = addr_bytes(a->family); i-- > 0;)
		if (a->b[i]--)
			return;
}

struct addr observed_sample(const struct observed *seen, const struct prefix *p)
{
	struct addr a = prefix_last(p);
	if (p->len + 1U < addr_bits(a.family))
		step_back(&a);
	while (observed_is_own(seen, &a) && prefix_contains_addr(p, &a) &&
		p->len < addr_bits(a.family))
		step_back(&a);
	return prefix_contains_addr(p, &a) ? a : p->addr;
}

struct prefix observed_network(const struct ifaddr_entry *a)
{
	struct prefix p = {.addr = a->address, .len = a->prefix_len};
	for (size_t i = 0; i < addr_bytes(a->address.family); i++)
		if (i * 8 + 8 > p.len)
			p.addr.b[i] = (uint8_t)(p.addr.b[i] &
						(i * 8 >= p.len ? 0 : 0xff00 >> (p.len - i * 8)));
	return p;
}

void observed_tables_clear(struct observed *o)
{
	for (size_t i = 0; i < o->n_tables; i++)
		route_set_clear(&o->tables[i].routes);
	free(o->tables);
	o->tables = nullptr;
	o->n_tables = 0;
}

void observed_clear(struct observed *o)
{
	link_set_clear(&o->links);
	ifaddr_set_clear(&o->addresses);
	netconf_set_clear(&o->netconfs);
	route_set_clear(&o->ours);
	route_set_clear(&o->foreign);
	observed_tables_clear(o);
	for (size_t i = 0; i < OBSERVED_FAMILIES; i++)
		nft_foreign_clear(&o->inputs[i]);
	free(o->ras);
	*o = (struct observed){};
}
