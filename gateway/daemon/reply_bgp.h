/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_bgp: FRR's side of a status, in the JSON form of io.meshgw.Gateway.
 */
#include "daemon/frr_sync.h"
#include <systemd/sd-json.h>

/* A new reference, nullptr where BGP is not configured. */
sd_json_variant *reply_bgp(const struct frr_sync *s);
