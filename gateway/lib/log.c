/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"
#include "lib/escape.h"
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

constexpr size_t LOG_MAX_TEXT = 1024;

static int max_level = LOG_INFO;
static const char *debug_tokens;

void log_set_level(int level)
{
	max_level = level;
}

void log_set_tokens(const char *tokens)
{
	debug_tokens = tokens;
}

/* Is name one of the comma-separated words of list? */
static bool list_has(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *word = list; *word;) {
		size_t n = strcspn(word, ",");
		if (n == len && strncmp(word, name, n) == 0)
			return true;
		word += n + (word[n] == ',');
	}
	return false;
}

static bool wanted(int level, const char *token)
{
	if (level > max_level)
		return false;
	return level < LOG_DEBUG || !debug_tokens || list_has(debug_tokens, token);
}

/* systemd.exec(5): $JOURNAL_STREAM names the journal's socket as "device:inode"; a program whose
 * stderr was redirected since then must not write the prefix. */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char own[64];

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

void log_line(int level, const char *token, const char *fmt, ...)
{
	int saved = errno;
	char text[LOG_MAX_TEXT], shown[4 * LOG_MAX_TEXT], line[sizeof(shown) + 64];

	if (!wanted(level, token))
		return;

	va_list ap;
	va_start(ap, fmt);
	errno = saved; /* for %m */
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape_text(text, strlen(text), shown, sizeof(shown));

	char priority[8] = "";
	if (to_journal())
		snprintf(priority, sizeof(priority), "<%d>", level);
	int len = snprintf(line, sizeof(line), "%s%.32s: %s\n", priority, token, shown);
	/* One write a line, so that lines of several processes do not mix. Nobody could be told
	 * that it failed. */
	if (len > 0)
		(void)!write(STDERR_FILENO, line, (size_t)len);
	errno = saved;
}
