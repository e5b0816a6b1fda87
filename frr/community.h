/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * community: BGP communities in the order and words of FRR.
 *
 * FRR parses a list of communities and shows it sorted by value, the well-known ones by name
 * (bgpd/bgp_community.c, bgpd/bgp_lcommunity.c; RFC 1997, RFC 8092). To know ours again in a
 * running configuration they are written that way from the start.
 */
#include <stddef.h>

/* Those of the list that are large (three numbers), or those that are not, as one line, sorted and
 * without repetition. Owned by the caller; nullptr = there are none. A text that is no community is
 * left out. */
[[nodiscard]] char *frr_communities_line(char *const *list, size_t n, bool large);
