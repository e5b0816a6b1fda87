/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reload_int: what the files of reload share.
 */
#include "daemon/reload.h"

/* The state file; the records of the gateway with it. */
int reload_save(struct reload *r, struct err *err);
/* Every mistake is logged, the first one is told in problem. */
[[nodiscard]] int reload_parse(const char *name, const char *text, size_t len, struct config **out,
	char problem[static 256]);
/* The file in /etc cannot be read. */
void reload_note_unreadable(struct reload *r, const struct err *why);
/* What runs came from the file in /etc, and is what later starts apply. */
void reload_keep_first(struct reload *r);
