/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/escape.h"
#include "verdict/evidence.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What stands in front of "://", "tcp" where nothing does. */
static const struct word {
	const char *text;
	uint8_t proto;
	enum flow_scheme scheme;
	uint16_t port; /* when none is given; 0 = one must be */
	bool has_port, has_path;
} words[] = {
	{"tcp", IPPROTO_TCP, SCHEME_NONE, 0, true, false},
	{"udp", IPPROTO_UDP, SCHEME_NONE, 0, true, false},
	{"icmp", IPPROTO_ICMP, SCHEME_NONE, 0, false, false},
	{"http", IPPROTO_TCP, SCHEME_HTTP, 80, true, true},
	{"https", IPPROTO_TCP, SCHEME_HTTPS, 443, true, true},
};

static const struct word *word_find(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].text) == len && !strncmp(words[i].text, text, len))
			return &words[i];
	return nullptr;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_label(const char *text, size_t len)
{
	if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	return true;
}

/* A host name as resolvers take it (RFC 1123 section 2.1, and underscores), with the root's dot or
 * without. A last label of digits alone would be a mistyped address. */
static bool is_name(const char *text)
{
	bool digits = true;

	if (strlen(text) > 253)
		return false;
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ".");
		if (!is_label(p, len))
			return false;
		digits = strspn(p, "0123456789") >= len;
		p += len;
		if (*p == '\0' || p[1] == '\0')
			return !digits;
	}
}

static int host_parse(const char *host, struct flow *f, struct err *err)
{
	if (addr_parse(host, &f->target) >= 0)
		return 0;
	if (!is_name(host))
		return err_set(
			err, EINVAL, "target: \"%s\" is neither an address nor a name", host);
	snprintf(f->host, sizeof(f->host), "%s", host);
	return 0;
}

/* Splits HOST, HOST:PORT, [ADDR6], [ADDR6]:PORT; *port is "" where there is none. */
static int authority_split(char *text, char **host, char **port, struct err *err)
{
	char *end = text + strlen(text), *colon = strrchr(text, ':');

	*host = text;
	*port = end;
	if (text[0] == '[') {
		char *close = strchr(text, ']');
		if (!close || (close[1] != '\0' && close[1] != ':'))
			return err_set(err, EINVAL, "target: \"[\" without \"]\" or \"]:PORT\"");
		if (close[1] == ':' && close[2] == '\0')
			return err_set(err, EINVAL, "target: no port behind \":\"");
		*port = close[1] ? close + 2 : end;
		*host = text + 1;
		*close = '\0';
		return strchr(*host, ':') ? 0
					  : err_set(err, EINVAL,
						    "target: only IPv6 addresses stand in "
						    "brackets");
	}
	if (colon && strchr(text, ':') == colon) {
		if (colon[1] == '\0')
			return err_set(err, EINVAL, "target: no port behind \":\"");
		*colon = '\0';
		*port = colon + 1;
	}
	return 0;
}

static int port_parse(const char *text, uint16_t *out, struct err *err)
{
	unsigned port = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || port > UINT16_MAX)
			return err_set(err, EINVAL, "target: \"%s\" is no port", text);
		port = port * 10 + (unsigned)(*p - '0');
	}
	if (port == 0 || port > UINT16_MAX || text[0] == '0')
		return err_set(err, EINVAL, "target: \"%s\" is no port", text);
	*out = (uint16_t)port;
	return 0;
}

static int service_parse(const struct word *word, const char *host, const char *port,
	struct flow *f, struct err *err)
{
	if (!word->has_port && port[0])
		return err_set(err, EINVAL, "target: %s has no ports", word->text);
	if (strchr(host, ':') && !port[0] && word->has_port && !word->port)
		return err_set(err, EINVAL,
			"target: an IPv6 address with a port is written [ADDRESS]:PORT");
	if (word->has_port && !port[0] && !word->port)
		return err_set(err, EINVAL,
			"target: no port; HOST:PORT, or icmp://HOST to ask without one");
	f->port = word->port;
	return port[0] ? port_parse(port, &f->port, err) : 0;
}

static int authority_parse(
	const struct word *word, const char *text, size_t len, struct flow *f, struct err *err)
{
	char copy[sizeof(f->host) + sizeof("[]:65535")];
	char *host, *port;

	if (len >= sizeof(copy))
		return err_set(err, EINVAL, "target: too long");
	snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
	int r = authority_split(copy, &host, &port, err);
	if (r >= 0)
		r = service_parse(word, host, port, f, err);
	if (r >= 0)
		r = host_parse(host, f, err);
	if (r >= 0 && f->proto == IPPROTO_ICMP && f->target.family == AF_INET6)
		f->proto = IPPROTO_ICMPV6;
	return r;
}

/* Path and query; a fragment is never sent. */
static int path_parse(const struct word *word, const char *path, struct flow *f, struct err *err)
{
	size_t len = strcspn(path, "#");

	if (!word->has_path)
		return path[0] && strcmp(path, "/") != 0
			       ? err_set(err, EINVAL, "target: %s has no paths", word->text)
			       : 0;
	int n = snprintf(
		f->path, sizeof(f->path), "%s%.*s", path[0] == '/' ? "" : "/", (int)len, path);
	return (size_t)n < sizeof(f->path) ? 0
					   : err_set(err, EINVAL, "target: the path is too long");
}

int flow_parse(const char *text, struct flow *out, struct err *err)
{
	struct flow f = {};
	const char *rest = strstr(text, "://");
	const struct word *word = rest ? word_find(text, (size_t)(rest - text)) : &words[0];

	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(err, EINVAL, "target: spaces and unprintable characters");
	if (!word)
		return err_set(err, EINVAL, "target: one of tcp, udp, icmp, http, https :// HOST");
	rest = rest ? rest + 3 : text;
	size_t len = strcspn(rest, "/?#");
	if (len == 0)
		return err_set(err, EINVAL, "target: no host");
	if (memchr(rest, '@', len))
		return err_set(err, EINVAL, "target: no user or password is sent");
	f.proto = word->proto;
	f.scheme = word->scheme;
	int r = authority_parse(word, rest, len, &f, err);
	if (r >= 0)
		r = path_parse(word, rest + len, &f, err);
	if (r >= 0)
		*out = f;
	return r;
}

bool flow_is_outgoing(const struct flow *f)
{
	return !strcmp(f->from, FLOW_FROM_GATEWAY);
}

static const char *proto_str(const struct flow *f)
{
	if (f->scheme != SCHEME_NONE)
		return f->scheme == SCHEME_HTTP ? "http" : "https";
	switch (f->proto) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return "tcp";
	}
}

const char *flow_str(const struct flow *f, char buf[static FLOW_STRLEN])
{
	char address[ADDR_STRLEN] = "", host[sizeof(f->host)], port[8] = "";
	bool brackets = f->target.family == AF_INET6 && f->port && !f->host[0];

	if (f->target.family != AF_UNSPEC)
		addr_str(&f->target, address);
	escape_text(f->host, strnlen(f->host, sizeof(f->host)), host, sizeof(host));
	if (f->port)
		snprintf(port, sizeof(port), ":%u", f->port);
	if (host[0] && address[0])
		snprintf(buf, FLOW_STRLEN, "%s %s%s (%s)", proto_str(f), host, port, address);
	else
		snprintf(buf, FLOW_STRLEN, "%s %s%s%s%s", proto_str(f), brackets ? "[" : "",
			host[0] ? host : address, brackets ? "]" : "", port);
	return buf;
}
