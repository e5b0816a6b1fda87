/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_equal: do two sections bridge mean the same? Marks are not compared.
 */
#include "conf/config_bridge.h"

bool bridge_equal(const struct config_bridge *a, const struct config_bridge *b);
bool bridge_route_equal(const struct config_route *a, const struct config_route *b);
