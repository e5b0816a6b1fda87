/* SPDX-License-Identifier: Apache-2.0 */
#include "route/host.h"
#include "lib/ip.h"
#include <stdio.h>
#include <string.h>

constexpr size_t NAME_MAX_LEN = 253;
constexpr size_t LABEL_MAX_LEN = 63;

/* The underscore is in no host name of RFC 1123 and in many of DNS. */
static char name_char(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
	if (!plain)
		return '\0';
	return c;
}

static size_t normal_name(const char *text, size_t len, char *out)
{
	size_t label = 0;

	if (len && text[len - 1] == '.')
		len--;
	if (!len || len > NAME_MAX_LEN)
		return 0;
	for (size_t i = 0; i < len; i++) {
		out[i] = text[i];
		if (out[i] != '.')
			out[i] = name_char(out[i]);
		label = text[i] == '.' ? 0 : label + 1;
		bool empty = text[i] == '.' && (i == 0 || text[i - 1] == '.');
		if (!out[i] || empty || label > LABEL_MAX_LEN)
			return 0;
	}
	return label ? len : 0;
}

static size_t normal_ipv6(const char *text, size_t len, char *out)
{
	char copy[ADDR_STRLEN], form[ADDR_STRLEN];
	struct addr a;

	if (len >= sizeof(copy))
		return 0;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (addr_parse(copy, &a) < 0 || a.family != AF_INET6)
		return 0;
	return (size_t)snprintf(out, HOST_MAX, "[%s]", addr_str(&a, form));
}

static bool is_port(const char *text, size_t len)
{
	bool digits = len <= 5;

	for (size_t i = 0; i < len && digits; i++)
		digits = text[i] >= '0' && text[i] <= '9';
	return digits;
}

static size_t normal(const char *text, size_t len, char *out)
{
	const char *colon = len ? memchr(text, ':', len) : nullptr;
	const char *end = text + len;

	if (len && text[0] == '[') {
		const char *close = memchr(text, ']', len);
		if (!close)
			return 0;
		const char *rest = close + 1;
		if (rest < end && (*rest != ':' || !is_port(rest + 1, (size_t)(end - rest - 1))))
			return 0;
		return normal_ipv6(text + 1, (size_t)(close - text - 1), out);
	}
	if (!colon)
		return normal_name(text, len, out);
	if (memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		return normal_ipv6(text, len, out);
	if (!is_port(colon + 1, (size_t)(end - colon - 1)))
		return 0;
	return normal_name(text, (size_t)(colon - text), out);
}

size_t host_normal(const char *text, size_t len, char out[static HOST_MAX])
{
	size_t n = normal(text, len, out);

	out[n] = '\0';
	return n;
}
