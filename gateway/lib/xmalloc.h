/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * xmalloc: memory that is there or the program is not.
 *
 * For sizes that we choose ourselves. Out of memory aborts: systemd restarts the daemon, the
 * kernel's state survives, and no untested recovery path exists. Where a peer chooses the size,
 * use calloc(3) and return -ENOMEM. Everything is released with free(3).
 */
#include <stdarg.h>
#include <stddef.h>

/* n zeroed elements; never nullptr, also for n = 0. */
[[nodiscard, gnu::malloc, gnu::returns_nonnull]] void *xcalloc(size_t n, size_t size);
/* Consumes old (which may be nullptr). What was added is not zeroed. */
[[nodiscard, gnu::returns_nonnull]] void *xreallocarray(void *old, size_t n, size_t size);
[[nodiscard, gnu::malloc, gnu::returns_nonnull]] char *xstrdup(const char *text);

/* As vasprintf(3); *len, which may be nullptr, is without the NUL. */
[[nodiscard, gnu::returns_nonnull, gnu::format(printf, 1, 0)]] char *xvasprintf(
	const char *fmt, va_list ap, size_t *len);

/* For libraries that report a lack of memory instead of aborting. */
[[noreturn]] void out_of_memory(void);

/* Makes room in array for one more element: *cap doubles when n has reached it. */
#define XGROW(array, n, cap)                                                       \
	do {                                                                       \
		if ((n) == (cap)) {                                                \
			(cap) = (cap) ? 2 * (cap) : 8;                             \
			(array) = xreallocarray((array), (cap), sizeof(*(array))); \
		}                                                                  \
	} while (0)
