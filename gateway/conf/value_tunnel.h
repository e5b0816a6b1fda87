/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value_tunnel: what only tunnel has; see value.h. Texts are copied into the arena.
 */
#include "conf/reader.h"

/* struct config_listen: an address with a port; never a name */
void value_endpoint(struct reader *r, const yaml_node_t *node, void *to);
/* struct prefix: one address, of a host */
void value_node_address(struct reader *r, const yaml_node_t *node, void *to);
/* enum promotion */
void value_promotion(struct reader *r, const yaml_node_t *node, void *to);
/* char * */
void value_pin(struct reader *r, const yaml_node_t *node, void *to);
void value_template(struct reader *r, const yaml_node_t *node, void *to);
void value_token(struct reader *r, const yaml_node_t *node, void *to);
void value_groups(struct reader *r, const yaml_node_t *node, void *to);
void value_node_name(struct reader *r, const yaml_node_t *node, void *to);
