/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print_bridge: the section bridge, for print.c.
 */
#include "conf/config.h"
#include <stdio.h>

void print_bridge(const struct config_bridge *bridge, FILE *out);

/* Parts of it: all but the routes; one of them; the URLs of one, as a list. */
void print_bridge_settings(const struct config_bridge *bridge, FILE *out);
void print_bridge_route(const struct config_route *route, FILE *out);
void print_bridge_upstreams(const struct config_route *route, FILE *out);
