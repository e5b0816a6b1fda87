/* SPDX-License-Identifier: Apache-2.0 */
#include "route/text.h"
#include <stdio.h>

void text_u64(struct text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	text_add(t, digits + at, sizeof(digits) - at);
}

static bool is_continuation(const unsigned char *s, size_t left, size_t i)
{
	return i < left && (s[i] & 0xc0) == 0x80;
}

void text_addr(struct text *t, const struct addr *a)
{
	char form[ADDR_STRLEN];

	if (a->family != AF_INET) {
		text_str(t, addr_str(a, form));
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		if (i)
			TEXT_LITERAL(t, ".");
		text_u64(t, a->b[i]);
	}
}

/* Length of the well-formed character at s (RFC 3629, 4); 0 when there is none. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	unsigned char lead = s[0];
	unsigned char next = left > 1 ? s[1] : 0;

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || !is_continuation(s, left, 1))
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0) {
		bool overlong = lead == 0xe0 && next < 0xa0;
		bool surrogate = lead == 0xed && next > 0x9f;
		return !overlong && !surrogate && is_continuation(s, left, 2) ? 3 : 0;
	}
	bool outside = (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next > 0x8f);
	return !outside && is_continuation(s, left, 2) && is_continuation(s, left, 3) ? 4 : 0;
}

/* What stands in a JSON string, and in a quoted one of HTTP, as it is. */
static const bool is_plain[256] = {
	[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

static size_t plain_run(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && is_plain[(unsigned char)s[n]])
		n++;
	return n;
}

static void text_escape(struct text *t, unsigned unit)
{
	char form[8];

	snprintf(form, sizeof(form), "\\u%04x", unit & 0xffff);
	text_add(t, form, 6);
}

/* The character of so many bytes, beyond ASCII. */
static void text_wide(struct text *t, const unsigned char *s, size_t len)
{
	unsigned c = s[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3f);
	if (c < 0x10000) {
		text_escape(t, c);
		return;
	}
	text_escape(t, 0xd800 + ((c - 0x10000) >> 10)); /* a pair of surrogates */
	text_escape(t, 0xdc00 + (c & 0x3ff));
}

/* One character that is not plain; returns how many bytes of s it was. NUL is one that readers of
 * JSON, sd-json among them, do not take. */
static size_t text_json_odd(struct text *t, const unsigned char *s, size_t left)
{
	size_t len = utf8_length(s, left);

	if (len == 0 || s[0] == '\0') {
		text_escape(t, 0xfffd);
		return 1;
	}
	if (len > 1)
		text_wide(t, s, len);
	else if (s[0] == '"')
		text_add(t, "\\\"", 2);
	else if (s[0] == '\\')
		text_add(t, "\\\\", 2);
	else
		text_escape(t, s[0]);
	return len;
}

void text_json(struct text *t, const char *s, size_t len)
{
	TEXT_LITERAL(t, "\"");
	for (size_t i = 0; i < len;) {
		size_t n = plain_run(s + i, len - i);
		text_add(t, s + i, n);
		i += n;
		if (i < len)
			i += text_json_odd(t, (const unsigned char *)s + i, len - i);
	}
	TEXT_LITERAL(t, "\"");
}

void text_quoted(struct text *t, const char *s, size_t len)
{
	TEXT_LITERAL(t, "\"");
	for (size_t i = 0; i < len;) {
		size_t n = plain_run(s + i, len - i);
		text_add(t, s + i, n);
		i += n;
		if (i == len)
			break;
		if (s[i] == '"')
			TEXT_LITERAL(t, "\\\"");
		else if (s[i] == '\\')
			TEXT_LITERAL(t, "\\\\");
		else
			TEXT_LITERAL(t, "?");
		i++;
	}
	TEXT_LITERAL(t, "\"");
}
