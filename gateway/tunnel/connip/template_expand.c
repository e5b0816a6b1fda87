/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/template_int.h"
#include "connip/uri.h"
#include <errno.h>
#include <stdio.h>

struct output {
	char *p;
	size_t n;
	bool full;
};

static void put(struct output *o, const char *p, size_t n)
{
	if (n >= TEMPLATE_TARGET_MAX - o->n) {
		o->full = true;
		return;
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
	o->p[o->n] = '\0';
}

/* RFC 6570 3.2.1; but a lone "*" as RFC 9484 4.4 shows it. */
static void put_value(struct output *o, const char *value)
{
	if (strcmp(value, "*") == 0) {
		put(o, value, 1);
		return;
	}
	for (; *value; value++) {
		char escape[4];
		if (uri_is_unreserved(*value)) {
			put(o, value, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "%%%02X", (unsigned char)*value);
		put(o, escape, 3);
	}
}

static void put_expression(
	struct output *o, const struct template_part *part, struct template_values *values)
{
	const char *separator = part->kind == '?' ? "?" : part->kind == '&' ? "&" : "";

	for (size_t i = 0; i < part->n; i++) {
		const char *value = template_value(values, &part->names[i]);
		if (!value || !*value)
			continue;
		put(o, separator, strlen(separator));
		if (part->kind != ' ') {
			put(o, part->names[i].p, part->names[i].n);
			put(o, "=", 1);
		}
		put_value(o, value);
		separator = part->kind == ' ' ? "," : "&";
	}
}

static bool can_say(const struct template *t, struct template_values *values, const char *value)
{
	if (!*value || strcmp(value, "*") == 0)
		return true;
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->parts[i].n; k++)
			if (template_value(values, &t->parts[i].names[k]) == value)
				return true;
	return false;
}

/* RFC 9484 3: a variable that is in the template is never empty; "*" is no preference. */
static void fill(char value[static TEMPLATE_VALUE_MAX])
{
	if (!*value)
		memcpy(value, "*", 2);
}

int template_expand(const struct template *t, const struct template_values *values,
	char out[static TEMPLATE_TARGET_MAX])
{
	struct output o = {.p = out};
	struct template_values v = *values;

	if (!can_say(t, &v, v.target) || !can_say(t, &v, v.ipproto))
		return -EINVAL;
	fill(v.target);
	fill(v.ipproto);
	for (size_t i = 0; i < t->n; i++) {
		const struct template_part *part = &t->parts[i];
		if (part->kind)
			put_expression(&o, part, &v);
		else
			put(&o, part->text.p, part->text.n);
	}
	return o.full ? -EINVAL : 0;
}
