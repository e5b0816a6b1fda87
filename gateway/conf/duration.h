/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * duration: "200ms", "10s", "2min", "1h", or a bare number of seconds.
 *
 * Whole numbers with one unit, as systemd.time(7) writes them, but no sums and no fractions: there
 * is one way to write each, which is also how they are printed.
 */
#include <stddef.h>
#include <stdint.h>

constexpr uint64_t USEC_PER_MS = 1000;
constexpr uint64_t USEC_PER_S = 1000 * USEC_PER_MS;
constexpr size_t DURATION_STRLEN = 24;
constexpr uint32_t DURATION_UNSET = UINT32_MAX; /* in any unit: not given, or not readable */

/* 0; -EINVAL when the text is no duration; -ERANGE when it is more than a hundred years. */
[[nodiscard]] int duration_parse(const char *text, uint64_t *us);
/* In the largest unit that leaves a whole number; below a millisecond is cut. buf of
 * DURATION_STRLEN, which is returned. */
const char *duration_str(uint64_t us, char *buf);
