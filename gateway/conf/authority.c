/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/authority.h"
#include "conf/value.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

constexpr size_t LABEL_MAX = 63; /* RFC 1035 section 2.3.4 */

static const char *label_fault(const char *label, size_t len)
{
	if (len == 0)
		return "has an empty part";
	if (len > LABEL_MAX)
		return "has a part of more than 63 characters";
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a part that begins or ends with -";
	return nullptr;
}

const char *name_fault(const char *name)
{
	static const char allowed[] = LETTERS DIGITS "-_";
	const char *fault = nullptr, *label = name;

	if (strlen(name) >= NAME_STRLEN)
		return "is longer than 253 characters";
	for (;;) {
		size_t len = strspn(label, allowed);
		if (label[len] != '\0' && label[len] != '.')
			return "has a character that is not a letter, a digit or one of . - _";
		fault = label_fault(label, len);
		if (fault)
			return fault;
		if (label[len] == '\0')
			break;
		label += len + 1;
	}
	return label[strspn(label, DIGITS)] == '\0' ? "ends in a number, as only addresses do"
						    : nullptr;
}

static const char *parse_host(const char *text, size_t len, bool brackets, struct authority *out)
{
	char host[NAME_STRLEN];
	const char *fault;

	if (len == 0)
		return "has no host";
	if (len >= sizeof(host))
		return "has a host of more than 253 characters";
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, &out->address) == 0) {
		if (out->address.family == AF_INET6 && !brackets)
			return "has an IPv6 address without brackets";
		if (out->address.family == AF_INET && brackets)
			return "has brackets around what is not an IPv6 address";
		addr_str(&out->address, out->host);
		return nullptr;
	}
	fault = brackets ? "has brackets around what is not an IPv6 address" : name_fault(host);
	if (fault)
		return fault;
	for (size_t i = 0; i <= len; i++)
		out->host[i] = (char)tolower((unsigned char)host[i]);
	return nullptr;
}

const char *authority_parse(const char *text, struct authority *out)
{
	struct authority found = {};
	bool brackets = text[0] == '[';
	const char *host = text + brackets, *end = brackets ? strchr(text, ']') : strchr(text, ':');

	if (brackets && !end)
		return "has no closing bracket";
	if (!brackets && end && strchr(end + 1, ':'))
		return "has an IPv6 address without brackets";
	size_t len = end ? (size_t)(end - host) : strlen(host);
	const char *fault = parse_host(host, len, brackets, &found);
	if (fault)
		return fault;

	const char *rest = host + len + brackets;
	if (*rest == ':') {
		rest++;
		found.port = port_parse(&rest);
		if (!found.port || *rest)
			return "has a port that is not a number from 1 to 65535";
	}
	if (*rest)
		return "has something behind the bracket that is not a port";
	*out = found;
	return nullptr;
}

const char *authority_str(const struct authority *authority, char *buf)
{
	bool v6 = authority->address.family == AF_INET6;
	int len = snprintf(
		buf, AUTHORITY_STRLEN, "%s%s%s", v6 ? "[" : "", authority->host, v6 ? "]" : "");

	if (authority->port)
		snprintf(buf + len, AUTHORITY_STRLEN - (size_t)len, ":%u", authority->port);
	return buf;
}
