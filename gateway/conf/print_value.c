/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/print_value.h"
#include <string.h>
#include <strings.h>

/* A plain scalar may not look like anything else to any reader of YAML 1.1. */
static bool is_plain_word(const char *text)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	return strchr(letters, text[0]) != nullptr;
}

/* Interface names need no escaping inside quotes: see the whitelist in value.c. */
void print_word(FILE *out, const char *text)
{
	fprintf(out, is_plain_word(text) ? "%s" : "\"%s\"", text);
}

/* YAML 1.1 section 9.1.2: between single quotes only these themselves are written differently. */
void print_text(FILE *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._/-";

	if (text[strspn(text, plain)] == '\0' && (text[0] == '/' || is_plain_word(text))) {
		fputs(text, out);
		return;
	}
	putc('\'', out);
	for (; *text; text++)
		fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, out);
	putc('\'', out);
}

/* IPv6 is full of colons, which mean something in YAML. */
static void print_quoted(FILE *out, uint8_t family, const char *text)
{
	fprintf(out, family == AF_INET6 ? "\"%s\"" : "%s", text);
}

void print_prefix(FILE *out, const struct prefix *p)
{
	char text[PREFIX_STRLEN];

	print_quoted(out, p->addr.family, prefix_str(p, text));
}

void print_address(FILE *out, const struct addr *a)
{
	char text[ADDR_STRLEN];

	print_quoted(out, a->family, addr_str(a, text));
}

void print_texts(const char *key, const struct config_text *list, size_t n, FILE *out)
{
	if (n == 0)
		return;
	fprintf(out, "%s: [", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		print_text(out, list[i].text);
	}
	fputs("]\n", out);
}

void print_prefixes(const char *key, const struct config_source *list, size_t n, FILE *out)
{
	if (n == 0)
		return;
	fprintf(out, "%s: [", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		print_prefix(out, &list[i].prefix);
	}
	fputs("]\n", out);
}
