/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * secret_file: a small file that an operator names, read only where nobody else can have changed
 * it: a regular file that belongs to root or to us and is written by its owner alone. Nobody but
 * the owner and the group may read it, unless what it holds is public.
 *
 * What the text must be is judged by who asked for it (frr_password.h, secret_text.h), who also
 * wipes it (explicit_bzero). No message says what a file holds.
 */
#include "lib/err.h"
#include <stddef.h>

enum secret_file_kind { SECRET_FILE_CLOSED, SECRET_FILE_PUBLIC };

/*
 * The first size - 1 bytes, with a NUL behind them; *len of them are the file's. A file that holds
 * more is cut there, so a size of two more than what is allowed tells one that holds too much.
 * -errno with a sentence that names the file.
 */
[[nodiscard]] int secret_file_read(const char *path, enum secret_file_kind kind, char *buf,
	size_t size, size_t *len, struct err *err);
