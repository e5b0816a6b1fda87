/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_secret: what the files hold that the section `bridge` names: tokens, certificates, keys.
 *
 * They are read once for each configuration that comes into force, by meshgwd, because the bridge
 * has no right to. Tokens and keys are in files that belong to root or to us and are closed to
 * everybody but the owner and readers of the group; certificates are public, but may be changed by
 * nobody else either. No message says what a file holds, and what was read is wiped.
 *
 * A file that cannot be used stays in the list with the reason: who needs it must fail closed.
 */
#include "conf/config_bridge.h"
#include "lib/err.h"

constexpr size_t BRIDGE_TOKEN_LEAST = 16;
constexpr size_t BRIDGE_TOKEN_MOST = 256;
constexpr size_t BRIDGE_PEM_MOST = 256 * 1024;

enum bridge_file_kind { BRIDGE_FILE_TOKEN, BRIDGE_FILE_CERTIFICATE, BRIDGE_FILE_KEY };

struct bridge_file {
	enum bridge_file_kind kind;
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
	const struct bridge_secrets *s, enum bridge_file_kind kind, const char *path);

/* One file. *text is the caller's, who wipes it; written on success only. */
[[nodiscard]] int bridge_file_read(
	enum bridge_file_kind kind, const char *path, char **text, struct err *err);
