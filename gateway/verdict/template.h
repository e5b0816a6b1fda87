/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * template: sentences and shell commands with values put in.
 *
 * {name} stands for a value, and what stands in [brackets with a {name}] is left out when one of
 * its values is missing; {name...} is a value of several words. A command can be pasted into a root
 * shell, so nothing that comes from elsewhere may mean anything in it: a value of other than plain
 * characters (letters, digits and
 * _./:,@%+-) is put in single quotes; where quotes do not help, a value that is not plain makes the
 * whole command impossible. That is so inside quotes of the template, for programs that read a
 * language of their own (nft, vtysh, tcpdump), for control characters, and for a word that would
 * begin with "-".
 */
#include "verdict/field.h"

struct template_values {
	/* nullptr = missing; may use buf, and return something else */
	const char *(*find)(const void *of, const char *name, char buf[static FIELD_STRLEN]);
	const void *of;
};

/* 0; -ENOENT when a value is missing, -EINVAL when one cannot be put in, -E2BIG when it gets too
 * long: then out is "". */
[[nodiscard]] int template_command(
	const char *template, const struct template_values *values, char *out, size_t size);
/* For people: values are escaped (lib/escape.h), too long a text is cut. Returns out. */
const char *template_text(
	const char *template, const struct template_values *values, char *out, size_t size);
