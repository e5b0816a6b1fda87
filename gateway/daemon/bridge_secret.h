/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_secret: what the files hold that the section `bridge` names: tokens, certificates, keys.
 *
 * They are read once for each configuration that comes into force, by meshgwd, because the bridge
 * has no right to (secret_text.h). What was read is wiped.
 *
 * A file that cannot be used stays in the list with the reason: who needs it must fail closed.
 */
#include "conf/config_bridge.h"
#include "daemon/secret_text.h"

struct bridge_file {
	enum secret_text_kind kind;
	char *path;
	char *text; /* nullptr = it cannot be used, for this reason: */
	struct err problem;
};

struct bridge_secrets {
	struct bridge_file *list; /* each once for each kind */
	size_t n, cap;
};

/* Reads all files; *s is replaced. */
void bridge_secrets_read(struct bridge_secrets *s, const struct config_bridge *bridge);
void bridge_secrets_clear(struct bridge_secrets *s);
/* nullptr: it was not read or cannot be used. */
const char *bridge_secret(
	const struct bridge_secrets *s, enum secret_text_kind kind, const char *path);
