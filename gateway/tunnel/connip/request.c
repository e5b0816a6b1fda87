/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/request.h"
#include "connip/uri.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* Status and error type (RFC 9209 2.3) of each answer, and a word to people. */
static const struct {
	unsigned status;
	const char *error, *detail;
} answers[REQUEST_VERDICTS] = {
	[REQUEST_ACCEPTED] = {200, nullptr, nullptr},
	[REQUEST_MALFORMED] = {400, "http_request_error", "malformed: RFC 9484 4.4, 4.6"},
	[REQUEST_NO_METHOD] = {405, "http_request_error", "no extended CONNECT"},
	[REQUEST_UNKNOWN_PROTOCOL] = {501, "http_request_denied", "no such protocol"},
	[REQUEST_NOT_FOUND] = {404, "http_request_error", "the path is none of the template's"},
	[REQUEST_BAD_SCOPE] = {403, "http_request_denied", "an extension header is no protocol"},
	[REQUEST_FORBIDDEN] = {403, "http_request_denied", "no node of this edge"},
	[REQUEST_TARGET_REFUSED] = {403, "destination_ip_prohibited", nullptr},
	[REQUEST_DNS_ERROR] = {502, "dns_error", "the name was not resolved"},
	[REQUEST_DNS_TIMEOUT] = {504, "dns_timeout", nullptr},
	[REQUEST_TOO_MANY] = {503, "connection_limit_reached", "one tunnel a connection"},
	[REQUEST_TOO_OFTEN] = {429, "http_request_denied", "too many requests"},
};

static bool is_there(const char *field)
{
	return field && *field;
}

static enum request_verdict read_path(
	const struct request_rules *rules, const char *path, struct scope *out)
{
	struct template_values values = {};

	if (rules->path)
		return strcmp(rules->path, path) == 0 ? REQUEST_ACCEPTED : REQUEST_NOT_FOUND;

	int r = rules->template ? template_match(rules->template, path, &values) : 0;

	if (r == 0)
		r = scope_read(&values, out);
	return r == 0                  ? REQUEST_ACCEPTED
	       : r == -ENOENT          ? REQUEST_NOT_FOUND
	       : r == -EPROTONOSUPPORT ? REQUEST_BAD_SCOPE
				       : REQUEST_MALFORMED;
}

enum request_verdict request_read(
	const struct request_head *head, const struct request_rules *rules, struct scope *out)
{
	const char *protocol = rules->protocol ? rules->protocol : "connect-ip";

	if (!is_there(head->method))
		return REQUEST_MALFORMED;
	if (strcmp(head->method, "CONNECT") != 0 || !head->protocol)
		return REQUEST_NO_METHOD;
	/* RFC 9484 4.4; RFC 8441 4: with :protocol there are :scheme and :path. */
	if (!is_there(head->authority) || !is_there(head->scheme) || !is_there(head->path))
		return REQUEST_MALFORMED;
	if (strcmp(head->protocol, protocol) != 0)
		return REQUEST_UNKNOWN_PROTOCOL;
	/* RFC 9484 4: TLS or QUIC; a scheme beside "https" asks for something else. */
	if (head->has_content || strcmp(head->scheme, "https") != 0)
		return REQUEST_MALFORMED;
	return read_path(rules, head->path, out);
}

unsigned request_status(enum request_verdict verdict)
{
	assert(verdict < REQUEST_VERDICTS);
	return answers[verdict].status;
}

const char *request_proxy_status(enum request_verdict verdict, const char *name, const char *detail,
	char out[static REQUEST_PROXY_STATUS_MAX])
{
	char text[128] = "";
	size_t n = 0;

	assert(verdict < REQUEST_VERDICTS && verdict != REQUEST_ACCEPTED);
	if (!detail)
		detail = answers[verdict].detail;
	for (; detail && *detail && n < sizeof(text) - 1; detail++)
		if (*detail >= ' ' && *detail <= '~' && *detail != '"' && *detail != '\\')
			text[n++] = *detail;
	if (n)
		snprintf(out, REQUEST_PROXY_STATUS_MAX, "%s; error=%s; details=\"%s\"", name,
			answers[verdict].error, text);
	else
		snprintf(out, REQUEST_PROXY_STATUS_MAX, "%s; error=%s", name,
			answers[verdict].error);
	return out;
}

bool request_response_ok(unsigned status, bool has_content, bool *malformed)
{
	bool success = status >= 200 && status <= 299;

	/* RFC 9297 3.2 */
	*malformed = success && (has_content || (status >= 204 && status <= 206));
	return success && !*malformed;
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || uri_is_digit(c) || (c && strchr("_-.*", c));
}

/* RFC 8941 3.3.3: an sf-string with its quotes; nullptr = it is none. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++) {
		bool escapes = p[0] == '\\' && (p[1] == '"' || p[1] == '\\');
		if (!escapes && (*p == '\\' || *p < 0x20 || *p > 0x7e))
			return nullptr;
		if (escapes)
			p++;
	}
	return p + 1;
}

/* RFC 8941 3.3: the characters of every bare item but strings. */
static const char *skip_item(const char *p)
{
	if (*p == '"')
		return skip_string(p);
	size_t n = 0;
	while (uri_is_unreserved(p[n]) || (p[n] && strchr("!#$%&'*+/:=?^`|", p[n])))
		n++;
	return n ? p + n : nullptr;
}

/* RFC 8941 3.1.2: *( ";" *SP key [ "=" bare-item ] ), then nothing but blanks. */
static bool are_parameters(const char *p)
{
	while (p && *p == ';') {
		p += 1 + strspn(p + 1, " ");
		if (!(*p >= 'a' && *p <= 'z') && *p != '*')
			return false;
		while (is_key_char(*p))
			p++;
		if (*p == '=')
			p = skip_item(p + 1);
	}
	return p && p[strspn(p, " ")] == '\0';
}

bool request_capsule_protocol(const char *value)
{
	value += strspn(value, " ");
	return strncmp(value, "?1", 2) == 0 && are_parameters(value + 2);
}
