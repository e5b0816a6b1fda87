/* SPDX-License-Identifier: Apache-2.0 */
#include "http/target.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

constexpr size_t HOST_MAX = 255;

/* What a path may hold as it is: RFC 3986 3.3, and what browsers do not escape (WHATWG URL, path
 * percent-encode set). */
static const bool path_chars[256] = {
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['0' ... '9'] = true,
	['-'] = true,
	['.'] = true,
	['_'] = true,
	['~'] = true,
	['!'] = true,
	['$'] = true,
	['&'] = true,
	['\''] = true,
	['('] = true,
	[')'] = true,
	['*'] = true,
	['+'] = true,
	[','] = true,
	[';'] = true,
	['='] = true,
	[':'] = true,
	['@'] = true,
	['/'] = true,
	['['] = true,
	[']'] = true,
	['^'] = true,
	['|'] = true,
	['{'] = true,
	['}'] = true,
};

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* RFC 3986 2.3: escaped or not, it is the same. */
static bool is_unreserved(unsigned char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* The authority. */

static bool is_ipv6(const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_alnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '.' &&
			text[i] != '_')
			return false;
	return len > 0 && len <= HOST_MAX && text[0] != '.';
}

/* ":80"; empty is 0. */
static int port_read(const char *text, size_t len, uint16_t *out)
{
	unsigned port = 0;

	*out = 0;
	if (len == 0)
		return 0;
	if (text[0] != ':' || len == 1 || len > 6)
		return -EBADMSG;
	for (size_t i = 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EBADMSG;
		port = 10 * port + (unsigned)(text[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -EBADMSG;
	*out = (uint16_t)port;
	return 0;
}

int http_authority_read(const char *text, size_t len, struct http_authority *out)
{
	bool bracket = len > 0 && text[0] == '[';
	const char *end = len ? memchr(text, bracket ? ']' : ':', len) : nullptr;
	if (bracket && !end)
		return -EBADMSG;
	size_t used = end ? (size_t)(end - text) : len;

	*out = (struct http_authority){.host = text + bracket, .host_len = used - bracket};
	if (bracket ? !is_ipv6(out->host, out->host_len) : !is_name(out->host, out->host_len))
		return -EBADMSG;
	return port_read(text + used + bracket, len - used - bracket, &out->port);
}

/* The path. */

struct writer {
	char *at;
	size_t len;
	size_t segment; /* where the last one begins */
};

static void put(struct writer *w, unsigned char c)
{
	w->at[w->len++] = (char)c;
}

/* ";", which begins the parameters of a segment, escaped or not. */
static bool is_semicolon(const char *at, size_t len)
{
	return (len > 0 && at[0] == ';') || (len > 2 && memcmp(at, "%3B", 3) == 0);
}

/* "." or "..", also with parameters behind it, which some servers take off before they look. */
static bool is_dots(const struct writer *w)
{
	const char *at = w->at + w->segment;
	size_t len = w->len - w->segment, dots = 0;

	while (dots < len && at[dots] == '.')
		dots++;
	return (dots == 1 || dots == 2) && (dots == len || is_semicolon(at + dots, len - dots));
}

static enum http_fault put_slash(struct writer *w)
{
	if (w->len > w->segment || w->len == 0) {
		if (is_dots(w))
			return HTTP_FAULT_TARGET_SEGMENT;
		put(w, '/');
		w->segment = w->len;
	}
	return HTTP_FAULT_NONE;
}

/* %XX at the beginning of text. */
static enum http_fault put_escape(struct writer *w, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	int high = len > 2 ? http_hex_value((unsigned char)text[1]) : -1;
	int low = len > 2 ? http_hex_value((unsigned char)text[2]) : -1;
	if (high < 0 || low < 0)
		return HTTP_FAULT_TARGET_ENCODING;

	unsigned char c = (unsigned char)(high << 4 | low);
	if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
		return HTTP_FAULT_TARGET_ENCODING;
	if (is_unreserved(c)) {
		put(w, c);
		return HTTP_FAULT_NONE;
	}
	put(w, '%');
	put(w, (unsigned char)digits[high]);
	put(w, (unsigned char)digits[low]);
	return HTTP_FAULT_NONE;
}

static enum http_fault put_path(struct writer *w, const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)path[i];
		enum http_fault fault = HTTP_FAULT_NONE;
		if (c == '/') {
			fault = put_slash(w);
		} else if (c == '%') {
			fault = put_escape(w, path + i, len - i);
			i += 2;
		} else if (path_chars[c]) {
			put(w, c);
		} else {
			fault = HTTP_FAULT_TARGET;
		}
		if (fault != HTTP_FAULT_NONE)
			return fault;
	}
	return is_dots(w) ? HTTP_FAULT_TARGET_SEGMENT : HTTP_FAULT_NONE;
}

/* Anything visible but "#", which begins what is no part of a target. */
static bool is_query(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] == 0x7f || text[i] == '#')
			return false;
	return true;
}

static enum http_fault read_path(
	const char *text, size_t len, char *scratch, struct http_target *out)
{
	const char *query = len ? memchr(text, '?', len) : nullptr;
	size_t path_len = query ? (size_t)(query - text) : len;
	struct writer w = {.at = scratch};

	enum http_fault fault = put_path(&w, text, path_len);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	if (!is_query(text + path_len, len - path_len))
		return HTTP_FAULT_TARGET;
	out->path = w.len ? w.at : "/";
	out->path_len = w.len ? w.len : 1;
	out->query = query ? query : "";
	out->query_len = len - path_len;
	return HTTP_FAULT_NONE;
}

/* The forms. */

static const struct {
	const char *text;
	size_t len;
	uint16_t port;
} schemes[] = {{"http://", 7, 80}, {"https://", 8, 443}};

static bool same_authority(
	const struct http_authority *a, const struct http_authority *b, uint16_t port)
{
	return http_text_equal(a->host, a->host_len, b->host, b->host_len) &&
	       (a->port ? a->port : port) == (b->port ? b->port : port);
}

static enum http_fault read_absolute(
	const struct http_request *r, size_t scheme, char *scratch, struct http_target *out)
{
	const char *text = r->target + schemes[scheme].len;
	size_t len = r->target_len - schemes[scheme].len, used = 0;
	struct http_authority authority;

	while (used < len && text[used] != '/' && text[used] != '?')
		used++;
	if (http_authority_read(text, used, &authority) < 0)
		return HTTP_FAULT_TARGET_FORM;
	if (!same_authority(&authority, &out->authority, schemes[scheme].port))
		return HTTP_FAULT_HOST_DISAGREES;
	return read_path(text + used, len - used, scratch, out);
}

static enum http_fault read_form(
	const struct http_request *r, char *scratch, struct http_target *out)
{
	if (r->target[0] == '/')
		return read_path(r->target, r->target_len, scratch, out);
	if (r->target_len == 1 && r->target[0] == '*' && r->method == HTTP_METHOD_OPTIONS) {
		*out = (struct http_target){"*", 1, "", 0, out->authority};
		return HTTP_FAULT_NONE;
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (r->target_len > schemes[i].len &&
			http_text_equal(r->target, schemes[i].len, schemes[i].text, schemes[i].len))
			return read_absolute(r, i, scratch, out);
	return HTTP_FAULT_TARGET_FORM;
}

int http_target_read(const struct http_request *request, char *scratch, struct http_target *out,
	enum http_fault *why)
{
	*why = HTTP_FAULT_HOST_INVALID;
	if (http_authority_read(request->host, request->host_len, &out->authority) < 0)
		return -EBADMSG;
	*why = read_form(request, scratch, out);
	return *why == HTTP_FAULT_NONE ? 0 : -EBADMSG;
}
