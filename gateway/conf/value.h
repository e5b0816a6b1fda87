/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value: single values of the configuration, each with its whitelist.
 *
 * These are read functions for reader.h: they get a scalar without control characters and write
 * `to`, whose type each one names, or add a mistake and leave it alone. What they judge needs no
 * other part of the file.
 */
#include "conf/reader.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* char[IFNAMSIZ] */
void value_interface(struct reader *r, const yaml_node_t *node, void *to);
/* struct prefix; a network: with its length, nothing special, no default route */
void value_network(struct reader *r, const yaml_node_t *node, void *to);
/* struct prefix; the same, or a default route */
void value_network_or_default(struct reader *r, const yaml_node_t *node, void *to);
/* struct addr */
void value_address(struct reader *r, const yaml_node_t *node, void *to);
/* struct prefix; a single address counts as one */
void value_destination(struct reader *r, const yaml_node_t *node, void *to);
/* enum return_path; the second form refuses auto */
void value_return_path(struct reader *r, const yaml_node_t *node, void *to);
void value_host_return_path(struct reader *r, const yaml_node_t *node, void *to);
/* struct port_range */
void value_ports(struct reader *r, const yaml_node_t *node, void *to);
/* struct config_witness: its address and port */
void value_witness(struct reader *r, const yaml_node_t *node, void *to);
/* char *; an absolute path of a file, written in one way only */
void value_path(struct reader *r, const yaml_node_t *node, void *to);
/* bool; only `true`: the key says something by being there */
void value_true(struct reader *r, const yaml_node_t *node, void *to);

/* A decimal port without leading zeros at *text, which is moved behind it; 0 if there is none. */
uint16_t port_parse(const char **text);
/* What is wrong with a path ("does not begin with /"), or nullptr. */
const char *path_fault(const char *path);
