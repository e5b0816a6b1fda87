/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_edge: the nodes of an edge as GetStatus shows them: as they are configured, with what the
 * tunnel reports of each.
 */
#include "daemon/tunnel.h"

/* A new reference. config: with an edge. */
sd_json_variant *reply_edge(const struct config *config, const struct tunnel_report *report);
