/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/term.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Longer texts end in three dots: no honest one comes near. */
constexpr size_t TEXT_MAX = 1024;

/* A terminal that does not tell, or that no line would fit on. */
constexpr size_t WIDTH_USUAL = 80;
constexpr size_t WIDTH_MIN = 20;

static bool wants_colour(FILE *file)
{
	const char *no = getenv("NO_COLOR"); /* https://no-color.org: when not empty */
	const char *term = getenv("TERM");

	if (no && *no)
		return false;
	return isatty(fileno(file)) && term && strcmp(term, "dumb") != 0;
}

static size_t width_of(FILE *file)
{
	struct winsize size = {};

	if (!isatty(fileno(file)))
		return 0;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) < 0 || size.ws_col < WIDTH_MIN)
		return WIDTH_USUAL;
	return size.ws_col;
}

struct term term_of(FILE *file)
{
	return (struct term){
		.file = file,
		.colour = wants_colour(file),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.width = width_of(file),
	};
}

void term_raw(const struct term *t, enum style style, const char *text)
{
	static const char *const codes[] = {
		[STYLE_BOLD] = "1",
		[STYLE_DIM] = "2",
		[STYLE_GOOD] = "32",
		[STYLE_WARN] = "33",
		[STYLE_BAD] = "1;31",
	};

	if (style == STYLE_PLAIN || !t->colour || !*text)
		fputs(text, t->file);
	else
		fprintf(t->file, "\033[%sm%s\033[0m", codes[style], text);
}

void term_heading(const struct term *t, const char *text)
{
	term_raw(t, STYLE_PLAIN, "\n");
	term_raw(t, STYLE_BOLD, text);
	term_raw(t, STYLE_PLAIN, "\n");
}

static void format_escaped(char out[static TEXT_MAX], const char *fmt, va_list ap)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	escape_text(text, strlen(text), out, TEXT_MAX);
}

void term_print(const struct term *t, enum style style, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	format_escaped(text, fmt, ap);
	va_end(ap);
	term_raw(t, style, text);
}

/* How much of the text fits into so many columns: whole words, at least one. */
static size_t words_that_fit(const char *text, size_t columns)
{
	size_t len = strlen(text), end;

	if (len <= columns)
		return len;
	for (end = columns; end > 0 && text[end] != ' ';)
		end--;
	return end ? end : strcspn(text, " ");
}

static void wrap(const struct term *t, enum style style, size_t indent, size_t used, char *text)
{
	size_t width = t->width ? t->width : SIZE_MAX;

	for (;;) {
		size_t column = used ? used : indent;
		size_t n = words_that_fit(text, width > column ? width - column : 1);
		bool last = !text[n];
		fprintf(t->file, "%*s", used ? 0 : (int)indent, "");
		text[n] = '\0';
		term_raw(t, style, text);
		fputc('\n', t->file);
		if (last)
			return;
		text += n + 1;
		used = 0;
	}
}

void term_wrap(
	const struct term *t, enum style style, size_t indent, size_t used, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	format_escaped(text, fmt, ap);
	va_end(ap);
	wrap(t, style, indent, used, text);
}

void table_add(struct table *table, enum style style, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	format_escaped(text, fmt, ap);
	va_end(ap);
	XGROW(table->cells, table->n, table->cap);
	table->cells[table->n++] = (struct cell){xstrdup(text), style, false};
}

void table_add_line(struct table *table, enum style style, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_add(table, style, "%s", text); /* which escapes it */
	table->cells[table->n - 1].line = true;
	while (table->n % table->columns)
		table_add(table, STYLE_PLAIN, "%s", "");
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->n; i += table->columns) {
		size_t len = strlen(table->cells[i].text);
		if (len > width && !table->cells[i].line)
			width = len;
	}
	return width;
}

/* The last cell of a row that is not empty ends the line: no spaces behind it. */
static size_t row_length(const struct table *table, size_t first)
{
	size_t n = table->columns;

	while (n > 0 && !*table->cells[first + n - 1].text)
		n--;
	return n;
}

static void print_row(const struct table *table, size_t first, const size_t *widths)
{
	size_t n = row_length(table, first);

	fprintf(table->term->file, "%*s", table->indent, "");
	for (size_t i = 0; i < n; i++) {
		const struct cell *cell = &table->cells[first + i];
		term_raw(table->term, cell->style, cell->text);
		if (i + 1 < n)
			fprintf(table->term->file, "%*s", (int)(widths[i] - strlen(cell->text) + 2),
				"");
	}
	fputc('\n', table->term->file);
}

void table_flush(struct table *table)
{
	size_t *widths = xcalloc(table->columns, sizeof(*widths));

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i + table->columns <= table->n; i += table->columns)
		print_row(table, i, widths);
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i].text);
	free(widths);
	free(table->cells);
	table->cells = nullptr;
	table->n = table->cap = 0;
}

struct shown_time time_span(uint64_t us)
{
	uint64_t s = us / 1'000'000;
	struct shown_time t;

	if (s < 60)
		snprintf(t.text, sizeof(t.text), "%" PRIu64 " s", s);
	else if (s < 3600)
		snprintf(t.text, sizeof(t.text), "%" PRIu64 " min", s / 60);
	else if (s < 86400)
		snprintf(t.text, sizeof(t.text), "%" PRIu64 " h %" PRIu64 " min", s / 3600,
			s / 60 % 60);
	else
		snprintf(t.text, sizeof(t.text), "%" PRIu64 " d %" PRIu64 " h", s / 86400,
			s / 3600 % 24);
	return t;
}

struct shown_time byte_count(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double n = (double)bytes;
	size_t unit = 0;
	struct shown_time t;

	for (; n >= 1024; unit++)
		n /= 1024;
	snprintf(t.text, sizeof(t.text), unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
	return t;
}
