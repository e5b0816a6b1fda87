/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print_tunnel: the section tunnel, for print.c.
 */
#include "conf/config.h"
#include <stdio.h>

void print_tunnel(const struct config_tunnel *tunnel, FILE *out);

/* Parts of it: all but the nodes of an edge; one of those. */
void print_tunnel_settings(const struct config_tunnel *tunnel, FILE *out);
void print_tunnel_node(const struct config_node *node, FILE *out);
