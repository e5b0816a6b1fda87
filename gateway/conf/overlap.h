/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * overlap: no address may belong to two ranges, two networks, or one of each.
 *
 * A range that covers a LAN network would send the LAN's own packets into the tunnel. Two prefixes
 * either nest or are apart, so one pass over the sorted list with a stack of those still open
 * finds for each prefix the narrowest one around it: n log n.
 */
struct draft;
struct diag_list;

void overlap_check(const struct draft *draft, struct diag_list *diags);
