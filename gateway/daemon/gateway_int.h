/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * gateway_int: what gateway.c and gateway_event.c share about the routes they remember.
 */
#include "daemon/gateway.h"

/* A cap on others' routes inside the ranges that are kept for showing. */
constexpr size_t FOREIGN_MAX = 64;

/* Is the prefix equal to or inside one of the mesh ranges? */
bool gateway_in_ranges(const struct config *config, const struct prefix *p);
void route_set_add(struct route_set *set, const struct route *r);
/* Forgets every route that match() accepts; returns how many. */
size_t route_set_forget(struct route_set *set,
	bool (*match)(const struct route *r, const void *arg), const void *arg);
