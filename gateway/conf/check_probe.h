/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check_probe: can what the probe and the witnesses say be true? See check.h.
 */
struct config_network;
struct cover;
struct diag_list;
struct draft;

void check_probe(const struct draft *draft, const struct cover *ranges, struct diag_list *diags);
/* path: of the network. */
void check_witnesses(
	const struct config_network *network, const char *path, struct diag_list *diags);
