/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/asked_about.h"
#include "route/host.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : nullptr;

	return at ? (int)(at - digits) : -1;
}

/* A value of a query, its escapes undone, NUL-terminated. Returns its length; 0 when it does not
 * fit or has an escape that is none. */
static size_t decode(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		if (n + 1 >= size)
			return 0;
		out[n] = text[i];
		if (text[i] != '%')
			continue;
		int high = i + 2 < len ? hex(text[i + 1]) : -1;
		int low = i + 2 < len ? hex(text[i + 2]) : -1;
		if (high < 0 || low < 0)
			return 0;
		out[n] = (char)(high << 4 | low);
		i += 2;
	}
	out[n] = '\0';
	return strlen(out) == n ? n : 0;
}

/* "Service.Internal:080" to "service.internal:80". */
static int canonical(const char *text, size_t len, char out[static ASKED_ABOUT_MAX])
{
	char host[HOST_MAX];
	const char *colon = memrchr(text, ':', len);
	uint32_t port = 0;

	if (!colon || host_normal(text, len, host) == 0)
		return -EINVAL;
	for (const char *p = colon + 1; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL; /* the end of an address without a port */
		port = port * 10 + (uint32_t)(*p - '0');
		if (port > UINT16_MAX)
			return -EINVAL;
	}
	/* An address of IPv6 without brackets has no port. */
	if (port == 0 || (host[0] == '[' && text[0] != '['))
		return -EINVAL;
	snprintf(out, ASKED_ABOUT_MAX, "%s:%u", host, port);
	return 0;
}

int asked_about(const char *query, size_t len, char out[static ASKED_ABOUT_MAX])
{
	static const char key[] = "target=";
	constexpr size_t key_len = sizeof(key) - 1;
	const char *end = query + len, *found = nullptr;
	char text[ASKED_ABOUT_MAX];
	size_t found_len = 0;

	for (const char *at = query; at < end;) {
		at++; /* the question mark, or an ampersand */
		const char *next = memchr(at, '&', (size_t)(end - at));
		size_t n = (size_t)((next ? next : end) - at);
		if (n >= key_len && memcmp(at, key, key_len) == 0) {
			if (found)
				return -EINVAL;
			found = at + key_len;
			found_len = n - key_len;
		}
		at += n;
	}
	if (!found)
		return -EINVAL;
	size_t text_len = decode(found, found_len, text, sizeof(text));
	return text_len ? canonical(text, text_len, out) : -EINVAL;
}
