/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check_allow: entries of the allow list that contradict the rest of the file.
 *
 * A destination outside the LAN networks, a source outside the ranges, sources and destination
 * without a common family: such an entry never matches a packet, and whoever wrote it believes
 * that it does.
 */
struct cover;
struct diag_list;
struct draft;

/* networks and ranges hold every LAN network and every mesh range. */
void check_allow(const struct draft *draft, const struct cover *networks,
	const struct cover *ranges, struct diag_list *diags);
