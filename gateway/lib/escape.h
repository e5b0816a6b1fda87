/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * escape: text of unknown origin, made safe for a terminal or a log line.
 *
 * The result is plain printable ASCII: newline, tab and carriage return become \n, \t and \r,
 * every other byte outside 0x20..0x7e becomes \xHH. So nothing from outside can move a cursor,
 * end a line, or hide behind a look-alike. A backslash stays as it is: the form is for reading,
 * not for decoding. JSON has its own escaping, in sd-json.
 */
#include <stddef.h>

/* Escapes len bytes into out (at least one byte, always NUL-terminated) and returns out. What does
 * not fit is replaced by three dots; no escape is ever cut in the middle. */
char *escape_text(const char *text, size_t len, char *out, size_t size);

/* Cuts an incomplete UTF-8 sequence off the end of a truncated text. */
void utf8_trim(char *text);
