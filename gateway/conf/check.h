/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check: what a draft says that cannot be true.
 *
 * Looks across keys: overlaps, hosts outside their network, an allow entry that could never
 * match. Values that could not be read are zero and are not judged again, nor is what depends on
 * them. Costs n log n. Adds to the list of mistakes; changes nothing.
 */
struct draft;
struct diag_list;

void check_draft(const struct draft *draft, struct diag_list *diags);
