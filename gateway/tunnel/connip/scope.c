/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/scope.h"
#include "connip/address.h"
#include "connip/uri.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

/* 1*3DIGIT, at most max; leading zeros are in the grammar. -EBADMSG otherwise. */
static int read_number(const char *text, size_t digits, unsigned max)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > digits)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (!uri_is_digit(text[i]))
			return -EBADMSG;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	return value <= max ? (int)value : -EBADMSG;
}

/* IPv6address or IPv4address (RFC 3986 3.2.2; inet_pton(3) takes the same), without a zone. */
static bool read_addr(const char *text, size_t n, struct addr *out)
{
	char host[ADDR_STRLEN];

	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	*out = (struct addr){.family = strchr(host, ':') ? AF_INET6 : AF_INET};
	return inet_pton(out->family, host, out->b) == 1;
}

/* -ENOENT: no address begins it, so it may be a name. */
static int read_prefix(const char *text, struct prefix *out)
{
	size_t n = strcspn(text, "/");

	if (!read_addr(text, n, &out->addr))
		return strpbrk(text, "/:") ? -EBADMSG : -ENOENT;
	unsigned bits = addr_bits(out->addr.family);
	int len = text[n] ? read_number(text + n + 1, bits == 32 ? 2 : 3, bits) : (int)bits;
	if (len < 0)
		return len;
	out->len = (uint8_t)len;
	return address_is_canonical(out) ? 0 : -EBADMSG;
}

/* reg-name = *( unreserved / pct-encoded / sub-delims ) */
static bool is_reg_name(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (uri_is_escape(p))
			p += 2;
		else if (!uri_is_unreserved(*p) && !uri_is_sub_delim(*p))
			return false;
	}
	return *text;
}

static int read_target(const char *text, struct scope *out)
{
	if (!*text || strcmp(text, "*") == 0)
		return 0;

	int r = read_prefix(text, &out->prefix);
	if (r != -ENOENT) {
		out->kind = SCOPE_PREFIX;
		return r;
	}
	if (!is_reg_name(text))
		return -EBADMSG;
	out->kind = SCOPE_NAME;
	snprintf(out->name, sizeof(out->name), "%s", text);
	return 0;
}

/* IANA's "IPv6 Extension Header Types". */
static bool is_extension(int proto)
{
	static const uint8_t types[] = {0, 43, 44, 50, 51, 60, 135, 139, 140, 253, 254};

	return memchr(types, proto, sizeof(types));
}

static int read_ipproto(const char *text, struct scope *out)
{
	if (!*text || strcmp(text, "*") == 0)
		return 0;

	int proto = read_number(text, 3, 255);
	if (proto < 0)
		return proto;
	if (is_extension(proto))
		return -EPROTONOSUPPORT;
	out->ipproto = (uint8_t)proto;
	return 0;
}

int scope_read(const struct template_values *values, struct scope *out)
{
	struct scope scope = {};
	int r = read_target(values->target, &scope);

	if (r == 0)
		r = read_ipproto(values->ipproto, &scope);
	if (r == 0)
		*out = scope;
	return r;
}

void scope_values(const struct scope *scope, struct template_values *out)
{
	char text[PREFIX_STRLEN];
	bool host = scope->prefix.len == addr_bits(scope->prefix.addr.family);

	*out = (struct template_values){.target = "*", .ipproto = "*"};
	if (scope->kind == SCOPE_NAME)
		snprintf(out->target, sizeof(out->target), "%s", scope->name);
	if (scope->kind == SCOPE_PREFIX)
		snprintf(out->target, sizeof(out->target), "%s",
			host ? addr_str(&scope->prefix.addr, text)
			     : prefix_str(&scope->prefix, text));
	if (scope->ipproto)
		snprintf(out->ipproto, sizeof(out->ipproto), "%u", scope->ipproto);
}
