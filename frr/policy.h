/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * policy: would a foreign policy let a prefix of ours pass?
 *
 * Follows prefix-lists exactly, and route-maps as far as prefixes decide (lib/plist.c,
 * lib/routemap.c). What depends on anything else (communities, AS paths, access-lists, calls) is
 * taken as letting it pass: a warning too many is answered by a look, one too few by nobody. A list
 * or route-map that is named but does not exist denies, as in FRR.
 */
#include "frr/running.h"

bool policy_prefix_list_passes(
	const struct frr_running *running, const char *name, const struct prefix *prefix);
bool policy_route_map_passes(
	const struct frr_running *running, const char *name, const struct prefix *prefix);
