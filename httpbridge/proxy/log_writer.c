/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/log_writer.h"
#include "answer/accesslog.h"
#include "answer/stats.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr size_t SIZE = 4 * ACCESSLOG_LINE;

void log_writer_init(struct log_writer *w)
{
	*w = (struct log_writer){.text = xcalloc(1, SIZE)};
}

/* The journal's socket is not waited for; a file does not need it (write(2)). */
static ssize_t write_some(const char *text, size_t len)
{
	ssize_t n = send(STDOUT_FILENO, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 && errno == ENOTSOCK ? write(STDOUT_FILENO, text, len) : n;
}

void log_writer_flush(struct log_writer *w)
{
	if (w->len == 0)
		return;
	ssize_t n = write_some(w->text, w->len);
	if (n <= 0)
		return;
	w->len -= (size_t)n;
	memmove(w->text, w->text + n, w->len);
}

void log_writer_clear(struct log_writer *w)
{
	log_writer_flush(w);
	free(w->text);
	*w = (struct log_writer){};
}

void log_writer_add(struct log_writer *w, const struct accesslog_entry *entry)
{
	if (SIZE - w->len <= ACCESSLOG_LINE)
		log_writer_flush(w);
	if (SIZE - w->len <= ACCESSLOG_LINE) {
		stats_add(&w->lost, 1);
		return;
	}
	w->len += accesslog_line(entry, w->text + w->len, SIZE - w->len - 1);
	w->text[w->len++] = '\n';
}
