/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print_bgp: the key bgp and what is below it; see print.h.
 */
#include "conf/config.h"
#include <stdio.h>

void print_bgp(const struct config_bgp *bgp, FILE *out);
