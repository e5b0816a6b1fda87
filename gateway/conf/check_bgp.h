/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check_bgp: can what bgp says be true, and is it safe? See check.h.
 *
 * What a neighbour may announce is bounded here: no route to a mesh range, which would take the
 * answers away from the tunnel, none that covers a network of the LAN, and the default route only
 * where it is written as itself.
 */
struct cover;
struct diag_list;
struct draft;

void check_bgp(const struct draft *draft, const struct cover *networks, const struct cover *ranges,
	struct diag_list *diags);
