/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diag: the growing list of mistakes.
 *
 * Every part of the parser adds to one list and goes on; whoever asks whether the file was good
 * looks at the list. It holds at most DIAG_MAX entries, so that a file which is wrong from end to
 * end costs neither memory nor the reader's patience; the rest is counted.
 */
#include "conf/config.h"

constexpr size_t DIAG_MAX = 1000;

struct diag_list {
	struct config_diags out; /* unsorted until diag_finish() */
	size_t cap;
	size_t dropped;
};

[[gnu::format(printf, 4, 5)]] void diag_add(
	struct diag_list *list, struct config_mark mark, const char *path, const char *fmt, ...);

/* Further mistakes will only be counted: no need to word them well. */
bool diag_full(const struct diag_list *list);

/* Sorts by position, says how many were left out, and moves the result to *out. */
void diag_finish(struct diag_list *list, struct config_diags *out);
