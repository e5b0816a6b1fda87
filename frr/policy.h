/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * policy: would a foreign policy let a prefix of ours pass?
 *
 * Follows prefix-lists exactly, and route-maps as far as prefixes decide (lib/plist.c,
 * lib/routemap.c). What depends on anything else (communities, AS paths, access-lists, calls) is
 * taken as letting it pass: a warning too many is answered by a look, one too few by nobody. A list
 * or route-map that is named but does not exist denies, as in FRR.
 *
 * Lists are read once and sorted by name, since many neighbours may ask about many prefixes.
 * The running configuration is borrowed.
 */
#include "frr/running.h"

struct policy_entry; /* of a prefix-list */
struct policy_map;   /* an entry of a route-map */

struct policy {
	const struct frr_running *running;
	struct policy_entry *entries; /* by family, name and number */
	size_t n_entries;
	struct policy_map *maps; /* by name and number */
	size_t n_maps;
};

void policy_read(const struct frr_running *running, struct policy *out);
void policy_clear(struct policy *policy);

/* name: the first word of it. */
bool policy_prefix_list_passes(
	const struct policy *policy, const char *name, const struct prefix *prefix);
bool policy_route_map_passes(
	const struct policy *policy, const char *name, const struct prefix *prefix);
