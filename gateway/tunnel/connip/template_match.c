/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/template_int.h"
#include "connip/uri.h"
#include <errno.h>

/* Decodes n characters. -EBADMSG: not what percent-encoding makes (RFC 3986 2.1), a NUL, too long,
 * empty, or a character that had to be encoded: a plain colon first of all (RFC 9484 4.6). */
static int decode(const char *p, size_t n, char out[static TEMPLATE_VALUE_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		if (c == '%') {
			if (n - i < 3 || !uri_is_escape(p + i))
				return -EBADMSG;
			c = (char)(uri_hex(p[i + 1]) << 4 | uri_hex(p[i + 2]));
			i += 2;
		} else if (!uri_is_unreserved(c) && !uri_is_sub_delim(c)) {
			return -EBADMSG;
		}
		if (c == '\0' || length == TEMPLATE_VALUE_MAX - 1)
			return -EBADMSG;
		out[length++] = c;
	}
	out[length] = '\0';
	return length ? 0 : -EBADMSG;
}

/* A variable that comes twice has one value. */
static int note(
	struct template_values *values, const struct template_text *name, const char *p, size_t n)
{
	char *value = template_value(values, name), decoded[TEMPLATE_VALUE_MAX];

	if (!value)
		return 0;
	if (decode(p, n, decoded) < 0 || (*value && strcmp(value, decoded) != 0))
		return -EBADMSG;
	memcpy(value, decoded, sizeof(decoded));
	return 0;
}

/* {a,b}: values up to a character that none of them can have. */
static int match_simple(
	const struct template_part *part, const char **at, struct template_values *values)
{
	for (size_t i = 0; i < part->n; i++) {
		if (i > 0 && **at != ',')
			return -ENOENT;
		*at += i > 0;
		size_t n = strcspn(*at, "/?&,#");
		int r = note(values, &part->names[i], *at, n);
		if (r < 0)
			return r;
		*at += n;
	}
	return 0;
}

static int note_pair(const struct template *t, size_t from, const char *p, size_t n,
	struct template_values *values)
{
	const char *equals = memchr(p, '=', n);
	size_t name = equals ? (size_t)(equals - p) : n;

	for (size_t i = from; i < t->n; i++)
		for (size_t k = 0; k < t->parts[i].n; k++) {
			const struct template_text *want = &t->parts[i].names[k];
			if (want->n == name && memcmp(want->p, p, name) == 0)
				return equals ? note(values, want, equals + 1, n - name - 1)
					      : -EBADMSG;
		}
	return 0; /* somebody else's */
}

/* {?a,b} and {&a,b}: pairs in any order, up to the end. */
static int match_query(
	const struct template *t, size_t from, const char *p, struct template_values *values)
{
	if (*p && *p != t->parts[from].kind)
		return -ENOENT;
	while (*p) {
		p++;
		size_t n = strcspn(p, "&");
		int r = note_pair(t, from, p, n, values);
		if (r < 0)
			return r;
		p += n;
	}
	return 0;
}

/* A literal. What is missing at the very end may be the slash that many forget. */
static int match_literal(const struct template *t, size_t i, const char **at)
{
	const struct template_text *text = &t->parts[i].text;

	if (strncmp(*at, text->p, text->n) == 0) {
		*at += text->n;
		return 0;
	}
	return i + 1 == t->n && text->n == 1 && *text->p == '/' && !**at ? 0 : -ENOENT;
}

int template_match(const struct template *t, const char *path, struct template_values *out)
{
	struct template_values values = {};
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++) {
		const struct template_part *part = &t->parts[i];
		if (part->kind == '?' || part->kind == '&') {
			r = match_query(t, i, path, &values);
			path = "";
			break;
		}
		r = part->kind == ' ' ? match_simple(part, &path, &values)
				      : match_literal(t, i, &path);
	}
	if (r == 0 && *path)
		r = -ENOENT;
	if (r == 0)
		*out = values;
	return r;
}
