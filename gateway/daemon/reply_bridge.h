/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_bridge: the HTTP bridge in a status, in the JSON form of io.meshgw.Gateway.
 */
#include "daemon/bridge.h"

/* A new reference, nullptr where the bridge is not configured. */
sd_json_variant *reply_bridge(const struct bridge *b);
