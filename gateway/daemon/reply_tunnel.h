/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_tunnel: the tunnel as GetStatus shows it.
 */
#include "daemon/tunnel.h"

/* A new reference; nullptr = this host has no tunnel of its own. */
sd_json_variant *reply_tunnel(const struct tunnel *t);
sd_json_variant *reply_tunnel_peer(const struct tunnel_peer *p);
/* What the edge proposes and may not have: [{prefix, reason}…]. */
sd_json_variant *reply_tunnel_refusals(const struct tunnel_verdict *v);

/* Pairs for what may not be known. */
#define PAIR_TEXT(key, text) \
	SD_JSON_BUILD_PAIR_CONDITION((text)[0] != '\0', key, SD_JSON_BUILD_STRING(text))
#define PAIR_SECONDS(key, seconds)    \
	SD_JSON_BUILD_PAIR_CONDITION( \
		(seconds) != TUNNEL_NEVER, key, SD_JSON_BUILD_UNSIGNED(seconds))
#define PAIR_OBJECT(key, variant) \
	SD_JSON_BUILD_PAIR_CONDITION((variant) != nullptr, key, SD_JSON_BUILD_VARIANT(variant))
