/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema_probe: the keys of probe, and the witnesses of a network.
 */
#include "conf/schema.h"

extern const struct mapping schema_probe; /* of a struct draft */

/* lan[].networks[].witness, of a struct config_network. */
void schema_read_witness(struct reader *r, const yaml_node_t *node, void *to);
