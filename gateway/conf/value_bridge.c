/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_bridge.h"
#include "conf/arena.h"
#include "conf/authority.h"
#include "conf/diag.h"
#include "conf/value.h"
#include "conf/value_word.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

static void copy(struct reader *r, const char *text, void *to)
{
	*(char **)to = arena_strdup(r->arena, text);
}

/* ---- Where is listened ---- */

/* An address of the host itself can be any, but for those that belong to nobody. */
static const char *listen_fault(const struct authority *at)
{
	static const struct prefix nobody[] = {
		{{AF_INET, {}}, 8},
		{{AF_INET, {224}}, 3},
		{{AF_INET6, {}}, 128},
		{{AF_INET6, {0xff}}, 8},
		{{AF_INET6, {0xfe, 0x80}}, 10},
	};

	if (at->address.family == AF_UNSPEC)
		return "has a name where an address is needed";
	if (at->port == 0)
		return "has no port";
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		if (prefix_contains_addr(&nobody[i], &at->address))
			return "has an address that no host can listen on by itself";
	return nullptr;
}

void value_listen(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node), *end = text;
	struct config_listen *listen = to;
	struct authority at = {.port = port_parse(&end)};

	if (at.port && *end == '\0') {
		listen->port = at.port;
		return;
	}
	bool digits = text[0] && text[strspn(text, DIGITS)] == '\0';
	const char *fault = digits ? "is no number from 1 to 65535" : authority_parse(text, &at);
	if (!fault)
		fault = listen_fault(&at);
	if (fault) {
		MISTAKE(r, node, "\"%s\" is not a port or ADDRESS:PORT: it %s",
			reader_shown(node).text, fault);
		return;
	}
	listen->address = at.address;
	listen->port = at.port;
}

/* Of sockaddr_un, with the NUL behind it. */
static const char *socket_path_fault(const char *path)
{
	const char *fault = path_fault(path);

	return !fault && strlen(path) >= sizeof(((struct sockaddr_un *)nullptr)->sun_path)
		       ? "is longer than a socket's path may be"
		       : fault;
}

void value_admin(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node), *fault;
	char canonical[AUTHORITY_STRLEN];
	struct authority at = {};

	if (strcmp(text, "none") == 0) {
		copy(r, "", to);
		return;
	}
	bool is_unix = strncmp(text, "unix:", 5) == 0;
	fault = is_unix ? socket_path_fault(text + 5) : authority_parse(text, &at);
	if (!fault && !is_unix)
		fault = listen_fault(&at);
	if (fault)
		MISTAKE(r, node, "\"%s\" is not ADDRESS:PORT, unix:PATH or none: it %s",
			reader_shown(node).text, fault);
	else
		copy(r, is_unix ? text : authority_str(&at, canonical), to);
}

/* ---- Where is forwarded to ---- */

static const struct {
	const char *prefix;
	enum upstream_scheme scheme;
	uint16_t port;
} schemes[] = {{"http://", UPSTREAM_HTTP, 80}, {"https://", UPSTREAM_HTTPS, 443}};

/* Loopback is a service of the gateway's own, which only its operator can mean. */
static const char *upstream_fault(const struct authority *at)
{
	static const struct prefix loopback[] = {
		{{AF_INET, {127}}, 8}, {{AF_INET6, {[15] = 1}}, 128}};
	struct prefix host = prefix_of(&at->address);

	if (at->address.family == AF_UNSPEC || prefix_contains(&loopback[0], &host) ||
		prefix_contains(&loopback[1], &host))
		return nullptr;
	return prefix_is_special(&host) ? "has an address that no service can have" : nullptr;
}

static const char *parse_unix(struct reader *r, const char *path, struct config_upstream *to)
{
	const char *fault = socket_path_fault(path);

	if (!fault)
		*to = (struct config_upstream){.scheme = UPSTREAM_UNIX,
			.path = arena_strdup(r->arena, path),
			.mark = to->mark};
	return fault;
}

static const char *parse_url(struct reader *r, const char *text, struct config_upstream *to)
{
	size_t i = 0;
	struct authority at;

	while (i < 2 && strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
		i++;
	if (i == 2)
		return "does not begin with http://, https:// or unix:/";
	text += strlen(schemes[i].prefix);
	if (strpbrk(text, "/?#"))
		return "has a path, which belongs to the request; leave it out";
	if (strchr(text, '@'))
		return "has a user name, which is never sent; leave it out";
	const char *fault = authority_parse(text, &at);
	if (!fault)
		fault = upstream_fault(&at);
	if (!fault)
		*to = (struct config_upstream){.scheme = schemes[i].scheme,
			.host = arena_strdup(r->arena, at.host),
			.address = at.address,
			.port = at.port ? at.port : schemes[i].port,
			.mark = to->mark};
	return fault;
}

void value_upstream(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node);
	bool is_unix = strncmp(text, "unix:", 5) == 0;
	const char *fault = is_unix ? parse_unix(r, text + 5, to) : parse_url(r, text, to);

	if (fault)
		MISTAKE(r, node, "\"%s\" is no upstream: it %s", reader_shown(node).text, fault);
}

void value_target(struct reader *r, const yaml_node_t *node, void *to)
{
	char canonical[AUTHORITY_STRLEN];
	struct authority at;
	const char *fault = authority_parse(reader_text(node), &at);

	if (!fault && at.port == 0)
		fault = "has no port";
	if (fault)
		MISTAKE(r, node, "\"%s\" is not a target like 10.0.1.50:3000: it %s",
			reader_shown(node).text, fault);
	else
		copy(r, authority_str(&at, canonical), to);
}

/* ---- Routes ---- */

/* Of a host without a port; wild: "*" and "*.suffix" too. */
static const char *parse_host(const char *text, bool wild, char buf[AUTHORITY_STRLEN])
{
	struct authority at;
	bool suffix = wild && strncmp(text, "*.", 2) == 0;

	if (wild && strcmp(text, "*") == 0) {
		memcpy(buf, "*", 2);
		return nullptr;
	}
	const char *fault = authority_parse(text + (suffix ? 2 : 0), &at);
	if (fault)
		return fault;
	if (at.port)
		return "has a port; leave it out";
	if (suffix && at.address.family != AF_UNSPEC)
		return "has an address behind the star";
	if (suffix)
		snprintf(buf, AUTHORITY_STRLEN, "*.%s", at.host);
	else
		authority_str(&at, buf);
	return nullptr;
}

void value_route_host(struct reader *r, const yaml_node_t *node, void *to)
{
	char host[AUTHORITY_STRLEN];
	const char *fault = parse_host(reader_text(node), true, host);

	if (fault)
		MISTAKE(r, node,
			"\"%s\" is not a host like service.internal, \"*.internal\" or \"*\": it %s",
			reader_shown(node).text, fault);
	else
		copy(r, host, to);
}

void value_server_name(struct reader *r, const yaml_node_t *node, void *to)
{
	struct authority at = {};
	const char *text = reader_text(node);
	/* Here nothing follows an address, so it needs no brackets. */
	const char *fault = addr_parse(text, &at.address) == 0 ? nullptr : name_fault(text);

	if (fault) {
		MISTAKE(r, node, "\"%s\" is no usable server name: it %s", reader_shown(node).text,
			fault);
	} else if (at.address.family != AF_UNSPEC) {
		copy(r, addr_str(&at.address, at.host), to);
	} else {
		(void)authority_parse(text, &at);
		copy(r, at.host, to);
	}
}

void value_host_header(struct reader *r, const yaml_node_t *node, void *to)
{
	static const char *const list[] = {"preserve", "upstream"};
	static const struct words words = {list, 2, nullptr};
	const char *text = reader_text(node);
	char canonical[AUTHORITY_STRLEN];
	struct suggestion best = {};
	struct authority at;
	int word = words_find(&words, text, &best);
	const char *fault = word < 0 ? authority_parse(text, &at) : nullptr;

	*(char **)to = nullptr;
	if (word >= 0)
		copy(r, list[word], to);
	else if (best.word)
		MISTAKE(r, node, "\"%s\" looks like a misspelt %s", reader_shown(node).text,
			best.word);
	else if (fault)
		MISTAKE(r, node, "\"%s\" is not preserve, upstream or a host: it %s",
			reader_shown(node).text, fault);
	else
		copy(r, authority_str(&at, canonical), to);
}

constexpr size_t URL_PATH_MAX = 1024;

/* RFC 3986 section 3.3, pchar without percent-encoding. */
#define PATH_CHARACTERS LETTERS DIGITS "-._~!$&'()*+,;=:@/"

static const char *url_path_fault(const char *path, const char *allowed)
{
	if (path[0] != '/')
		return "does not begin with /";
	if (strlen(path) > URL_PATH_MAX)
		return "is longer than 1024 characters";
	if (path[strspn(path, allowed)] != '\0')
		return "has a character that cannot stand there by itself";
	return nullptr;
}

/* Two slashes, "." and "..": what a request's path is freed of before it is compared. */
static const char *prefix_path_fault(const char *path)
{
	for (const char *part = path; *part; part += strcspn(part, "/")) {
		part++;
		size_t len = strcspn(part, "/");
		bool dots = (len == 1 && part[0] == '.') ||
			    (len == 2 && memcmp(part, "..", 2) == 0);
		if (len == 0 && (part[0] || part != path + 1))
			return part[0] ? "has two slashes in a row" : "ends in a slash";
		if (dots)
			return "has a part \".\" or \"..\"";
	}
	return nullptr;
}

void value_route_path(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node), *fault = url_path_fault(text, PATH_CHARACTERS);

	*(char **)to = nullptr;
	if (!fault)
		fault = prefix_path_fault(text);
	if (fault)
		MISTAKE(r, node, "\"%s\" is not a path like /api: it %s", reader_shown(node).text,
			fault);
	else
		copy(r, text, to);
}

void value_health_path(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node), *fault = url_path_fault(text, PATH_CHARACTERS "%?");

	if (fault)
		MISTAKE(r, node, "\"%s\" is not a path like /healthz: it %s",
			reader_shown(node).text, fault);
	else
		copy(r, text, to);
}

/* ---- Headers ---- */

/* They say where a message ends and what a connection does, which is not the configuration's. */
static const char *const framing[] = {"connection", "content-length", "expect", "http2-settings",
	"keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via"};

static const char *header_fault(const char *name)
{
	static const char tchar[] = LETTERS DIGITS "!#$%&'*+-.^_`|~"; /* RFC 9110 section 5.6.2 */

	if (name[0] == '\0')
		return "is empty";
	if (strlen(name) > 128)
		return "is longer than 128 characters";
	if (name[strspn(name, tchar)] != '\0')
		return "has a character that is none of a header's";
	if (strcasecmp(name, "host") == 0)
		return "is what host_header is for";
	for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++)
		if (strcasecmp(name, framing[i]) == 0)
			return "belongs to the connection, which is the bridge's";
	return nullptr;
}

void value_header_name(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *fault = header_fault(reader_text(node));

	if (fault)
		MISTAKE(r, node, "\"%s\" is no usable header: it %s", reader_shown(node).text,
			fault);
	else
		copy(r, reader_text(node), to);
}

static const char *header_text_fault(const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return "is empty";
	if (len > 4096)
		return "is longer than 4096 characters";
	if (text[0] == ' ' || text[len - 1] == ' ')
		return "has spaces at an end";
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return "has a character that is not ASCII";
	return nullptr;
}

void value_header_text(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *fault = header_text_fault(reader_text(node));

	if (fault)
		MISTAKE(r, node, "\"%s\" is no usable value: it %s", reader_shown(node).text,
			fault);
	else
		copy(r, reader_text(node), to);
}

/* ---- Words ---- */

void value_reveal(struct reader *r, const yaml_node_t *node, void *to)
{
	struct word word = {};

	value_word(r, node, &word);
	if (word.known)
		*(enum reveal *)to = (enum reveal)word.index;
}

void value_proxy_protocol(struct reader *r, const yaml_node_t *node, void *to)
{
	struct word word = {};

	value_word(r, node, &word);
	*(bool *)to = word.known;
}
