/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * uri: the character classes of RFC 3986 2, and percent-encoding.
 */
#include <string.h>

static inline bool uri_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool uri_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool uri_is_unreserved(char c)
{
	return uri_is_alpha(c) || uri_is_digit(c) || (c && strchr("-._~", c));
}

static inline bool uri_is_sub_delim(char c)
{
	return c && strchr("!$&'()*+,;=", c);
}

/* -1 if it is none. */
static inline int uri_hex(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : nullptr;

	return at ? (int)(at - digits) % 16 : -1;
}

/* Is there a "%" with two hexadecimal digits? The text ends with a NUL. */
static inline bool uri_is_escape(const char *p)
{
	return p[0] == '%' && uri_hex(p[1]) >= 0 && uri_hex(p[2]) >= 0;
}
