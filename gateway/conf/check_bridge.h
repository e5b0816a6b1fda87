/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check_bridge: what the section `bridge` says that cannot be true: routes that are never reached,
 * keys that say nothing beside others.
 */
struct draft;
struct diag_list;

void check_bridge(const struct draft *draft, struct diag_list *diags);
