/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/lease.h"
#include "edge/taken.h"
#include <stddef.h>

/* FNV-1a: names are ours, nobody gains by a collision. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3;
	return h;
}

static struct addr *lease_of(struct lease *l, uint8_t family)
{
	return family == AF_INET ? &l->v4 : &l->v6;
}

static bool has_own(const struct edge_node *node, uint8_t family)
{
	for (size_t i = 0; i < node->addresses.n; i++)
		if (node->addresses.list[i].addr.family == family)
			return true;
	return false;
}

/* The first address stands for the subnet (RFC 4291 2.6.1: its routers), IPv4's last for all of it;
 * but not where there is hardly anything in between (RFC 3021, RFC 6164). */
static void reserve(struct taken *t, const struct prefix *pool)
{
	struct addr last = prefix_last(pool);
	const struct prefix first_host = prefix_of(&pool->addr), last_host = prefix_of(&last);

	if (addr_bits(last.family) - pool->len <= 1)
		return;
	taken_begin(t, &first_host);
	if (last.family == AF_INET)
		taken_begin(t, &last_host);
}

static void reserve_all(struct taken *t, const struct connip_prefixes *list)
{
	for (size_t i = 0; i < list->n; i++)
		taken_begin(t, &list->list[i]);
}

/* What no pool gives away. */
static struct taken fixed_of(const struct edge_nodes *nodes)
{
	struct taken t = {};

	reserve_all(&t, &nodes->own);
	for (size_t i = 0; i < nodes->n; i++)
		reserve_all(&t, &nodes->list[i].addresses);
	for (size_t i = 0; i < nodes->pool.n; i++)
		reserve(&t, &nodes->pool.list[i]);
	taken_settle(&t);
	return t;
}

static bool is_in_pool(const struct edge_nodes *nodes, const struct addr *a)
{
	for (size_t i = 0; i < nodes->pool.n; i++)
		if (prefix_contains_addr(&nodes->pool.list[i], a))
			return true;
	return false;
}

/* How many addresses a pool has, as far as anybody will ever need. */
static uint64_t size_of(const struct prefix *pool)
{
	unsigned host = addr_bits(pool->addr.family) - pool->len;

	return 1ULL << (host < 48 ? host : 48);
}

/* From the name's place to the end, then from the beginning. */
static bool find_in(const struct prefix *pool, const char *name, struct taken *t, struct addr *out)
{
	uint8_t family = pool->addr.family;
	uint64_t size = size_of(pool);
	number first = number_of_addr(&pool->addr), start = first + hash(name) % size, found;

	if (!taken_find_free(t, family, start, first + size - 1, &found) &&
		(start == first || !taken_find_free(t, family, first, start - 1, &found)))
		return false;
	*out = number_addr(family, found);
	return taken_add(t, out);
}

/* True: it has an address of the family, or there is none to be had because no pool is. */
static bool find(const struct edge_nodes *nodes, size_t self, uint8_t family, struct taken *t,
	struct addr *out)
{
	bool pools = false;

	for (size_t i = 0; i < nodes->pool.n; i++) {
		const struct prefix *pool = &nodes->pool.list[i];
		if (pool->addr.family != family)
			continue;
		if (find_in(pool, nodes->list[self].name, t, out))
			return true;
		pools = true;
	}
	return !pools;
}

static const uint8_t families[] = {AF_INET, AF_INET6};

static void keep_all(const struct edge_nodes *nodes, struct lease *leases, struct taken *t)
{
	for (size_t i = 0; i < nodes->n; i++)
		for (size_t f = 0; f < sizeof(families); f++) {
			struct addr *a = lease_of(&leases[i], families[f]);
			if (a->family == AF_UNSPEC)
				continue;
			if (has_own(&nodes->list[i], families[f]) || !is_in_pool(nodes, a) ||
				!taken_add(t, a))
				*a = (struct addr){};
		}
}

size_t lease_all(const struct edge_nodes *nodes, struct lease *leases)
{
	struct taken t = fixed_of(nodes);
	size_t without = 0;

	keep_all(nodes, leases, &t);
	for (size_t i = 0; i < nodes->n; i++) {
		bool served = true;
		for (size_t f = 0; f < sizeof(families); f++) {
			struct addr *a = lease_of(&leases[i], families[f]);
			if (a->family == AF_UNSPEC && !has_own(&nodes->list[i], families[f]))
				served &= find(nodes, i, families[f], &t, a);
		}
		without += !served;
	}
	taken_clear(&t);
	return without;
}
