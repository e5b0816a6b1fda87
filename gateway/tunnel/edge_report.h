/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * edge_report: what the room edge knows of its nodes, for meshgwd, which adds what it has told
 * itself: keys, routes, limits.
 */
#include "edge/status.h"
#include <systemd/sd-json.h>

/* An object: nodes in their order, and how many found the pool exhausted (README.md). */
[[nodiscard]] int edge_report(const struct edge *e, const struct edge_nodes *nodes, uint64_t now_ns,
	sd_json_variant **out);
