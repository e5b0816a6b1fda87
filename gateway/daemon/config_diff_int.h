/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_diff_int: what the files of config_diff share.
 */
#include "daemon/config_diff.h"
#include <stdio.h>

/* Adds a statement about a prefix, or about none. */
[[gnu::format(printf, 4, 5)]] void config_state(struct config_changes *out,
	enum config_change_kind kind, const struct prefix *about, const char *fmt, ...);

/* How the way back is proven; of the probe only what departs from the defaults. */
void config_state_witnesses(const struct config_network *network, struct config_changes *out);
void config_state_probe(const struct config_probe *probe, struct config_changes *out);

/* config_diff_text.c: what print writes; the caller frees it. */
char *config_print_text(void (*print)(const void *it, FILE *out), const void *it);
/* Lines that the printed text has and the usual one has not. As one line behind before, which comes
 * only if something follows; or a statement each. text is cut up. */
void config_write_unusual(FILE *out, char *text, const char *usual, const char *before);
void config_state_unusual(
	struct config_changes *out, enum config_change_kind kind, char *text, const char *usual);

/* config_diff_bridge.c */
void config_state_bridge(const struct config_bridge *bridge, struct config_changes *out);
/* config_diff_tunnel.c */
void config_state_tunnel(const struct config_tunnel *tunnel, struct config_changes *out);
