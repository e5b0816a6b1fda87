/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fix_frr: what a repair by hand left in FRRouting: static routes and network statements of the
 * mesh ranges that carry no mark of ours. meshgw uses them and removes nothing of others there;
 * these are the commands by which their owner can. It then puts its own in their place.
 */
#include "daemon/frr_sync.h"
#include <systemd/sd-json.h>

/* An array of strings for a root shell; nullptr = nothing is to be done, or frr is. */
sd_json_variant *fix_frr_commands(const struct frr_sync *frr);
