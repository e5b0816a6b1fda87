/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value_number: numbers, durations and switches; see value.h.
 *
 * Bounds stand in the table of keys, as min and max of the field that is read, in the unit of what
 * is written. After a mistake `to` is 0, or DURATION_UNSET, whatever default it held.
 */
#include "conf/reader.h"

/* uint8_t, uint32_t */
void value_u8(struct reader *r, const yaml_node_t *node, void *to);
void value_u32(struct reader *r, const yaml_node_t *node, void *to);
/* A duration as uint32_t seconds or milliseconds, or uint64_t microseconds (bounds in ms) */
void value_seconds(struct reader *r, const yaml_node_t *node, void *to);
void value_milliseconds(struct reader *r, const yaml_node_t *node, void *to);
void value_microseconds(struct reader *r, const yaml_node_t *node, void *to);
/* uint64_t bytes: "64KiB" or a bare number; bounds in bytes */
void value_size(struct reader *r, const yaml_node_t *node, void *to);
/* bool */
void value_bool(struct reader *r, const yaml_node_t *node, void *to);

/* A decimal number without sign or leading zeros, at most max, which is at most
 * UINT32_MAX. 0 or -EINVAL. */
[[nodiscard]] int number_parse(const char *text, uint64_t max, uint64_t *out);
