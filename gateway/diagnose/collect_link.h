/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * collect_link: the interfaces of a flow's way, and their settings.
 */
#include "diagnose/collect_scope.h"

/* The mesh interface and that of the target's network, also when they do not exist. */
void collect_links(const struct collect_scope *scope, struct evidence *e);
/* One more, by its name; nothing when it is one of those two, or told already, or "". */
void collect_link(const struct collect_scope *scope, enum fact_role role, const char *name,
	struct evidence *e);

/* What /proc/sys says about forwarding, source validation, IPv6, bridges and connection tracking:
 * of everything, and of the interfaces that e has links of. */
void collect_sysctls(const struct collect_scope *scope, struct evidence *e);
