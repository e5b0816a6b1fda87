/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/log_writer.h"
#include "answer/accesslog.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr size_t SIZE = 4 * ACCESSLOG_LINE;

void log_writer_init(struct log_writer *w)
{
	int type;
	socklen_t len = sizeof(type);

	*w = (struct log_writer){.text = xcalloc(1, SIZE),
		.is_socket = getsockopt(STDOUT_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) == 0};
}

/* The journal's socket is not waited for; a file does not need it (write(2)). */
static ssize_t write_some(const struct log_writer *w)
{
	if (w->is_socket)
		return send(STDOUT_FILENO, w->text, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(STDOUT_FILENO, w->text, w->len);
}

void log_writer_flush(struct log_writer *w)
{
	if (w->len == 0)
		return;
	ssize_t n = write_some(w);
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
		w->lost++;
		return;
	}
	w->len += accesslog_line(entry, w->text + w->len, SIZE - w->len - 1);
	w->text[w->len++] = '\n';
}
