/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	abort();
}

static void *or_abort(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return or_abort(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t n, size_t size)
{
	return or_abort(reallocarray(old, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

char *xvasprintf(const char *fmt, va_list ap, size_t *len)
{
	char *text;
	int n = vasprintf(&text, fmt, ap);
	if (n < 0)
		out_of_memory();
	if (len)
		*len = (size_t)n;
	return text;
}
