/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value_bgp: what only bgp has; see value.h.
 *
 * Texts end up in lines of FRR's configuration, so their characters are whitelists in which nothing
 * can begin a new line, a comment, a quotation or vtysh's help and pipes. They are copied into the
 * arena in the form in which FRR itself writes them.
 */
#include "conf/reader.h"

/* uint32_t */
void value_asn(struct reader *r, const yaml_node_t *node, void *to);
/* struct addr */
void value_router_id(struct reader *r, const yaml_node_t *node, void *to);
void value_neighbor_address(struct reader *r, const yaml_node_t *node, void *to);
/* struct config_neighbor: its remote_as and asn */
void value_remote_as(struct reader *r, const yaml_node_t *node, void *to);
/* struct prefix; the default route is one */
void value_accept(struct reader *r, const yaml_node_t *node, void *to);
/* char * */
void value_description(struct reader *r, const yaml_node_t *node, void *to);
void value_update_source(struct reader *r, const yaml_node_t *node, void *to);
void value_community(struct reader *r, const yaml_node_t *node, void *to);
