/* SPDX-License-Identifier: Apache-2.0 */
#include "http/name.h"
#include <assert.h>

static const struct {
	size_t len;
	const char *text;
} names[HTTP_NAME_MAX] = {
#define NAME(id, name) [id] = {sizeof(name) - 1, name}
	NAME(HTTP_NAME_OTHER, ""),
	NAME(HTTP_NAME_AUTHORIZATION, "Authorization"),
	NAME(HTTP_NAME_CONNECTION, "Connection"),
	NAME(HTTP_NAME_CONTENT_LENGTH, "Content-Length"),
	NAME(HTTP_NAME_COOKIE, "Cookie"),
	NAME(HTTP_NAME_DATE, "Date"),
	NAME(HTTP_NAME_EXPECT, "Expect"),
	NAME(HTTP_NAME_FORWARDED, "Forwarded"),
	NAME(HTTP_NAME_HOST, "Host"),
	NAME(HTTP_NAME_HTTP2_SETTINGS, "HTTP2-Settings"),
	NAME(HTTP_NAME_KEEP_ALIVE, "Keep-Alive"),
	NAME(HTTP_NAME_MAX_FORWARDS, "Max-Forwards"),
	NAME(HTTP_NAME_PROXY_AUTHENTICATE, "Proxy-Authenticate"),
	NAME(HTTP_NAME_PROXY_AUTHORIZATION, "Proxy-Authorization"),
	NAME(HTTP_NAME_PROXY_CONNECTION, "Proxy-Connection"),
	NAME(HTTP_NAME_PROXY_STATUS, "Proxy-Status"),
	NAME(HTTP_NAME_SET_COOKIE, "Set-Cookie"),
	NAME(HTTP_NAME_TE, "TE"),
	NAME(HTTP_NAME_TRACEPARENT, "traceparent"),
	NAME(HTTP_NAME_TRACESTATE, "tracestate"),
	NAME(HTTP_NAME_TRAILER, "Trailer"),
	NAME(HTTP_NAME_TRANSFER_ENCODING, "Transfer-Encoding"),
	NAME(HTTP_NAME_UPGRADE, "Upgrade"),
	NAME(HTTP_NAME_VIA, "Via"),
	NAME(HTTP_NAME_X_FORWARDED_FOR, "X-Forwarded-For"),
	NAME(HTTP_NAME_X_FORWARDED_HOST, "X-Forwarded-Host"),
	NAME(HTTP_NAME_X_FORWARDED_PORT, "X-Forwarded-Port"),
	NAME(HTTP_NAME_X_FORWARDED_PROTO, "X-Forwarded-Proto"),
	NAME(HTTP_NAME_X_REAL_IP, "X-Real-IP"),
#undef NAME
};

/* RFC 9110 5.6.2: tchar. */
static const bool token_chars[256] = {
	['!'] = true,
	['#'] = true,
	['$'] = true,
	['%'] = true,
	['&'] = true,
	['\''] = true,
	['*'] = true,
	['+'] = true,
	['-'] = true,
	['.'] = true,
	['^'] = true,
	['_'] = true,
	['`'] = true,
	['|'] = true,
	['~'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
};

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool http_text_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		if (lower((unsigned char)a[i]) != lower((unsigned char)b[i]))
			return false;
	return true;
}

enum http_name http_name_find(const char *name, size_t len)
{
	if (len < 2 || len > HTTP_NAME_LEN)
		return HTTP_NAME_OTHER;
	for (unsigned i = HTTP_NAME_OTHER + 1; i < HTTP_NAME_MAX; i++)
		if (names[i].len == len && http_text_equal(names[i].text, len, name, len))
			return (enum http_name)i;
	return HTTP_NAME_OTHER;
}

/* As it reads where every other character is made one. */
static char plain(char c)
{
	unsigned char l = lower((unsigned char)c);

	if ((l >= 'a' && l <= 'z') || (l >= '0' && l <= '9'))
		return (char)l;
	return '-';
}

bool http_name_alike(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		if (plain(a[i]) != plain(b[i]))
			return false;
	return true;
}

bool http_name_is_taken(const char *name, size_t len)
{
	static const char forwarded[] = "x-forwarded";
	constexpr size_t forwarded_len = sizeof(forwarded) - 1;
	char read[HTTP_NAME_LEN];

	if (len >= forwarded_len && http_name_alike(name, forwarded_len, forwarded, forwarded_len))
		return true;
	if (len > sizeof(read))
		return false;
	for (size_t i = 0; i < len; i++)
		read[i] = plain(name[i]);
	return http_name_find(read, len) != HTTP_NAME_OTHER;
}

const char *http_name_str(enum http_name name)
{
	assert(name < HTTP_NAME_MAX);
	return names[name].text;
}

bool http_is_token_char(unsigned char c)
{
	return token_chars[c];
}

bool http_is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!token_chars[(unsigned char)text[i]])
			return false;
	return len > 0;
}

int http_hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
