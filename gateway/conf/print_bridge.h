/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print_bridge: the section bridge, for print.c.
 */
#include "conf/config.h"
#include <stdio.h>

void print_bridge(const struct config_bridge *bridge, FILE *out);
