/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_diff_int: what the files of config_diff share.
 */
#include "daemon/config_diff.h"

/* Adds a statement about a prefix, or about none. */
[[gnu::format(printf, 4, 5)]] void config_state(struct config_changes *out,
	enum config_change_kind kind, const struct prefix *about, const char *fmt, ...);

/* How the way back is proven; of the probe only what departs from the defaults. */
void config_state_witnesses(const struct config_network *network, struct config_changes *out);
void config_state_probe(const struct config_probe *probe, struct config_changes *out);

/* config_diff_bridge.c */
void config_state_bridge(const struct config_bridge *bridge, struct config_changes *out);
