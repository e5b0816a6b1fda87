/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_password: one neighbour's MD5 password (RFC 2385) from its file.
 *
 * Whose the file may be is in secret_file.h. It holds one line of characters that no shell, vtysh
 * or configuration takes for anything else. No message says what it holds. Whoever gets the text
 * wipes it (explicit_bzero).
 */
#include "daemon/frr_model.h"
#include "lib/err.h"

/* 0, or -errno with a sentence that names the file; *out is then empty. */
[[nodiscard]] int frr_password_read(
	const char *path, char out[static FRR_PASSWORD_MAX + 1], struct err *err);

/* Those of all neighbours. *secrets, empty or not, is replaced. */
void frr_secrets_read(struct frr_secrets *secrets, const struct config *config);
/* Wipes them. */
void frr_secrets_clear(struct frr_secrets *secrets);
