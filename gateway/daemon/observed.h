/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * observed: what was last read from the kernel, cut down to what concerns us. Filled by
 * gateway.c, read by the pure steps (want, plan, check, condition).
 *
 * Links, addresses and netconfs are complete; of the routes only those of table main that carry
 * our protocol number (ours) or lie inside a mesh range (foreign) are kept, so that a full
 * Internet table costs nothing, and of the tables that rules ask before main only what concerns
 * the mesh ranges (rivals.h). Of others' filters only Tailscale's is known.
 */
#include "net/link.h"
#include "net/netconf.h"
#include "net/route.h"
#include "nft/foreign.h"
#include "nft/read.h"

/* An interface that a router advertisement configures. */
struct observed_ra {
	int ifindex;
	int accept_ra; /* net.ipv6.conf.IF.accept_ra */
};

/* A routing table of somebody else's that rules ask before main, and what of the mesh ranges it
 * sends elsewhere. */
struct observed_table {
	uint8_t family;
	uint32_t number;
	uint32_t priority;       /* of the first rule that leads there */
	struct route_set routes; /* at most OBSERVED_TABLE_ROUTES of them … */
	size_t n_routes;         /* … of so many */
};
constexpr size_t OBSERVED_TABLE_ROUTES = 64;

/* What there is once for each family, by this number. */
enum observed_family { OBSERVED_IPV4, OBSERVED_IPV6, OBSERVED_FAMILIES };
constexpr uint8_t observed_families[OBSERVED_FAMILIES] = {AF_INET, AF_INET6};

struct observed {
	struct link_set links;
	struct ifaddr_set addresses;
	struct netconf_set netconfs; /* IPv4, then IPv6 */
	struct route_set ours;
	struct route_set foreign;
	struct observed_ra *ras;
	size_t n_ras;
	struct nft_state nft;
	bool nft_current; /* the table is what we wrote, as far as was read */
	struct nft_foreign inputs[OBSERVED_FAMILIES];
	struct observed_table *tables;
	size_t n_tables;
};

void observed_tables_clear(struct observed *o);
void observed_clear(struct observed *o);

/* Is it an address of this host? */
bool observed_is_own(const struct observed *seen, const struct addr *a);
/* An address of the prefix that is neither this host's own nor an IPv4 broadcast address. */
struct addr observed_sample(const struct observed *seen, const struct prefix *p);
/* The network that an address of this host stands in. */
struct prefix observed_network(const struct ifaddr_entry *a);

/* Is it the route that is wanted, whoever made it? */
bool observed_is_route(const struct route *r, const struct route *want);
/* Is the wanted route there? In IPv6 somebody's own route with the same prefix, metric and
 * interface stands for it: the kernel takes no second one (route.h). */
bool observed_has_route(const struct observed *o, const struct route *want);
