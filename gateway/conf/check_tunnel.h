/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check_tunnel: what the parts of tunnel must have to do with each other and with the rest.
 *
 * Whatever goes through the tunnel lies in mesh.ranges, because those are what the kernel routes
 * into it; and no end of the tunnel lies there, because its packets would go into themselves.
 */
struct cover;
struct diag_list;
struct draft;

void check_tunnel(const struct draft *draft, const struct cover *networks,
	const struct cover *ranges, struct diag_list *diags);
