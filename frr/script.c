/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/script.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HIDDEN[] = " <hidden>";

void frr_script_clear(struct frr_script *script)
{
	for (size_t i = 0; i < script->n; i++) {
		explicit_bzero(script->lines[i].text, strlen(script->lines[i].text));
		free(script->lines[i].text);
	}
	free(script->lines);
	*script = (struct frr_script){};
}

static void add_line(struct frr_script *script, struct frr_mark mark, char *text, size_t shown)
{
	assert(!strchr(text, '\n'));
	XGROW(script->lines, script->n, script->cap);
	script->lines[script->n++] = (struct frr_line){.text = text, .shown = shown, .mark = mark};
}

void frr_script_add(struct frr_script *script, struct frr_mark mark, const char *fmt, ...)
{
	size_t len;
	va_list ap;
	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap, &len);
	va_end(ap);
	add_line(script, mark, text, len);
}

void frr_script_add_secret(struct frr_script *script, struct frr_mark mark, const char *indent,
	const char *text, size_t shown)
{
	char *line;
	if (asprintf(&line, "%s%s", indent, text) < 0)
		out_of_memory();
	add_line(script, mark, line, strlen(indent) + shown);
}

static bool has_secret(const struct frr_line *line)
{
	return line->text[line->shown] != '\0';
}

char *frr_script_text(const struct frr_script *script, bool secrets, size_t *len)
{
	size_t size = 1;
	for (size_t i = 0; i < script->n; i++)
		size += strlen(script->lines[i].text) + sizeof(HIDDEN) + 1;

	char *text = xcalloc(size, 1), *end = text;
	for (size_t i = 0; i < script->n; i++) {
		const struct frr_line *line = &script->lines[i];
		if (secrets || !has_secret(line))
			end = stpcpy(end, line->text);
		else
			end = stpcpy(mempcpy(end, line->text, line->shown), HIDDEN);
		*end++ = '\n';
	}
	if (len)
		*len = (size_t)(end - text);
	return text;
}

char *frr_script_input(const struct frr_script *script, size_t *len)
{
	constexpr char QUOTE = 'V' & 0x1f; /* control-V */
	size_t n;
	char *text = frr_script_text(script, true, &n);
	char *input = xcalloc(2 * n + 1, 1), *end = input;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '?')
			*end++ = QUOTE;
		*end++ = text[i];
	}
	*len = (size_t)(end - input);
	explicit_bzero(text, n);
	free(text);
	return input;
}

const char *frr_line_str(const struct frr_line *line, char *buf, size_t size)
{
	(void)snprintf(
		buf, size, "%.*s%s", (int)line->shown, line->text, has_secret(line) ? HIDDEN : "");
	return buf;
}
