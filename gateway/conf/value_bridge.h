/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value_bridge: what only bridge has; see value.h.
 *
 * Texts end up in HTTP heads, in JSON and in names that are resolved. Hosts and paths are taken in
 * one form only, the one in which requests are compared with them: names in lower case, paths
 * without anything that could be read in two ways. Texts are copied into the arena.
 */
#include "conf/reader.h"

/* struct config_listen: its address and port */
void value_listen(struct reader *r, const yaml_node_t *node, void *to);
/* struct config_upstream */
void value_upstream(struct reader *r, const yaml_node_t *node, void *to);
/* enum reveal */
void value_reveal(struct reader *r, const yaml_node_t *node, void *to);
/* bool; the word v2 */
void value_proxy_protocol(struct reader *r, const yaml_node_t *node, void *to);
/* char *; nullptr after a mistake, whatever default it held */
void value_admin(struct reader *r, const yaml_node_t *node, void *to);
void value_target(struct reader *r, const yaml_node_t *node, void *to);
void value_route_host(struct reader *r, const yaml_node_t *node, void *to);
void value_route_path(struct reader *r, const yaml_node_t *node, void *to);
void value_health_path(struct reader *r, const yaml_node_t *node, void *to);
void value_host_header(struct reader *r, const yaml_node_t *node, void *to);
void value_server_name(struct reader *r, const yaml_node_t *node, void *to);
void value_header_name(struct reader *r, const yaml_node_t *node, void *to);
void value_header_text(struct reader *r, const yaml_node_t *node, void *to);
