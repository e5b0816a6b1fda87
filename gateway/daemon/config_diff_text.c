/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_diff_text: printed sections of a configuration, line by line beside the usual ones.
 */
#include "daemon/config_diff_int.h"
#include "lib/xmalloc.h"
#include <string.h>

char *config_print_text(void (*print)(const void *it, FILE *out), const void *it)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		out_of_memory();
	print(it, out);
	fclose(out);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; (at = strstr(at, line)) != nullptr; at += len)
		if ((at == text || at[-1] == '\n') && (at[len] == '\n' || at[len] == '\0'))
			return true;
	return false;
}

void config_write_unusual(FILE *out, char *text, const char *usual, const char *before)
{
	char *rest = nullptr;

	for (char *line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(nullptr, "\n", &rest)) {
		if (has_line(usual, line, strlen(line)))
			continue;
		fprintf(out, "%s%s", before, line + strspn(line, " "));
		before = "; ";
	}
}

void config_state_unusual(
	struct config_changes *out, enum config_change_kind kind, char *text, const char *usual)
{
	char *rest = nullptr;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(nullptr, "\n", &rest))
		if (!has_line(usual, line, strlen(line)))
			config_state(out, kind, nullptr, "%s", line + strspn(line, " "));
}
