/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema_bridge: the keys of bridge; those of a route are in schema_route.c.
 */
#include "conf/schema.h"

extern const struct mapping schema_bridge; /* of a struct draft */
extern const struct list schema_route_list;

/* Paths of files with tokens, of struct config_text. */
extern const struct list schema_token_list;
