/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_password: one neighbour's MD5 password (RFC 2385) from its file.
 *
 * The file belongs to root or to us, is closed to everybody but its owner and its group's readers,
 * and holds one line of characters that no shell, vtysh or configuration takes for anything else.
 * No message says what it holds. Whoever gets the text wipes it (explicit_bzero).
 */
#include "lib/err.h"
#include <stddef.h>

constexpr size_t FRR_PASSWORD_MAX = 80; /* TCP_MD5SIG_MAXKEYLEN, linux/tcp.h */

/* 0, or -errno with a sentence that names the file; *out is then empty. */
[[nodiscard]] int frr_password_read(
	const char *path, char out[static FRR_PASSWORD_MAX + 1], struct err *err);
