/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * examine: the facts about this node as a whole, for Doctor: what the kernel shows
 * (diagnose/collect_node.h), everybody's base chains, and what the daemon knows. By the
 * configuration that diagnose_config.h finds, so also where meshgw was taken down or never set
 * up. Reads only.
 */
#include "daemon/server.h"
#include "verdict/evidence.h"

/* What Doctor answers: the caller's to release. */
sd_json_variant *examine_reply(const struct server_context *c);

/* *e is empty at first, and the caller's to clear. */
void examine_node(const struct server_context *c, struct evidence *e);
