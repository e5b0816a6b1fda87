/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_tunnel.h"
#include "conf/arena.h"
#include "conf/authority.h"
#include "conf/diag.h"
#include "conf/value.h"
#include "conf/value_word.h"
#include <string.h>

static void copy(struct reader *r, const yaml_node_t *node, void *to)
{
	*(char **)to = arena_strdup(r->arena, reader_text(node));
}

void value_endpoint(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_listen *endpoint = to;
	struct authority at;
	const char *fault = authority_parse(reader_text(node), &at);

	if (!fault && at.address.family == AF_UNSPEC)
		fault = "has a name where an address is needed";
	if (!fault && at.port == 0)
		fault = "has no port";
	if (fault) {
		MISTAKE(r, node, "\"%s\" is not ADDRESS:PORT: it %s", reader_shown(node).text,
			fault);
		return;
	}
	endpoint->address = at.address;
	endpoint->port = at.port;
}

void value_node_address(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node);
	struct addr address;

	if (addr_parse(text, &address) < 0) {
		MISTAKE(r, node, "\"%s\" is not an address like 100.96.0.18",
			reader_shown(node).text);
		return;
	}
	struct prefix host = prefix_of(&address);
	if (prefix_is_special(&host))
		MISTAKE(r, node, "%s is an address that no host can have", text);
	else
		*(struct prefix *)to = host;
}

void value_promotion(struct reader *r, const yaml_node_t *node, void *to)
{
	struct word word = {};

	value_word(r, node, &word);
	if (word.known)
		*(enum promotion *)to = (enum promotion)word.index;
}

/* ---- Texts ---- */

/* RFC 7469 section 2.4 has such pins; 32 bytes are 43 characters and one '='. The last character
 * before it carries 2 bits that must be 0 (RFC 4648 section 3.5). */
static const char *pin_fault(const char *text)
{
	static const char prefix[] = "sha256/", last[] = "AEIMQUYcgkosw048";

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return "does not begin with sha256/";
	text += strlen(prefix);
	if (strlen(text) != 44 || strspn(text, LETTERS DIGITS "+/") != 43 || text[43] != '=')
		return "has no 44 characters of Base64 behind sha256/";
	return strchr(last, text[42]) ? nullptr : "ends in bits that are not 0";
}

void value_pin(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *fault = pin_fault(reader_text(node));

	if (fault)
		MISTAKE(r, node, "\"%s\" is no pin: it %s; meshgw tunnel pin prints one",
			reader_shown(node).text, fault);
	else
		copy(r, node, to);
}

constexpr size_t TEMPLATE_MAX = 512;

/* The variables are checked where the template is expanded (gateway/tunnel/connip/template.h);
 * here only what RFC 9484 section 3 says of all of it. */
static const char *template_fault(const char *text)
{
	static const char scheme[] = "https://";
	char host[NAME_STRLEN + 8];
	struct authority at;

	if (strncmp(text, scheme, strlen(scheme)) != 0)
		return "does not begin with https://";
	if (strlen(text) > TEMPLATE_MAX)
		return "is longer than 512 characters";
	for (const char *c = text; *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			return "has characters other than printable ASCII";
	text += strlen(scheme);
	size_t len = strcspn(text, "/?#{");
	if (text[len] != '/')
		return "has no path";
	if (len >= sizeof(host))
		return "has no usable host";
	memcpy(host, text, len);
	host[len] = '\0';
	return authority_parse(host, &at);
}

void value_template(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *fault = template_fault(reader_text(node));

	*(char **)to = nullptr;
	if (fault)
		MISTAKE(r, node, "\"%s\" is no template for IP over HTTP: it %s",
			reader_shown(node).text, fault);
	else
		copy(r, node, to);
}

/* A text of these characters only, of at most max. */
static void value_of(struct reader *r, const yaml_node_t *node, void *to, const char *characters,
	size_t max, const char *what)
{
	const char *text = reader_text(node);
	size_t len = strlen(text);

	*(char **)to = nullptr;
	if (len == 0 || len > max || strspn(text, characters) != len)
		MISTAKE(r, node, "\"%s\" is not %s", reader_shown(node).text, what);
	else
		copy(r, node, to);
}

void value_token(struct reader *r, const yaml_node_t *node, void *to)
{
	value_of(r, node, to, LETTERS DIGITS "-._", 64,
		"a token of letters, digits, '-', '.' and '_'");
}

void value_groups(struct reader *r, const yaml_node_t *node, void *to)
{
	value_of(r, node, to, LETTERS DIGITS "-_:", 128,
		"a list of groups like X25519MLKEM768:X25519");
}

void value_node_name(struct reader *r, const yaml_node_t *node, void *to)
{
	value_of(r, node, to, LETTERS DIGITS "-._", 63,
		"a name of at most 63 letters, digits, '-', '.' and '_'");
}
