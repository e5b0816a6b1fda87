/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * want: the state that a configuration asks of this host, given the interfaces that exist.
 * Pure: config and observation in, plain data out; no kernel, no clock, no memory of before.
 *
 * Wanted are: one return route in table main for every mesh range, in every mode; forwarding for
 * the interfaces on the path; accept_ra=2 before IPv6 forwarding where router advertisements
 * are in use; rp_filter=2 only on interfaces of which a check has shown that the kernel drops
 * the ranges there; the nft table; and the remedies that the configuration allows, where the other
 * program's rules stand in the way. A route whose interface is missing or down is still
 * wanted, with oif 0: it waits.
 */
#include "conf/config.h"
#include "daemon/observed.h"
#include "nft/model.h"
#include "proof/prove.h"

struct want_sysctl {
	char key[SYSCTL_KEY_LEN];
	int ifindex; /* 0 = not of one interface */
	int value;
};

struct want {
	struct route_set routes;     /* sorted by route_cmp */
	struct want_sysctl *sysctls; /* in the order in which they must be written */
	size_t n_sysctls;
	bool nft;
	uint32_t remedies; /* bit per enum remedy */
};

/* rp_filter must be loose there: interfaces by index, from check.h or from before. */
struct want_loose {
	const int *ifindex;
	size_t n;
};

/* config nullptr: nothing is wanted. *out is cleared first. */
void want_compute(const struct config *config, const struct observed *seen, struct want_loose loose,
	struct want *out);
void want_clear(struct want *w);

/* What the HTTP bridge adds to the table. */
struct want_bridge {
	bool has_user;              /* else there is nobody to hold back */
	uint32_t uid, opener;       /* of the bridge; of us, who open its sockets */
	struct nft_allow *resolved; /* what the names of upstreams stand for; owned */
	size_t n_resolved;
};

/* One connection that the bridge may begin. */
struct nft_allow want_upstream(const struct addr *address, uint16_t port);

/* The nft model of a configuration; arrays belong to the model (want_model_free). prove says which
 * networks in mode auto show the source; nullptr = nothing has been proven. hears_bgp: somebody
 * listens for the ends of BGP sessions, so that it is worth telling of them. bridge may be
 * nullptr. */
struct nft_model *want_model(const struct config *config, const struct prove *prove, bool hears_bgp,
	const struct want_bridge *bridge);
void want_model_free(struct nft_model *model);

/* Does this mode hide the mesh source behind the gateway's address? `auto` does, until the route
 * path has been proven. */
bool want_masquerades(enum return_path mode);
/* The same for a network of an interface, with what has been proven. */
bool want_network_masquerades(
	const struct prove *prove, const char *interface, const struct config_network *network);
/* The address from which a family's probes come; AF_UNSPEC when it has no range. */
struct addr want_probe_source(const struct config *config, uint8_t family);
