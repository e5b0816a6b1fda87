/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * script: lines of FRR's language, each with the place in meshgw.yaml that asked for it.
 *
 * render.h and diff.h write scripts; a caller hands one to vtysh as text and gives what vtysh
 * printed to output.h, which finds the line, and with it the mark, again. A script owns its
 * lines and wipes them, since some carry passwords. frr_script_text() leaves secrets out unless
 * they are asked for: what goes to a log, a terminal or a plan never contains one.
 *
 * It knows nothing about what the lines mean.
 */
#include "frr/model.h"

struct frr_line {
	char *text;   /* without newline; a secret is part of it */
	size_t shown; /* bytes of it that may be shown: all, or up to the secret */
	struct frr_mark mark;
};

struct frr_script {
	struct frr_line *lines;
	size_t n, cap;
};

void frr_script_clear(struct frr_script *script);

[[gnu::format(printf, 3, 4)]] void frr_script_add(
	struct frr_script *script, struct frr_mark mark, const char *fmt, ...);
/* "<indent><text>", of which only shown bytes of text may be seen. */
void frr_script_add_secret(struct frr_script *script, struct frr_mark mark, const char *indent,
	const char *text, size_t shown);

/* All lines, one newline each, NUL-terminated; *len (may be nullptr) without the NUL. Owned by the
 * caller, who wipes it (explicit_bzero) if secrets are in it. */
[[nodiscard]] char *frr_script_text(const struct frr_script *script, bool secrets, size_t *len);

/* The same with secrets, as vtysh takes it on standard input: readline(3) would take a '?' as a
 * call for help, so it is quoted. Owned by the caller, who wipes it. */
[[nodiscard]] char *frr_script_input(const struct frr_script *script, size_t *len);

/* A line as it may be shown; buf of at least one byte. Returns buf. */
const char *frr_line_str(const struct frr_line *line, char *buf, size_t size);
