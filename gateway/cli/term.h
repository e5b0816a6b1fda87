/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * term: text on a terminal, a file or a pipe.
 *
 * Whatever is printed through here is escaped (lib/escape.h): nothing that a daemon, a file or
 * the kernel said can move the cursor. Only term_raw() prints as it is, for our own words.
 * Colour is used on a terminal that wants it, and never says what the words don't; lines beyond
 * ASCII are drawn only where the locale's character set is UTF-8.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD };

struct term {
	FILE *file;
	bool colour, utf8;
	size_t width; /* columns of the terminal; 0 = no terminal, lines may be of any length */
};

/* Looks at the file, NO_COLOR, TERM, the window and the locale, which the caller has set. */
struct term term_of(FILE *file);

/* Formatted, then escaped. */
[[gnu::format(printf, 3, 4)]] void term_print(
	const struct term *t, enum style style, const char *fmt, ...);
void term_raw(const struct term *t, enum style style, const char *text);
/* On a line of its own, below an empty one. */
void term_heading(const struct term *t, const char *text);
/* A paragraph, escaped, whose lines are indented and no longer than the terminal is wide. The first
 * line goes on behind `used` columns, if any were printed. */
[[gnu::format(printf, 5, 6)]] void term_wrap(
	const struct term *t, enum style style, size_t indent, size_t used, const char *fmt, ...);

/* Rows of cells, printed in aligned columns two spaces apart. Cells are escaped. */
struct cell {
	char *text;
	enum style style;
	bool line; /* the row is this text alone, and no column gets wider by it */
};
struct table {
	const struct term *term;
	size_t columns; /* per row */
	int indent;
	struct cell *cells;
	size_t n, cap;
};
[[gnu::format(printf, 3, 4)]] void table_add(
	struct table *table, enum style style, const char *fmt, ...);
/* A row that is one line of text, between rows that are whole. */
[[gnu::format(printf, 3, 4)]] void table_add_line(
	struct table *table, enum style style, const char *fmt, ...);
/* Prints what was added, and forgets it. */
void table_flush(struct table *table);

/* "45 s", "12 min", "3 h 20 min", "5 d 4 h". */
struct shown_time {
	char text[32];
};
struct shown_time time_span(uint64_t us);
/* "1.5 MiB" */
struct shown_time byte_count(uint64_t bytes);
