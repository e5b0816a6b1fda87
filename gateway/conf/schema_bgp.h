/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema_bgp: the keys of bgp.
 */
#include "conf/schema.h"

extern const struct mapping schema_bgp; /* of a struct draft */
