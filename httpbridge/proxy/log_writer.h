/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log_writer: a worker's lines of the access log, to standard output, many of them at once.
 *
 * Lines are whole or not there at all. A reader that is too slow loses lines, and they are counted:
 * it does not hold up those who are served.
 */
#include <stddef.h>
#include <stdint.h>

struct accesslog_entry;

struct log_writer {
	char *text; /* whole lines */
	size_t len;
	bool is_socket;
	uint64_t lost;
};

void log_writer_init(struct log_writer *w);
void log_writer_clear(struct log_writer *w); /* writes what is left */
void log_writer_add(struct log_writer *w, const struct accesslog_entry *entry);
void log_writer_flush(struct log_writer *w);
