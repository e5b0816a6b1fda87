/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema_tunnel: the keys of tunnel; those of its edge role are in schema_edge.c.
 */
#include "conf/schema.h"

extern const struct mapping schema_tunnel;  /* of a struct draft */
extern const struct mapping schema_edge;    /* of a struct config_edge */
extern const struct mapping schema_dialect; /* of a struct config_dialect */

/* Of struct config_text, struct config_source and struct config_listen. */
extern const struct list schema_pin_list;
extern const struct list schema_network_list;
extern const struct list schema_address_list;
extern const struct list schema_endpoint_list;
