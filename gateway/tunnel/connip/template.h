/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * template: the URI Template of an IP proxy (RFC 9484 3), both ways.
 *
 * The client expands it into the :path of its request; the proxy matches a :path against it and
 * gets the variables back, decoded. Of RFC 6570 there is what section 3 leaves: literals, {a,b},
 * {?a,b} and {&a,b}. A template that breaks one of its rules is refused when it is read, with a
 * sentence.
 *
 * Two variables mean something, "target" and "ipproto"; others stay undefined. The value "*" is not
 * escaped: RFC 6570 would make it %2A, but section 4.4 shows it plain, and a proxy that compares
 * instead of decoding knows it in that form only. Matching takes both.
 */
#include "lib/err.h"
#include <stddef.h>

constexpr size_t TEMPLATE_MAX = 1024;        /* characters of a template */
constexpr size_t TEMPLATE_VALUE_MAX = 256;   /* of a decoded value, with its NUL */
constexpr size_t TEMPLATE_TARGET_MAX = 4096; /* of an expanded :path */

enum template_use {
	TEMPLATE_OF_CLIENT, /* absolute: scheme, authority, path */
	TEMPLATE_OF_PROXY,  /* only path and query count; they must be there without ambiguity */
};

/* "" = not given. */
struct template_values {
	char target[TEMPLATE_VALUE_MAX], ipproto[TEMPLATE_VALUE_MAX];
};

struct template;

/* -EINVAL: the text is no template for this use. */
[[nodiscard]] int template_new(
	const char *text, enum template_use use, struct template **out, struct err *err);
void template_free(struct template *t);

/* Writes :path. A value that the template cannot say is an error (-EINVAL) unless it is "*" or "".
 */
[[nodiscard]] int template_expand(const struct template *t, const struct template_values *values,
	char out[static TEMPLATE_TARGET_MAX]);
/* A slash at the template's end may be missing in the path: many forget it.
 * -ENOENT: another resource; -EBADMSG: this one, but its values are malformed. */
[[nodiscard]] int template_match(
	const struct template *t, const char *path, struct template_values *out);
