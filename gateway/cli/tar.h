/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tar: writes an archive of named texts, and finds one in an archive of unknown origin.
 *
 * What is written is a new file that only its owner may read, and that is not there at all when
 * something failed. Reading takes tar, as it is or compressed by gzip, out of memory, and gives
 * back one file's content, never more than TAR_MEMBER_MAX; nothing is unpacked to the disk.
 * The only part that knows libarchive.
 */
#include "lib/err.h"
#include <stddef.h>
#include <stdint.h>

constexpr size_t TAR_MEMBER_MAX = 16 * 1024 * 1024;

struct tar;

/* -EEXIST: nothing is overwritten. */
[[nodiscard]] int tar_create(const char *path, int64_t now_s, struct tar **out, struct err *err);
[[nodiscard]] int tar_add(
	struct tar *t, const char *name, const void *data, size_t len, struct err *err);
/* Ends the file and frees *t, in every case. After a failure the file is gone. */
[[nodiscard]] int tar_finish(struct tar *t, struct err *err);
/* The same, for who does not want it any more. nullptr is allowed. */
void tar_abandon(struct tar *t);

/* The content of the first regular file of this name, in whatever folder, with a NUL behind it.
 * 0; -ENOENT, -EINVAL for what is no archive, -EFBIG. */
[[nodiscard]] int tar_find(
	const void *data, size_t len, const char *name, char **text, struct err *err);
