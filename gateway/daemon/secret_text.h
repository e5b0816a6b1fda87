/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * secret_text: what a file that the configuration names may hold: a token, a certificate, a key.
 *
 * secret_file.h says whose files they may be; certificates are public. Whether a certificate is of
 * use is seen by the process that needs it. No message says what a file holds.
 */
#include "lib/err.h"
#include <stddef.h>

constexpr size_t SECRET_TOKEN_LEAST = 16;
constexpr size_t SECRET_TOKEN_MOST = 256;
constexpr size_t SECRET_PEM_MOST = 256 * 1024;

enum secret_text_kind { SECRET_TEXT_TOKEN, SECRET_TEXT_CERTIFICATE, SECRET_TEXT_KEY };

/* *text is the caller's, for secret_text_free(); written on success only. */
[[nodiscard]] int secret_text_read(
	enum secret_text_kind kind, const char *path, char **text, struct err *err);
/* Wiped first; nullptr is allowed. */
void secret_text_free(char *text);
