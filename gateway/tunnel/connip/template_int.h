/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * template_int: a template taken apart, for template.c (reading), template_expand.c and
 * template_match.c.
 */
#include "connip/template.h"

constexpr size_t TEMPLATE_PARTS_MAX = 16;
constexpr size_t TEMPLATE_NAMES_MAX = 8; /* in one expression */

/* A piece of the template's text. */
struct template_text {
	const char *p;
	size_t n;
};

/* A literal, or an expression with its names. */
struct template_part {
	char kind; /* '\0' = a literal, ' ' = {a}, '?' = {?a}, '&' = {&a} */
	struct template_text text;
	struct template_text names[TEMPLATE_NAMES_MAX];
	size_t n;
};

struct template
{
	char text[TEMPLATE_MAX + 1];
	struct template_part parts[TEMPLATE_PARTS_MAX]; /* of path and query */
	size_t n;
};

/* The value that a name stands for; nullptr: none that is known. */
static inline char *template_value(struct template_values *v, const struct template_text *name)
{
	static const char target[] = "target", ipproto[] = "ipproto";

	if (name->n == sizeof(target) - 1 && __builtin_memcmp(name->p, target, name->n) == 0)
		return v->target;
	if (name->n == sizeof(ipproto) - 1 && __builtin_memcmp(name->p, ipproto, name->n) == 0)
		return v->ipproto;
	return nullptr;
}
