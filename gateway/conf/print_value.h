/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print_value: single values as YAML that no reader takes for something else.
 *
 * Quotes where needed and nowhere else, so that the printed form is one. Escapes are never needed:
 * the whitelists of value*.c let no character in that would.
 */
#include "conf/config_part.h"
#include "lib/ip.h"
#include <stdio.h>

/* The name of an interface. */
void print_word(FILE *out, const char *text);
/* Any text of printable ASCII. */
void print_text(FILE *out, const char *text);
void print_prefix(FILE *out, const struct prefix *p);
void print_address(FILE *out, const struct addr *a);

/* "KEY: [A, B]" as a line of its own, key with its indentation; nothing where the list is empty. */
void print_texts(const char *key, const struct config_text *list, size_t n, FILE *out);
void print_prefixes(const char *key, const struct config_source *list, size_t n, FILE *out);
