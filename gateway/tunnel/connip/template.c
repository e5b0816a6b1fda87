/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/template.h"
#include "connip/template_int.h"
#include "connip/uri.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>

/* RFC 9484 3: ASCII from 0x21 to 0x7E; RFC 6570 2.1 leaves these out of literals. */
static int check_characters(const char *text, struct err *err)
{
	for (const char *p = text; *p; p++) {
		if (*p < 0x21 || *p > 0x7e)
			return err_set(err, EINVAL, "a character outside of 0x21-0x7E");
		if (strchr("\"<>\\^`|", *p))
			return err_set(err, EINVAL, "the character \"%c\"", *p);
		if (*p == '#')
			return err_set(err, EINVAL, "a fragment");
		if (*p == '%' && !uri_is_escape(p))
			return err_set(err, EINVAL, "\"%%\" without two hexadecimal digits");
	}
	return 0;
}

static bool is_scheme(const char *p, size_t n)
{
	if (n == 0 || !uri_is_alpha(p[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!uri_is_alpha(p[i]) && !uri_is_digit(p[i]) && !strchr("+-.", p[i]))
			return false;
	return true;
}

/* *path is where it begins. */
static int skip_authority(const char *text, const char **path, struct err *err)
{
	const char *colon = strstr(text, "://");

	if (!colon || !is_scheme(text, (size_t)(colon - text)))
		return err_set(err, EINVAL, "no scheme: not in absolute form");
	size_t n = strcspn(colon + 3, "/?");
	if (n == 0)
		return err_set(err, EINVAL, "no authority");
	if (memchr(colon + 3, '{', n))
		return err_set(err, EINVAL, "a variable outside of path and query");
	*path = colon + 3 + n;
	return 0;
}

static bool is_name(const struct template_text *name)
{
	for (size_t i = 0; i < name->n; i++) {
		const char *p = name->p + i;
		bool dot = *p == '.' && i > 0 && i + 1 < name->n && p[1] != '.';
		if (uri_is_escape(p))
			i += 2;
		else if (!uri_is_alpha(*p) && !uri_is_digit(*p) && *p != '_' && !dot)
			return false;
	}
	return name->n > 0;
}

static int read_names(struct template_part *part, const char *p, const char *end, struct err *err)
{
	for (;;) {
		struct template_text name = {p, strcspn(p, ",}")};
		if (memchr(name.p, ':', name.n) || memchr(name.p, '*', name.n))
			return err_set(err, EINVAL, "a modifier: above level 3");
		if (!is_name(&name))
			return err_set(
				err, EINVAL, "no variable's name: \"%.*s\"", (int)name.n, name.p);
		if (part->n == TEMPLATE_NAMES_MAX)
			return err_set(err, EINVAL, "too many variables");
		part->names[part->n++] = name;
		p += name.n;
		if (p == end)
			return 0;
		p++;
	}
}

/* From behind "{" up to "}". */
static int read_expression(
	struct template_part *part, const char *p, const char *end, struct err *err)
{
	part->kind = ' ';
	if (p < end && strchr("+#./;=,!@|", *p))
		return err_set(err, EINVAL, "the operator \"%c\"", *p);
	if (p < end && (*p == '?' || *p == '&'))
		part->kind = *p++;
	return read_names(part, p, end, err);
}

static int read_part(struct template *t, const char **at, struct err *err)
{
	struct template_part *part = &t->parts[t->n];
	const char *p = *at;

	if (t->n == TEMPLATE_PARTS_MAX)
		return err_set(err, EINVAL, "too many expressions");
	t->n++;
	if (*p == '}')
		return err_set(err, EINVAL, "\"}\" without \"{\"");
	if (*p != '{') {
		part->text = (struct template_text){p, strcspn(p, "{}")};
		*at = p + part->text.n;
		return 0;
	}
	const char *end = strchr(p, '}');
	if (!end)
		return err_set(err, EINVAL, "\"{\" without \"}\"");
	part->text = (struct template_text){p, (size_t)(end + 1 - p)};
	*at = end + 1;
	return read_expression(part, p + 1, end, err);
}

/* Can a value's end be told when matching? */
static int check_matchable(const struct template *t, struct err *err)
{
	for (size_t i = 0; i + 1 < t->n; i++) {
		const struct template_part *a = &t->parts[i], *b = &t->parts[i + 1];
		bool query = a->kind == '?' || a->kind == '&';
		if (query && b->kind != '&')
			return err_set(err, EINVAL, "something behind the query's variables");
		if (a->kind == ' ' && b->kind == ' ')
			return err_set(err, EINVAL, "two expressions side by side");
		if (a->kind == ' ' && !b->kind && !strchr("/?&,", b->text.p[0]))
			return err_set(err, EINVAL, "a value whose end cannot be told");
	}
	return 0;
}

static int read_template(struct template *t, enum template_use use, struct err *err)
{
	const char *at = t->text;
	int r = check_characters(at, err);

	if (r == 0 && (use == TEMPLATE_OF_CLIENT || at[0] != '/'))
		r = skip_authority(at, &at, err);
	if (r < 0)
		return r;
	if (*at != '/')
		return err_set(err, EINVAL, "the path does not begin with \"/\"");
	while (*at && r == 0)
		r = read_part(t, &at, err);
	if (r == 0 && use == TEMPLATE_OF_PROXY)
		r = check_matchable(t, err);
	return r;
}

int template_new(const char *text, enum template_use use, struct template **out, struct err *err)
{
	if (strlen(text) > TEMPLATE_MAX)
		return err_set(err, EINVAL, "longer than %zu characters", TEMPLATE_MAX);

	autofree struct template *t = xcalloc(1, sizeof(*t));
	memcpy(t->text, text, strlen(text) + 1);
	int r = read_template(t, use, err);
	if (r == 0)
		*out = TAKE_PTR(t);
	return r;
}

void template_free(struct template *t)
{
	free(t);
}
