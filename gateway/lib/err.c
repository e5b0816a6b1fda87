/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"
#include "lib/escape.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	assert(code > 0);
	if (!e)
		return -code;

	/* Formatted aside, since an argument may be the old message. */
	char msg[sizeof(e->msg)];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);

	utf8_trim(msg);
	memcpy(e->msg, msg, sizeof(msg));
	e->code = code;
	return -code;
}

int err_ctx(struct err *e, const char *fmt, ...)
{
	if (!e || e->code <= 0)
		return -EIO;

	char msg[sizeof(e->msg)];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);

	size_t len = strlen(msg);
	int room = (int)(sizeof(msg) - len) - (int)sizeof(": ");
	if (room > 0)
		snprintf(msg + len, sizeof(msg) - len, ": %.*s", room, e->msg);
	utf8_trim(msg);
	memcpy(e->msg, msg, sizeof(msg));
	return -e->code;
}
