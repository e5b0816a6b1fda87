/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * admits: what a configuration says about one flow of the mesh. Pure; what the kernel does is
 * nft/'s business, and both read the same lines.
 */
#include "conf/config.h"

/* The range that holds a mesh address; nullptr = none. */
const struct config_range *config_range_of(const struct config *config, const struct addr *from);

/* The address of a range from which this host itself tries flows out: probe.source where it is in
 * the range, else the range's last usable one. No client of the mesh has it. */
struct addr config_trial_source(const struct config *config, const struct config_range *range);

/* Is it that of any range? What comes from there is no caller's. False in a range of a single
 * address, which is somebody's. */
bool config_is_trial_source(const struct config *config, const struct addr *from);

/* The network that holds an address of the LAN (they are disjoint), and its interface. */
struct config_place {
	const struct config_lan *lan;
	const struct config_network *network; /* nullptr = none, and so is lan */
};
struct config_place config_place_of(const struct config *config, const struct addr *to);

/* Does the allow list let a flow of this protocol (IPPROTO_…) begin? port: 0 where there is none.
 * True without a list. Networks are not looked at. */
bool config_allows(const struct config *config, const struct addr *from, const struct addr *to,
	uint8_t proto, uint16_t port);
