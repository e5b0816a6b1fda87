/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"
#include "conf/arena.h"
#include "conf/diag.h"
#include "conf/suggest.h"
#include "lib/escape.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* dev_valid_name() of net/core/dev.c: not empty, shorter than IFNAMSIZ, not "." or "..", no '/',
 * ':' or white space. We are narrower, since the name goes into paths below /proc/sys, into FRR's
 * configuration and to terminals: "all" and "default" are no interface there
 * (sysctl_dev_name_is_allowed() of net/ipv4/devinet.c), and the characters are a whitelist. */
static const char *interface_fault(const char *name)
{
	static const char allowed[] = LETTERS DIGITS "._@-";

	if (name[0] == '\0')
		return "is empty";
	if (strlen(name) >= IFNAMSIZ)
		return "is longer than 15 characters";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "names a folder";
	if (strcmp(name, "all") == 0 || strcmp(name, "default") == 0)
		return "stands for all interfaces in /proc/sys/net";
	if (strcmp(name, "lo") == 0)
		return "is the loopback interface";
	if (name[strspn(name, allowed)] != '\0')
		return "has a character that is not a letter, a digit or one of . _ @ -";
	return nullptr;
}

void value_interface(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *name = reader_text(node), *fault = interface_fault(name);

	if (fault)
		MISTAKE(r, node, "\"%s\" is no usable interface name: it %s",
			reader_shown(node).text, fault);
	else
		memcpy(to, name, strlen(name) + 1);
}

/* A prefix without bits behind its length; those are a mistake, but what was meant is clear. */
static bool parse_prefix(
	struct reader *r, const yaml_node_t *node, const char *expected, struct prefix *out)
{
	char meant[PREFIX_STRLEN];

	switch (prefix_parse(reader_text(node), out)) {
	case 0:
		return true;
	case -EDOM:
		MISTAKE(r, node, "%s has bits set behind its length; did you mean %s?",
			reader_text(node), prefix_str(out, meant));
		return true;
	default:
		MISTAKE(r, node, "\"%s\" is not %s", reader_shown(node).text, expected);
		return false;
	}
}

static bool is_default(const char *text)
{
	struct prefix p;

	return prefix_parse(text, &p) == 0 && p.len == 0;
}

void value_network_or_default(struct reader *r, const yaml_node_t *node, void *to)
{
	if (is_default(reader_text(node)))
		(void)prefix_parse(reader_text(node), to);
	else
		value_network(r, node, to);
}

void value_network(struct reader *r, const yaml_node_t *node, void *to)
{
	struct prefix p = {};

	if (!parse_prefix(r, node, "a prefix like 10.0.1.0/24 or \"2001:db8:1::/64\"", &p))
		return;
	const char *text = reader_text(node), *special = prefix_special_str(&p);
	if (!strchr(text, '/'))
		MISTAKE(r, node, "%s has no length; add the network's, or /%u for this one address",
			text, p.len);
	else if (p.len == 0)
		MISTAKE(r, node, "%s is the default route; name the prefixes instead", text);
	else if (special)
		MISTAKE(r, node, "%s lies in or covers %s address space, which is never routed",
			text, special);
	else
		memcpy(to, &p, sizeof(p));
}

void value_address(struct reader *r, const yaml_node_t *node, void *to)
{
	struct addr a;

	if (addr_parse(reader_text(node), &a) < 0)
		MISTAKE(r, node, "\"%s\" is not an address like 10.0.1.50 or \"2001:db8:1::50\"",
			reader_shown(node).text);
	else
		memcpy(to, &a, sizeof(a));
}

void value_destination(struct reader *r, const yaml_node_t *node, void *to)
{
	struct prefix p;

	if (parse_prefix(r, node, "an address or a prefix", &p))
		memcpy(to, &p, sizeof(p));
}

static void read_return_path(
	struct reader *r, const yaml_node_t *node, enum return_path first, enum return_path *to)
{
	struct suggestion best = {};

	for (enum return_path mode = first; mode <= RETURN_PATH_MASQUERADE; mode++) {
		if (strcmp(reader_text(node), return_path_str(mode)) == 0) {
			*to = mode;
			return;
		}
		suggest_offer(&best, reader_text(node), return_path_str(mode));
	}
	const char *modes = first == RETURN_PATH_AUTO ? "auto, route or masquerade"
						      : "route or masquerade";
	if (best.word)
		MISTAKE(r, node, "\"%s\" is not %s; did you mean %s?", reader_shown(node).text,
			modes, best.word);
	else
		MISTAKE(r, node, "\"%s\" is not %s", reader_shown(node).text, modes);
}

void value_return_path(struct reader *r, const yaml_node_t *node, void *to)
{
	read_return_path(r, node, RETURN_PATH_AUTO, to);
}

void value_host_return_path(struct reader *r, const yaml_node_t *node, void *to)
{
	read_return_path(r, node, RETURN_PATH_ROUTE, to);
}

uint16_t port_parse(const char **text)
{
	unsigned port = 0;

	if (**text == '0')
		return 0;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		port = port * 10 + (unsigned)(**text - '0');
		if (port > UINT16_MAX)
			return 0;
	}
	return (uint16_t)port;
}

void value_ports(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node);
	struct port_range range = {.first = port_parse(&text)};

	range.last = range.first;
	if (range.first && *text == '-') {
		text++;
		range.last = port_parse(&text);
	}
	if (!range.first || !range.last || *text)
		MISTAKE(r, node,
			"\"%s\" is not a port from 1 to 65535 or a range like \"8000-8100\"",
			reader_shown(node).text);
	else if (range.first > range.last)
		MISTAKE(r, node, "the range %s runs backwards; write \"%u-%u\"", reader_text(node),
			range.last, range.first);
	else
		memcpy(to, &range, sizeof(range));
}

/* The address in front of a colon, an IPv6 one in brackets; its port behind. */
static bool parse_endpoint(const char *text, struct addr *address, uint16_t *port)
{
	char host[ADDR_STRLEN];
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';
	size_t len = colon ? (size_t)(colon - text) - (brackets ? 2 : 0) : sizeof(host);

	if (len >= sizeof(host))
		return false;
	memcpy(host, text + brackets, len);
	host[len] = '\0';
	colon++;
	*port = port_parse(&colon);
	return *port && *colon == '\0' && addr_parse(host, address) == 0 &&
	       brackets == (address->family == AF_INET6);
}

void value_witness(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node);
	struct config_witness *witness = to;
	struct addr address;
	uint16_t port;

	if (parse_endpoint(text, &address, &port)) {
		witness->address = address;
		witness->port = port;
	} else if (addr_parse(text, &address) == 0) {
		bool v6 = address.family == AF_INET6;
		MISTAKE(r, node, "%s has no port; add that of a TCP service there: \"%s%s%s:443\"",
			text, v6 ? "[" : "", text, v6 ? "]" : "");
	} else {
		MISTAKE(r, node,
			"\"%s\" is not a witness like 10.0.1.50:443 or \"[2001:db8:1::50]:443\", "
			"nor the word none",
			reader_shown(node).text);
	}
}

void value_true(struct reader *r, const yaml_node_t *node, void *to)
{
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
		strcmp(reader_text(node), "true") != 0)
		MISTAKE(r, node, "\"%s\" cannot stand here; write true, or leave the key out",
			reader_shown(node).text);
	else
		*(bool *)to = true;
}

const char *path_fault(const char *path)
{
	static const char allowed[] = LETTERS DIGITS "/._@+-";
	size_t len = strlen(path);

	if (path[0] != '/')
		return "does not begin with /";
	if (len >= PATH_MAX)
		return "is too long";
	if (path[strspn(path, allowed)] != '\0')
		return "has a character that is not a letter, a digit or one of / . _ @ + -";
	if (strstr(path, "/../") || strstr(path, "//") || strstr(path, "/./"))
		return "has a part that is empty, \".\" or \"..\"";
	if (path[len - 1] == '/' || strcmp(path + len - 2, "/.") == 0 ||
		(len > 2 && strcmp(path + len - 3, "/..") == 0))
		return "names a folder";
	return nullptr;
}

void value_path(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *fault = path_fault(reader_text(node));

	if (fault)
		MISTAKE(r, node, "\"%s\" is no usable path: it %s", reader_shown(node).text, fault);
	else
		*(char **)to = arena_strdup(r->arena, reader_text(node));
}
