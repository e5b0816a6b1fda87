/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * size: a number of bytes: "512", "64KiB", "10MiB", "1GiB".
 *
 * Whole numbers with one unit of IEC 80000-13, as duration.h has them for time: one way to write
 * each, which is how they are printed.
 */
#include <stddef.h>
#include <stdint.h>

constexpr size_t SIZE_STRLEN = 24;

/* 0; -EINVAL when the text is no size, or more than 1 TiB. */
[[nodiscard]] int size_parse(const char *text, uint64_t *bytes);
/* In the largest unit that leaves a whole number. buf of SIZE_STRLEN, which is returned. */
const char *size_str(uint64_t bytes, char *buf);
