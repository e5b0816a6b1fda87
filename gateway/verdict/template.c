/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/template.h"
#include "lib/escape.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char plain[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,@%+-";
static const char name_characters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

constexpr size_t NAME_MAX_LEN = 31;
#define WORDS "..."

struct expansion {
	const struct template_values *values;
	char *out;
	size_t size, used;
	char quote; /* that the template has opened, 0 = none */
	bool shell; /* a command; else a text */
	bool plain_only;
};

static int put(struct expansion *x, const char *text, size_t len)
{
	if (len >= x->size - x->used)
		return -E2BIG;
	memcpy(x->out + x->used, text, len);
	x->used += len;
	x->out[x->used] = '\0';
	return 0;
}

/* 'it'\''s': POSIX shell, section 2.2.2. */
static int put_quoted(struct expansion *x, const char *value)
{
	int r = put(x, "'", 1);

	for (; *value && r >= 0; value++)
		r = *value == '\'' ? put(x, "'\\''", 4) : put(x, value, 1);
	return r < 0 ? r : put(x, "'", 1);
}

static bool is_printable(const char *value)
{
	for (; *value; value++)
		if (*value < ' ' || *value > '~')
			return false;
	return true;
}

/* Several words, none of which the shell may look at. */
static int put_words(struct expansion *x, const char *value)
{
	for (const char *word = value; *word; word += strspn(word, " ")) {
		if (*word == '-' || strspn(word, plain) != strcspn(word, " "))
			return -EINVAL;
		word += strcspn(word, " ");
	}
	return put(x, value, strlen(value));
}

static int put_value(struct expansion *x, const char *value)
{
	bool word_begins = x->used == 0 || strchr(" '\"", x->out[x->used - 1]);

	if (!x->shell) {
		char shown[4 * FIELD_STRLEN];
		escape_text(value, strlen(value), shown, sizeof(shown));
		return put(x, shown, strlen(shown));
	}
	if (value[0] == '-' && word_begins)
		return -EINVAL;
	if (value[strspn(value, plain)] == '\0')
		return put(x, value, strlen(value));
	if (x->quote || x->plain_only || !is_printable(value))
		return -EINVAL;
	return put_quoted(x, value);
}

/* Length of "{name}" or "{name...}" at p, 0 when it is none. */
static size_t placeholder(const char *p, char name[static NAME_MAX_LEN + 1], bool *words)
{
	size_t len = strspn(p + 1, name_characters);

	*words = !strncmp(p + 1 + len, WORDS, strlen(WORDS));
	size_t end = 1 + len + (*words ? strlen(WORDS) : 0);
	if (len == 0 || len > NAME_MAX_LEN || p[end] != '}')
		return 0;
	memcpy(name, p + 1, len);
	name[len] = '\0';
	return end + 1;
}

/* One character of the template, or one placeholder; *p moves behind it. */
static int put_one(struct expansion *x, const char **p)
{
	char name[NAME_MAX_LEN + 1], buf[FIELD_STRLEN];
	bool words;
	size_t len = **p == '{' ? placeholder(*p, name, &words) : 0;

	if (len) {
		const char *value = x->values->find(x->values->of, name, buf);
		*p += len;
		if (!value || !value[0])
			return -ENOENT;
		return words && x->shell ? put_words(x, value) : put_value(x, value);
	}
	if (**p == x->quote)
		x->quote = '\0';
	else if (!x->quote && (**p == '\'' || **p == '"'))
		x->quote = **p;
	return put(x, (*p)++, 1);
}

/* The part in brackets at *p, or nothing of it. */
static int put_optional(struct expansion *x, const char **p)
{
	const char *end = strchr(*p, ']');
	size_t used = x->used;
	char quote = x->quote;
	int r = 0;

	assert(end);
	for (++*p; *p < end && r >= 0;)
		r = put_one(x, p);
	*p = end + 1;
	if (r != -ENOENT)
		return r;
	x->used = used;
	x->out[used] = '\0';
	x->quote = quote;
	return 0;
}

/* Brackets without a value in them are brackets. */
static bool is_optional(const char *p)
{
	return *p == '[' && p[strcspn(p, "{]")] == '{';
}

static int expand(struct expansion *x, const char *template)
{
	int r = 0;

	assert(x->size > 0);
	x->out[0] = '\0';
	for (const char *p = template; *p && r >= 0;)
		r = is_optional(p) ? put_optional(x, &p) : put_one(x, &p);
	return r;
}

static bool has_own_language(const char *template)
{
	static const char *const programs[] = {"nft ", "vtysh ", "tcpdump "};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strstr(template, programs[i]))
			return true;
	return false;
}

int template_command(
	const char *template, const struct template_values *values, char *out, size_t size)
{
	struct expansion x = {
		.values = values,
		.out = out,
		.size = size,
		.shell = true,
		.plain_only = has_own_language(template),
	};
	int r = expand(&x, template);

	if (r < 0)
		out[0] = '\0';
	return r;
}

const char *template_text(
	const char *template, const struct template_values *values, char *out, size_t size)
{
	struct expansion x = {.values = values, .out = out, .size = size};

	(void)expand(&x, template);
	return out;
}
