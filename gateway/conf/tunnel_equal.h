/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_equal: do two sections tunnel mean the same? Marks are not compared.
 */
#include "conf/config_tunnel.h"

bool tunnel_equal(const struct config_tunnel *a, const struct config_tunnel *b);
bool tunnel_node_equal(const struct config_node *a, const struct config_node *b);
