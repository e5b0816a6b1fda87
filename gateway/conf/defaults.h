/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * defaults: what holds where the file is silent.
 */
#include "conf/config.h"

#define DEFAULT_MESH_INTERFACE "CloudflareWARP"

/* The prefixes of a class in an account that nobody has changed; n may become 0. */
const struct prefix *defaults_of_class(enum range_class kind, size_t *n);

extern const struct config_probe default_probe;
/* BFD with default timing, should it be wanted; hold and keepalive are DURATION_UNSET. */
extern const struct config_neighbor default_neighbor;
/* Without listeners and routes. */
extern const struct config_bridge default_bridge;
extern const struct config_route default_route;
/* Without a role. */
extern const struct config_tunnel default_tunnel;
