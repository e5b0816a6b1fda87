/* SPDX-License-Identifier: Apache-2.0 */
#include "route/rule.h"
#include "lib/ip.h"
#include "route/host.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

bool rule_node(const char *text)
{
	return only(text, ALPHANUMERIC "-._");
}

bool rule_address(const char *text)
{
	static const char *const nobodys[] = {
		"0.0.0.0/8", "224.0.0.0/3", "169.254.0.0/16", "::/128", "ff00::/8", "fe80::/10"};
	struct addr a;

	if (addr_parse(text, &a) < 0)
		return false;
	for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++) {
		struct prefix p;
		if (prefix_parse(nobodys[i], &p) == 0 && prefix_contains_addr(&p, &a))
			return false;
	}
	return true;
}

bool rule_host(const char *text)
{
	char normal[HOST_MAX];
	struct addr a;

	if (addr_parse(text, &a) == 0)
		return rule_address(text);
	return !strpbrk(text, ":[]") && host_normal(text, strlen(text), normal) != 0;
}

bool rule_server_name(const char *text)
{
	return !text[0] || rule_host(text);
}

bool rule_host_pattern(const char *text)
{
	char normal[HOST_MAX];
	const char *name = strncmp(text, "*.", 2) == 0 ? text + 2 : text;

	if (strcmp(text, "*") == 0)
		return true;
	if (name[0] == '[' || strchr(name, ':'))
		return name == text && name[strlen(name) - 1] == ']' &&
		       host_normal(name, strlen(name), normal) != 0;
	return host_normal(name, strlen(name), normal) != 0;
}

static bool is_port(const char *text)
{
	return text[0] != '0' && strlen(text) <= 5 && only(text, "0123456789") &&
	       strtoul(text, nullptr, 10) - 1 < UINT16_MAX;
}

/* HOST:PORT or HOST. */
static bool is_authority(const char *text, bool needs_port)
{
	char normal[HOST_MAX];
	const char *colon = strrchr(text, ':');
	bool port = colon && !strchr(colon, ']') && (text[0] == '[' || strchr(text, ':') == colon);

	if (port && !is_port(colon + 1))
		return false;
	bool bare_ipv6 = !port && colon && text[0] != '[';
	return (port || !needs_port) && !bare_ipv6 && host_normal(text, strlen(text), normal) != 0;
}

bool rule_host_header(const char *text)
{
	return is_authority(text, false); /* as preserve and upstream are, by their form */
}

bool rule_target(const char *text)
{
	return is_authority(text, true);
}

/* Empty and dot segments are not what a target in normal form has. */
static bool has_odd_segment(const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		size_t len = strcspn(p + 1, "/");
		if ((len == 0 && p[1]) || (len == 1 && p[1] == '.') ||
			(len == 2 && p[1] == '.' && p[2] == '.'))
			return true;
	}
	return false;
}

bool rule_path(const char *text)
{
	return text[0] == '/' && only(text, ALPHANUMERIC "-._~!$&'()*+,;=:@/") &&
	       !has_odd_segment(text);
}

bool rule_health_path(const char *text)
{
	return !text[0] || (text[0] == '/' && only(text, ALPHANUMERIC "-._~!$&'()*+,;=:@/?%"));
}

bool rule_unix_path(const char *text)
{
	return !text[0] ||
	       (text[0] == '/' && only(text, ALPHANUMERIC "-._+@/") && !has_odd_segment(text) &&
		       strlen(text) < sizeof(((struct sockaddr_un *)nullptr)->sun_path));
}

bool rule_admin(const char *text)
{
	char normal[HOST_MAX];
	struct addr a;

	if (strncmp(text, "unix:", 5) == 0)
		return text[5] && rule_unix_path(text + 5);
	if (!text[0])
		return true;
	if (!is_authority(text, true))
		return false;
	size_t len = host_normal(text, strlen(text), normal);
	return normal[0] == '[' || (len && addr_parse(normal, &a) == 0);
}

bool rule_scheme(const char *text)
{
	return is_one_of(text, (const char *const[]){"http", "https", "unix", nullptr});
}

bool rule_reveal(const char *text)
{
	return is_one_of(text, (const char *const[]){"code", "evidence", "all", nullptr});
}

bool rule_token(const char *text)
{
	size_t body = strspn(text, ALPHANUMERIC "-._~+/");

	return body && only(text + body, "=");
}

bool rule_pem(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p > '~' || (*p < ' ' && !strchr("\t\r\n", *p)))
			return false;
	return !text[0] || strstr(text, "-----BEGIN ");
}

bool rule_field_name(const char *text)
{
	static const char *const ours[] = {"Connection", "Content-Length", "Expect", "Host",
		"HTTP2-Settings", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Via"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcasecmp(text, ours[i]) == 0)
			return false;
	return text[0] && only(text, ALPHANUMERIC "!#$%&'*+-.^_`|~");
}

bool rule_field_value(const char *text)
{
	size_t len = strlen(text);

	if (len && (strchr(" \t", text[0]) || strchr(" \t", text[len - 1])))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((text[i] < ' ' && text[i] != '\t') || text[i] > '~')
			return false;
	return true;
}
