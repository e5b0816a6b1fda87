/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_scope: which flow and which interfaces a collection is about; what all collectors share.
 *
 * A collector (collect_*.h) reads one part of this machine and adds facts. What could not be read
 * becomes a FACT_MISSING with the kernel's words; what the kernel does not have (a sysctl of a
 * module, an interface) is left out, or told as not existing where a fact can say so.
 */
#include "conf/config.h"
#include "net/link.h"
#include "verdict/evidence.h"

struct nl_sock;

struct collect_scope {
	const struct config *config; /* borrowed */
	const struct flow *flow;     /* borrowed; client (but of this host's own) and target have
					addresses; nullptr = of no flow, but of this machine as a
					whole */
	struct link_set links;
	struct ifaddr_set addresses;
	char mesh_name[IFNAMSIZ];      /* of the configuration */
	char lan_name[IFNAMSIZ];       /* of the configuration for the target; "" = none */
	const struct link *mesh, *lan; /* nullptr = not there */
	bool own_target;               /* the target is an address of this host */
	bool outgoing;                 /* the flow is this host's own */
};

/* flow may be nullptr. 0 or -errno; clear it afterwards in any case. */
[[nodiscard]] int collect_scope_init(struct collect_scope *scope, struct nl_sock *s,
	const struct config *config, const struct flow *flow, struct err *err);
void collect_scope_clear(struct collect_scope *scope);

/* Is it an address of this host? */
bool collect_is_own(const struct collect_scope *scope, const struct addr *a);
/* "" for an index that there is not. */
const char *collect_link_name(const struct collect_scope *scope, int ifindex);

void collect_missing(struct evidence *e, enum fact_observer observer, const struct err *why);
